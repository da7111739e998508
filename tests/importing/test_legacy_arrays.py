"""Slices of Keras 2 networks: what has an operation of Keras 3, and what is refused by its layer's name."""

from typing import Any

import pytest

from edgedigits.importing.legacy_arrays import Tensor
from edgedigits.importing.legacy_operations import translate_operation
from edgedigits_runtime.errors import ArtifactUnsupported

X = Tensor("conv", 0, 0)
ALL = {"start": None, "stop": None, "step": None}


def test_a_slice_becomes_get_item() -> None:
    layer, inputs = translate_operation("cut", "__operators__.getitem", X, {"slice_spec": [ALL, 0]})
    assert (layer.class_name, inputs) == ("GetItem", [X])
    ((whole, first),) = layer.constants
    assert whole["class_name"] == "__slice__" and first == 0


def test_a_strided_slice_is_written_as_a_slice() -> None:
    given = {"begin": [0, 1], "end": [0, 5], "begin_mask": 1, "end_mask": 1, "shrink_axis_mask": 0}
    layer, _ = translate_operation("cut", "strided_slice", X, given)
    assert layer.constants[0][1]["config"] == {"start": 1, "stop": 5, "step": 1}


@pytest.mark.parametrize(
    ("function", "given"),
    [
        ("__operators__.getitem", {"slice_spec": [0]}),
        ("__operators__.getitem", {"slice_spec": [{"start": 1, "stop": None, "step": None}]}),
        ("__operators__.getitem", {"slice_spec": [ALL, X]}),
        ("strided_slice", {"begin": [0], "end": [1]}),
        ("expand_dims", {"axis": 0}),
        ("squeeze", {"axis": None}),
        ("math.reduce_sum", {"axis": [0, 1]}),
        ("math.reduce_sum", {}),
        ("split", {"num_or_size_splits": [1, 2], "axis": -1}),
        ("math.pow", {"y": X}),
        ("pad", {"paddings": [[0, 0], [1, 1], [10**9, 0], [0, 0]]}),
        ("linalg.matmul", {"b": X, "transpose_b": True}),
    ],
)
def test_what_mixes_images_or_has_no_operation_is_refused(function: str, given: dict[str, Any]) -> None:
    with pytest.raises(ArtifactUnsupported, match=rf"'cut'.*{function}"):
        translate_operation("cut", function, X, given)
