"""Connecting to Ray: errors are reported within seconds."""

import http.server
import socket
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
import ray

from edgedigits.ray_cluster import TRIES, _connect, cluster, fault_of_node
from edgedigits_runtime.errors import AddressUnavailable, MissingExtra


@pytest.fixture(autouse=True)
def no_ray_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))


def refusal(address: str) -> str:
    with pytest.raises(AddressUnavailable) as caught, cluster(address, seconds=0.5):
        pass
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.mark.parametrize("address", ["here", "host:", ":6379", "ray://host", "127.0.0.1:port"])
def test_invalid_addresses(address: str) -> None:
    assert repr(address) in refusal(address)


@pytest.mark.parametrize("scheme", ["", "ray://"])
def test_no_answer(scheme: str, free_port: int) -> None:
    assert f"{scheme}127.0.0.1:{free_port}" in refusal(f"{scheme}127.0.0.1:{free_port}")


def test_silent_server() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert "0.5 s" in refusal(f"127.0.0.1:{server.getsockname()[1]}")


class Quiet(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Log nothing."""


def test_web_server_instead_of_ray() -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        message = refusal(f"ray://127.0.0.1:{server.server_address[1]}")
        server.shutdown()
        thread.join()
    assert f"127.0.0.1:{server.server_address[1]}" in message


@pytest.fixture
def other_grpc() -> Iterator[int]:
    """The port of a gRPC server that is not Ray, like the wrong port of a cluster."""
    server = grpc.server(ThreadPoolExecutor(1))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield port
    server.stop(None).wait()


@pytest.mark.parametrize("scheme", ["", "ray://"])
def test_wrong_port(scheme: str, other_grpc: int) -> None:
    assert "6379" in refusal(f"{scheme}127.0.0.1:{other_grpc}")


def test_auto_without_ray() -> None:
    assert "RAY_ADDRESS" in refusal("auto")


def test_auto_with_a_stopped_ray(tmp_path: Path, free_port: int) -> None:
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray" / "ray_current_cluster").write_text(f"127.0.0.1:{free_port}")
    assert f"127.0.0.1:{free_port}" in refusal("auto")


def test_auto_uses_ray_address(monkeypatch: pytest.MonkeyPatch, free_port: int) -> None:
    monkeypatch.setenv("RAY_ADDRESS", f"ray://127.0.0.1:{free_port}")
    assert f"ray://127.0.0.1:{free_port}" in refusal("auto")


@pytest.mark.parametrize("module", ["ray", "grpc"])
def test_missing_extra(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtra, match=r"pip install 'edgedigits\[ray\]'"), cluster("local"):
        pass


@pytest.mark.parametrize(
    ("there", "missing", "fact"),
    [
        ("1.0", [], None),
        (None, [], "pip install '.[ray]'"),
        ("0.9", ["keras"], "0.9"),
        ("1.0", ["keras"], "edgedigits[train-cpu]"),
    ],
)
def test_faults_of_nodes(there: str | None, missing: list[str], fact: str | None) -> None:
    found = fault_of_node("n", "1.0", there, [(module, "train-cpu") for module in missing])
    assert found is None if fact is None else fact in str(found)


class FailingServer:
    """Replaces Ray; its server for clients fails to start a number of times."""

    def __init__(self, failures: int) -> None:
        self.failures, self.calls = failures, 0
        self.exceptions = ray.exceptions

    def init(self, *_: object, **__: object) -> None:
        self.calls += 1
        if self.calls <= self.failures:
            raise ConnectionAbortedError("Initialization failure from server:\nTraceback\nRuntimeError: did not start")


def test_a_failed_server_for_clients_is_retried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgedigits.ray_cluster._request", lambda *_: "OK")
    ours = FailingServer(TRIES - 1)
    _connect(ours, grpc, "ray://host:1", None, 1.0)
    assert ours.calls == TRIES
    ours = FailingServer(TRIES)
    with pytest.raises(AddressUnavailable, match=r"ray://host:1: RuntimeError: did not start"):
        _connect(ours, grpc, "ray://host:1", None, 1.0)
    assert ours.calls == TRIES


def test_socket_path_that_is_too_long(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 25)
    folder.mkdir()
    monkeypatch.setenv("RAY_TMPDIR", str(folder))
    assert "path length cannot exceed" in refusal("local")
