"""Connect to Ray: on this machine, or on a cluster; what cannot be connected to is said within seconds.

Ray itself waits two minutes for an address where nobody answers, so the address is asked first. Everything that starts
work on Ray connects here.
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
"""How long a node may take to start a first process and to say what is installed there."""

CLIENT = "ray://"

TRIES = 3
"""Ray starts a server for each client, and now and then fails to, which it says half a minute later."""

CURRENT = Path("ray/ray_current_cluster")
"""The file below the folder for temporary files where Ray keeps the address of what `ray start` started."""

ASK_HEAD = "/ray.rpc.NodeInfoGcsService/CheckAlive"
ASK_CLIENT_SERVER = "/ray.rpc.RayletDriver/ClusterInfo"
"""Calls that only the one or the other port of a cluster knows; any answer will do."""


@dataclass(frozen=True)
class RayCluster:
    """What was connected to.

    Attributes:
        address: as it was given.
        nodes: how many are alive.
        cpus, gpus: of all of them, as Ray counts them.
    """

    address: str
    nodes: int
    cpus: float
    gpus: float

    def require(self, cpus: float, gpus: float) -> None:
        """Return if a node is large enough for work of that size, for which Ray would wait for ever otherwise.

        Raises:
            EdgedigitsError: none is.
        """
        import ray

        alive: list[dict[str, Any]] = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        if not any(node.get("CPU", 0) >= cpus and node.get("GPU", 0) >= gpus for node in alive):
            raise EdgedigitsError(f"no node of the Ray cluster has {cpus:g} CPUs and {gpus:g} GPUs")


@contextlib.contextmanager
def cluster(
    address: str = "local", *, needs: Sequence[tuple[str, str]] = (), cpus: int | None = None, seconds: float = SECONDS
) -> Iterator[RayCluster]:
    """Connect to Ray, and disconnect at the end; a Ray that the caller has connected to is used and left as it is.

    Args:
        address: "local" starts Ray on this machine, and ends it at the end; "auto" takes what runs on this machine or
            what RAY_ADDRESS names; "HOST:PORT" is a head node's, of whose cluster this machine is a part;
            "ray://HOST:PORT" is a cluster elsewhere.
        needs: (module, extra) that must be importable on every node, beside edgedigits itself.
        cpus: how many a local Ray counts; None takes the machine's.
        seconds: how long an address may take to answer.

    Raises:
        MissingExtra: Ray is not installed here.
        AddressUnavailable: no Ray answers there, or it refuses.
        EdgedigitsError: a node has no edgedigits, another version of it, or not the extra.
    """
    # Ray tells its makers what is run on it, and keeps messages back to print them when it ends, unless it is told
    # not to before it is imported.
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
        status = _ask(grpc, _started_here() if address == "auto" else address, seconds)
        # Of what it finds on its own machine, Ray takes the token by itself.
        if status == "UNAUTHENTICATED" and address != "auto" and os.environ.get("RAY_AUTH_MODE") != "token":
            raise AddressUnavailable(
                f"the Ray at {address} asks for a token: set RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN or"
                " RAY_AUTH_TOKEN_PATH"
            )
    for more in reversed(range(TRIES)):
        try:
            ray.init(address, **options)
        except ConnectionAbortedError as error:
            if not more:
                raise _refused(address, error, -1) from error
        # OSError: nobody answers, or sockets would lie in a folder of too long a name.
        except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
            raise _refused(address, error, 0) from error
        else:
            return


def _refused(address: str, error: BaseException, line: int) -> AddressUnavailable:
    said = str(error).strip().splitlines() or [type(error).__name__]
    return AddressUnavailable(f"cannot connect to Ray at {address}: {said[line]}")


def _started_here() -> str:
    """Return the address of the Ray that was started last on this machine."""
    file = Path(os.environ.get("RAY_TMPDIR") or tempfile.gettempdir()) / CURRENT
    if not file.is_file():
        raise AddressUnavailable(
            "no Ray runs on this machine, and RAY_ADDRESS is not set; start one with `ray start --head`, use"
            " --address local, or give the address of a cluster"
        )
    return file.read_text().strip()


def _ask(grpc: Any, address: str, seconds: float) -> str:
    """Ask whether Ray is at an address; return "OK" or what else gRPC calls the answer.

    Raises:
        AddressUnavailable: nobody answers, or somebody else.
    """
    host_port = address.removeprefix(CLIENT).partition("?")[0]
    host, _, port = host_port.rpartition(":")
    if not host or not port.isdigit():
        raise AddressUnavailable(f"--address is local, auto, HOST:PORT or ray://HOST:PORT, not {address!r}")
    call = ASK_CLIENT_SERVER if address.startswith(CLIENT) else ASK_HEAD
    with grpc.insecure_channel(host_port) as channel:
        try:
            # An empty request has the same bytes in every version of Ray.
            channel.unary_unary(call)(b"", timeout=seconds, metadata=(("client_id", "edgedigits"),))
        except grpc.RpcError as error:
            status: str = error.code().name
        else:
            return "OK"
    if status in ("UNAVAILABLE", "DEADLINE_EXCEEDED"):
        raise AddressUnavailable(f"no Ray answered at {address} within {seconds:g} s; is it running there?")
    if status == "UNIMPLEMENTED":
        raise AddressUnavailable(
            f"what answers at {address} is no such part of Ray: HOST:PORT is the head node's port (6379), ray://HOST:PORT"
            " that of its server for clients (10001)"
        )
    return status


def _check_nodes(ray: Any, nodes: Sequence[dict[str, Any]], needs: Sequence[tuple[str, str]]) -> None:
    """Ask each node whether it has what the work needs.

    Raises:
        EdgedigitsError: one has not.
    """
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = version("edgedigits")

    # A nested function travels whole; one of a module would be looked up where edgedigits may not be installed.
    def look() -> tuple[str | None, list[tuple[str, str]]]:
        from importlib.metadata import PackageNotFoundError, version
        from importlib.util import find_spec

        try:
            found = version("edgedigits")
        except PackageNotFoundError:
            found = None
        return found, [(module, extra) for module, extra in needs if find_spec(module) is None]

    looking = ray.remote(num_cpus=0, max_retries=0)(look)
    asked = [
        looking.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)).remote()
        for node in nodes
    ]
    for node, answer in zip(nodes, asked, strict=True):
        try:
            there, missing = ray.get(answer, timeout=NODE_SECONDS)
        except ray.exceptions.RayError:
            # Lost meanwhile, or busy; if it cannot work, its first task will say so.
            continue
        if fault := fault_of_node(node["NodeManagerHostname"], here, there, missing):
            raise EdgedigitsError(fault)


def fault_of_node(name: str, here: str, there: str | None, missing: Sequence[tuple[str, str]]) -> str | None:
    """Return what a node lacks, or None.

    Args:
        name: of the node.
        here, there: versions of edgedigits; None where it is not installed.
        missing: (module, extra) that cannot be imported there.
    """
    if there != here:
        found = f"edgedigits {there}" if there else "no edgedigits"
        return f"the Ray node {name} has {found}, here is {here}; run there: pip install 'edgedigits[ray]=={here}'"
    if missing:
        module, extra = missing[0]
        return f"the Ray node {name} has no {module}; run there: pip install 'edgedigits[{extra}]=={here}'"
    return None
