"""The HTTP API against its OpenAPI document: every response conforms to it, whatever is sent."""

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi import checks

from tests.support.serving import BLANK, FIVE, PHOTO, Running, npy, running

# Each starts a server.
pytestmark = pytest.mark.slow

CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
    checks.unsupported_method,
]

PICTURES = st.sampled_from([FIVE, PHOTO, BLANK, FIVE[:200], b"no picture", b""])
ARRAYS = st.one_of(st.sampled_from([npy(np.zeros((count, 28, 28), np.uint8)) for count in (1, 3)]), st.binary())

# Number of requests; arrays of 784 numbers take long to generate.
EXAMPLES = {
    ("POST", "/v1/read"): 80,
    ("POST", "/v1/classify"): 12,
    ("GET", "/v1/models"): 5,
    ("GET", "/healthz"): 5,
    ("GET", "/readyz"): 5,
}


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running("--no-log-requests", "--batch-ms", "0") as started:
        yield started


@pytest.fixture(scope="module")
def document(server: Running) -> schemathesis.BaseSchema:
    for kind in ("png", "jpeg", "webp", "tiff", "bmp", "gif"):
        schemathesis.openapi.media_type(f"image/{kind}", PICTURES, aliases=["application/octet-stream"])
    schemathesis.openapi.media_type("application/x-npy", ARRAYS)
    return schemathesis.openapi.from_url(f"{server.url}/openapi.json")


def test_document_has_all_operations(document: schemathesis.BaseSchema) -> None:
    found = [result.ok() for result in document.get_all_operations()]
    assert [(operation.method.upper(), operation.path) for operation in found] == list(EXAMPLES)


@pytest.mark.parametrize("mode", GenerationMode)
@pytest.mark.parametrize(("method", "path"), EXAMPLES)
def test_responses_conform_to_the_document(
    document: schemathesis.BaseSchema, method: str, path: str, mode: GenerationMode
) -> None:
    """Requests that conform to the document, and that do not. Half of the bodies are pictures."""
    if mode is GenerationMode.NEGATIVE and method == "GET":
        return  # They have no parameters.
    answered: Counter[int] = Counter()

    phases = [Phase.explicit, Phase.generate]

    @settings(max_examples=EXAMPLES[method, path], suppress_health_check=list(HealthCheck), phases=phases)
    @given(case=document[path][method].as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case) -> None:
        answered[case.call_and_validate(checks=CHECKS).status_code] += 1

    ask()
    assert mode is GenerationMode.NEGATIVE or answered[200], answered
    assert method == "GET" or answered[422], answered
