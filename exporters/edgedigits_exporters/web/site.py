"""Export a page that needs no server: a folder for any host, or to open from disk."""

import dataclasses
import gzip
import hashlib
import json
import re
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from edgedigits_exporters import Result
from edgedigits_exporters.microcontroller import c
from edgedigits_exporters.web import EngineParts, WebOptions
from edgedigits_exporters.web.inlining import inline_page, packed
from edgedigits_exporters.web.webassembly import file_sha256, finder_parts, prebuilt_wasm
from edgedigits_exporters.whole_folders import write_folder
from edgedigits_runtime.contract import Contract
from edgedigits_runtime.embedded_contract import MEMBER, read_contract
from edgedigits_runtime.errors import ArtifactUnsupported
from edgedigits_runtime.reading.framed import FRAME_SHAPE
from edgedigits_runtime.templates import fill

SUFFIX = "-web"
OPTIONS = WebOptions

REPLAYED = 5
"""Golden pictures that the page replays when it starts; each takes 300 bytes."""
ICONS = {
    "icon.svg": {"sizes": "any", "type": "image/svg+xml"},
    "icon-192.png": {"sizes": "192x192", "type": "image/png"},
    "icon-512.png": {"sizes": "512x512", "type": "image/png"},
}
CACHED = ("index.html", "manifest.webmanifest", *ICONS)
"""Files that a visitor loads and the service worker caches."""

READ_BY_PAGE = (
    "name", "input", "output", "labels", "non_digit", "normalisation", "reader", "layout", "image", "polarity",
    "output_kind", "temperature", "rejection_threshold",
)  # fmt: skip
"""Contract fields in the page; edgedigits.json has all."""

PAGE = files("edgedigits_exporters.web").joinpath("page")
TEMPLATES = files("edgedigits_exporters.web").joinpath("templates")


def export(model: Path, path: Path, options: WebOptions) -> Path:
    """Write a page that reads with a `.tflite` or `.onnx` file; see edgedigits_exporters.Format.

    Raises:
        ArtifactError: the file cannot be used, or is not a model of framed digits.
        ExportError: a tool of the engine is missing, or failed.
        OutputNotWritable: the folder exists, or could not be written.
    """
    return write_folder(path, site_files(model, options))


def compare(
    source: Path,
    artifact: Path,  # noqa: ARG001
    options: WebOptions,
    verify: Callable[[Path, Path], Result],
) -> Result | None:
    """Compare the C code with LiteRT; None for a prebuilt `.wasm` file, which was compared when it was built."""
    if options.engine != "wasm" or prebuilt_wasm(source, options.code) is not None:
        return None
    with tempfile.TemporaryDirectory(prefix="edgedigits-") as folder:
        code = c.export(source, Path(folder) / "c", options.code)
        return c.compare(source, code, options.code, verify)


def site_files(model: Path, options: WebOptions) -> dict[str, bytes]:
    """Return the content of each file of the folder by its name."""
    contract = options.contract or read_contract(model)
    if contract.reader != "digits" or contract.image_shape != FRAME_SHAPE:
        raise ArtifactUnsupported(
            f"{model}: the page needs reader 'digits' and images of {list(FRAME_SHAPE)}; {contract.name} has reader"
            f" {contract.reader!r} and images of {list(contract.image_shape)}"
        )
    engine: EngineParts = options.engine_module().parts(model, options)
    finder = finder_parts(options.finder) if options.finder else None
    # A page is published, without the place of the maker's pictures.
    contract = dataclasses.replace(contract, format="web", kernels=engine.kernels, data=None)
    others = [_beside(other, options) for other in options.beside]
    inside = _inside(contract, engine, options.engine, finder, others)
    if options.project == "npm":
        return _npm_files(contract, model, *inside)
    made = {
        "index.html": _page(*inside).encode(),
        "manifest.webmanifest": _manifest(contract).encode(),
        **{name: PAGE.joinpath(name).read_bytes() for name in ICONS},
        MEMBER: f"{contract.to_json()}\n".encode(),
    }
    cached = {name: made[name] for name in CACHED}
    worker = _service_worker(cached).encode()
    size = sum(len(gzip.compress(content)) for content in [worker, *cached.values()])
    readme = _readme(contract, options.engine, model, f"{size / 1000:,.0f}").encode()
    return {**made, "service_worker.js": worker, "README.md": readme}


def _beside(model: Path, options: WebOptions) -> tuple[Contract, EngineParts]:
    """Return another network of a page."""
    contract = read_contract(model)
    if contract.reader != "digits" or contract.image_shape != FRAME_SHAPE:
        raise ArtifactUnsupported(
            f"{model}: expected a network of digits of {list(FRAME_SHAPE)} beside that of the page"
        )
    return contract, options.engine_module().parts(model, dataclasses.replace(options, contract=None))


def _network(contract: Contract, engine: EngineParts) -> dict[str, Any]:
    """Return what the page has to know of a network."""
    whole = json.loads(contract.to_json())
    return {
        "contract": {field: whole[field] for field in READ_BY_PAGE if field in whole},
        "golden": {key: packed(engine.golden[key][:REPLAYED].tobytes()) for key in ("framed", "output")},
        "bytes": len(engine.data["model"]),
    }


def _inside(
    contract: Contract,
    engine: EngineParts,
    name: str,
    finder: tuple[bytes, dict[str, Any]] | None,
    others: list[tuple[Contract, EngineParts]],
) -> tuple[dict[str, Any], dict[str, bytes | str]]:
    """Return settings of a page and the data that its worker needs."""
    settings = {"engine": name, **_network(contract, engine), **engine.settings}
    data: dict[str, bytes | str] = {**engine.data}
    if finder:
        data["finder"], settings["finder"] = finder
    settings["beside"] = [_network(*other) for other in others]
    data |= {f"model-{other.name}": parts.data["model"] for other, parts in others}
    settings["parts"] = [*data]
    worker = [*engine.scripts, PAGE.joinpath("reader_worker.js").read_text()]
    return settings, {**data, "worker": "\n".join(worker)}


def _page(settings: dict[str, Any], data: dict[str, bytes | str]) -> str:
    return inline_page(
        PAGE.joinpath("index.html").read_text(),
        PAGE.joinpath("style.css").read_text(),
        [PAGE.joinpath("local_page.js").read_text()],
        {"settings": settings, **data},
        PAGE.joinpath("icon.svg").read_bytes(),
    )


def _npm_files(
    contract: Contract, model: Path, settings: dict[str, Any], data: dict[str, bytes | str]
) -> dict[str, bytes]:
    """Return the files of an npm package with the element."""
    parts = {name: packed(content) for name, content in data.items() if isinstance(content, bytes)}
    inside = json.dumps({"worker": data["worker"], "settings": settings, "parts": parts}, sort_keys=True)
    script = f"const EDGE_DIGITS = {inside};\n{PAGE.joinpath('element.js').read_text()}"
    name = "edge-digits-" + re.sub("[^a-z0-9]+", "-", contract.name.lower()).strip("-")
    package = {
        "name": name,
        "version": ".".join([*re.findall(r"\d+", version("edgedigits")), "0", "0"][:3]),
        "description": f"<edge-digits>: a pad that reads handwritten digits on the device, with {contract.name}.",
        "type": "module",
        "exports": "./edge-digits.js",
        "files": ["edge-digits.js", MEMBER],
        "sideEffects": True,
    }
    size = f"{len(gzip.compress(script.encode())) / 1000:,.0f}"
    values = {"NAME": name, "MODEL": contract.name, "SIZE": size, "SHA256": file_sha256(model)}
    return {
        "edge-digits.js": script.encode(),
        "package.json": f"{json.dumps(package, indent=2)}\n".encode(),
        "README.md": fill(TEMPLATES.joinpath("element.md").read_text(), values).encode(),
        MEMBER: f"{contract.to_json()}\n".encode(),
    }


def _manifest(contract: Contract) -> str:
    manifest = {
        "name": f"Digits, read by {contract.name}",
        "short_name": "Digits",
        "description": "Reads handwritten digits on the device: drawn, photographed or from the webcam.",
        "id": "./",
        "start_url": "./",
        "scope": "./",
        "display": "standalone",
        "icons": [{"src": name, **facts} for name, facts in ICONS.items()],
    }
    return json.dumps(manifest, indent=1) + "\n"


def _service_worker(cached: dict[str, bytes]) -> str:
    """Return the service worker; its version is a hash of the files that it caches."""
    digest = hashlib.sha256()
    for name, content in sorted(cached.items()):
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    values = {"VERSION": digest.hexdigest()[:16], "FILES": json.dumps(["./", *cached])}
    return fill(TEMPLATES.joinpath("service_worker.js").read_text(), values)


def _readme(contract: Contract, engine: str, model: Path, size: str) -> str:
    accuracy = contract.accuracy
    measured = (
        f"{accuracy['top1']:.2%} of {accuracy['images']:,} images of {accuracy['dataset']}"
        if accuracy
        else "not measured"
    )
    facts = {
        "Accuracy": measured,
        "Labels": ", ".join(contract.labels),
        "Precision": contract.precision,
        "Rejection threshold": f"{contract.rejection_threshold:.4g}",
    }
    values = {
        "NAME": contract.name,
        "ENGINE": engine,
        "GOLDEN": REPLAYED,
        "CONTRACT": "\n".join(f"- {name}: {fact}" for name, fact in facts.items()),
        "VERSION": version("edgedigits"),
        "SHA256": file_sha256(model),
        "SIZE": size,
    }
    return fill(TEMPLATES.joinpath("README.md").read_text(), values)
