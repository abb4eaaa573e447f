"""
Networks against logistic regression
====================================

Are networks more accurate than classical models, or may the differences be chance? All
models are trained and tested on the same five folds.
"""

import matplotlib.pyplot as plt

from skmnist.datasets import load_digits
from skmnist.evaluation import compare
from skmnist.pipelines import make_model
from skmnist.plotting import ModelComparisonDisplay

X, y = load_digits(return_X_y=True)

cycle = {"learning_rate_schedule": "one_cycle", "batch_size": 32, "random_state": 0}
models = {
    "logistic regression": make_model("logistic_regression"),
    "nearest neighbours": make_model("nearest_neighbors"),
    "MLP": make_model("mlp_512", units=256, learning_rate=0.01, **cycle),
    "CNN": make_model("cnn_32_64", padding="same", learning_rate=0.003, **cycle),
}

# %%
# The table is sorted by accuracy, the best model first:

table = compare(models, X, y, cv=5, random_state=0)
columns = ["accuracy", "accuracy_se", "fit_time", "predict_time_us", "n_parameters"]
print(table[columns].to_string(float_format="{:.4g}".format))

# %%
# ``p_value`` is the probability that chance alone causes a difference from the best
# model at least this large; ``p_adjusted`` is adjusted for the number of models. The
# test is McNemar's on the images of all folds, see
# :func:`~skmnist.evaluation.comparison_table`.

print(table[["p_value", "p_adjusted", "verdict"]].to_string())

# %%
# Models further up are more accurate, those further left are faster:

ModelComparisonDisplay.from_table(table)
plt.show()
