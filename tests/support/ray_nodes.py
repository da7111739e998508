"""A Ray cluster of two nodes on this machine, in a child process: `python -m tests.support.ray_nodes PORT`.

The child prints one line of JSON: the address, and the process of each node's raylet.
"""

import json
import os
import secrets
import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.new_interpreter import background


@dataclass(frozen=True)
class Nodes:
    """A running cluster.

    Attributes:
        address: of its head.
        client: address for Ray's client.
        raylets: process of each node.
        environment: variables for processes that use it, with its folder and token.
    """

    address: str
    client: str
    raylets: list[int]
    environment: dict[str, str]


@contextmanager
def short_folder() -> Iterator[Path]:
    """Make a folder for Ray's files; its path is short, because paths of sockets are limited."""
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
        variables = {**(more or {}), "RAY_TMPDIR": str(folder), "RAY_AUTH_MODE": "token",
                     "RAY_AUTH_TOKEN": secrets.token_hex(32), "RAY_USAGE_STATS_ENABLED": "0"}  # fmt: skip
        with background("tests.support.ray_nodes", str(port), more=variables) as line:
            found = json.loads(line)
            client = f"ray://127.0.0.1:{port}"
            yield Nodes(found["address"], client, found["raylets"], {**os.environ, **variables})


@contextmanager
def two_nodes_as_auto() -> Iterator[None]:
    """Start a cluster that `--address auto` finds."""
    with two_nodes() as nodes:
        names = ("RAY_TMPDIR", "RAY_AUTH_MODE", "RAY_AUTH_TOKEN")
        with _variables({name: nodes.environment[name] for name in names} | {"RAY_ADDRESS": nodes.address}):
            yield


@contextmanager
def own_nodes() -> Iterator[None]:
    """Let each command start Ray itself, all in one folder."""
    with short_folder() as folder, _variables({"RAY_TMPDIR": str(folder)}):
        yield


@contextmanager
def _variables(variables: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ |= variables
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


def main() -> None:
    """Run a cluster until standard input ends."""
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
