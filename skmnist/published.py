"""Published results of the named networks, their sources, and studies.

Eight networks come from five tutorials on digit recognition with Keras on MNIST.
:data:`skmnist.networks.ARCHITECTURES` has their layers and training recipes (optimizer,
epochs, batch size); this module has the results that were reported and how the data
were used. Each published accuracy is from a single run.
"""

from dataclasses import dataclass, field

__all__ = ["RESULTS", "SOURCES", "STUDIES", "PublishedResult", "Source", "Study"]


@dataclass(frozen=True)
class Source:
    """A tutorial, with what is known about its origin.

    Parameters
    ----------
    description : str
        Short description of the source.
    title : str or None
        Title, if it has one.
    author : str or None
        Author, if named.
    year : int or None
        Year of publication, if given.
    url : str or None
        Address of the work that it builds on, if given.
    """

    description: str
    title: str | None = None
    author: str | None = None
    year: int | None = None
    url: str | None = None


@dataclass(frozen=True)
class PublishedResult:
    """Result that a tutorial reports for a network on the 10,000 test images of MNIST.

    Parameters
    ----------
    source : str
        Key of :data:`SOURCES`.
    n_parameters : int
        Number of weights, as printed in the source or computed from its layers.
    accuracy : float or None
        Test accuracy in [0, 1]; None if not reported.
    loss : float or None
        Mean cross-entropy on the test images, at least 0.
    validation : float, "test" or None
        Data evaluated after each epoch: a fraction in (0, 1) of the training images,
        held out from training; the test images, with training on all training images;
        or none. No tutorial stops early or keeps the best epoch.
    seed : int or None
        Seed of the run, if given. It does not reproduce the run, because Keras uses
        other random generators today.
    epoch_time : float or None
        Median time of an epoch in seconds, on the author's machine.
    note : str
        Further notes on the recipe.
    """

    source: str
    n_parameters: int
    accuracy: float | None = None
    loss: float | None = None
    validation: float | str | None = None
    seed: int | None = None
    epoch_time: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Study:
    """Study that varies one aspect of a recipe, published or of our own.

    Parameters
    ----------
    title : str
        Aspect that is varied.
    source : str or None
        Key of :data:`SOURCES`; None if it is our own.
    model : str
        Name of the network whose recipe is varied.
    variants : dict of str to dict
        Parameters of each variant that differ from the recipe, by the name of the
        variant.
    reference : str
        Name of the variant that is the recipe itself.
    claim : str
        Conclusion of the tutorial; empty if the study is our own.
    note : str
        What the tutorial leaves open, and what is used here.
    """

    title: str
    source: str | None
    model: str
    variants: dict = field(default_factory=dict)
    reference: str = ""
    claim: str = ""
    note: str = ""


SOURCES = {
    "report": Source(
        "project report in three parts: multilayer perceptron, deep network, "
        "convolutional network, with Keras on Theano"
    ),
    "tutorial": Source(
        "tutorial notebook",
        title="Handwritten Digit Classifier Using Tensor Flow and Keras",
        author="Giorgia Miniello",
        year=2020,
    ),
    "kernel": Source(
        "notebook with Keras on TensorFlow",
        title="MNIST - Deep Neural Network with Keras",
    ),
    "slides": Source(
        "slides of a lecture",
        title="Handwritten Digit Recognition using Convolutional Neural Networks in "
        "Python with Keras",
        author="Petra Kralj Novak",
        year=2019,
        url="https://machinelearningmastery.com/handwritten-digit-recognition-using-"
        "convolutional-neural-networks-python-keras/",
    ),
    "notebook": Source(
        "notebook with two convolutional networks",
        title="Handwritten Digit Recognition - MNIST",
    ),
}

_NO_OPTIMIZER = "The tutorial names neither optimizer nor batch size."

RESULTS = {
    "mlp_512": PublishedResult(
        "report",
        407_050,
        accuracy=0.9821,
        loss=0.0744,
        validation="test",
        epoch_time=6,
        note=f"{_NO_OPTIMIZER} Its text mentions a fifth for validation, but its log "
        "shows training on 60,000 images.",
    ),
    "mlp_784": PublishedResult(
        "slides",
        623_290,
        validation=0.1,
        seed=7,
        note="No result is given.",
    ),
    "mlp_256_256": PublishedResult(
        "kernel",
        269_322,
        accuracy=0.983,
        epoch_time=2,
        note="The notebook prints 98.2 % and concludes with 98.3 %.",
    ),
    "mlp_512_256": PublishedResult(
        "tutorial",
        535_818,
        accuracy=0.9864,
        loss=0.0600,
        validation="test",
        seed=9,
        epoch_time=12,
    ),
    "dnn_512_512": PublishedResult(
        "report",
        669_706,
        accuracy=0.9833,
        loss=0.0783,
        validation="test",
        epoch_time=11,
        note=_NO_OPTIMIZER,
    ),
    "cnn_simple": PublishedResult(
        "notebook",
        592_074,
        accuracy=0.9907,
        loss=0.0296,
        validation="test",
        seed=7,
        epoch_time=6,
    ),
    "cnn_large": PublishedResult(
        "notebook",
        59_933,
        accuracy=0.9903,
        validation="test",
        seed=7,
    ),
    "cnn_32_64": PublishedResult(
        "report",
        1_199_882,
        accuracy=0.9911,
        loss=0.0274,
        validation=0.2,
        epoch_time=168.5,
        note=f"{_NO_OPTIMIZER} Keras set the last fifth of the images aside; here a "
        "random fifth is set aside, stratified by digit.",
    ),
}

STUDIES = {
    "units": Study(
        "Number of units in both hidden layers",
        "kernel",
        "mlp_256_256",
        {str(n): {"units": (n, n)} for n in (128, 256, 512, 1024)},
        reference="256",
        claim="128 units are less accurate than 256; 512 and 1,024 gain nothing "
        "significant.",
    ),
    "optimizers": Study(
        "Optimizer",
        "kernel",
        "mlp_256_256",
        {
            "SGD": {"optimizer": "sgd"},
            "Adam": {"optimizer": "adam"},
            "RMSprop": {"optimizer": "rmsprop"},
        },
        reference="Adam",
        claim="Adam has the highest test accuracy.",
        note="Each optimizer has the default learning rate of Keras.",
    ),
    "regularization": Study(
        "Dropout versus L1 and L2 regularization",
        "kernel",
        "mlp_256_256",
        {
            "none": {"dropout": (0.0, 0.0)},
            "dropout 0.45": {"dropout": (0.45, 0.45)},
            "L1 0.0001": {"dropout": (0.0, 0.0), "l1": 0.0001},
            "L2 0.001": {"dropout": (0.0, 0.0), "l2": 0.001},
        },
        reference="dropout 0.45",
        claim="Dropout does better than L2.",
        note="The L2 strength is the published one. No L1 strength is given; 0.0001 is "
        "ours. Both apply to all weight matrices.",
    ),
    "ablation": Study(
        "What each part of the recipe brings",
        None,
        "cnn_best",
        {
            "all parts": {},
            "no augmentation": {"augmentation": None},
            "no batch normalization": {"batch_normalization": False},
            "no averaging of weights": {"ema_momentum": None},
            "no label smoothing": {"label_smoothing": 0.0},
            "no weight decay": {"weight_decay": None},
            "no deskewing": {"deskew__max_shear": 0.0, "deskew__center": False},
            "constant learning rate": {"learning_rate_schedule": "constant"},
        },
        reference="all parts",
        note="One part is left out at a time and nothing else is changed. Without "
        "normalization, or at a constant rate, a smaller learning rate may do better.",
    ),
}
