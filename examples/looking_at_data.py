"""
Loading, viewing and storing digits
===================================

Count the labels, show some images, and write the data to files and read them back. The
same code works with ``fetch_mnist()`` instead of ``load_digits()``.
"""

# %%
# Labels
# ------

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import train_test_split

from skmnist.datasets import load_digits
from skmnist.plotting import ImageGalleryDisplay, LabelHistogramDisplay

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.25, stratify=y, random_state=0
)
print("training:", np.bincount(y_train))
print("test:    ", np.bincount(y_test))

LabelHistogramDisplay.from_labels(y_train, y_test)
plt.show()

# %%
# Pictures
# --------
#
# 25 random images, and the first nine in the data:

ImageGalleryDisplay.from_random(X_train, y_train, n_images=25, random_state=0)
plt.show()

# %%

first_nine = ImageGalleryDisplay.from_classes(X, y, labels=[9], n_images=1)
print("the first nine is row", first_nine.rows[0])
plt.show()

# %%
# CSV files
# ---------
#
# Each row is one image: the label, then one column per pixel.

import tempfile
from pathlib import Path

from skmnist.datasets import read_csv, write_csv

folder = tempfile.TemporaryDirectory()
for name, images, labels in [("train", X_train, y_train), ("test", X_test, y_test)]:
    write_csv(Path(folder.name) / f"digits_{name}.csv", images, labels)

X_read, y_read = read_csv(Path(folder.name) / "digits_train.csv")
print("the same:", (X_read == X_train).all() and (y_read == y_train).all())
row = int(np.flatnonzero(y_read == 9)[0])
print("the first nine in the file is in line", row + 1)

ImageGalleryDisplay.from_rows(X_read, [row], y_read)
plt.show()

# %%
# One file for offline work
# -------------------------
#
# A NumPy archive in the layout of Keras' MNIST file holds both sets; ``load_idx`` and
# ``fetch_mnist`` find it in a folder. Pickle works too, as for all NumPy arrays, but
# loading a pickle can run code, while loading an archive cannot.

import pickle

from skmnist.datasets import load_idx, write_npz

write_npz(Path(folder.name) / "mnist.npz", X_train, y_train, X_test, y_test)
again = load_idx(folder.name, "test")
print("the same:", (again.data == X_test).all(), "from", again.images.shape)

path = Path(folder.name) / "digits.pickle"
path.write_bytes(pickle.dumps(((X_train, y_train), (X_test, y_test))))
(_, _), (X_pickled, _) = pickle.loads(path.read_bytes())
print("the same:", (X_pickled == X_test).all())
folder.cleanup()
