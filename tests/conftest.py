import os
import tempfile
from itertools import count
from pathlib import Path

import pytest

# Some of scikit-learn's estimator checks are skipped without this, which SciPy
# reads when it is imported.
os.environ.setdefault("SCIPY_ARRAY_API", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# As in the command line: TensorFlow sums in another order without it.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")  # pictures without a screen
# The caches of matplotlib take seconds to make; the folder is also of its settings.
os.environ.setdefault("MPLCONFIGDIR", str(Path.home() / ".cache" / "matplotlib"))
# Where searches of the command line keep fits.
_caches, _numbers = tempfile.TemporaryDirectory(), count()
_VARIABLES = "XDG_CACHE_HOME", "LOCALAPPDATA"
os.environ.update(dict.fromkeys(_VARIABLES, _caches.name))


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch):
    """Let no test find the fits of another one."""
    for name in _VARIABLES:
        monkeypatch.setenv(name, str(Path(_caches.name, str(next(_numbers)))))
