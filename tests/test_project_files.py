"""That what describes the project agrees with it."""

import configparser
import re
from pathlib import Path

import skmnist

ROOT = Path(__file__).parent.parent


def test_the_citation_names_the_version():
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.search(r"^version: (.*)$", text, re.MULTILINE)[1] == skmnist.__version__


def test_hooks_run_files_that_exist_and_download_nothing():
    text = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    assert set(re.findall(r"repo: (\S+)", text)) == {"local"}
    assert set(re.findall(r"language: (\S+)", text)) == {"system"}
    tests = re.findall(r"tests/\S+", text)
    assert tests
    assert [name for name in tests if not (ROOT / name).is_file()] == []


def test_every_file_that_the_package_reads_is_installed():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    package = Path(skmnist.__file__).parent
    packed = {
        path
        for module, patterns in config["options.package_data"].items()
        for pattern in patterns.split()
        for path in (ROOT / module.replace(".", "/")).glob(pattern)
    }
    others = {
        path
        for path in package.rglob("*")
        if path.is_file() and path.suffix not in {".py", ".pyc"}
    }
    assert packed == others
    assert package / "py.typed" in packed


def test_no_two_test_files_have_the_same_name():
    # pytest imports them by these names.
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert len(names) == len(set(names))
