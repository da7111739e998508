"""The HTTP API without a network: answers, errors, forms, arrays, the log."""

import base64
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from edgedigits.loading import load
from edgedigits.serving.arrays import elements, images_in
from edgedigits.serving.options import Limits, ServeOptions
from edgedigits.serving.problems import Problem
from edgedigits_runtime.errors import EdgedigitsError
from edgedigits_runtime.reading.reader import Reader
from tests.conftest import REPOSITORY, encoded
from tests.support.picture_files import png_header
from tests.support.serving import BLANK, FIVE, PHOTO, Api, form, npy

SMALL_LIMITS = Limits(body_bytes=20_000, pictures=3, arrays=4)


@pytest.fixture(scope="module")
def api(reader: Reader) -> Iterator[Api]:
    with Api(reader) as made:
        yield made


@pytest.fixture(scope="module")
def limited() -> Iterator[Api]:
    with Api(load(max_pixels=1000), ServeOptions(batch_ms=0, limits=SMALL_LIMITS)) as made:
        yield made


@pytest.fixture
def new_api(reader: Reader) -> Iterator[Api]:
    with Api(reader) as made:
        yield made


def refused(answer: Any, status: int, kind: str) -> str:
    """Return the message of a problem of this status and kind."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json")
    error = answer.json()["error"]
    assert list(answer.json()) == ["error"] and list(error) == ["type", "message"]
    assert error["type"] == kind and "\n" not in error["message"]
    return str(error["message"])


@pytest.mark.parametrize(
    "options",
    [
        form(("5.png", FIVE)),
        {"content": FIVE, "headers": {"content-type": "image/png"}},
        {"content": FIVE, "headers": {"content-type": "application/octet-stream"}},
        {"content": FIVE},
    ],
    ids=["form", "image/png", "octet-stream", "no type"],
)
def test_response_equals_predict_json(api: Api, reader: Reader, options: dict[str, Any]) -> None:
    answer = api.post("/v1/read", **options)
    assert answer.status_code == 200
    reading = answer.json()
    jsonschema.validate(reading, json.loads((REPOSITORY / "docs" / "reading.schema.json").read_text()))
    alone = reader.read(FIVE, name="5.png" if "files" in options else "picture").to_dict()
    del reading["ms"], alone["ms"]
    assert reading == alone and reading["text"] == "5"


def test_several_pictures_give_a_list_with_errors_in_place(api: Api) -> None:
    pictures = [("a.png", FIVE), ("b.png", b"no picture"), ("c.jpg", PHOTO), ("d.png", BLANK)]
    answers = api.post("/v1/read", **form(*pictures)).json()
    assert [answer["source"] for answer in answers] == ["a.png", "b.png", "c.jpg", "d.png"]
    assert [answer.get("text") for answer in answers] == ["5", None, "4", ""]
    assert list(answers[1]) == ["source", "error"] and "PNG" in answers[1]["error"]


@pytest.mark.parametrize("picture", [FIVE, PHOTO, BLANK], ids=["five", "photo", "blank"])
def test_trace_has_all_candidates(api: Api, reader: Reader, picture: bytes) -> None:
    traced = api.post("/v1/read?trace=true", content=picture).json()
    trace = reader.trace(picture)
    assert (traced["width"], traced["height"]) == trace.size
    assert [base64.b64decode(each["framed"]) for each in traced["candidates"]] == [
        framed.tobytes() for framed in trace.framed
    ]
    kept = [each for each in traced["candidates"] if each["kept"]]
    assert [each["box"] for each in kept] == [digit["box"] for digit in traced["digits"]]
    assert [max(each["probabilities"]) for each in kept] == [digit["confidence"] for digit in traced["digits"]]
    assert all(each["kept"] == (not each["why"]) for each in traced["candidates"])


def test_boxes_of_a_trace_refer_to_the_upright_source(api: Api) -> None:
    """The picture is stored rotated, and large enough to be read at half its size."""
    five = Image.new("L", (3000, 2000), 255)
    five.paste(Image.eval(Image.open(REPOSITORY / "examples" / "5-white-on-black-28x28.png").convert("L"),
                          lambda level: 255 - level).resize((600, 600)), (400, 300))  # fmt: skip
    turned = five.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6
    traced = api.post("/v1/read?trace=true", content=encoded(turned, "PNG", exif=exif)).json()
    assert (traced["width"], traced["height"]) == (3000, 2000)
    (candidate,) = [each for each in traced["candidates"] if each["kept"]]
    x, y, width, height = candidate["box"]
    assert 400 < x < x + width < 1000 and 300 < y < y + height < 900


def test_no_candidates_without_trace(api: Api) -> None:
    for query in ("", "?", "?trace=false", "?other=1"):
        assert "candidates" not in api.post(f"/v1/read{query}", content=FIVE).json()


@pytest.mark.parametrize("value", ["maybe", "", "1", "True"])
def test_trace_must_be_true_or_false(api: Api, value: str) -> None:
    assert repr(value) in refused(api.post(f"/v1/read?trace={value}", content=FIVE), 422, "Invalid")


BAD_PICTURES = {
    "empty": (b"", 422, "Invalid"),
    "text": (b"hello", 422, "PictureUnreadable"),
    "cut": (FIVE[:100], 422, "PictureUnreadable"),
    "header only": (FIVE[:20], 422, "PictureUnreadable"),
    "cut photo": (PHOTO[: len(PHOTO) // 2], 422, "PictureUnreadable"),
    "no pixels": (png_header(0, 0), 422, "PictureUnreadable"),
    "hollow": (png_header(28, 28), 422, "PictureUnreadable"),
    "bomb": (png_header(60_000, 60_000), 413, "PictureTooLarge"),
    "endless bomb": (png_header(2**31 - 1, 2**31 - 1), 413, "PictureTooLarge"),
    "pdf": (b"%PDF-1.7\n", 422, "PictureUnreadable"),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 422, "PictureUnreadable"),
}


@pytest.mark.parametrize("way", ["body", "form"])
@pytest.mark.parametrize("name", BAD_PICTURES)
def test_bad_pictures_are_refused(api: Api, name: str, way: str) -> None:
    content, status, kind = BAD_PICTURES[name]
    kind = "PictureUnreadable" if way == "form" and name == "empty" else kind
    sent = {"content": content} if way == "body" else form(("a.png", content))
    refused(api.post("/v1/read", **sent), status, kind)


@settings(max_examples=60)
@given(content=st.one_of(st.binary(max_size=200), st.binary(max_size=80).map(lambda tail: FIVE[:60] + tail)))
def test_random_bytes_never_cause_an_internal_error(api: Api, content: bytes) -> None:
    assert api.post("/v1/read", content=content).status_code in (200, 413, 422)


@settings(max_examples=60)
@given(cut=st.integers(0, len(FIVE)), changed=st.integers(0, len(FIVE) - 1), to=st.integers(0, 255))
def test_damaged_pictures_never_cause_an_internal_error(api: Api, cut: int, changed: int, to: int) -> None:
    damaged = bytearray(FIVE)
    damaged[changed] = to
    assert api.post("/v1/read", content=bytes(damaged[:cut])).status_code in (200, 413, 422)


def test_a_damaged_picture_does_not_affect_others_of_its_batch(api: Api) -> None:
    contents = [FIVE, FIVE[:100], FIVE, b"", PHOTO, PHOTO[:999]]
    answers = api.together([("POST", "/v1/read", {"content": content}) for content in contents])
    assert [answer.status_code for answer in answers] == [200, 422, 200, 422, 200, 422]
    assert [answer.json()["text"] for answer in answers[::2]] == ["5", "5", "4"]


@pytest.mark.parametrize(
    "kind", ["application/x-www-form-urlencoded", "text/plain", "application/json", "multipart/mixed; boundary=a"]
)
def test_other_types_are_refused(api: Api, kind: str) -> None:
    answer = api.post("/v1/read", content=FIVE, headers={"content-type": kind})
    assert kind.partition(";")[0] in refused(answer, 415, "UnsupportedMediaType")


def test_a_compressed_body_is_refused(api: Api) -> None:
    for path in ("/v1/read", "/v1/classify"):
        answer = api.post(path, content=b"x", headers={"content-encoding": "gzip"})
        assert "Content-Encoding" in refused(answer, 415, "UnsupportedMediaType")


@pytest.mark.parametrize(
    ("parameters", "content", "fact"),
    [
        ("", b"--a", "boundary"),
        ("; boundary=" + 300 * "a", b"--a", "oundary"),
        ("; boundary=a", b"", "boundary"),
        ("; boundary=a", b"rubbish", "form"),
        ("; boundary=a", b"--a\r\n", "boundary"),
        ("; boundary=a", b"--a--\r\n", "picture"),
        ("; boundary=a", b"--a\r\nContent-Disposition: form-data; name=x\r\n\r\n\r\n--a--\r\n", "'x'"),
        ("; boundary=a", b"--a\r\n\r\nx\r\n--a--\r\n", "''"),
        ("; boundary=a", b"--a\r\n" + 100 * b"A: b\r\n" + b"\r\nx\r\n--a--\r\n", "form"),
        ("; boundary=a", b"--a\r\nA: " + 9999 * b"b" + b"\r\n\r\nx\r\n--a--\r\n", "form"),
    ],
)
def test_broken_forms_are_refused(api: Api, parameters: str, content: bytes, fact: str) -> None:
    answer = api.post("/v1/read", content=content, headers={"content-type": f"multipart/form-data{parameters}"})
    assert fact in refused(answer, 422, "Invalid")


def test_form_with_too_many_parts_is_refused(api: Api) -> None:
    part = b'--a\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\nx\r\n'
    headers = {"content-type": "multipart/form-data; boundary=a"}
    answer = api.post("/v1/read", content=10_000 * part + b"--a--\r\n", headers=headers)
    assert "64" in refused(answer, 413, "TooManyPictures")


def test_file_names_are_never_opened(api: Api, tmp_path: Path) -> None:
    """A path or an address as a file name, or as the body, is not opened."""
    path = tmp_path / "secret.png"
    path.write_bytes(FIVE)
    for name in (str(path), f"file://{path}", "../../etc/passwd", 4000 * "n", "/dev/zero"):
        reading = api.post("/v1/read", **form((name, BLANK))).json()
        assert (reading["source"], reading["text"]) == (name[:255], "")
        refused(api.post("/v1/read", content=name.encode()), 422, "PictureUnreadable")


def test_limits(limited: Api) -> None:
    assert "20,000" in refused(limited.post("/v1/read", content=bytes(20_001)), 413, "BodyTooLarge")
    large = encoded(Image.new("L", (40, 26), 255))
    assert "1,000" in refused(limited.post("/v1/read", content=large), 413, "PictureTooLarge")
    refused(limited.post("/v1/read", **form(*[("a", FIVE)] * 4)), 413, "TooManyPictures")
    assert len(limited.post("/v1/read", **form(*[("a", FIVE)] * 3)).json()) == 3
    refused(limited.post("/v1/classify", content=npy(np.zeros((5, 28, 28), np.uint8))), 413, "TooManyImages")


def test_body_without_length_is_limited(limited: Api) -> None:
    async def endless() -> Any:
        while True:
            yield bytes(1000)

    refused(limited.post("/v1/read", content=endless()), 413, "BodyTooLarge")


@pytest.mark.parametrize("count", [None, 1, 3])
def test_arrays_are_classified(api: Api, reader: Reader, count: int | None) -> None:
    images = np.resize(reader.framed(FIVE)[1][0, ..., 0], (28, 28) if count is None else (count, 28, 28))
    as_json = api.post("/v1/classify", json={"images": images.tolist()})
    as_npy = api.post("/v1/classify", content=npy(images), headers={"content-type": "application/x-npy"})
    for answer in (as_json, as_npy):
        found = answer.json()
        assert found["labels"] == list("0123456789") and found["model"] == "base"
        assert [each["label"] for each in found["predictions"]] == ["5"] * (count or 1)
        expected = reader.classifier.confidences(images.reshape(-1, 28, 28, 1))
        assert np.allclose([each["probabilities"] for each in found["predictions"]], expected, atol=6e-5)


def test_arrays_of_one_batch_keep_their_results(api: Api, reader: Reader) -> None:
    generator = np.random.default_rng(0)
    batches = [generator.integers(0, 256, (count, 28, 28), np.uint8) for count in (1, 300, 2, 1)]
    answers = api.together([("POST", "/v1/classify", {"content": npy(batch)}) for batch in batches])
    for batch, answer in zip(batches, answers, strict=True):
        expected = reader.classifier.confidences(batch[..., np.newaxis])
        given = [each["probabilities"] for each in answer.json()["predictions"]]
        assert np.allclose(given, expected, atol=6e-5)


def test_npy_in_column_major_order(api: Api, reader: Reader) -> None:
    image = reader.framed(FIVE)[1][0, ..., 0]
    answer = api.post("/v1/classify", content=npy(np.asfortranarray(image)))
    assert answer.json()["predictions"][0]["label"] == "5"


def header(text: str) -> bytes:
    """Return the start of a .npy file with this header."""
    return b"\x93NUMPY\x01\x00\x76\x00" + text.encode().ljust(117) + b"\n"


BROKEN_ARRAYS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "empty"),
    "no npy": (b"hello", ".npy"),
    "cut": (npy(np.zeros((2, 28, 28), np.uint8))[:-1], "1,567"),
    "too long": (npy(np.zeros((2, 28, 28), np.uint8)) + b"x", "1,569"),
    "floats": (npy(np.zeros((28, 28))), "float64"),
    "objects": (npy(np.array([[{}]]), allow_pickle=True), "object"),
    "structured": (npy(np.zeros(3, "u1,u1")), "uint8"),
    "other size": (npy(np.zeros((32, 32), np.uint8)), "28x28"),
    "none": (npy(np.zeros((0, 28, 28), np.uint8)), "28x28"),
    "number": (npy(np.uint8(3)), "28x28"),
    "many dimensions": (npy(np.zeros((1, 1, 1, 28, 28), np.uint8)), "28x28"),
    "version": (b"\x93NUMPY\x09\x00" + bytes(100), "ersion"),
    "endless": (header("{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999999999, 28, 28), }"), "28x28"),
    "negative": (header("{'descr': '|u1', 'fortran_order': False, 'shape': (-1, 28, 28), }"), "28x28"),
    "twice negative": (header("{'descr': '|u1', 'fortran_order': False, 'shape': (-28, -28), }") + bytes(784), "28x28"),
    "boolean": (header("{'descr': '|u1', 'fortran_order': False, 'shape': (True, 28, 28), }") + bytes(784), "28x28"),
    "long header": (
        b"\x93NUMPY\x01\x00\x80\x25"
        + b"{'descr': '|u1', 'fortran_order': False, 'shape': (%b, %b), }".ljust(9598) % (4000 * b"9", 4000 * b"9")
        + b"\n",
        "7,995",
    ),
    "code": (header("__import__('os').system('true')"), ".npy"),
}


@pytest.mark.parametrize("name", BROKEN_ARRAYS)
def test_broken_npy(api: Api, name: str) -> None:
    content, fact = BROKEN_ARRAYS[name]
    answer = api.post("/v1/classify", content=content, headers={"content-type": "application/x-npy"})
    assert fact in refused(answer, 422, "Invalid")


ROW = "[" + ",".join(["0"] * 28) + "]"
BROKEN_JSON = {
    "nothing": "",
    "no json": "{",
    "deep": 100_000 * "[",
    "long number": '{"images": ' + 9999 * "9" + "}",
    "list": "[]",
    "other name": '{"image": []}',
    "two names": '{"images": [], "more": 1}',
    "empty": '{"images": []}',
    "one empty": '{"images": [[]]}',
    "null": '{"images": null}',
    "text": '{"images": "0"}',
    "float": f'{{"images": [{27 * (ROW + ",")}{ROW.replace("0", "0.5")}]}}',
    "infinite": f'{{"images": [{27 * (ROW + ",")}{ROW.replace("0", "1e999")}]}}',
    "not a number": f'{{"images": [{27 * (ROW + ",")}{ROW.replace("0", "NaN")}]}}',
    "true": f'{{"images": [{27 * (ROW + ",")}{ROW.replace("0", "true")}]}}',
    "partly true": f'{{"images": [{27 * (ROW + ",")}{ROW.replace("[0", "[true")}]}}',
    "negative": f'{{"images": [{27 * (ROW + ",")}{ROW.replace("0", "-1")}]}}',
    "over": f'{{"images": [{27 * (ROW + ",")}{ROW.replace("0", "256")}]}}',
    "huge": f'{{"images": [{27 * (ROW + ",")}{ROW.replace("0", "1" + 400 * "0")}]}}',
    "ragged": f'{{"images": [{27 * (ROW + ",")}[0]]}}',
    "short": f'{{"images": [{26 * (ROW + ",")}{ROW}]}}',
    "unlike": f'{{"images": [[{27 * (ROW + ",")}{ROW}], {ROW}]}}',
    "objects": '{"images": [{}]}',
    "no comma": f'{{"images": [{26 * (ROW + ",")}{ROW} {ROW}]}}',
    "last comma": f'{{"images": [{28 * (ROW + ",")}]}}',
    "unfinished": f'{{"images": [{27 * (ROW + ",")}{ROW}',
    "more behind": f'{{"images": [{27 * (ROW + ",")}{ROW}]}}]',
    "far too long": '{"images": [[' + 100_000 * "0," + "0]]}",
    # NumPy would give each of them the size of the longest: 4 TB.
    "long texts": '{"images": ["' + 1_000_000 * "a" + '"' + 1_000_000 * ',""' + "]}",
}


@pytest.mark.parametrize("name", BROKEN_JSON)
def test_broken_json(api: Api, name: str) -> None:
    headers = {"content-type": "application/json"}
    refused(api.post("/v1/classify", content=BROKEN_JSON[name].encode(), headers=headers), 422, "Invalid")


def test_too_many_images_in_json_are_refused_before_the_end(api: Api) -> None:
    for content in ("[" + 9999 * (ROW + ",") + ROW + "]", "[" + 9999 * "0," + "no JSON"):
        headers = {"content-type": "application/json"}
        answer = api.post("/v1/classify", content=f'{{"images": {content}}}'.encode(), headers=headers)
        assert "4,096" in refused(answer, 413, "TooManyImages")


@pytest.mark.parametrize("shape", [(28, 28), (28, 28, 1), (3, 28, 28), (3, 28, 28, 1)])
@pytest.mark.parametrize("indent", [None, 4])
def test_json_of_all_shapes(shape: tuple[int, ...], indent: int | None) -> None:
    images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    body = "\ufeff" + json.dumps({"images": images.tolist()}, indent=indent)
    found = images_in(body.encode(), "application/json; charset=utf-8", (28, 28, 1), 3)
    assert np.array_equal(found, images.reshape(-1, 28, 28, 1))


def test_images_in_json_are_parsed_one_by_one() -> None:
    """Parsing a large text at once would block all other requests for seconds."""
    images = elements('{"images": [[[1]], [[2]], no JSON', 100, "1x1")
    assert [next(images), next(images)] == [[[1]], [[2]]]
    with pytest.raises(Problem):
        next(images)


def test_arrays_are_parsed_in_a_thread(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = []

    def recorded(*arguments: Any) -> Any:
        threads.append(threading.current_thread())
        return images_in(*arguments)

    monkeypatch.setattr("edgedigits.serving.service.images_in", recorded)
    assert api.post("/v1/classify", content=npy(np.zeros((28, 28), np.uint8))).status_code == 200
    assert threads and threading.current_thread() not in threads


@pytest.mark.parametrize("kind", ["image/png", "text/csv", "application/x-python-pickle", "multipart/form-data"])
def test_other_types_of_arrays_are_refused(api: Api, kind: str) -> None:
    refused(api.post("/v1/classify", content=b"x", headers={"content-type": kind}), 415, "UnsupportedMediaType")


def test_models_and_health(api: Api) -> None:
    (model,) = api.get("/v1/models").json()["models"]
    assert (model["name"], model["engine"], model["image"]) == ("base", "litert", [28, 28, 1])
    assert [api.get(path).json() for path in ("/healthz", "/readyz")] == [{"status": "ok"}] * 2


def test_other_paths_and_methods(api: Api) -> None:
    refused(api.get("/v1/nothing"), 404, "NotFound")
    refused(api.get("/../../etc/passwd"), 404, "NotFound")
    refused(api.get("/%2e%2e/%2e%2e/etc/passwd"), 404, "NotFound")
    answer = api.get("/v1/read")
    refused(answer, 405, "MethodNotAllowed")
    assert answer.headers["allow"] == "POST"


def test_log_has_a_line_for_each_request_without_its_content(new_api: Api) -> None:
    api = new_api
    api.post("/v1/read?trace=true", **form(("my-secret-name.png", FIVE), ("b.png", PHOTO)))
    api.post("/v1/read", content=b"x")
    api.get("/nothing?token=secret")
    lines = [json.loads(line) for line in api.log.getvalue().splitlines()]
    assert [(line["method"], line["path"], line["status"]) for line in lines] == [
        ("POST", "/v1/read", 200), ("POST", "/v1/read", 422), ("GET", "/nothing", 404)
    ]  # fmt: skip
    assert (lines[0]["pictures"], lines[0]["digits"]) == (2, 2) and lines[0]["bytes"] > len(FIVE) + len(PHOTO)
    assert lines[1]["error"] == "PictureUnreadable"
    assert all(line["ms"] > 0 and line["time"].endswith("+00:00") for line in lines)
    assert "secret" not in api.log.getvalue() and "text" not in lines[0]


def test_unexpected_exception_gives_500(api: Api, reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:

    def fail(*_: object, **__: object) -> Any:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(reader.classifier, "confidences", fail)
    assert "secret" not in refused(api.post("/v1/read", content=FIVE), 500, "Internal")


def test_failing_engine_gives_503(api: Api, reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:

    def fail(*_: object, **__: object) -> Any:
        raise EdgedigitsError("the device was unplugged")

    monkeypatch.setattr(reader.classifier, "confidences", fail)
    for path, content in (("/v1/read", FIVE), ("/v1/read", PHOTO), ("/v1/classify", npy(np.zeros((28, 28), np.uint8)))):
        answer = api.post(path, content=content)
        assert refused(answer, 503, "EdgedigitsError") == "the device was unplugged"
        assert answer.headers["retry-after"] == "1"


def test_docs_page_describes_the_document(api: Api) -> None:
    page, document = api.get("/docs").text, api.get("/openapi.json").json()
    for path, methods in document["paths"].items():
        (operation,) = methods.values()
        section = page.partition(f"<code>{path}</code>")[2].partition("</section>")[0]
        body = operation.get("requestBody", {"content": {}})["content"]
        for name in (*operation["responses"], *body):
            assert f"<code>{name}</code>" in section
    for name, schema in document["components"]["schemas"].items():
        section = page.partition(f'<section id="{name}">')[2].partition("</section>")[0]
        assert [field for field in schema["properties"] if f"<code>{field}</code>" not in section] == []
        assert section.count("<tr>") == len(schema["properties"])


def test_docs_page_loads_nothing_from_other_hosts(api: Api) -> None:
    page = api.get("/docs").text
    assert "<script" not in page and "style=" not in page and "//" not in page.replace("http://127.0.0.1:8000", "")
