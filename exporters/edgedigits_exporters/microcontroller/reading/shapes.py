"""SHAPE, STRIDED_SLICE, PACK and CAST around a RESHAPE: computed here, as the batch is 1."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from edgedigits_exporters.microcontroller.reading.stored import StoredOperator
from edgedigits_exporters.microcontroller.reading.values import STATIC, Values, options_of, require_inputs
from edgedigits_runtime.errors import ArtifactCorrupt, ArtifactUnsupported

Numbers = NDArray[np.int64]


def fold(operator: StoredOperator, values: Values) -> None:
    """Compute an operator on shapes and remember what it gives."""
    values.set_numbers(operator, FOLDERS[operator.name](operator, values))


def _shape(operator: StoredOperator, values: Values) -> Numbers:
    if operator.options_type != "NONE":
        options_of(operator, "ShapeOptions")
    require_inputs(operator, 1, 1)
    return np.array(values.shape_of(operator, 0), np.int64)


def _strided_slice(operator: StoredOperator, values: Values) -> Numbers:
    options = options_of(operator, "StridedSliceOptions")
    require_inputs(operator, 4, 4)
    taken = values.numbers(operator, 0)
    begin, end, stride = (values.numbers(operator, slot).ravel() for slot in (1, 2, 3))
    unknown = [name for name in ("ellipsisMask", "newAxisMask", "offset") if options[name]]
    if taken.ndim != 1 or unknown or not begin.size == end.size == stride.size == 1:
        what = f"the attribute {unknown[0]}" if unknown else f"{taken.ndim} dimensions"
        raise ArtifactUnsupported(f"{operator.where} slices a shape with {what}, which is not compiled; {STATIC}")
    if stride[0] == 0:
        raise ArtifactCorrupt(f"{operator.where} slices with a stride of 0; export it again")
    first = None if options["beginMask"] & 1 else int(begin[0])
    last = None if options["endMask"] & 1 else int(end[0])
    if not options["shrinkAxisMask"] & 1:
        return taken[slice(first, last, int(stride[0]))]
    place = 0 if first is None else first
    if not -taken.size <= place < taken.size:
        raise ArtifactCorrupt(f"{operator.where} takes entry {place} of {taken.size}; export it again")
    return np.array(taken[place], np.int64)


def _pack(operator: StoredOperator, values: Values) -> Numbers:
    options = options_of(operator, "PackOptions")
    parts = [values.numbers(operator, slot) for slot in range(len(operator.inputs))]
    if options["axis"] != 0 or options["valuesCount"] != len(parts) or any(part.size != 1 for part in parts):
        raise ArtifactUnsupported(
            f"{operator.where} packs more than single numbers along the first dimension, which is not compiled;"
            f" {STATIC}"
        )
    return np.array([int(part.ravel()[0]) for part in parts], np.int64)


def _cast(operator: StoredOperator, values: Values) -> Numbers:
    require_inputs(operator, 1, 1)
    made = values.stored(operator.outputs[0]).dtype if operator.outputs else "nothing"
    if made not in ("INT32", "INT64"):
        raise ArtifactUnsupported(f"{operator.where} makes {made}, and only whole numbers of a shape are cast")
    return values.numbers(operator, 0)


FOLDERS: dict[str, Callable[[StoredOperator, Values], Numbers]] = {
    "SHAPE": _shape,
    "STRIDED_SLICE": _strided_slice,
    "PACK": _pack,
    "CAST": _cast,
}
