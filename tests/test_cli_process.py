"""The command line as a process: streams, signals, pipes and terminals."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time

import psutil
import pytest

posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals and pipes")


def start(*args, code=None, **settings):
    """Start the command line, or a script, in a process of its own."""
    command = ["-c", code] if code else ["-m", "skmnist", *args]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TF_")}
    return subprocess.Popen(
        [sys.executable, *command],
        stdout=settings.pop("stdout", subprocess.PIPE),
        stderr=settings.pop("stderr", subprocess.PIPE),
        text=True,
        env=environment | settings.pop("env", {}),
        preexec_fn=_heed_ctrl_c if os.name == "posix" else None,
        **settings,
    )


def ranked(output):
    """Return the models of a comparison in the order of its table."""
    table = output.partition("best first\n")[2].partition("\n\n")[0]
    return [line.split()[0] for line in table.splitlines()[2:]]


def _heed_ctrl_c():
    # Tests that run in the background may have inherited that it is ignored.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def wait_for(process, words):
    """Read standard error up to a line with these words."""
    lines = []
    for line in process.stderr:
        lines.append(line)
        if words in line:
            return lines
    raise AssertionError("".join(lines))


@posix
@pytest.mark.parametrize(
    ("jobs", "number", "code"),
    [
        ("1", signal.SIGINT, 130),
        ("2", signal.SIGINT, 130),
        ("2", signal.SIGTERM, 143),
    ],
)
def test_ctrl_c_and_sigterm_keep_the_models_that_are_done(jobs, number, code):
    args = ["--models", "dummy,linear_svm,mlp_512", "--epochs", "100000", "--cv", "2"]
    with start("compare", *args, "--jobs", jobs, process_group=0) as process:
        wait_for(process, "[2/3]")
        time.sleep(0.5)
        workers = psutil.Process(process.pid).children(recursive=True)
        os.killpg(process.pid, number)  # as a terminal does, and timeout(1)
        output, errors = process.communicate(timeout=60)
    assert process.returncode == code
    assert ranked(output)[:2] == ["linear_svm", "dummy"]
    assert re.search("mlp_512 +interrupted", output)
    assert "Traceback" not in errors
    _, alive = psutil.wait_procs(workers, timeout=5)
    assert not alive


@posix
@pytest.mark.parametrize("networks", [False, True])
def test_a_kill_of_the_command_ends_its_workers(networks):
    code = """
import os, time
import joblib
from skmnist.cli._parallel import worker_pool

def work():
    os.write(2, f"{os.getpid()}\\n".encode())  # at once, as two processes do it
    time.sleep(600)

with worker_pool(2, networks=NETWORKS):
    joblib.Parallel(n_jobs=2)(joblib.delayed(work)() for _ in range(2))
""".replace("NETWORKS", str(networks))
    with start(code=code) as process:
        workers = [psutil.Process(int(process.stderr.readline())) for _ in range(2)]
        process.kill()
        _, alive = psutil.wait_procs(workers, timeout=5)
        for worker in alive:
            worker.kill()
    assert not alive


@posix
@pytest.mark.parametrize(
    ("numbers", "code"),
    [
        ((signal.SIGINT, signal.SIGINT), 130),
        ((signal.SIGTERM, signal.SIGTERM), 143),
        ((signal.SIGTERM, signal.SIGINT), 143),
    ],
)
def test_a_second_signal_quits_at_once(numbers, code):
    # A command that is deaf to the first one.
    script = """
import signal, sys, time
from skmnist.cli._interrupts import watched_interrupts
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda *_: None)
with watched_interrupts():
    print("ready", file=sys.stderr, flush=True)
    time.sleep(60)
"""
    with start(code=script) as process:
        wait_for(process, "ready")
        process.send_signal(numbers[0])
        wait_for(process, "Press Ctrl-C again to quit at once")
        process.send_signal(numbers[1])
        assert process.wait(timeout=20) == code


@posix
def test_a_second_ctrl_c_quits_in_the_middle_of_an_import():
    code = """
import signal, sys, time
from skmnist._interrupts import uninterrupted
from skmnist.cli._interrupts import watched_interrupts
with watched_interrupts(), uninterrupted():
    print("ready", file=sys.stderr, flush=True)
    time.sleep(60)
"""
    with start(code=code) as process:
        wait_for(process, "ready")
        process.send_signal(signal.SIGINT)
        wait_for(process, "waiting for a library to load")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 130


@posix
def test_sigterm_ends_a_command_that_ignores_ctrl_c():
    # As one in the background of a script does.
    code = """
import signal, sys, time
from skmnist.cli._interrupts import deferred_interrupt, exit_code, watched_interrupts
signal.signal(signal.SIGINT, signal.SIG_IGN)
with watched_interrupts(), deferred_interrupt(lambda: None) as requested:
    signal.raise_signal(signal.SIGINT)
    assert not requested.is_set()
    signal.raise_signal(signal.SIGTERM)
    assert requested.is_set()
assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
sys.exit(exit_code(130))
"""
    with start(code=code) as process:
        assert process.wait(timeout=60) == 143


@posix
def test_a_command_that_is_deaf_to_ctrl_c_says_once_what_it_will_do():
    # Python handles the signal only when the function in C returns, far too late for
    # whoever pressed the keys.
    code = """
import hashlib, sys
from skmnist.cli._interrupts import deferred_interrupt, watched_interrupts
from skmnist.cli._messages import note
with watched_interrupts(), deferred_interrupt(lambda: note("when it is saved")):
    note("ready")
    hashlib.pbkdf2_hmac("sha256", b"", b"", 6_000_000)
    note("handled")
"""
    with start(code=code) as process:
        wait_for(process, "ready")
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert errors.splitlines() == ["when it is saved", "handled"]
    assert process.returncode == 0


@posix
@pytest.mark.parametrize("args", [["data", "digits"], ["models"], ["--help"]])
def test_a_reader_that_leaves_is_no_error(args):
    process = start(*args)
    process.stdout.close()
    with process:
        assert process.stderr.read() == ""
    assert process.returncode == 141  # as of a program that SIGPIPE ended


COMPARE = ["compare", "--models", "dummy", "--cv", "2", "--json"]


def with_streams(how, *args, **settings):
    """Run the command line with standard streams as a shell redirects them."""
    command = shlex.join([sys.executable, "-m", "skmnist", *args])
    return subprocess.run(
        ["sh", "-c", f"{command} {how}"], capture_output=True, text=True, **settings
    )


@posix
@pytest.mark.parametrize("args", [["models"], ["--version"], COMPARE])
def test_standard_output_that_is_closed_is_refused_before_any_work(args):
    done = with_streams(">&-", *args)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "Error: Standard output is closed: there is no place for results."
    ]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize("args", [["models", "--json"], ["train", "--help"], COMPARE])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_is_a_failure_on_one_line(args, unbuffered):
    environment = os.environ | {"PYTHONUNBUFFERED": unbuffered}
    done = with_streams(">/dev/full", *args, env=environment)
    assert done.returncode == 1
    *_, line = done.stderr.splitlines()
    assert line.startswith("Error: Cannot write to standard output: No space left")
    assert "Traceback" not in done.stderr


@posix
@pytest.mark.parametrize("how", ["| head -1", ">/dev/full"])
def test_files_are_written_though_nobody_reads_the_results(how, tmp_path):
    with_streams(how, *COMPARE, "--report", "page.html", cwd=tmp_path)
    assert (tmp_path / "page.html").read_text(encoding="utf-8").endswith("</html>")


@posix
@pytest.mark.parametrize("how", ["2>&-", "2>/dev/full", "<&-"])
def test_results_do_not_depend_on_the_other_streams(how):
    done = with_streams(how, *COMPARE)
    assert done.returncode == 0
    assert json.loads(done.stdout)["kind"] == "comparison"


def test_a_network_brings_none_of_the_chatter_of_tensorflow(tmp_path):
    args = ["mlp_512", "--epochs", "1", "--out", str(tmp_path / "m.joblib")]
    with start("train", *args) as process:
        output, errors = process.communicate(timeout=120)
    assert process.returncode == 0
    assert output.startswith("mlp_512 trained on digits\n")
    assert "TensorFlow" not in output
    assert [line.split()[0] for line in errors.splitlines()] == ["Training", "mlp_512:"]


def test_workers_speak_like_the_main_process():
    args = ["--models", "mlp_512,dummy", "--cv", "2", "--epochs", "1", "--jobs", "2"]
    with start("compare", *args) as process:
        output, errors = process.communicate(timeout=120)
    assert process.returncode == 0
    assert ranked(output) == ["mlp_512", "dummy"]
    for line in errors.splitlines():
        assert re.match(r"Comparing 2 models|\[\d/2\] |(mlp_512|dummy): ", line)


def test_warnings_of_workers_take_one_line():
    code = """
import warnings, joblib
from skmnist.cli._parallel import worker_pool
with worker_pool(2, networks=False):
    calls = [joblib.delayed(warnings.warn)("first\\nsecond")] * 6
    joblib.Parallel(n_jobs=2)(calls)
"""
    with start(code=code) as process:
        errors = process.communicate(timeout=120)[1].splitlines()
    assert set(errors) == {"Warning: first second"}
    assert len(errors) <= 2  # one from each worker


@posix
def test_a_terminal_gets_a_bar_and_a_pipe_plain_results():
    import pty

    terminal, stderr = pty.openpty()
    args = ["--models", "dummy,linear_svm", "--cv", "2"]
    settings = {"env": {"TERM": "xterm", "COLUMNS": "80"}, "stderr": stderr}
    with start("compare", *args, **settings) as process:
        os.close(stderr)
        shown = b""
        while True:
            try:
                piece = os.read(terminal, 1024)
            except OSError:  # the other end is closed
                break
            if not piece:
                break
            shown += piece
        output = process.stdout.read()
    os.close(terminal)
    assert process.returncode == 0
    assert "━" in shown.decode()
    assert "linear_svm" in shown.decode()
    assert shown.rindex(b"\x1b[?25h") > shown.rindex(b"\x1b[?25l")  # the cursor is back
    assert "\x1b" not in output
    assert ranked(output) == ["linear_svm", "dummy"]
