"""The training model: augmentation, non-digits and teachers change only training."""

from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(0)
IMAGES = RNG.random((32, 12, 12, 1), np.float32)
TARGETS = np.eye(3, dtype=np.float32)[RNG.integers(0, 3, 32)]


def network() -> Any:
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    convolution = layers.Conv2D(4, 3, strides=2, use_bias=False)
    parts = [convolution, layers.BatchNormalization(), layers.ReLU(), layers.GlobalAveragePooling2D()]
    return keras.Sequential([keras.Input((12, 12, 1), name="image"), *parts, layers.Dense(3, activation="softmax")])


def fitted(model: Any, steps: int = 1, **options: Any) -> float:
    """Train for some steps and return the loss of the first."""
    import keras

    from edgedigits.training.training_model import TrainingModel

    trained = TrainingModel(model, **options)
    trained.compile(keras.optimizers.Adam(0.01), "categorical_crossentropy", metrics=["accuracy"])
    history = trained.fit(IMAGES, TARGETS, batch_size=32, epochs=steps, shuffle=False, verbose=0).history
    return float(history["loss"][0])


def test_without_extras_it_equals_the_network() -> None:
    import keras

    plain, taught = network(), network()
    plain.compile(keras.optimizers.Adam(0.01), "categorical_crossentropy", metrics=["accuracy"])
    plain.fit(IMAGES, TARGETS, batch_size=32, epochs=1, shuffle=False, verbose=0)
    fitted(taught)
    for one, other in zip(plain.get_weights(), taught.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_inference_uses_only_the_network() -> None:
    from edgedigits.recipes.augmentation import HANDWRITING
    from edgedigits.training.augment import Augment
    from edgedigits.training.training_model import TrainingModel

    model = network()
    others = np.zeros((9, 12, 12, 1), np.uint8)
    trained = TrainingModel(model, augment=Augment(HANDWRITING, 0), non_digits=others, teachers=[network()])
    np.testing.assert_allclose(trained.predict(IMAGES, verbose=0), model.predict(IMAGES, verbose=0), atol=1e-6)


@pytest.mark.parametrize("own_output", [False, True])
def test_non_digits_get_low_confidence_and_digits_keep_theirs(own_output: bool) -> None:
    import keras

    from edgedigits.training.training_model import TrainingModel

    # A class is the place of a bright row; a non-digit has a bright column.
    labels = np.arange(96) % 3
    images = np.zeros((96, 12, 12, 1), np.float32)
    images[np.arange(96), labels * 4 + 1] = 1
    others = np.zeros((30, 12, 12, 1), np.uint8)
    others[np.arange(30), :, np.arange(30) % 12] = 255
    keras.utils.set_random_seed(0)
    parts = [keras.layers.Flatten(), keras.layers.Dense(16, "relu")]
    parts.append(keras.layers.Dense(3 + own_output, "softmax"))
    model = keras.Sequential([keras.Input((12, 12, 1)), *parts])
    trained = TrainingModel(model, non_digits=others, non_digit_output=own_output)
    trained.compile(keras.optimizers.Adam(0.02), "categorical_crossentropy")
    trained.fit(images, np.eye(3 + own_output, dtype=np.float32)[labels], batch_size=32, epochs=30, verbose=0)
    assert model.predict(images, verbose=0)[:, :3].max(axis=1).mean() > 0.9
    answers = model.predict(others / np.float32(255), verbose=0)
    assert answers[:, :3].max(axis=1).mean() < 0.5
    assert not own_output or answers[:, 3].mean() > 0.8


def test_a_teacher_may_lack_the_output_of_a_non_digit_or_have_it_alone() -> None:
    from edgedigits.training.training_model import _of_outputs

    two, three = np.array([[0.6, 0.4]], np.float32), np.array([[0.3, 0.1, 0.6], [0, 0, 1]], np.float32)
    np.testing.assert_array_equal(np.asarray(_of_outputs(two, 3)), np.array([[0.6, 0.4, 0]], np.float32))
    np.testing.assert_allclose(np.asarray(_of_outputs(three, 2)), [[0.75, 0.25], [0, 0]], atol=1e-6)
    assert _of_outputs(two, 2) is two


@pytest.mark.parametrize("count", [1, 7, 8, 9])
def test_non_digits_are_added_to_a_batch_of_any_size(count: int) -> None:
    import keras

    from edgedigits.training.training_model import TrainingModel

    trained = TrainingModel(network(), non_digits=np.zeros((9, 12, 12, 1), np.uint8))
    trained.compile(keras.optimizers.Adam(0.01), "categorical_crossentropy")
    history = trained.fit(IMAGES[:count], TARGETS[:count], batch_size=32, verbose=0).history
    assert np.isfinite(history["loss"][0])


def test_a_student_approaches_its_teacher_which_does_not_change() -> None:
    teacher, student = network(), network()
    for variable in teacher.trainable_variables:
        variable.assign(variable + 0.3)
    taught = teacher.predict(IMAGES, verbose=0)
    before = [np.copy(weight) for weight in teacher.get_weights()]
    with_teacher = fitted(student, teachers=[teacher])
    assert with_teacher > fitted(network())
    for one, other in zip(before, teacher.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    far = np.abs(network().predict(IMAGES, verbose=0) - taught).mean()
    near = network()
    fitted(near, 30, teachers=[teacher] * 3)
    assert np.abs(near.predict(IMAGES, verbose=0) - taught).mean() < far


def test_augmented_pixels_are_normalised_as_the_runtime_does() -> None:
    from edgedigits.recipes.augmentation import Augmentation
    from edgedigits.training.augment import Augment
    from edgedigits.training.training_model import TrainingModel
    from edgedigits_runtime.preprocessing import normalise

    pixels = RNG.integers(0, 256, (4, 12, 12, 1), np.uint8)
    nothing = Augment(Augmentation(rotation=0, shift=0, scaling=0), 0)
    trained = TrainingModel(network(), augment=nothing, normalisation="column-l2")
    seen = np.asarray(trained._normalise(nothing(pixels / np.float32(255))))
    np.testing.assert_allclose(seen, normalise(pixels, "column-l2"), atol=1e-5)
