"""Submissions contain no private data."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgedigits.benchmarking.results.result_file import check
from edgedigits.benchmarking.results.submission import REMOVED, as_submission, cleaned_text, private_words
from tests.support.bench_results import bench_result, matrix_result

NAMES = st.text("abcdefghijklmnopqrstuvwxyz", min_size=4, max_size=12).filter(lambda name: name != "removed")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/home/ada/model.tflite is damaged", f"{REMOVED} is damaged"),
        ("no file at ~/pictures/a.png", f"no file at {REMOVED}"),
        (r"C:\Users\ada\model.tflite: damaged", f"{REMOVED}: damaged"),
        ("cannot read /sys/class/thermal/temp, /proc/cpuinfo", "cannot read /sys/class/thermal/temp, /proc/cpuinfo"),
        ("images/s and km/h, 1/2, and/or", "images/s and km/h, 1/2, and/or"),
        ("see https://example.org/a/b", "see https://example.org/a/b"),
        ("Ada's board on lovelace", f"{REMOVED}'s board on {REMOVED}"),
        ("adam and adage", "adam and adage"),
    ],
)
def test_paths_and_names_are_removed(text: str, expected: str) -> None:
    assert cleaned_text(text, ("ada", "lovelace")) == expected


@given(name=NAMES, folders=st.lists(NAMES, min_size=1, max_size=4))
def test_no_name_and_no_path_remains_in_a_result(name: str, folders: list[str]) -> None:
    path = f"/{'/'.join(folders)}/{name}"
    result = bench_result(
        workload={"note": f"{name}'s {path}"}, comparable={"reasons": [f"cannot read {path}"]}, method={path: [path]}
    )
    sent = as_submission(result, private=(name,))
    assert path not in json.dumps(sent)
    assert sent["workload"]["note"] == f"{REMOVED}'s {REMOVED}"
    assert sent["comparable"]["reasons"] == [f"cannot read {REMOVED}"]
    assert sent["method"][REMOVED] == [REMOVED]
    check(sent, "sent")


@pytest.mark.parametrize("name", ["engine", "percentile", "true", "reasons"])
def test_keys_stay_even_if_they_are_the_name_of_a_host(name: str) -> None:
    assert as_submission(bench_result(), private=(name,)).keys() == bench_result().keys()
    check(as_submission(bench_result(), private=(name,)), "sent")


def test_public_results_stay_unchanged() -> None:
    for result in (bench_result(), matrix_result()):
        assert as_submission(result, private=("ada", "lovelace")) == result


def test_settings_stay_even_if_they_are_the_name_of_a_host() -> None:
    sent = as_submission(bench_result(), private=("litert", "read", "cpu"))
    assert sent["workload"]["engine"] == "litert"
    assert sent["workload"]["what"] == "read"


def test_private_words_are_names_of_host_and_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "lovelace.example.org")
    monkeypatch.setattr("getpass.getuser", lambda: "ada")
    monkeypatch.setenv("HOME", "/home/ada")
    assert set(private_words()) == {"lovelace.example.org", "lovelace", "/home/ada", "ada"}
    monkeypatch.setattr("socket.gethostname", lambda: "nano")
    monkeypatch.setattr("getpass.getuser", lambda: "pi")
    monkeypatch.setenv("HOME", "/home/pi")
    assert private_words() == ("/home/pi",)
