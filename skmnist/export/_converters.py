"""Converters of this package's estimators for skl2onnx."""

import numpy as np
from onnx import TensorProto, defs, helper
from skl2onnx import update_registered_converter
from skl2onnx.common.data_types import (
    Int64TensorType,
    StringTensorType,
    guess_proto_type,
)
from skl2onnx.common.utils_classifier import get_label_classes

from skmnist import (
    DeepEnsembleClassifier,
    Deskewer,
    ImageScaler,
    KerasCNNClassifier,
    KerasDNNClassifier,
    KerasImageClassifier,
    KerasMLPClassifier,
)
from skmnist._estimators import averaged
from skmnist._inference.graph import Graph

from ._steps import (
    Images,
    add_classifier,
    add_label,
    add_probabilities,
    add_transformer,
    output_of,
)

__all__ = ["register"]

# Earlier versions of Softmax, Squeeze and others take the same inputs for other things.
_OLDEST_OPSET = 13
# Where the type of a tensor of images with the channels first says so.
_CHANNELS_FIRST = ["DATA_BATCH", "DATA_CHANNEL", "DATA_FEATURE", "DATA_FEATURE"]

_OPTIONS = {
    "zipmap": [True, False, "columns"],
    "nocl": [True, False],
    "output_class_labels": [False, True],
}


def register():
    """Let skl2onnx convert transformers and classifiers of this package."""
    for step in (ImageScaler, Deskewer):
        update_registered_converter(
            step, f"Skmnist{step.__name__}", _transformer_shapes, _convert_transformer
        )
    for classifier in (
        KerasMLPClassifier,
        KerasDNNClassifier,
        KerasCNNClassifier,
        KerasImageClassifier,
        DeepEnsembleClassifier,
    ):
        options = _OPTIONS
        is_ensemble = classifier is DeepEnsembleClassifier
        if hasattr(classifier, "decision_function") and not is_ensemble:
            options = {**_OPTIONS, "raw_scores": [True, False]}
        update_registered_converter(
            classifier,
            f"Skmnist{classifier.__name__}",
            _classifier_shapes,
            _convert_classifier,
            options=options,
        )


def _transformer_shapes(operator):
    images = output_of(operator.raw_operator)
    # Float, or double after doubles: the converters of the next steps count on that.
    kind = operator.outputs[0].type
    kind.shape = [_n_samples(operator), *images.shape]
    if images.channels_first:
        kind.channel_denotations = _CHANNELS_FIRST


def _convert_transformer(scope, operator, container):
    graph = Graph()
    tensor, images = _joined_inputs(graph, operator)
    tensor, _ = add_transformer(graph, tensor, images, operator.raw_operator)
    kind = guess_proto_type(operator.outputs[0].type)
    if kind != TensorProto.FLOAT:
        tensor = graph.add("Cast", tensor, to=kind)
    _insert(graph, [tensor], scope, operator, container)


def _classifier_shapes(operator):
    classes = get_label_classes(operator.scope_inst, operator.raw_operator)
    is_text = _is_text(classes)
    label, probabilities = operator.outputs
    n = _n_samples(operator)
    label.set_type((StringTensorType if is_text else Int64TensorType)([n]))
    probabilities.type.shape = [n, len(classes)]


def _convert_classifier(scope, operator, container):
    classifier = operator.raw_operator
    classes = get_label_classes(scope, classifier)
    if not _is_text(classes):
        # As skl2onnx writes them. Classes that are floats are whole.
        classes = classes.astype(np.int64)
    graph = Graph()
    tensor, images = _joined_inputs(graph, operator)
    networks = averaged(classifier)
    if foreign := [each for each in networks if not hasattr(each, "_network")]:
        raise TypeError(
            "Only a DeepEnsembleClassifier of networks of this package can be "
            f"converted; got one of {type(foreign[0]).__name__}."
        )
    every = [add_classifier(graph, tensor, images, network) for network in networks]
    logits = every[0]
    best = logits if len(every) == 1 else add_probabilities(graph, every)
    label, _ = add_label(graph, best, classes)
    kind = guess_proto_type(operator.outputs[1].type)
    has_scores = container.has_options(classifier, "raw_scores")
    if has_scores and container.get_options(classifier).get("raw_scores"):
        scores = graph.add("Cast", _scores(graph, logits, len(classes)), to=kind)
    else:
        scores = add_probabilities(graph, every, kind)
    _insert(graph, [label, scores], scope, operator, container)


def _scores(graph, logits, n_classes):
    """Add the decision function, of two classes with both signs as in skl2onnx."""
    if n_classes > 2:
        return logits
    differences = np.array([[1, -1], [-1, 1]], np.float32)
    return graph.add("MatMul", logits, graph.constant(differences))


def _is_text(classes):
    return classes.dtype.kind in "OUS"


def _n_samples(operator):
    return operator.inputs[0].get_first_dimension()


def _joined_inputs(graph, operator):
    """Return the input of a step; the columns of a data frame come one by one."""
    tensors = _input_names(operator)
    types = [variable.type for variable in operator.inputs]
    kinds = [guess_proto_type(kind) for kind in types]
    if TensorProto.STRING in kinds:
        name = operator.inputs[kinds.index(TensorProto.STRING)].full_name
        raise TypeError(f"The input {name!r} holds strings, not pixels.")
    if len(tensors) > 1:
        tensors = [graph.add("Cast", t, to=TensorProto.DOUBLE) for t in tensors]
        joined = graph.add("Concat", *tensors, axis=1)
        return joined, Images(_n_columns(operator), TensorProto.DOUBLE)
    shape = tuple(types[0].shape[1:])
    if not all(isinstance(size, int) and size for size in shape) or not shape:
        shape = _n_columns(operator)  # after a converter that does not say it
    return tensors[0], Images(shape, kinds[0], _channels_first(types[0], shape))


def _input_names(operator):
    """Return names that no tensor of a graph has."""
    return [f"input:{place}" for place in range(len(operator.inputs))]


def _n_columns(operator):
    return (operator.raw_operator.n_features_in_,)


def _channels_first(kind, shape):
    """Return whether a type says that the channels come first; None if it does not."""
    if len(shape) != 3:
        return None
    return kind.channel_denotations == _CHANNELS_FIRST or None


def _insert(graph, outputs, scope, operator, container):
    """Move a graph into that of skl2onnx, under names that are free there."""
    _check_opset(graph, operator, container)
    variables = [*operator.inputs, *operator.outputs]
    tensors = [*_input_names(operator), *outputs]
    names = {
        tensor: variable.full_name
        for tensor, variable in zip(tensors, variables, strict=True)
    }
    prefix = type(operator.raw_operator).__name__

    def name(tensor):
        if tensor not in names:
            names[tensor] = scope.get_unique_variable_name(f"{prefix}_{tensor}")
        return names[tensor]

    for tensor in graph.constants:
        if tensor.data_type == TensorProto.STRING:
            content = list(tensor.string_data)
        else:
            content = tensor
        shape = list(tensor.dims)
        container.add_initializer(name(tensor.name), tensor.data_type, shape, content)
    for node in graph.nodes:
        container.add_node(
            node.op_type,
            [name(tensor) for tensor in node.input],
            [name(tensor) for tensor in node.output],
            name=scope.get_unique_operator_name(f"{prefix}_{node.op_type}"),
            **{a.name: helper.get_attribute_value(a) for a in node.attribute},
        )


def _check_opset(graph, operator, container):
    """Refuse an opset that lacks an operation, or an input or attribute of one."""
    opset = container.target_opset_onnx
    needed = next(
        opset
        for opset in range(_OLDEST_OPSET, defs.onnx_opset_version() + 1)
        if all(_is_known(node, opset) for node in graph.nodes)
    )
    if opset < needed:
        raise ValueError(
            f"{type(operator.raw_operator).__name__} needs target_opset={needed} or "
            f"later; got {opset}."
        )


def _is_known(node, opset):
    try:
        schema = defs.get_schema(node.op_type, opset)
    except defs.SchemaError:
        return False
    names = {attribute.name for attribute in node.attribute}
    return len(node.input) <= schema.max_input and names <= {*schema.attributes}
