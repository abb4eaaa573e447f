"""Evaluation and prediction with models from files."""

from dataclasses import dataclass, field
from math import isqrt, prod

import numpy as np

from skmnist._estimators import last_step, steps_of
from skmnist._numbers import size_and_pixels
from skmnist.cli._errors import BadInput, bad_input


@dataclass(frozen=True, eq=False)
class ModelFile:
    """A fitted model from a file, with the metadata that were saved with it."""

    path: str
    model: object
    metadata: dict = field(default_factory=dict)

    @property
    def dataset(self):
        """The image set that the model was trained on; the digits if unknown."""
        return self.metadata.get("dataset", "digits")

    @property
    def seed(self):
        """The seed that decided which images were kept back when it was trained."""
        return self.metadata.get("seed", 0)

    @property
    def n_pixels(self):
        """Number of pixels of the images that the model takes."""
        n_pixels = getattr(self.model, "n_features_in_", None)
        if n_pixels is None:
            raise BadInput(f"{self.path}: this model does not tell its image size.")
        return int(n_pixels)

    @property
    def pixel_range(self):
        """Pixels of black and of white in the images that it was trained on."""
        for step in steps_of(self.model):
            if hasattr(step, "data_max_"):
                return step.data_min_, step.data_max_
            if getattr(step, "_pixel_range", None) is not None:
                return step._pixel_range
        return 0, 255

    @property
    def finds_digits(self):
        """Whether the model itself finds the digit in an image."""
        from skmnist.preprocessing import DigitExtractor

        return any(isinstance(s, DigitExtractor) for s in steps_of(self.model))

    @property
    def image_shape(self):
        """Height and width, and maybe channels, of the images that it takes."""
        shapes = [getattr(step, "image_shape_", None) for step in steps_of(self.model)]
        for shape in (self.metadata.get("image_shape"), *shapes):
            if shape is not None and prod(shape) == self.n_pixels:
                shape = tuple(map(int, shape))
                return shape[:2] if shape[2:] == (1,) else shape
        side = isqrt(self.n_pixels)
        return (side, side) if side * side == self.n_pixels else None

    @property
    def size(self):
        """The size of an image as text."""
        if self.image_shape is None:
            return f"{self.n_pixels} pixels"
        return size_and_pixels(self.image_shape, self.n_pixels)


def read_model(path):
    """Read a model file, or raise BadInput."""
    from skmnist.cli._metadata import known_metadata
    from skmnist.persistence import load_model

    with bad_input():
        model, metadata = load_model(path, return_metadata=True)
    return ModelFile(str(path), model, known_metadata(metadata))


def evaluate_file(path, dataset, subset):
    """Test the model in a file on a part of an image set.

    Without a data set it is that of the training, without a part the test part. Returns
    the document of the evaluation, and model, images, labels and image shape for the
    pictures of a page. Raises BadInput if the model takes images of another size, or
    has other labels.
    """
    from skmnist._provenance import plain_parameters
    from skmnist.cli._data import part_of_set
    from skmnist.cli._group import command_line
    from skmnist.evaluation import evaluate
    from skmnist.report._documents import evaluation_document

    model_file = read_model(path)
    model, subset = model_file.model, subset or "test"
    image_set, X, y = part_of_set(
        dataset or model_file.dataset, subset, model_file.seed
    )
    if X.shape[1] != model_file.n_pixels:
        found = size_and_pixels(image_set.image_shape, X.shape[1])
        raise BadInput(
            f"{model_file.path} takes images of {model_file.size}; those of "
            f"{image_set.name} are {found}."
        )
    with bad_input():
        evaluation = evaluate(model, X, y)
    document = evaluation_document(
        evaluation,
        networks=hasattr(last_step(model), "epochs"),
        command=command_line(),
        file=model_file.path,
        metadata=model_file.metadata,
        dataset=image_set.name,
        subset=subset if knows_part(model_file, image_set, subset) else None,
        warning=overlap_warning(model_file, image_set, subset),
        parameters=plain_parameters(model),
    )
    if document["warning"]:  # nothing follows for new images
        document["accuracy_se"] = document["accuracy_interval"] = None
    return document, (model, X, y, image_set.image_shape)


def knows_part(model_file, image_set, subset):
    """Return whether a part of a set is one for a model, too.

    A set without a test part is divided by `skmnist train`, which keeps in the
    model's file how; for a model from elsewhere its parts mean nothing.
    """
    trained_here = model_file.metadata.get("dataset") == image_set.address
    return subset == "all" or image_set.has_test or trained_here


def overlap_warning(model_file, image_set, subset):
    """Say that a model was, or may have been, trained on the images of its test.

    None where the images are new to the model.
    """
    if image_set.X is None:
        return None
    if model_file.metadata.get("dataset") == image_set.address:
        which = {"train": "these images", "all": "some of these images"}.get(subset)
        seen = which and f"was trained on {which}"
    elif subset == "test" and image_set.has_test:
        seen = None
    else:
        seen = "may have been trained on some of these images"
    return seen and f"The model {seen}; it may be less accurate on others."


def predict(model_file, X, *, proba):
    """Classify images, one per row of `X`.

    Returns labels and classes as lists and, if they are wanted, probabilities in the
    order of the classes as an array. Raises BadInput if the model has none.
    """
    model = model_file.model
    if proba and not hasattr(model, "predict_proba"):
        raise BadInput(
            f"{model_file.path} gives no probabilities: {model_name(model_file)} "
            "has none."
        )
    with bad_input():
        labels = np.asarray(model.predict(X))
        classes = np.asarray(getattr(model, "classes_", np.unique(labels)))
        probabilities = None
        if proba:
            probabilities = model.predict_proba(X).astype(float)
    return labels.tolist(), classes.tolist(), probabilities


def model_name(model_file):
    """Name a model by what was saved with it, or by its class."""
    last = type(steps_of(model_file.model)[-1])
    return model_file.metadata.get("model", last.__name__)
