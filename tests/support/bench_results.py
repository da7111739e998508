"""Handmade results for tests of their readers."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np

from edgedigits.benchmarking.measuring.latency_summary import summarise
from edgedigits.benchmarking.results.result_file import plain, sealed

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "bench.schema.json").read_text())

STAGES = ("decode", "ink", "locate", "frame", "invoke", "reject")

FINGERPRINT: dict[str, Any] = {
    "board": "A board",
    "processor": {"model": "Some core", "architecture": "aarch64", "cores": 4, "features": ["asimddp"]},
    "before": {},
    "during": {},
    "after": {},
    "software": {"python": "3.11.9"},
    "environment": {"container": None, "virtual_machine": None, "emulator": None},
}


def validate(result: dict[str, Any]) -> None:
    """Validate by the part of the schema for the kind, which has clearer messages than oneOf."""
    jsonschema.Draft202012Validator({**SCHEMA, "oneOf": [{"$ref": f"#/$defs/{result['kind']}"}]}).validate(result)


def summary_of(values: list[float]) -> dict[str, Any]:
    """Return a summary of milliseconds as a result holds it."""
    summary: dict[str, Any] = plain(summarise(np.array(values)))
    return summary


def bench_result(values: list[float] | None = None, **changes: Any) -> dict[str, Any]:
    """Return a complete result of one model; `changes` are sections, or parts of those that are objects."""
    summary = summary_of(values or [0.5, 0.6, 0.7, 0.9])
    result: dict[str, Any] = {
        "schema": 1,
        "kind": "bench",
        "complete": True,
        "made": "2026-01-02T03:04:05+00:00",
        "edgedigits": "0.1.0",
        "fingerprint": FINGERPRINT,
        "comparable": {"yes": True, "reasons": []},
        "clock": {"name": "clock_gettime(CLOCK_MONOTONIC)", "resolution_ns": 1, "overhead_ns": 40},
        "workload": {
            "what": "read",
            "pictures": {"count": 20, "kind": "drawn", "sha256": "ab" * 32},
            "model": {"name": "base", "sha256": "cd" * 32, "bytes": 74800, "precision": "int8"},
            "engine": "litert",
            "device": "cpu",
            "providers": ["XNNPACK"],
            "threads": 1,
            "kernels": "auto",
        },
        "method": {
            "gc": "collected before, off while measuring",
            "warmup": {"rule": "until stable", "iterations": 50, "stable": True},
            "min_iterations": 4,
            "min_seconds": 0,
            "percentile": "nearest rank",
            "interval": "bootstrap",
        },
        "stages": {**dict.fromkeys(STAGES, summary), "total": summary},
    }
    result = plain(result)
    for name, value in changes.items():
        if isinstance(result.get(name), dict) and isinstance(value, dict):
            result[name] |= value
        else:
            result[name] = value
    return sealed(result)


def row_of(name: str, milliseconds: list[float], **changes: Any) -> dict[str, Any]:
    """Return the row of a matrix."""
    model, precision, _, engine, threads, _ = name.replace(",", "").split()
    return {
        "name": name,
        "model": model,
        "precision": precision,
        "engine": engine.lower(),
        "threads": int(threads),
        "device": "cpu",
        "providers": ["XNNPACK"],
        "file": {"name": f"{model}.tflite", "sha256": "ef" * 32, "bytes": 74800},
        "accuracy": {"top1": 0.99, "images": 10_000, "dataset": "mnist", "from": "the file's contract"},
        "warmup": {"calls": 10, "stable": True},
        "calls_per_block": 5,
        "latency": summary_of(milliseconds),
        "rounds": milliseconds,
        "times_fastest": {"value": 1.0, "low": 1.0, "high": 1.0, "shown": False, "verdict": "no difference shown"},
        "error": "",
        **changes,
    }


def matrix_result() -> dict[str, Any]:
    """Return a complete result of a matrix, one row of which failed."""
    from edgedigits.benchmarking.side_by_side.recommending import recommend

    rows = [
        row_of("nano int8 on LiteRT, 1 thread", [0.01] * 8),
        row_of("base int8 on LiteRT, 1 thread", [0.03] * 8),
        row_of(
            "max int8 on LiteRT, 1 thread", [1.0], latency=None, rounds=[], times_fastest=None, warmup=None,
            error="its process was ended by SIGKILL",
        ),
    ]  # fmt: skip
    return sealed(plain({**_without_stages("matrix"), "rows": rows, "recommendation": recommend(rows)}))


def peers_result() -> dict[str, Any]:
    """Return a complete result of peers, one of which is not installed."""
    ratio = {"value": 3.0, "low": 2.9, "high": 3.1, "shown": True, "verdict": "slower"}
    row = {
        "name": "edgedigits",
        "peer": "edgedigits",
        "file": {"name": "base.tflite", "sha256": "ef" * 32, "bytes": 74800},
        "warmup": {"calls": 10, "stable": True},
        "calls_per_block": 5,
        "latency": summary_of([0.04] * 8),
        "rounds": [0.04] * 8,
        "agreement": 1.0,
        "times_ours": ratio,
        "process": summary_of([150.0, 160.0, 170.0]),
        "process_rounds": [150.0, 160.0, 170.0],
        "process_times_ours": ratio,
        "error": "",
    }
    nothing = dict.fromkeys(
        ("file", "warmup", "latency", "agreement", "times_ours", "process", "process_times_ours"), None
    )
    absent = {**row, **nothing, "name": "OpenVINO", "peer": "openvino", "rounds": [], "process_rounds": [],
              "error": "not installed: openvino"}  # fmt: skip
    return sealed(plain({**_without_stages("peers"), "rows": [row, absent]}))


def _without_stages(kind: str) -> dict[str, Any]:
    whole = bench_result(kind=kind)
    del whole["stages"]
    workload = whole["workload"]
    return {**whole, "workload": {"what": "invoke", "pictures": workload["pictures"]}}
