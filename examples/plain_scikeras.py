"""
Using the network builders with scikeras
========================================

The builders do not depend on the classifiers of this package. They also work with
``scikeras.wrappers.KerasClassifier``, which passes information about the data as
``meta``.
"""

from scikeras.wrappers import KerasClassifier

from skmnist.datasets import load_digits
from skmnist.networks import build_mlp


def network(meta, units=64, dropout=0.2):
    return build_mlp(
        meta["X_shape_"][1:], meta["n_classes_"], units=units, dropout=dropout
    )


X, y = load_digits(return_X_y=True)
X = X.astype("float32") / 255
X_train, X_test = X[:1400], X[1400:]
y_train, y_test = y[:1400], y[1400:]

classifier = KerasClassifier(
    network,
    loss="sparse_categorical_crossentropy",
    optimizer="adam",
    optimizer__learning_rate=0.003,
    metrics=["accuracy"],
    model__units=128,
    epochs=30,
    batch_size=32,
    verbose=0,
    random_state=0,
)
classifier.fit(X_train, y_train)
print(f"accuracy {classifier.score(X_test, y_test):.3f}")

# %%
# The displays work with such classifiers too. The learning curves:

import matplotlib.pyplot as plt

from skmnist.plotting import TrainingHistoryDisplay

TrainingHistoryDisplay.from_estimator(classifier)
plt.show()
