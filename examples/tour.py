"""
Ten-minute tour
===============

Load images, train a network, evaluate and visualize it, search its parameters, compare
it with other models, and save it. Each block builds on those above. The data come with
scikit-learn, so nothing is downloaded; the last section shows how to use MNIST instead.

First install the package with matplotlib: ``pip install ".[plot]"`` in a checkout of
the repository.
"""

# sphinx_gallery_thumbnail_number = 3
# %%
# The data
# --------
#
# The data are 1,797 handwritten digits of 8×8 pixels. Each row of ``X`` is an image;
# its values are the ink of each pixel, from 0 to 255.

import matplotlib.pyplot as plt
from sklearn.model_selection import train_test_split

from skmnist.datasets import load_digits
from skmnist.plotting import ImageGalleryDisplay

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.25, stratify=y, random_state=0
)
print(X_train.shape, X_test.shape, X.dtype)

ImageGalleryDisplay.from_random(X_train, y_train, n_images=20, random_state=0)
plt.show()

# %%
# A network is a classifier
# -------------------------
#
# The network follows an :class:`~skmnist.ImageScaler`, which scales pixels of any type
# to [0, 1], in a Pipeline. All settings are parameters of the constructor. Here the
# small images are padded for the convolutions, the learning rate follows a one-cycle
# schedule, and a tenth of the training images is held out for validation. ``fit`` is
# silent; ``verbose=1`` shows a progress bar with loss and accuracy for each epoch.

from sklearn.pipeline import make_pipeline

from skmnist import ImageScaler, KerasCNNClassifier

network = KerasCNNClassifier(
    padding="same",
    learning_rate=0.003,
    learning_rate_schedule="one_cycle",
    batch_size=32,
    epochs=15,
    validation_fraction=0.1,
    random_state=0,
)
model = make_pipeline(ImageScaler(), network)
model.fit(X_train, y_train)

print(f"{network.n_parameters_:,} parameters, {network.n_iter_} epochs")
print("accuracy", round(model.score(X_test, y_test), 3))
print("the first test image is a", model.predict(X_test[:1])[0])

# %%
# The learning curves:

from skmnist.plotting import TrainingHistoryDisplay

TrainingHistoryDisplay.from_estimator(model)
plt.show()

# %%
# How good is it?
# ---------------
#
# :func:`~skmnist.evaluation.evaluate` computes the accuracy with its uncertainty, and
# scores for each digit.

from skmnist.evaluation import evaluate

print(evaluate(model, X_test, y_test))

# %%
# The misclassified images, most confident first, with the true digit, the predicted
# digit and the confidence; then the correctly classified ones, least confident first:

from skmnist.plotting import RecognitionDisplay

RecognitionDisplay.from_estimator(model, X_test, y_test, n_images=6)
plt.show()

# %%
# Search
# ------
#
# Networks work in scikit-learn's searches like any other classifier. Here,
# :func:`~skmnist.pipelines.make_model` makes a named network: a Pipeline with the steps
# ``scale`` and ``clf``.

from sklearn.model_selection import GridSearchCV

from skmnist.pipelines import make_model
from skmnist.plotting import SearchResultsDisplay

mlp = make_model(
    "mlp_512",
    learning_rate=0.01,
    learning_rate_schedule="one_cycle",
    batch_size=16,
    random_state=0,
)
search = GridSearchCV(
    mlp,
    {"clf__units": [16, 64, 256], "clf__dropout": [0.0, 0.3]},
    cv=3,
)
search.fit(X_train, y_train)
print(search.best_params_)

SearchResultsDisplay.from_estimator(search)
plt.show()

# %%
# Compare
# -------
#
# Is a network more accurate than a simpler model? :func:`~skmnist.evaluation.compare`
# fits models on the same data and tests which differences are more than chance.

from skmnist.evaluation import compare
from skmnist.plotting import ModelComparisonDisplay

table = compare(
    {"CNN": model, "MLP": search.best_estimator_, "logistic": "logistic_regression"},
    X_train,
    y_train,
    X_test=X_test,
    y_test=y_test,
    random_state=0,
)
columns = ["accuracy", "accuracy_se", "n_parameters", "verdict"]
print(table[columns].to_string(float_format="{:.4f}".format))

# %%
ModelComparisonDisplay.from_table(table, kind="fit_time")
plt.show()

# %%
# Save and load
# -------------
#
# A fitted model is plain data. A loaded model, in this or another process, predicts the
# same probabilities, bit for bit.

import tempfile
from pathlib import Path

from skmnist.persistence import load_model, save_model

folder = tempfile.TemporaryDirectory()
path = save_model(model, Path(folder.name) / "digits.joblib")
print(f"{path.stat().st_size / 1000:.0f} kB")

loaded = load_model(path)
print((loaded.predict_proba(X_test) == model.predict_proba(X_test)).all())
folder.cleanup()

# %%
# On MNIST
# --------
#
# Use :func:`~skmnist.datasets.fetch_mnist` instead of ``load_digits``; everything else
# stays the same::
#
#     from skmnist.datasets import fetch_mnist
#
#     X_train, y_train = fetch_mnist("train", return_X_y=True)
#     X_test, y_test = fetch_mnist("test", return_X_y=True)
#
# Or work in a terminal, without Python code::
#
#     skmnist train cnn_fast --dataset mnist --out mnist.safetensors
#     skmnist evaluate mnist.safetensors
#     skmnist compare --models logistic_regression,cnn_fast --dataset mnist
