"""
Optimizers, dropout, L1 and L2
==============================

Three sweeps of one parameter at a time: the width of the hidden layer, the optimizer,
and what holds back overfitting. To see anything of the last one the training set is
made small.
"""

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.model_selection import GridSearchCV, cross_validate

from skmnist.datasets import load_digits
from skmnist.pipelines import make_model
from skmnist.plotting import SearchResultsDisplay

X, y = load_digits(return_X_y=True)

# %%
# Units
# -----

search = GridSearchCV(
    make_model("mlp_512", batch_size=32, epochs=15, random_state=0),
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
# By name, with Keras' own settings; ``learning_rate`` changes the step. The accuracy in
# training, epoch by epoch:

figure, ax = plt.subplots()
for optimizer in ["sgd", "rmsprop", "adam"]:
    model = make_model(
        "mlp_512", units=64, batch_size=32, optimizer=optimizer, random_state=0
    )
    model.fit(X, y)
    epochs = range(1, model[-1].n_iter_ + 1)
    ax.plot(epochs, model[-1].history_["accuracy"], label=optimizer)
ax.set(xlabel="Epoch", ylabel="Accuracy in training")
ax.legend()
plt.show()

# %%
# Dropout, L1, L2
# ---------------
#
# 300 images, and a network that can learn them by heart. The gap between training and
# test is what the penalties are to close.

settings = {
    "none": {"dropout": 0.0},
    "dropout 0.4": {"dropout": 0.4},
    "L1 0.001": {"dropout": 0.0, "l1": 0.001},
    "L2 0.01": {"dropout": 0.0, "l2": 0.01},
}
rows = {}
for name, parameters in settings.items():
    model = make_model("mlp_512", units=128, epochs=40, random_state=0, **parameters)
    scores = cross_validate(model, X[:300], y[:300], cv=3, return_train_score=True)
    rows[name] = {
        "training": scores["train_score"].mean(),
        "test": scores["test_score"].mean(),
    }
table = pd.DataFrame(rows).T
table["gap"] = table["training"] - table["test"]
print(table.round(3).to_string())
