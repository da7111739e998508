"""A result as a person reads it on a terminal; made of what the result file holds, however much of it there is."""

from collections.abc import Iterator
from typing import Any

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

Result = dict[str, Any]

STAGE_COLUMNS = ("min", "p50", "p90", "p99", "p99_9", "max")
UNBOUNDED = "≥"


def page(result: Result) -> Iterator[RenderableType]:
    """Yield what there is to show, the verdict last."""
    yield from _head(result)
    if stages := result.get("stages"):
        yield _latency(result, stages)
    if (throughput := result.get("throughput")) and throughput["points"]:
        yield _throughput(throughput)
    facts = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    facts.add_column(no_wrap=True, style="bold")
    facts.add_column()
    for name, text in _facts(result):
        facts.add_row(name, text)
    yield facts
    yield from _verdict(result)


def _head(result: Result) -> Iterator[RenderableType]:
    workload, machine = result.get("workload"), result.get("fingerprint")
    if workload:
        model, pictures = workload["model"], workload["pictures"]
        providers = ", ".join(workload["providers"])
        threads = f"{workload['threads']} thread{'s' if workload['threads'] > 1 else ''}"
        done = "read" if workload["what"] == "read" else "given to the engine alone"
        yield Text.assemble(
            (f"{model['name']} {model['precision']}", "bold"),
            f" on {workload['engine']} ({providers}), {workload['device']}, {threads}; {pictures['count']}"
            f" {pictures['kind']}, {done}",
        )
    if machine:
        processor, software = machine["processor"], machine["software"]
        parts = [machine["board"], processor["model"], f"{processor['cores']} cores", processor["architecture"]]
        yield Text(", ".join(str(part) for part in [*parts, software["system"], software["python"]] if part))


def _latency(result: Result, stages: Result) -> Table:
    count = stages["total"]["count"]
    warmup = result.get("method", {}).get("warmup", {})
    stable = "stable" if warmup.get("stable") else "NOT STABLE"
    table = Table(
        box=box.SIMPLE,
        title=f"Steady latency in ms: {count:,} calls after {warmup.get('iterations', 0):,} of warm-up ({stable})",
        caption=f"none removed; {UNBOUNDED}: so few calls do not bound it from above",
        padding=(0, 1, 0, 0),
    )
    table.add_column("stage", no_wrap=True)
    for column in STAGE_COLUMNS:
        table.add_column(column.replace("_", "."), justify="right", no_wrap=True)
    table.add_column("95% of p50", justify="right", no_wrap=True)
    for stage, summary in stages.items():
        cells = [_percentile(summary, column) for column in STAGE_COLUMNS]
        table.add_row(stage, *cells, _interval(summary["interval"]["p50"]), style="bold" if stage == "total" else None)
    return table


def _percentile(summary: Result, name: str) -> str:
    high = summary["interval"].get(name, (None, 0.0))[1]
    return f"{UNBOUNDED if high is None else ''}{three_digits(summary[name])}"


def _interval(ends: list[float | None]) -> str:
    low, high = ends
    return f"{'?' if low is None else three_digits(low)} to {'?' if high is None else three_digits(high)}"


def three_digits(value: float) -> str:
    """Return a number with three digits, or all those before its point."""
    if value >= 1000:
        return f"{value:,.0f}"
    rounded = float(f"{value:.3g}")
    digits = 3 if rounded < 1 else 2 if rounded < 10 else 1 if rounded < 100 else 0
    return f"{rounded:.{digits}f}"


def _throughput(found: Result) -> Table:
    points = {(point["threads"], point["batch"]): point for point in found["points"]}
    threads, batches = sorted({key[0] for key in points}), sorted({key[1] for key in points})
    knee = found["knee"]
    table = Table(
        box=box.SIMPLE,
        title=f"Throughput, images a second, {found['what']}",
        caption=f"*: the knee, {knee['rule']}",
        padding=(0, 1, 0, 0),
    )
    table.add_column("threads", justify="right")
    for batch in batches:
        table.add_column(f"batch {batch}", justify="right", no_wrap=True)
    for count in threads:
        cells = []
        for batch in batches:
            point = points.get((count, batch))
            mark = "*" if (count, batch) == (knee["threads"], knee["batch"]) else ""
            cells.append(f"{mark}{point['images_per_second']:,.0f}" if point else "-")
        table.add_row(str(count), *cells)
    return table


def _facts(result: Result) -> Iterator[tuple[str, str]]:
    """Yield a name and a line for each section that is no table."""
    if (cold := result.get("cold_start")) and cold["repeats"]:
        parts = " + ".join(f"{name} {duration(cold[name]['p50'])}" for name in ("process", "import", "load", "first"))
        yield "cold start", f"{duration(cold['total']['p50'])}: {parts} (medians of {cold['repeats']} processes)"
    if memory := result.get("memory"):
        names = {"before": "Python", "imported": "libraries", "loaded": "model", "peak": "at most"}
        yield "memory", ", ".join(f"{text} {size(memory[f'{name}_bytes'])}" for name, text in names.items())
    if sizes := result.get("size"):
        yield "size", f"model {size(sizes['model_bytes'])}, installed {size(sizes['installed_bytes'])}"
    for scenario in (result.get("scenarios") or {}).items():
        yield _scenario(*scenario)
    if energy := result.get("energy"):
        yield "energy", _energy(energy)
    if accuracy := result.get("accuracy"):
        low, high = accuracy["interval"]
        yield (
            "accuracy",
            f"{accuracy['top1']:.2%} ({low:.2%} to {high:.2%}) of {accuracy['images']:,} of the {accuracy['of']:,}"
            f" {accuracy['split']} images of {accuracy['dataset']}",
        )
    if (sustained := result.get("sustained")) and sustained["windows"]:
        yield "sustained", _sustained(sustained)
    if clock := result.get("clock"):
        yield (
            "clock",
            f"{clock['name']}: resolution {clock['resolution_ns']:,} ns, overhead {clock['overhead_ns']:,.0f} ns,"
            " subtracted nowhere",
        )


def _scenario(name: str, found: Result) -> tuple[str, str]:
    if name == "offline":
        low, high = found["interval"]
        return (
            name,
            f"{found['images_per_second']:,.0f} images/s ({low:,.0f} to {high:,.0f}), {found['images']:,} at once",
        )
    return "single-stream", f"median {duration(found['p50_ms'])}, p99 {duration(found['p99_ms'])}"


def _energy(found: Result) -> str:
    if not found["available"]:
        return str(found["reason"])
    joules = found["microjoules_per_inference"]
    net = "not told apart from idle" if joules["net"] is None else f"{joules['net']:,.0f} µJ without idle"
    return f"{net}, {joules['gross']:,.0f} µJ with it, a call; {found['meter']}: {found['scope']}"


def _sustained(found: Result) -> str:
    windows, latency = found["windows"], found.get("latency")
    said = f"{found['minutes']:g} minutes, {sum(window['count'] for window in windows):,} calls"
    if latency:
        said += f", p50 {duration(latency['p50'])}, p99 {duration(latency['p99'])}"
    if drift := found.get("drift"):
        low, high = drift["interval"]
        said += f"; the last tenth took {drift['last_over_first']:.3f} of the first ({low:.3f} to {high:.3f})"
    return said


def _verdict(result: Result) -> Iterator[RenderableType]:
    for failure in result.get("failures", []):
        yield Text(f"not measured: {failure['section']}: {failure['error']}", "red")
    verdict = result.get("comparable")
    if verdict is None:
        return
    if verdict["yes"]:
        yield Text("comparable with other machines' results", "green")
    else:
        yield Text(f"NOT COMPARABLE with other machines' results: {'; '.join(verdict['reasons'])}", "bold red")
    for note in verdict.get("notes", []):
        yield Text(f"note: {note}", "yellow")
    if unseen := verdict.get("unseen"):
        yield Text(f"not shown by this machine: {', '.join(unseen)}", "yellow")


def duration(milliseconds: float) -> str:
    """Return a time with three digits and its unit."""
    if milliseconds >= 10_000:
        return f"{milliseconds / 1000:,.1f} s"
    value, unit = (milliseconds, "ms") if milliseconds >= 1 else (milliseconds * 1000, "µs")
    return f"{three_digits(value)} {unit}"


def size(count: int | None) -> str:
    """Return bytes in kB or MB; "?" where they are not known."""
    if count is None:
        return "?"
    return (
        f"{count / 1e6:,.0f} MB"
        if count >= 10e6
        else f"{count / 1e6:,.1f} MB"
        if count >= 1e6
        else f"{count / 1e3:,.0f} kB"
    )
