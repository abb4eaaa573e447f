import xml.etree.ElementTree as ET
from itertools import pairwise

import keras
import numpy as np
import pytest
from keras import layers
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.naive_bayes import GaussianNB

from skmnist import KerasMLPClassifier
from skmnist.networks import build_cnn
from skmnist.plotting import LayerNode, NetworkDiagram

SVG = "{http://www.w3.org/2000/svg}"


def boxes(diagram):
    """Texts and rectangle (left, top, right, bottom) of each box of the drawing."""
    root = ET.fromstring(diagram.to_svg())
    found = {}
    for group in root.iter(f"{SVG}g"):
        x, y = map(float, group.get("transform")[10:-1].split())
        rect = group.find(f"{SVG}rect")
        width, height = float(rect.get("width")), float(rect.get("height"))
        left = x + float(rect.get("x"))
        texts = [text.text for text in group.iter(f"{SVG}text")]
        found[texts[0]] = texts, (left, y, left + width, y + height)
    return found


def names(diagram):
    return [(diagram.layers[a].name, diagram.layers[b].name) for a, b in diagram.edges]


def test_layers_with_shapes_and_parameters(cnn, left_alone):
    model = cnn[-1].model_
    with left_alone(model):
        diagram = NetworkDiagram.from_estimator(cnn)
        drawn = boxes(diagram)
    assert NetworkDiagram.from_estimator(FrozenEstimator(cnn)) == diagram
    assert diagram.layers[2] == LayerNode(
        "pooling_1", "MaxPooling2D", "2×2", (3, 3, 3), 0, "pooling"
    )
    assert list(drawn) == [layer.name for layer in model.layers]
    assert [texts for texts, _ in drawn.values()][:4] == [
        ["pixels", "8×8×1", "InputLayer"],
        [
            "convolution_1",
            "6×6×3",
            "Conv2D, 3 filters of 3×3",
            "30 parameters",
        ],
        ["pooling_1", "3×3×3", "MaxPooling2D, 2×2"],
        ["activation_1", "3×3×3", "Activation, relu"],
    ]
    for layer in model.layers:
        count = layer.count_params()
        assert (f"{count:,} parameters" in drawn[layer.name][0]) == (count > 0)
    assert f"{cnn[-1].n_parameters_:,} parameters" in diagram.to_svg()


def test_published_size_of_a_named_network():
    diagram = NetworkDiagram.from_estimator(build_cnn((28, 28, 1), 10))
    assert diagram.n_parameters == 1_199_882
    assert sum(layer.n_parameters for layer in diagram.layers) == 1_199_882


def test_layers_of_a_chain_stand_below_each_other_joined_by_arrows(cnn):
    diagram = NetworkDiagram.from_estimator(cnn)
    rectangles = [rectangle for _, rectangle in boxes(diagram).values()]
    for (left, _, _, bottom), (next_left, top, _, _) in pairwise(rectangles):
        assert left == next_left
        assert bottom < top
    n = len(diagram.layers)
    assert diagram.edges == tuple((i, i + 1) for i in range(n - 1))
    assert diagram.to_svg().count("<path") == 2 * (n - 1)  # a line and its head


def test_sequential_model_begins_with_its_input():
    model = keras.Sequential([keras.Input((4, 3)), layers.Flatten(), layers.Dense(2)])
    diagram = NetworkDiagram.from_estimator(model)
    assert [layer.kind for layer in diagram.layers] == [
        "InputLayer",
        "Flatten",
        "Dense",
    ]
    shapes = [layer.output_shape for layer in diagram.layers]
    assert shapes == [(4, 3), (12,), (2,)]


def branching():
    pixels = keras.Input((8, 8, 1), name="pixels")
    left = layers.Conv2D(4, 3, padding="same", name="left")(pixels)
    left = layers.Conv2D(4, 3, padding="same", name="left_2")(left)
    right = layers.Conv2D(4, 1, name="right")(pixels)
    summed = layers.Add(name="sum")([left, right])
    scaled = keras.ops.multiply(summed, 0.5)
    pooled = layers.GlobalAveragePooling2D(name="pooled")(scaled)
    return keras.Model(pixels, layers.Dense(3, name="scores")(pooled), name="twin")


def test_branches_and_operations_between_layers(left_alone):
    model = branching()
    with left_alone(model):
        diagram = NetworkDiagram.from_estimator(model)
    assert set(names(diagram)) == {
        ("pixels", "left"),
        ("left", "left_2"),
        ("pixels", "right"),
        ("left_2", "sum"),
        ("right", "sum"),
        ("sum", "multiply"),
        ("multiply", "pooled"),
        ("pooled", "scores"),
    }
    drawn = boxes(diagram)
    for above, below in names(diagram):
        assert drawn[above][1][3] < drawn[below][1][1]


def test_boxes_never_overlap_and_stay_inside():
    pixels = keras.Input((4,), name="pixels")
    first = [layers.Dense(2, name=f"first_{i}")(pixels) for i in range(4)]
    second = [
        layers.Concatenate(name=f"second_{i}")(first[i : i + 2]) for i in range(3)
    ]
    model = keras.Model(pixels, layers.Concatenate(name="all")([pixels, *second]))
    diagram = NetworkDiagram.from_estimator(model)
    root = ET.fromstring(diagram.to_svg())
    rectangles = [rectangle for _, rectangle in boxes(diagram).values()]
    for i, (left, top, right, bottom) in enumerate(rectangles):
        assert left >= 0
        assert top >= 0
        assert right <= float(root.get("width"))
        assert bottom <= float(root.get("height"))
        for other in rectangles[:i]:
            apart = right <= other[0] or other[2] <= left
            assert apart or bottom <= other[1] or other[3] <= top


def test_an_edge_past_other_rows_goes_beside_their_boxes():
    pixels = keras.Input((4,), name="pixels")
    hidden = layers.Dense(4, name="hidden")(pixels)
    hidden = layers.Dense(4, name="hidden_2")(hidden)
    model = keras.Model(pixels, layers.Add(name="sum")([pixels, hidden]))
    diagram = NetworkDiagram.from_estimator(model)
    drawn = boxes(diagram)
    lines = [
        path.get("d")
        for path in ET.fromstring(diagram.to_svg()).iter(f"{SVG}path")
        if path.get("stroke")
    ]
    # To the lane, down the lane, and back to the box.
    (past,) = [line for line in lines if "V" in line and line.count("C") == 2]
    lane = float(past.split("C")[1].split("V")[0].split()[-2])
    for name in ("hidden", "hidden_2"):
        left, _, right, _ = drawn[name][1]
        assert lane < left or lane > right


def test_shared_layers_count_once():
    pixels = keras.Input((4,), name="pixels")
    shared = layers.Dense(4, name="shared")
    model = keras.Model(pixels, shared(shared(pixels)))
    diagram = NetworkDiagram.from_estimator(model)
    assert names(diagram) == [("pixels", "shared")]
    assert diagram.layers[1].details == "called 2 times"
    assert diagram.n_parameters == 20


def test_several_inputs_and_outputs_and_a_model_inside():
    one, two = keras.Input((4,), name="one"), keras.Input((None, 4), name="two")
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(3)], name="inner")
    pooled = layers.GlobalMaxPooling1D(name="pooled")(two)
    model = keras.Model([one, two], [inner(one), layers.Add(name="sum")([one, pooled])])
    diagram = NetworkDiagram.from_estimator(model)
    assert set(names(diagram)) == {
        ("one", "inner"),
        ("two", "pooled"),
        ("one", "sum"),
        ("pooled", "sum"),
    }
    by_name = {layer.name: layer for layer in diagram.layers}
    assert by_name["inner"].n_parameters == 15
    assert by_name["two"].shape_text == "?×4"


def test_names_with_signs_of_markup_stay_text():
    name = 'a & "b" <c>'
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1, name=name)])
    diagram = NetworkDiagram.from_estimator(model)
    assert name in boxes(diagram)
    label = ET.fromstring(diagram.to_svg()).get("aria-label")
    assert name in label


def test_notebooks_and_files_get_the_same_drawing(tmp_path, mlp):
    diagram = NetworkDiagram.from_estimator(mlp)
    path = tmp_path / "network.svg"
    diagram.save(path)
    assert path.read_text(encoding="utf-8") == diagram.to_svg()
    assert diagram._repr_svg_() == diagram.to_svg()
    for name in ("network.png", "network"):
        with pytest.raises(ValueError, match=f"'.svg'; got '{name}'"):
            diagram.save(tmp_path / name)
    assert list(tmp_path.iterdir()) == [path]
    assert "http" not in diagram.to_svg().replace('"http://www.w3.org/2000/svg"', "")


def test_the_same_network_gives_the_same_drawing(digits, mlp):
    before = mlp.predict_proba(digits[0])
    first, second = (NetworkDiagram.from_estimator(mlp).to_svg() for _ in range(2))
    assert first == second
    np.testing.assert_array_equal(mlp.predict_proba(digits[0]), before)


def test_refuses_what_is_no_fitted_network(digits):
    with pytest.raises(NotFittedError):
        NetworkDiagram.from_estimator(KerasMLPClassifier())
    with pytest.raises(TypeError, match="GaussianNB"):
        NetworkDiagram.from_estimator(GaussianNB().fit(*digits))
    with pytest.raises(TypeError, match="not been built"):
        NetworkDiagram.from_estimator(keras.Sequential([layers.Dense(1)]))
