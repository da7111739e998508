"""Recipes by name; each module holds one, as `RECIPE`."""

import importlib
from typing import TYPE_CHECKING

from edgedigits_runtime.errors import UnknownName

if TYPE_CHECKING:
    from edgedigits.recipes.recipe import Recipe

RECIPES = {
    "plain-3conv": "edgedigits.recipes.plain_3conv",
}


def get_recipe(name: str) -> "Recipe":
    """Return a recipe by its name.

    Raises:
        UnknownName: there is none of that name; the message lists them.
    """
    if name not in RECIPES:
        raise UnknownName("recipe", name, RECIPES)
    recipe: Recipe = importlib.import_module(RECIPES[name]).RECIPE
    return recipe
