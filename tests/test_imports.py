"""What is imported when, and that modules import downward only."""

import ast
import json
import re
import subprocess
import sys
from importlib import import_module
from inspect import isclass
from pathlib import Path
from types import FunctionType

import pytest

import skmnist

ROOT = Path(skmnist.__file__).parent

# From the bottom to the top. A module imports only what stands before it, or
# beside it in the same folder.
ORDER = [
    "_numbers",
    "_suggestions",
    "_interrupts",
    "_processes",
    "_loading",
    "_habits",
    "_warnings",
    "_provenance",
    "_fit_tasks",
    "_confidence",
    "_estimators",
    "datasets",
    "_fingerprints",
    "_kept_fits",
    "preprocessing",
    "networks",
    "published",
    "_training",
    "_inference",
    "_trained_network",
    "classifiers",
    "baselines",
    "pipelines",
    "_configuration",
    "evaluation",
    "plotting",
    "persistence",
    "export",
    "demo",
    "reproduction",
    "report",
    "cli",
    "__main__",
]


MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts): path
    for path in sorted(ROOT.rglob("*.py"))
    if path != ROOT / "__init__.py"
}


def imported_names(path):
    """Yield every module that a file imports, at its top or inside a function."""
    package = path.relative_to(ROOT.parent).parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*start, *filter(None, [node.module])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def own_imports(module):
    """Yield the modules of this package that a module imports."""
    for name in imported_names(MODULES[module]):
        inner = name.split(".")[1:] if name.startswith("skmnist.") else []
        while inner:
            found = {".".join(inner), ".".join([*inner, "__init__"])} & set(MODULES)
            if found:
                yield from found - {module}
                break
            inner.pop()  # the last part is a function or a class


def documented_packages():
    """List the packages of this package that have a section of the API reference."""
    text = (ROOT.parent / "docs" / "api.md").read_text(encoding="utf-8")
    return sorted(
        set(re.findall(r"^\.\. (?:auto|current)module:: skmnist\.(\w+)", text, re.M))
    )


def place(module):
    return ORDER.index(module.split(".")[0])


@pytest.mark.parametrize("module", MODULES)
def test_imports_run_downward(module):
    own = module.split(".")[0]
    assert own in ORDER, f"{own} has no place in the order of modules"
    above = {
        name
        for name in own_imports(module)
        if name.split(".")[0] != own and place(name) > place(module)
    }
    assert not above


def test_modules_of_a_folder_do_not_import_each_other_in_circles():
    graph = {name: set(own_imports(name)) for name in MODULES}
    done = set()

    def visit(name, above):
        assert name not in above, f"{' → '.join([*above, name])}"
        if name not in done:
            for lower in graph.get(name, ()):
                visit(lower, (*above, name))
            done.add(name)

    for name in graph:
        visit(name, ())


@pytest.mark.parametrize("module", MODULES)
def test_scikeras_has_one_home(module):
    importers = {name.split(".")[0] for name in imported_names(MODULES[module])}
    assert ("scikeras" in importers) == (module == "_training.keras_loop")


# All other private names, and why each is used.
OTHER_PRIVATE_NAMES = {
    # scikit-learn
    "_fit_context": "checks `_parameter_constraints` before fit, once for nested fits",
    "_param_validation": "constraints of parameters, with the messages of scikit-learn",
    "_validate_params": "overridden: messages that say more than the constraints",
    "_safe_indexing": "rows of arrays, tables and lists; in the API reference of "
    "scikit-learn despite its underscore",
    "_search": "module of the base class of searches, which has no public name",
    "_sklearn_output_config": "what set_output was given",
    "_get_fitted_attr_html": "overridden: shows a classifier without loading Keras",
    # Keras and TensorFlow: compared with the module of a type, not imported
    "keras.src.trainers.data_adapters": "a PyDataset given as X, for a message",
    "tensorflow.python.data": "a tf.data.Dataset given as X, for a message",
    # Others
    "_exit": "documented in Python: ends a process whatever its threads do",
    "_src": "the module of JAX that has the next name",
    "_backends": "whether JAX runs; asking it in public ways starts it",
}


def private_names(name):
    """Yield the private parts of a dotted name; of modules within Keras, all of it."""
    if name.startswith(("keras.src.", "tensorflow.python.")):
        yield name
        return
    for part in name.split("."):
        is_name = part.startswith("_") and part.isidentifier() and len(part) > 3
        if is_name and not part.startswith("__"):
            yield part


def used_names(tree):
    """Yield attributes that code uses, and texts, which may be names for getattr."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def own_names(tree):
    """Yield what a module defines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr


def private_names_of_others():
    """Return the private names of other packages that are used or imported."""
    paths = sorted(ROOT.rglob("*.py"))
    trees = [ast.parse(path.read_text("utf-8")) for path in paths]
    own = {name for tree in trees for name in own_names(tree)}
    # Attributes that are put on user-defined callbacks.
    own |= {"_is_twin", "_redirected"}
    used = {
        private
        for tree in trees
        for name in used_names(tree)
        for private in private_names(name)
    }
    imported = {
        private
        for path in paths
        for name in imported_names(path)
        if not name.startswith("skmnist.")
        for private in private_names(name)
    }
    return used - own | imported


def overridden_private_names():
    """Return the private methods of other packages that classes here override.

    Not their attributes: mixins and metaclasses put some into every class.
    """
    modules = [
        import_module(f"skmnist.{name.removesuffix('.__init__')}")
        for name in MODULES
        if name != "__main__"
    ]
    classes = [c for module in modules for c in vars(module).values() if isclass(c)]
    return {
        private
        for own in classes
        if own.__module__.startswith("skmnist.")
        for base in own.__mro__
        if not base.__module__.startswith("skmnist.")
        for name, value in vars(own).items()
        if name in vars(base) and isinstance(value, FunctionType | property)
        for private in private_names(name)
    }


def test_private_names_of_other_packages_are_listed():
    from skmnist._training.keras import PRIVATE_NAMES

    found = private_names_of_others() | overridden_private_names()
    assert found == PRIVATE_NAMES.keys() | OTHER_PRIVATE_NAMES.keys()
    assert len(PRIVATE_NAMES) <= 8


@pytest.mark.parametrize(
    "statement",
    [
        "from sklearn.utils import _safe_indexing",
        "from sklearn.utils._param_validation import Interval",
        "import sklearn.utils._param_validation",
        "sklearn.utils._safe_indexing(X, rows)",
        "getattr(X, '_safe_indexing')",
        "sys.modules['sklearn._loss.link']",
    ],
)
def test_a_private_name_is_found_however_it_is_reached(
    statement, tmp_path, monkeypatch
):
    (tmp_path / "module.py").write_text(statement, encoding="utf-8")
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    assert len(private_names_of_others()) == 1


@pytest.mark.parametrize("name", documented_packages())
def test_documented_packages_are_loaded_when_they_are_used(name):
    assert name in dir(skmnist)
    assert skmnist.__getattr__(name) is import_module(f"skmnist.{name}")


# scikit-learn loads some of these itself, for its estimators.
TABLES_AND_DOWNLOADS = ["pandas", "pooch", "requests", "rich"]
DEEP_LEARNING = ["tensorflow", "keras", "scikeras", "jax", "torch"]
DEEP_LEARNING_AND_PLOTS = [*DEEP_LEARNING, "matplotlib", "jinja2"]


@pytest.mark.parametrize(
    ("statement", "slow"),
    [
        ("import skmnist", DEEP_LEARNING_AND_PLOTS + TABLES_AND_DOWNLOADS),
        ("import skmnist.datasets", DEEP_LEARNING_AND_PLOTS + TABLES_AND_DOWNLOADS),
        (
            "from skmnist import *; KerasCNNClassifier().get_params()",
            DEEP_LEARNING_AND_PLOTS,
        ),
        (
            "from skmnist.pipelines import *; [make_model(n) for n in model_names()]",
            DEEP_LEARNING_AND_PLOTS,
        ),
        ("import skmnist.evaluation, skmnist.persistence", DEEP_LEARNING_AND_PLOTS),
        ("import skmnist.cli", DEEP_LEARNING_AND_PLOTS),
        (
            "import skmnist.cli._recognition, skmnist.cli.predict",
            [*DEEP_LEARNING_AND_PLOTS, "skmnist.evaluation", "skmnist.plotting"],
        ),
        (
            "from sklearn.datasets import load_iris\n"
            "from skmnist.evaluation import evaluate\n"
            "from skmnist.pipelines import make_model\n"
            "from skmnist.report import make_report\n"
            "X, y = load_iris(return_X_y=True)\n"
            "make_report(evaluate(make_model('logistic_regression').fit(X, y), X, y))",
            DEEP_LEARNING,
        ),
    ],
)
def test_nothing_slow_is_loaded_before_it_is_needed(statement, slow):
    script = f"{statement}\nimport json, sys\nprint(json.dumps(list(sys.modules)))"
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    loaded = set(json.loads(run.stdout))
    assert [name for name in slow if name in loaded] == []
