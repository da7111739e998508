"""Measure size, start, speed and exactness of the page without a server, and write docs/web.md: `make bench-web`.

Sizes are of the whole folder, each file compressed separately, as hosts do. A cold start is a new browser without a
cache, timed from the start of the navigation until the page has replayed its golden vectors and can read.
"""

import argparse
import base64
import gzip
import shutil
import statistics
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import brotli
import numpy as np
from numpy.typing import NDArray

import edgedigits
from benchmarks import publishing
from edgedigits.model_files import SHIPPED
from edgedigits_exporters.microcontroller.c import COptions
from edgedigits_exporters.web.webassembly import COMPILE, compile_wasm, wasm_sources
from tests.support.browser_modules import DECODE, hosted, run_wasm

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserType, Page

PAGE_FILE = publishing.RESULTS / "web_page.json"

MODELS = ("pico", "nano", "base", "max")
STARTS = 5
SETTLING_MS = 500
ROUNDS = 5
OPTIONS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
TARGETS = {"base": (150, 300), "nano": (80, 300)}
"""Targets: compressed kilobytes, and milliseconds until ready."""


def sizes(folder: Path) -> dict[str, int]:
    """Return the bytes of a folder, raw and compressed."""
    contents = [file.read_bytes() for file in sorted(folder.iterdir())]
    return {
        "raw": sum(map(len, contents)),
        "gzip": sum(len(gzip.compress(each)) for each in contents),
        "brotli": sum(len(brotli.compress(each)) for each in contents),
    }


def cold_starts(chromium: "BrowserType", address: str) -> float:
    """Return the median milliseconds until a page is ready, each time in a new browser."""
    taken: list[float] = []
    for _ in range(STARTS):
        browser = chromium.launch(executable_path=shutil.which("chromium"), args=OPTIONS)
        page = browser.new_page()
        # Let the browser's own start finish.
        page.wait_for_timeout(SETTLING_MS)
        page.goto(address)
        page.locator("#reader:not(:empty)").wait_for()
        taken.append(page.evaluate("performance.getEntriesByName('ready to read')[0].startTime"))
        browser.close()
    return statistics.median(taken)


def image_milliseconds(page: "Page", module: bytes, images: NDArray[np.uint8]) -> float:
    """Return the milliseconds of an image in the fastest of several rounds over all images."""
    return float(
        page.evaluate(
            f"""async ([module, given, count, rounds]) => {{
                {DECODE}
                const {{ instance }} = await WebAssembly.instantiate(bytesOf(module));
                const {{ memory, digits_pixels, digits_run }} = instance.exports;
                const pixels = bytesOf(given);
                const taken = new Uint8Array(memory.buffer, digits_pixels(), 784);
                const times = [];
                for (let round = 0; round < rounds; round++) {{
                    const start = performance.now();
                    for (let k = 0; k < count; k++) {{
                        taken.set(pixels.subarray(784 * k, 784 * (k + 1)));
                        digits_run();
                    }}
                    times.push(performance.now() - start);
                }}
                return Math.min(...times) / count;
            }}""",
            [*(base64.b64encode(each).decode() for each in (module, images.tobytes())), len(images), ROUNDS],
        )
    )


def exactness(page: "Page", name: str, images: NDArray[np.uint8]) -> dict[str, int]:
    """Return the number of images with an output that differs from LiteRT's."""
    engine = edgedigits.load(name).classifier.engine
    found = run_wasm(page, (SHIPPED / f"{name}.wasm").read_bytes(), images, 10)
    different = np.any(found != engine.invoke(engine.feed(images)), axis=1)
    return {"images": len(images), "different": int(different.sum())}


def times(name: str, browser: "Browser", site: Path, images: NDArray[np.uint8]) -> dict[str, Any]:
    """Return the figures that depend on the machine."""
    ready: dict[str, float] = {}
    if name in TARGETS:
        with hosted(site) as address:
            ready["host"] = cold_starts(browser.browser_type, address)
        ready["disk"] = cold_starts(browser.browser_type, (site / "index.html").as_uri())
    sources = wasm_sources(SHIPPED / f"{name}.tflite", COptions())
    without_simd = compile_wasm(sources, compiler=[flag for flag in COMPILE if flag != "-msimd128"])
    page = browser.new_page()
    found = {
        "ready_ms": ready,
        "image_ms": image_milliseconds(page, (SHIPPED / f"{name}.wasm").read_bytes(), images[:500]),
        "image_ms_without_simd": image_milliseconds(page, without_simd, images[:500]),
    }
    page.close()
    return found


def fixed_results(name: str, browser: "Browser", site: Path, images: NDArray[np.uint8]) -> dict[str, Any]:
    """Return the figures that are the same on every machine."""
    page = browser.new_page()
    wasm_bytes = (SHIPPED / f"{name}.wasm").stat().st_size
    found = {"folder_bytes": sizes(site), "wasm_bytes": wasm_bytes, "exact": exactness(page, name, images)}
    page.close()
    return found


def page_section(found: dict[str, Any]) -> str:
    """Return the figures as Markdown."""
    rows = []
    for row in found["models"]:
        folder, ready = row["folder_bytes"], row["ready_ms"]
        rows.append([
            f"`{row['name']}`",
            f"{folder['gzip'] / 1000:.1f} KB",
            f"{folder['brotli'] / 1000:.1f} KB",
            f"{row['wasm_bytes'] / 1000:.1f} KB",
            *(f"{ready[place]:.0f} ms" if place in ready else "" for place in ("host", "disk")),
            f"{row['image_ms']:.3f} ms",
            f"{row['image_ms_without_simd']:.3f} ms",
            f"{row['exact']['different']} of {row['exact']['images']:,}",
        ])  # fmt: skip
    head = ["model", "folder, gzip", "brotli", "wasm, raw", "ready, from a host", "ready, from disk",
             "time per image", "without SIMD", "images unequal to LiteRT"]  # fmt: skip
    targets = [
        f"`{name}` at most {most} KB compressed ({_reached(found, name, 'size') / 1000:.1f}) and ready within"
        f" {soon} ms ({_reached(found, name, 'ready'):.0f})"
        for name, (most, soon) in TARGETS.items()
    ]
    return (
        f"{publishing.table(head, rows)}\n\n"
        f"Targets, with results: {'; '.join(targets)}. Measured in Chromium {found['browser']}"
        f" on {publishing.place_of(found['machine'])}, median of {STARTS} cold starts."
    )


def _reached(found: dict[str, Any], name: str, what: str) -> float:
    row = next(row for row in found["models"] if row["name"] == name)
    return float(row["folder_bytes"]["gzip"] if what == "size" else max(row["ready_ms"].values()))


def main() -> None:
    """Measure all shipped models, print and write the figures."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times-only", action="store_true", help="keep the stored sizes and exactness")
    again = [times] if parser.parse_args().times_only else [fixed_results, times]
    before = publishing.read_results(PAGE_FILE).get("models", [])
    rows: dict[str, dict[str, Any]] = {name: {"name": name} for name in MODELS} | {row["name"]: row for row in before}
    images = np.asarray(publishing.mnist_test().images, np.uint8)
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=OPTIONS)
        for name in MODELS:
            site = edgedigits.export(name, format="web", out=Path(folder) / name).path
            for measured in again:
                rows[name] |= measured(name, browser, site, images)
        found = publishing.with_machine(browser=browser.version, models=list(rows.values()))
        browser.close()
    publishing.write_results(PAGE_FILE, found)
    publishing.write_section(publishing.DOCS / "web.md", "web-page", page_section(found))


if __name__ == "__main__":
    main()
