"""Export to a page without a server: a folder for any host, or to open from disk."""

import dataclasses
import gzip
import hashlib
import json
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from edgedigits_exporters import Result
from edgedigits_exporters.microcontroller import c
from edgedigits_exporters.web import WebOptions
from edgedigits_exporters.web.inlining import inline_page, packed
from edgedigits_exporters.web.parts import EngineParts
from edgedigits_exporters.web.webassembly import prebuilt_wasm
from edgedigits_exporters.whole_folders import write_folder
from edgedigits_runtime.contract import Contract
from edgedigits_runtime.embedded_contract import MEMBER, read_contract
from edgedigits_runtime.errors import ArtifactUnsupported
from edgedigits_runtime.reading.frame import FRAME_SHAPE
from edgedigits_runtime.templates import fill

SUFFIX = "-web"
OPTIONS = WebOptions

REPLAYED = 5
"""Of the golden pictures, when a page starts; each takes 300 bytes."""
ICONS = ("icon.svg", "icon-192.png", "icon-512.png")
FOR_VISITORS = ("index.html", "manifest.webmanifest", *ICONS)
"""What the service worker keeps."""

READ_BY_PAGE = (
    "name", "input", "output", "labels", "normalisation", "reader", "temperature", "rejection_threshold",
)  # fmt: skip
"""Of the contract; the rest stands beside the page."""

PAGE = files("edgedigits_exporters.web").joinpath("page")
TEMPLATES = files("edgedigits_exporters.web").joinpath("templates")


def export(model: Path, path: Path, options: WebOptions) -> Path:
    """Write a page that reads with a `.tflite` or `.onnx` file; see edgedigits_exporters.Format.

    Raises:
        ArtifactError: the file cannot be used, or the page cannot feed it.
        ExportError: what the engine needs is missing, or failed.
        OutputNotWritable: the folder exists, or could not be written.
    """
    return write_folder(path, site_files(model, options))


def compare(
    source: Path,
    artifact: Path,  # noqa: ARG001
    options: WebOptions,
    verify: Callable[[Path, Path], Result],
) -> Result | None:
    """Compare the C code that the WebAssembly is compiled from with LiteRT; a `.wasm` beside the model was compared
    when it was made.
    """
    if options.engine != "wasm" or prebuilt_wasm(source, options.code) is not None:
        return None
    with tempfile.TemporaryDirectory(prefix="edgedigits-") as folder:
        code = c.export(source, Path(folder) / "c", options.code)
        return c.compare(source, code, options.code, verify)


def site_files(model: Path, options: WebOptions) -> dict[str, str | bytes]:
    """Return the content of each file of the folder by its name."""
    contract = options.contract or read_contract(model)
    if contract.reader != "digits" or contract.image_shape != FRAME_SHAPE:
        raise ArtifactUnsupported(
            f"{model}: the page finds digits and frames them as {list(FRAME_SHAPE)}; {contract.name} takes"
            f" {list(contract.image_shape)} and reader {contract.reader!r}"
        )
    engine: EngineParts = options.engine_module().parts(model, options)
    contract = dataclasses.replace(contract, format="web", kernels=engine.kernels)
    made: dict[str, str | bytes] = {
        "index.html": _page(contract, engine, options.engine),
        "manifest.webmanifest": _manifest(contract),
        **{name: PAGE.joinpath(name).read_bytes() for name in ICONS},
        MEMBER: contract.to_json() + "\n",
    }
    worker = _service_worker({name: made[name] for name in FOR_VISITORS})
    marks = _marks(contract, options.engine, model)
    size = sum(len(gzip.compress(_encoded(content))) for content in [worker, *(made[name] for name in FOR_VISITORS)])
    marks["SIZE"] = f"{size / 1000:,.0f}"
    return {**made, "service_worker.js": worker, "README.md": _filled("README.md", marks)}


def _page(contract: Contract, engine: EngineParts, name: str) -> str:
    whole = json.loads(contract.to_json())
    settings = {
        "engine": name,
        "contract": {field: whole[field] for field in READ_BY_PAGE},
        "golden": {key: packed(engine.golden[key][:REPLAYED].tobytes()) for key in ("framed", "output")},
    }
    return inline_page(
        PAGE.joinpath("index.html").read_text(),
        PAGE.joinpath("style.css").read_text(),
        [*engine.scripts, PAGE.joinpath("local_page.js").read_text()],
        {"settings": settings, **engine.data},
        PAGE.joinpath("icon.svg").read_bytes(),
    )


def _manifest(contract: Contract) -> str:
    sizes = {"icon.svg": "any", "icon-192.png": "192x192", "icon-512.png": "512x512"}
    kinds = {".svg": "image/svg+xml", ".png": "image/png"}
    manifest: dict[str, Any] = {
        "name": f"Digits, read by {contract.name}",
        "short_name": "Digits",
        "description": "Reads handwritten digits on the device: drawn, photographed or from the webcam.",
        "id": "./",
        "start_url": "./",
        "scope": "./",
        "display": "standalone",
        "icons": [{"src": name, "sizes": sizes[name], "type": kinds[Path(name).suffix]} for name in ICONS],
    }
    return json.dumps(manifest, indent=1) + "\n"


def _service_worker(kept: dict[str, str | bytes]) -> str:
    """Return the worker, whose version tells what it keeps."""
    digest = hashlib.sha256()
    for name, content in sorted(kept.items()):
        digest.update(f"{name}\0{len(content)}\0".encode() + _encoded(content))
    return _filled("service_worker.js", {"VERSION": digest.hexdigest()[:16], "FILES": json.dumps(["./", *kept])})


def _marks(contract: Contract, name: str, model: Path) -> dict[str, str]:
    accuracy = contract.accuracy
    told = [
        f"Accuracy: {accuracy['top1']:.2%} of {accuracy['images']:,} images of {accuracy['dataset']}"
        if accuracy
        else "Accuracy: not measured",
        f"Labels: {', '.join(contract.labels)}",
        f"Precision: {contract.precision}",
        f"Rejection threshold: {contract.rejection_threshold:.4g}",
    ]
    return {
        "NAME": contract.name,
        "ENGINE": name,
        "GOLDEN": str(REPLAYED),
        "CONTRACT": "\n".join(f"- {line}" for line in told),
        "VERSION": version("edgedigits"),
        "SHA256": hashlib.sha256(model.read_bytes()).hexdigest(),
    }


def _filled(name: str, marks: dict[str, str]) -> str:
    return fill(TEMPLATES.joinpath(name).read_text(), marks)


def _encoded(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content
