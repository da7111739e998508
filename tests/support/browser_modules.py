"""Run the page's modules in a browser: a local server for their files, and calls from Python."""

import base64
import functools
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from playwright.sync_api import Page

DECODE = """
const bytesOf = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
const textOf = (array) => {
    let text = "";
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    for (let k = 0; k < bytes.length; k += 4096) text += String.fromCharCode(...bytes.subarray(k, k + 4096));
    return btoa(text);
};
"""
"""Conversions between bytes and base64, which calls can transfer."""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


class _Host(ThreadingHTTPServer):
    def handle_error(self, *_: Any) -> None:
        """Ignore a browser that closed the connection early."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            raise


@contextmanager
def hosted(folder: Path) -> Iterator[str]:
    """Serve a folder like a static host; yield its address, which ends in a slash."""
    with _Host(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def run_wasm(page: "Page", module: bytes, pixels: NDArray[np.uint8], classes: int) -> NDArray[np.int8]:
    """Return the outputs of a `.wasm` file, int8 [n, classes], for framed images, uint8 [n, ...]."""
    answers = page.evaluate(
        f"""async ([module, given, count, classes]) => {{
            {DECODE}
            const compiled = await WebAssembly.compile(bytesOf(module));
            const {{ exports }} = await WebAssembly.instantiate(compiled);
            const pixels = bytesOf(given);
            const size = pixels.length / count;
            const stored = new Int8Array(count * classes);
            const taken = new Uint8Array(exports.memory.buffer, exports.digits_pixels(), size);
            const made = new Int8Array(exports.memory.buffer, exports.digits_outputs(), classes);
            for (let k = 0; k < count; k++) {{
                taken.set(pixels.subarray(k * size, (k + 1) * size));
                exports.digits_run();
                stored.set(made, k * classes);
            }}
            return textOf(stored);
        }}""",
        [_text(module), _text(pixels.tobytes()), len(pixels), classes],
    )
    return np.frombuffer(base64.b64decode(answers), np.int8).reshape(len(pixels), classes)


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
