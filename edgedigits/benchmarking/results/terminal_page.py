"""A result as tables and lines for a terminal; sections that are missing are left out."""

from collections.abc import Callable, Iterator

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from edgedigits.benchmarking.results.result_file import ORDER, Result
from edgedigits.benchmarking.results.result_text import count_of, duration, size, three_digits, times_range

UNBOUNDED = "≥"


def page(result: Result) -> Iterator[RenderableType]:
    """Yield all parts, the verdict last."""
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
        done = "read" if workload["what"] == "read" else "given to the engine alone"
        yield Text.assemble(
            (f"{model['name']} {model['precision']}", "bold"),
            f" on {workload['engine']} ({', '.join(workload['providers'])}), {workload['device']},"
            f" {count_of(workload['threads'], 'thread')}; {pictures['count']} {pictures['kind']}, {done}",
        )
    if machine:
        processor, software = machine["processor"], machine["software"]
        parts = [machine["board"], processor["model"], f"{processor['cores']} cores", processor["architecture"]]
        yield Text(", ".join(str(part) for part in [*parts, software["system"], software["python"]] if part))


def _latency(result: Result, stages: Result) -> Table:
    warmup = result.get("method", {}).get("warmup", {})
    stable = "stable" if warmup.get("stable") else "NOT STABLE"
    calls = f"{stages['total']['count']:,} calls after {warmup.get('iterations', 0):,} of warm-up ({stable})"
    caption = f"none removed; {UNBOUNDED}: so few calls do not bound it from above"
    table = Table(box=box.SIMPLE, title=f"Steady latency in ms: {calls}", caption=caption, padding=(0, 1, 0, 0))
    table.add_column("stage", no_wrap=True)
    for column in (*ORDER, "95% of p50"):
        table.add_column(column.replace("_", "."), justify="right", no_wrap=True)
    for stage, summary in stages.items():
        cells = []
        for column in ORDER:
            high = summary["interval"].get(column, (None, 0.0))[1]
            cells.append(f"{UNBOUNDED if high is None else ''}{three_digits(summary[column])}")
        ends = ("?" if end is None else three_digits(end) for end in summary["interval"]["p50"])
        table.add_row(stage, *cells, " to ".join(ends), style="bold" if stage == "total" else None)
    return table


def _throughput(found: Result) -> Table:
    points = {(point["threads"], point["batch"]): point for point in found["points"]}
    threads, batches = sorted({key[0] for key in points}), sorted({key[1] for key in points})
    knee = found["knee"]
    title, caption = f"Throughput, images a second, {found['what']}", f"*: the knee, {knee['rule']}"
    table = Table(box=box.SIMPLE, title=title, caption=caption, padding=(0, 1, 0, 0))
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
    scenarios = result.get("scenarios") or {}
    if single := scenarios.get("single_stream"):
        yield "single-stream", f"median {duration(single['p50_ms'])}, p99 {duration(single['p99_ms'])}"
    if offline := scenarios.get("offline"):
        low, high = offline["interval"]
        rate = f"{offline['images_per_second']:,.0f} images/s ({low:,.0f} to {high:,.0f})"
        yield "offline", f"{rate}, {offline['images']:,} at once"
    if energy := result.get("energy"):
        yield "energy", _energy(energy)
    if accuracy := result.get("accuracy"):
        low, high = accuracy["interval"]
        images = f"{accuracy['images']:,} of the {accuracy['of']:,} {accuracy['split']} images of {accuracy['dataset']}"
        yield "accuracy", f"{accuracy['top1']:.2%} ({low:.2%} to {high:.2%}) of {images}"
    if (sustained := result.get("sustained")) and sustained["windows"]:
        yield "sustained", _sustained(sustained)
    if clock := result.get("clock"):
        figures = f"resolution {clock['resolution_ns']:,} ns, overhead {clock['overhead_ns']:,.0f} ns"
        yield "clock", f"{clock['name']}: {figures}, neither subtracted"


def _energy(found: Result) -> str:
    if not found["available"]:
        return str(found["reason"])
    joules = found["microjoules_per_inference"]
    net = "no difference from idle measured" if joules["net"] is None else f"{joules['net']:,.0f} µJ without idle"
    return f"{net}, {joules['gross']:,.0f} µJ with it, a call; {found['meter']}: {found['scope']}"


def _sustained(found: Result) -> str:
    text = f"{found['minutes']:g} minutes, {sum(window['count'] for window in found['windows']):,} calls"
    if latency := found.get("latency"):
        text += f", p50 {duration(latency['p50'])}, p99 {duration(latency['p99'])}"
    if drift := found.get("drift"):
        low, high = drift["interval"]
        text += f"; the last tenth took {drift['last_over_first']:.3f} of the first ({low:.3f} to {high:.3f})"
    return text


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
        yield Text(f"not reported by this machine: {', '.join(unseen)}", "yellow")


def rows_page(result: Result, head: list[str], cells: Callable[[Result], list[str]]) -> Iterator[RenderableType]:
    """Yield the table of a matrix or of peers, the fastest row first, then what failed."""
    # Narrow, so that it fits a terminal of 80 columns.
    table = Table(*head, box=box.SIMPLE_HEAD, padding=0, pad_edge=False)
    for column in table.columns[head.index("p50") :]:
        column.justify = "right"
    measured = [row for row in result["rows"] if row["latency"]]
    for row in sorted(measured, key=lambda row: float(row["latency"]["p50"])):
        table.add_row(*cells(row))
    for name in (head[0], "times"):
        table.columns[head.index(name)].no_wrap = True
    yield table
    for row in result["rows"]:
        if row["error"]:
            yield Text(f"{row['name']}: {row['error']}", "yellow")
    if not result["comparable"]["yes"]:
        yield Text(f"not comparable: {'; '.join(result['comparable']['reasons'])}", "yellow")


def latency_cells(row: Result, key: str) -> list[str]:
    """Return a row's p50, p99, and relative time, which is under `key`."""
    return [duration(row["latency"]["p50"]), duration(row["latency"]["p99"]), times_range(row[key], "-")]
