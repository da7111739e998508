"""A model packed for other machines: its files and their digest."""

import hashlib
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from edgedigits.model_files import contract_of, find_model
from edgedigits.predicting.pictures import ReaderOptions


@dataclass(frozen=True)
class PackedModel:
    """The files of a model.

    Attributes:
        name: the model's name in readings.
        path: its path on the machine that packed it.
        files: contents by name relative to `path`; the name of a single file is "".
    """

    name: str
    path: str
    files: dict[str, bytes]

    @property
    def sha256(self) -> str:
        """Digest of all files with their names."""
        if list(self.files) == [""]:
            return hashlib.sha256(self.files[""]).hexdigest()
        digest = hashlib.sha256()
        for name, content in sorted(self.files.items()):
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
        return digest.hexdigest()

    def unpack(self, options: ReaderOptions) -> ReaderOptions:
        """Return options that open the model here; its files are written if this machine does not have them."""
        path = Path(self.path)
        if _files(path) != self.files:
            path = Path(tempfile.mkdtemp(prefix="edgedigits-model-")) / path.name
            for name, content in self.files.items():
                (path / name).parent.mkdir(parents=True, exist_ok=True)
                (path / name).write_bytes(content)
        return replace(options, model=str(path))


def pack_model(options: ReaderOptions) -> PackedModel:
    """Pack the model of the options; raises EdgedigitsError if it is missing or has no contract."""
    path = find_model(options.model, engine=options.engine, device=options.device).absolute()
    return PackedModel(contract_of(path).name, str(path), _files(path))


def _files(path: Path) -> dict[str, bytes]:
    if path.is_file():
        return {"": path.read_bytes()}
    return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}
