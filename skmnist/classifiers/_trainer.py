"""Training of a network, or of the part of it that a memory does not keep."""

import logging
import math
from functools import partial
from time import perf_counter

from sklearn.base import clone

from skmnist._inference.network import TrainedNetwork
from skmnist._interrupts import keep_interrupts, uninterrupted
from skmnist.classifiers._memory import Trained, remembered
from skmnist.classifiers._prediction import NetworkPredictor
from skmnist.preprocessing.augmentation import FAR_FROM_PIXELS, AugmentedImages
from skmnist.preprocessing.layout import locate, resolve_image_shape

__all__ = ["NetworkTrainer"]

# Parameters on which the result of a training depends, besides others.
_SETTINGS = (
    "learning_rate_schedule",
    "ema_momentum",
    "label_smoothing",
    "augmentation",
)

_logger = logging.getLogger(__package__)


class NetworkTrainer(NetworkPredictor):
    """Training by the parameters of a classifier; not for direct use."""

    def _train(
        self,
        spec,
        training,
        validation,
        *,
        epochs,
        resume,
        make_tasks=None,
        is_partial=False,
    ):
        """Train, or find the fit in the memory, and set the fitted attributes."""
        fit = partial(
            self._fit_network, spec, training, validation, make_tasks, is_partial
        )
        vars(self).pop("fit_id_", None)
        if resume:
            network = self._network
            earlier = network.weights, network.description, self.history_
            trained = fit(int(epochs), Trained(*earlier, self._training))
        elif self.memory is None or self.random_state is None:
            trained = fit(int(epochs), None)
        else:
            settings = {name: getattr(self, name) for name in _SETTINGS}
            settings["batch_size"] = self._batch_size(training)
            settings["patience"] = self._patience
            settings["precision"] = getattr(self, "precision", None)
            if self.augmentation is not None:  # rows may be images of other shapes
                settings["image_shape"] = self._image_shape
            settings["seeds"] = [
                self._training.weights_seed,
                self._training.shuffle_seed,
            ]
            trained = remembered(
                self.memory,
                fit,
                spec,
                int(epochs),
                (self.optimizer, self.learning_rate, self.weight_decay),
                settings,
                (training, validation),
            )
        weights, description, history, self._training, _ = trained
        vars(self).update(_attributes(spec, weights, description, history))

    @property
    def _patience(self):
        return self.n_iter_no_change if self.early_stopping else None

    def _batch_size(self, training):
        return min(int(self.batch_size), len(training.inputs))

    @keep_interrupts()
    def _fit_network(
        self, spec, training, validation, make_tasks, is_partial, epochs, earlier
    ):
        """Train for some epochs, from new weights or on from a Trained."""
        with uninterrupted():
            from skmnist._training.callbacks import callbacks_for_fit
            from skmnist._training.optimizers import make_optimizer
            from skmnist._training.train import TrainingSettings, train

        batch_size = self._batch_size(training)
        momentum = self.ema_momentum
        if momentum is not None:
            # Longer averages of a short training would be of its first weights.
            n_steps = epochs * -(-len(training.inputs) // batch_size)
            momentum = max(0.0, min(momentum, 1 - 10 / n_steps))
        optimizer = make_optimizer(
            self.optimizer, self.learning_rate, self.weight_decay, momentum
        )
        callbacks, fit_id = callbacks_for_fit(self.callbacks)
        before = {"loss": []} if earlier is None else earlier.history
        n_found = len(before["loss"]) - self._training.n_epochs  # in the memory

        def attributes(weights, description, history):
            return _attributes(spec, weights, description, _joined(before, history))

        settings = TrainingSettings(
            optimizer=optimizer,
            schedule=self.learning_rate_schedule,
            epochs=epochs,
            batch_size=batch_size,
            patience=self._patience,
            callbacks=callbacks,
            precision=getattr(self, "precision", "float32"),
            verbose=int(self.verbose),
            label_smoothing=float(self.label_smoothing),
            augmented=self._augmented(spec.input_shape),
            is_partial=is_partial,
            tasks=make_tasks and make_tasks(n_found, attributes),
        )
        start = perf_counter()
        weights, description, state, history = train(
            spec,
            training,
            settings,
            self._training if earlier is None else earlier.state,
            validation=validation,
            network=earlier,
        )
        _logger.info(
            "%s trained on %d samples: %d epochs in %.3f s",
            type(self).__name__,
            len(training.inputs),
            len(history["loss"]),
            perf_counter() - start,
        )
        if fit_id is not None:
            self.fit_id_ = fit_id
        is_complete = not settings.was_stopped or len(history["loss"]) == epochs
        history = _joined(before, history)
        return Trained(weights, description, history, state, is_complete)

    def _augmented(self, input_shape):
        """Return a function from seeds to AugmentedImages, or None."""
        if self.augmentation is None:
            return None
        brightest = max(map(abs, self._pixel_range or (0,)))
        if abs(self.augmentation.fill_value) > FAR_FROM_PIXELS * brightest > 0:
            raise ValueError(
                f"augmentation has fill_value={self.augmentation.fill_value}, but the "
                "pixels that reach the network are from {:g} to {:g}. Give the value "
                "that the background has there.".format(*self._pixel_range)
            )
        shape = input_shape
        if len(shape) == 1:  # a network of rows
            seen = self._sample_shape
            if seen is not None:
                channels_first, shape = locate(seen, None)
                if channels_first and shape[2] > 1:
                    raise ValueError(
                        "augmentation needs images whose channels come last, but those "
                        f"of X have the shape {tuple(seen)}. Give them to an "
                        "ImageScaler before the network, or leave augmentation out."
                    )
            elif math.isqrt(*input_shape) ** 2 != input_shape[0]:
                raise ValueError(
                    f"augmentation needs images, but X has {input_shape[0]} columns, "
                    "which is not the size of a square image. Give images to an "
                    "ImageScaler before the network, or leave augmentation out."
                )
            else:
                shape = resolve_image_shape(*input_shape)
        return partial(AugmentedImages, clone(self.augmentation), (*shape, 1)[:3])


def _attributes(spec, weights, description, history):
    """Return the attributes that make up a network trained with this history."""
    return {
        "history_": history,
        "n_iter_": len(history["loss"]),
        "_network": TrainedNetwork(spec, weights, description),
    }


def _joined(earlier, later):
    """Join two histories, padded with NaN for metrics that only one of them has."""
    gaps = [[float("nan")] * len(history["loss"]) for history in (earlier, later)]
    return {
        name: earlier.get(name, gaps[0]) + later.get(name, gaps[1])
        for name in {**earlier, **later}
    }
