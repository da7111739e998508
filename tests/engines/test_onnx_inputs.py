"""ONNX Runtime with inputs of any batch, rank and float type."""

from pathlib import Path

import numpy as np
import pytest
from onnx import parser

from edgedigits_exporters.onnx import with_contract
from edgedigits_runtime.contract import Contract, Tensor
from edgedigits_runtime.engines import open_engine

SIZES = {
    "NHWC": ("N", 3, 4, 2), "NCHW": ("N", 2, 3, 4), "NHW": ("N", 3, 4), "NF": ("N", 24),
    "HWC": (3, 4, 2), "CHW": (2, 3, 4), "HW": (3, 4), "F": (24,),
}  # fmt: skip


def write(path: Path, layout: str, batch: int | None, kind: str, output: str = "[{batch}, {values}]") -> Contract:
    """Write a model whose output are its own inputs, flat; without a batch it takes one image."""
    channels = 2 if layout in ("NHWC", "NCHW", "NF", "HWC", "CHW", "F") else 1
    values = 12 * channels
    sizes = [(batch or "N") if size == "N" else size for size in SIZES[layout]]
    first = (batch or "N") if "N" in layout else 1
    model = parser.parse_model(
        f'<ir_version: 8, opset_import: ["" : 17]> agraph ({kind}[{", ".join(map(str, sizes))}] x) =>'
        f" ({kind}{output.format(batch=first, values=values)} y) <int64[{2 if output.count(',') else 1}] sizes ="
        f" {{{f'-1, {values}' if output.count(',') else values}}}> {{ y = Reshape(x, sizes) }}"
    )
    contract = Contract(
        name="same",
        input=Tensor("x", tuple(None if size == "N" else int(size) for size in sizes), "float32"),
        output=Tensor("y", (None if first == "N" else int(first), values)[0 if output.count(",") else 1 :], "float32"),
        labels=tuple(map(str, range(values))),
        layout=layout,
        image=(3, 4, channels) if layout in ("NF", "F") else None,
        output_kind="probabilities",
        format="onnx",
    )
    path.write_bytes(with_contract(model.SerializeToString(), contract))
    return contract


def require_same(path: Path, contract: Contract, tolerance: float = 1e-6) -> None:
    for count in (1, 3, 7):
        images = np.random.default_rng(count).integers(0, 256, (count, *contract.image_shape), np.uint8)
        with open_engine(path, device="cpu") as engine:
            fed = engine.feed(images)
            found = engine.run(images)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, fed.reshape(count, -1), atol=tolerance)


@pytest.mark.parametrize("batch", [None, 1, 3])
@pytest.mark.parametrize("layout", ["NHWC", "NCHW", "NHW", "NF"])
def test_a_batch_is_looped_over_or_padded(layout: str, batch: int | None, tmp_path: Path) -> None:
    require_same(tmp_path / "a.onnx", write(tmp_path / "a.onnx", layout, batch, "float"))


@pytest.mark.parametrize("output", ["[{batch}, {values}]", "[{values}]"])
@pytest.mark.parametrize("layout", ["HWC", "CHW", "HW", "F"])
def test_a_model_of_one_image_without_a_batch(layout: str, output: str, tmp_path: Path) -> None:
    require_same(tmp_path / "a.onnx", write(tmp_path / "a.onnx", layout, None, "float", output))


@pytest.mark.parametrize("batch", [None, 3])
@pytest.mark.parametrize("kind", ["float16", "double"])
def test_other_floats_are_cast(kind: str, batch: int | None, tmp_path: Path) -> None:
    contract = write(tmp_path / "a.onnx", "NCHW", batch, kind)
    require_same(tmp_path / "a.onnx", contract, 1e-3 if kind == "float16" else 1e-6)
