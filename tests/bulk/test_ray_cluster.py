"""Connecting to Ray: what cannot be connected to is said, and before Ray waits for it."""

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
def test_what_is_no_address(address: str) -> None:
    assert refusal(address) == f"--address is local, auto, HOST:PORT or ray://HOST:PORT, not {address!r}"


@pytest.mark.parametrize("scheme", ["", "ray://"])
def test_nobody_answers(scheme: str, free_port: int) -> None:
    assert refusal(f"{scheme}127.0.0.1:{free_port}").startswith(f"no Ray answered at {scheme}127.0.0.1:{free_port}")


def test_somebody_listens_and_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert refusal(f"127.0.0.1:{server.getsockname()[1]}").endswith("within 0.5 s; is it running there?")


class Quiet(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_web_server_answers() -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        said = refusal(f"ray://127.0.0.1:{server.server_address[1]}")
        server.shutdown()
        thread.join()
    assert said.startswith("no Ray answered at")


@pytest.fixture
def other_grpc() -> Iterator[int]:
    """The port of a server that speaks Ray's protocol and is none of its: the wrong one of a cluster's is like it."""
    server = grpc.server(ThreadPoolExecutor(1))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield port
    server.stop(None).wait()


@pytest.mark.parametrize("scheme", ["", "ray://"])
def test_the_wrong_port(scheme: str, other_grpc: int) -> None:
    assert "is no such part of Ray: HOST:PORT is the head node's port" in refusal(f"{scheme}127.0.0.1:{other_grpc}")


def test_auto_where_none_was_started() -> None:
    assert refusal("auto").startswith("no Ray runs on this machine, and RAY_ADDRESS is not set")


def test_auto_where_one_was_started_and_died(tmp_path: Path, free_port: int) -> None:
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray" / "ray_current_cluster").write_text(f"127.0.0.1:{free_port}")
    assert refusal("auto").startswith(f"no Ray answered at 127.0.0.1:{free_port}")


def test_auto_takes_the_address_of_the_environment(monkeypatch: pytest.MonkeyPatch, free_port: int) -> None:
    monkeypatch.setenv("RAY_ADDRESS", f"ray://127.0.0.1:{free_port}")
    assert refusal("auto").startswith(f"no Ray answered at ray://127.0.0.1:{free_port}")


@pytest.mark.parametrize("module", ["ray", "grpc"])
def test_without_the_extra(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtra, match=r"pip install 'edgedigits\[ray\]'"), cluster("local"):
        pass


@pytest.mark.parametrize(
    ("there", "missing", "said"),
    [
        ("1.0", [], None),
        (None, [], "the Ray node n has no edgedigits, here is 1.0; run there: pip install 'edgedigits[ray]==1.0'"),
        ("0.9", ["keras"], "has edgedigits 0.9, here is 1.0"),
        ("1.0", ["keras"], "the Ray node n has no keras; run there: pip install 'edgedigits[train]==1.0'"),
    ],
)
def test_what_a_node_must_have(there: str | None, missing: list[str], said: str | None) -> None:
    fault = fault_of_node("n", "1.0", there, [(module, "train") for module in missing])
    assert fault is None if said is None else said in str(fault)


class FailingServer:
    """In the place of Ray: its server for clients fails to start so often, as it does now and then by itself."""

    def __init__(self, failures: int) -> None:
        self.left, self.asked = failures, 0
        self.exceptions = ray.exceptions

    def init(self, *_: object, **__: object) -> None:
        self.asked += 1
        if self.asked <= self.left:
            raise ConnectionAbortedError("Initialization failure from server:\nTraceback\nRuntimeError: did not start")


def test_a_server_for_clients_that_failed_to_start_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgedigits.ray_cluster._ask", lambda *_: "OK")
    ours = FailingServer(TRIES - 1)
    _connect(ours, grpc, "ray://host:1", None, 1.0)
    assert ours.asked == TRIES
    ours = FailingServer(TRIES)
    with pytest.raises(AddressUnavailable, match=r"^cannot connect to Ray at ray://host:1: RuntimeError: did not st"):
        _connect(ours, grpc, "ray://host:1", None, 1.0)
    assert ours.asked == TRIES


def test_a_folder_of_too_long_a_name_for_sockets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 25)
    folder.mkdir()
    monkeypatch.setenv("RAY_TMPDIR", str(folder))
    assert "path length cannot exceed" in refusal("local")
