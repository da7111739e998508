"""The endpoints of the API."""

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from edgedigits.serving.arrays import images_in
from edgedigits.serving.batching import BatchQueue, Capacity
from edgedigits.serving.guard import RECORD
from edgedigits.serving.inference import PictureTask, Result, classify, model_fields, read_pictures
from edgedigits.serving.options import ServeOptions
from edgedigits.serving.problems import Problem, busy, invalid, problem_of
from edgedigits.serving.uploads import Body, Upload, pictures_in
from edgedigits_runtime.errors import EdgedigitsError
from edgedigits_runtime.reading.reader import Reader

BATCH = 32
"""Pictures of a batch. With more, the first would wait too long for the last."""

JSON = {"content-type": "application/json", "cache-control": "no-store"}


class Service:
    """Answers requests with one reader."""

    def __init__(self, reader: Reader, options: ServeOptions) -> None:
        seconds = options.batch_ms / 1e3
        self.reader = reader
        self._limits = options.limits
        self._budget = Capacity(options.limits.held_bytes)
        self._capacity = Capacity(options.limits.waiting)
        self._requests = 0
        read = partial(read_pictures, reader)
        self._small: BatchQueue[PictureTask, Result] = BatchQueue(read, seconds=seconds, most=BATCH, threaded=False)
        self._large: BatchQueue[PictureTask, Result] = BatchQueue(read, seconds=seconds, most=BATCH, threaded=True)
        self._arrays: BatchQueue[NDArray[np.uint8], Result] = BatchQueue(
            partial(classify, reader), seconds=seconds, most=BATCH, threaded=True
        )

    def close(self) -> None:
        """Finish what is being read, and close the reader."""
        self._large.close()
        self._arrays.close()
        self.reader.close()

    def is_full(self) -> bool:
        """Whether no more pictures can wait."""
        return self._capacity.count >= self._capacity.most

    async def read(self, request: Request) -> Response:
        """Answer POST /v1/read."""
        traced = _flag(request, "trace")
        with self._counted(), Body(self._limits, self._budget) as body:
            content = await body.receive(request.headers, request.receive)
            uploads = pictures_in(content, request.headers.get("content-type", ""), self._limits)
            record = request.scope[RECORD]
            record.update(bytes=len(content), pictures=len(uploads))
            tasks = [PictureTask(upload, traced) for upload in uploads]
            queues = [self._small if task.is_small() else self._large for task in tasks]
            results = await self._results(queues, tasks)
        record["digits"] = sum(result.count for result in results if isinstance(result, Result))
        if len(results) > 1:
            return Response(b"[%b]" % b",".join(map(_item, uploads, results)), headers=JSON)
        return _response(results[0])

    async def classify(self, request: Request) -> Response:
        """Answer POST /v1/classify."""
        shape, content_type = self.reader.classifier.contract.image_shape, request.headers.get("content-type", "")
        with self._counted(), Body(self._limits, self._budget) as body:
            content = await body.receive(request.headers, request.receive)
            # In a thread: parsing a large body takes half a second.
            images = await asyncio.to_thread(images_in, content, content_type, shape, self._limits.arrays)
            request.scope[RECORD].update(bytes=len(content), arrays=len(images))
            (result,) = await self._results([self._arrays], [images])
        return _response(result)

    async def models(self, _: Request) -> Response:
        """Answer GET /v1/models."""
        contract, fields = self.reader.classifier.contract, model_fields(self.reader)
        more = {"image": contract.image_shape, "reader": contract.reader}
        model = {"name": fields.pop("model"), **fields, **more, "threshold": round(self.reader.min_confidence, 4)}
        return JSONResponse({"models": [model]}, headers=JSON)

    async def health(self, request: Request) -> Response:
        """Answer GET /healthz and GET /readyz."""
        if request.url.path == "/readyz" and self.is_full():
            raise busy()
        return JSONResponse({"status": "ok"}, headers=JSON)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        """Count the requests that have pictures or arrays."""
        self._requests += 1
        try:
            yield
        finally:
            self._requests -= 1

    async def _results(self, queues: Sequence[BatchQueue[Any, Result]], tasks: Sequence[Any]) -> list[Result | Problem]:
        """Return the result of each task, or its Problem.

        Raises:
            Problem: 503, because the server is at fault and not a picture.
        """
        deadline = time.monotonic() + self._limits.seconds
        self._capacity.enter(len(tasks))
        results: list[Result | Problem] = []
        try:
            alone = self._requests == 1
            futures = [queue.submit(task, deadline, alone=alone) for queue, task in zip(queues, tasks, strict=True)]
            for future in futures:
                try:
                    results.append(await future)
                except Problem as problem:
                    results.append(problem)
                except EdgedigitsError as error:
                    results.append(problem_of(error))
        finally:
            self._capacity.leave(len(tasks))
        for result in results:
            if isinstance(result, Problem) and result.status == 503:
                raise result
        return results


def _response(result: Result | Problem) -> Response:
    if isinstance(result, Problem):
        raise result
    return Response(result.body, headers=JSON)


def _item(upload: Upload, result: Result | Problem) -> bytes:
    """Return the JSON of one of several results."""
    if isinstance(result, Problem):
        return json.dumps({"source": upload.name, "error": result.message}).encode()
    return result.body


def _flag(request: Request, name: str) -> bool:
    """Return a boolean of the query; false if it is missing."""
    if not request.scope["query_string"]:
        return False
    value = request.query_params.get(name, "false")
    if value not in ("true", "false"):
        raise invalid(f"expected {name}=true or {name}=false; got {value[:80]!r}")
    return value == "true"
