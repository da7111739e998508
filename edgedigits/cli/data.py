"""`edgedigits data`: list, describe, download and verify datasets."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edgedigits.cli.completion import datasets

if TYPE_CHECKING:
    from edgedigits.data.dataset import Dataset

app = typer.Typer(
    help="List, describe, download and verify datasets.",
    epilog="Examples: edgedigits data list · edgedigits data download mnist",
    no_args_is_help=True,
)

DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Folder to search first; a download goes there.", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]
Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME", help="A name from `edgedigits data list`, or a folder of pictures.", autocompletion=datasets
    ),
]
Names = Annotated[
    list[str],
    typer.Argument(
        metavar="NAME...", help="Names from `edgedigits data list`, or folders of pictures.", autocompletion=datasets
    ),
]


@app.command("list", epilog="Example: edgedigits data list")
def list_datasets(data_dir: DataDir = None, as_json: Json = False) -> None:
    """List the datasets and their folders."""
    from edgedigits.data import DATASETS, describe
    from edgedigits.data.storage import summary

    summaries = [summary(describe(name), data_dir) for name in DATASETS]
    if as_json:
        for found in summaries:
            typer.echo(json.dumps(found))
        return
    rows = [
        (
            found["name"],
            f"{found['train']:,}",
            "-" if found["test"] is None else f"{found['test']:,}",
            _shape(found["shape"]),
            str(found["classes"]),
            found["state"],
        )
        for found in summaries
    ]
    _print_table(("name", "train", "test", "shape", "classes", "state"), rows)
    # Below the table, where no column breaks a path.
    for found in summaries:
        for folder in found["folders"]:
            typer.echo(f" {found['name']}: {folder}")


@app.command(epilog="Example: edgedigits data info mnist")
def info(name: Name, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Print the size, classes and files of a dataset."""
    from edgedigits.data import DATASETS, describe, load_dataset
    from edgedigits.data.storage import details

    found = details(describe(name), data_dir) if name in DATASETS else _folder_details(name, load_dataset(name))
    if as_json:
        typer.echo(json.dumps(found))
        return
    rows = [
        ("name", found["name"]),
        ("about", found["about"]),
        ("homepage", found["homepage"]),
        ("samples", f"{found['train']:,}" + (f" + {found['test']:,} test" if found["test"] is not None else "")),
        ("shape", _shape(found["shape"])),
        ("classes", ", ".join(found["labels"])),
        ("reader", found["reader"]),
        ("licence", found["licence"]),
        ("where", ", ".join(found["folders"]) or found["state"]),
        *((file["name"], f"{file['bytes']:,} bytes" if file["path"] else "not found") for file in found["files"]),
    ]
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        if value:
            typer.echo(f"{name:{width}}  {value}")


@app.command(epilog="Example: edgedigits data download mnist fashion-mnist")
def download(
    names: Annotated[
        list[str],
        typer.Argument(metavar="NAME...", help="Names from `edgedigits data list`.", autocompletion=datasets),
    ],
    data_dir: DataDir = None,
) -> None:
    """Download missing files, and verify all."""
    from edgedigits.data import describe
    from edgedigits.data.storage import ensure

    for description in [describe(name) for name in names]:
        if description.bundled_with:
            typer.echo(f"{description.name}: nothing to download; it comes with {description.bundled_with}")
        for file in description.published:
            typer.echo(f"{description.name}: {ensure(file, data_dir)}")


@app.command(epilog="Example: edgedigits data verify mnist")
def verify(names: Names, data_dir: DataDir = None) -> None:
    """Verify the checksums of datasets; downloads nothing."""
    from edgedigits.data import DATASETS, describe, load_dataset
    from edgedigits.data.storage import verify_files

    rows: list[tuple[str, ...]] = []
    wrong = []
    for name in names:
        if name not in DATASETS:
            rows.append((name, f"{load_dataset(name).count:,} pictures", "right"))
            continue
        description = describe(name)
        states = verify_files(description, data_dir)
        for state in states:
            outcome = "right" if state.error is None else "wrong checksum" if state.path else "not found"
            rows.append((name, state.path.name if state.path else state.file.name, outcome))
        wrong += [state.error for state in states if state.error]
        if description.bundled_with:
            rows.append((name, f"comes with {description.bundled_with}", "right"))
    _print_table(("dataset", "file", "state"), rows)
    if wrong:
        raise wrong[0]


def _folder_details(path: str, dataset: "Dataset") -> dict[str, Any]:
    return {
        "name": dataset.name,
        "about": "a folder of pictures",
        "homepage": None,
        "train": len(dataset.train),
        "test": None if dataset.test is None else len(dataset.test),
        "shape": list(dataset.image_shape),
        "classes": len(dataset.labels),
        "reader": dataset.reader,
        "licence": None,
        "state": "found",
        "folders": [path],
        "labels": list(dataset.labels),
        "files": [],
    }


def _shape(shape: list[int]) -> str:
    return "x".join(map(str, shape))


def _print_table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD)
    for title in header:
        table.add_column(title, overflow="fold")
    for row in rows:
        # Text, because rich would read [brackets] in a path or class as markup.
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)
