"""A model packed for other machines: its files and their digest."""

import hashlib
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from edgedigits.model_files import find_model, read_contract_file
from edgedigits.predicting.pictures import ReaderOptions
from edgedigits_runtime.embedded_contract import read_contract


@dataclass(frozen=True)
class PackedModel:
    """The files of a model.

    Attributes:
        name: the model's name in readings.
        path: its path on the machine that packed it.
        files: contents by name relative to `path`; the name of a single file is "".
        contract: a JSON file for a model without a contract.
    """

    name: str
    path: str
    files: dict[str, bytes]
    contract: bytes | None = None

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
        contract = None
        if self.contract is not None:
            contract = Path(tempfile.mkdtemp(prefix="edgedigits-contract-")) / "contract.json"
            contract.write_bytes(self.contract)
        return replace(options, model=str(path), contract=contract)


def pack_model(options: ReaderOptions) -> PackedModel:
    """Pack the model of the options; raises EdgedigitsError if it is missing or has no contract."""
    path = find_model(options.model, engine=options.engine, device=options.device).absolute()
    contract = read_contract_file(options.contract) if options.contract else read_contract(path)
    given = options.contract.read_bytes() if options.contract else None
    return PackedModel(contract.name, str(path), _files(path), given)


def _files(path: Path) -> dict[str, bytes]:
    if path.is_file():
        return {"": path.read_bytes()}
    return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}
