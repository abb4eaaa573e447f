"""Names that people know from other packages, and what to write here instead.

The error messages of the classifiers use these texts; the migration guide lists them.
"""

import functools
import inspect
from collections.abc import Iterator

from skmnist._suggestions import closest

__all__ = [
    "ATTRIBUTES",
    "LAYERS",
    "PARAMETERS",
    "PREDICTION",
    "HabitsMixin",
    "answers_habits",
    "missing_attribute",
    "refuse_stream",
]

_OPTIMIZER = (
    "give optimizer an example, such as keras.optimizers.SGD(momentum=0.9): every fit "
    "gets its own copy."
)
_OWN_NETWORK = (
    "use KerasImageClassifier(builder=…), where builder is a function of input_shape "
    "and n_classes that returns a keras.Model."
)
_CONVOLUTIONS = "use KerasCNNClassifier, which has convolutions."
_LIVE = "use model_.{} after fit; model_ is a keras.Model."
_ANY_FALL = (
    "with early_stopping, any decrease of the validation loss counts as progress."
)
_ALL_ROWS = "an epoch is one pass over all rows, and each is followed by validation."

# Of the constructor, and of fit where it is no parameter of the constructor.
PARAMETERS = {
    "beta_1": _OPTIMIZER,
    "beta_2": _OPTIMIZER,
    "build_fn": _OWN_NETWORK,
    "classes": "fit finds the classes in y; only partial_fit takes classes.",
    "criterion": "the loss is always the sparse categorical cross-entropy.",
    "device": "the backend of Keras chooses the device.",
    "epsilon": _OPTIMIZER,
    "eval_set": "give fit X_val and y_val.",
    "initial_epoch": "use warm_start=True or partial_fit to resume training.",
    "input_shape": "fit infers it from X; image_shape is for images given as rows.",
    "learning_rate_init": "use learning_rate.",
    "loss": "the loss is always the sparse categorical cross-entropy.",
    "lr": "use learning_rate.",
    "max_epochs": "use epochs.",
    "max_iter": "use epochs.",
    "metrics": "accuracy and loss are always kept, in history_.",
    "min_delta": _ANY_FALL,
    "model": _OWN_NETWORK,
    "module": _OWN_NETWORK,
    "momentum": _OPTIMIZER,
    "n_classes": "fit finds the classes in y; only partial_fit takes classes.",
    "n_epochs": "use epochs.",
    "nb_epoch": "use epochs.",
    "nesterovs_momentum": _OPTIMIZER,
    "num_classes": "fit finds the classes in y; only partial_fit takes classes.",
    "num_epochs": "use epochs.",
    "patience": "use n_iter_no_change.",
    "run_eagerly": "training is always compiled.",
    "sample_weight": "give it to fit.",
    "seed": "use random_state.",
    "shuffle": "rows are shuffled for each epoch; random_state seeds it.",
    "solver": "use optimizer.",
    "steps_per_epoch": _ALL_ROWS,
    "tol": _ANY_FALL,
    "train_split": "use validation_fraction in the constructor.",
    "validation_batch_size": "the classifier chooses it; results do not depend on it.",
    "validation_data": "give fit X_val and y_val.",
    "validation_freq": _ALL_ROWS,
    "validation_split": "use validation_fraction in the constructor; random_state "
    "chooses the rows, stratified by label.",
    "validation_steps": _ALL_ROWS,
    "X_val": "give it to fit.",
    "y_val": "give it to fit.",
}

# Of the classifiers that build their own layers.
LAYERS = {
    "alpha": "use l2; alpha / (2 * batch_size) gives the same penalty.",
    "filters": _CONVOLUTIONS,
    "hidden_layer_sizes": "use units, as in KerasDNNClassifier(units=(512, 256)).",
    "kernel_regularizer": "use l1 and l2.",
    "kernel_size": _CONVOLUTIONS,
    "global_pooling": _CONVOLUTIONS,
    "padding": _CONVOLUTIONS,
    "pool_size": _CONVOLUTIONS,
    "pooling": _CONVOLUTIONS,
    "strides": _CONVOLUTIONS,
}

# Of predict, predict_proba, score and the like.
PREDICTION = {
    "batch_size": "the classifier chooses it; results do not depend on it.",
    "callbacks": "they are called in fit only.",
    "steps": "all rows are predicted.",
    "verbose": "predictions are silent.",
}

ATTRIBUTES = {
    "best_validation_score_": "use max(history_['val_accuracy']).",
    "coefs_": _LIVE.format("get_weights()"),
    "compile": "optimizer and learning_rate are parameters, and fit compiles.",
    "count_params": "use n_parameters_.",
    "evaluate": "use score(X, y), or skmnist.evaluation.evaluate.",
    "fit_generator": "use fit with arrays, or partial_fit with one batch at a time.",
    "get_weights": _LIVE.format("get_weights()"),
    "history": "use history_, a dict such as {'loss': […]}.",
    "intercepts_": _LIVE.format("get_weights()"),
    "layers": _LIVE.format("layers"),
    "load_params": "use skmnist.persistence.load_model.",
    "load_weights": "use skmnist.persistence.load_model.",
    "loss_": "use history_['loss'][-1].",
    "loss_curve_": "use history_['loss'].",
    "model": "use model_ after fit, a keras.Model.",
    "module_": "use model_ after fit, a keras.Model.",
    "predict_classes": "use predict.",
    "predict_on_batch": "use predict_proba.",
    "save": "use skmnist.persistence.save_model, or model_.save('name.keras').",
    "save_params": "use skmnist.persistence.save_model.",
    "save_weights": _LIVE.format("save_weights('name.weights.h5')"),
    "summary": _LIVE.format("summary()"),
    "to_json": _LIVE.format("to_json()"),
    "train_on_batch": "use partial_fit.",
    "validation_scores_": "use history_['val_accuracy'].",
    "weights": _LIVE.format("weights"),
}

# What hands out batches, by the module of its class, and how to collect its arrays.
_STREAMS = {
    "tensorflow.python.data": "map(np.concatenate, zip(*data.as_numpy_iterator())), "
    "after data = data.batch(100) unless it has batches",
    "keras.src.trainers.data_adapters": "map(np.concatenate, zip(*(data[i] for i in "
    "range(len(data)))))",
    "torch.utils.data.dataset": "map(np.stack, zip(*data))",
    "torch.utils.data": "map(np.concatenate, zip(*data))",
}
_ITERATOR = "map(np.concatenate, zip(*data)), if it yields batches and ends"


class HabitsMixin:
    """Answers names that a constructor or `set_params` does not know.

    The signature of ``__init__`` stays as it is written, for scikit-learn to read.
    """

    _habits = {}  # known names that are no parameters, and what to write instead

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "__init__" in vars(cls):
            cls.__init__ = answers_habits(cls.__init__)

    def set_params(self, **params):
        """Set parameters.

        Parameters
        ----------
        **params : dict
            Parameter values by name.

        Returns
        -------
        self
            The classifier.

        Raises
        ------
        ValueError
            If a parameter does not exist. The message says what to write instead, if
            known.
        """
        known_alone = self.get_params()
        # What is set in the same call may have parameters of its own.
        known = {**known_alone, **params}
        for name in params:
            key, delimiter, _ = name.partition("__")
            is_nested = delimiter and hasattr(known.get(key), "set_params")
            if name not in known_alone and not is_nested:
                valid = sorted(self.get_params(deep=False))
                advice = _advice(name, valid, self._habits)
                raise ValueError(
                    f"Invalid parameter {name!r} for estimator {type(self).__name__}"
                    f"{f': {advice}' if advice else '.'} Valid parameters are: "
                    f"{valid!r}."
                )
        return super().set_params(**params)


def answers_habits(method):
    """Let a method refuse unknown names, and data that are not arrays, with advice.

    Parameters
    ----------
    method : callable
        A method of a :class:`HabitsMixin`.

    Returns
    -------
    callable
        The same, of the same signature.

    Raises
    ------
    TypeError
        From the method, if it is called with such a name or such data.
    """
    parameters = list(inspect.signature(method).parameters.values())[1:]
    kinds = {parameter.kind for parameter in parameters}
    if inspect.Parameter.VAR_KEYWORD in kinds:
        return method
    names = [parameter.name for parameter in parameters]
    required = [p.name for p in parameters if p.default is p.empty]
    known = frozenset(names)
    is_constructor = method.__name__ == "__init__"
    by_name_only = kinds == {inspect.Parameter.KEYWORD_ONLY}

    @functools.wraps(method)
    def answering(self, *args, **kwargs):
        if not kwargs.keys() <= known:
            raise TypeError(_unknown_names(self, method.__name__, names, kwargs))
        if is_constructor:
            if args and by_name_only:
                raise TypeError(
                    f"{type(self).__name__}() takes its parameters by name, such as "
                    f"{names[0]}=…; got {args[0]!r} without a name."
                )
        else:
            for name, data in (*zip(names, args, strict=False), *kwargs.items()):
                refuse_stream(name, data)
            missing = [name for name in required[len(args) :] if name not in kwargs]
            if missing:
                # Python would name a base class, which the user never wrote.
                raise TypeError(
                    f"{type(self).__name__}.{method.__name__}() needs "
                    f"{' and '.join(missing)}."
                )
        return method(self, *args, **kwargs)

    return answering


def missing_attribute(estimator, name):
    """Raise AttributeError, with words about what to use instead if they are known."""
    if name not in ATTRIBUTES:
        # As without us; a property that raised one before raises the same again.
        return object.__getattribute__(estimator, name)
    raise AttributeError(
        f"{type(estimator).__name__!r} object has no attribute {name!r}: "
        f"{ATTRIBUTES[name]}",
        name=name,
        obj=estimator,
    )


def refuse_stream(name, data):
    """Refuse iterators and data loaders that replace an array.

    Parameters
    ----------
    name : str
        Name of the argument.
    data : object
        The given value.

    Raises
    ------
    TypeError
        If it is a generator or iterator, or a data set or loader of TensorFlow, Keras
        or PyTorch. The message says how to get arrays of it.
    """
    if hasattr(data, "shape") or isinstance(data, list | tuple | str | None):
        return
    modules = " ".join(f" {base.__module__}." for base in type(data).__mro__)
    known = [recipe for home, recipe in _STREAMS.items() if f" {home}." in modules]
    if known or isinstance(data, Iterator):
        recipe = [*known, _ITERATOR][0]
        raise TypeError(
            f"{name} must be an array; got {type(data).__name__}, which hands out one "
            f"part after another. Collect the parts: X, y = {recipe}."
        )


def _unknown_names(estimator, method, allowed, given):
    """Return a line for each name that a method does not take."""
    cls = type(estimator)
    is_constructor = method == "__init__"
    call = cls.__name__ if is_constructor else f"{cls.__name__}.{method}"
    parameters = [] if is_constructor else list(estimator.get_params(deep=False))
    lines = []
    for name in given:
        if name in allowed:
            continue
        if method not in ("__init__", "fit", "partial_fit"):
            advice = _advice(name, allowed, PREDICTION)
        elif name in parameters:
            advice = (
                "it is a parameter of the constructor, as in "
                f"{cls.__name__}({name}=…), and of set_params."
            )
        else:
            advice = _advice(name, [*allowed, *parameters], cls._habits)
            if any(advice == _meant(parameter) for parameter in parameters):
                advice = f"{advice} It is a parameter of the constructor."
        advice = advice or f"allowed are {', '.join(allowed)}."
        lines.append(f"{call}() got an unexpected keyword argument {name!r}: {advice}")
    return "\n".join(lines)


def _advice(name, allowed, habits):
    """Say what to write in place of a name, or return None."""
    if name in habits:
        return habits[name]
    prefix, _, last = name.rpartition("__")
    if prefix == "builder_params" and prefix in allowed:
        return (
            f"give the constructor builder_params={{{last!r}: …}}; set_params and "
            f"searches take {name}."
        )
    if prefix == "augmentation" and prefix in allowed:
        return f"set augmentation=Augmentation({last}=…)."
    if last in allowed:  # "fit__epochs"
        return f"use {last}."
    if last in habits:  # "optimizer__lr"
        return habits[last]
    if prefix == "optimizer" and "optimizer" in allowed:
        return _OPTIMIZER
    close = closest(name, allowed, cutoff=0.7)
    if close is not None:
        return _meant(close)
    if "builder_params" in allowed:
        return (
            f"arguments of the builder go into builder_params={{{last!r}: …}}; "
            f"set_params and searches take builder_params__{last}."
        )
    return None


def _meant(name):
    return f"did you mean {name!r}?"
