"""SHAPE, STRIDED_SLICE, PACK and CAST before a RESHAPE: computed at export, since the batch is 1."""

from collections.abc import Callable

import numpy as np

from edgedigits_exporters.microcontroller.values import BYTES, STATIC, Numbers, Values, options_of
from edgedigits_runtime.errors import ArtifactCorrupt, ArtifactUnsupported
from edgedigits_runtime.untrusted.tflite_model import StoredOperator


def parse(operator: StoredOperator, values: Values) -> None:
    """Compute an operator on shapes and store its result."""
    values.set_numbers(operator, COMPUTE[operator.name](operator, values))


def _shape(operator: StoredOperator, values: Values) -> Numbers:
    values.activation(operator, 0, BYTES)
    return np.array(values.stored_input(operator, 0).shape, np.int64)


def _strided_slice(operator: StoredOperator, values: Values) -> Numbers:
    options = options_of(operator)
    source = values.numbers(operator, 0)
    begin, end, stride = (values.numbers(operator, slot).ravel() for slot in (1, 2, 3))
    unknown = [name for name in ("ellipsis_mask", "new_axis_mask", "offset") if options[name]]
    if source.ndim != 1 or unknown or not begin.size == end.size == stride.size == 1:
        what = f"the attribute {unknown[0]}" if unknown else f"{source.ndim} dimensions"
        raise ArtifactUnsupported(f"{operator.where} slices a shape with {what}, which is not supported; {STATIC}")
    if stride[0] == 0:
        raise ArtifactCorrupt(f"{operator.where} slices with a stride of 0; export it again")
    first = None if options["begin_mask"] & 1 else int(begin[0])
    last = None if options["end_mask"] & 1 else int(end[0])
    if not options["shrink_axis_mask"] & 1:
        return source[slice(first, last, int(stride[0]))]
    place = first or 0
    if not -source.size <= place < source.size:
        raise ArtifactCorrupt(f"{operator.where} takes entry {place} of {source.size}; export it again")
    return np.array(source[place], np.int64)


def _pack(operator: StoredOperator, values: Values) -> Numbers:
    parts = [values.numbers(operator, slot) for slot in range(len(operator.inputs))]
    if options_of(operator)["axis"] != 0 or any(part.size != 1 for part in parts):
        raise ArtifactUnsupported(
            f"{operator.where} packs more than single numbers along the first dimension, which is not supported;"
            f" {STATIC}"
        )
    return np.array([int(part.ravel()[0]) for part in parts], np.int64)


def _cast(operator: StoredOperator, values: Values) -> Numbers:
    dtype = values.stored_output(operator).dtype
    if dtype not in ("INT32", "INT64"):
        raise ArtifactUnsupported(f"{operator.where} makes {dtype}, expected INT32 or INT64")
    return values.numbers(operator, 0)


COMPUTE: dict[str, Callable[[StoredOperator, Values], Numbers]] = {
    "CAST": _cast,
    "PACK": _pack,
    "SHAPE": _shape,
    "STRIDED_SLICE": _strided_slice,
}
