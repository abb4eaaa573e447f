"""The processes that fit models side by side."""

import contextlib
import signal

from skmnist._processes import watch_parent
from skmnist.cli._messages import install_short_warnings
from skmnist.cli._quiet import quiet_keras


@contextlib.contextmanager
def worker_pool(n_jobs, *, networks, one_thread=False):
    """Prepare this process, or those that joblib starts inside the block.

    With one job, fits run in this process. `networks` loads Keras, which takes seconds
    that belong to no fit. `one_thread` lets classifiers of scikit-learn use one thread
    where there is one job; several jobs share the CPUs anyway.
    """
    if n_jobs == 1:
        from threadpoolctl import threadpool_limits

        if networks:
            _load_keras()
        with threadpool_limits(1 if one_thread else None):
            yield
        return
    import joblib

    with joblib.parallel_config(
        backend="loky", initializer=_prepare_worker, initargs=(networks,)
    ):
        yield


def _prepare_worker(networks):
    """Speak like the main process, and leave Ctrl-C and SIGTERM to it."""
    watch_parent()  # when the package was imported, loky had not set up the worker yet
    install_short_warnings()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _ignore_once)
    if networks:
        _load_keras()


def _load_keras():
    with quiet_keras():
        import skmnist._training.keras  # noqa: F401


def _ignore_once(number, frame):
    # A terminal sends Ctrl-C to the workers too, and timeout(1), for one, SIGTERM. The
    # main process ends them in good order after the first one; the second one is meant
    # for everybody.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
