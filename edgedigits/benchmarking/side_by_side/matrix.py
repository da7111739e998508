"""Measure models x precisions x engines x threads in one run, and recommend one."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from edgedigits.benchmarking.bench_state import digest_of_model
from edgedigits.benchmarking.comparable import MachineMonitor
from edgedigits.benchmarking.measuring.latency_summary import INTERVAL, PERCENTILE
from edgedigits.benchmarking.measuring.sampling import Call, examine_clock
from edgedigits.benchmarking.measuring.workload import What, framed_images, invoke_call, load_workload, read_call
from edgedigits.benchmarking.results.result_file import Result, ResultFile
from edgedigits.benchmarking.side_by_side.interleaving import (
    METHOD,
    Candidate,
    InterleavedRun,
    Measured,
    Plan,
    measured_section,
)
from edgedigits.benchmarking.side_by_side.recommending import fastest_of, ratio, recommend, row_name
from edgedigits.model_files import SUFFIX_OF_ENGINE, find_model, open_model, shipped_names
from edgedigits_runtime.embedded_contract import read_contract
from edgedigits_runtime.engine_options import EngineOptions
from edgedigits_runtime.engines import ENGINE_OF_SUFFIX, is_c_export
from edgedigits_runtime.errors import EdgedigitsError, UnknownName
from edgedigits_runtime.machine import core_count

THREADS = (1, 2, 4)
FORMAT_OF_ENGINE = {"litert": "tflite", "onnxruntime": "onnx"}

Make = Callable[[str, str, str], Path]
"""Returns a file for a model, precision and engine that does not exist yet; see make_file."""


@dataclass(frozen=True)
class MatrixRequest:
    """The options of `edgedigits bench matrix`."""

    models: tuple[str, ...] = ()  # MODELs; all shipped ones if empty. A file brings its own precision and engine.
    precisions: tuple[
        str, ...
    ] = ()  # Exported if missing, which needs the [train-cpu] extra; the existing ones if empty.
    engines: tuple[str, ...] = ()  # LiteRT and ONNX Runtime if empty.
    threads: tuple[int, ...] = ()  # 1, 2 and 4 up to the number of cores, if empty.
    what: What = "invoke"
    pictures: str = "photo"  # See edgedigits.benchmarking.measuring.workload.
    plan: Plan = Plan()


@dataclass(frozen=True)
class Cell:
    """One row before it is measured; `error` is the reason if it has no file."""

    model: str
    precision: str
    engine: str
    threads: int
    path: Path | None = None
    error: str = ""

    @property
    def name(self) -> str:
        return row_name(asdict(self))


def cells(request: MatrixRequest, make: Make) -> Iterator[Cell]:
    """Yield the rows, each once. Raises UnknownName or ArtifactError."""
    threads = request.threads or tuple(count for count in THREADS if count <= core_count())
    seen: set[str] = set()
    for model, name in row_models(request.models or shipped_names()).items():
        usual = tuple(FORMAT_OF_ENGINE) if model in shipped_names() else None
        for engine in request.engines or usual or (_engine_of(find_model(model)),):
            for cell in _cells_of(model, engine, request.precisions, make):
                for count in threads:
                    made = replace(cell, model=name, threads=count)
                    if made.name not in seen:
                        seen.add(made.name)
                        yield made


def _engine_of(path: Path) -> str:
    return "c" if is_c_export(path) else ENGINE_OF_SUFFIX.get(path.suffix, "keras")


def _cells_of(model: str, engine: str, precisions: Sequence[str], make: Make) -> Iterator[Cell]:
    if engine not in (*SUFFIX_OF_ENGINE, "c"):
        raise UnknownName("engine", engine, [*SUFFIX_OF_ENGINE, "c"])
    path = find_model(model, engine=engine)
    existing = read_contract(path).precision
    fits = _engine_of(path) == engine
    for precision in precisions or (existing,):
        cell = Cell(model, precision, engine, 1)
        try:
            yield replace(cell, path=path if fits and precision == existing else make(model, precision, engine))
        except EdgedigitsError as error:
            yield replace(cell, error=str(error))


def row_models(models: Sequence[str]) -> dict[str, str]:
    """Return each MODEL's name in the rows: a short name, or the whole path where two short names are equal."""
    different = list(dict.fromkeys(str(Path(model)) for model in models))
    names = [model if model in shipped_names() else Path(model).name for model in different]
    return {model: name if names.count(name) == 1 else model for model, name in zip(different, names, strict=True)}


def make_file(model: str, precision: str, engine: str) -> Path:
    """Export a model once to another precision or format into the user's cache. Raises EdgedigitsError."""
    from edgedigits.data.storage import user_cache
    from edgedigits.exporting.export import export_model
    from edgedigits.exporting.plan import ExportRequest
    from edgedigits.model_files import find_keras

    if engine not in FORMAT_OF_ENGINE:
        raise UnknownName(f"precision for {engine}", precision, ["float32"])
    source = find_keras(model)
    file_format = FORMAT_OF_ENGINE[engine]
    digest = digest_of_model(source)["sha256"][:12]
    path = user_cache() / "bench" / f"{source.stem}-{digest}.{precision}{SUFFIX_OF_ENGINE[engine]}"
    if not path.is_file():
        # Only speed is measured here; `edgedigits export` verifies decisions.
        export_model(ExportRequest(source, format=file_format, precision=precision, out=path, verify=False))
    return path


def open_row(path: str, engine: str, threads: int, what: What, pictures: str) -> tuple[Call, Result]:
    """Open a row in its process; see measuring_process."""
    from edgedigits_runtime.classifier import Classifier
    from edgedigits_runtime.reading.reader import Reader

    opened = open_model(Path(path), engine=engine, options=EngineOptions(threads=threads))
    reader = Reader(Classifier(opened))
    workload = load_workload(what, pictures)
    facts: Result = {"device": opened.device, "providers": list(opened.providers)}
    if what == "invoke":
        return invoke_call(framed_images(workload, reader), opened), facts
    return read_call(workload, reader), facts


def run_matrix(
    request: MatrixRequest, out: Path | None = None, progress: Callable[[str], None] = lambda _: None
) -> Result:
    """Measure all rows in turns, writing the result to `out` as it grows, or keeping it in memory if that is None.

    Raises:
        UnknownName, ArtifactError, PictureError, MeasurementError, ClockError: nothing can be measured.
    """
    workload = load_workload(request.what, request.pictures)
    file = ResultFile("matrix", out)
    wanted = {cell.name: cell for cell in cells(request, make_file)}
    file.put("clock", examine_clock())
    file.put("workload", {"what": request.what, "pictures": workload.to_dict()})
    plan = request.plan
    file.put("method", {**METHOD, "percentile": PERCENTILE, "interval": INTERVAL, **asdict(plan)})
    run = InterleavedRun([_candidate(cell, request) for cell in wanted.values() if cell.path], plan)
    monitor = MachineMonitor(file.put)

    def after_round(rounds: int) -> None:
        file.put("rows", _rows(wanted, run))
        monitor.look()
        progress(f"round {rounds} of {plan.rounds}")

    run.measure(after_round, progress)
    monitor.finish()
    rows = _rows(wanted, run)
    file.put("rows", rows)
    file.put("recommendation", recommend(rows))
    return file.finish()


def _candidate(cell: Cell, request: MatrixRequest) -> Candidate:
    settings = {"path": str(cell.path), "engine": cell.engine, "threads": cell.threads}
    arguments = {**settings, "what": request.what, "pictures": request.pictures}
    # One process for each use of an engine: their threads stay separate.
    return Candidate(cell.name, f"{cell.engine} {cell.threads}", f"{__name__}:open_row", arguments)


def _rows(wanted: dict[str, Cell], run: InterleavedRun) -> list[Result]:
    """Return the rows as a result holds them, including those without a file."""
    rows = [_row(cell, run.found.get(name), run.plan) for name, cell in wanted.items()]
    fastest = fastest_of(rows)
    for row in rows:
        found = ratio(row, fastest) if fastest and row["latency"] else None
        row["times_fastest"] = asdict(found) if found else None
    return rows


def _row(cell: Cell, one: Measured | None, plan: Plan) -> Result:
    accuracy = read_contract(cell.path).accuracy if cell.path and cell.path.is_file() else None
    return {
        **{key: getattr(cell, key) for key in ("name", "model", "precision", "engine", "threads")},
        "file": file_facts(cell.path) if cell.path else None,
        "accuracy": {**accuracy, "from": "the file's contract"} if accuracy else None,
        **measured_section(one, plan),
        "error": cell.error or (one.error if one else ""),
    }


def file_facts(path: Path) -> Result:
    """Return a model file's name, digest and size; of a folder only the name."""
    return {"name": path.name, **({"sha256": None, "bytes": None} if path.is_dir() else digest_of_model(path))}
