"""Safetensors files that are damaged or forged: refused, within bounds of memory."""

import copy
import json
import pickle
import random
import tracemalloc

import numpy as np
import pytest
from made_up import checksum, forged, parts, tiny_cnn, tiny_mlp, with_header

from skmnist.persistence import ModelFileError, load_model, save_model

MODELS = {"mlp": tiny_mlp, "cnn": tiny_cnn}
X = {
    "mlp": np.random.default_rng(0).random((3, 16), dtype=np.float32),
    "cnn": np.random.default_rng(0).random((3, 8, 8), dtype=np.float32),
}
N_MUTATIONS = 1500  # of each kind of network


@pytest.fixture(scope="module", params=MODELS)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def content(kind, tmp_path_factory):
    path = tmp_path_factory.mktemp("made") / "model.safetensors"
    model = MODELS[kind](list("abcdefghij"))
    model._training.is_kept = True
    model._training.optimizer_variables = [np.array(7), np.float32(0.5)]
    return save_model(
        model, path, metadata={"words": "and numbers", "n": 3}
    ).read_bytes()


def flip_bits(content, draw):
    content = bytearray(content)
    for _ in range(draw.choice([1, 1, 2, 8])):
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    return bytes(content)


def cut(content, draw):
    return content[: draw.randrange(len(content))]


def lengthen(content, draw):
    return content + draw.choice([b"\0", b"\n", draw.randbytes(9), content])


def leave_out(content, draw):
    place = draw.randrange(len(content))
    return content[:place] + content[place + draw.choice([1, 2, 8]) :]


def put_in(content, draw):
    place = draw.randrange(len(content))
    return content[:place] + draw.randbytes(draw.choice([1, 4])) + content[place:]


def blank(content, draw):
    place, size = draw.randrange(len(content)), draw.choice([4, 64, 512])
    return content[:place] + bytes(size) + content[place + size :]


def another_length(content, draw):
    length = draw.choice([0, 1, 8, 2**31, 2**63, 2**64 - 1, draw.randrange(4000)])
    return length.to_bytes(8, "little") + content[8:]


def another_header(content, draw):
    """Change a number or a letter of the header, and leave it JSON."""
    length = int.from_bytes(content[:8], "little")
    header = bytearray(content[8 : 8 + length])
    places = [i for i, byte in enumerate(header) if chr(byte).isalnum()]
    for place in draw.sample(places, draw.choice([1, 2])):
        letters = b"0123456789" if chr(header[place]).isdigit() else b"aFIUx"
        header[place] = draw.choice(letters)
    return with_header(bytes(header), content[8 + length :])


MUTATIONS = [
    flip_bits,
    flip_bits,
    cut,
    lengthen,
    leave_out,
    put_in,
    blank,
    another_length,
    another_header,
]


def test_mutated_files_are_refused_or_give_the_same(kind, content, tmp_path):
    path = tmp_path / "model.safetensors"
    draw = random.Random(0)
    expected = MODELS[kind]().predict_proba(X[kind])
    n_loaded, messages = 0, []
    load_model(_written(path, content))  # what is imported then is not counted
    tracemalloc.start()
    try:
        for turn in range(N_MUTATIONS):
            mutate = MUTATIONS[turn % len(MUTATIONS)]
            mutated = mutate(content, draw)
            tracemalloc.reset_peak()
            before, _ = tracemalloc.get_traced_memory()
            try:
                model = load_model(_written(path, mutated))
            except ModelFileError as error:
                messages.append(str(error))
            else:
                n_loaded += 1
                assert np.array_equal(model.predict_proba(X[kind]), expected), turn
            _, peak = tracemalloc.get_traced_memory()
            assert peak - before < 20 * len(mutated) + 200_000, (turn, mutate.__name__)
    finally:
        tracemalloc.stop()
    assert n_loaded < N_MUTATIONS / 50
    assert all(str(path) in message for message in messages)
    assert max(map(len, messages)) < 700


def _written(path, content):
    path.write_bytes(content)
    return path


def test_a_bit_flipped_in_weights_or_description_is_always_noticed(content, tmp_path):
    draw = random.Random(1)
    length = int.from_bytes(content[:8], "little")
    data = range(8 * (8 + length), 8 * len(content))
    text = range(8 * (content.index(b"schema") + 10), 8 * content.index(b'"weights/'))
    for place in [*draw.sample(data, 150), *draw.sample(text, 150)]:
        flipped = bytearray(content)
        flipped[place // 8] ^= 1 << place % 8
        with pytest.raises(ModelFileError):
            load_model(_written(tmp_path / "m.safetensors", flipped))


NASTY = [
    *(None, True, False, -1, 0, 1, 2, 3, 10, 2**31, 2**63 - 1, -(2**63), 0.5, -0.0),
    *(1e308, "", "x", "os.system", "__class__", "../../x", "é" * 300, [], {}, [[]]),
    *([0], [1, 2], [10**9] * 3, {"float": "nan"}, {"float": "inf"}, {"tuple": []}),
    *({"tuple": [2, 2]}, {"dict": [[1, 2]]}, {"dict": [[[], 2]]}, {"tuple": 3}),
    *({"class": "ImageScaler"}, {"class_name": "system", "module": "os"}),
]


def nodes(value, path=()):
    """Yield the path of every value inside of a description."""
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield (*path, key)
            yield from nodes(value[key], (*path, key))


@pytest.mark.filterwarnings("ignore:X holds")
def test_forged_descriptions_are_refused_or_those_of_a_model(kind, content, tmp_path):
    """With a right checksum: everything else is checked as well."""
    path = tmp_path / "model.safetensors"
    description, tensors = parts(content)
    places = list(nodes(description["model"]))
    draw = random.Random(2)
    messages = []
    for turn in range(2000):
        changed = copy.deepcopy(description)
        *above, last = places[turn % len(places)]
        parent = changed["model"]
        for key in above:
            parent = parent[key]
        if draw.random() < 0.1:
            del parent[last]
        elif draw.random() < 0.1 and isinstance(parent, dict):
            parent[draw.choice(["__class__", "x", "memory"])] = parent.pop(last)
        else:
            parent[last] = copy.deepcopy(draw.choice(NASTY))
        try:
            model = load_model(_written(path, forged(changed, tensors)))
        except ModelFileError as error:
            messages.append(str(error))
            continue
        # What is loaded can be used and written again.
        model.get_params()
        assert model.predict_proba(X[kind]).shape == (3, 10)
        save_model(model, path)
    assert len(messages) > 1000
    assert max(map(len, messages)) < 700


def described(content, **changes):
    """Return the description of a file with values changed by path: a__b=value."""
    description, tensors = parts(content)
    for path, value in changes.items():
        *above, last = path.split("__")
        parent = description
        for key in above:
            parent = parent[key]
        parent[last] = value
    return description, tensors


def changed(**changes):
    return lambda content: forged(*described(content, **changes))


def parameter(name, value):
    def make(content):
        description, tensors = parts(content)
        description["model"]["parameters"][name] = value
        return forged(description, tensors)

    return make


def network(**parameters):
    def make(content):
        description, tensors = parts(content)
        description["model"]["network"]["parameters"] |= parameters
        return forged(description, tensors)

    return make


def without(*path):
    def make(content):
        description, tensors = parts(content)
        parent = description
        for key in path[:-1]:
            parent = parent[key]
        del parent[path[-1]]
        return forged(description, tensors)

    return make


def header(change):
    """Change the text of a header that is otherwise right."""

    def make(content):
        length = int.from_bytes(content[:8], "little")
        text = content[8 : 8 + length].decode()
        new = change(text)
        assert new != text
        new = new if isinstance(new, bytes) else new.encode()
        return with_header(new, content[8 + length :])

    return make


def tensor(name, *, dtype=None, shape=None, data=None):
    def make(content):
        description, tensors = parts(content)
        old = tensors.get(name, ["F32", [1], bytes(4)])
        new = zip(old, (dtype, shape, data), strict=True)
        tensors[name] = [was if now is None else now for was, now in new]
        return forged(description, tensors)

    return make


def without_tensor(name):
    def make(content):
        description, tensors = parts(content)
        del tensors[name]
        return forged(description, tensors)

    return make


def raw_text(change):
    """Change the text of the description, and give it the right checksum."""

    def make(content):
        description, tensors = parts(content)
        text = change(json.dumps(description))
        wrong = description["sha256"]
        try:
            return forged(text.replace(wrong, checksum(text, tensors)), tensors)
        except ValueError:  # no JSON that has a checksum
            return forged(text, tensors)

    return make


def twice(key):
    return lambda text: text.replace(f'"{key}":', f'"{key}": 1, "{key}":', 1)


FOREIGN = {"module": "os", "class_name": "system", "config": {"command": "true"}}
SGD = {"module": "keras.optimizers", "class_name": "SGD", "config": {}}
SGD_OF_FOREIGN = SGD | {"config": {"learning_rate": FOREIGN}}
FIRST_BYTES = {"data_offsets": [0, 4]}
DEEP = "[" * 100_000
NAN = np.float32(np.nan).tobytes()

MALICIOUS = {
    # The file
    "empty": (lambda _: b"", "it is empty"),
    "no header": (lambda _: bytes(8), "its header cannot be read"),
    "header of 2^63 bytes": (
        lambda c: (2**63).to_bytes(8, "little") + c[8:],
        "said to take 9,223,372,036,854,775,808 bytes",
    ),
    "header longer than the file": (
        lambda c: len(c).to_bytes(8, "little") + c[8:],
        "said to take .* the file has",
    ),
    "header of many megabytes": (
        lambda _: with_header(b"{" + b" " * (1 << 24) + b"}"),
        "headers of models at most",
    ),
    "no UTF-8": (header(lambda t: t.encode().replace(b"mlp", b"m\xffp")), "utf-8"),
    "no JSON": (header(lambda t: t[:-9]), "its header cannot be read"),
    "nested header": (
        lambda _: with_header('{"a":' + DEEP),
        "nested more than 32 levels deep",
    ),
    "brackets that close": (
        lambda _: with_header("]" * 1000 + "["),
        "bracket too many",
    ),
    "a million keys": (
        lambda _: with_header(
            "{" + ",".join(f'"{i}":0' for i in range(1_000_000)) + "}"
        ),
        "more than 500,000 entries",
    ),
    "a million lists": (
        lambda _: with_header("[" + "[]," * 1_000_000 + "0]"),
        "more than 500,000 entries",
    ),
    "a quadratic string": (lambda _: with_header('"' + '\\"' * 2_000_000), "read"),
    "a number of many digits": (
        header(lambda t: t.replace("[16,3]", "[" + "9" * 100_000 + "]")),
        "more than 64 bits",
    ),
    "an infinite number": (
        header(lambda t: t.replace("[16,3]", "[1e999]")),
        "too large",
    ),
    "other metadata": (
        header(lambda t: t.replace('"skmnist":', '"other":')),
        "without the description of a model of skmnist",
    ),
    "metadata that are numbers": (
        lambda _: with_header('{"__metadata__":{"skmnist":1}}'),
        "without the description",
    ),
    # Tensors
    "negative offset": (header(lambda t: t.replace('s":[0,', 's":[-8,')), "damaged"),
    "offset beyond the file": (
        header(lambda t: t.replace('s":[0,', 's":[4096,')),
        "damaged",
    ),
    "overlapping tensors": (
        lambda c: with_header(
            json.dumps(
                {"__metadata__": {"skmnist": json.dumps(parts(c)[0])}}
                | {n: {"dtype": "U8", "shape": [4], **FIRST_BYTES} for n in "ab"}
            ),
            b"1234",
        ),
        "damaged: .*offset",
    ),
    "a tensor twice": (
        header(lambda t: t.replace('"weights/0":', '"weights/1":')),
        "the key 'weights/1' is there twice",
    ),
    "shape that does not multiply": (
        header(lambda t: t.replace("[16,3]", "[16,4]")),
        "damaged",
    ),
    "shape that overflows": (
        header(lambda t: t.replace("[16,3]", f"[{2**62},{2**62}]")),
        "damaged: .*overflow",
    ),
    "negative shape": (header(lambda t: t.replace("[16,3]", "[-16,-3]")), "damaged"),
    "a hundred axes": (
        tensor("weights/0", shape=[16, 3] + [1] * 98),
        "dimension",
    ),
    "weights of another shape": (
        tensor("weights/0", shape=[3, 16]),
        r"weights/0 is float32 \(3, 16\); its layer calls for float32 \(16, 3\)",
    ),
    "weights of another type": (
        tensor("weights/0", dtype="I32"),
        "weights/0 is int32 .* calls for float32",
    ),
    "weights in half precision": (
        tensor("weights/1", dtype="F16", data=bytes(6)),
        "weights/1 is float16",
    ),
    "a type that NumPy lacks": (
        tensor("weights/1", dtype="BF16", data=bytes(6)),
        "a tensor of the type 'BF16'",
    ),
    "a type that nobody knows": (tensor("weights/1", dtype="object"), "damaged"),
    "weights that are not finite": (
        tensor("weights/1", data=NAN * 3),
        "the tensor weights/1 is not finite",
    ),
    "an extra tensor": (tensor("weights/10"), "5 tensors of weights, .* call for 4"),
    "an unused tensor": (tensor("more"), "the tensor 'more', which the model does not"),
    "a missing tensor": (without_tensor("weights/3"), "3 tensors of weights"),
    "a pickle as a tensor": (
        tensor(
            "pickle", dtype="U8", shape=[46], data=pickle.dumps(np.array([None]))[:46]
        ),
        "the tensor 'pickle'",
    ),
    # The description
    "a description of brackets": (lambda c: forged(DEEP, {}), "nested more than"),
    "a description of words": (lambda c: forged("words", {}), "cannot be read"),
    "NaN": (
        raw_text(lambda t: t.replace('"l1": 0.0', '"l1": NaN', 1)),
        "NaN is not a JSON number",
    ),
    "Infinity": (
        raw_text(lambda t: t.replace('"l1": 0.0', '"l1": -Infinity', 1)),
        "-Infinity is not a JSON number",
    ),
    "a key twice": (raw_text(twice("units")), "the key 'units' is there twice"),
    "two checksums": (raw_text(twice("sha256")), "'sha256' is there twice"),
    "no checksum": (
        lambda c: forged(
            json.dumps({"schema": "skmnist model", "schema_version": 1}), {}
        ),
        "lacks 'skmnist_version', 'sha256'",
    ),
    "a short checksum": (
        lambda c: forged(json.dumps(parts(c)[0] | {"sha256": ""}), parts(c)[1]),
        "sha256 must be 64 digits",
    ),
    "another checksum": (
        lambda c: forged(json.dumps(parts(c)[0] | {"sha256": "f" * 64}), parts(c)[1]),
        "does not agree with its checksum",
    ),
    "another schema": (changed(schema="pickle"), "another schema than 'skmnist model'"),
    "a newer version": (
        changed(schema_version=2, skmnist_version="9.9"),
        "version 2 of the schema.* up to 1.* skmnist '9.9': upgrade",
    ),
    "version 0": (changed(schema_version=0.5), "schema_version must be"),
    "an unknown key": (changed(more=1), "has the key 'more', which this version"),
    "no model": (without("model"), "lacks 'model'"),
    "no weights' network": (without("model", "network"), "model lacks 'network'"),
    "no labels": (without("model", "fitted", "classes_"), "lacks 'classes_'"),
    "metadata that are a list": (changed(metadata=[1]), "metadata must be an object"),
    "a foreign class": (changed(model__class="os.system"), "must be one of Keras.*os"),
    "a class of scikit-learn": (
        changed(model__class="LogisticRegression"),
        "model.class must be one of",
    ),
    "a class that is no name": (changed(model__class=["Pipeline"]), "name of a class"),
    "a transformer as the model": (
        changed(model__class="ImageScaler"),
        "model.class must be one of Keras",
    ),
    "a pipeline of nothing": (
        changed(model={"class": "Pipeline", "parameters": {}, "steps": []}),
        "model.steps must be",
    ),
    "a pipeline that ends in a scaler": (
        changed(
            model={
                "class": "Pipeline",
                "parameters": {},
                "steps": [["clf", {"class": "ImageScaler"}]],
            }
        ),
        r"model.steps\[0\].class must be one of Keras",
    ),
    "a foreign builder": (
        changed(model__network__builder="eval"),
        "network.builder must be one of build_mlp, build_cnn; got 'eval'",
    ),
    "a builder of another class": (
        changed(model__class="KerasCNNClassifier", model__parameters={}),
        "the network of another class",
    ),
    "a dunder as a parameter": (
        parameter("__class__", "x"),
        "parameters has the key '__class__', which this version",
    ),
    "an attribute as a parameter": (parameter("predict", "x"), "has the key 'predict'"),
    "a wrong parameter": (parameter("epochs", -1), "'epochs' parameter"),
    "a bomb of a string": (parameter("activation", "x" * (1 << 22)), "a plain name"),
    "a name that Keras may look up": (
        parameter("kernel_initializer", "package>thing"),
        "kernel_initializer must be a plain name",
    ),
    "a foreign optimizer": (parameter("optimizer", FOREIGN), "an optimizer of Keras"),
    "a foreign part of an optimizer": (
        parameter("optimizer", SGD_OF_FOREIGN),
        "an optimizer of Keras",
    ),
    "a foreign optimizer of the fit": (
        changed(model__training__optimizer__description=SGD_OF_FOREIGN),
        "optimizer.description must be that of an optimizer of Keras",
    ),
    "enormous units": (network(units=2**62), r"calls for float32 \(16, 4611686"),
    "many layers": (
        network(units={"tuple": [3] * 400_000}),
        "has 400,000 values, for more layers than",
    ),
    "units that are a bool": (network(units=True), "calls for float32 .16, 1."),
    "units below 0": (network(units=-3), "units must be a whole number from 1"),
    "a foreign activation": (network(activation="eval"), "name of an activation"),
    "an initializer with code": (network(kernel_initializer=FOREIGN), "a plain name"),
    "an argument that nobody takes": (network(custom_objects={}), "the key 'custom_o"),
    "a type with other weights": (network(dtype="float64"), "calls for float64"),
    "another policy": (network(dtype=FOREIGN), "dtype must be one of"),
    "enormous images": (
        changed(
            model__network__input_shape=[2**62], model__fitted__n_features_in_=2**62
        ),
        "calls for|n_features_in_ must be",
    ),
    "images of another size": (
        changed(model__fitted__n_features_in_=17),
        r"n_features_in_ is 17, and the network takes \(16,\)",
    ),
    "too few names": (changed(model__fitted__feature_names_in_=["a"]), "list of 16"),
    "a bomb of labels": (
        changed(
            model__fitted__classes_={
                "dtype": f"<U{10**8}",
                "labels": [*"abcdefghij"],
            }
        ),
        "must not take more than",
    ),
    "labels out of order": (
        changed(model__fitted__classes_={"dtype": "object", "labels": [*"jihgfedcba"]}),
        "must be sorted",
    ),
    "labels of objects": (
        changed(model__fitted__classes_={"dtype": "O", "labels": [*"abcdefghij"]}),
        "dtype must be 'object' or",
    ),
    "labels that are objects": (
        changed(model__fitted__classes_={"dtype": "object", "labels": [{}] * 10}),
        "null or a list of strings",
    ),
    "too few labels": (
        changed(model__fitted__classes_={"dtype": "<U1", "labels": ["a", "b"]}),
        "has 2 labels, and the network 10 classes",
    ),
    "a path as the name of the fit": (
        changed(model__fitted__fit_id_="../../etc"),
        "fit_id_ must be null or a name",
    ),
    "arrays of a billion": (
        changed(model__training__n_random_states=10**9),
        "the tensor random_states/1 is missing",
    ),
    "a tuple of nothing": (parameter("units", {"tuple": 3}), "'tuple' cannot hold"),
    "a key that cannot be one": (
        parameter("class_weight", {"dict": [[[1], 2]]}),
        "a key of 'dict'",
    ),
}


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    path = tmp_path_factory.mktemp("plain") / "model.safetensors"
    return save_model(tiny_mlp(list("abcdefghij")), path).read_bytes()


@pytest.mark.parametrize("attack", MALICIOUS)
def test_malicious_files_are_refused_with_the_reason(attack, plain, tmp_path):
    make, words = MALICIOUS[attack]
    path = tmp_path / "model.safetensors"
    content = make(plain)
    path.write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(
            ModelFileError, match=rf"(?s)model\.safetensors.*{words}"
        ) as e:
            load_model(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 12 * len(content) + 2_000_000
    assert len(str(e.value)) < 700


def test_the_forger_of_these_tests_makes_right_files(plain, tmp_path):
    """Else it would not be the attacks that are refused."""
    path = tmp_path / "model.safetensors"
    for make in (changed(), network(), raw_text(str), tensor("weights/0")):
        model = load_model(_written(path, make(plain)))
        assert np.array_equal(
            model.predict_proba(X["mlp"]), tiny_mlp().predict_proba(X["mlp"])
        )
