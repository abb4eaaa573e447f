"""
Finding label errors
====================

Some labels of the digits are changed on purpose, as if somebody had mistyped them.
Cross-validation with a small network finds them again.
"""

# %%
# Wrong labels
# ------------

import matplotlib.pyplot as plt
import numpy as np

from skmnist.datasets import load_digits
from skmnist.evaluation import find_label_errors
from skmnist.pipelines import make_model
from skmnist.plotting import ImageGalleryDisplay

X, y_true = load_digits(return_X_y=True)
rng = np.random.default_rng(0)
wrong = np.sort(rng.choice(len(y_true), size=30, replace=False))
y = y_true.copy()
y[wrong] = (y[wrong] + rng.integers(1, 10, size=30)) % 10
print(f"{len(wrong)} of {len(y):,} labels are wrong")

# %%
# Finding them
# ------------
#
# Each image is classified by a copy of the network that was not trained on it. Its
# label is suspected if the network is confident of another one. The model is not
# changed and need not be fitted.

model = make_model("mlp_512", units=128, epochs=25, batch_size=32, random_state=0)
errors = find_label_errors(model, X, y, cv=5, random_state=0)
print(errors)

# %%
# The most suspicious images, with the given label, the suggested one and its
# probability:

ImageGalleryDisplay.from_label_errors(X, errors, n_images=30, n_columns=10)
plt.show()

# %%
# How many were found
# -------------------

suspected = errors.indices[: errors.n_suspected]
found = np.intersect1d(suspected, wrong)
right = errors.suggested[found] == y_true[found]
print(f"{len(found)} of the {len(suspected)} suspected labels are wrong,")
print(f"and for {right.sum()} of these the suggested label is the true one")

# %%
# The other suspected images are labelled correctly, but hard. So look at the images
# before you change or drop labels. ``errors.to_frame()`` has all of them, most
# suspicious first. :doc:`/guide/label_errors` finds known label errors of MNIST.
