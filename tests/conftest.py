import os

# Some of scikit-learn's estimator checks are skipped without this, which SciPy
# reads when it is imported.
os.environ.setdefault("SCIPY_ARRAY_API", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("MPLBACKEND", "Agg")  # pictures without a screen
