"""
Saving and loading
==================

A fitted model is plain data: its parameters, a description of the network, and weights.
Another process that loads it predicts the same probabilities, bit for bit.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import joblib

from skmnist.datasets import load_digits
from skmnist.persistence import load_model, save_model
from skmnist.pipelines import make_model

X, y = load_digits(return_X_y=True)
X_train, X_test = X[:1300], X[1300:]
y_train, y_test = y[:1300], y[1300:]

model = make_model("mlp_512", batch_size=16, random_state=0)
model.fit(X_train, y_train)

folder = tempfile.TemporaryDirectory()
path = save_model(
    model, Path(folder.name) / "digits.joblib", metadata={"trained on": "digits"}
)
print(f"{path.stat().st_size / 1000:.0f} kB")

# %%
# Load the model in a separate process, and compare the hash of its probabilities:

script = """
import sys
import joblib
from skmnist.datasets import load_digits
from skmnist.persistence import load_model

model = load_model(sys.argv[1])
X, _ = load_digits(return_X_y=True)
print(joblib.hash(model.predict_proba(X)))
"""
run = subprocess.run(
    [sys.executable, "-c", script, path], capture_output=True, text=True, check=True
)
print("the same:", run.stdout.strip() == joblib.hash(model.predict_proba(X)))

# %%
# ``load_model`` also returns the metadata, and reads files written by joblib or pickle.
# Load only files from sources that you trust: all of these can run code.

loaded, metadata = load_model(path, return_metadata=True)
print(metadata)

joblib.dump(model, Path(folder.name) / "plain.joblib")
print(load_model(Path(folder.name) / "plain.joblib").score(X_test, y_test))

# %%
# Some test images with the labels that the loaded model predicts:

import matplotlib.pyplot as plt

from skmnist.plotting import ImageGalleryDisplay

ImageGalleryDisplay.from_rows(X_test, range(20), loaded.predict(X_test))
plt.show()

# %%
# Training can be resumed: train the loaded network for one more epoch.

clf = loaded.named_steps["clf"]
scaled = loaded.named_steps["scale"].transform(X_train)
clf.partial_fit(scaled, y_train)
print(clf.n_iter_, "epochs")

# %%
# For other programs, ``model_`` is a Keras model, which you can save in the formats of
# Keras.

keras_path = Path(folder.name) / "digits.keras"
clf.model_.save(keras_path)
print(f"{keras_path.stat().st_size / 1000:.0f} kB")
folder.cleanup()
