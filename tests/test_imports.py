"""What is imported when, and that modules import downward only."""

import ast
import json
import subprocess
import sys
from pathlib import Path

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
    "_estimators",
    "datasets",
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


# scikeras is frozen. What set_output of scikit-learn was given has no public name. The
# others are Python's and JAX's.
OTHER_PRIVATE_NAMES = {
    "_sklearn_output_config",
    "_ensure_compiled_model",
    "_initialize_callbacks",
    "_exit",
    "_getframe",
    "_backends",
}


def private_names(tree):
    """Yield names with an underscore that code uses, and modules within Keras."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value.rpartition(".")[2]  # as for getattr
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_private(name):
    if name.startswith(("keras.src.", "tensorflow.python.")):
        return True
    is_name = name.startswith("_") and name.isidentifier() and len(name) > 3
    return is_name and not name.startswith("__")


def own_names(tree):
    """Yield what a module defines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr


def test_private_names_of_other_packages_are_listed():
    from skmnist._training.keras import PRIVATE_NAMES

    trees = [ast.parse(path.read_text("utf-8")) for path in MODULES.values()]
    own = {name for tree in trees for name in own_names(tree)}
    # Attributes that are put on user-defined callbacks.
    own |= {"_is_twin", "_redirected"}
    used = {
        name
        for tree in trees
        for name in private_names(tree)
        if is_private(name) and name not in own
    }
    assert used - OTHER_PRIVATE_NAMES == set(PRIVATE_NAMES)
    assert len(PRIVATE_NAMES) <= 8


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
