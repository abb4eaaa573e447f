"""
Training a CNN in a Pipeline
============================

Scale the images, train a small convolutional network, and look at its predictions.
"""

from sklearn.metrics import classification_report
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from skmnist import ImageScaler, KerasCNNClassifier
from skmnist.datasets import load_digits

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.25, stratify=y, random_state=0
)

model = make_pipeline(
    ImageScaler(),
    KerasCNNClassifier(
        padding="same",
        learning_rate=0.003,
        learning_rate_schedule="one_cycle",
        batch_size=32,
        epochs=15,
        random_state=0,
    ),
)
model.fit(X_train, y_train)

network = model[-1]
print(f"{network.n_parameters_:,} parameters, {network.n_iter_} epochs")
print(classification_report(y_test, model.predict(X_test), digits=3))

# %%
# The first 25 test images with their predicted labels:

import matplotlib.pyplot as plt

from skmnist.plotting import ImageGalleryDisplay

ImageGalleryDisplay.from_rows(X_test, range(25), model.predict(X_test))
plt.show()
