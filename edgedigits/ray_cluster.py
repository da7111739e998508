"""Connect to Ray, on this machine or on a cluster, and report within seconds if that is impossible.

Ray itself waits two minutes for an address that does not answer, so the address is requested first.
"""

import contextlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from edgedigits_runtime.errors import AddressUnavailable, EdgedigitsError, MissingExtra

SECONDS = 10.0

NODE_SECONDS = 60.0
"""Time for a node to start a process and to report what is installed."""

CLIENT = "ray://"

TRIES = 3
"""Ray starts a server for each client. That fails now and then, after half a minute."""

CURRENT = Path("ray/ray_current_cluster")
"""File below the folder for temporary files with the address of the Ray that `ray start` started."""

ASK_HEAD = "/ray.rpc.NodeInfoGcsService/CheckAlive"
ASK_CLIENT_SERVER = "/ray.rpc.RayletDriver/ClusterInfo"
"""Calls that only one of a cluster's two ports implements. The response does not matter."""


@dataclass(frozen=True)
class RayCluster:
    """A connected cluster, with the numbers of live nodes, CPUs and GPUs that Ray counts."""

    address: str
    nodes: int
    cpus: float
    gpus: float

    def require(self, cpus: float, gpus: float) -> None:
        """Raise EdgedigitsError if no node has these resources; Ray would wait for them forever."""
        import ray

        alive: list[dict[str, Any]] = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        if not any(node.get("CPU", 0) >= cpus and node.get("GPU", 0) >= gpus for node in alive):
            raise EdgedigitsError(f"no node of the Ray cluster has {cpus:g} CPUs and {gpus:g} GPUs")


@contextlib.contextmanager
def cluster(
    address: str = "local", *, needs: Sequence[tuple[str, str]] = (), cpus: int | None = None, seconds: float = SECONDS
) -> Iterator[RayCluster]:
    """Connect to Ray and disconnect at the end. An existing connection is used and kept.

    Args:
        address: "local" starts Ray here until the end; "auto" is the Ray of this machine or of RAY_ADDRESS;
            "HOST:PORT" is the head node of this machine's cluster; "ray://HOST:PORT" is another cluster.
        needs: (module, extra) that every node must have, besides edgedigits.
        cpus: number of a local Ray; the machine's if None.
        seconds: timeout for the address.

    Raises:
        MissingExtra: Ray is not installed here.
        AddressUnavailable: no Ray answers, or it refuses the connection.
        EdgedigitsError: edgedigits or the extra is missing on a node, or edgedigits has another version there.
    """
    # Before Ray's import: no usage statistics, and no messages held back until the end.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_DEDUP_LOGS", "0")
    try:
        import grpc
        import ray
    except ImportError as error:
        raise MissingExtra(f"--address {address}", "ray") from error
    ours = not ray.is_initialized()
    if ours:
        _connect(ray, grpc, address, cpus, seconds)
    try:
        alive = [node for node in ray.nodes() if node["Alive"]]
        _check_nodes(ray, alive, needs)
        resources = ray.cluster_resources()
        yield RayCluster(address, len(alive), resources.get("CPU", 0.0), resources.get("GPU", 0.0))
    finally:
        if ours:
            ray.shutdown()


def _connect(ray: Any, grpc: Any, address: str, cpus: int | None, seconds: float) -> None:
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    if address == "local":
        options |= {"include_dashboard": False, "num_cpus": cpus}
    else:
        if address == "auto":
            address = os.environ.get("RAY_ADDRESS") or address
        status = _request(grpc, _local_address() if address == "auto" else address, seconds)
        # On its own machine, Ray finds the token itself.
        if status == "UNAUTHENTICATED" and address != "auto" and os.environ.get("RAY_AUTH_MODE") != "token":
            raise AddressUnavailable(
                f"the Ray at {address} requires a token: set RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN or"
                " RAY_AUTH_TOKEN_PATH"
            )
    for left in reversed(range(TRIES)):
        try:
            ray.init(address, **options)
        except ConnectionAbortedError as error:
            if not left:
                raise _unavailable(address, error, -1) from error
        # OSError: no answer, or the path of a socket is too long.
        except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
            raise _unavailable(address, error, 0) from error
        else:
            return


def _unavailable(address: str, error: BaseException, line: int) -> AddressUnavailable:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return AddressUnavailable(f"cannot connect to Ray at {address}: {lines[line]}")


def _local_address() -> str:
    """Return the address of the Ray that was started last on this machine."""
    file = Path(os.environ.get("RAY_TMPDIR") or tempfile.gettempdir()) / CURRENT
    if not file.is_file():
        raise AddressUnavailable(
            "no Ray runs on this machine, and RAY_ADDRESS is not set; run `ray start --head`, use --address local, or"
            " give the address of a cluster"
        )
    return file.read_text().strip()


def _request(grpc: Any, address: str, seconds: float) -> str:
    """Return "OK" if Ray answers at the address, or gRPC's status of a refusal."""
    host_port = address.removeprefix(CLIENT).partition("?")[0]
    host, _, port = host_port.rpartition(":")
    if not host or not port.isdigit():
        raise AddressUnavailable(f"expected --address local, auto, HOST:PORT or ray://HOST:PORT; got {address!r}")
    call = ASK_CLIENT_SERVER if address.startswith(CLIENT) else ASK_HEAD
    with grpc.insecure_channel(host_port) as channel:
        try:
            # An empty request is the same in every version of Ray.
            channel.unary_unary(call)(b"", timeout=seconds, metadata=(("client_id", "edgedigits"),))
        except grpc.RpcError as error:
            status: str = error.code().name
        else:
            return "OK"
    if status in ("UNAVAILABLE", "DEADLINE_EXCEEDED"):
        raise AddressUnavailable(f"no Ray answered at {address} within {seconds:g} s; check that it runs there")
    if status == "UNIMPLEMENTED":
        raise AddressUnavailable(
            f"expected Ray at {address}, another server answered; use HOST:PORT with the head node's port (6379), or"
            " ray://HOST:PORT with the port for clients (10001)"
        )
    return status


def _check_nodes(ray: Any, nodes: Sequence[dict[str, Any]], needs: Sequence[tuple[str, str]]) -> None:
    """Raise EdgedigitsError if a node lacks what the work needs."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = version("edgedigits")

    # Nested, so that it is sent whole: edgedigits may not be installed on the node.
    def inspect() -> tuple[str | None, list[tuple[str, str]]]:
        from importlib.metadata import PackageNotFoundError, version
        from importlib.util import find_spec

        try:
            found = version("edgedigits")
        except PackageNotFoundError:
            found = None
        return found, [(module, extra) for module, extra in needs if find_spec(module) is None]

    task = ray.remote(num_cpus=0, max_retries=0)(inspect)
    results = [
        task.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)).remote()
        for node in nodes
    ]
    for node, result in zip(nodes, results, strict=True):
        try:
            there, missing = ray.get(result, timeout=NODE_SECONDS)
        except ray.exceptions.RayError:
            # The node is lost or busy. If it cannot work, its first task reports that.
            continue
        if fault := fault_of_node(node["NodeManagerHostname"], here, there, missing):
            raise EdgedigitsError(fault)


def fault_of_node(name: str, here: str, there: str | None, missing: Sequence[tuple[str, str]]) -> str | None:
    """Return what a node lacks, or None, from the versions of edgedigits and the missing (module, extra)."""
    if there != here:
        found = f"edgedigits {there}" if there else "no edgedigits"
        return f"the Ray node {name} has {found}, here is {here}; run there, in a clone of {here}: pip install '.[ray]'"
    if missing:
        module, extra = missing[0]
        return f"the Ray node {name} has no {module}; run there: pip install 'edgedigits[{extra}]'"
    return None
