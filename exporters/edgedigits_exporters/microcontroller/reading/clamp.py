"""QUANTIZE, RELU and RELU6: the same values at another scale, within limits."""

from edgedigits_exporters.microcontroller.graph import Clamp
from edgedigits_exporters.microcontroller.reading.stored import StoredOperator
from edgedigits_exporters.microcontroller.reading.values import Values, options_of, require_inputs, require_shape

BYTES = ("INT8", "UINT8")


def read(operator: StoredOperator, values: Values) -> Clamp:
    """Return a change of scale; QUANTIZE also goes between int8 and uint8, which differ by 128 and in nothing else."""
    quantizes = operator.name == "QUANTIZE"
    if operator.options_type != "NONE":
        options_of(operator, "QuantizeOptions" if quantizes else "NONE")
    require_inputs(operator, 1, 1)
    dtypes = BYTES if quantizes else ("INT8",)
    taken, made = values.activation(operator, 0, dtypes), values.make(operator, dtypes)
    require_shape(operator, made, taken.shape)
    activation = "NONE" if quantizes else operator.name
    all_int8 = all(values.stored(index).dtype == "INT8" for index in (operator.inputs[0], operator.outputs[0]))
    return Clamp(operator.name, operator.position, (taken,), made, activation, all_int8)
