"""The networks, written as users of Keras and PyTorch write them."""

from math import isqrt

__all__ = ["keras_network", "torch_network"]


def keras_network(
    input_shape,
    n_classes,
    *,
    network,
    units,
    dropout,
    learning_rate=0.001,
    loss="sparse_categorical_crossentropy",
):
    """Build the network as Keras' guides do, compiled."""
    import keras
    from keras import layers

    if network == "cnn":
        side = isqrt(input_shape[0])
        stack = [
            *([layers.Reshape((side, side, 1))] if len(input_shape) == 1 else []),
            layers.Conv2D(32, 3, activation="relu"),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(units, activation="relu"),
            layers.Dropout(0.5),
        ]
    else:
        stack = [layers.Dense(units, activation="relu"), layers.Dropout(dropout)]
    model = keras.Sequential(
        [
            keras.Input(input_shape),
            *stack,
            # As Keras advises where the policy is mixed; else the same.
            layers.Dense(n_classes, activation="softmax", dtype="float32"),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate),
        loss=loss,
        metrics=["accuracy"],
    )
    return model


def torch_network(network, units, dropout):
    """Build the network as PyTorch's tutorials do; the output are logits."""
    from torch import nn

    if network == "cnn":
        return nn.Sequential(
            nn.Conv2d(1, 32, 3),
            nn.ReLU(),
            nn.Conv2d(32, 64, 3),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Dropout(0.25),
            nn.Flatten(),
            nn.LazyLinear(units),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(units, 10),
        )
    return nn.Sequential(
        nn.LazyLinear(units), nn.ReLU(), nn.Dropout(dropout), nn.Linear(units, 10)
    )
