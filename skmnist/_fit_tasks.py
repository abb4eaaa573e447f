"""Tasks of a fit, of which scikit-learn 1.9 and later tells callbacks."""

import functools

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # an earlier version, where nobody is told

    class _Task:
        def subcontext(self, **_):
            return self

        def call_on_fit_task_begin(self, **_):
            return self

        def call_on_fit_task_end(self, **_):
            return False

    class CallbackSupportMixin:
        """A mixin without ``set_callbacks``."""

        def _init_callback_context(self, **_):
            return _Task()

    def with_callbacks(method):
        """Return a method as it is."""
        return method


__all__ = [
    "CallbackSupportMixin",
    "EpochTasks",
    "as_one_task",
    "is_for_callbacks",
    "with_callbacks",
]


def as_one_task(fit):
    """Let a ``fit(X, y)`` without subtasks tell callbacks of itself."""

    @with_callbacks
    @functools.wraps(fit)
    def reported(self, X, y=None):
        task = self._init_callback_context()
        task.call_on_fit_task_begin(estimator=self, X=X, y=y)
        fit(self, X, y)
        task.call_on_fit_task_end(
            estimator=self, X=X, y=y, reconstruction_attributes={}
        )
        return self

    return reported


def is_for_callbacks(attribute):
    """Whether scikit-learn keeps callbacks, or the tasks of a fit, in an attribute."""
    return attribute.startswith("_") and "callback" in attribute


class EpochTasks:
    """The epochs of a fit, and the validation after each, as tasks.

    Parameters
    ----------
    estimator : estimator
        What is being fitted.
    task : CallbackContext
        The task of the whole fit.
    data : dict
        Training data for callbacks: X, y and metadata.
    validation_data : dict or None
        The same of the validation.
    n_found : int
        Number of epochs before the first of these, of which nobody is told.
    trained : callable
        ``trained(weights, description, history)`` returns the attributes that the
        estimator would have if training ended with these.
    """

    def __init__(self, estimator, task, data, validation_data, n_found, trained):
        self._estimator = estimator
        self._fit = task
        self._data = data
        self._validation_data = validation_data
        self._trained = trained
        self._epoch = None
        for _ in range(n_found * (2 if validation_data else 1)):
            task.subcontext()  # takes a number

    def begin(self):
        """Begin an epoch."""
        self._epoch = self._begin("epoch", self._data)

    def end(self, get_weights, description, history):
        """End an epoch; return whether a callback wants training to stop.

        The weights are only asked for if a callback wants the estimator.
        """

        def fitted_attributes():
            return self._trained(get_weights(), description, history)

        stops = self._end(self._epoch, self._data, fitted_attributes)
        if self._validation_data is not None:
            task = self._begin("validation", self._validation_data)
            stops |= self._end(task, self._validation_data, fitted_attributes)
        return stops

    def _begin(self, name, data):
        task = self._fit.subcontext(task_name=name)
        return task.call_on_fit_task_begin(estimator=self._estimator, **data)

    def _end(self, task, data, fitted_attributes):
        return task.call_on_fit_task_end(
            estimator=self._estimator,
            reconstruction_attributes=fitted_attributes,
            **data,
        )
