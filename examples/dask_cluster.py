"""
Grid search on a Dask cluster
=============================

All parallel work uses joblib, so one line sends the fits of a search to a cluster. Here
the cluster has two worker processes on this machine. ``Client("tcp://scheduler:8786")``
connects to a remote cluster, on whose machines this package must be installed.

The workers import this script, so the code that starts them is under
``if __name__ == "__main__"``.
"""

import logging

import joblib
import matplotlib.pyplot as plt
from sklearn.model_selection import GridSearchCV

from skmnist.datasets import load_digits
from skmnist.pipelines import make_model
from skmnist.plotting import SearchResultsDisplay

X, y = load_digits(return_X_y=True)
search = GridSearchCV(
    make_model(
        "mlp_512",
        learning_rate=0.01,
        learning_rate_schedule="one_cycle",
        batch_size=16,
        random_state=0,
    ),
    {"clf__units": [32, 128], "clf__dropout": [0.0, 0.3]},
    cv=2,
)


def main():
    from dask.distributed import Client

    quiet = {"dashboard_address": None, "silence_logs": logging.ERROR}
    with Client(n_workers=2, threads_per_worker=1, **quiet) as client:
        with joblib.parallel_config(backend="dask"):
            search.fit(X, y)
        workers = client.scheduler_info()["workers"]
        print(f"{len(search.cv_results_['params'])} candidates, {len(workers)} workers")

    print(search.best_params_)
    print(f"accuracy {search.best_score_:.3f}")
    SearchResultsDisplay.from_estimator(search)
    plt.show()


if __name__ == "__main__":
    main()
