"""
Transfer learning with pretrained layers
========================================

A network trained on many images has learned strokes and corners, which helps if there
are few images for a new task. Here, layers trained on the digits 0 to 4 get a new head
for the digits 5 to 9, and are either frozen or trained further.

A builder may return the same pretrained layers at each call. Every fit trains a copy of
them, so the folds of a cross-validation are independent. The layers must not have been
trained on the test images; here these show other digits.
"""

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers
from sklearn.base import clone
from sklearn.model_selection import StratifiedShuffleSplit, cross_validate

from skmnist import KerasImageClassifier
from skmnist.datasets import load_digits
from skmnist.pipelines import make_model

X, y = load_digits(return_X_y=True)
images = (X / 16).astype("float32").reshape(-1, 8, 8, 1)
first, second = y < 5, y >= 5


# %%
# Layers that learn to distinguish 0 to 4. They have explicit names, as Keras might give
# a new layer the name of an old one:
def features(input_shape):
    return keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Conv2D(16, 3, padding="same", activation="relu", name="strokes"),
            layers.BatchNormalization(name="scale"),
            layers.Conv2D(32, 3, activation="relu", name="corners"),
            layers.MaxPooling2D(2, name="pool"),
            layers.Flatten(name="flat"),
        ],
        name="features",
    )


def whole(input_shape, n_classes):
    return keras.Sequential(
        [
            keras.Input(input_shape),
            features(input_shape),
            layers.Dense(n_classes, activation="softmax", name="head"),
        ]
    )


source = KerasImageClassifier(
    builder=whole, learning_rate=0.003, batch_size=32, epochs=15, random_state=0
)
source.fit(images[first], y[first])
pretrained = source.model_.get_layer("features")


# %%
# The new network. ``trainable = False`` freezes the layers, including the mean and
# variance of the normalization:
def transferred(input_shape, n_classes, trainable=False):
    pretrained.trainable = trainable
    return keras.Sequential(
        [
            keras.Input(input_shape),
            pretrained,
            layers.Dense(n_classes, activation="softmax", name="head"),
        ]
    )


# %%
# Train on three images of each of the digits 5 to 9, and test on all others. Logistic
# regression is included for comparison:
folds = StratifiedShuffleSplit(n_splits=3, train_size=15, random_state=0)
settings = {"learning_rate": 0.005, "batch_size": 10, "epochs": 20, "random_state": 0}
new = KerasImageClassifier(builder=whole, **settings)
old = KerasImageClassifier(builder=transferred, **settings)
candidates = {
    "logistic regression": make_model("logistic_regression"),
    "random weights": new,
    "pretrained, frozen": old,
    "pretrained, trained further": clone(old).set_params(
        builder_params__trainable=True
    ),
}
accuracies = {
    name: cross_validate(model, images[second], y[second], cv=folds)["test_score"]
    for name, model in candidates.items()
}
for name, scores in accuracies.items():
    print(f"{name:<28} {np.mean(scores):.3f}")

fig, ax = plt.subplots(figsize=(5.6, 2.2), layout="constrained")
ax.boxplot(list(accuracies.values()), orientation="horizontal")
ax.set_yticks(range(1, len(accuracies) + 1), list(accuracies))
ax.set_xlabel("accuracy on the digits 5 to 9")

# %%
# No fit has changed the pretrained layers:
unchanged = source.model_.get_layer("features").get_weights()
assert all(map(np.array_equal, pretrained.get_weights(), unchanged))
plt.show()
