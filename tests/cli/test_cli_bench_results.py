"""`edgedigits bench compare, plot, index, matrix, peers`, as a user runs them."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from test_bench_schema import validate

from benchmarks.peers import run as peer_run
from edgedigits.benchmarking.results.result import check, read_result, write_result
from edgedigits.benchmarking.side_by_side.interleaving import Plan
from tests.conftest import RunCommand
from tests.support.bench_results import bench_result, matrix_result, peers_result

FAST, SLOW = [1.0 + k / 10_000 for k in range(2000)], [2.0 + k / 10_000 for k in range(2000)]


@pytest.fixture
def two(tmp_path: Path) -> list[Path]:
    """A fast and a slow board's results."""
    slow = bench_result(SLOW, fingerprint={"board": "Another board"})
    return [write_result(tmp_path / "fast.json", bench_result(FAST)), write_result(tmp_path / "slow.json", slow)]


def test_compare_shows_ratios_and_warns(
    two: list[Path], run_command: RunCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    shown = run_command("bench", "compare", *two).stdout
    assert "warning: unlike machines: board is A board in fast, Another board in slow" in shown
    line = next(line for line in shown.splitlines() if line.strip().startswith("total p50"))
    assert "1.91 (" in line
    assert "slower" in line
    found = json.loads(run_command("bench", "compare", *two, "--json").stdout)
    assert found["names"] == ["fast", "slow"]


def test_compare_refuses_unlike_work_and_damaged_files(two: list[Path], run_command: RunCommand) -> None:
    other = write_result(two[0].parent / "other.json", bench_result(workload={"what": "invoke"}))
    done = run_command("bench", "compare", two[0], other, check=1)
    assert done.stderr.startswith("error: fast and other did unlike work (what was timed: read and invoke)")
    assert run_command("bench", "compare", two[0], two[0], check=1).stderr.startswith("error: comparing needs at least")
    two[1].write_text(two[1].read_text()[:-100])
    assert "is no whole JSON file" in run_command("bench", "compare", *two, check=1).stderr
    two[0].write_text(two[0].read_text().replace('"A board"', '"My board"'))
    assert "was changed after it was written" in run_command("bench", "compare", *two, check=1).stderr


@pytest.mark.slow
def test_plot_draws_everything_into_one_page(two: list[Path], tmp_path: Path, run_command: RunCommand) -> None:
    rows = [write_result(tmp_path / f"{one['kind']}.json", one) for one in (matrix_result(), peers_result())]
    run_command("bench", "plot", *two, *rows, "--out", "plots")
    page = (tmp_path / "plots" / "bench.html").read_text()
    assert "default-src 'none'" in page
    for text in ("Another board", "fastest here: nano int8", "not installed: openvino", "ended by SIGKILL"):
        assert text in page
    pictures = sorted(path.name for path in (tmp_path / "plots").glob("*.png"))
    assert pictures == [
        "accuracy.png", "latency.png", "rows-latency-2.png", "rows-latency-3.png", "rows-process-3.png", "stages.png",
    ]  # fmt: skip
    for name in pictures:
        with Image.open(tmp_path / "plots" / name) as picture:
            assert picture.width > 800
        assert (tmp_path / "plots" / name).with_suffix(".svg").read_text().startswith("<?xml")


def test_index_makes_the_page_and_says_when_it_is_old(two: list[Path], run_command: RunCommand) -> None:
    folder = two[0].parent
    write_result(folder / "matrix.json", matrix_result())
    write_result(folder / "peers.json", peers_result())
    run_command("bench", "index", folder)
    page = (folder / "README.md").read_text()
    assert "| Another board | base int8, LiteRT on cpu, 1 thread, read drawn | 2.1 ms |" in page
    assert "Fastest here: nano int8 on LiteRT, 1 thread (10 µs)" in page
    assert "| OpenVINO | not installed: openvino | - | - | - |" in page
    run_command("bench", "index", folder, "--check")
    two[1].unlink()
    assert "run: edgedigits bench index" in run_command("bench", "index", folder, "--check", check=1).stderr


@pytest.mark.slow
def test_matrix_measures_what_it_can_and_recommends(tmp_path: Path, run_command: RunCommand) -> None:
    done = run_command(
        "bench", "matrix", "--models", "pico,nano", "--threads", "1", "--rounds", "7", "--seconds", "0.05",
        "--pictures", "small", "--seed", "5", "--out", "matrix.json",
    )  # fmt: skip
    result = read_result(tmp_path / "matrix.json")
    validate(result)
    names = [row["name"] for row in result["rows"]]
    assert names == [
        "pico int8 on LiteRT, 1 thread", "pico float32 on ONNX Runtime, 1 thread",
        "nano int8 on LiteRT, 1 thread", "nano float32 on ONNX Runtime, 1 thread",
    ]  # fmt: skip
    for row in result["rows"]:
        assert row["error"] == ""
        assert len(row["rounds"]) == 7
        assert row["latency"]["count"] == 7 * row["calls_per_block"]
    assert result["method"]["seed"] == 5
    assert result["recommendation"]["text"].startswith("fastest here: ")
    assert "fastest here: " in done.stdout


@pytest.mark.slow
def test_a_row_without_a_file_says_so_and_the_others_go_on(tmp_path: Path, run_command: RunCommand) -> None:
    run_command(
        "bench", "matrix", "--models", "pico", "--engines", "litert,keras", "--precisions", "int8", "--threads", "1",
        "--rounds", "6", "--seconds", "0.01", "--pictures", "small", "--out", "matrix.json",
    )  # fmt: skip
    litert, keras = read_result(tmp_path / "matrix.json")["rows"]
    assert litert["latency"]["count"] > 0
    assert keras["latency"] is None
    assert keras["error"].startswith("unknown precision for keras 'int8'")


@pytest.mark.slow
def test_matrix_reads_whole_pictures_too(run_command: RunCommand) -> None:
    done = run_command(
        "bench", "matrix", "--models", "pico", "--engines", "litert", "--threads", "1,2", "--what", "read", "--rounds",
        "6", "--seconds", "0.01", "--pictures", "small", "--json",
    )  # fmt: skip
    result = json.loads(done.stdout)
    check(result, "matrix")
    assert result["workload"]["what"] == "read"
    assert all(row["latency"] for row in result["rows"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("only", "processes"),
    [
        (["litert", "onnxruntime"], 1),
        # Whole processes of these take half a minute.
        (["keras-predict", "keras-call", "tf-function", "svc"], 0),
    ],
)
def test_peers_answer_alike(only: list[str], processes: int, tmp_path: Path, run_command: RunCommand) -> None:
    run_command(
        "bench", "peers", "--only", ",".join(only), "--rounds", "6", "--seconds", "0.01", "--processes",
        str(processes), "--out", "peers.json", "--model", "nano",
    )  # fmt: skip
    result = read_result(tmp_path / "peers.json")
    validate(result)
    rows = {row["peer"]: row for row in result["rows"]}
    assert list(rows) == ["edgedigits", *only]
    for row in rows.values():
        assert row["error"] == ""
        assert row["agreement"] >= 0.8
        assert len(row["process_rounds"]) == processes
    assert rows["edgedigits"]["times_ours"]["value"] == 1


@pytest.mark.slow
def test_a_peer_that_is_not_installed_is_named_with_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(peer_run.PEERS, "openvino", replace(peer_run.PEERS["openvino"], needs=("no_such_library",)))
    request = peer_run.PeersRequest("pico", ("openvino",), Plan(6, 0.01), processes=0)
    found = peer_run.run_peers(request, tmp_path / "peers.json")
    validate(found)
    assert found["rows"][0]["latency"]["count"] > 0
    assert found["rows"][1]["error"] == "not installed: no_such_library; pip install openvino"


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (["matrix", "--threads", "two"], 2, "expected numbers of threads"),
        (["matrix", "--threads", "0"], 2, "from 1 on"),
        (["matrix", "--models", "resnet"], 1, "unknown model 'resnet'"),
        (["matrix", "--models", "pico", "--engines", "torch"], 1, "unknown engine 'torch'"),
        (["peers", "--only", "torch"], 1, "unknown peer 'torch'; known: edgedigits, litert"),
        (["peers", "--model", "a.tflite"], 1, "unknown shipped model"),
        (["compare", "none.json", "other.json"], 1, "no result file at none.json"),
        (["plot", "none.json"], 1, "no result file at none.json"),
        (["index", "."], 1, "no result files"),
    ],
)
def test_what_bad_input_gets(arguments: list[str], code: int, expected: str, run_command: RunCommand) -> None:
    done = run_command("bench", *arguments, check=code)
    assert expected in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
