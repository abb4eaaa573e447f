"""What a child process must know: that its parent is gone, or what a fork lost."""

import contextlib
import os
import sys
import threading
import time

__all__ = ["check_fork", "watch_parent"]

_INTERVAL = 1.0  # seconds between two looks at the parent

_watching = threading.Lock()
_running = {}  # names of the backends that ran here at the latest fork
_lost = {}  # of those that ran in the parent at the fork that made this process


def watch_parent():
    """End this process when its parent is gone, if it is a worker of joblib's.

    Such a worker never notices while it works, and would go on for hours with results
    that nobody waits for. Other processes are left alone: they may be meant to outlive
    their parents.
    """
    parent = _parent_of_worker()
    if parent is None or not _watching.acquire(blocking=False):
        return
    if os.name == "posix" and os.getppid() != parent.pid and _exists(parent.pid):
        return  # a fork of a worker
    threading.Thread(
        target=_end_with, args=(parent,), name="skmnist-parent", daemon=True
    ).start()


def _parent_of_worker():
    """Return the process that started this one by loky, joblib's usual way, or None."""
    if "multiprocessing" not in sys.modules:
        return None
    import multiprocessing

    # Its class is private, and joblib has a copy of loky in a package of its own.
    package = type(multiprocessing.current_process()).__module__
    return multiprocessing.parent_process() if "loky" in package.split(".") else None


def _end_with(parent):
    if os.name == "nt":
        parent.join()
    else:
        # loky does not say there when the parent ends, but it has another one then.
        while os.getppid() == parent.pid:
            time.sleep(_INTERVAL)
    os._exit(1)  # whatever the other threads do: nobody waits for it


def _exists(pid):
    """Return whether there is such a process, on POSIX."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # of another user, for one
        return True
    return True


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


def _note_running():
    _running.clear()
    if _tensorflow_runs():
        _running["tensorflow"] = "TensorFlow"
    if _jax_runs():
        _running["jax"] = "JAX"


def _note_lost():
    _lost.update(_running)


def _tensorflow_runs():
    tensorflow = sys.modules.get("tensorflow")
    threads = getattr(getattr(tensorflow, "config", None), "threading", None)
    if threads is None:  # not imported, or not yet to its end
        return False
    # It does not say so, but refuses another number of threads once it runs.
    number = threads.get_inter_op_parallelism_threads()
    try:
        threads.set_inter_op_parallelism_threads(number + 1)
    except RuntimeError:
        return True
    with contextlib.suppress(RuntimeError):  # another thread has begun to use it
        threads.set_inter_op_parallelism_threads(number)
    return False


def _jax_runs():
    # There is no public way to ask that does not start it.
    module = sys.modules.get("jax._src.xla_bridge")
    return bool(getattr(module, "_backends", None))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_note_running, after_in_child=_note_lost)
