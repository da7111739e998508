"""From the graph to layers with a place in memory: what the C text is written from."""

from dataclasses import dataclass

from edgedigits_exporters.microcontroller.activations import Kernels
from edgedigits_exporters.microcontroller.graph import Graph, Operator, Tensor
from edgedigits_exporters.microcontroller.layers import does_nothing, lower
from edgedigits_exporters.microcontroller.layers.layer import Layer, Place, Source
from edgedigits_exporters.microcontroller.planning.fusing import joined, pairs
from edgedigits_exporters.microcontroller.planning.memory import Plan, plan_memory
from edgedigits_exporters.microcontroller.planning.rows import Stage


@dataclass(frozen=True)
class Program:
    """A network ready to be written.

    Attributes:
        graph: what it was made of.
        layers: layer 1, 2, ...; stage 0 is the input.
        sources: for each layer, what it reads.
        plan: of the scratch memory.
        wide_plan: the same order on processors that multiply several values at once, whose patches are larger.
    """

    graph: Graph
    layers: tuple[Layer, ...]
    sources: tuple[tuple[Source, ...], ...]
    plan: Plan
    wide_plan: Plan

    def place(self, number: int) -> Place:
        """Return the place of a layer, counted from 1."""
        rows = tuple(self.plan.rows[source.stage] for source in self.sources[number - 1])
        return Place(number, rows, self.plan.rows[number])


def make_program(graph: Graph, kernels: Kernels) -> Program:
    """Give every operator its C, its rows an order, and all of it a place in memory.

    Pairs of operators are joined, which is faster, but for those without which less memory is needed.
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
    layers: list[Layer] = []
    all_sources: list[tuple[Source, ...]] = []
    stages: list[tuple[Tensor, Layer | None]] = [(graph.input, None)]
    for operator in operators:
        sources = tuple(made[id(tensor)] for tensor in operator.inputs)
        if does_nothing(operator, kernels):
            made[id(operator.output)] = Source(sources[0].stage, operator.output, sources[0].made)
            continue
        layer = lower(operator, sources, kernels)
        made[id(operator.output)] = Source(len(stages), operator.output, operator.output)
        stages.append((operator.output, layer))
        layers.append(layer)
        all_sources.append(sources)
    plan, wide_plan = plan_memory(_stages(stages), _stages(stages, wide=True))
    return Program(graph, tuple(layers), tuple(all_sources), plan, wide_plan)


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
