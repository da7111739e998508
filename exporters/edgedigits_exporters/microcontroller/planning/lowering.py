"""From the graph to layers with a place in memory, from which the C text is written."""

import dataclasses
from dataclasses import dataclass

from edgedigits_exporters.microcontroller.activation_limits import Kernels
from edgedigits_exporters.microcontroller.graph import Graph, Operator
from edgedigits_exporters.microcontroller.layer import Layer, Place, Source, resident_rows
from edgedigits_exporters.microcontroller.operators import lower
from edgedigits_exporters.microcontroller.operators.concatenation import CHANNELS, Concatenation
from edgedigits_exporters.microcontroller.operators.convolution import Convolution
from edgedigits_exporters.microcontroller.operators.depth_to_space import DepthToSpace
from edgedigits_exporters.microcontroller.operators.depthwise import Depthwise
from edgedigits_exporters.microcontroller.operators.separable import Separable
from edgedigits_exporters.microcontroller.planning.memory import Plan, plan_memory
from edgedigits_exporters.microcontroller.planning.rows import Stage


@dataclass(frozen=True)
class Lowered:
    """A network whose operators are layers.

    Attributes:
        graph: the network.
        operators: of the layers.
        layers: layer 1, 2, ...; stage 0 is the input.
        sources: inputs of the layers.
        ends: the stages that make the graph's outputs.
    """

    graph: Graph
    operators: tuple[Operator, ...]
    layers: tuple[Layer, ...]
    sources: tuple[tuple[Source, ...], ...]
    ends: tuple[int, ...]


@dataclass(frozen=True)
class Program(Lowered):
    """A network ready to be written.

    Attributes:
        plan: of the scratch memory.
        wide_plan: the same order on processors that multiply several values at once, whose patches are larger.
    """

    plan: Plan
    wide_plan: Plan

    def place(self, number: int) -> Place:
        """Return the place of a layer, counted from 1."""
        rows = tuple(resident_rows(source, self.plan.rows[source.stage]) for source in self.sources[number - 1])
        return Place(number, rows, self.plan.rows[number])


def make_program(graph: Graph, kernels: Kernels) -> Program:
    """Return a graph's operators as C, with an order of rows and places in memory.

    Pairs of operators are joined, which is faster, unless a pair increases the memory. The rows of several outputs are
    handed over as they are made, those of one are kept.

    Raises:
        ArtifactUnsupported: sizes or scales with which C could not equal LiteRT.
    """
    graph = _without_copies(graph)
    chosen = _pairs(graph)
    best = _planned(_lowered(graph, chosen, kernels))
    for pair in list(chosen):
        fewer = [other for other in chosen if other is not pair]
        program = _planned(_lowered(graph, fewer, kernels))
        if program.plan.size < best.plan.size:
            chosen, best = fewer, program
    return best


def lower_all(graph: Graph, kernels: Kernels) -> Lowered:
    """Return a graph's operators as C, with all pairs joined; errors are those of make_program."""
    graph = _without_copies(graph)
    return _lowered(graph, _pairs(graph), kernels)


def _planned(lowered: Lowered) -> Program:
    plan, wide_plan = plan_memory(
        *(_stages(lowered, wide=wide) for wide in (False, True)),
        handed_over=lowered.ends if len(lowered.ends) > 1 else (),
    )
    return Program(**vars(lowered), plan=plan, wide_plan=wide_plan)


def _lowered(graph: Graph, pairs: list[tuple[Depthwise, Convolution]], kernels: Kernels) -> Lowered:
    made: dict[int, Source] = {id(graph.input): Source(0, graph.input, graph.input)}
    lowered: list[Operator] = []
    layers: list[Layer] = []
    all_sources: list[tuple[Source, ...]] = []
    for operator in _joined(graph, pairs):
        sources = tuple(made[id(tensor)] for tensor in operator.inputs)
        layer = lower(operator, sources, kernels)
        if layer is None:
            made[id(operator.output)] = Source(sources[0].stage, operator.output, sources[0].made)
            continue
        lowered.append(operator)
        layers.append(layer)
        all_sources.append(sources)
        made[id(operator.output)] = Source(len(layers), operator.output, operator.output)
    ends = tuple(made[id(output)].stage for output in graph.outputs)
    return Lowered(graph, tuple(lowered), tuple(layers), tuple(all_sources), ends)


def _stages(lowered: Lowered, *, wide: bool) -> list[Stage]:
    height, width, channels = lowered.graph.input.shape
    stages = [Stage(height, height, width * channels)]
    for operator, layer in zip(lowered.operators, lowered.layers, strict=True):
        height, width, channels = operator.output.shape
        patch = layer.wide_patch_bytes if wide else layer.patch_bytes
        stages.append(Stage(layer.steps, height, width * channels, layer.reads, patch, layer.kept_bytes))
    return stages


def _without_copies(graph: Graph) -> Graph:
    """Return a graph whose DEPTH_TO_SPACE of joined copies of one tensor read that tensor."""
    makers = {id(operator.output): operator for operator in graph.operators}
    operators: list[Operator] = []
    for operator in graph.operators:
        joined = makers.get(id(operator.inputs[0]))
        if isinstance(operator, DepthToSpace) and isinstance(joined, Concatenation):
            (source, *others), copies = joined.inputs, operator.block**2
            if joined.axis == CHANNELS and len(others) + 1 == copies and all(other is source for other in others):
                operators.append(dataclasses.replace(operator, inputs=(source,), repeats=True))
                continue
        operators.append(operator)
    read = {id(tensor) for operator in operators for tensor in operator.inputs} | set(map(id, graph.outputs))
    return dataclasses.replace(graph, operators=tuple(each for each in operators if id(each.output) in read))


def _pairs(graph: Graph) -> list[tuple[Depthwise, Convolution]]:
    """Return each depthwise convolution that only a 1x1 convolution reads, with that one."""
    found = []
    for operator in graph.operators:
        readers = graph.consumers(operator.output)
        is_output = any(operator.output is output for output in graph.outputs)
        if isinstance(operator, Depthwise) and not is_output and len(readers) == 1:
            (reader,) = readers
            if isinstance(reader, Convolution) and _is_pointwise(reader):
                found.append((operator, reader))
    return found


def _joined(graph: Graph, chosen: list[tuple[Depthwise, Convolution]]) -> tuple[Operator, ...]:
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
