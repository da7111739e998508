"""The HTTP API against its own OpenAPI document: whatever is sent, every answer is one that the document names."""

from collections.abc import Iterator

import numpy as np
import pytest
import schemathesis
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)
from serving import BLANK, FIVE, PHOTO, npy

from edgedigits import load
from edgedigits.serving.app import create_app
from edgedigits.serving.options import ServeOptions

CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    unsupported_method,
]

# Bytes that are random are refused at once; half of what is sent can be read.
PICTURES = st.one_of(st.sampled_from([FIVE, PHOTO, BLANK, FIVE[:200]]), st.binary(max_size=100))
ARRAYS = st.one_of(st.builds(lambda count: npy(np.zeros((count, 28, 28), np.uint8)), st.integers(1, 3)), st.binary())


@pytest.fixture(scope="module")
def schema() -> Iterator[schemathesis.BaseSchema]:
    for kind in ("png", "jpeg", "webp", "tiff", "bmp", "gif"):
        schemathesis.openapi.media_type(f"image/{kind}", PICTURES)
    schemathesis.openapi.media_type("application/x-npy", ARRAYS)
    app = create_app(ServeOptions(batch_ms=0), load())
    yield schemathesis.openapi.from_asgi("/openapi.json", app, headers={"host": "localhost"})
