"""SHAPE, STRIDED_SLICE, PACK and CAST before a RESHAPE: folded when the file is checked, since the batch is 1."""

from edgedigits_exporters.microcontroller.values import STATIC, Values
from edgedigits_runtime.errors import ArtifactUnsupported
from edgedigits_runtime.untrusted.tflite_model import StoredOperator


def parse(operator: StoredOperator, values: Values) -> None:
    """Return None: other operators take the numbers from the check.

    Raises:
        ArtifactUnsupported: they are not known, or it makes no whole numbers.
    """
    if not values.is_folded(operator):
        for slot in range(len(operator.inputs)):
            values.numbers(operator, slot)
        raise ArtifactUnsupported(f"{operator.where} computes on more than shapes, which is not supported; {STATIC}")
