"""
Reading digits in a photo
=========================

Find the digits on a sheet of paper, classify them, and show where they were. The sheet
is made here from digits that the model has not seen, so that the example needs no
download. With a photo of your own, begin with ``read_picture("photo.jpg")``.
"""

# %%
# A model
# -------
#
# Networks that read handwriting are trained on images like those of MNIST. Here the
# digits of scikit-learn are brought to that form:

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image
from sklearn.pipeline import make_pipeline

from skmnist import Augmentation, DigitExtractor, DigitNormalizer, KerasCNNClassifier
from skmnist.datasets import load_digits
from skmnist.plotting import ExtractedDigitsDisplay
from skmnist.preprocessing import ImageScaler


def enlarged(image, scale=6):
    size = scale * image.shape[1], scale * image.shape[0]
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC))


digits = load_digits()
images = np.array([enlarged(image) for image in digits.images])
X = DigitNormalizer().fit_transform(images)
model = make_pipeline(
    ImageScaler(),
    KerasCNNClassifier(
        filters=(16, 32),
        units=64,
        augmentation=Augmentation(rotation=10, zoom=0.1),
        epochs=8,
        random_state=0,
    ),
)
model.fit(X[100:], digits.target[100:])

# %%
# A sheet of paper
# ----------------
#
# Three rows of digits in dark ink, on squared paper that is darker on the right, with
# some noise:

rng = np.random.default_rng(0)
rows = [np.hstack([np.pad(i, 22) for i in images[n : n + 5]]) for n in (10, 15, 20)]
ink = np.pad(np.vstack(rows), 20) / 255
paper = np.linspace(235, 150, ink.shape[1]) * np.ones((len(ink), 1))
paper[12::32] *= 0.85
paper[:, 5::32] *= 0.85
sheet = np.clip(paper * (1 - 0.7 * ink) + rng.normal(0, 4, ink.shape), 0, 255)
sheet = sheet.astype(np.uint8)

# %%
# Its digits
# ----------
#
# The digits are found and classified. The images at the bottom are what the network
# gets:

display = ExtractedDigitsDisplay.from_estimator(model, sheet)
plt.show()
print(*display.lines, sep="\n")

# %%
# The same in two steps, with the positions of the digits:

found = DigitExtractor().extract(sheet)
labels = model.predict(found.images.reshape(len(found), -1))
for label, row, box in list(zip(labels, found.rows, found.boxes, strict=True))[:3]:
    print(label, "in row", row, "at", box)
