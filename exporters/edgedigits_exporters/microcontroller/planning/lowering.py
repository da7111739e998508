"""From the graph to layers with a place in memory, from which the C text is written."""

from dataclasses import dataclass

from edgedigits_exporters.microcontroller.activation_limits import Kernels
from edgedigits_exporters.microcontroller.graph import Graph, Operator, Tensor
from edgedigits_exporters.microcontroller.layer import Layer, Place, Source
from edgedigits_exporters.microcontroller.operators import lower
from edgedigits_exporters.microcontroller.planning.fusing import joined, pairs
from edgedigits_exporters.microcontroller.planning.memory import Plan, plan_memory
from edgedigits_exporters.microcontroller.planning.rows import Stage


@dataclass(frozen=True)
class Program:
    """A network ready to be written.

    Attributes:
        graph: the network.
        operators: for each layer, the operator.
        layers: layer 1, 2, ...; stage 0 is the input.
        sources: for each layer, its inputs.
        plan: of the scratch memory.
        wide_plan: the same order on processors that multiply several values at once, whose patches are larger.
    """

    graph: Graph
    operators: tuple[Operator, ...]
    layers: tuple[Layer, ...]
    sources: tuple[tuple[Source, ...], ...]
    plan: Plan
    wide_plan: Plan

    def place(self, number: int) -> Place:
        """Return the place of a layer, counted from 1."""
        rows = tuple(self.plan.rows[source.stage] for source in self.sources[number - 1])
        return Place(number, rows, self.plan.rows[number])


def make_program(graph: Graph, kernels: Kernels) -> Program:
    """Return a graph's operators as C, with an order of rows and places in memory.

    Pairs of operators are joined, which is faster, unless a pair increases the memory.

    Raises:
        ArtifactUnsupported: sizes or scales with which C could not equal LiteRT.
    """
    chosen = pairs(graph)
    best = _program(graph, joined(graph, chosen), kernels)
    for pair in list(chosen):
        fewer = [other for other in chosen if other is not pair]
        program = _program(graph, joined(graph, fewer), kernels)
        if program.plan.size < best.plan.size:
            chosen, best = fewer, program
    return best


def _program(graph: Graph, operators: tuple[Operator, ...], kernels: Kernels) -> Program:
    made: dict[int, Source] = {id(graph.input): Source(0, graph.input, graph.input)}
    stages: list[tuple[Tensor, Layer | None]] = [(graph.input, None)]
    lowered: list[tuple[Operator, Layer, tuple[Source, ...]]] = []
    for operator in operators:
        sources = tuple(made[id(tensor)] for tensor in operator.inputs)
        layer = lower(operator, sources, kernels)
        if layer is None:
            made[id(operator.output)] = Source(sources[0].stage, operator.output, sources[0].made)
            continue
        made[id(operator.output)] = Source(len(stages), operator.output, operator.output)
        stages.append((operator.output, layer))
        lowered.append((operator, layer, sources))
    plan, wide_plan = plan_memory(_stages(stages), _stages(stages, wide=True))
    with_layers, layers, all_sources = (tuple(part) for part in zip(*lowered, strict=True)) if lowered else ((), (), ())
    return Program(graph, with_layers, layers, all_sources, plan, wide_plan)


def _stages(stages: list[tuple[Tensor, Layer | None]], *, wide: bool = False) -> list[Stage]:
    made = []
    for tensor, layer in stages:
        height, width, channels = tensor.shape
        if layer is None:
            made.append(Stage(height, height, width * channels))
            continue
        patch = layer.wide_patch_bytes if wide else layer.patch_bytes
        made.append(Stage(layer.steps, height, width * channels, layer.reads, patch, layer.kept_bytes))
    return made
