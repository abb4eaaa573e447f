"""Fitted models in the ONNX format, which runs without Python and without Keras.

The optional dependency ``onnx`` (``pip install ".[onnx]"``) writes the files; whatever
runs them, such as ONNX Runtime, needs nothing of this package.
"""

from pathlib import Path

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

import skmnist
from skmnist.classifiers._prediction import NetworkPredictor
from skmnist.datasets._files import replacing
from skmnist.networks._graphs import is_planned, network_layers
from skmnist.preprocessing import ImageScaler

__all__ = ["to_onnx"]


def to_onnx(model, path=None):
    """Write a fitted network, alone or in a Pipeline, as an ONNX model.

    Parameters
    ----------
    model : KerasMLPClassifier, KerasDNNClassifier, KerasCNNClassifier or Pipeline
        A fitted classifier, or a :class:`~sklearn.pipeline.Pipeline` that ends in one
        and has no other steps than an :class:`~skmnist.ImageScaler`.
    path : str or path-like, default=None
        Where to write the model; an existing file is replaced. None writes no file.

    Returns
    -------
    onnx.ModelProto
        The model, with the names that scikit-learn models have in skl2onnx. It takes
        ``X``, and gives ``label``, of shape (n,), and ``probabilities``, float32 of
        shape (n, n_classes). ``X`` is uint8 if the scaler was fitted on bytes, else
        float32. Its shape is (n, height, width) or (n, height, width, channels) if the
        model was fitted on images, and (n, n_pixels) if it was fitted on rows.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the model is not fitted.
    TypeError
        If a part of the model cannot be written: another step, another classifier, or
        a network of a builder of your own.
    ImportError
        If ``onnx`` is not installed.
    FileNotFoundError
        If there is no folder to write to.

    Notes
    -----
    Arithmetic is that of :meth:`~skmnist.KerasMLPClassifier.predict_proba`: pixels are
    scaled in double precision, the network computes in float32, the softmax in double
    precision. The model does not check its input: it clips pixels as the scaler does,
    and warns of nothing.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import onnxruntime
    >>> from skmnist.datasets import load_digits
    >>> from skmnist.export import to_onnx
    >>> from skmnist.pipelines import make_model
    >>> X, y = load_digits(return_X_y=True)
    >>> model = make_model("mlp_512", epochs=3, random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "digits.onnx"
    ...     exported = to_onnx(model, path)
    ...     session = onnxruntime.InferenceSession(path)
    >>> label, probabilities = session.run(None, {"X": X})
    >>> bool((label == model.predict(X)).all())
    True
    """
    scaler, classifier = _parts(model)
    check_is_fitted(model)
    if not is_planned(classifier._spec):
        raise TypeError(
            "to_onnx writes networks of build_mlp and build_cnn; the builder of this "
            f"one is {classifier._spec.builder!r}. Keras may know its layers: "
            "model_.export('network.onnx', format='onnx')."
        )
    exported = _model(scaler, classifier)
    if path is not None:
        with replacing(Path(path)) as file:
            file.write(exported.SerializeToString())
    return exported


def _parts(model):
    """Return the scaler of a model, or None, and its network classifier."""
    steps = (
        [step for _, step in model.steps] if isinstance(model, Pipeline) else [model]
    )
    *before, classifier = [s for s in steps if s is not None and s != "passthrough"]
    unknown = [step for step in before if not isinstance(step, ImageScaler)]
    if not isinstance(classifier, NetworkPredictor):
        unknown.append(classifier)
    if unknown or len(before) > 1:
        names = ", ".join(type(step).__name__ for step in unknown or before)
        raise TypeError(
            "to_onnx writes a network classifier of this package, alone or after one "
            f"ImageScaler in a Pipeline; it cannot write {names}. For scikit-learn's "
            "own estimators there is skl2onnx."
        )
    return (before[0] if before else None), classifier


def _model(scaler, classifier):
    """Return the ONNX model of a fitted scaler and classifier."""
    try:
        from onnx import TensorProto

        from skmnist._inference.graph import Graph, add_network
    except ImportError as error:
        raise ImportError(
            "to_onnx needs onnx, which is not installed: pip install onnx."
        ) from error

    graph = Graph()
    takes_bytes = scaler is not None and scaler.dtype_ == np.uint8
    shape = _image_shape(scaler, classifier)
    tensor = "X"
    if scaler is not None:
        tensor = _scaled(graph, scaler)
    input_shape, plan = network_layers(classifier._spec)
    if shape != input_shape:
        tensor = graph.add("Reshape", tensor, graph.integers([-1, *input_shape]))
    weights = [np.asarray(w, np.float32) for w in classifier._network.weights]
    logits = add_network(graph, tensor, input_shape, plan, weights)
    exact = graph.add("Cast", logits, to=TensorProto.DOUBLE)
    probabilities = graph.add(
        "Cast", graph.add("Softmax", exact, axis=1), to=TensorProto.FLOAT
    )
    place = graph.add("ArgMax", logits, axis=1, keepdims=0)
    label = graph.add("Gather", _classes(graph, classifier.classes_), place)
    return graph.model(
        inputs={"X": (TensorProto.UINT8 if takes_bytes else TensorProto.FLOAT, shape)},
        outputs={
            "label": (label, _label_type(classifier.classes_), ()),
            "probabilities": (
                probabilities,
                TensorProto.FLOAT,
                (len(classifier.classes_),),
            ),
        },
        version=skmnist.__version__,
    )


def _image_shape(scaler, classifier):
    """Return the shape of an image that the model was fitted on, channels last."""
    if scaler is None:
        known = classifier._image_shape
    else:
        known = scaler.image_shape_ if scaler._shape_is_known else None
    if known is None:
        return (classifier.n_features_in_,)
    return known[:2] if known[2:] == (1,) else tuple(known)


def _scaled(graph, scaler):
    """Add the arithmetic of a scaler, which is in double precision."""
    from onnx import TensorProto

    tensor = graph.add("Cast", "X", to=TensorProto.DOUBLE)
    span = (scaler.data_max_ - scaler.data_min_) or 1.0
    tensor = graph.add("Sub", tensor, graph.constant(np.float64(scaler.data_min_)))
    tensor = graph.add("Div", tensor, graph.constant(np.float64(span)))
    if scaler.clip:
        limits = (graph.constant(np.float64(end)) for end in (0.0, 1.0))
        tensor = graph.add("Clip", tensor, *limits)
    return graph.add("Cast", tensor, to=TensorProto.FLOAT)


def _classes(graph, classes):
    """Add the labels as a constant."""
    kind = classes.dtype.kind
    if kind in "OUS":
        return graph.constant(np.array([str(label) for label in classes], object))
    return graph.constant(
        classes.astype({"b": np.bool_, "f": np.float32}.get(kind, np.int64))
    )


def _label_type(classes):
    from onnx import TensorProto

    types = {"b": TensorProto.BOOL, "f": TensorProto.FLOAT, "i": TensorProto.INT64}
    types["u"] = TensorProto.INT64
    return types.get(classes.dtype.kind, TensorProto.STRING)
