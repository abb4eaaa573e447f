"""The named networks, each with its training recipe."""

from dataclasses import dataclass, field

from ..preprocessing import Augmentation, Deskewer


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
    transformers : tuple of (str, transformer)
        Steps between the scaling of the pixels and the network, by name; usually none.
    """

    classifier: str
    summary: str
    parameters: dict = field(default_factory=dict)
    n_networks: int = 1
    is_costly: bool = False
    transformers: tuple = ()


# Normalized, without hidden layers, and annealed to zero. All settings were chosen on
# 10,000 images held out of the training set.
_MODERN = {
    "padding": "same",
    "batch_normalization": True,
    "global_pooling": "average",
    "units": (),
    "dropout": 0.0,
    "learning_rate_schedule": "one_cycle",
    "batch_size": 256,
}
# After two and four of seven convolutions.
_POOLED_TWICE = ((1, 1), (2, 2), (1, 1), (2, 2), (1, 1), (1, 1), (1, 1))
_BEST = {
    **_MODERN,
    "filters": (32, 32, 48, 48, 64, 64, 64),
    "kernel_size": 3,
    "pool_size": _POOLED_TWICE,
    "learning_rate": 0.006,
    "weight_decay": 0.02,
    "ema_momentum": 0.99,
    "label_smoothing": 0.05,
    "augmentation": Augmentation(rotation=8, translation=0.09, zoom=0.14, shear=0.09),
    "epochs": 12,
}
_DESKEWED = (("deskew", Deskewer()),)

# Layers, epochs and batch sizes of the first eight are those of five published
# tutorials on MNIST with Keras. Where one names no optimizer or batch size, Adam and
# 128 are used. The layers of lenet5 are those of LeCun, Bottou, Bengio and Haffner
# (1998), https://doi.org/10.1109/5.726791, with all channels of the first convolution
# seen by all of the second.
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
    "lenet5": Architecture(
        "cnn",
        "LeNet-5 of 1998, trained as one would today",
        {
            "filters": (6, 16),
            "kernel_size": 5,
            "pool_size": 2,
            "padding": ("same", "valid"),
            "pooling": "average",
            "units": (120, 84),
            "activation": "tanh",
            "dropout": 0.0,
            "learning_rate": 0.004,
            "learning_rate_schedule": "one_cycle",
            "augmentation": Augmentation(
                rotation=6, translation=0.05, zoom=0.08, shear=0.08
            ),
            "epochs": 20,
            "batch_size": 128,
        },
    ),
    "cnn_fast": Architecture(
        "cnn",
        "5×5 and 3×3 convolutions with pooling, 256 hidden units, 2 fast epochs",
        {
            "filters": (24, 32),
            "kernel_size": ((5, 5), (3, 3)),
            "pool_size": 2,
            "units": (256,),
            "dropout": (0.0, 0.3),
            "learning_rate": 0.01,
            "learning_rate_schedule": "one_cycle",
            "epochs": 2,
            "batch_size": 256,
        },
    ),
    "cnn_tiny": Architecture(
        "cnn",
        "five 3×3 convolutions of 6 to 10 channels",
        {
            **_MODERN,
            "filters": (6, 8, 8, 10, 10),
            "kernel_size": 3,
            "pool_size": ((1, 1), (2, 2), (1, 1), (2, 2), (1, 1)),
            "learning_rate": 0.02,
            "weight_decay": 0.004,
            "augmentation": Augmentation(
                rotation=6, translation=0.05, zoom=0.08, shear=0.08
            ),
            "epochs": 40,
            "batch_size": 128,
            # The exact number format: there is nothing to gain in so few channels.
            "precision": "float32",
        },
    ),
    "cnn_small": Architecture(
        "cnn",
        "seven 3×3 convolutions of 12 to 20 channels, after a Deskewer",
        {
            **_MODERN,
            "filters": (12, 16, 16, 20, 20, 20, 20),
            "kernel_size": 3,
            "pool_size": _POOLED_TWICE,
            "learning_rate": 0.01,
            "weight_decay": 0.01,
            "ema_momentum": 0.99,
            "augmentation": Augmentation(
                rotation=7, translation=0.08, zoom=0.12, shear=0.08
            ),
            "epochs": 24,
        },
        transformers=_DESKEWED,
    ),
    "cnn_best": Architecture(
        "cnn",
        "seven 3×3 convolutions of 32 to 64 channels, after a Deskewer",
        _BEST,
        is_costly=True,
        transformers=_DESKEWED,
    ),
    "ensemble_best": Architecture(
        "cnn",
        "mean of five cnn_best",
        _BEST,
        n_networks=5,
        is_costly=True,
        transformers=_DESKEWED,
    ),
    "mlp_best": Architecture(
        "dnn",
        "hidden layers of 1,400 and 1,200, with elastic deformation",
        {
            "units": (1400, 1200),
            "dropout": 0.0,
            "batch_normalization": True,
            "learning_rate": 0.006,
            "learning_rate_schedule": "one_cycle",
            "weight_decay": 0.02,
            "ema_momentum": 0.99,
            "label_smoothing": 0.05,
            "augmentation": Augmentation(
                rotation=12, translation=0.06, zoom=0.14, shear=0.14, elastic=0.03
            ),
            "epochs": 80,
            "batch_size": 256,
        },
        is_costly=True,
    ),
}
