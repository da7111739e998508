"""ONNX Runtime for browsers, for any ONNX model: two files of its npm package at a pinned version.

They take 14 MB, 3.7 MB compressed. npm downloads the package; nothing here uses the network.
"""

import hashlib
import re
import tarfile
from pathlib import Path

from edgedigits_exporters.web import EngineParts, WebOptions
from edgedigits_runtime.classifier import Classifier
from edgedigits_runtime.embedded_contract import read_contract
from edgedigits_runtime.engines import open_engine
from edgedigits_runtime.errors import ExportError, ToolMissing
from edgedigits_runtime.golden import Vectors, golden_path, read_golden, record
from edgedigits_runtime.reading.reader import Reader

SUFFIX = ".onnx"

PINNED = "1.30.0"
FILES = {
    "ort.wasm.bundle.min.mjs": "11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90",
    "ort-wasm-simd-threaded.wasm": "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
}
"""SHA-256 of the files used: the package's script, and the WebAssembly that it runs."""

EXPORTS = re.compile(r"export\{([^}]*)\};?\s*(?://# sourceMappingURL=.*)?\s*$")
USED = ("InferenceSession", "Tensor", "env")


def require(model: Path, options: WebOptions) -> None:  # noqa: ARG001
    """Check that the npm package can be read; see package_files."""
    package_files(options.npm_package)


def parts(model: Path, options: WebOptions) -> EngineParts:
    """Return the parts that run an `.onnx` file in a page; see package_files for errors."""
    script, runtime = package_files(options.npm_package)
    return EngineParts(
        data={"model": model.read_bytes(), "runtime": runtime},
        golden=_golden(model, options),
        scripts=[as_global(script.decode())],
    )


def package_files(package: Path | None) -> list[bytes]:
    """Return the content of each of FILES.

    Args:
        package: the `.tgz` file of `npm pack`, or a folder with its content; None looks in the working folder.

    Raises:
        ToolMissing: the npm package is missing.
        ExportError: the package is another version, or damaged.
    """
    place = package or Path(f"onnxruntime-web-{PINNED}.tgz")
    remedy = f"run: npm pack onnxruntime-web@{PINNED}; then give its file with --npm-package"
    try:
        contents = [_content(place, name) for name in FILES]
    except (FileNotFoundError, KeyError) as error:
        raise ToolMissing(f"expected onnxruntime-web {PINNED} at {place}, not found; {remedy}") from error
    except (OSError, tarfile.TarError) as error:
        raise ExportError(f"cannot read {place}: {error}; {remedy}") from error
    for content, (name, expected) in zip(contents, FILES.items(), strict=True):
        if hashlib.sha256(content).hexdigest() != expected:
            raise ExportError(f"{name} in {place} is not the file of onnxruntime-web {PINNED}; {remedy}")
    return contents


def as_global(script: str) -> str:
    """Return the library's module as a script of a worker, which sets `globalThis.ort`.

    From disk a worker can be no module, so that the address of the module, of which it needs none, becomes a fixed one.

    Raises:
        ExportError: an export that the page uses is missing.
    """
    found = EXPORTS.search(script)
    pairs = re.findall(r"([^\s,]+) as (\w+)", found[1]) if found else []
    inner = {outer: name for name, outer in pairs}
    if found is None or not inner.keys() >= set(USED):
        raise ExportError(f"expected {', '.join(USED)} among the exports of onnxruntime-web {PINNED}, got {[*inner]}")
    script = script[: found.start()].replace("import.meta.url", '"edgedigits:/"')
    return script + f"globalThis.ort={{{','.join(f'{name}:{inner[name]}' for name in USED)}}};\n"


def _content(place: Path, name: str) -> bytes:
    if place.is_dir():
        folder = next((place / within for within in ("package/dist", "dist") if (place / within).is_dir()), place)
        return (folder / name).read_bytes()
    with tarfile.open(place) as archive:
        member = archive.extractfile(f"package/dist/{name}")
        if member is None:
            raise KeyError(name)
        return member.read()


def _golden(model: Path, options: WebOptions) -> Vectors:
    """Return ONNX Runtime's outputs for the golden pictures: those recorded beside the model, or recorded now."""
    if options.contract is None and golden_path(model).is_file():
        return read_golden(golden_path(model))
    with open_engine(model, contract=options.contract or read_contract(model)) as engine:
        return record(Reader(Classifier(engine)))
