"""
Early stopping inside cross-validation
======================================

Early stopping needs validation images. They are taken from the training part of each
fold, so the test part is never used in training and scores stay unbiased. Each fold
stops on its own.
"""

import matplotlib.pyplot as plt
from sklearn.model_selection import StratifiedKFold, cross_validate
from sklearn.pipeline import Pipeline, make_pipeline

from skmnist import ImageScaler, KerasMLPClassifier
from skmnist.datasets import load_digits
from skmnist.plotting import TrainingHistoryDisplay

X, y = load_digits(return_X_y=True)

network = KerasMLPClassifier(
    units=128,
    dropout=0.3,
    epochs=100,  # at most
    early_stopping=True,
    validation_fraction=0.15,
    n_iter_no_change=8,
    learning_rate=0.002,
    batch_size=32,
    random_state=0,
)
model = make_pipeline(ImageScaler(), network)
folds = StratifiedKFold(3, shuffle=True, random_state=0)
result = cross_validate(model, X, y, cv=folds, return_estimator=True)

for score, fitted in zip(result["test_score"], result["estimator"], strict=True):
    curve = fitted[-1].history_["val_loss"]
    best = curve.index(min(curve)) + 1
    print(f"accuracy {score:.3f}, {len(curve)} epochs, best weights from epoch {best}")

# %%
# The learning curves of the last fold. The marked epoch is the one whose weights are
# kept.

TrainingHistoryDisplay.from_estimator(result["estimator"][-1])
plt.show()

# %%
# Your own validation images
# --------------------------
#
# ``X_val`` and ``y_val`` replace the part that is set aside. With ``transform_input``,
# the Pipeline scales them with the range of the training images.

import sklearn
from sklearn.model_selection import train_test_split

X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.25, stratify=y, random_state=0
)
X_train, X_val, y_train, y_val = train_test_split(
    X_train, y_train, test_size=0.15, stratify=y_train, random_state=0
)
with sklearn.config_context(enable_metadata_routing=True):
    network.set_fit_request(X_val=True, y_val=True)
    model = Pipeline(
        [("scale", ImageScaler()), ("clf", network)], transform_input=["X_val"]
    )
    model.fit(X_train, y_train, X_val=X_val, y_val=y_val)

print(f"accuracy {model.score(X_test, y_test):.3f}, {network.n_iter_} epochs")
