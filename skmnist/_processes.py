"""Child processes whose parent ends, and forks that cannot compute."""

import contextlib
import os
import sys
import threading
import time

__all__ = ["check_fork", "watch_parent"]

_INTERVAL = 1.0  # seconds between two looks at the parent

_watching = threading.Lock()
_lost = {}  # backends that ran in the parent when it forked this process


def watch_parent():
    """End this process with its parent if it is a worker of joblib.

    A busy worker does not notice that, and could work for hours on useless results.
    """
    multiprocessing = sys.modules.get("multiprocessing")
    # The class of loky is private, and joblib contains a copy of loky. Other processes
    # may be meant to outlive their parents.
    process = multiprocessing and multiprocessing.current_process()
    is_worker = "loky" in type(process).__module__.split(".")
    if not is_worker or not _watching.acquire(blocking=False):
        return
    parent = multiprocessing.parent_process()
    if os.name == "posix" and os.getppid() != parent.pid:
        with contextlib.suppress(OSError):
            os.kill(parent.pid, 0)
            return  # a fork of a worker
    threading.Thread(
        target=_end_with, args=(parent,), name="skmnist-parent", daemon=True
    ).start()


def _end_with(parent):
    if os.name == "nt":
        parent.join()
    else:
        # loky does not report the end of the parent, but another process replaces it.
        while os.getppid() == parent.pid:
            time.sleep(_INTERVAL)
    os._exit(1)  # whatever the other threads do


def check_fork():
    """Refuse to compute in a fork that lacks the threads of Keras' backend."""
    if not _lost:
        return
    import keras

    library = _lost.get(keras.backend.backend())
    if library is not None:
        raise RuntimeError(
            f"{library} was running when this process was forked, and cannot run in a "
            "forked process: to train or predict here would take for ever. Start "
            'processes by "spawn" or "forkserver" of multiprocessing, or by joblib\'s '
            'default backend "loky"; or fork before anything is trained or predicted.'
        )


def _note_lost():
    """Record in a child which backends ran in its parent."""
    if _tensorflow_runs():
        _lost["tensorflow"] = "TensorFlow"
    # All public functions would start JAX.
    if getattr(sys.modules.get("jax._src.xla_bridge"), "_backends", None):
        _lost["jax"] = "JAX"


def _tensorflow_runs():
    config = getattr(sys.modules.get("tensorflow"), "config", None)
    threads = getattr(config, "threading", None)
    if threads is None:  # not imported, or not yet to its end
        return False
    # TensorFlow does not say so, but its number of threads cannot change once it runs.
    number = threads.get_inter_op_parallelism_threads()
    try:
        threads.set_inter_op_parallelism_threads(number + 1)
    except RuntimeError:
        return True
    threads.set_inter_op_parallelism_threads(number)
    return False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_lost)
