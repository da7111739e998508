"""Downloads from an HTTP server on the loopback interface, with each fault that a mirror may have."""

import contextlib
import gzip
import hashlib
import os
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgedigits.data import download
from edgedigits.data.description import DataFile
from edgedigits.data.download import fetch
from edgedigits_runtime.errors import ChecksumMismatch, DataNotFound, OutputNotWritable

CONTENT = bytes(range(256)) * 20
SERVED = gzip.compress(CONTENT, mtime=0)
HALF = len(SERVED) // 2


@dataclass
class Mirror:
    """Behaviour of a server; `ranges_asked` has the Range header of each request, or None."""

    body: bytes = SERVED
    ranges: bool = True
    announces: int | None = None
    sends: int | None = None
    status: int = 200
    shift: int = 0
    hangs: threading.Event | None = None
    hangs_after: threading.Event | None = None
    drips: int = 0
    url: str = ""
    ranges_asked: list[str | None] = field(default_factory=list)


@contextlib.contextmanager
def serving(mirror: Mirror) -> Iterator[Mirror]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requested = self.headers["Range"]
            mirror.ranges_asked.append(requested)
            if mirror.hangs:
                mirror.hangs.wait(10)
                return
            start = int(requested.removeprefix("bytes=").rstrip("-")) if requested and mirror.ranges else 0
            if start >= len(mirror.body) and start:
                self.send_error(416)
                return
            start += mirror.shift
            rest = mirror.body[start:]
            self.send_response(206 if start else mirror.status)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(mirror.body) - 1}/{len(mirror.body)}")
            self.send_header("Content-Length", str(mirror.announces or len(rest)))
            self.end_headers()
            rest = rest[: mirror.sends]
            size = mirror.drips or max(len(rest), 1)
            # The client may close the connection early.
            with contextlib.suppress(ConnectionError):
                for begin in range(0, len(rest), size):
                    self.wfile.write(rest[begin : begin + size])
                    if mirror.drips:
                        time.sleep(0.01)
            if mirror.hangs_after:
                mirror.hangs_after.wait(10)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    mirror.url = f"http://127.0.0.1:{server.server_port}/"
    try:
        yield mirror
    finally:
        for event in filter(None, (mirror.hangs, mirror.hangs_after)):
            event.set()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def mirrors() -> Iterator[contextlib.ExitStack]:
    with contextlib.ExitStack() as stack:
        yield stack


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")


def data_file(*mirrors: Mirror | str, md5_of: str = "content") -> DataFile:
    checked = CONTENT if md5_of == "content" else SERVED
    urls = tuple(mirror if isinstance(mirror, str) else mirror.url for mirror in mirrors)
    return DataFile("small", "file.gz", hashlib.md5(checked).hexdigest(), md5_of, urls)  # type: ignore[arg-type]


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("md5_of", ["content", "container"])
def test_a_download_makes_the_folder_and_leaves_one_file(tmp_path, mirrors, md5_of):
    good = mirrors.enter_context(serving(Mirror()))
    target = tmp_path / "cache" / "small" / "file.gz"
    assert fetch(data_file(good, md5_of=md5_of), target) == target
    assert target.read_bytes() == SERVED
    assert left_in(target.parent) == ["file.gz"]
    assert good.ranges_asked == [None]


@pytest.mark.parametrize("body", [CONTENT, gzip.compress(CONTENT, 1)], ids=["decompressed", "recompressed"])
def test_content_checksum_accepts_another_container(tmp_path, mirrors, body):
    good = mirrors.enter_context(serving(Mirror(body=body)))
    assert fetch(data_file(good), tmp_path / "file.gz").read_bytes() == body


def test_container_checksum_refuses_another_container(tmp_path, mirrors):
    other = mirrors.enter_context(serving(Mirror(body=gzip.compress(CONTENT, 1))))
    with pytest.raises(ChecksumMismatch, match="container"):
        fetch(data_file(other, md5_of="container"), tmp_path / "file.gz")


def test_an_interrupted_download_resumes(tmp_path, mirrors):
    flaky = mirrors.enter_context(serving(Mirror(sends=HALF)))
    target = tmp_path / "file.gz"
    with pytest.raises(DataNotFound, match=f"{HALF:,} of {len(SERVED):,}"):
        fetch(data_file(flaky), target)
    assert left_in(tmp_path) == ["file.gz.part"]
    flaky.sends = None
    fetch(data_file(flaky), target)
    assert target.read_bytes() == SERVED
    assert flaky.ranges_asked == [None, f"bytes={HALF}-"]
    assert left_in(tmp_path) == ["file.gz"]


def test_the_next_mirror_resumes_after_a_truncating_one(tmp_path, mirrors):
    cut = mirrors.enter_context(serving(Mirror(sends=HALF)))
    good = mirrors.enter_context(serving(Mirror()))
    fetch(data_file(cut, good), tmp_path / "file.gz")
    assert (tmp_path / "file.gz").read_bytes() == SERVED
    assert good.ranges_asked == [f"bytes={HALF}-"]


def test_a_server_without_ranges_sends_the_whole_file(tmp_path, mirrors):
    plain = mirrors.enter_context(serving(Mirror(ranges=False)))
    (tmp_path / "file.gz.part").write_bytes(SERVED[:HALF])
    fetch(data_file(plain), tmp_path / "file.gz")
    assert (tmp_path / "file.gz").read_bytes() == SERVED
    assert plain.ranges_asked == [f"bytes={HALF}-"]


def test_a_part_of_another_file_is_replaced(tmp_path, mirrors):
    good = mirrors.enter_context(serving(Mirror()))
    (tmp_path / "file.gz.part").write_bytes(b"x" * HALF)
    fetch(data_file(good), tmp_path / "file.gz")
    assert (tmp_path / "file.gz").read_bytes() == SERVED
    assert good.ranges_asked == [f"bytes={HALF}-", None]


def test_a_complete_part_is_not_sent_again(tmp_path, mirrors):
    good = mirrors.enter_context(serving(Mirror()))
    (tmp_path / "file.gz.part").write_bytes(SERVED)
    fetch(data_file(good), tmp_path / "file.gz")
    assert (tmp_path / "file.gz").read_bytes() == SERVED
    assert good.ranges_asked == [f"bytes={len(SERVED)}-"]


def test_an_answer_from_another_offset_is_discarded(tmp_path, mirrors):
    shifted = mirrors.enter_context(serving(Mirror(shift=1)))
    good = mirrors.enter_context(serving(Mirror()))
    (tmp_path / "file.gz.part").write_bytes(SERVED[:HALF])
    fetch(data_file(shifted, good), tmp_path / "file.gz")
    assert (tmp_path / "file.gz").read_bytes() == SERVED
    assert shifted.ranges_asked == [f"bytes={HALF}-"]
    assert good.ranges_asked == [None]


@settings(max_examples=25, deadline=None)
@given(
    part=st.one_of(
        st.integers(0, len(SERVED)).map(lambda length: SERVED[:length]),
        st.binary(max_size=2 * len(SERVED)),
    ),
    ranges=st.booleans(),
)
def test_any_part_leads_to_the_right_file(part, ranges):
    with tempfile.TemporaryDirectory() as folder, serving(Mirror(ranges=ranges)) as mirror:
        (Path(folder) / "file.gz.part").write_bytes(part)
        fetch(data_file(mirror), Path(folder) / "file.gz")
        assert (Path(folder) / "file.gz").read_bytes() == SERVED
        assert left_in(Path(folder)) == ["file.gz"]


@pytest.mark.parametrize(
    "bad",
    [
        Mirror(body=gzip.compress(b"other")),
        Mirror(body=SERVED[:HALF]),
        Mirror(body=b"<html>not here</html>"),
        Mirror(announces=len(SERVED) + 100),
        Mirror(announces=HALF),
        Mirror(status=404),
        Mirror(status=204),
        Mirror(status=503),
    ],
    ids=["other", "short gzip", "page", "announces more", "announces less", "404", "204", "503"],
)
def test_a_faulty_mirror_is_skipped(tmp_path, mirrors, bad):
    bad = mirrors.enter_context(serving(bad))
    good = mirrors.enter_context(serving(Mirror()))
    fetch(data_file(bad, good), tmp_path / "file.gz")
    assert (tmp_path / "file.gz").read_bytes() == SERVED
    assert len(bad.ranges_asked) == 1
    assert left_in(tmp_path) == ["file.gz"]


def test_wrong_bytes_from_every_mirror_are_refused(tmp_path, mirrors):
    one = mirrors.enter_context(serving(Mirror(body=gzip.compress(b"one"))))
    two = mirrors.enter_context(serving(Mirror(body=b"two")))
    with pytest.raises(ChecksumMismatch) as caught:
        fetch(data_file(one, two), tmp_path / "file.gz")
    message = str(caught.value)
    assert f"{one.url}file.gz: " in message
    assert f"{two.url}file.gz: " in message
    assert left_in(tmp_path) == []


def test_the_error_has_the_fault_of_every_mirror(tmp_path, mirrors):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{unused.getsockname()[1]}/"
    missing = mirrors.enter_context(serving(Mirror(status=404)))
    wrong = mirrors.enter_context(serving(Mirror(body=b"wrong")))
    with pytest.raises(DataNotFound) as caught:
        fetch(data_file(closed, missing, wrong), tmp_path / "file.gz")
    message = str(caught.value)
    assert f"{closed}file.gz: " in message
    assert f"{missing.url}file.gz: HTTP 404" in message
    assert f"{wrong.url}file.gz: " in message
    assert "\n" not in message
    assert str(tmp_path) in message


def test_a_silent_mirror_times_out(tmp_path, mirrors):
    silent = mirrors.enter_context(serving(Mirror(hangs=threading.Event())))
    good = mirrors.enter_context(serving(Mirror()))
    fetch(data_file(silent, good), tmp_path / "file.gz", timeout=0.2)
    assert (tmp_path / "file.gz").read_bytes() == SERVED


@pytest.mark.parametrize("answer", [b"220 \x1b[2Jftp ready\r\n", b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n"])
def test_control_characters_of_a_mirror_are_removed(tmp_path, answer):
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        connection.recv(10_000)
                        connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(DataNotFound) as caught:
            fetch(data_file(f"http://127.0.0.1:{listener.getsockname()[1]}/"), tmp_path / "file.gz")
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
    assert str(caught.value).isprintable()


def test_received_bytes_of_a_stalling_mirror_are_kept(tmp_path, mirrors):
    stalls = mirrors.enter_context(serving(Mirror(sends=HALF, hangs_after=threading.Event())))
    good = mirrors.enter_context(serving(Mirror()))
    fetch(data_file(stalls, good), tmp_path / "file.gz", timeout=0.3)
    assert (tmp_path / "file.gz").read_bytes() == SERVED
    assert good.ranges_asked == [f"bytes={HALF}-"]


def test_the_next_mirror_resumes_after_a_slow_one(tmp_path, mirrors):
    drips = mirrors.enter_context(serving(Mirror(drips=1)))
    good = mirrors.enter_context(serving(Mirror()))
    fetch(data_file(drips, good), tmp_path / "file.gz", timeout=0.3)
    assert (tmp_path / "file.gz").read_bytes() == SERVED
    assert len(good.ranges_asked) == 1 and good.ranges_asked[0] is not None
    with pytest.raises(DataNotFound, match="bytes a second"):
        fetch(data_file(drips), tmp_path / "other.gz", timeout=0.3)


def test_concurrent_downloads_fetch_a_file_once(tmp_path, mirrors):
    slow = mirrors.enter_context(serving(Mirror(drips=HALF // 8)))
    target = tmp_path / "file.gz"
    with ThreadPoolExecutor(4) as pool:
        got = list(pool.map(lambda _: fetch(data_file(slow), target), range(4)))
    assert got == [target] * 4
    assert target.read_bytes() == SERVED
    assert slow.ranges_asked == [None]


def test_an_endless_mirror_is_stopped(tmp_path, mirrors, monkeypatch):
    monkeypatch.setattr(download, "MAX_BYTES", 1024**2)
    endless = mirrors.enter_context(serving(Mirror(body=bytes(1024**2 + 1))))
    with pytest.raises(DataNotFound, match="1 MiB"):
        fetch(data_file(endless), tmp_path / "file.gz")


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(OutputNotWritable, match=r"file\.gz"):
        fetch(data_file("http://127.0.0.1:9/"), tmp_path / "taken" / "file.gz")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a disk that is always full")
def test_a_full_disk_is_an_error(tmp_path, mirrors):
    good = mirrors.enter_context(serving(Mirror()))
    (tmp_path / "file.gz.part").symlink_to("/dev/full")
    with pytest.raises(OutputNotWritable, match="No space left"):
        fetch(data_file(good), tmp_path / "file.gz")
    assert not (tmp_path / "file.gz").exists()


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs pseudo-terminals")
def test_a_bar_is_drawn_on_a_terminal(tmp_path, mirrors, monkeypatch):
    good = mirrors.enter_context(serving(Mirror()))
    master, slave = os.openpty()
    with os.fdopen(slave, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        monkeypatch.setenv("TERM", "xterm")
        fetch(data_file(good), tmp_path / "file.gz")
        terminal.flush()
        shown = os.read(master, 100_000).decode()
    os.close(master)
    assert "file.gz" in shown


def test_no_bar_is_drawn_without_a_terminal(tmp_path, mirrors, capsys):
    good = mirrors.enter_context(serving(Mirror()))
    fetch(data_file(good), tmp_path / "file.gz")
    assert capsys.readouterr() == ("", "")
