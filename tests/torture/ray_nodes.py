"""A Ray cluster of two nodes on this machine, in a process of its own: python -m tests.torture.ray_nodes PORT.

Says in a line of JSON how to connect and which process is whose raylet, and ends when its standard input does.
"""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Nodes:
    """How to reach the cluster.

    Attributes:
        address: of its head.
        client: the same for Ray's client.
        raylets: the process of each node.
        environment: of processes that use it; it has a folder and a token of its own.
    """

    address: str
    client: str
    raylets: list[int]
    environment: dict[str, str]


@contextmanager
def short_folder() -> Iterator[Path]:
    """Make a folder for Ray's files: among them are sockets, whose names must be short."""
    folder = Path(f"/tmp/ed-{secrets.token_hex(4)}")
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def two_nodes(more: dict[str, str] | None = None) -> Iterator[Nodes]:
    """Start a cluster, with `more` in its environment, and end it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with short_folder() as folder:
        environment = {
            **os.environ,
            **(more or {}),
            "RAY_TMPDIR": str(folder),
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": secrets.token_hex(32),
            "RAY_USAGE_STATS_ENABLED": "0",
        }
        with subprocess.Popen(
            [sys.executable, "-m", "tests.torture.ray_nodes", str(port)], cwd=Path(__file__).parents[2],
            env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        ) as process:  # fmt: skip
            if process.stdin is None or process.stdout is None:
                raise SystemExit("the cluster has no pipes")
            found = json.loads(process.stdout.readline())
            yield Nodes(found["address"], f"ray://127.0.0.1:{port}", found["raylets"], environment)
            process.stdin.close()


@contextmanager
def two_nodes_as_auto() -> Iterator[None]:
    """Start a cluster which `--address auto` finds."""
    with two_nodes() as nodes:
        names = ("RAY_TMPDIR", "RAY_AUTH_MODE", "RAY_AUTH_TOKEN")
        with _surrounded({name: nodes.environment[name] for name in names} | {"RAY_ADDRESS": nodes.address}):
            yield


@contextmanager
def nodes_of_their_own() -> Iterator[None]:
    """Let each command start a Ray by itself, in a folder for all of them."""
    with short_folder() as folder, _surrounded({"RAY_TMPDIR": str(folder)}):
        yield


@contextmanager
def _surrounded(environment: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in environment}
    os.environ |= environment
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


def main() -> None:
    """Run until standard input ends."""
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DEDUP_LOGS": "0"}
    from ray.cluster_utils import Cluster

    nodes = {"num_cpus": 1, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args={**nodes, "ray_client_server_port": int(sys.argv[1])})
    cluster.add_node(**nodes)
    raylets = [node.all_processes["raylet"][0].process.pid for node in (cluster.head_node, *cluster.worker_nodes)]
    print(json.dumps({"address": cluster.address, "raylets": raylets}), flush=True)
    sys.stdin.read()
    cluster.shutdown()


if __name__ == "__main__":
    main()
