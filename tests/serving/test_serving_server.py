"""`edgedigits serve` in processes: connections, timeouts, overload, shutdown."""

import asyncio
import io
import json
import os
import resource
import select
import signal
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from edgedigits.serving.options import Limits
from tests.conftest import RunCommand, encoded
from tests.support.serving import FIVE, PHOTO, Running, form, read_answer, running

# Each starts a server.
pytestmark = pytest.mark.slow

TOKEN = "a-token-of-some-length"


@pytest.fixture(scope="module")
def short_timeout() -> Iterator[Running]:
    """A server with a timeout of one second."""
    with running("--timeout", "1", "--max-body", "1") as server:
        yield server


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    """A server with the default timeout, for clients that send more than busy cores answer in a second."""
    with running() as started:
        yield started


def test_response_has_security_headers(short_timeout: Running) -> None:
    answer = httpx.post(f"{short_timeout.url}/v1/read", **form(("5.png", FIVE)))
    assert answer.json()["text"] == "5" and "content-security-policy" in answer.headers


def test_idle_connection_is_closed(short_timeout: Running) -> None:
    with short_timeout.connect() as connection:
        assert read_answer(connection) == b""


@pytest.mark.parametrize(
    "sent",
    [
        b"POST",
        b"POST /v1/read HTTP/1.1\r\nHost: 127.0.0.1\r\n",
        b"POST /v1/read HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n",
        b"POST /v1/read HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n1234",
        b"POST /v1/read HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n1234\r\n",
    ],
)
def test_incomplete_request_times_out(short_timeout: Running, sent: bytes) -> None:
    with short_timeout.connect() as connection:
        connection.sendall(sent)
        answer = read_answer(connection)
    assert answer.startswith(b"HTTP/1.1 408 ") and b"1 s" in answer


def test_slow_request_times_out(short_timeout: Running) -> None:
    """Slowloris: data arrives all the time, but the request never ends."""
    with short_timeout.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n")
        # The server may close the connection while more is being sent.
        with suppress(ConnectionError):
            for _ in range(400):
                connection.sendall(b"A: b\r\n")
                if select.select([connection], [], [], 0.05)[0]:
                    break
        answer = read_answer(connection)
    assert answer.startswith(b"HTTP/1.1 408 ")


def test_incomplete_second_request_times_out(short_timeout: Running) -> None:
    with short_timeout.connect() as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nGET /healthz HTTP/1.1\r\n")
        answer = read_answer(connection)
    assert answer.startswith(b"HTTP/1.1 200 ") and b"HTTP/1.1 408 " in answer


def test_connection_closes_after_a_refused_body(short_timeout: Running) -> None:
    with short_timeout.connect() as connection:
        connection.sendall(b"POST /v1/read HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n123")
        answer = read_answer(connection)
    assert answer.startswith(b"HTTP/1.1 413 ") and answer.count(b"HTTP/1.1") == 1


def test_endless_headers_are_refused(short_timeout: Running) -> None:
    with short_timeout.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n" + 5000 * b"A: 12345678\r\n")
        assert read_answer(connection).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01",
        b"GET\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET // HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"GET http://[ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
)
def test_invalid_requests_are_refused(short_timeout: Running, sent: bytes) -> None:
    with short_timeout.connect() as connection:
        connection.sendall(sent)
        answer = read_answer(connection)
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 404 "))


@pytest.mark.parametrize("upgrade", ["websocket", "h2c"])
def test_upgrades_are_ignored(short_timeout: Running, upgrade: str) -> None:
    headers = {"Connection": "Upgrade", "Upgrade": upgrade, "Sec-WebSocket-Key": "x", "Sec-WebSocket-Version": "13"}
    assert httpx.get(f"{short_timeout.url}/healthz", headers=headers).status_code == 200


def test_expect_100_continue(short_timeout: Running) -> None:
    """As curl sends large bodies; a refused one is never sent."""
    for length, expected in ((len(FIVE), b"HTTP/1.1 100 Continue\r\n\r\n"), (99_999_999, b"HTTP/1.1 413 ")):
        with short_timeout.connect() as connection:
            connection.sendall(
                b"POST /v1/read HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n"
                % length
            )
            assert connection.recv(1000).startswith(expected)


def test_a_client_that_does_not_read_is_disconnected() -> None:
    # More responses than the system buffers.
    requests = 2_000_000 * b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with running("--timeout", "1") as server:
        with server.connect() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            with pytest.raises(ConnectionError):
                connection.sendall(requests)
        assert httpx.get(f"{server.url}/healthz").status_code == 200
        code, logged = server.end()
    assert code == 0 and "traceback" not in logged


def test_pipelined_requests_are_answered_in_order(server: Running) -> None:
    """The headers of several requests in one piece must not count as those of one."""
    request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n%s\r\n"
    with server.connect() as connection:
        connection.sendall(2000 * (request % b"") + request % b"Connection: close\r\n")
        assert read_answer(connection).count(b"HTTP/1.1 200 ") == 2001


def test_endless_pipelined_requests_use_bounded_memory(server: Running) -> None:
    """The server stops reading from a client that sends faster than it is answered."""
    requests = 200_000 * b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    answers = 200
    before = resident_bytes(server.process.pid)
    with server.connect() as connection:
        sending = threading.Thread(target=send_all, args=(connection, requests))
        sending.start()
        seen = 0
        while seen < answers:
            received = connection.recv(65_536)
            assert received, "the server closed the connection"
            seen += received.count(b"HTTP/1.1 200 ")
        grown = resident_bytes(server.process.pid) - before
        connection.shutdown(socket.SHUT_RDWR)
        sending.join()
    assert grown < 20e6


def resident_bytes(process: int) -> int:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith("VmRSS")).split()[1])


def send_all(connection: socket.socket, content: bytes) -> None:
    """Send until everything is sent or the connection is closed."""
    with suppress(OSError):
        connection.sendall(content)


def test_shutdown_answers_accepted_requests() -> None:
    """SIGTERM arrives while pictures are read: each gets its response, and the exit code is 0."""
    page = Image.new("L", (2400, 1800), 255)
    page.paste(Image.open(io.BytesIO(PHOTO)).convert("L"), (500, 500))
    picture = encoded(page)
    head = b"POST /v1/read HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(picture)
    with running() as server, ExitStack() as stack:
        connections = [stack.enter_context(server.connect()) for _ in range(6)]
        for connection in connections:
            connection.sendall(head + picture)
        wait_for(lambda: all_received(server, connections))
        answered, _, _ = select.select(connections, [], [], 0)
        # The pictures are read one after another, for seconds in all.
        assert len(answered) < 6
        code, logged = server.end()
        answers = [read_answer(connection) for connection in connections]
        with pytest.raises(ConnectionRefusedError):
            server.connect()
    assert code == 0
    assert [answer.split()[1] for answer in answers] == [b"200"] * 6
    assert [json.loads(line)["status"] for line in logged.splitlines() if '"/v1/read"' in line] == [200] * 6


def all_received(server: Running, connections: list[socket.socket]) -> bool:
    """Return whether the process has received everything that was sent on these connections."""
    ports = {connection.getsockname()[1] for connection in connections}
    # In this order: what is sent later could otherwise be missed.
    if any(sending for ours, _, sending, _ in tcp_queues() if ours in ports):
        return False
    waiting = {theirs: received for ours, theirs, _, received in tcp_queues() if ours == server.port}
    return all(waiting.get(port) == 0 for port in ports)


def tcp_queues() -> list[tuple[int, int, int, int]]:
    """Return for each socket: own port, other port, bytes not yet acknowledged, bytes that no process has read."""
    found = []
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        # 0100007F:1F90 0100007F:C350 01 00000000:00000000
        ours, theirs, _, queues = (column.partition(":") for column in line.split()[1:5])
        found.append((int(ours[2], 16), int(theirs[2], 16), int(queues[0], 16), int(queues[2], 16)))
    return found


def wait_for(done: Callable[[], bool]) -> None:
    for _ in range(6000):
        if done():
            return
        time.sleep(0.005)
    raise AssertionError("not within 30 seconds")


@pytest.mark.parametrize("signal_name", ["SIGTERM", "SIGINT"])
def test_several_processes_answer_and_stop(signal_name: str) -> None:
    with running("--workers", "2") as server:
        answers = [httpx.post(f"{server.url}/v1/read", content=FIVE).json()["text"] for _ in range(8)]
        code, _ = server.end(signal.Signals[signal_name])
    assert answers == ["5"] * 8 and code == 0


def test_nothing_is_written_to_disk(tmp_path: Path) -> None:
    """The system kills a process that writes to a file beyond a limit of 0 bytes, also from native code."""

    def forbid_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    generator = np.random.default_rng(0)
    large = encoded(Image.fromarray(generator.integers(0, 256, (2000, 2500), np.uint8)))
    tiff = encoded(Image.open(io.BytesIO(PHOTO)), "TIFF", compression="tiff_deflate")
    environment = {"TMPDIR": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    with running(environment=environment, before=forbid_files) as server:
        answer = httpx.post(f"{server.url}/v1/read", timeout=60, **form(("a", large), ("b", large), ("c", PHOTO)))
        assert [each["text"] for each in answer.json()][2] == "4"
        assert httpx.post(f"{server.url}/v1/read", content=tiff, timeout=60).json()["text"] == "4"
        body = np.zeros((4000, 28, 28), np.uint8)
        assert httpx.post(f"{server.url}/v1/classify", content=_npy(body), timeout=60).status_code == 200
        code, _ = server.end()
    assert code == 0 and not list(tmp_path.iterdir())


def _npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def test_overload_gives_200_or_503() -> None:
    """With too many clients, every request gets 200, or 503 with Retry-After."""
    clients, each = 320, 4

    async def ask(reading: asyncio.StreamReader, writing: asyncio.StreamWriter) -> list[tuple[int, bytes]]:
        answers = []
        for _ in range(each):
            writing.write(b"POST /v1/read HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(FIVE) + FIVE)
            head = await reading.readuntil(b"\r\n\r\n")
            body = await reading.readexactly(int(head.partition(b"content-length: ")[2].split()[0]))
            answers.append((int(head.split()[1]), head.lower() + body))
        writing.close()
        await writing.wait_closed()
        return answers

    async def ask_all(port: int) -> list[tuple[int, bytes]]:
        # All connect first, so that their requests arrive together.
        connections = [await asyncio.open_connection("127.0.0.1", port) for _ in range(clients)]
        return [answer for some in await asyncio.gather(*(ask(*streams) for streams in connections)) for answer in some]

    with running("--max-waiting", "32", "--no-log-requests") as server:
        answers = asyncio.run(ask_all(server.port))
        after = httpx.post(f"{server.url}/v1/read", content=FIVE)
    assert Counter(status for status, _ in answers).keys() == {200, 503} and len(answers) == clients * each
    for status, answer in answers:
        assert (b'"text":"5"' if status == 200 else b"retry-after: 1") in answer
    assert after.status_code == 200


def test_too_many_connections_give_503() -> None:
    count = Limits().connections
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < count + 200:
        pytest.skip("this process may not open as many connections")
    with running() as server, ExitStack() as connections:
        for _ in range(count):
            connections.enter_context(server.connect())
        with server.connect() as one_more:
            answer = read_answer(one_more)
    assert answer.startswith(b"HTTP/1.1 503 ") and b"Retry-After" in answer


def test_token_from_the_environment() -> None:
    with running("--host", "0.0.0.0", environment={"EDGEDIGITS_TOKEN": TOKEN}) as server:
        assert httpx.get(f"{server.url}/v1/models").status_code == 401
        answer = httpx.post(f"{server.url}/v1/read", content=FIVE, headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.json()["text"] == "5"
        assert httpx.get(f"{server.url}/v1/models", auth=("anybody", TOKEN)).status_code == 200


@pytest.mark.parametrize(
    ("arguments", "fact"),
    [
        (["--host", "0.0.0.0"], "EDGEDIGITS_TOKEN"),
        (["--token", "short"], "16"),
        (["--model", "nothing"], "nothing"),
        (["--host", "192.0.2.1", "--token", TOKEN], "192.0.2.1"),
        (["--host", "no.such.name.invalid", "--token", TOKEN], "no.such.name.invalid"),
    ],
)
def test_unusable_options_are_one_line(run_command: RunCommand, arguments: list[str], fact: str) -> None:
    done = run_command("serve", "--port", "0", *arguments, check=1)
    assert fact in done.stderr and done.stderr.count("\n") == 1 and not done.stdout


def test_a_port_in_use_is_an_error(run_command: RunCommand) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run_command("serve", "--port", str(taken.getsockname()[1]), check=1)
    assert "--port" in done.stderr and done.stderr.count("\n") == 1


def test_missing_extra_names_the_install_command(run_command: RunCommand, tmp_path: Path) -> None:
    (tmp_path / "starlette.py").write_text("raise ImportError")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done: subprocess.CompletedProcess[str] = run_command("serve", check=1, env={**os.environ, "PYTHONPATH": path})
    assert "pip install 'edgedigits[serve]'" in done.stderr
