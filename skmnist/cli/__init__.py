"""Command line: ``skmnist compare``, ``train``, ``evaluate``, ``predict`` and more.

Each command has a module of its name, with its options, its work and its output;
``_commands`` is the group that loads them. What they share is in the other private
modules, which can be called and tested without a terminal.
"""

import gc
import os
import sys
from typing import NoReturn

from skmnist._training.processor import has_avx2
from skmnist.cli._streams import occupy_closed_descriptors

__all__ = ["main"]


def main() -> NoReturn:
    """Run the command line and exit.

    Raises
    ------
    SystemExit
        Always. The code is 0 on success, 1 after a failure, 2 for wrong usage or bad
        input, 130 after Ctrl-C, 143 after SIGTERM, and 141 if the reader of the output
        closes the pipe.
    """
    # Read by TensorFlow and OpenMP when they are loaded, in the workers too. Threads
    # of OpenMP that spin while they wait make gradient boosting ten times slower
    # as soon as anything else runs on the machine.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    if has_avx2():  # convolutions take half of the time, where it is not on anyway
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    occupy_closed_descriptors()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # ± and × where there is ASCII only
    try:
        from skmnist.cli._commands import skmnist

        skmnist.main(prog_name="skmnist")
    except KeyboardInterrupt:  # before or after the part that handles it
        sys.exit(130)
    finally:
        # All objects end with the process. To look for cycles among them would take
        # a third of a second.
        gc.freeze()
