"""Augmentation, label smoothing, averaged weights and weight decay in training."""

import numpy as np
import pytest
from builders import BACKEND, dense, small_cnn, small_mlp
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skmnist import Augmentation, ImageScaler, KerasDNNClassifier, KerasImageClassifier
from skmnist._training.data import ShuffledBatches
from skmnist.pipelines import make_model
from skmnist.preprocessing.augmentation import AugmentedImages

CHANGES = Augmentation(rotation=20, translation=0.1, elastic=0.05)
STILL = 1e-12  # a learning rate at which the weights stay what they are


def weights_of(model):
    return np.concatenate([array.ravel() for array in model.model_.get_weights()])


def own(**params):
    small = {"epochs": 2, "batch_size": 64, "random_state": 0}
    return KerasImageClassifier(builder=dense, **{**small, **params})


@pytest.mark.parametrize("make", [small_mlp, small_cnn, own])
def test_a_seed_gives_the_same_augmented_training(digits, make):
    one, same = (make(augmentation=CHANGES, epochs=2).fit(*digits) for _ in range(2))
    assert np.array_equal(weights_of(one), weights_of(same))
    assert one.history_ == same.history_
    plain = make(epochs=2).fit(*digits)
    assert not np.allclose(weights_of(one), weights_of(plain))


def test_only_training_sees_changed_images(digits):
    X, y = digits
    model = small_mlp(learning_rate=STILL, dropout=0.0, epochs=3)
    plain = clone(model).fit(X, y, X_val=X, y_val=y)
    before = X.copy()
    model.set_params(augmentation=CHANGES).fit(X, y, X_val=X, y_val=y)
    assert np.allclose(model.history_["val_loss"], plain.history_["loss"], rtol=1e-5)
    assert np.allclose(model.predict_proba(X), plain.predict_proba(X), atol=1e-6)
    assert np.array_equal(X, before)
    losses = model.history_["loss"]
    assert not np.allclose(losses, plain.history_["loss"], rtol=1e-3)
    # Other images in each epoch.
    assert len(set(np.round(losses, 5))) == 3


def test_images_change_with_the_epoch_and_not_with_the_batches():
    images = np.random.default_rng(0).random((50, 8, 8, 1)).astype(np.float32)
    labels = np.arange(50)

    def epoch(index, sizes):
        batches = ShuffledBatches(
            (images, labels),
            8,
            7,
            0,
            augmented=lambda seed: AugmentedImages(CHANGES, (8, 8, 1), seed),
        )
        read = batches.reader(index)
        parts = [read(size) for size in sizes]
        order = np.concatenate([part[1] for part in parts])
        assert np.array_equal(np.sort(order), labels)
        return np.concatenate([part[0] for part in parts])[np.argsort(order)]

    first = epoch(0, [8] * 7)
    assert np.array_equal(first, epoch(0, [50]))
    assert not np.array_equal(first, epoch(1, [8] * 7))


def test_training_that_resumes_goes_on_with_new_images(digits):
    whole = small_mlp(augmentation=CHANGES, epochs=3).fit(*digits)
    parts = small_mlp(augmentation=CHANGES, epochs=1, warm_start=True)
    for _ in range(3):
        parts.fit(*digits)
    assert np.allclose(parts.history_["loss"], whole.history_["loss"], rtol=1e-5)


def test_rows_are_images_of_the_shape_that_the_scaler_saw():
    X = np.random.default_rng(0).integers(0, 256, (60, 4, 9), dtype=np.uint8)
    y = np.arange(60) % 2
    model = KerasDNNClassifier(
        units=(4,), epochs=1, augmentation=CHANGES, random_state=0
    )
    losses = [
        clone(model).fit(images, y).history_["loss"]
        for images in (
            ImageScaler().fit_transform(X),  # not squares of 36 pixels
            (X / 255).astype(np.float32),
            (X[:, None] / 255).astype(np.float32),  # with one channel, first or last
            (X[..., None] / 255).astype(np.float32),
        )
    ]
    assert losses == losses[:1] * 4
    assert clone(model).fit(X.reshape(60, -1) / 255, y).history_["loss"] != losses[0]
    colours = np.repeat(X[:, None], 3, axis=1) / 255
    with pytest.raises(ValueError, match=r"channels come last, .* shape \(3, 4, 9\)"):
        clone(model).fit(colours, y)
    with pytest.raises(ValueError, match="not the size of a square image"):
        clone(model).fit(X.reshape(60, -1)[:, :35] / 255, y)


def test_refuses_a_background_of_another_scale(digits):
    X, y = digits
    changes = Augmentation(rotation=9, fill_value=255)
    with pytest.raises(ValueError, match=r"fill_value=255, but .* are from 0 to 1"):
        small_mlp(augmentation=changes).fit(X, y)
    small_mlp(augmentation=changes, epochs=1).fit(np.rint(255 * X).astype(np.uint8), y)


def test_bytes_may_be_augmented(digits):
    X, y = digits
    as_bytes = np.rint(255 * X).astype(np.uint8)
    one = small_mlp(augmentation=CHANGES, epochs=1).fit(as_bytes, y)
    same = small_mlp(augmentation=CHANGES, epochs=1).fit(as_bytes.astype(np.float32), y)
    assert one.history_ == same.history_


def test_a_search_sets_what_an_augmentation_does(digits):
    model = make_pipeline(
        ImageScaler(data_range=(0, 1)), small_mlp(epochs=1, augmentation=Augmentation())
    )
    name = "kerasmlpclassifier__augmentation__rotation"
    grid = {name: [0, 60]}
    search = GridSearchCV(model, grid, cv=2, scoring="neg_log_loss").fit(*digits)
    scores = search.cv_results_["mean_test_score"]
    assert scores[0] != scores[1]
    assert search.estimator[-1].augmentation.rotation == 0


def test_a_fit_keeps_no_hold_of_the_augmentation(digits):
    augmentation = Augmentation(rotation=10)
    model = small_mlp(augmentation=augmentation, epochs=1)
    assert clone(model).augmentation is not augmentation
    model.fit(*digits)
    assert model.augmentation is augmentation


def test_an_augmentation_may_be_set_with_its_parameters(digits):
    model = small_mlp()
    model.set_params(augmentation=Augmentation(), augmentation__rotation=7)
    assert model.augmentation.rotation == 7
    grid = {"augmentation": [Augmentation()], "augmentation__rotation": [0, 5]}
    GridSearchCV(small_mlp(epochs=1), grid, cv=2).fit(*digits)
    with pytest.raises(ValueError, match=r"set augmentation=Augmentation\(rotation="):
        small_mlp().set_params(augmentation__rotation=7)
    pipeline = make_model("mlp_512", augmentation__rotation=7)
    assert pipeline[-1].augmentation.rotation == 7


def test_numbers_of_numpy_give_the_same_images(digits):
    images = digits[0].reshape(-1, 8, 8)
    plain = Augmentation(shear=0.1, rotation=7).augment(images, random_state=0)
    numpy = Augmentation(shear=np.float64(0.1), rotation=np.int64(7))
    assert np.array_equal(numpy.augment(images, random_state=0), plain)


def test_a_subclass_that_training_would_not_call_is_refused(digits):
    class Other(Augmentation):
        def augment(self, X, **params):
            return X

    with pytest.raises(TypeError, match="not of a subclass"):
        small_mlp(augmentation=Other(rotation=5)).fit(*digits)


def test_a_bad_augmentation_is_refused_before_anything_is_built(digits):
    with pytest.raises(ValueError, match=r"'rotation' parameter .* Got 200"):
        small_mlp(augmentation=Augmentation(rotation=200)).fit(*digits)
    with pytest.raises(ValueError, match=r"'augmentation' parameter .* Got 15"):
        small_mlp(augmentation=15).fit(*digits)


def test_label_smoothing_mixes_the_labels_with_all_classes(digits):
    X, y = digits
    model = small_mlp(
        label_smoothing=0.3, learning_rate=STILL, dropout=0.0, epochs=1
    ).fit(X, y, sample_weight=np.linspace(0.5, 2, len(y)))
    targets = 0.7 * np.eye(10)[y] + 0.3 / 10
    losses = -(targets * model.predict_log_proba(X)).sum(axis=1)
    weights = np.linspace(0.5, 2, len(y))
    expected = np.average(losses, weights=weights)
    assert model.history_["loss"][0] == pytest.approx(expected, rel=1e-4)


def test_fits_of_another_smoothing_share_no_program(digits):
    for smoothing in (0.0, 0.1, 0.4):
        model = small_mlp(
            label_smoothing=smoothing, learning_rate=STILL, dropout=0.0, epochs=1
        ).fit(*digits)
        log_p = model.predict_log_proba(digits[0])
        right = log_p[np.arange(len(log_p)), digits[1]]
        loss = -((1 - smoothing) * right + smoothing * log_p.mean(axis=1)).mean()
        assert model.history_["loss"][0] == pytest.approx(loss, rel=1e-4)


@pytest.mark.skipif(BACKEND == "jax", reason="Keras keeps weights elsewhere meanwhile")
def test_the_fitted_weights_are_the_average_of_all_steps(digits, keras):
    steps = []

    class Weights(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            steps.append(weights_of_live(self.model))

    def weights_of_live(model):
        return np.concatenate([array.ravel() for array in model.get_weights()])

    model = small_mlp(ema_momentum=0.8, callbacks=[Weights], epochs=10).fit(*digits)
    average = steps[0]
    for weights in steps[1:]:
        average = 0.8 * average + 0.2 * weights
    assert len(steps) == 50
    assert np.allclose(weights_of(model), average, atol=1e-6)
    assert not np.allclose(average, steps[-1], atol=1e-4)
    # Without callbacks, and with more than a tenth of the steps.
    for momentum in 0.8, 0.999:
        fast = small_mlp(ema_momentum=momentum, epochs=10).fit(*digits)
        assert np.allclose(weights_of(fast), average, atol=1e-3)


def test_averaging_is_for_a_whole_fit(digits):
    averaging = small_mlp(ema_momentum=0.9)
    for name in "early_stopping", "warm_start":
        model = clone(averaging).set_params(**{name: True})
        with pytest.raises(ValueError, match=f"does not go with {name}"):
            model.fit(*digits)
    with pytest.raises(ValueError, match="partial_fit does not work with ema_momentum"):
        averaging.partial_fit(*digits, classes=range(10))
    config = {"class_name": "Adam", "config": {"use_ema": True}}
    with pytest.raises(ValueError, match="use_ema does not go with early_stopping"):
        small_mlp(optimizer=config, early_stopping=True).fit(*digits)
    fitted = small_mlp(optimizer=config, warm_start=True).fit(*digits)
    before = weights_of(fitted)
    for resume in fitted.fit, fitted.partial_fit:
        with pytest.raises(ValueError, match="use_ema does not go with warm_start or"):
            resume(*digits)
    assert np.array_equal(weights_of(fitted), before)


@pytest.mark.parametrize("ema_momentum", [None, 0.995])
def test_normalization_fits_the_final_weights(digits, ema_momentum):
    X, y = digits
    model = small_cnn(
        batch_normalization=True,
        ema_momentum=ema_momentum,
        learning_rate=0.02,
        batch_size=32,
        epochs=6,
        dropout=0.0,
        augmentation=Augmentation(rotation=20, translation=0.3),  # not in predictions
    ).fit(X, y)
    # The live layers in the order of the computation, and what they are given.
    live = model.model_
    images = X.reshape(-1, 8, 8, 1)
    outputs = live.get_layer("convolution_1")(images)
    layer = live.get_layer("normalization_1")
    found = np.asarray(outputs).mean(axis=(0, 1, 2))
    scale = np.sqrt(np.asarray(layer.moving_variance))
    assert (np.abs(np.asarray(layer.moving_mean) - found) < 0.03 * scale).all()


def test_normalization_goes_on_from_the_running_averages(digits):
    X, y = digits
    params = {"batch_normalization": True, "batch_size": 32, "dropout": 0.1}
    parts = small_mlp(epochs=2, warm_start=True, **params).fit(X, y).fit(X, y)
    whole = small_mlp(epochs=4, **params).fit(X, y)
    assert np.array_equal(parts.predict_proba(X), whole.predict_proba(X))
    # A part of the data does not stand for all.
    stream = small_mlp(**params)
    for _ in range(20):
        stream.partial_fit(X, y, classes=range(10))
    before = stream.score(X, y)
    ones = X[y == 1]
    stream.set_params(learning_rate=1e-9).partial_fit(ones[:8], [1] * 8)
    assert stream.score(X, y) > before - 0.2


@pytest.mark.parametrize("make", [small_mlp, small_cnn])
def test_a_sample_left_over_does_not_spoil_the_statistics(digits, make):
    X, y = digits
    model = make(batch_normalization=True, batch_size=256, epochs=1, random_state=0)
    variances = []
    for n_samples in 256, 257:
        live = clone(model).fit(X[:n_samples], y[:n_samples]).model_
        layer = live.get_layer("hidden_normalization_1")
        variances.append(np.asarray(layer.moving_variance).mean())
    assert variances[1] > 0.95 * variances[0]


def test_a_single_sample_cannot_be_normalized(digits):
    X, y = digits
    model = small_mlp(batch_normalization=True)
    with pytest.raises(ValueError, match=r"at least 2 samples; .* n_samples = 1"):
        model.partial_fit(X[:1], y[:1], classes=range(10))
    with pytest.raises(ValueError, match="got batch_size=1"):
        model.set_params(batch_size=1).fit(X, y)


def test_weight_decay_is_that_of_the_optimizer(digits):
    one = small_mlp(weight_decay=0.05).fit(*digits)
    config = {"class_name": "Adam", "config": {"weight_decay": 0.05}}
    same = small_mlp(optimizer=config).fit(*digits)
    assert np.array_equal(weights_of(one), weights_of(same))
    none = small_mlp(optimizer=config, weight_decay=0).fit(*digits)
    assert np.array_equal(weights_of(none), weights_of(small_mlp().fit(*digits)))


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"weight_decay": -0.1}, "weight_decay"),
        ({"ema_momentum": 1.0}, "ema_momentum"),
        ({"label_smoothing": 1}, "label_smoothing"),
        ({"batch_normalization": "yes"}, "batch_normalization"),
    ],
)
def test_values_out_of_range_are_refused(digits, params, words):
    with pytest.raises(ValueError, match=words):
        small_mlp(**params).fit(*digits)


def test_networks_without_hidden_layers(digits):
    linear = KerasDNNClassifier(
        units=(), epochs=40, learning_rate=0.02, random_state=0
    ).fit(*digits)
    assert linear.n_parameters_ == 650
    assert linear.score(*digits) > 0.9
    cnn = small_cnn(units=(), global_pooling="average", dropout=0.0).fit(*digits)
    assert cnn.n_parameters_ == 4 * 10 + 5 * 10
