"""Learning-rate schedules that know how many steps a fit will take."""

import math

from skmnist._training.keras import as_arrays, keras

__all__ = ["SCHEDULES", "Schedule"]

SCHEDULES = {"one_cycle": 0.3, "cosine": 0.0}  # fractions in which the rate rises
# Rates relative to the peak.
_FIRST = 1 / 25
_LAST = 1e-4


@keras.saving.register_keras_serializable("skmnist")
class Schedule(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that rises to a peak in a fraction of a fit and falls again."""

    def __init__(self, peak, n_steps, rising, first_step=0):
        self.values = keras.Variable(
            [peak, n_steps, first_step],
            trainable=False,
            dtype="float32",
            name="course",  # not by a counter of the process
        )
        self.rising = rising

    def __call__(self, step):
        ops = keras.ops
        peak, n_steps, first_step = ops.unstack(ops.convert_to_tensor(self.values))
        done = (ops.cast(step, "float32") - first_step) / n_steps
        fall = ops.clip((done - self.rising) / (1 - self.rising), 0.0, 1.0)
        factor = _LAST + (1 - _LAST) * (1 + ops.cos(math.pi * fall)) / 2
        if self.rising:
            rise = ops.clip(done / self.rising, 0.0, 1.0)
            factor *= _FIRST + (1 - _FIRST) * (1 - ops.cos(math.pi * rise)) / 2
        return peak * factor

    def get_config(self):
        peak, n_steps, first_step = as_arrays([self.values])[0].tolist()
        return {
            "peak": peak,
            "n_steps": n_steps,
            "rising": self.rising,
            "first_step": first_step,
        }
