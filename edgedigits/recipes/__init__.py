"""Recipes by name; each module holds one, as `RECIPE`."""

import importlib
from typing import TYPE_CHECKING

from edgedigits_runtime.errors import UnknownName

if TYPE_CHECKING:
    from edgedigits.recipes.recipe import Recipe

RECIPES = {
    "pico": "edgedigits.recipes.pico",
    "nano": "edgedigits.recipes.nano",
    "base": "edgedigits.recipes.base",
    "max": "edgedigits.recipes.max",
    "teacher": "edgedigits.recipes.teacher",
    "strided-3conv": "edgedigits.recipes.strided_3conv",
    "dropout-2conv": "edgedigits.recipes.dropout_2conv",
    "plain-2conv": "edgedigits.recipes.plain_2conv",
    "plain-3conv": "edgedigits.recipes.plain_3conv",
    "plain-3conv-short": "edgedigits.recipes.plain_3conv_short",
}

DEFAULT_RECIPE = "base"
"""The network of the model that pictures are read with if none is named."""

FINDER = "finder"
"""The recipe of the network that finds digits: edgedigits.finding trains it, on drawn scenes."""

PUBLISHED = ("strided-3conv", "dropout-2conv", "plain-2conv", "plain-3conv", "plain-3conv-short")
"""Networks published by others and reproduced as published; the rest are this project's own."""


def get_recipe(name: str) -> "Recipe":
    """Return a recipe by name; the error for an unknown name lists all."""
    if name not in RECIPES:
        raise UnknownName("recipe", name, RECIPES)
    recipe: Recipe = importlib.import_module(RECIPES[name]).RECIPE
    return recipe
