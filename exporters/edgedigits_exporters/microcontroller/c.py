"""Export to standalone C99: a folder with the network, a self-test and build files."""

import dataclasses
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits_exporters import FormatOptions, Result
from edgedigits_exporters.microcontroller import literals
from edgedigits_exporters.microcontroller.activation_limits import Kernels
from edgedigits_exporters.microcontroller.frame_one import frame_one
from edgedigits_exporters.microcontroller.parsing import read_graph
from edgedigits_exporters.microcontroller.planning.lowering import make_program
from edgedigits_exporters.microcontroller.values import format_sides
from edgedigits_exporters.microcontroller.writing.digits_c import digits_c
from edgedigits_exporters.microcontroller.writing.digits_h import digits_h
from edgedigits_exporters.microcontroller.writing.project_files import (
    FRAME_EXAMPLES,
    PROJECTS,
    fill_file,
    golden_header,
    marks_of,
)
from edgedigits_exporters.whole_folders import write_folder
from edgedigits_runtime.classifier import Classifier
from edgedigits_runtime.contract import Contract, Tensor
from edgedigits_runtime.embedded_contract import MEMBER, append_zipped, read_contract
from edgedigits_runtime.engine_options import EngineOptions
from edgedigits_runtime.engines import open_engine
from edgedigits_runtime.errors import ArtifactUnsupported, ExportError, UnknownName
from edgedigits_runtime.golden import Vectors, packed, record
from edgedigits_runtime.reading.decode import decode
from edgedigits_runtime.reading.framed import FRAME_SHAPE, SIDE
from edgedigits_runtime.reading.reader import Reader
from edgedigits_runtime.synthetic.samples import golden_pictures

SUFFIX = "-c"
FRAMES = ("none", "one")


@dataclass(frozen=True)
class COptions(FormatOptions):
    """Options of a folder of C.

    Args:
        kernels: LiteRT kernels whose rounding the C code has: "xnnpack", LiteRT's default, or "reference", whose
            convolutions need no floating point.
        project: layout of the folder, a name of PROJECTS.
        frame: what digits_read finds in a camera's frame: "one" digit; "none" leaves it out.
    """

    precision: str = "int8"
    kernels: Kernels = "xnnpack"
    project: str = "plain"
    frame: str = "none"

    def __post_init__(self) -> None:
        if self.precision != "int8":
            raise ExportError(f"expected --precision int8, since C is made of an int8 model; got {self.precision}")
        if self.project not in PROJECTS:
            raise UnknownName("project", self.project, PROJECTS)
        if self.frame not in FRAMES:
            raise UnknownName("frame", self.frame, FRAMES)


OPTIONS = COptions


def export(model: Path, path: Path, options: COptions) -> Path:
    """Write an int8 `.tflite` file as a folder of C; see edgedigits_exporters.Format.

    Raises:
        ArtifactError: the file cannot be used, or it holds operators or types that C lacks.
        OutputNotWritable: the folder exists, or cannot be written.
    """
    return write_folder(path, c_files(model, options))


def compare(source: Path, artifact: Path, options: COptions, verify: Callable[[Path, Path], Result]) -> Result:  # noqa: ARG001
    """Compare the C code with LiteRT."""
    return verify(artifact, artifact / "digits.tflite")


def c_files(model: Path, options: COptions) -> dict[str, str | bytes]:
    """Return the content of each file of the folder by its name.

    The contract and the golden vectors in it state what the C code takes, whatever the file does: int8 pictures.
    """
    content, own = model.read_bytes(), options.contract or read_contract(model)
    if options.contract:
        content = append_zipped(content, own)
    if own.layout in ("NCHW", "CHW") and own.image_shape[2] > 1:
        raise ArtifactUnsupported(f"{model} takes the layout {own.layout}, expected NHWC; convert the model to NHWC")
    program = make_program(read_graph(content, str(model), own.image_shape), options.kernels)
    shape = own.image_shape
    if options.frame == "one" and (own.reader != "digits" or shape != FRAME_SHAPE):
        raise ArtifactUnsupported(
            f"{model} takes {format_sides(shape)} pixels ({own.reader}), expected a model of digits of 28x28x1;"
            " leave out --frame"
        )
    vectors = golden_vectors(model, own, options.kernels, options.frame)
    vectors["input"] = _as_int8(vectors["input"]).reshape(-1, *shape)
    for name in {"output", "frames_output"} & vectors.keys():
        vectors[name] = _as_int8(vectors[name])
    contract = dataclasses.replace(
        own,
        format="c",
        kernels=options.kernels,
        layout="NHWC",
        image=None,
        input=dataclasses.replace(_int8_tensor(own.input), shape=(1, *shape)),
        output=_int8_tensor(own.output),
    )
    heading = literals.comment(
        f"{contract.name} as standalone C99, made by edgedigits {version('edgedigits')}. Its values are LiteRT's"
        f" ({options.kernels} kernels). SHA-256 of the .tflite file: {hashlib.sha256(content).hexdigest()}."
    )
    texts = {
        "digits.h": digits_h(program, contract, heading, version("edgedigits"), options.frame),
        "digits.c": digits_c(program, contract, heading, options.frame),
        "golden.h": golden_header(vectors, options.kernels),
    }
    marks = marks_of(program, contract, texts["digits.c"], options.project)
    layout = PROJECTS[options.project] | (FRAME_EXAMPLES.get(options.project, {}) if options.frame == "one" else {})
    return {
        **{place: texts.get(name) or fill_file(name, marks) for name, place in layout.items()},
        "README.md": fill_file("README.md", marks),
        MEMBER: contract.to_json() + "\n",
        "digits.tflite": content,
        "digits.golden.npz": packed(vectors),
    }


def golden_vectors(model: Path, contract: Contract, kernels: str, frame: str = "none") -> Vectors:
    """Return LiteRT's answers to the golden pictures and, for `frame` "one", to golden frames.

    Of each frame the vectors have the grey pixels, what frame_one frames, and the output; zeros where it finds nothing.
    """
    # XNNPACK is not required: where LiteRT lacks it, the self-test detects differences.
    options = EngineOptions(kernels="reference" if kernels == "reference" else "auto")
    with open_engine(model, options=options, contract=contract) as engine:
        vectors = record(Reader(Classifier(engine)))
        if frame == "one":
            frames = golden_frames()
            found = [frame_one(grey) for grey in frames]
            framed = np.array([digit.framed if digit else np.zeros((SIDE, SIDE), np.uint8) for digit in found])
            output = engine.invoke(engine.feed(framed[..., np.newaxis]))
            output[[digit is None for digit in found]] = 0 if output.dtype == np.int8 else 128
            vectors |= {"frames": frames, "frames_framed": framed, "frames_output": output}
    return vectors


def golden_frames() -> NDArray[np.uint8]:
    """Return grey frames: three digits of the golden pictures, one of them upside down in brightness, and noise."""
    frames = [decode(encoded, channels=1)[..., 0] for encoded, _ in golden_pictures()[2:8:2]]
    frames[1] = 255 - frames[1]
    frames.append(np.random.default_rng(0).integers(90, 170, frames[0].shape, np.uint8))
    return np.array(frames, np.uint8)


def _as_int8(stored: NDArray[Any]) -> NDArray[np.int8]:
    """Return int8 values, which are uint8 ones less 128 and differ in one bit."""
    return stored if stored.dtype == np.int8 else (stored ^ np.uint8(0x80)).view(np.int8)


def _int8_tensor(tensor: Tensor) -> Tensor:
    if tensor.dtype == "int8" or tensor.zero_point is None:
        return tensor
    return dataclasses.replace(tensor, dtype="int8", zero_point=tensor.zero_point - 128)
