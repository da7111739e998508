"""The commands `edgedigits bench compare, plot, index, matrix`."""

import json
from pathlib import Path

import pytest
from PIL import Image

from edgedigits.benchmarking.results.result_file import check, read_result, write_result
from edgedigits.cli.bench import free_name
from tests.conftest import RunCommand
from tests.support.bench_results import bench_result, matrix_result, peers_result, validate

FAST, SLOW = [1.0 + k / 10_000 for k in range(2000)], [2.0 + k / 10_000 for k in range(2000)]


@pytest.fixture
def two(tmp_path: Path) -> list[Path]:
    """Results of a fast and a slow board."""
    slow = bench_result(SLOW, fingerprint={"board": "Another board"})
    return [write_result(tmp_path / "fast.json", bench_result(FAST)), write_result(tmp_path / "slow.json", slow)]


def test_compare_prints_ratios_and_warnings(two: list[Path], run_here: RunCommand) -> None:
    printed = run_here("bench", "compare", *two, "--all").stdout
    assert "board is A board in fast, Another board in slow" in printed
    line = next(line for line in printed.splitlines() if line.strip().startswith("total p50"))
    assert "1.91 (" in line
    assert "slower" in line
    assert "\n| total p50 | " in run_here("bench", "compare", *two, "--markdown").stdout
    found = json.loads(run_here("bench", "compare", *two, "--json").stdout)
    assert found["names"] == ["fast", "slow"]


@pytest.mark.parametrize("many", [False, True])
def test_compare_prints_eight_lines_first_and_none_wider_than_the_terminal(
    two: list[Path], many: bool, run_here: RunCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    reasons = ["throttled: the clock fell by 20% during the run", "other programs took 40% of all cores"]
    names = [f"a-board-with-a-rather-long-name-{number}.json" for number in range(8 if many else 0)]
    more = [write_result(two[0].parent / name, bench_result(FAST)) for name in names]
    disturbed = bench_result(FAST, comparable={"yes": False, "reasons": reasons})
    more += [write_result(two[0].parent / "disturbed.json", disturbed)] if many else []
    lines = run_here("bench", "compare", *two, *more).stdout.splitlines()
    assert len(lines) <= 8 and "slow is slower than fast" in lines[1] and "1.91" in lines[1]
    assert any(line.startswith("disturbed is not comparable" if many else "comparable") for line in lines)
    assert max(map(len, [*lines, *run_here("bench", "compare", *two, *more, "--all").stdout.splitlines()])) <= 80


def test_a_result_to_share_never_replaces_another(tmp_path: Path) -> None:
    path = tmp_path / "pi.json"
    assert free_name(path) == path
    path.touch()
    (tmp_path / "pi-2.json").touch()
    assert free_name(path) == tmp_path / "pi-3.json"


def test_compare_refuses_different_workloads_and_damaged_files(two: list[Path], run_here: RunCommand) -> None:
    other = write_result(two[0].parent / "other.json", bench_result(workload={"what": "invoke"}))
    done = run_here("bench", "compare", two[0], other, check=1)
    assert "read and invoke" in done.stderr
    run_here("bench", "compare", two[0], two[0], check=1)
    two[1].write_text(two[1].read_text()[:-100])
    assert "slow.json" in run_here("bench", "compare", *two, check=1).stderr
    two[0].write_text(two[0].read_text().replace('"A board"', '"My board"'))
    assert "fast.json" in run_here("bench", "compare", *two, check=1).stderr


@pytest.mark.slow
def test_plot_writes_pictures_and_a_page(two: list[Path], tmp_path: Path, run_command: RunCommand) -> None:
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


def test_index_writes_the_page_and_checks_it(two: list[Path], run_here: RunCommand) -> None:
    folder = two[0].parent
    write_result(folder / "matrix.json", matrix_result())
    write_result(folder / "peers.json", peers_result())
    run_here("bench", "index", folder)
    page = (folder / "README.md").read_text()
    assert "| Another board | base int8, LiteRT on cpu, 1 thread, read drawn | 2.1 ms |" in page
    assert "Fastest here: nano int8 on LiteRT, 1 thread (10 µs)" in page
    assert "| OpenVINO | not installed: openvino | - | - | - |" in page
    run_here("bench", "index", folder, "--check")
    two[1].unlink()
    assert "edgedigits bench index" in run_here("bench", "index", folder, "--check", check=1).stderr


@pytest.mark.slow
def test_matrix_measures_and_recommends(tmp_path: Path, run_command: RunCommand) -> None:
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
def test_a_row_without_a_file_has_an_error_and_others_continue(tmp_path: Path, run_command: RunCommand) -> None:
    run_command(
        "bench", "matrix", "--models", "pico", "--engines", "litert,keras", "--precisions", "int8", "--threads", "1",
        "--rounds", "6", "--seconds", "0.01", "--pictures", "small", "--out", "matrix.json",
    )  # fmt: skip
    litert, keras = read_result(tmp_path / "matrix.json")["rows"]
    assert litert["latency"]["count"] > 0
    assert keras["latency"] is None
    assert "int8" in keras["error"]


@pytest.mark.slow
def test_matrix_of_whole_readings(run_command: RunCommand) -> None:
    done = run_command(
        "bench", "matrix", "--models", "pico", "--engines", "litert", "--threads", "1,2", "--what", "read", "--rounds",
        "6", "--seconds", "0.01", "--pictures", "small", "--json",
    )  # fmt: skip
    result = json.loads(done.stdout)
    check(result, "matrix")
    assert result["workload"]["what"] == "read"
    assert all(row["latency"] for row in result["rows"])


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (["matrix", "--threads", "two"], 2, "two"),
        (["matrix", "--threads", "0"], 2, "'0'"),
        (["matrix", "--models", "resnet"], 1, "resnet"),
        (["matrix", "--models", "pico", "--engines", "torch"], 1, "torch"),
        (["compare", "none.json", "other.json"], 1, "none.json"),
        (["plot", "none.json"], 1, "none.json"),
        (["index", "."], 1, "edgedigits bench --out"),
    ],
)
def test_bad_input(arguments: list[str], code: int, expected: str, run_here: RunCommand) -> None:
    done = run_here("bench", *arguments, check=code)
    assert expected in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
