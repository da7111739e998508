"""Compare edgedigits with its peers: `python -m benchmarks.peers`."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.peers import peer_run
from benchmarks.peers.__main__ import main
from edgedigits.benchmarking.results.result_file import read_result
from edgedigits.benchmarking.side_by_side.interleaving import Plan
from tests.support.bench_results import validate


@pytest.mark.slow
@pytest.mark.parametrize(
    ("only", "processes"),
    [
        (["litert", "onnxruntime"], 1),
        # Their whole processes take half a minute.
        (["keras-predict", "keras-call", "tf-function", "svc"], 0),
    ],
)
def test_peers_agree_with_edgedigits(only: list[str], processes: int, tmp_path: Path) -> None:
    out = tmp_path / "peers.json"
    main(["--only", ",".join(only), "--rounds", "6", "--seconds", "0.01", "--processes", str(processes),
          "--out", str(out), "--model", "nano"])  # fmt: skip
    result = read_result(out)
    validate(result)
    rows = {row["peer"]: row for row in result["rows"]}
    assert list(rows) == ["edgedigits", *only]
    for row in rows.values():
        assert row["error"] == ""
        assert row["agreement"] >= 0.8
        assert len(row["process_rounds"]) == processes
    assert rows["edgedigits"]["times_ours"]["value"] == 1


@pytest.mark.slow
def test_a_missing_peer_is_reported_with_its_install_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(peer_run.PEERS, "openvino", replace(peer_run.PEERS["openvino"], needs=("no_such_library",)))
    request = peer_run.PeersRequest("pico", ("openvino",), Plan(6, 0.01), processes=0)
    found = peer_run.run_peers(request, tmp_path / "peers.json")
    validate(found)
    assert found["rows"][0]["latency"]["count"] > 0
    assert found["rows"][1]["error"] == "not installed: no_such_library; pip install openvino"


@pytest.mark.parametrize(("arguments", "fact"), [(["--only", "torch"], "torch"), (["--model", "a.tflite"], "a.tflite")])
def test_unknown_names_are_an_error(arguments: list[str], fact: str) -> None:
    with pytest.raises(SystemExit, match=fact):
        main(arguments)
