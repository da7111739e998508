"""An `.onnx` file with more than one output, of which one is the classifier's."""

from pathlib import Path

from edgedigits_runtime.untrusted import onnx as untrusted_onnx
from edgedigits_runtime.untrusted import read_limited
from edgedigits_runtime.untrusted.onnx_model import (
    GRAPH_NODE,
    GRAPH_OUTPUT,
    MODEL_GRAPH,
    OnnxModel,
    read_model,
    with_data_inside,
)
from edgedigits_runtime.untrusted.protobuf import delimited, spans
from edgedigits_runtime.whole_files import write_whole

FLOATS = ("float16", "float32", "float64")


def with_one_output(source: Path, out: Path) -> str | None:
    """Write an `.onnx` file without the outputs that only repeat its decision; return the name of the one that stays.

    scikit-learn and others write the number of the best class as integers beside the probabilities. Returns None, and
    writes nothing, if the file has one output, or not exactly one of real numbers.

    Raises:
        ArtifactError: see checked_content.
    """
    content = read_limited(source)
    if _count_outputs(content) == 1:
        return None
    model = read_model(content, str(source))
    real = [value.name for value in model.outputs if value.dtype in FLOATS]
    whole = [value for value in model.outputs if value.dtype.startswith(("int", "uint"))]
    if len(real) != 1 or not whole or len(real) + len(whole) != len(model.outputs):
        return None
    alone = _without_others(content, model, real[0])
    untrusted_onnx.check(alone, str(source))
    write_whole(out, with_data_inside(alone, source.parent))
    return real[0]


def _count_outputs(content: bytes) -> int:
    """Return the number of outputs without reading the operators; 0 for a damaged file."""
    try:
        graphs = [graph for *_, field, graph in spans(memoryview(content)) if field == MODEL_GRAPH]
        return sum(field == GRAPH_OUTPUT for graph in graphs for *_, field, _ in spans(graph))
    except ValueError:
        return 0


def _without_others(content: bytes, model: OnnxModel, output: str) -> bytes:
    """Return the file with one output and the operators that it needs."""
    needed, kept = {output}, set[int]()
    for number in reversed(range(len(model.nodes))):
        if needed.intersection(model.nodes[number].outputs):
            kept.add(number)
            needed.update(model.nodes[number].inputs)
    parts = []
    for start, end, field, graph in spans(content):
        if field != MODEL_GRAPH:
            parts.append(content[start:end])
            continue
        counts = dict.fromkeys((GRAPH_NODE, GRAPH_OUTPUT), -1)
        inner = []
        for first, last, number, _ in spans(graph):
            if number in counts:
                counts[number] += 1
            if number == GRAPH_NODE and counts[number] not in kept:
                continue
            if number == GRAPH_OUTPUT and model.outputs[counts[number]].name != output:
                continue
            inner.append(bytes(graph[first:last]))
        parts.append(delimited(MODEL_GRAPH, b"".join(inner)))
    return b"".join(parts)
