"""What is known of the processor, and that TensorFlow sees it alike."""

import os
import subprocess
import sys

import pytest

from skmnist import cli
from skmnist._training import processor as _processor

AVX2 = "sse4_2 avx avx2 fma"
AVX512 = "avx2 avx512f avx512bw"
LIMITS = ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA")


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Ask a function about a machine: its cpuinfo and environment."""

    def ask(function, cpuinfo, variable=None, **limits):
        path = tmp_path / "cpuinfo"
        path.write_text(cpuinfo, encoding="utf-8")
        read = _processor._read_features
        with monkeypatch.context() as patch:
            patch.setattr(_processor, "_read_features", lambda: read(path))
            # It may have been asked about this machine before.
            patch.setattr(_processor, "uses_onednn", _processor.uses_onednn.__wrapped__)
            for name in ("TF_ENABLE_ONEDNN_OPTS", *LIMITS):
                patch.delenv(name, raising=False)
            if variable is not None:
                patch.setenv("TF_ENABLE_ONEDNN_OPTS", variable)
            for name, value in limits.items():
                patch.setenv(name, value)
            return function.__wrapped__()  # as for a new process

    return ask


def cpuinfo(flags, maker="GenuineIntel"):
    """Write what Linux says of two cores, between other lines."""
    core = (
        f"vendor_id\t: {maker}\nflags\t\t: fpu {flags}\nvmx flags\t: ept\nbugs\t: y\n"
    )
    return f"processor\t: 0\n{core}\nprocessor\t: 1\n{core}\n"


@pytest.mark.parametrize(
    ("maker", "flags", "variable", "expected"),
    [
        ("GenuineIntel", AVX2, None, False),
        ("GenuineIntel", AVX2, "1", False),
        ("GenuineIntel", AVX512, None, False),
        ("GenuineIntel", f"{AVX512} avx512_vnni", None, False),
        ("GenuineIntel", f"{AVX512} avx512_vnni avx512_bf16", None, False),
        ("GenuineIntel", f"{AVX512} avx512_bf16 amx_tile amx_bf16", None, True),
        # It is emulated.
        ("GenuineIntel", f"{AVX512} avx512_bf16 amx_tile amx_bf16", "0", False),
        ("AuthenticAMD", f"{AVX512} avx512_vnni avx512_bf16", None, True),
        ("AuthenticAMD", f"{AVX512} avx512_vnni avx512_bf16", "0", False),
        ("AuthenticAMD", f"{AVX512} avx512_vnni", None, False),
    ],
)
def test_bfloat16_is_quick_with_units_that_pay_and_onednn(
    machine, maker, flags, variable, expected
):
    found = machine(_processor.bfloat16_is_quick, cpuinfo(flags, maker), variable)
    assert found is expected


@pytest.mark.parametrize(
    ("limits", "on_intel", "on_amd"),
    [
        ({"ONEDNN_MAX_CPU_ISA": "AVX512_CORE"}, False, False),
        ({"ONEDNN_MAX_CPU_ISA": "avx2"}, False, False),  # oneDNN reads it in any case
        ({"DNNL_MAX_CPU_ISA": "AVX512_CORE_VNNI"}, False, False),
        ({"ONEDNN_MAX_CPU_ISA": "AVX512_CORE_BF16"}, False, False),  # any limit
        ({"ONEDNN_MAX_CPU_ISA": "all"}, True, True),
        ({"ONEDNN_MAX_CPU_ISA": "DEFAULT", "DNNL_MAX_CPU_ISA": "AVX2"}, True, True),
        ({"ONEDNN_MAX_CPU_ISA": "", "DNNL_MAX_CPU_ISA": "AVX2"}, False, False),
    ],
)
def test_onednn_may_be_kept_from_units_for_bfloat16(machine, limits, on_intel, on_amd):
    intel = cpuinfo(f"{AVX512} avx512_vnni avx512_bf16 amx_tile amx_bf16")
    amd = cpuinfo(f"{AVX512} avx512_vnni avx512_bf16", "AuthenticAMD")
    assert machine(_processor.bfloat16_is_quick, intel, **limits) is on_intel
    assert machine(_processor.bfloat16_is_quick, amd, **limits) is on_amd


@pytest.mark.parametrize(
    ("has_avx2", "before", "after"),
    [(True, None, "1"), (False, None, None), (True, "0", "0")],
)
def test_the_command_line_turns_onednn_on_where_it_helps(
    monkeypatch, capsys, has_avx2, before, after
):
    monkeypatch.setattr(cli, "has_avx2", lambda: has_avx2)
    monkeypatch.setattr(sys, "argv", ["skmnist", "--version"])
    for name in ("TF_CPP_MIN_LOG_LEVEL", "OMP_WAIT_POLICY", "TF_ENABLE_ONEDNN_OPTS"):
        monkeypatch.setenv(name, "")  # so that all are put back behind the test
        monkeypatch.delenv(name)
    if before is not None:
        monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", before)
    with pytest.raises(SystemExit):
        cli.main()
    assert os.environ.get("TF_ENABLE_ONEDNN_OPTS") == after
    assert "skmnist" in capsys.readouterr().out


@pytest.mark.parametrize("flags", [AVX2, "sse4_2 avx"])
def test_avx2_is_read_from_the_flags(machine, flags):
    assert machine(_processor.has_avx2, cpuinfo(flags)) is ("avx2" in flags)


@pytest.mark.parametrize(
    ("flags", "variable", "expected"),
    [
        (AVX2, None, False),
        (AVX512, None, False),
        (f"{AVX2} avx_vnni", None, True),
        (f"{AVX512} avx512_vnni", None, True),
        (f"{AVX512} amx_bf16", None, True),
        (f"{AVX512} avx512_vnni amx_bf16", "0", False),
        (f"{AVX512} avx512_vnni", "False", False),
        (AVX2, "1", True),
        (AVX2, "true", True),
        (AVX2, "no", False),  # no word that TensorFlow knows
        (f"{AVX512} avx512_vnni", "", True),
    ],
)
def test_onednn_is_on_for_some_processors_or_by_the_switch(
    machine, flags, variable, expected
):
    assert machine(_processor.uses_onednn, cpuinfo(flags), variable) is expected


def test_a_processor_that_says_nothing_has_nothing(machine, tmp_path):
    assert machine(_processor.bfloat16_is_quick, "Features : fp asimd bf16\n") is False
    assert machine(_processor.uses_onednn, "Features : fp asimd bf16\n") is False
    assert _processor._read_features(tmp_path / "nowhere") == set()


@pytest.mark.internals
@pytest.mark.skipif(sys.platform != "linux", reason="the rule is that of Linux")
@pytest.mark.parametrize("variable", [None, "0", "1"])
def test_tensorflow_decides_alike(variable):
    script = """
import tensorflow
from tensorflow.python.util import _pywrap_util_port
from skmnist._training.processor import uses_onednn
print(uses_onednn(), _pywrap_util_port.IsMklEnabled())
"""
    environment = {**os.environ, "TF_ENABLE_ONEDNN_OPTS": variable}
    if variable is None:
        del environment["TF_ENABLE_ONEDNN_OPTS"]
    run = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True
    )
    ours, theirs = run.stdout.split()
    assert ours == theirs
