"""Call functions in a child process, so that a crash, a hang or a leak there is one error here.

A call is "module:function" and its arguments, and the answer is what the function returns or the error it raises.
Arguments and answers are JSON values, bytes and arrays of numbers. A message is the lengths of two parts (16 bytes),
JSON, and the raw bytes of the arrays. Nothing is unpickled, because an untrusted file may have taken over the child.
A child is a fresh interpreter: `multiprocessing` would run the caller's script again. It is no sandbox: it may read
what its user may read (SECURITY.md). Imports little at the top, because the benchmark's children import it too.
"""

import contextlib
import importlib
import json
import math
import os
import re
import struct
import sys
import threading
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from edgedigits_runtime import errors
from edgedigits_runtime.errors import EdgedigitsError
from edgedigits_runtime.machine import core_count

if TYPE_CHECKING:
    import subprocess

CODE = "from edgedigits_runtime.child_process import serve; serve()"
LENGTHS = struct.Struct("<QQ")
MAX_JSON = 1 << 22
"""Bytes of JSON in an answer; a contract may have a mebibyte."""

CAUSES = {
    "SIGILL": " (a library was built for another processor)",
    "SIGKILL": " (the system ended it, mostly for lack of memory)",
    "SIGSEGV": " (a fault in a native library)",
}
"""Likely causes of a signal."""

FAULT = re.compile(r"error|fail|fatal|abort|assert|check|exception|terminate|unsupported|invalid|cannot|what\(\)", re.I)
NO_FAULT = re.compile(r"warn|^\s*[IW]\d{4} ", re.I)
"""Lines of warnings, and of the information that TensorFlow logs."""

NUMBERS = re.compile("bool|(u?int|float)(8|16|32|64)")
"""The dtypes that a message may hold."""


class Child:
    """A process that answers calls, one at a time. A call after it died starts a new one."""

    def __init__(
        self,
        name: str,
        error: type[EdgedigitsError],
        *,
        advice: str = "",
        prelude: str = "",
        environment: dict[str, str] | None = None,
        keep_output: bool = False,
    ) -> None:
        """Prepare a child; the first call starts it.

        Args:
            name: subject of the error messages, such as "the converter".
            error: raised when the child crashes, hangs, or raises an error that is not one of ours.
            advice: added to the message of a crash.
            prelude: Python code that the child runs before any import.
            environment: more environment variables.
            keep_output: add the last fault that the child printed to the message of a crash.
        """
        self.name = name
        self.error = error
        self.advice = advice
        self.code = f"{prelude}; {CODE}" if prelude else CODE
        self.environment = environment or {}
        self.keep_output = keep_output
        self.process: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None
        self._finalize: Any = bool

    def __enter__(self) -> "Child":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def call(self, function: str, *arguments: Any, seconds: float | None = None, max_bytes: int = sys.maxsize) -> Any:
        """Call "module:function" in the child.

        Args:
            function: importable there as it is here.
            arguments: JSON values, bytes and arrays.
            seconds: time limit; None is no limit.
            max_bytes: most bytes of arrays accepted as an answer.

        Raises:
            EdgedigitsError: the class and message that the function raised.
            error: the child crashed, exceeded a limit, raised another exception or sent an invalid answer.
        """
        process = self.process or self._start()
        assert process.stdin is not None and process.stdout is not None
        late = threading.Event()
        timer = threading.Timer(seconds, _kill_late, [process, late]) if seconds else None
        try:
            if timer:
                timer.start()
            _send(process.stdin, *_encode({"function": function, "arguments": arguments, "seconds": seconds}))
            answer = _receive(process.stdout, MAX_JSON, max_bytes)
            if not isinstance(answer, dict):
                raise TypeError
        # A closed pipe, or bytes that are no message.
        except (OSError, EOFError, ValueError, TypeError, LookupError, OverflowError, RecursionError) as error:
            if late.is_set():
                self.end()
                raise self.error(f"{self.name} took more than {seconds:g} seconds; its process was ended") from None
            # An interpreter closes the pipe some time before it ends.
            raise self.crash(5 if isinstance(error, OSError | EOFError) else 0) from None
        # Such as KeyboardInterrupt: the next call would receive the answer to this one.
        except BaseException:
            self.end()
            raise
        finally:
            if timer:
                timer.cancel()
        if "error" in answer:
            raise self._error_of(answer)
        return answer.get("value")

    def crash(self, seconds: float = 0) -> EdgedigitsError:
        """End a child that sent an invalid answer, or crashes within `seconds`; return the error to raise."""
        import signal
        import subprocess

        process = self.process
        if process is None:
            return self.error(f"{self.name} was ended during a call")
        try:
            code = process.wait(seconds)
            name = signal.Signals(-code).name if code < 0 else ""
            how = f"crashed with {name}{CAUSES.get(name, '')}" if name else f"ended with exit code {code}"
        except subprocess.TimeoutExpired:
            how = "sent an invalid answer"
        output = _last_fault(self._output) if self._output else ""
        self.end()
        return self.error("; ".join(filter(None, [f"{self.name} {how}", output, self.advice])))

    def end(self) -> None:
        """Kill the process; a call that waits in another thread raises the child's error."""
        # Before the kill, so that this call is not reported as a crash.
        self.process = None
        self._finalize()

    def _start(self) -> "subprocess.Popen[bytes]":
        import subprocess
        import tempfile
        import weakref

        variables = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "TF_CPP_MIN_LOG_LEVEL": "3"}
        self._output = tempfile.TemporaryFile() if self.keep_output else None  # noqa: SIM115  # _close closes it
        self.process = subprocess.Popen(
            # -P: the working folder may hold an untrusted numpy.py.
            [sys.executable, "-P", "-c", self.code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._output or subprocess.DEVNULL,
            env={**os.environ, **variables, **self.environment},
        )
        # Ends the process also if `end` is never called.
        self._finalize = weakref.finalize(self, _close, self.process, self._output)
        return self.process

    def _error_of(self, answer: dict[str, Any]) -> EdgedigitsError:
        """Make the error that the child names; only classes of edgedigits_runtime.errors are made."""
        kind, message = getattr(errors, str(answer["error"]), None), str(answer.get("message", ""))
        if isinstance(kind, type) and issubclass(kind, EdgedigitsError):
            return errors._from_message(kind, message)
        return self.error(f"{self.name} failed: {message}")


def serve() -> None:
    """Answer the calls on standard input until the parent closes it; runs in the child."""
    from queue import SimpleQueue

    # Raw, so that the thread that waits in it holds no lock when the interpreter ends.
    incoming, outgoing = os.fdopen(os.dup(0), "rb", buffering=0), os.fdopen(os.dup(1), "wb")
    # A library that prints must not write into the messages.
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(2, 1)
    calls: SimpleQueue[dict[str, Any]] = SimpleQueue()
    # A thread, so that the child also ends with its parent in the middle of a call.
    threading.Thread(target=_listen, args=(incoming, calls), daemon=True).start()
    while True:
        call = calls.get()
        if call["seconds"]:
            _limit_time(call["seconds"])
        _send(outgoing, *_answer(call))


def limit_memory(count: int) -> None:
    """Bound the bytes that this process may take from now on; only Linux does."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError):
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + count
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _limit_time(seconds: float) -> None:
    """Let the system end this process after so many seconds of every core, in case it holds the interpreter lock."""
    try:
        import resource
    except ImportError:
        return
    usage = resource.getrusage(resource.RUSAGE_SELF)
    spent = usage.ru_utime + usage.ru_stime
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(spent + seconds * core_count()) + 1, hard))


def _listen(incoming: IO[bytes], calls: Any) -> None:
    try:
        while True:
            calls.put(_receive(incoming, sys.maxsize, sys.maxsize))
    except (EOFError, OSError):
        os._exit(0)
    except BaseException:  # noqa: BLE001  # The main thread would wait for ever.
        os._exit(1)


def _answer(call: dict[str, Any]) -> tuple[bytes, list[bytes]]:
    module, name = call["function"].split(":")
    try:
        return _encode({"value": getattr(importlib.import_module(module), name)(*call["arguments"])})
    except EdgedigitsError as error:
        kind, message = type(error).__name__, str(error)
    except MemoryError:
        kind, message = "", "it asked for more memory than its limit"
    except Exception as error:  # noqa: BLE001  # The parent raises an error of its own.
        kind, message = "", f"{type(error).__name__}: {errors.first_line(error)}"
    return _encode({"error": kind, "message": message})


def _send(pipe: IO[bytes], text: bytes, blocks: list[bytes]) -> None:
    pipe.write(LENGTHS.pack(len(text), sum(map(len, blocks))) + text)
    for block in blocks:
        pipe.write(block)
    pipe.flush()


def _receive(pipe: IO[bytes], max_json: int, max_bytes: int) -> Any:
    text_length, length = LENGTHS.unpack(_read(pipe, LENGTHS.size))
    if text_length > max_json or length > max_bytes:
        raise ValueError("the message is too long")
    text = _read(pipe, text_length)
    return _decode(text, _read(pipe, length))


def _read(pipe: IO[bytes], count: int) -> bytearray:
    content = bytearray()
    while len(content) < count:
        chunk = pipe.read(min(count - len(content), 1 << 20))
        if not chunk:
            raise EOFError
        content += chunk
    return content


def _encode(value: Any) -> tuple[bytes, list[bytes]]:
    """Return the JSON of a value, in which {"$": [dtype, shape]} is an array or bytes, and their contents in order."""
    blocks: list[bytes] = []

    def stored(item: Any) -> dict[str, Any]:
        blocks.append(item if isinstance(item, bytes) else item.tobytes())
        return {"$": [None, [len(item)]] if isinstance(item, bytes) else [str(item.dtype), list(item.shape)]}

    return json.dumps(value, default=stored).encode(), blocks


def _decode(text: bytearray, data: bytearray) -> Any:
    start = 0

    def restored(item: dict[str, Any]) -> Any:
        nonlocal start
        if item.keys() != {"$"}:
            return item
        dtype, shape = item["$"]
        if dtype is None:
            start += shape[0]
            return bytes(data[start - shape[0] : start])
        import numpy as np

        if not NUMBERS.fullmatch(dtype):
            raise ValueError(f"an array of {dtype}")
        array = np.frombuffer(data, dtype, math.prod(shape), start).reshape(shape)
        start += array.nbytes
        return array

    return json.loads(text, object_hook=restored)


def _kill_late(process: "subprocess.Popen[bytes]", late: threading.Event) -> None:
    late.set()
    process.kill()


def _close(process: "subprocess.Popen[bytes]", output: IO[bytes] | None) -> None:
    process.kill()
    for pipe in (process.stdin, process.stdout, output):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    process.wait()


def _last_fault(output: IO[bytes]) -> str:
    """Return the last line that the child printed about a fault; warnings are none."""
    output.seek(max(output.seek(0, os.SEEK_END) - 16_384, 0))
    lines = [line.strip() for line in output.read().decode(errors="replace").splitlines()]
    faults = [line for line in lines if FAULT.search(line) and not NO_FAULT.search(line)]
    return f"its last fault: {faults[-1]}" if faults else ""
