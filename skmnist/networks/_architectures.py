"""The named networks, each with its training recipe."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Architecture:
    """A named network with its training recipe, as constructor parameters.

    Parameters
    ----------
    classifier : {"mlp", "dnn", "cnn"}
        The network classifier: "cnn" stands for `KerasCNNClassifier`.
    summary : str
        Short description of its layers.
    parameters : dict
        Parameters of the classifier.
    n_networks : int, default=1
        Number of such networks, trained from different seeds, whose probabilities are
        averaged.
    is_costly : bool, default=False
        Whether training takes minutes, so that only who names it gets it compared.
    """

    classifier: str
    summary: str
    parameters: dict = field(default_factory=dict)
    n_networks: int = 1
    is_costly: bool = False


# Layers, epochs and batch sizes are those of five published tutorials on MNIST
# with Keras. Where one names no optimizer or batch size, Adam and 128 are used.
ARCHITECTURES = {
    "mlp_512": Architecture(
        "mlp",
        "one hidden layer of 512",
        {"units": 512, "dropout": 0.2, "epochs": 20, "batch_size": 128},
    ),
    "mlp_784": Architecture(
        "mlp",
        "one hidden layer of 784, normal initializer, no dropout",
        {
            "units": 784,
            "dropout": 0.0,
            "kernel_initializer": "random_normal",
            "epochs": 10,
            "batch_size": 200,
        },
    ),
    "mlp_256_256": Architecture(
        "dnn",
        "two hidden layers of 256",
        {
            "units": (256, 256),
            "dropout": (0.45, 0.45),
            "epochs": 20,
            "batch_size": 128,
        },
    ),
    "mlp_512_256": Architecture(
        "dnn",
        "hidden layers of 512 and 256",
        {"units": (512, 256), "dropout": (0.5, 0.2), "epochs": 30, "batch_size": 128},
    ),
    "dnn_512_512": Architecture(
        "dnn",
        "two hidden layers of 512",
        {"units": (512, 512), "dropout": (0.2, 0.2), "epochs": 20, "batch_size": 128},
    ),
    "cnn_simple": Architecture(
        "cnn",
        "one 5×5 convolution, pooling, 128 hidden units",
        {
            "filters": (32,),
            "kernel_size": 5,
            "pool_size": 2,
            "units": (128,),
            "dropout": (0.2, 0.0),
            "epochs": 10,
            "batch_size": 200,
        },
    ),
    "cnn_large": Architecture(
        "cnn",
        "5×5 and 3×3 convolutions with pooling, 128 and 50 hidden units",
        {
            "filters": (30, 15),
            "kernel_size": ((5, 5), (3, 3)),
            "pool_size": 2,
            "units": (128, 50),
            "dropout": (0.2, 0.0, 0.0),
            "epochs": 10,
            "batch_size": 200,
        },
    ),
    "cnn_32_64": Architecture(
        "cnn",
        "two 3×3 convolutions, pooling, 128 hidden units",
        {
            "filters": (32, 64),
            "kernel_size": 3,
            "pool_size": ((1, 1), (2, 2)),
            "units": (128,),
            "dropout": (0.25, 0.5),
            "epochs": 20,
            "batch_size": 128,
        },
    ),
    "cnn_fast": Architecture(
        "cnn",
        "5×5 and 3×3 convolutions with pooling, 256 hidden units, 3 fast epochs",
        {
            "filters": (24, 32),
            "kernel_size": ((5, 5), (3, 3)),
            "pool_size": 2,
            "units": (256,),
            "dropout": (0.0, 0.3),
            "learning_rate": 0.01,
            "learning_rate_schedule": "one_cycle",
            "epochs": 3,
            "batch_size": 256,
        },
    ),
}
