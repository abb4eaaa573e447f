"""
Grid search over units, dropout and epochs
==========================================

All settings of a network are constructor parameters, so scikit-learn's searches can set
them. Networks of the same shape share compiled code.
"""

import pandas as pd
from sklearn.model_selection import GridSearchCV

from skmnist.datasets import load_digits
from skmnist.pipelines import make_model

X, y = load_digits(return_X_y=True)

search = GridSearchCV(
    make_model(
        "mlp_512",
        learning_rate=0.01,
        learning_rate_schedule="one_cycle",
        batch_size=16,
        random_state=0,
    ),
    {
        "clf__units": [64, 256],
        "clf__dropout": [0.0, 0.3],
        "clf__epochs": [5, 15],
    },
    cv=3,
)
search.fit(X, y)

results = pd.DataFrame(search.cv_results_).sort_values("rank_test_score")
results.columns = results.columns.str.removeprefix("param_clf__")
columns = ["units", "dropout", "epochs"]
columns += ["mean_test_score", "std_test_score", "mean_fit_time"]
print(results[columns].to_string(index=False))

# %%
# The best score at each place of the grid, over the two parameters that matter most:

import matplotlib.pyplot as plt

from skmnist.plotting import SearchResultsDisplay

SearchResultsDisplay.from_estimator(search)
plt.show()

# %%
# Since version 1.9, scikit-learn has callbacks that see every epoch of every fit. This
# is how the candidates of a smaller grid learn, each on three folds:

from sklearn.callback import ScoringMonitor

from skmnist.plotting import CandidateHistoriesDisplay

monitor = ScoringMonitor(scoring="neg_log_loss")
model = make_model("mlp_512", validation_fraction=0.2, epochs=15, random_state=0)
model[-1].set_callbacks(monitor)
grid = {"clf__units": [16, 256], "clf__learning_rate": [0.001, 0.01]}
small_search = GridSearchCV(model, grid, cv=3, refit=False).fit(X, y)

scores = monitor.get_logs().data_as_pandas
scores = scores[scores["task_name"] == "validation"]
histories = {}
for number, fit in scores.groupby(scores["task_id_path"].str[2]):
    candidate = small_search.cv_results_["params"][number // small_search.n_splits_]
    name = ", ".join(f"{key[5:]}={value}" for key, value in candidate.items())
    histories.setdefault(name, []).append({"val_loss": -fit["neg_log_loss"]})

CandidateHistoriesDisplay.from_histories(histories)
plt.show()
