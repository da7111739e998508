"""Join operators so that the values between them need no memory."""

from edgedigits_exporters.microcontroller.graph import Graph, Operator
from edgedigits_exporters.microcontroller.operators.convolution import Convolution
from edgedigits_exporters.microcontroller.operators.depthwise import Depthwise
from edgedigits_exporters.microcontroller.operators.separable import Separable


def pairs(graph: Graph) -> list[tuple[Depthwise, Convolution]]:
    """Return each depthwise convolution that only a 1x1 convolution reads, with that one."""
    found = []
    for operator in graph.operators:
        readers = graph.consumers(operator.output)
        if isinstance(operator, Depthwise) and operator.output is not graph.output and len(readers) == 1:
            (reader,) = readers
            if isinstance(reader, Convolution) and _is_pointwise(reader):
                found.append((operator, reader))
    return found


def joined(graph: Graph, chosen: list[tuple[Depthwise, Convolution]]) -> tuple[Operator, ...]:
    """Return a graph's operators, with each chosen pair as one operator."""
    firsts = {id(first) for first, _ in chosen}
    seconds = {
        id(then): Separable("SEPARABLE", then.position, first.inputs, then.output, first=first, then=then)
        for first, then in chosen
    }
    return tuple(seconds.get(id(operator), operator) for operator in graph.operators if id(operator) not in firsts)


def _is_pointwise(operator: Convolution) -> bool:
    """Whether the window is one pixel that visits every pixel."""
    window = operator.window
    one_each = window.size == window.stride == (1, 1) and window.before == (0, 0)
    return one_each and operator.name == "CONV_2D" and not operator.weights_zero_point
