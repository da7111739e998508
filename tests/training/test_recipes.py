"""Recipes: names, completeness and published sizes."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from edgedigits.data.dataset import Dataset, Samples
from edgedigits.data.splits import split
from edgedigits.recipes import RECIPES, get_recipe
from edgedigits.recipes.gates import DEFAULT_GATES
from edgedigits.recipes.recipe import contract_of
from edgedigits_runtime.errors import UnknownName


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_is_sound(name: str) -> None:
    recipe = get_recipe(name)
    assert recipe.name == name
    assert recipe.summary
    assert recipe.epochs >= 1
    assert recipe.batch_size >= 1
    assert recipe.learning_rate > 0
    assert recipe.patience is None or recipe.patience >= 1
    assert set(recipe.gates) <= set(DEFAULT_GATES)
    with pytest.raises(dataclasses.FrozenInstanceError):
        recipe.epochs = 1  # type: ignore[misc]


def test_an_unknown_recipe_lists_the_known() -> None:
    with pytest.raises(UnknownName, match=r"resnet.*pico.*plain-3conv"):
        get_recipe("resnet")


def test_only_a_network_of_framed_digits_gets_an_output_for_non_digits() -> None:
    def values(side: int, labels: tuple[str, ...], **changes: Any) -> int:
        samples = Samples(np.zeros((1, side, side, 1), np.uint8), np.zeros(1, np.int64))
        recipe = dataclasses.replace(get_recipe("nano"), **changes)
        return contract_of(recipe, Dataset("made", samples, None, labels, "digits")).values

    digits = tuple("0123456789")
    assert values(28, digits) == 10
    assert values(28, digits, non_digit_output=True) == 11
    assert values(28, digits, non_digit_output=True, non_digits=0) == 10
    assert values(32, digits, non_digit_output=True) == 10
    assert values(28, ("shirt", "shoe"), non_digit_output=True) == 2


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_networks_have_the_inputs_and_outputs_of_their_contract(name: str) -> None:
    network: Any = get_recipe(name).build((28, 28, 1), 10)
    assert network.input_shape == (None, 28, 28, 1)
    assert network.output_shape == (None, 10)
    assert network.inputs[0].name == "image"
    assert network.layers[-1].name == "probabilities"
    assert get_recipe(name).build((32, 32, 3), 7).output_shape == (None, 7)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("strided-3conv", 118_090),
        ("dropout-2conv", 421_642),
        ("plain-2conv", 225_034),
        ("plain-3conv", 93_322),
        ("plain-3conv-short", 93_322),
    ],
)
def test_networks_have_the_published_size(name: str, parameters: int) -> None:
    assert get_recipe(name).build((28, 28, 1), 10).count_params() == parameters


@pytest.mark.parametrize(("name", "parameters"), [("pico", 981), ("nano", 7_829), ("base", 48_034), ("max", 287_722)])
@pytest.mark.slow
def test_the_family_has_the_parameters_of_its_cards(name: str, parameters: int) -> None:
    from edgedigits.training.folding import fold_batch_normalisation

    assert fold_batch_normalisation(get_recipe(name).build((28, 28, 1), 10)).count_params() == parameters


@pytest.mark.slow
def test_dropout_2conv_splits_all_of_mnist_as_published(mnist: Dataset) -> None:
    parts = split(mnist, get_recipe("dropout-2conv").split)
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (49_000, 10_500, 10_500)
