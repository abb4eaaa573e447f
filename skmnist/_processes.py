"""Child processes: the end of their parent, and forks that cannot compute."""

import contextlib
import os
import sys
import threading
import time

__all__ = ["check_fork", "watch_parent"]

_INTERVAL = 1.0  # seconds between two looks at the parent

_watching = threading.Lock()
_lost = {}  # the backends that ran in the parent at the fork that made this process


def watch_parent():
    """End this process when its parent is gone, if it is a worker of joblib's.

    Such a worker never notices while it works, and would go on for hours with results
    that nobody waits for. Other processes are left alone: they may be meant to outlive
    their parents.
    """
    multiprocessing = sys.modules.get("multiprocessing")
    # loky, joblib's usual way, has a private class; joblib has a copy of loky.
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
        # loky does not say there when the parent ends, but it has another one then.
        while os.getppid() == parent.pid:
            time.sleep(_INTERVAL)
    os._exit(1)  # whatever the other threads do: nobody waits for it


def check_fork():
    """Refuse to compute in a process that a fork has left without the threads for it.

    Raises
    ------
    RuntimeError
        If TensorFlow or JAX, whichever is Keras' backend, ran in the parent at the
        fork. Its threads are not in the child, which would wait for them for ever.
    """
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
    """Note in a child what ran in its parent: what it knows of that was copied."""
    if _tensorflow_runs():
        _lost["tensorflow"] = "TensorFlow"
    # There is no public way to ask JAX that does not start it.
    if getattr(sys.modules.get("jax._src.xla_bridge"), "_backends", None):
        _lost["jax"] = "JAX"


def _tensorflow_runs():
    config = getattr(sys.modules.get("tensorflow"), "config", None)
    threads = getattr(config, "threading", None)
    if threads is None:  # not imported, or not yet to its end
        return False
    # It does not say so, but refuses another number of threads once it runs.
    number = threads.get_inter_op_parallelism_threads()
    try:
        threads.set_inter_op_parallelism_threads(number + 1)
    except RuntimeError:
        return True
    threads.set_inter_op_parallelism_threads(number)
    return False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_lost)
