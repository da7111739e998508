"""The benchmarks' baseline: only grown ratios are regressions."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import baseline

RATIOS = st.floats(0.01, 1000)


def run_of(**ratios: float) -> dict[str, Any]:
    return {
        "benchmarks": [
            {"name": name, "extra_info": {"ratio": ratio, "beside": "fixed work"}} for name, ratio in ratios.items()
        ]
        + [{"name": "without", "extra_info": {}}]
    }


def compared(now: dict[str, Any], then: dict[str, Any]) -> list[baseline.Change]:
    return list(baseline.changes(baseline.ratios_of(now), baseline.ratios_of(then)))


@given(now=RATIOS, then=RATIOS, share=st.floats(0, 2))
def test_a_regression_is_a_ratio_that_grew_by_more_than_the_share(now: float, then: float, share: float) -> None:
    found = compared(run_of(a=now), run_of(a=then))
    assert bool(baseline.regressions(found, share)) == (now / then - 1 > share)
    assert ("REGRESSION" in found[0].line(share)) == (now / then - 1 > share)


def test_a_benchmark_of_one_run_is_no_regression() -> None:
    found = compared(run_of(a=1, new=2), run_of(a=1, old=3))
    assert [change.line(0.25) for change in found] == [
        "a: 1 times fixed work, baseline 1: +0%, as before",
        "old: not measured now",
        "new: 2 times fixed work, not in the baseline",
    ]
    assert baseline.regressions(found, 0.25) == []


def test_another_reference_gives_no_verdict() -> None:
    other = run_of(a=1)
    other["benchmarks"][0]["extra_info"]["beside"] = "something else"
    assert compared(run_of(a=9), other)[0].grown is None


def test_the_command_stores_compares_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stored, run = tmp_path / "baseline.json", tmp_path / "run.json"
    run.write_text(json.dumps(run_of(a=1.0, b=1.0)))
    assert baseline.main([str(run), "--store", "--baseline", str(stored)]) == 0
    run.write_text(json.dumps(run_of(a=1.2, b=1.3)))
    assert baseline.main([str(run), "--baseline", str(stored)]) == 1
    assert "1 of 2 " in capsys.readouterr().out
    assert baseline.main([str(run), "--baseline", str(stored), "--share", "0.5"]) == 0
    there = json.loads(stored.read_text())
    there["machine"]["processor"] = "another"
    stored.write_text(json.dumps(there))
    assert baseline.main([str(run), "--baseline", str(stored)]) == 0
    assert "another" in capsys.readouterr().out


def test_a_run_without_ratios_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(json.dumps(run_of()))
    with pytest.raises(SystemExit, match=r"run\.json|ratios"):
        baseline.main([str(tmp_path / "run.json")])


def test_the_stored_baseline_can_be_read() -> None:
    assert len(baseline.ratios_of(json.loads(baseline.BASELINE.read_text()))) >= 8
