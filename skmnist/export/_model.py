"""Export of fitted models of this package to ONNX."""

import json
import logging
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, helper
from sklearn.utils.validation import check_is_fitted

import skmnist
from skmnist._estimators import averaged, parts_of
from skmnist._inference.graph import Graph
from skmnist.classifiers._prediction import NetworkPredictor
from skmnist.datasets._files import replacing
from skmnist.preprocessing import (
    Deskewer,
    DigitNormalizer,
    HOGTransformer,
    ImageScaler,
)

from ._steps import (
    Images,
    UnwritableModelError,
    add_classifier,
    add_label,
    add_probabilities,
    add_transformer,
)

__all__ = ["to_onnx"]

_logger = logging.getLogger(__package__)

# What a subclass must not have of its own: the graph would not know of it.
_TRANSFORMERS = {ImageScaler: ("transform",), Deskewer: ("transform", "_deskew")}
_CLASSIFIERS = {NetworkPredictor: ("predict_proba", "predict")}

# What they do depends on an image in ways that ONNX has no operators for.
_WITHOUT_GRAPH = DigitNormalizer, HOGTransformer


def to_onnx(model: Any, path: str | PathLike | None = None) -> ModelProto:
    """Convert a fitted network, alone or in a Pipeline, to an ONNX model.

    Parameters
    ----------
    model : KerasMLPClassifier, KerasDNNClassifier, KerasCNNClassifier, \
            KerasImageClassifier, DeepEnsembleClassifier, BaggingClassifier, \
            VotingClassifier or Pipeline
        A fitted classifier with a network of :func:`~skmnist.networks.build_mlp` or
        :func:`~skmnist.networks.build_cnn`, or an ensemble of such classifiers which
        averages their probabilities (a :class:`~skmnist.DeepEnsembleClassifier`, a
        :class:`~sklearn.ensemble.BaggingClassifier` on all features, or a
        :class:`~sklearn.ensemble.VotingClassifier` with soft voting), or a
        :class:`~sklearn.pipeline.Pipeline` that ends in one of these. Its other steps
        may be any number of :class:`~skmnist.ImageScaler`, :class:`~skmnist.Deskewer`,
        ``"passthrough"``, and Pipelines of these.
    path : str or path-like, default=None
        The file to write. An existing file is replaced. None writes no file.

    Returns
    -------
    onnx.ModelProto
        The model, with the input and output names of skl2onnx. The input ``X`` is uint8
        if the first transformer was fitted on bytes, else float32. It has the layout of
        the images in `fit`: rows (n, n_pixels), also for data frames, or images (n,
        height, width), (n, height, width, channels) or (n, channels, height, width).
        The outputs are ``label``, of shape (n,) and type string, int64, float32 or
        bool, and ``probabilities``, float32 of shape (n, n_classes). The metadata
        contain the version of this package, the image shape and the labels.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the model is not fitted.
    TypeError
        If a part of the model cannot be converted: another step, another classifier, or
        a network from your own builder.
    FileNotFoundError
        If the folder does not exist.

    Notes
    -----
    Computations are those of the fitted model: transformers in double precision, the
    network in float32, the softmax in double precision. Probabilities agree with
    `predict_proba` to within 1e-6. The ONNX model does not check its input and gives no
    warnings.

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
    parts = _parts(model)
    for part in parts:
        check_is_fitted(part)
    exported = _model(*parts)
    if path is not None:
        with replacing(Path(path)) as file:
            file.write(exported.SerializeToString())
        _logger.info("%s written to %s", type(model).__name__, path)
    return exported


def _parts(model):
    """List the transformers of a model and its network classifier."""
    transformers, classifier, unknown = parts_of(model, _TRANSFORMERS, _CLASSIFIERS)
    if unknown:
        names = ", ".join(dict.fromkeys(type(step).__name__ for step in unknown))
        if hasattr(model, "best_estimator_"):
            hint = "Give its best_estimator_."
        elif any(isinstance(step, _WITHOUT_GRAPH) for step in unknown):
            hint = "Write the steps after it alone, and give these what it makes."
        else:
            hint = (
                "skl2onnx.to_onnx writes scikit-learn's own estimators, and those of "
                "this package among them after `import skmnist.export`."
            )
        raise UnwritableModelError(
            "Only a network classifier of this package or an average of several, alone "
            "or after ImageScaler and Deskewer in a Pipeline, can be written as ONNX; "
            f"got {names}.",
            hint,
        )
    return [*transformers, classifier]


def _model(*parts):
    """Return the ONNX model of fitted transformers and a classifier."""
    *transformers, classifier = parts
    networks = averaged(classifier)
    shape, dtype = _seen_in_fit(transformers, networks[0])
    kind = TensorProto.UINT8 if dtype == np.uint8 else TensorProto.FLOAT
    classes = classifier.classes_
    graph = Graph()
    tensor, images = "X", Images(shape, kind)
    for step in transformers:
        tensor, images = add_transformer(graph, tensor, images, step)
    scores = [add_classifier(graph, tensor, images, network) for network in networks]
    probabilities = add_probabilities(graph, scores)
    # The largest of one network's logits may be as large as another in float32.
    best = scores[0] if len(scores) == 1 else probabilities
    label, label_kind = add_label(graph, best, classes)
    model = graph.model(
        inputs={"X": (kind, shape)},
        outputs={
            "label": (label, label_kind, ()),
            "probabilities": (probabilities, TensorProto.FLOAT, (len(classes),)),
        },
        version=skmnist.__version__,
    )
    model.doc_string = (
        f"{type(classifier).__name__} of skmnist. label is the most probable class of "
        "each image in X; probabilities has a column for each class, in the order of "
        "the metadata."
    )
    properties = {
        "skmnist_version": skmnist.__version__,
        "classes": json.dumps(classes.tolist(), ensure_ascii=False, default=str),
    }
    image_shape = _image_shape(transformers, networks[0])
    if image_shape is not None:
        properties["image_shape"] = json.dumps(image_shape)
    helper.set_model_props(model, properties)
    return model


def _seen_in_fit(transformers, classifier):
    """Return the shape of a sample in fit, and the type of its numbers."""
    shape, dtype = classifier._sample_shape or classifier._image_shape, np.float32
    if transformers:
        first = transformers[0]
        shape = first._sample_shape
        dtype = first._sample_dtype or getattr(first, "dtype_", np.float32)
        if shape is None and first._shape_is_known:  # of an earlier version
            shape = first.image_shape_
    return shape or (classifier.n_features_in_,), dtype


def _image_shape(transformers, classifier):
    """Return height, width and channels of an image; None if nobody knows them."""
    known = [
        *(step.image_shape_ for step in transformers),
        classifier._image_shape,
        classifier._spec.input_shape,
    ]
    return next((s for s in known if s is not None and len(s) == 3), None)
