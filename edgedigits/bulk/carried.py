"""A model that is carried to the machines that read: its bytes, and what proves that they are the same."""

import hashlib
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from edgedigits.predicting.pictures import ReaderOptions


@dataclass(frozen=True)
class CarriedModel:
    """The files of a model.

    Attributes:
        name: what readings call it.
        path: where it lies on the machine that it comes from.
        files: their contents by name, relative to `path`; of a single file, by "".
        contract: the JSON file that was given for a model without a contract.
    """

    name: str
    path: str
    files: dict[str, bytes]
    contract: bytes | None = None

    @property
    def sha256(self) -> str:
        """Return the digest of all files with their names."""
        if list(self.files) == [""]:
            return hashlib.sha256(self.files[""]).hexdigest()
        whole = hashlib.sha256()
        for name, content in sorted(self.files.items()):
            whole.update(f"{name}\0{len(content)}\0".encode() + content)
        return whole.hexdigest()

    def unpacked(self, options: ReaderOptions) -> ReaderOptions:
        """Return options that open the model on this machine, where its files are written if they are not here."""
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


def carry(options: ReaderOptions) -> CarriedModel:
    """Return the model that the options name.

    Raises:
        EdgedigitsError: there is none, or it has no contract.
    """
    from edgedigits.model_files import find_model, read_contract_file
    from edgedigits_runtime.embedded_contract import read_contract

    path = find_model(options.model, engine=options.engine, device=options.device).absolute()
    contract = read_contract_file(options.contract) if options.contract else read_contract(path)
    given = options.contract.read_bytes() if options.contract else None
    return CarriedModel(contract.name, str(path), _files(path), given)


def _files(path: Path) -> dict[str, bytes]:
    if path.is_file():
        return {"": path.read_bytes()}
    return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}
