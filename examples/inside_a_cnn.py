"""
Inside a CNN: filters, feature maps, saliency
=============================================

Show what a convolutional network has learned, and which pixels it uses.
"""

# sphinx_gallery_thumbnail_number = 3
import matplotlib.pyplot as plt

from skmnist.datasets import load_digits
from skmnist.pipelines import make_model
from skmnist.plotting import (
    DenseWeightsDisplay,
    FeatureMapsDisplay,
    FiltersDisplay,
    NetworkDiagram,
    OcclusionSaliencyDisplay,
    RecognitionDisplay,
)

X, y = load_digits(return_X_y=True)
X_train, X_test = X[:1300], X[1300:]
y_train, y_test = y[:1300], y[1300:]

model = make_model(
    "cnn_32_64",
    filters=(16, 32),
    padding="same",
    learning_rate=0.005,
    learning_rate_schedule="one_cycle",
    batch_size=32,
    epochs=20,
    random_state=0,
)
model.fit(X_train, y_train)
print(f"accuracy {model.score(X_test, y_test):.3f}")

# %%
# The diagram shows the layers with their output shapes and numbers of parameters.
# Notebooks display it, ``diagram.save("network.svg")`` writes it to a file, and in a
# terminal ``model[-1].model_.summary()`` prints the same as a table.

diagram = NetworkDiagram.from_estimator(model)

# %%
# Filters
# -------
#
# The filters of the first convolution see pixels: ink on red increases their output,
# ink on blue decreases it. Each filter of the second convolution sees all feature maps
# of the first.

FiltersDisplay.from_estimator(model)
plt.show()

# %%
# Feature maps
# ------------
#
# An image, and the output of every convolution, pooling and activation for it. Pooling
# comes before the activation, which is faster and gives the same result:

FeatureMapsDisplay.from_estimator(model, X_test, row=4, max_maps=16)
plt.show()

# %%
# Saliency
# --------
#
# A patch is moved over the image. Where covering a part lowers the confidence, that
# part is evidence for the predicted digit (red).

OcclusionSaliencyDisplay.from_estimator(model, X_test, row=4)
plt.show()

# %%
# Correct and misclassified images:

RecognitionDisplay.from_estimator(model, X_test, y_test, n_images=6)
plt.show()

# %%
# A dense layer on the pixels
# ---------------------------
#
# Without convolutions, each unit of the first layer has a weight for every pixel. These
# are the units with the largest weights.

mlp = make_model("mlp_512", units=64, l2=0.001, epochs=20, random_state=0)
mlp.fit(X_train, y_train)
DenseWeightsDisplay.from_estimator(mlp, n_units=16)
plt.show()
