"""`edgedigits export --format web`: the files of the folder, their size, and refused input."""

import gzip
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest

import edgedigits
from edgedigits.model_files import shipped_names
from edgedigits_exporters.web import WebOptions, onnxruntime_engine
from edgedigits_exporters.web.onnxruntime_engine import as_global, package_files
from edgedigits_exporters.web.site import TEMPLATES, site_files
from edgedigits_runtime.embedded_contract import append_zipped, read_contract
from edgedigits_runtime.errors import (
    ArtifactUnsupported,
    EdgedigitsError,
    ExportError,
    OutputNotWritable,
    ToolMissing,
    UnknownName,
)
from tests.conftest import REPOSITORY, RunCommand
from tests.support.needs import needs
from tests.support.tiny_models import int8_contract, tflite_bytes, write_tflite

COMPILER = needs("clang", "wasm-ld")
FILES = [
    "README.md", "edgedigits.json", "icon-192.png", "icon-512.png", "icon.svg", "index.html", "manifest.webmanifest",
    "service_worker.js",
]  # fmt: skip
MOST_BYTES = {"base": 150_000, "nano": 80_000}
"""Whole folder, each file gzipped."""
CHROME_SINCE = {"DecompressionStream": 80, ".at(": 92, "findLastIndex": 97}
"""The newest features that the page uses: https://developer.mozilla.org, browser compatibility."""


@pytest.mark.parametrize("name", MOST_BYTES)
def test_a_shipped_model_makes_a_small_folder(name: str, tmp_path: Path) -> None:
    made = edgedigits.export(name, format="web", out=tmp_path / "site")
    assert sorted(file.name for file in made.path.iterdir()) == FILES
    assert made.contract == read_contract(made.path)
    assert (made.contract.format, made.contract.kernels, made.contract.name) == ("web", "xnnpack", name)
    assert sum(len(gzip.compress(file.read_bytes())) for file in made.path.iterdir()) <= MOST_BYTES[name]
    page = (made.path / "index.html").read_text()
    assert "@" not in re.sub(r"@(media|supports|keyframes)", "", re.sub("(?s)<script.*?</script>", "", page))
    readme = (made.path / "README.md").read_text()
    assert not re.search(r"@[A-Z]+@", readme)
    assert "| `index.html` |" in readme


def test_the_same_model_makes_the_same_folder() -> None:
    model = Path(edgedigits.__file__).parent / "models" / "pico.tflite"
    assert site_files(model, WebOptions()) == site_files(model, WebOptions())


def test_another_model_changes_the_version() -> None:
    models = Path(edgedigits.__file__).parent / "models"
    workers = [
        site_files(models / f"{name}.tflite", WebOptions())["service_worker.js"].decode() for name in ("pico", "nano")
    ]
    versions = [re.findall(r"[0-9a-f]{16}", worker) for worker in workers]
    assert [len(found) for found in versions] == [1, 1]
    assert versions[0] != versions[1]
    cached = json.loads(re.findall(r"FILES = (\[.*\]);", workers[0])[0])
    assert cached == ["./", "index.html", "manifest.webmanifest", "icon.svg", "icon-192.png", "icon-512.png"]


def test_the_command_prints_the_next_step(run_command: RunCommand, tmp_path: Path) -> None:
    done = run_command("export", "pico", "--format", "web")
    folder = "pico-web"
    assert done.stdout.splitlines()[:2] == [
        f"{folder}/  web int8: {', '.join(FILES)}",
        f"open {folder}/index.html, or serve it: python -m http.server --directory {folder}",
    ]
    assert (tmp_path / folder / "index.html").is_file()
    assert "--force" in run_command("export", "pico", "--format", "web", check=1).stderr


@COMPILER
@pytest.mark.slow
def test_a_users_model_is_compiled(tmp_path: Path) -> None:
    model = write_tflite(tmp_path, "int8")
    made = edgedigits.export(model, format="web", verify=False)
    assert made.path == tmp_path / "tiny-web"
    again = edgedigits.export(model, format="web", verify=False, kernels="reference", force=True)
    assert again.contract is not None
    assert again.contract.kernels == "reference"


@COMPILER
@pytest.mark.slow
def test_a_compiled_model_is_compared_as_c(tmp_path: Path) -> None:
    made = edgedigits.export(write_tflite(tmp_path, "int8"), format="web")
    # Its contract names no data to compare on.
    assert "LiteRT" in made.unproven


def test_only_shipped_models_are_exported_without_a_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    edgedigits.export("pico", format="web", out=tmp_path / "shipped")
    with pytest.raises(ToolMissing, match="apt-get install clang lld"):
        edgedigits.export(write_tflite(tmp_path, "int8"), format="web", out=tmp_path / "own")
    assert not (tmp_path / "own").exists()


@pytest.mark.parametrize(
    ("change", "error", "fact"),
    [
        pytest.param({"model": "float"}, ArtifactUnsupported, "int8", marks=COMPILER),
        pytest.param({"model": "plain"}, ArtifactUnsupported, r"\[28, 28, 1\].*'plain'", marks=COMPILER),
        ({"engine": "onnxruntime-web", "model": "float"}, ExportError, "--engine wasm"),
        ({"precision": "float32"}, ExportError, "int8"),
        ({"engine": "webgl"}, UnknownName, "'webgl'.*wasm, onnxruntime-web"),
        ({"npm_package": Path("a.tgz")}, ExportError, "--npm-package"),
        ({"format": "c", "engine": "wasm"}, ExportError, "--engine"),
        ({"format": "tflite", "engine": "wasm"}, ExportError, "--engine"),
        ({"engine": "onnxruntime-web"}, ToolMissing, r"npm pack onnxruntime-web@1\.30\.0.*--npm-package"),
    ],
)
def test_unfit_models_and_options_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], error: type[EdgedigitsError], fact: str
) -> None:
    monkeypatch.chdir(tmp_path)
    plain = append_zipped(tflite_bytes(None, "int8"), int8_contract(reader="plain"))
    (tmp_path / "plain.tflite").write_bytes(plain)
    models = {"float": write_tflite(tmp_path), "plain": tmp_path / "plain.tflite"}
    wanted = {"model": "pico", "format": "web", "out": tmp_path / "out", "verify": False, **change}
    wanted["model"] = models.get(wanted["model"], wanted["model"])
    with pytest.raises(error, match=fact):
        edgedigits.export(**wanted)
    assert not (tmp_path / "out").exists()


def test_a_file_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputNotWritable, match=str(tmp_path / "file")):
        edgedigits.export("pico", format="web", out=tmp_path / "file", force=True)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A folder like the npm package's, with other content."""
    folder = tmp_path / "node_modules" / "onnxruntime-web" / "dist"
    folder.mkdir(parents=True)
    for name in onnxruntime_engine.FILES:
        (folder / name).write_bytes(b"something else")
    return folder.parent


def test_another_onnxruntime_web_is_refused(package: Path, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"ort\.wasm\.bundle\.min\.mjs.*1\.30\.0"):
        package_files(package)
    (package / "dist" / "ort-wasm-simd-threaded.wasm").unlink()
    with pytest.raises(ToolMissing, match=r"onnxruntime-web 1\.30\.0"):
        package_files(package)
    (tmp_path / "damaged.tgz").write_bytes(b"no archive")
    with pytest.raises(ExportError, match=r"damaged\.tgz"):
        package_files(tmp_path / "damaged.tgz")


def test_exports_of_the_library_become_a_global() -> None:
    script = "var a=1;export{a as Tensor,b$ as env,c as InferenceSession,d as default};\n//# sourceMappingURL=x.map\n"
    assert as_global(script) == "var a=1;globalThis.ort={InferenceSession:c,Tensor:a,env:b$};\n"
    with pytest.raises(ExportError, match="InferenceSession, Tensor, env"):
        as_global(script.replace("Tensor", "Other"))
    with pytest.raises(ExportError, match="InferenceSession"):
        as_global("var a;")


def test_the_docs_and_makefile_have_the_pinned_version() -> None:
    command = f"npm pack onnxruntime-web@{onnxruntime_engine.PINNED}"
    assert command in (REPOSITORY / "docs" / "web.md").read_text()
    assert f"build/onnxruntime-web-{onnxruntime_engine.PINNED}.tgz" in (REPOSITORY / "Makefile").read_text()
    assert all(name in (REPOSITORY / "docs" / "web.md").read_text() for name in onnxruntime_engine.FILES)


def test_the_docs_have_the_measured_figures() -> None:
    measured = json.loads((REPOSITORY / "benchmarks" / "results" / "web_page.json").read_text())
    docs = (REPOSITORY / "docs" / "web.md").read_text()
    for row in measured["models"]:
        assert row["exact"] == {"images": 10_000, "different": 0}
        size = row["folder_bytes"]["gzip"] / 1000
        assert f"| `{row['name']}` | {size:.1f} KB |" in docs
        assert row["name"] != "base" or f"{size:.0f} KB compressed" in docs


def test_the_readme_names_the_oldest_supported_chrome() -> None:
    source = REPOSITORY / "exporters" / "edgedigits_exporters" / "web" / "source"
    scripts = "".join(path.read_text() for path in source.rglob("*.js"))
    needed = max(version for call, version in CHROME_SINCE.items() if call in scripts)
    readme = TEMPLATES.joinpath("README.md").read_text()
    assert f"- Chrome and Edge {needed}, Firefox 113, Safari 16.4, or newer.\n" in readme


@pytest.mark.slow
def test_the_wheel_has_the_files_of_a_page(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    folder = REPOSITORY / "exporters" / "edgedigits_exporters" / "web"
    files = [path.relative_to(folder) for path in folder.rglob("*.*") if path.is_file()]
    wanted = {f"edgedigits_exporters/web/{path}" for path in files if path.parts[0] != "source"}
    wanted |= {f"edgedigits/models/{name}.wasm" for name in shipped_names()}
    assert {name for name in wanted if not name.endswith(".pyc")} <= names
    assert not any("web/source/" in name for name in names)
