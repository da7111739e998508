"""An engine in a process of its own, with limits: one that crashes, hangs or eats memory costs an error, no more.

    parent                                  child, `python -m edgedigits_runtime.engines.isolated`
    opener, path, contract, options   ->    opens the file, then takes its limits for memory and files
                                      <-    contract, device, providers, or an error
    tensor                            ->    invokes
                                      <-    tensor, or an error

Messages are a line of JSON and raw bytes behind it. Nothing that the child sends is unpickled: it may no longer be
what it was. It is no sandbox: the child may read what its user may read (SECURITY.md).
"""

import contextlib
import dataclasses
import importlib
import json
import math
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime import errors
from edgedigits_runtime.contract import Contract, parse_contract
from edgedigits_runtime.engine_options import EngineOptions, Isolation
from edgedigits_runtime.engines.engine import Engine
from edgedigits_runtime.errors import EdgedigitsError, EngineCrashed
from edgedigits_runtime.machine import core_count

LIBRARIES = {
    "edgedigits_runtime.engines.litert": "ai_edge_litert.interpreter",
    "edgedigits_runtime.engines.onnxruntime": "onnxruntime",
    "edgedigits.keras_engine": "keras",
}
"""What each opener imports; its own memory is not counted as the model's."""

CHUNK = 64
"""Images in one message; the time limit is for one."""

LONGEST_LINE = 1 << 22
"""Of what a child says; a contract may have a mebibyte."""


Facts = dict[str, Any]
"""The line of a message."""


class IsolatedEngine(Engine):
    """Ask an engine in a child process; a child that died is started again by the next call."""

    def __init__(self, child: "_Child", contract: Contract, facts: Facts, reopen: Callable[[], Engine]) -> None:
        self.name = str(facts["name"])
        providers = (*map(str, facts["providers"]), "isolated")
        super().__init__(contract, str(facts["device"]), providers, reopen=reopen)
        self._child = child
        self._lock = threading.Lock()

    def _invoke(self, tensor: NDArray[Any]) -> NDArray[Any]:
        with self._lock:
            return np.concatenate([self._answer(tensor[k : k + CHUNK]) for k in range(0, len(tensor), CHUNK)])

    def _answer(self, tensor: NDArray[Any]) -> NDArray[Any]:
        border = self.contract.output
        facts = {"dtype": str(tensor.dtype), "shape": list(tensor.shape)}
        shape = (len(tensor), *map(int, (size or 0 for size in border.shape[1:])))
        size = math.prod(shape) * np.dtype(border.dtype).itemsize
        _, answer = self._child.ask(facts, np.ascontiguousarray(tensor).tobytes(), size)
        return np.frombuffer(answer, border.dtype).reshape(shape)

    def _release(self) -> None:
        self._child.end()


def open_isolated(
    opener: str, path: Path, contract: Contract | None, device: str, options: EngineOptions
) -> IsolatedEngine:
    """Load a model file in a child process.

    Args:
        opener: "module:function" of what opens it there, as an engine module's open_engine.
        path, contract: see edgedigits_runtime.engines.open_engine.
        device: "auto" is the CPU here; an accelerator, which maps more memory than there is, has no limit for it.
        options: with its `isolation`.

    Raises:
        EngineCrashed: the child crashed, took too long, or asked for more memory than it was given.
        EdgedigitsError: as the opener raised it there.
    """
    request = {
        "opener": opener,
        "path": str(path),
        "contract": json.loads(contract.to_json()) if contract else None,
        "device": "cpu" if device == "auto" else device,
        "options": dataclasses.asdict(dataclasses.replace(options, isolation=None)),
    }
    child = _Child(request, options.isolation or Isolation())
    facts = child.start()
    found = contract or parse_contract(json.dumps(facts["contract"]), str(path))
    reopen = partial(open_isolated, opener, path, contract, device, options)
    return IsolatedEngine(child, found, facts, reopen)


class _Child:
    """The process, and how it is asked."""

    def __init__(self, request: Facts, isolation: Isolation) -> None:
        """Take what is opened how; `start` starts it."""
        self.path = request["path"]
        self.isolation = isolation
        self.request = {**request, "isolation": dataclasses.asdict(isolation)}
        self.process: subprocess.Popen[bytes] | None = None
        self._end: Callable[[], object] = bool

    def start(self) -> Facts:
        """Start the process and open the file there; return what it says of its engine."""
        # -P: a folder with a stranger's model may hold a numpy.py too.
        command = [sys.executable, "-P", "-m", "edgedigits_runtime.engines.isolated"]
        # Each arena of the C library would take 64 MiB of address space for itself.
        variables = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "MALLOC_ARENA_MAX": "2"}
        environment = {**os.environ, **variables, "TF_CPP_MIN_LOG_LEVEL": "3"}
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
        )
        # Also where nobody calls close: neither a process nor a pipe may be left.
        self._end = weakref.finalize(self, _kill, self.process)
        facts, _ = self._exchange(self.request, b"", 0, self.isolation.opening_seconds)
        return facts

    def ask(self, facts: Facts, content: bytes, size: int) -> tuple[Facts, bytes]:
        """Send a message and return the answer, which has `size` bytes behind its line."""
        if self.process is None:
            self.start()
        return self._exchange(facts, content, size, self.isolation.seconds)

    def end(self) -> None:
        """Kill the process."""
        self._end()
        self.process = None

    def _exchange(self, facts: Facts, content: bytes, size: int, seconds: float) -> tuple[Facts, bytes]:
        process = self.process
        assert process is not None and process.stdin is not None and process.stdout is not None
        late = threading.Event()
        timer = threading.Timer(seconds, _give_up, [process, late])
        timer.start()
        try:
            _send(process.stdin, facts, content)
            answer, behind = _receive(process.stdout, size)
        # Broken pipes, an end in the middle, or what is no message at all.
        except (OSError, ValueError, EOFError):
            process.kill()
            code = process.wait()
            self.end()
            raise EngineCrashed(self._how_it_died(code, seconds if late.is_set() else None)) from None
        finally:
            timer.cancel()
        if "error" in answer:
            raise _error_of(answer)
        return answer, behind

    def _how_it_died(self, code: int, seconds: float | None) -> str:
        if seconds is not None:
            return f"{self.path} took its engine more than {seconds:g} seconds; its process was ended"
        how = f"exit code {code}"
        if code < 0:
            import signal

            how = signal.Signals(-code).name
        return f"{self.path} crashed its engine's process ({how}); do not use this file"


def _kill(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    process.wait()


def _give_up(process: "subprocess.Popen[bytes]", late: threading.Event) -> None:
    late.set()
    process.kill()


def _error_of(answer: Facts) -> EdgedigitsError:
    """Make the error that the child names, of our own classes only."""
    kind = getattr(errors, str(answer["error"]), None)
    if not (isinstance(kind, type) and issubclass(kind, EdgedigitsError)):
        kind = EngineCrashed
    return errors._from_message(kind, str(answer.get("message", "")))


def _send(pipe: IO[bytes], facts: Facts, content: bytes = b"") -> None:
    pipe.write(json.dumps({**facts, "size": len(content)}).encode() + b"\n" + content)
    pipe.flush()


def _receive(pipe: IO[bytes], size: int | None) -> tuple[Facts, bytes]:
    """Return a message's facts and the bytes behind; `size` is how many there have to be, if there is no error."""
    line = pipe.readline(LONGEST_LINE)
    if not line.endswith(b"\n"):
        raise EOFError
    facts = json.loads(line)
    if not isinstance(facts, dict):
        raise ValueError("no message")
    if "error" in facts:
        return facts, b""
    if size is None:
        size = int(facts["size"])
    elif facts.get("size") != size:
        raise ValueError("an answer of another size")
    content = pipe.read(size)
    if len(content) != size:
        raise EOFError
    return facts, content


def _serve(taken: IO[bytes], given: IO[bytes]) -> None:
    """Open what the first message says, and answer the others until the parent goes away; in the child."""
    request, _ = _receive(taken, None)
    isolation = Isolation(**request.pop("isolation"))
    with _told(given):
        engine = _opened(request, isolation)
        contract = json.loads(engine.contract.to_json())
        _send(
            given, {"name": engine.name, "device": engine.device, "providers": engine.providers, "contract": contract}
        )
        while True:
            facts, content = _receive(taken, None)
            _limit_time(isolation.seconds)
            with _told(given):
                tensor = np.frombuffer(content, facts["dtype"]).reshape(facts["shape"])
                _send(given, {}, np.ascontiguousarray(engine.invoke(tensor)).tobytes())


@contextlib.contextmanager
def _told(given: IO[bytes]) -> Iterator[None]:
    try:
        yield
    except EOFError:  # The parent is gone.
        sys.exit(0)
    except EdgedigitsError as error:
        _send(given, {"error": type(error).__name__, "message": str(error)})
    except MemoryError:
        _send(given, {"error": "EngineCrashed", "message": "the engine asked for more memory than it was given"})


def _opened(request: Facts, isolation: Isolation) -> Engine:
    options, device = request["options"], request["device"]
    settings = EngineOptions(**{**options, "cores": tuple(options["cores"]), "workers": 1})
    contract = parse_contract(json.dumps(request["contract"]), request["path"]) if request["contract"] else None
    module, name = request["opener"].split(":")
    with contextlib.suppress(ImportError):  # The opener says what is missing.
        importlib.import_module(LIBRARIES.get(module, module))
    _limit_time(isolation.opening_seconds)
    if device == "cpu":
        _limit_memory(isolation.memory_bytes)
    opened: Engine = getattr(importlib.import_module(module), name)(Path(request["path"]), contract, device, settings)
    return opened


def _limit_memory(count: int) -> None:
    """Bound what this process may take from now on, where the system can."""
    try:
        import resource
    except ImportError:  # Windows has the time limit alone.
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Only Linux tells how much is taken, and only there is the limit kept.
    with contextlib.suppress(OSError):
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + count
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _limit_time(seconds: float) -> None:
    """End this process after so many seconds of every core: one whose parent was killed would compute for ever."""
    try:
        import resource
    except ImportError:
        return
    usage = resource.getrusage(resource.RUSAGE_SELF)
    spent = usage.ru_utime + usage.ru_stime
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(spent + seconds * core_count()) + 1, hard))


def main() -> None:
    """Serve on the standard pipes, which a library's own messages do not reach."""
    taken, given = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nowhere, standard)
    _serve(taken, given)


if __name__ == "__main__":
    main()
