"""
Training your own Keras network
===============================

Write a function ``builder(input_shape, n_classes, **parameters)`` that returns a Keras
model. Its parameters can be searched like those of any classifier; the classifier takes
care of loss, optimizer, early stopping and labels.

A model with your own builder is saved like any other, if the builder is in a module
that can be imported where the model is loaded.
"""

import keras
import matplotlib.pyplot as plt
from keras import layers
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skmnist import ImageScaler, KerasImageClassifier
from skmnist.datasets import load_digits
from skmnist.plotting import SearchResultsDisplay


def residual_network(input_shape, n_classes, filters=32, blocks=1):
    """Build a network of residual blocks with two convolutions each."""
    inputs = keras.Input(input_shape)
    tensor = layers.Conv2D(filters, 3, padding="same", activation="relu")(inputs)
    for _ in range(blocks):
        inner = layers.Conv2D(filters, 3, padding="same", activation="relu")(tensor)
        inner = layers.Conv2D(filters, 3, padding="same")(inner)
        tensor = layers.Activation("relu")(layers.Add()([tensor, inner]))
    tensor = layers.GlobalAveragePooling2D()(tensor)
    outputs = layers.Dense(n_classes, activation="softmax")(tensor)
    return keras.Model(inputs, outputs)


X, y = load_digits(return_X_y=True)
X_train, X_test = X[:1300], X[1300:]
y_train, y_test = y[:1300], y[1300:]

model = make_pipeline(
    ImageScaler(layout="channels_last"),
    KerasImageClassifier(
        builder=residual_network,
        learning_rate=0.01,
        learning_rate_schedule="one_cycle",
        batch_size=32,
        epochs=30,
        random_state=0,
    ),
)
model.fit(X_train, y_train)
print(f"accuracy {model.score(X_test, y_test):.3f}")

# %%
# The trained network:

from skmnist.plotting import NetworkDiagram

diagram = NetworkDiagram.from_estimator(model)

# %%
# Search over an argument of the builder, by its name:

search = GridSearchCV(
    model,
    {"kerasimageclassifier__builder_params__filters": [8, 16, 32]},
    cv=2,
)
search.fit(X_train, y_train)
print(search.best_params_)

SearchResultsDisplay.from_estimator(search)
plt.show()
