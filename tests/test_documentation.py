"""That the documentation is whole and true: its code runs, its links lead somewhere."""

import ast
import configparser
import importlib
import inspect
import re
import runpy
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

from skmnist.pipelines import make_model, model_names, results_on_mnist

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [
    path
    for path in [*ROOT.glob("*.md"), *DOCS.rglob("*.md")]
    if not {"_build", "generated", "auto_examples"} & set(path.relative_to(ROOT).parts)
]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))

PYTHON = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"^(```+|:::+).*?^\1", re.MULTILINE | re.DOTALL)


def name(path):
    return path.relative_to(ROOT).as_posix()


def test_there_are_pages_and_examples():
    assert {"README.md", "docs/index.md", "docs/guide/training.md"} <= set(
        map(name, PAGES)
    )
    assert len(EXAMPLES) >= 12


# Blocks marked "py" and not "python" need a download, processes or a cluster.
@pytest.mark.parametrize(
    "page", [page for page in PAGES if "\n```python\n" in page.read_text()], ids=name
)
def test_code_of_a_page_runs_from_top_to_bottom(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = page.read_text(encoding="utf-8")
    namespace = {"__name__": "__page__"}
    try:
        for block in PYTHON.finditer(text):
            line = text[: block.start(1)].count("\n")
            source = "\n" * line + block[1]  # errors name the line of the page
            exec(compile(source, str(page), "exec"), namespace)
    finally:
        plt.close("all")  # of this process, in which other tests come later


def test_guide_names_the_callbacks_of_keras_that_the_fast_loop_refuses():
    pytest.importorskip("tensorflow")
    import keras

    from skmnist._training.memory_loop import MemoryLoop

    text = (DOCS / "guide" / "performance.md").read_text(encoding="utf-8")
    _, _, rest = text.partition("of Keras'\n  own ")
    named = set(re.findall(r"`([A-Z]\w+)`", rest.partition(";")[0]))
    inner = keras.Input((1,))
    model = keras.Model(inner, inner)
    refused = {
        name
        for name, kind in vars(keras.callbacks).items()
        if isinstance(kind, type)
        and issubclass(kind, keras.callbacks.Callback)
        and not MemoryLoop.suits([object.__new__(kind)], model)
    }
    assert named == refused - {"CallbackList"}  # which holds others


def test_the_recipe_of_the_guide_is_that_of_the_network():
    text = (DOCS / "guide" / "accuracy.md").read_text(encoding="utf-8")
    namespace = {}
    exec(PYTHON.search(text)[1], namespace)
    shown, named = namespace["model"], make_model("cnn_best")
    for ours, theirs in zip(shown, named, strict=True):
        assert repr(ours) == repr(theirs)


def test_tables_of_results_show_what_the_package_has():
    results = runpy.run_path(str(DOCS / "results.py"))
    models = results_on_mnist()["models"]
    assert set(models) <= set(model_names())
    brief = {name: models[name] for name in results["SELECTION"]}
    for page, shown in ("README.md", brief), ("docs/index.md", brief):
        text = (ROOT / page).read_text(encoding="utf-8")
        assert results["table"](shown, details=False) in text
    text = (DOCS / "results.md").read_text(encoding="utf-8")
    assert results["table"](models, details=True) in text


@pytest.mark.parametrize("page", ["README.md", "docs/install.md"])
def test_supported_python_versions_are_those_of_the_package(page):
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    versions = re.findall(r"Python :: (3\.\d+)", config["metadata"]["classifiers"])
    assert config["options"]["python_requires"] == f">={versions[0]}"
    text = (ROOT / page).read_text(encoding="utf-8")
    assert f"Python {versions[0]} to {versions[-1]}" in text


def anchors(page):
    """Anchors of the headings of a page, as repositories and MyST make them."""
    text = page.read_text(encoding="utf-8")
    if included := re.match(r"```{include} (\S+)", text):
        return anchors(page.parent / included[1])
    headings = re.findall(r"^#+ (.*)$", CODE.sub("", text), re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in headings
    }


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_between_pages_lead_somewhere(page):
    dead = []
    text = CODE.sub("", page.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        goal = (page.parent / path).resolve() if path else page
        if goal.parent.name == "auto_examples":  # made from the examples
            script = ROOT / "examples" / f"{goal.stem}.py"
            goal = script if goal.stem != "index" else script.parent
        if not goal.exists() or (anchor and anchor not in anchors(goal)):
            dead.append(target)
    assert dead == []


def test_guide_has_a_card_for_each_page():
    text = (DOCS / "guide" / "index.md").read_text(encoding="utf-8")
    cards = re.findall(r"{grid-item-card} (.*)\n:link: (\w+)\n", text)
    titles = {
        page.stem: page.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
        for page in (DOCS / "guide").glob("*.md")
    }
    del titles["index"]
    assert {page: title for title, page in cards} == titles
    contents = text.partition("```{toctree}")[2]
    assert re.findall(r"^(\w+)$", contents, re.MULTILINE) == [page for _, page in cards]


def test_api_pages_show_all_sections_of_a_docstring_and_examples_early():
    numpydoc = pytest.importorskip("numpydoc")

    def sections(folder):
        text = (folder / "numpydoc_docstring.rst").read_text(encoding="utf-8")
        return re.findall(r"{{(\w+)}}", text)

    theirs = sections(Path(numpydoc.__file__).parent / "templates")
    ours = sections(DOCS / "_templates")
    assert ours.index("examples") < ours.index("parameters")
    ours.remove("examples")
    theirs.remove("examples")
    assert ours == theirs


def documented_names():
    """Names in the API reference, with their modules."""
    module, names = None, set()
    for line in (DOCS / "api.md").read_text(encoding="utf-8").splitlines():
        if found := re.match(r"\.\. currentmodule:: (\S+)", line):
            module = found[1]
        elif found := re.match(r"(?:   |\.\. py:data:: )(\w+(?:\.\w+)*)$", line):
            names.add(f"{module}.{found[1]}")
    return names


def public_names():
    paths = [p for p in ROOT.glob("skmnist/[a-z]*") if p.suffix in ("", ".py")]
    for module in ["skmnist", *(f"skmnist.{path.stem}" for path in paths)]:
        for public in importlib.import_module(module).__all__:
            if public != "__version__":
                yield f"{module}.{public}"


def test_public_functions_have_annotations():
    # Builders show their signature in messages, which is to stay short.
    without = {"build_mlp", "build_cnn"}
    for public in public_names():
        module, _, name = public.rpartition(".")
        function = getattr(importlib.import_module(module), name)
        if inspect.isfunction(function) and name not in without:
            assert "return" in function.__annotations__, public


def test_api_reference_has_every_public_name_and_no_other():
    def resolve(dotted):
        parts = dotted.split(".")
        for cut in range(len(parts), 0, -1):
            try:
                found = importlib.import_module(".".join(parts[:cut]))
            except ModuleNotFoundError:
                continue
            for part in parts[cut:]:
                found = getattr(found, part)
            return found
        raise AssertionError(dotted)

    # A class counts once, wherever it may be imported from.
    documented = {id(resolve(dotted)): dotted for dotted in documented_names()}
    public = {id(resolve(dotted)): dotted for dotted in public_names()}
    assert {public[key] for key in public.keys() - documented.keys()} == set()
    assert {documented[key] for key in documented.keys() - public.keys()} == set()


@pytest.mark.parametrize("example", EXAMPLES, ids=name)
def test_examples_are_ready_for_the_gallery(example):
    source = example.read_text(encoding="utf-8")
    compile(source, str(example), "exec")
    title = ast.get_docstring(ast.parse(source)).splitlines()
    assert set(title[1]) == {"="}
    assert len(title[1]) == len(title[0])
    assert "plt.show()" in source  # the gallery shows a figure of each


def test_gallery_shows_all_examples_in_a_chosen_order():
    tree = ast.parse((DOCS / "gallery.py").read_text(encoding="utf-8"))
    order = next(
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and node.targets[0].id == "ORDER"
    )
    assert sorted(order) == [path.stem for path in EXAMPLES]
