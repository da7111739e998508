"""plain-3conv-short: the network of plain-3conv, trained for 5 epochs on 80% of the training images."""

from edgedigits.data.splits import SplitPlan
from edgedigits.recipes.plain_3conv import build_layers
from edgedigits.recipes.recipe import Recipe

RECIPE = Recipe(
    name="plain-3conv-short",
    summary="plain-3conv, 5 epochs in smaller batches",
    layers=build_layers,
    split=SplitPlan(validation=0.2),
    epochs=5,
    batch_size=64,
    published="about 99%",
)
