"""Export to standalone C99: a folder with the network, a self-test and build files."""

import dataclasses
import hashlib
import tempfile
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
from edgedigits_exporters.microcontroller.parsing import read_graph
from edgedigits_exporters.microcontroller.planning.lowering import make_program
from edgedigits_exporters.microcontroller.writing.digits_c import digits_c
from edgedigits_exporters.microcontroller.writing.digits_h import digits_h
from edgedigits_exporters.microcontroller.writing.project_files import PROJECTS, fill_file, golden_header, marks_of
from edgedigits_exporters.whole_folders import write_folder
from edgedigits_runtime.classifier import Classifier
from edgedigits_runtime.contract import Contract, Tensor
from edgedigits_runtime.embedded_contract import MEMBER, append_zipped, read_contract
from edgedigits_runtime.engine_options import EngineOptions
from edgedigits_runtime.engines import open_engine
from edgedigits_runtime.errors import ArtifactUnsupported, ExportError, UnknownName
from edgedigits_runtime.golden import Vectors, packed, record
from edgedigits_runtime.reading.reader import Reader

SUFFIX = "-c"


@dataclass(frozen=True)
class COptions(FormatOptions):
    """Options of a folder of C.

    Args:
        kernels: LiteRT kernels whose rounding the C code has: "xnnpack", LiteRT's default, or "reference", whose
            convolutions need no floating point.
        project: layout of the folder, a name of PROJECTS.
    """

    precision: str = "int8"
    kernels: Kernels = "xnnpack"
    project: str = "plain"

    def __post_init__(self) -> None:
        if self.precision != "int8":
            raise ExportError(f"expected --precision int8, since C is made of an int8 model; got {self.precision}")
        if self.project not in PROJECTS:
            raise UnknownName("project", self.project, PROJECTS)


OPTIONS = COptions


def export(model: Path, path: Path, options: COptions) -> Path:
    """Write an int8 `.tflite` file as a folder of C; see edgedigits_exporters.Format.

    Raises:
        ArtifactError: the file cannot be used, or it holds operators or types that C lacks.
        OutputNotWritable: the folder exists, or cannot be written.
    """
    return write_folder(path, c_files(model, options))


def compare(source: Path, artifact: Path, options: COptions, verify: Callable[[Path, Path], Result]) -> Result:
    """Compare the C code with LiteRT; digits.h and digits.c are the same in every layout."""
    if options.project == "plain":
        return verify(artifact, artifact / "digits.tflite")
    with tempfile.TemporaryDirectory(prefix="edgedigits-") as folder:
        plain = export(source, Path(folder) / "c", dataclasses.replace(options, project="plain"))
        return verify(plain, plain / "digits.tflite")


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
    vectors = golden_vectors(model, own, options.kernels)
    shape = own.image_shape
    vectors["input"] = _as_int8(vectors["input"]).reshape(-1, *shape)
    vectors["output"] = _as_int8(vectors["output"])
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
        "digits.h": digits_h(program, contract, heading, version("edgedigits")),
        "digits.c": digits_c(program, contract, heading),
        "golden.h": golden_header(vectors["framed"], vectors["output"], options.kernels),
    }
    marks = marks_of(program, contract, texts["digits.c"], options.project)
    layout = PROJECTS[options.project]
    return {
        **{place: texts.get(name) or fill_file(name, marks) for name, place in layout.items()},
        "README.md": fill_file("README.md", marks),
        MEMBER: contract.to_json() + "\n",
        "digits.tflite": content,
        "digits.golden.npz": packed(vectors),
    }


def golden_vectors(model: Path, contract: Contract, kernels: str) -> Vectors:
    """Return LiteRT's answers to the golden pictures."""
    # XNNPACK is not required: where LiteRT lacks it, the self-test detects differences.
    options = EngineOptions(kernels="reference" if kernels == "reference" else "auto")
    with open_engine(model, options=options, contract=contract) as engine:
        return record(Reader(Classifier(engine)))


def _as_int8(stored: NDArray[Any]) -> NDArray[np.int8]:
    """Return int8 values, which are uint8 ones less 128 and differ in one bit."""
    return stored if stored.dtype == np.int8 else (stored ^ np.uint8(0x80)).view(np.int8)


def _int8_tensor(tensor: Tensor) -> Tensor:
    if tensor.dtype == "int8" or tensor.zero_point is None:
        return tensor
    return dataclasses.replace(tensor, dtype="int8", zero_point=tensor.zero_point - 128)
