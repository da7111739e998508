"""The service: what a server's process holds, and the answers to requests."""

import asyncio
import json
import time
from collections.abc import Awaitable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import Response

from edgedigits.serving.answers import Answer, PictureTask, classify, described, is_quick, read_pictures
from edgedigits.serving.arrays import arrays_in
from edgedigits.serving.guard import RECORD
from edgedigits.serving.lanes import Lane, Waiting
from edgedigits.serving.options import ServeOptions
from edgedigits.serving.problems import Problem, invalid, problem_of
from edgedigits.serving.uploads import BodyReader, Held, Upload, pictures_in
from edgedigits_runtime.errors import EdgedigitsError
from edgedigits_runtime.reading.reader import Reader

TOGETHER = 32
"""Small pictures that are read at a time; with more, the first would wait for the last."""

JSON = {"content-type": "application/json", "cache-control": "no-store"}


class Service:
    """Answers requests with one reader.

    Attributes:
        reader: reads.
        options: what the server was told.
    """

    def __init__(self, reader: Reader, options: ServeOptions) -> None:
        seconds = options.batch_ms / 1e3
        self.reader = reader
        self.options = options
        self._held = Held(options.limits.held_bytes)
        self._waiting = Waiting(options.limits.waiting)
        self._quick: Lane[PictureTask, Answer] = Lane(
            lambda tasks: read_pictures(reader, tasks), seconds=seconds, most=TOGETHER, threaded=False
        )
        self._slow: Lane[PictureTask, Answer] = Lane(
            lambda tasks: read_pictures(reader, tasks), seconds=seconds, most=TOGETHER, threaded=True
        )
        self._arrays: Lane[NDArray[np.uint8], Answer] = Lane(
            lambda tasks: classify(reader, tasks), seconds=seconds, most=TOGETHER, threaded=True
        )

    def close(self) -> None:
        """Finish what is being read, and give back the engine."""
        self._slow.close()
        self._arrays.close()
        self.reader.close()

    async def read(self, request: Request) -> Response:
        """Answer POST /v1/read."""
        traced = _flag(request, "trace")
        body = BodyReader(self.options.limits, self._held)
        try:
            content = await body.receive(request.headers, request.receive)
            uploads = pictures_in(content, request.headers.get("content-type", ""), self.options.limits)
            record = request.scope[RECORD]
            record.update(bytes=len(content), pictures=len(uploads))
            tasks = [PictureTask(upload, traced) for upload in uploads]
            answers = await self._answered([self._lane(task).submit for task in tasks], tasks)
        finally:
            body.release()
        record["digits"] = sum(answer.count for answer in answers if isinstance(answer, Answer))
        if len(answers) > 1:
            return Response(_listed(uploads, answers), headers=JSON)
        return _response(answers[0])

    async def classify(self, request: Request) -> Response:
        """Answer POST /v1/classify."""
        body = BodyReader(self.options.limits, self._held)
        shape = self.reader.classifier.contract.image_shape
        try:
            content = await body.receive(request.headers, request.receive)
            # A large body takes half a second, for which all others would wait.
            images = await asyncio.to_thread(
                arrays_in, content, request.headers.get("content-type", ""), shape, self.options.limits.arrays
            )
            request.scope[RECORD].update(bytes=len(content), arrays=len(images))
            (answer,) = await self._answered([self._arrays.submit], [images])
        finally:
            body.release()
        return _response(answer)

    def models(self) -> dict[str, Any]:
        """Return what GET /v1/models tells."""
        contract = self.reader.classifier.contract
        model = {
            "name": contract.name,
            **{name: value for name, value in described(self.reader).items() if name != "model"},
            "image": list(contract.image_shape),
            "reader": contract.reader,
            "threshold": round(self.reader.min_confidence, 4),
        }
        return {"models": [model]}

    def is_full(self) -> bool:
        """Say whether as many pictures wait as may."""
        return self._waiting.count >= self._waiting.most

    def _lane(self, task: PictureTask) -> Lane[PictureTask, Answer]:
        return self._quick if is_quick(task.upload) else self._slow

    async def _answered(self, submits: Sequence[Any], tasks: Sequence[Any]) -> list[Answer | Problem]:
        """Submit each task to its lane and return the answers; a Problem where a picture is at fault."""
        due = time.monotonic() + self.options.limits.seconds
        self._waiting.enter(len(tasks))
        try:
            futures = [submit(task, due) for submit, task in zip(submits, tasks, strict=True)]
            answers = [await _settled(future) for future in futures]
        finally:
            self._waiting.leave(len(tasks))
        for answer in answers:
            if isinstance(answer, Problem) and answer.status == 503:
                raise answer
        return answers


async def _settled(future: Awaitable[Answer]) -> Answer | Problem:
    try:
        return await future
    except Problem as problem:
        return problem
    except EdgedigitsError as error:
        return problem_of(error)


def _response(answer: Answer | Problem) -> Response:
    if isinstance(answer, Problem):
        raise answer
    return Response(answer.body, headers=JSON)


def _listed(uploads: Sequence[Upload], answers: Sequence[Answer | Problem]) -> bytes:
    """Return the JSON list of several answers; one that could not be read stops no other."""
    written = [
        json.dumps({"source": upload.name, "error": answer.message}).encode()
        if isinstance(answer, Problem)
        else answer.body
        for upload, answer in zip(uploads, answers, strict=True)
    ]
    return b"[" + b",".join(written) + b"]"


def _flag(request: Request, name: str) -> bool:
    """Return a yes or no of the query; no if it is not there."""
    if not request.scope["query_string"]:
        return False
    given = request.query_params.get(name, "false")
    if given not in ("true", "false"):
        raise invalid(f"expected {name}=true or {name}=false; got {given[:80]!r}")
    return given == "true"
