"""
Comparing optimizers, dropout, L1 and L2
========================================

Vary one setting at a time: the width of the hidden layer, the optimizer, and the
regularization. To show overfitting, the last comparison uses a small training set.
"""

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedShuffleSplit,
    cross_validate,
)

from skmnist.datasets import load_digits
from skmnist.pipelines import make_model
from skmnist.plotting import SearchResultsDisplay

X, y = load_digits(return_X_y=True)
recipe = {
    "learning_rate": 0.01,
    "learning_rate_schedule": "one_cycle",
    "batch_size": 16,
    "random_state": 0,
}

# %%
# Units
# -----

search = GridSearchCV(
    make_model("mlp_512", **recipe),
    {"clf__units": [8, 16, 32, 64, 128]},
    cv=3,
)
search.fit(X, y)
SearchResultsDisplay.from_estimator(search)
plt.show()

# %%
# Optimizers
# ----------
#
# Optimizers are chosen by name, with the default settings of Keras; ``learning_rate``
# sets the learning rate. The training accuracy after each epoch:

figure, ax = plt.subplots()
for optimizer in ["sgd", "rmsprop", "adam"]:
    model = make_model(
        "mlp_512", units=64, batch_size=32, optimizer=optimizer, random_state=0
    )
    model.fit(X, y)
    epochs = range(1, model[-1].n_iter_ + 1)
    ax.plot(epochs, model[-1].history_["accuracy"], label=optimizer)
ax.set(xlabel="Epoch", ylabel="Training accuracy")
ax.legend()
plt.show()

# %%
# Dropout, L1, L2
# ---------------
#
# The network is trained on 300 images, in five random splits, and is large enough to
# memorize them. Dropout and regularization are to reduce the gap between training and
# test accuracy. Their strengths were chosen by cross-validation inside the 300 images.
# On digits as simple as these they change little; logistic regression is included for
# comparison.

settings = {
    "none": {"dropout": 0.0},
    "dropout 0.2": {"dropout": 0.2},
    "L1 0.0003": {"dropout": 0.0, "l1": 0.0003},
    "L2 0.001": {"dropout": 0.0, "l2": 0.001},
}
models = {
    name: make_model("mlp_512", units=128, **recipe, **parameters)
    for name, parameters in settings.items()
}
models["logistic regression"] = make_model("logistic_regression")

splits = StratifiedShuffleSplit(n_splits=5, train_size=300, random_state=0)
rows = {}
for name, model in models.items():
    scores = cross_validate(model, X, y, cv=splits, return_train_score=True)
    rows[name] = {
        "training": scores["train_score"].mean(),
        "test": scores["test_score"].mean(),
    }
table = pd.DataFrame(rows).T
table["gap"] = table["training"] - table["test"]
print(table.round(3).to_string())
