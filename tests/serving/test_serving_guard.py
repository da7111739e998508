"""The guard: host names, origins, tokens, headers; static files."""

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgedigits.serving.guard import CSP
from edgedigits.serving.options import ServeOptions
from edgedigits.serving.static_files import page_files
from edgedigits_runtime.errors import AddressUnavailable
from edgedigits_runtime.reading.reader import Reader
from tests.support.serving import FIVE, Api

TOKEN = "a-token-of-some-length"


@pytest.fixture(scope="module")
def api(reader: Reader) -> Iterator[Api]:
    with Api(reader) as made:
        yield made


@pytest.fixture(scope="module")
def guarded(reader: Reader) -> Iterator[Api]:
    """A server that other machines can reach."""
    with Api(reader, ServeOptions(host="0.0.0.0", token=TOKEN)) as made:
        yield made


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8000", "localhost", "LOCALHOST:1", "[::1]", "[::1]:8000"])
def test_loopback_names_are_allowed(api: Api, host: str) -> None:
    assert api.get("/healthz", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "[::2]", "a@"]
)
def test_other_host_names_are_refused(api: Api, host: str) -> None:
    """DNS rebinding: a page of evil.example requests evil.example, which now resolves to 127.0.0.1."""
    answer = api.get("/v1/models", headers={"host": host})
    assert (answer.status_code, answer.json()["error"]["type"]) == (403, "HostRefused")


def test_additional_host_names(reader: Reader) -> None:
    with Api(reader, ServeOptions(names=("Digits.example",))) as api:
        status = {
            host: api.get("/healthz", headers={"host": host}).status_code
            for host in ("digits.example", "digits.example:443", "other.example", "127.0.0.1")
        }
    assert status == {"digits.example": 200, "digits.example:443": 200, "other.example": 403, "127.0.0.1": 200}


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://127.0.0.1:8000", 200),
        ("http://127.0.0.1:9000", 403),
        ("https://evil.example", 403),
        ("null", 403),
        ("http://[broken", 403),
        ("http://127.0.0.1:8000.evil.example", 403),
    ],
)
def test_requests_of_other_sites_are_refused(api: Api, origin: str, status: int) -> None:
    headers = {"host": "127.0.0.1:8000", "origin": origin}
    answer = api.post("/v1/read", content=FIVE, headers=headers)
    assert answer.status_code == status
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_preflight_requests_are_refused(api: Api) -> None:
    headers = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    answer = api.ask("OPTIONS", "/v1/read", headers=headers)
    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.startswith("access-control")]


def basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize("given", [f"Bearer {TOKEN}", f"bearer {TOKEN}", basic("", TOKEN), basic("anybody", TOKEN)])
def test_token_is_accepted(guarded: Api, given: str) -> None:
    answer = guarded.post("/v1/read", content=FIVE, headers={"authorization": given, "host": "some.name"})
    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/v1/models", "/", "/docs", "/openapi.json", "/nothing", "/healthz/../v1/models"])
@pytest.mark.parametrize(
    "given", ["", TOKEN, "Bearer", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", basic(TOKEN, ""), "Basic !", "Basic é"]
)
def test_other_tokens_are_refused(guarded: Api, path: str, given: str) -> None:
    answer = guarded.get(path, headers={"authorization": given.encode()} if given else {})
    assert (answer.status_code, answer.json()["error"]["type"]) == (401, "Unauthorized")
    assert answer.headers["www-authenticate"].startswith("Basic")


@given(st.binary(max_size=60))
def test_random_headers_never_cause_an_internal_error(guarded: Api, given: bytes) -> None:
    for name in ("authorization", "origin", "host", "content-type", "content-length"):
        assert guarded.get("/v1/models", headers={name: given}).status_code in (401, 403)


def test_health_checks_need_no_token(guarded: Api) -> None:
    assert [guarded.get(path).status_code for path in ("/healthz", "/readyz")] == [200, 200]


def test_openapi_document_names_the_token(guarded: Api, api: Api) -> None:
    document = guarded.get("/openapi.json", headers={"authorization": f"Bearer {TOKEN}"}).json()
    assert document["security"] == [{"Bearer": []}, {"Basic": []}]
    assert set(document["components"]["securitySchemes"]) == {"Bearer", "Basic"}
    assert document["paths"]["/healthz"]["get"]["security"] == []
    assert "security" not in api.get("/openapi.json").json()


@pytest.mark.parametrize("path", ["/v1/models", "/docs", "/docs.css", "/nothing", "/healthz"])
def test_security_headers(api: Api, path: str) -> None:
    headers = api.get(path).headers
    assert headers["content-security-policy"] == CSP and "'unsafe" not in CSP
    assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "server" not in headers


def test_responses_are_not_cached(api: Api) -> None:
    assert api.post("/v1/read", content=FIVE).headers["cache-control"] == "no-store"
    assert api.post("/v1/read", content=b"x").headers["cache-control"] == "no-store"


def test_a_token_is_required_outside_loopback() -> None:
    for host in ("0.0.0.0", "192.168.1.5", "::", "example.org", ""):
        with pytest.raises(AddressUnavailable, match="EDGEDIGITS_TOKEN"):
            ServeOptions(host=host).check()
        ServeOptions(host=host, token=TOKEN).check()
    for host in ("127.0.0.1", "::1", "localhost"):
        ServeOptions(host=host).check()


@pytest.mark.parametrize("token", ["short", 20 * "é", "with a\nline break in it"])
def test_weak_tokens_are_refused(token: str) -> None:
    with pytest.raises(AddressUnavailable, match="16"):
        ServeOptions(token=token).check()


def test_content_types_of_static_files(tmp_path: Path) -> None:
    (tmp_path / "reader").mkdir()
    for name in ("index.html", "reader/reader.js", "style.css", "icon.svg", "x.wasm", "app.webmanifest"):
        (tmp_path / name).write_text(name)
    files = page_files(tmp_path)
    assert {path: file.headers["content-type"] for path, file in files.items()} == {
        "/": "text/html; charset=utf-8",
        "/index.html": "text/html; charset=utf-8",
        "/reader/reader.js": "text/javascript; charset=utf-8",
        "/style.css": "text/css; charset=utf-8",
        "/icon.svg": "image/svg+xml",
        "/x.wasm": "application/wasm",
        "/app.webmanifest": "application/manifest+json",
    }
    assert len({file.headers["etag"] for file in files.values()}) == 6


def test_unchanged_files_give_304(api: Api) -> None:
    first = api.get("/docs.css")
    again = api.get("/docs.css", headers={"if-none-match": first.headers["etag"]})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
