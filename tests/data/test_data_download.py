"""Downloads from an HTTP server on the loopback interface, with each fault that a mirror may have."""

import contextlib
import gzip
import hashlib
import os
import socket
import sys
import tempfile
import threading
import urllib.parse
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgedigits.data import download
from edgedigits.data.description import DataFile, DataFolder
from edgedigits.data.download import fetch, fetch_folder
from edgedigits_runtime.errors import ChecksumMismatch, DataNotFound, OutputNotWritable
from tests.support.mirrors import Mirror

CONTENT = bytes(range(256)) * 20
SERVED = gzip.compress(CONTENT, mtime=0)
HALF = len(SERVED) // 2


@pytest.fixture
def mirrors() -> Iterator[contextlib.ExitStack]:
    with contextlib.ExitStack() as stack:
        yield stack


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")


def data_file(*mirrors: Mirror | str, checksum_of: str = "content") -> DataFile:
    checked = CONTENT if checksum_of == "content" else SERVED
    urls = tuple(mirror if isinstance(mirror, str) else mirror.url for mirror in mirrors)
    return DataFile("small", "file.gz", hashlib.md5(checked).hexdigest(), checksum_of, urls)  # type: ignore[arg-type]


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("checksum_of", ["content", "container"])
def test_a_download_makes_the_folder_and_leaves_one_file(tmp_path, mirrors, checksum_of):
    good = mirrors.enter_context(Mirror(SERVED))
    target = tmp_path / "cache" / "small" / "file.gz"
    assert fetch(data_file(good, checksum_of=checksum_of), target) == target
    assert target.read_bytes() == SERVED
    assert left_in(target.parent) == ["file.gz"]
    assert good.asked == [None]


@pytest.mark.parametrize("body", [CONTENT, gzip.compress(CONTENT, 1)], ids=["decompressed", "recompressed"])
def test_content_checksum_accepts_another_container(tmp_path, mirrors, body):
    good = mirrors.enter_context(Mirror(body))
    assert fetch(data_file(good), tmp_path / "file.gz").read_bytes() == body


def test_container_checksum_refuses_another_container(tmp_path, mirrors):
    other = mirrors.enter_context(Mirror(gzip.compress(CONTENT, 1)))
    with pytest.raises(ChecksumMismatch, match="container"):
        fetch(data_file(other, checksum_of="container"), tmp_path / "file.gz")


def test_an_interrupted_download_resumes(tmp_path, mirrors):
    flaky = mirrors.enter_context(Mirror(SERVED, share=0.5))
    target = tmp_path / "file.gz"
    with pytest.raises(DataNotFound, match=f"{HALF:,} of {len(SERVED):,}"):
        fetch(data_file(flaky), target)
    assert left_in(tmp_path) == ["file.gz.part"]
    flaky.share = 1.0
    fetch(data_file(flaky), target)
    assert target.read_bytes() == SERVED
    assert flaky.asked == [None, f"bytes={HALF}-"]
    assert left_in(tmp_path) == ["file.gz"]


def test_the_next_mirror_resumes_after_a_truncating_one(tmp_path, mirrors):
    cut = mirrors.enter_context(Mirror(SERVED, share=0.5))
    good = mirrors.enter_context(Mirror(SERVED))
    fetch(data_file(cut, good), tmp_path / "file.gz")
    assert (tmp_path / "file.gz").read_bytes() == SERVED
    assert good.asked == [f"bytes={HALF}-"]


def test_a_server_without_ranges_sends_the_whole_file(tmp_path, mirrors):
    plain = mirrors.enter_context(Mirror(SERVED, ranges=False))
    (tmp_path / "file.gz.part").write_bytes(SERVED[:HALF])
    fetch(data_file(plain), tmp_path / "file.gz")
    assert (tmp_path / "file.gz").read_bytes() == SERVED
    assert plain.asked == [f"bytes={HALF}-"]


def test_a_part_of_another_file_is_replaced(tmp_path, mirrors):
    good = mirrors.enter_context(Mirror(SERVED))
    (tmp_path / "file.gz.part").write_bytes(b"x" * HALF)
    fetch(data_file(good), tmp_path / "file.gz")
    assert (tmp_path / "file.gz").read_bytes() == SERVED
    assert good.asked == [f"bytes={HALF}-", None]


def test_a_complete_part_is_not_sent_again(tmp_path, mirrors):
    good = mirrors.enter_context(Mirror(SERVED))
    (tmp_path / "file.gz.part").write_bytes(SERVED)
    fetch(data_file(good), tmp_path / "file.gz")
    assert (tmp_path / "file.gz").read_bytes() == SERVED
    assert good.asked == [f"bytes={len(SERVED)}-"]


def test_an_answer_from_another_offset_is_discarded(tmp_path, mirrors):
    shifted = mirrors.enter_context(Mirror(SERVED, shift=1))
    good = mirrors.enter_context(Mirror(SERVED))
    (tmp_path / "file.gz.part").write_bytes(SERVED[:HALF])
    fetch(data_file(shifted, good), tmp_path / "file.gz")
    assert (tmp_path / "file.gz").read_bytes() == SERVED
    assert shifted.asked == [f"bytes={HALF}-"]
    assert good.asked == [None]


@settings(max_examples=25, deadline=None)
@given(
    part=st.one_of(
        st.integers(0, len(SERVED)).map(lambda length: SERVED[:length]),
        st.binary(max_size=2 * len(SERVED)),
    ),
    ranges=st.booleans(),
)
def test_any_part_leads_to_the_right_file(part, ranges):
    with tempfile.TemporaryDirectory() as folder, Mirror(SERVED, ranges=ranges) as mirror:
        (Path(folder) / "file.gz.part").write_bytes(part)
        fetch(data_file(mirror), Path(folder) / "file.gz")
        assert (Path(folder) / "file.gz").read_bytes() == SERVED
        assert left_in(Path(folder)) == ["file.gz"]


@pytest.mark.parametrize(
    "bad",
    [
        Mirror(gzip.compress(b"other")),
        Mirror(SERVED[:HALF]),
        Mirror(b"<html>not here</html>"),
        Mirror(SERVED, announces=lambda count: count + 100),
        Mirror(SERVED, announces=lambda count: count // 2),
        Mirror(SERVED, status=404),
        Mirror(SERVED, status=204),
        Mirror(SERVED, status=503),
    ],
    ids=["other", "short gzip", "page", "announces more", "announces less", "404", "204", "503"],
)
def test_a_faulty_mirror_is_skipped(tmp_path, mirrors, bad):
    bad = mirrors.enter_context(bad)
    good = mirrors.enter_context(Mirror(SERVED))
    fetch(data_file(bad, good), tmp_path / "file.gz")
    assert (tmp_path / "file.gz").read_bytes() == SERVED
    assert len(bad.asked) == 1
    assert left_in(tmp_path) == ["file.gz"]


def test_wrong_bytes_from_every_mirror_are_refused(tmp_path, mirrors):
    one = mirrors.enter_context(Mirror(gzip.compress(b"one")))
    two = mirrors.enter_context(Mirror(b"two"))
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
    missing = mirrors.enter_context(Mirror(SERVED, status=404))
    wrong = mirrors.enter_context(Mirror(b"wrong"))
    with pytest.raises(DataNotFound) as caught:
        fetch(data_file(closed, missing, wrong), tmp_path / "file.gz")
    message = str(caught.value)
    assert f"{closed}file.gz: " in message
    assert f"{missing.url}file.gz: HTTP 404" in message
    assert f"{wrong.url}file.gz: " in message
    assert "\n" not in message
    assert str(tmp_path) in message


def test_a_silent_mirror_times_out(tmp_path, mirrors):
    silent = mirrors.enter_context(Mirror(SERVED, answer="", stalls=True))
    good = mirrors.enter_context(Mirror(SERVED))
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
    stalls = mirrors.enter_context(Mirror(SERVED, share=0.5, stalls=True))
    good = mirrors.enter_context(Mirror(SERVED))
    fetch(data_file(stalls, good), tmp_path / "file.gz", timeout=0.3)
    assert (tmp_path / "file.gz").read_bytes() == SERVED
    assert good.asked == [f"bytes={HALF}-"]


def test_the_next_mirror_resumes_after_a_slow_one(tmp_path, mirrors):
    drips = mirrors.enter_context(Mirror(SERVED, pieces=(1, 0.01)))
    good = mirrors.enter_context(Mirror(SERVED))
    fetch(data_file(drips, good), tmp_path / "file.gz", timeout=0.3)
    assert (tmp_path / "file.gz").read_bytes() == SERVED
    assert len(good.asked) == 1 and good.asked[0] is not None
    with pytest.raises(DataNotFound, match="bytes"):
        fetch(data_file(drips), tmp_path / "other.gz", timeout=0.3)


def test_concurrent_downloads_fetch_a_file_once(tmp_path, mirrors):
    slow = mirrors.enter_context(Mirror(SERVED, pieces=(HALF // 8, 0.01)))
    target = tmp_path / "file.gz"
    with ThreadPoolExecutor(4) as pool:
        got = list(pool.map(lambda _: fetch(data_file(slow), target), range(4)))
    assert got == [target] * 4
    assert target.read_bytes() == SERVED
    assert slow.asked == [None]


def test_an_endless_mirror_is_stopped(tmp_path, mirrors, monkeypatch):
    monkeypatch.setattr(download, "MAX_BYTES", 1024**2)
    endless = mirrors.enter_context(Mirror(bytes(1024**2 + 1)))
    with pytest.raises(DataNotFound, match="1 MiB"):
        fetch(data_file(endless), tmp_path / "file.gz")


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(OutputNotWritable, match=r"file\.gz"):
        fetch(data_file("http://127.0.0.1:9/"), tmp_path / "taken" / "file.gz")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a disk that is always full")
def test_a_full_disk_is_an_error(tmp_path, mirrors):
    good = mirrors.enter_context(Mirror(SERVED))
    (tmp_path / "file.gz.part").symlink_to("/dev/full")
    with pytest.raises(OutputNotWritable, match="No space left"):
        fetch(data_file(good), tmp_path / "file.gz")
    assert not (tmp_path / "file.gz").exists()


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs pseudo-terminals")
def test_a_bar_is_drawn_on_a_terminal(tmp_path, mirrors, monkeypatch):
    good = mirrors.enter_context(Mirror(SERVED))
    master, slave = os.openpty()
    with os.fdopen(slave, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        monkeypatch.setenv("TERM", "xterm")
        fetch(data_file(good), tmp_path / "file.gz")
        terminal.flush()
        output = os.read(master, 100_000).decode()
    os.close(master)
    assert "file.gz" in output


def test_no_bar_is_drawn_without_a_terminal(tmp_path, mirrors, capsys):
    good = mirrors.enter_context(Mirror(SERVED))
    fetch(data_file(good), tmp_path / "file.gz")
    assert capsys.readouterr() == ("", "")


# Folders of small files


MEMBERS = {"a-1.png": "A 1.png", "b.png": "B.png"}


def data_folder(*mirrors: Mirror, content: str = "%s") -> DataFolder:
    contents = [(content % path).encode() for path in MEMBERS.values()]
    checksum = hashlib.sha256(b"".join(hashlib.sha256(one).digest() for one in contents)).hexdigest()
    return DataFolder("small", "images", MEMBERS, checksum, tuple(mirror.url for mirror in mirrors))


def named(path: str) -> bytes:
    """Return the path in a URL as the content of its file."""
    return urllib.parse.unquote(path.removeprefix("/")).encode()


def test_a_folder_is_downloaded_under_our_names(tmp_path, mirrors):
    good = mirrors.enter_context(Mirror(named))
    bad = mirrors.enter_context(Mirror(b"", status=404))
    target = tmp_path / "small" / "images"
    assert fetch_folder(data_folder(bad, good), target) == target
    assert {path.name: path.read_text() for path in target.iterdir()} == {"a-1.png": "A 1.png", "b.png": "B.png"}
    assert left_in(target.parent) == ["images"]
    assert data_folder(good).read(target) == {"a-1.png": b"A 1.png", "b.png": b"B.png"}


def test_a_folder_resumes_with_the_missing_files(tmp_path, mirrors):
    bad = mirrors.enter_context(Mirror(b"", status=500))
    part = tmp_path / "images.part"
    part.mkdir()
    (part / "a-1.png").write_text("A 1.png")
    with pytest.raises(DataNotFound, match="HTTP 500"):
        fetch_folder(data_folder(bad), tmp_path / "images")
    good = mirrors.enter_context(Mirror(named))
    fetch_folder(data_folder(good), tmp_path / "images")
    assert len(good.asked) == 1


def test_a_folder_of_other_files_is_refused_and_removed(tmp_path, mirrors):
    good = mirrors.enter_context(Mirror(named))
    with pytest.raises(ChecksumMismatch, match="expected SHA256"):
        fetch_folder(data_folder(good, content="other %s"), tmp_path / "images")
    assert left_in(tmp_path) == []


def test_a_changed_or_missing_file_of_a_folder_is_found(tmp_path):
    for name, path in MEMBERS.items():
        (tmp_path / name).write_text(path)
    folder = data_folder()
    folder.read(tmp_path)
    (tmp_path / "b.png").write_text("C.png")
    with pytest.raises(ChecksumMismatch, match="edgedigits data download small"):
        folder.read(tmp_path)
    (tmp_path / "b.png").unlink()
    with pytest.raises(ChecksumMismatch, match=r"b\.png"):
        folder.read(tmp_path)
