"""The benchmarks: who runs when, what ratios mean, what is said of who is lacking."""

import importlib
import inspect
import json
import re
import subprocess
import sys
from dataclasses import replace

import pytest
from click.testing import CliRunner

from benchmarks import __main__ as command_line
from benchmarks import comparisons, epochs, results
from benchmarks.comparisons import (
    Comparison,
    Contestant,
    Measure,
    run_in_new_process,
    run_rounds,
    with_onednn,
)
from benchmarks.machine import code_revision
from benchmarks.peers import contestant
from benchmarks.profile import check_complete, kind_of, overlapped
from benchmarks.results import add_comparison, make_document, read_document
from benchmarks.summary import ratios, spread, summarise
from benchmarks.tables import cells, page
from benchmarks.tables import rows as table_rows

TIME = Measure("time", "fit", "s")
ACCURACY = Measure("accuracy", "accuracy", "share", has_ratio=False)


def comparison(*contestants):
    return Comparison(
        "training", "title", "note", {"size": 3}, contestants, (TIME, ACCURACY)
    )


def rows(contestants, rounds):
    """Return the rows of the table, as texts."""
    document = make_document(quick=False)
    add_comparison(document, comparison(*contestants), rounds, ["training"])
    return list(cells(document["comparisons"][0]))


def test_contestants_take_turns_on_the_same_settings_and_seeds():
    calls = []

    def run(suite, settings, environment):
        calls.append((suite, settings, environment))
        return {"time": len(calls)}

    a = Contestant("a", {"peer": "a"})
    b = Contestant("b", {"peer": "b"}, environment={"LOOP": "1"})
    rounds = run_rounds(comparison(a, b), 3, run)
    assert [(call[1]["peer"], call[1]["seed"]) for call in calls] == [
        ("a", 0),
        ("b", 0),
        ("b", 1),  # each round from another one on
        ("a", 1),
        ("a", 2),
        ("b", 2),
    ]
    assert all(call[0] == "training" and call[1]["size"] == 3 for call in calls)
    assert [call[2] for call in calls[:2]] == [{}, {"LOOP": "1"}]
    assert rounds == [
        {"a": {"time": 1}, "b": {"time": 2}},
        {"a": {"time": 4}, "b": {"time": 3}},
        {"a": {"time": 5}, "b": {"time": 6}},
    ]
    assert [list(results) for results in rounds] == 3 * [["a", "b"]]


def test_a_peer_that_is_not_installed_is_reported_and_not_run():
    def run(suite, settings, environment):
        assert settings["peer"] == "a"
        return {"time": 1.0, "accuracy": 0.5}

    a = Contestant("a", {"peer": "a"}, requires=("json",))
    b = Contestant("b", {"peer": "b"}, requires=("json", "no_such_package"))
    rounds = run_rounds(comparison(a, b), 2, run)
    assert rows([a, b], rounds) == [
        ["a", "1.00", "", "50.00 %, 50.00 %"],
        ["b: no_such_package not installed", "–", "", "–"],
    ]


@pytest.mark.parametrize("is_quick", [True, False])
def test_bfloat16_is_not_emulated_for_hours(monkeypatch, is_quick):
    a = Contestant("a", {"peer": "a"})
    b = Contestant("b", {"peer": "b"}, needs_bfloat16=True)
    monkeypatch.setattr(comparisons, "bfloat16_is_quick", lambda: is_quick)
    run = {"time": 1.0, "accuracy": 0.5}
    rounds = run_rounds(comparison(a, b), 1, lambda *_: run)
    emulated = {"missing": "bfloat16 would be emulated here"}
    assert rounds == [{"a": run, "b": run if is_quick else emulated}]


@pytest.mark.parametrize(
    ("is_on", "can_be_had", "n_twins"), [(False, True, 1), (True, True, 0), (0, 0, 0)]
)
def test_onednn_is_compared_where_tensorflow_leaves_it_off(
    monkeypatch, is_on, can_be_had, n_twins
):
    monkeypatch.setattr(comparisons, "uses_onednn", lambda: is_on)
    monkeypatch.setattr(comparisons, "has_avx2", lambda: can_be_had)
    a = Contestant("a", {"peer": "a"}, ("numpy",), {"LOOP": "1"})
    twin = Contestant(
        "a, oneDNN on",
        {"peer": "a"},
        ("numpy",),
        {"LOOP": "1", "TF_ENABLE_ONEDNN_OPTS": "1"},
    )
    assert with_onednn(a) == (twin,)[:n_twins]


def test_a_run_that_fails_does_not_end_the_others():
    def run(suite, settings, environment):
        if settings["peer"] == "b" and settings["seed"] == 0:
            raise RuntimeError("out of luck")
        return {"time": 2.0 if settings["peer"] == "a" else 3.0, "accuracy": 0.5}

    a, b = Contestant("a", {"peer": "a"}), Contestant("b", {"peer": "b"})
    rounds = run_rounds(comparison(a, b), 3, run)
    row = rows([a, b], rounds)[1]
    assert row[:3] == ["b: out of luck (1 of 3 runs)", "3.00", "1.50, 1.50, 1.50"]


@pytest.mark.parametrize("n_parts", [6, 7])
def test_many_measures_stand_in_rows_and_few_in_columns(n_parts):
    names = [f"part_{i}" for i in range(n_parts)]
    measures = tuple(Measure(name, name, "s", has_ratio=False) for name in names)
    compared = comparison(*(Contestant(name, {"peer": name}) for name in "ab"))
    document = make_document(quick=False)
    rounds = [{"a": dict.fromkeys(names, 1.0), "b": dict.fromkeys(names, 2.0)}]
    add_comparison(document, replace(compared, measures=measures), rounds, ["training"])
    heads, *figures = table_rows(document["comparisons"][0])
    if n_parts == 6:
        assert heads == ["contestant", *(f"{name}, s" for name in names)]
        assert figures == [["a", *6 * ["1.00"]], ["b", *6 * ["2.00"]]]
    else:
        assert heads == ["measure", "a", "b"]
        assert figures == [[f"{name}, s", "1.00", "2.00"] for name in names]


def test_ratios_are_peer_to_ours_within_a_round():
    # The machine was ten times slower in the second round, for both.
    times = [(1.0, 3.0), (10.0, 20.0), (1.0, 2.5)]
    rounds = [{"ours": {"time": a}, "peer": {"time": b}} for a, b in times]
    assert ratios(rounds, "peer", "ours", "time") == [3.0, 2.0, 2.5]
    found = summarise(rounds, (TIME,))
    assert found["peer"]["measures"]["time"]["ratio"]["median"] == 2.5
    assert found["peer"]["measures"]["time"]["values"]["median"] == 3.0
    assert "ratio" not in found["ours"]["measures"]["time"]


def test_ratios_leave_out_rounds_in_which_one_failed():
    rounds = [
        {"ours": {"time": 1.0}, "peer": {"error": "no"}},
        {"ours": {"error": "no"}, "peer": {"time": 9.0}},
        {"ours": {"time": 1.0}, "peer": {"time": 2.0}},
    ]
    assert ratios(rounds, "peer", "ours", "time") == [2.0]


def test_spread_of_nothing_is_nothing():
    assert spread([]) is None
    assert spread([4.0, 1.0, 2.0])["median"] == 2.0


@pytest.mark.parametrize("quick", [True, False])
@pytest.mark.parametrize("name", command_line.SUITES)
def test_suites_give_runs_the_settings_that_they_take(name, quick):
    suite = importlib.import_module(f"benchmarks.{name}")
    for each in suite.comparisons(quick):
        assert each.suite == name
        names = [one.name for one in each.contestants]
        assert len(set(names)) == len(names)
        for one in each.contestants:
            settings = {**each.settings, **one.settings, "seed": 0}
            inspect.signature(suite.measure).bind(**settings)
            is_mnist = settings.get("dataset") == "mnist"
            assert not is_mnist or (suite.NEEDS_MNIST and not quick)


def test_a_run_in_a_new_process_returns_its_numbers():
    settings = {"peer": "mlp_classifier", "dataset": "digits", "network": "mlp"}
    result = run_in_new_process("training", {**settings, "epochs": 2, "seed": 0}, {})
    assert result["fit_s"] > 0
    assert result["epoch_us"] > 0
    assert result["accuracy"] > 0.5


@pytest.mark.parametrize(
    ("peer", "loop"),
    [
        ("skmnist", "0"),
        ("skmnist", "1"),
        ("scikeras", "0"),
        ("keras_wrapper", "0"),
        ("skorch", "0"),
    ],
)
def test_no_import_falls_into_the_measured_time(monkeypatch, peer, loop):
    monkeypatch.setenv("SKMNIST_KERAS_LOOP", loop)
    if contestant(peer).missing():
        pytest.skip(f"{peer} is not installed")
    script = f"""
import sys
from benchmarks.data import load, pixels
from benchmarks.peers import Recipe, import_peer, layout, make_classifier
recipe = Recipe("mlp", 1, 0)
X, y, _, _ = load("digits", 100)
import_peer({peer!r})
before = set(sys.modules)
make_classifier({peer!r}, recipe, lambda: None).fit(pixels(X, "flat"), y)
print(*sys.modules.keys() - before)
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    packages = ("skmnist.", "sklearn.", "keras.", "scikeras.", "skorch.", "torch._")
    late = run.stdout.split()
    assert [name for name in late if name.startswith(packages)] == []


def test_a_start_of_python_takes_its_time():
    settings = {"arguments": ["-c", "import time; time.sleep(0.2)"], "n_starts": 1}
    assert run_in_new_process("startup", {**settings, "seed": 0}, {})["process_s"] > 0.2


def test_a_profile_finds_the_kernels_of_a_training():
    settings = {"peer": "skmnist", "dataset": "digits", "network": "mlp", "seed": 0}
    result = run_in_new_process("profile", settings, {})
    assert result["next_s"] < result["first_s"]
    assert min(result["multiply_us"], result["optimize_us"], result["random_us"]) > 0
    assert result["between_us"] < result["total_us"]


@pytest.mark.parametrize(
    ("kernel", "kind"),
    [
        ("while/body/hidden_1/Relu:_FusedMatMul", "multiply"),
        (
            "gradient_tape/convolution_2/Conv2DBackpropInput:Conv2DBackpropInput",
            "multiply",
        ),
        ("while/ResourceApplyAdam_2:ResourceApplyAdam", "optimize"),
        ("sequential/adam/Sqrt_1:Sqrt", "optimize"),
        ("while/mlp/dropout_1/GreaterEqual:GreaterEqual", "random"),
        ("while/body/GatherV2:GatherV2", "data"),
        ("StatefulPartitionedCall/strided_slice:StridedSlice", "data"),
        ("while/cnn_1/hidden_1/MatMul/Cast:Cast", "other"),  # of weights to bfloat16
        ("sequential/max_pooling2d/MaxPool2d:MaxPool", "other"),
    ],
)
def test_kernels_are_told_apart(kernel, kind):
    assert kind_of(kernel) == kind


def test_a_profile_that_lost_kernels_is_refused():
    step = ["body/Relu:_FusedMatMul", "body/MatMul:MatMul", "body/Less:Less"]
    check_complete(3 * step, 3)
    with pytest.raises(RuntimeError, match="2 to 3 times in 3 steps"):
        check_complete(step[:1] + 2 * step, 3)
    with pytest.raises(RuntimeError, match="0 to 0 times in 3 steps"):
        check_complete(3 * step[2:], 3)


def test_time_that_kernels_share_counts_once():
    assert overlapped([(5, 6), (0, 2), (1, 3), (1, 2)]) == 4
    assert overlapped([]) == 0


def test_a_process_that_fails_says_why():
    with pytest.raises(RuntimeError, match=r"missing .* 'dataset'"):
        run_in_new_process("training", {"peer": "skmnist"}, {})


@pytest.mark.skipif(sys.platform == "win32", reason="has no signals")
def test_a_process_that_is_killed_says_so_not_what_it_wrote_last(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        "import os, signal, sys\n"
        "print('Could not find cuda drivers', file=sys.stderr, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    with pytest.raises(RuntimeError, match=r"^ended by signal SIGKILL$"):
        run_in_new_process("training", {}, {"PYTHONPATH": str(tmp_path)})


def test_without_mnist_there_is_one_line_and_no_run(monkeypatch):
    def load(dataset):
        raise FileNotFoundError("no connection")

    monkeypatch.setattr(command_line, "load", load)
    monkeypatch.setattr(command_line, "run_in_new_process", None)
    result = CliRunner().invoke(command_line.main, ["training"])
    assert result.exit_code == 1
    assert result.output == "Error: MNIST is needed: no connection\n"


def test_results_go_to_terminal_file_and_page(tmp_path, monkeypatch):
    def run(suite, settings, environment):
        time = {"skmnist": 2.0, "keras": 5.0}.get(settings["peer"], 7.0)
        return {"epoch_us": time, "fit_s": time, "accuracy": 0.98}

    monkeypatch.setattr(command_line, "run_in_new_process", run)
    monkeypatch.setattr(results, "code_revision", lambda: "abc1234 with changes")
    out, written = tmp_path / "results.json", tmp_path / "page.md"
    arguments = ["training", "--quick", "--runs", "2", "--out", out, "--page", written]
    result = CliRunner().invoke(command_line.main, map(str, arguments))
    assert result.exit_code == 0
    assert "2.50, 2.50, 2.50" in result.output
    text = written.read_text(encoding="utf-8")
    assert ", with revision abc1234 with changes, when" in text
    row = "| Keras | 5.00 | 2.50, 2.50, 2.50 | 5.00 | 2.50, 2.50, 2.50 |"
    # No line may end between a number and its unit.
    share = "98.00\N{NO-BREAK SPACE}%"
    assert f"{row} {share}, {share} |" in text
    assert "| an image, warm epochs, µs | ratio" in text
    assert "no results" in text  # as it was a quick run
    kept = json.loads(out.read_text(encoding="utf-8"))
    assert kept["quick"]
    assert len(kept["comparisons"][0]["rounds"]) == 2
    assert {"processor", "n_cores", "flags"} <= set(kept["machine"])
    assert {"skmnist", "keras", "skorch"} <= set(kept["versions"])


def test_page_of_kept_results_begins_with_a_chart_and_the_ratios(tmp_path, monkeypatch):
    monkeypatch.setattr(command_line, "run_in_new_process", None)  # nothing is run
    document = make_document(quick=False)
    rounds = [
        {
            "skmnist": {"fit_s": 2.0, "accuracy": 0.98},
            "Keras": {"fit_s": 5.0, "accuracy": 0.98},
            "skorch": {"missing": "skorch is not installed"},
        }
    ]
    measured = replace(
        comparison(*map(contestant, ("skmnist", "keras", "skorch"))),
        title="mlp_512, 60,000 images of MNIST, 5 epochs",
        measures=(Measure("fit_s", "fit", "s"), ACCURACY),
    )
    add_comparison(document, measured, rounds, ["training"])
    out, written = tmp_path / "results.json", tmp_path / "page.md"
    out.write_text(json.dumps(document), encoding="utf-8")
    arguments = ["training", "--runs", "0", "--out", out, "--page", written]
    result = CliRunner().invoke(command_line.main, map(str, arguments))
    assert result.exit_code == 0, result.output
    text = written.read_text(encoding="utf-8")
    assert "| Train an MLP: 5 epochs | 2.0 s | 2.5 × |  |  |  |" in text
    for chart in re.findall(r"{image} (\S+)", text):
        picture = (tmp_path / chart).read_text(encoding="utf-8")
        assert picture.count("<!-- 5.0 s -->") == 1
    assert len(list((tmp_path / "_static").iterdir())) == 2


def test_results_without_a_revision_are_shown_too():
    document = make_document(quick=False)
    rounds = [{"skmnist": {"time": 1.0, "accuracy": 0.5}}]
    add_comparison(document, comparison(contestant("skmnist")), rounds, ["training"])
    del document["comparisons"][0]["revision"]  # as in older files
    assert "revision" not in page(document)


def test_revision_tells_whether_the_code_is_that_of_the_commit(tmp_path):
    def git(*arguments):
        who = ("-c", "user.name=x", "-c", "user.email=x@example.org")
        run = subprocess.run(
            ["git", "-C", str(tmp_path), *who, *arguments],
            check=True,
            capture_output=True,
            text=True,
        )
        return run.stdout.strip()

    assert code_revision(tmp_path / "nowhere") is None
    git("init")
    file = tmp_path / "code.py"
    file.write_text("1\n", encoding="utf-8")
    git("add", "code.py")
    git("commit", "-m", "one")
    git("tag", "-m", "a release", "v1")
    commit = git("rev-parse", "HEAD")
    assert commit.startswith(code_revision(tmp_path))
    file.write_text("2\n", encoding="utf-8")
    revision = code_revision(tmp_path)
    assert revision.endswith(" with changes")
    assert commit.startswith(revision.removesuffix(" with changes"))


def test_a_file_keeps_the_results_of_other_suites(tmp_path, monkeypatch):
    seen = []

    def run(suite, settings, environment):
        seen.append(suite)
        return {"process_s": 1.0, "cold_s": 1 + seen.count("startup")}

    monkeypatch.setattr(command_line, "run_in_new_process", run)
    out = tmp_path / "results.json"
    for names in (["fast_model"], ["startup"], ["fast_model"]):
        arguments = [*names, "--quick", "--out", str(out)]
        assert CliRunner().invoke(command_line.main, arguments).exit_code == 0
    kept = json.loads(out.read_text(encoding="utf-8"))["comparisons"]
    assert [each["suite"] for each in kept] == ["startup", "startup", "fast_model"]
    # The later run took the place of the earlier one, before which there was no other.
    assert kept[-1]["rounds"][0]["skmnist"]["cold_s"] > 1


def test_comparisons_are_chosen_by_their_titles(monkeypatch):
    seen = []

    def run(suite, settings, environment):
        seen.append(settings["network"])
        return {"fit_s": 1.0, "epoch_us": 1.0, "accuracy": 0.5}

    monkeypatch.setattr(command_line, "run_in_new_process", run)
    arguments = ["training", "--quick", "--match", "cnn_32_64"]
    assert CliRunner().invoke(command_line.main, arguments).exit_code == 0
    assert set(seen) == {"cnn"}
    refused = CliRunner().invoke(command_line.main, [*arguments[:-1], "mlp_1"])
    assert refused.exit_code == 2
    assert "'mlp_1'" in refused.stderr


def test_results_of_other_circumstances_are_not_mixed(tmp_path):
    file = tmp_path / "results.json"
    file.write_text(json.dumps(make_document(quick=True)), encoding="utf-8")
    with pytest.raises(ValueError, match="differ in quick"):
        read_document(file, quick=False)
    file.write_text("[]", encoding="utf-8")
    with pytest.raises(ValueError, match="no results of benchmarks"):
        read_document(file, quick=False)


def test_epochs_for_free_are_counted(monkeypatch):
    grid = {"clf__epochs": [1, 2], "clf__units": [4]}
    monkeypatch.setattr(epochs, "_GRID", grid)
    output = CliRunner().invoke(epochs.main, catch_exceptions=False).stdout
    assert re.findall(r"(\d+) trainings, (\d+) epochs", output) == [
        ("6", "9"),
        ("6", "9"),
        ("6", "6"),
        ("0", "0"),
    ]
