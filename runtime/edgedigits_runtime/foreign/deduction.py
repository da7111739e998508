"""Deduce the contract of a foreign model from what its file states and from trials; never guess.

The layout follows from the shape, the kind of output from its values, labels are numbers unless they are known. The
normalisation is the file's own, or the clear winner of a trial on labelled images. Without those, a model of digits is
tried on drawn digits.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from shlex import quote
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.contract import Contract, Scaling, Tensor, parse_contract
from edgedigits_runtime.engines.engine import Engine
from edgedigits_runtime.errors import ContractInvalid, ContractMissing
from edgedigits_runtime.foreign.facts import Facts
from edgedigits_runtime.foreign.layouts import find_layout
from edgedigits_runtime.foreign.output_kind import check_output_kind, kind_of_values
from edgedigits_runtime.foreign.trial import Tried, candidates, try_each, winner
from edgedigits_runtime.intervals import wilson
from edgedigits_runtime.preprocessing import Images, dequantize, network_input, quantize
from edgedigits_runtime.reading.framed import fitted
from edgedigits_runtime.synthetic.samples import mnist_like

DRAWN, SEED = 300, 17
DRAWN_FOR_KIND = 60
"""Where only the kind of output has to be found; drawing takes most of the time of an import."""
DIGITS = frozenset("0123456789")

MEAN_IMAGES = 2_000
"""Images whose mean and deviation are tried."""

KIND_IMAGES = 24
"""Images by which the kind of output is found."""


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """Images uint8 [N, H, W, C] in the model's size with labels int64 [N], by the names in `names`; `origin` states
    where they are from.
    """

    images: Images
    labels: NDArray[np.int64]
    names: tuple[str, ...]
    origin: str


@dataclass(frozen=True)
class Deduced:
    """A contract and how it was found.

    Attributes:
        tried: candidates for the normalisation, the best first; empty if the file or the person states it.
        notes: where each fact is from, a line each.
    """

    contract: Contract
    tried: tuple[Tried, ...]
    notes: tuple[str, ...]


def shape_of(facts: Facts, given: Mapping[str, Any], labels: tuple[str, ...] | None) -> tuple[Contract, list[str]]:
    """Return a contract with layout, image size, labels and reader, and notes about them.

    Args:
        facts: those of the file.
        given: fields of a contract that a person states, as in its JSON.
        labels: names of the classes; None for the file's own, else numbers.

    Raises:
        ContractMissing: the layout is not certain.
        ContractInvalid: labels or `given` do not fit the model.
    """
    notes = []
    layout, image = given.get("layout"), given.get("image")
    if layout is None:
        found = find_layout(facts.input.shape)
        if isinstance(found, str):
            raise ContractMissing(
                f"{facts.path}: the layout of its input {_sizes(facts.input)} is not certain, since {found}; state it:"
                f" {_stating(facts, {'layout': 'NHWC'})}"
            )
        layout, image = found
    # A value that is wrong is refused below, with the contract.
    non_digit = given.get("non_digit") is True
    classes = max(2, facts.values) - non_digit
    if labels is None and facts.labels is not None:
        labels = facts.labels
        notes.append(f"labels: {', '.join(labels)}, from the file")
    if labels is None:
        labels = tuple(map(str, range(classes)))
        notes.append(f"labels: the numbers 0 to {classes - 1}, since none are known; name them with --labels")
    if len(labels) != classes or len(set(labels)) != classes:
        raise ContractInvalid(
            f"{facts.path} has {classes} classes; got {len(labels)} labels: {', '.join(labels)[:80]}; give one name"
            " for each class, in the output's order"
        )
    contract = Contract(
        name=facts.path.stem, input=facts.input, output=facts.output, labels=labels, layout=layout, image=image,
        non_digit=non_digit,
        format=facts.format, precision=facts.precision, output_kind="sigmoid" if facts.values == 1 else "probabilities",
    )  # fmt: skip
    digits, grey = set(labels) <= DIGITS, contract.image_shape[2] == 1
    contract = replace(contract, reader="digits" if digits and grey else "plain")
    if contract.reader == "plain" and "reader" not in given:
        reason = "it takes colours" if digits else "its labels are not all digits"
        # Both readers feed a model of any size; that of digits makes grey images, also of three channels.
        other = """; to find and frame ink instead, add --contract '{"reader": "digits"}'""" if digits or grey else ""
        notes.append(f"reader: plain, which resizes whole pictures, since {reason}{other}")
    # Parsed again, so that what a person states is checked too.
    fields = {**json.loads(contract.to_json()), **given}
    return parse_contract(json.dumps(fields), str(facts.path)), notes


def deduce(
    facts: Facts,
    contract: Contract,
    open_with: Callable[[Contract], Engine],
    given: Mapping[str, Any],
    data: LabelledImages | None = None,
) -> Deduced:
    """Find the kind of output, the normalisation and the polarity.

    Args:
        facts: those of the file.
        contract: from `shape_of`.
        open_with: opens the model with a contract.
        given: fields that a person states; these are not searched.
        data: labelled images; None for drawn digits, where the model reads digits.

    Raises:
        ContractMissing: the normalisation is neither stated nor the clear winner of a trial.
        ContractInvalid: the output is not finite, or of no known kind.
        ArtifactError: the file cannot be used.
    """
    notes: list[str] = []
    normalisation = given.get("normalisation") and contract.normalisation
    if normalisation is None and facts.normalisation is not None:
        normalisation = facts.normalisation
        notes.append(f"normalisation: {describe(normalisation)}, from {facts.reason}")
    if data is None and contract.reader == "digits" and len(DIGITS.intersection(contract.labels)) > 1:
        stated = normalisation is not None and "polarity" in given
        data = drawn_digits(contract, DRAWN_FOR_KIND if stated else DRAWN)
    with open_with(contract) as engine:
        if "output_kind" in given:
            check_output_kind(engine, str(facts.path))
        else:
            contract = replace(contract, output_kind=find_kind(engine, contract, data))
            notes.append(f"output: {contract.output_kind}")
        choices = list(candidates(contract, None if data is None else data.images[:MEAN_IMAGES]))
        if normalisation is not None:
            both = [
                (polarity, replace(contract, normalisation=normalisation, polarity=polarity))
                for polarity in ("bright-on-dark", "dark-on-bright")
            ]
            choices = both
        if "polarity" in given:
            choices = [(name, each) for name, each in choices if each.polarity == contract.polarity]
        elif contract.reader == "plain" and normalisation is not None:
            # A picture that is only resized is fed as it is.
            choices = choices[:1]
        if len(choices) == 1:
            return Deduced(choices[0][1], (), tuple(notes))
        if data is None:
            raise ContractMissing(
                f"{facts.path} does not state how its pixels are normalised; {_trying(facts)};"
                f" or state it: {_stating(facts, {**given, 'normalisation': 'unit'})}"
            )
        rows = try_each(engine, choices, data.images, in_order(data, contract.labels))
    best = winner(rows)
    # Better than the others is not enough where all are at chance.
    if best is None or wilson(round(best.accuracy * best.images), best.images).low <= _most_frequent(data):
        raise ContractMissing(_undecided(facts, rows, data, given))
    kind = "polarity" if normalisation is not None else "normalisation"
    notes.append(f"{kind}: {best.name}, {best.accuracy:.1%} of {best.images} {data.origin}")
    return Deduced(best.contract, tuple(rows), tuple(notes))


def find_kind(engine: Engine, contract: Contract, data: LabelledImages | None) -> Any:
    """Return the kind of a model's output, from its values; raise ContractInvalid if they are of no known kind."""
    height, width, channels = contract.image_shape
    rng = np.random.default_rng(SEED)
    images = data.images if data else rng.integers(0, 256, (KIND_IMAGES, height, width, channels), np.uint8)
    images = images[:KIND_IMAGES]
    # Raw pixels are larger, so that small logits are not taken for sigmoids.
    fed = [replace(contract, normalisation=each) for each in ("unit", Scaling((1.0,), (0.0,)))]
    tensors = [quantize(network_input(images, each), contract.input) for each in fed]
    values = np.concatenate([dequantize(engine.invoke(tensor), contract.output) for tensor in tensors])
    kind = kind_of_values(values, contract.output.scale)
    if kind is None:
        expected = "probabilities, logits, log-probabilities or sigmoids"
        if values.shape[1] == 1:
            expected = "one probability, that of the second label; end the network with a sigmoid"
        raise ContractInvalid(
            f"{contract.name} returns values of no known kind, {values.min():.4g} to {values.max():.4g}; expected"
            f" {expected}"
        )
    return kind


def drawn_digits(contract: Contract, count: int = DRAWN) -> LabelledImages:
    """Return drawn digits in the size of a model's images: of `count` those with labels that it has."""
    images, labels = _drawn(count)
    known = np.isin(labels, [int(label) for label in DIGITS.intersection(contract.labels)])
    return LabelledImages(
        fitted(images[known], contract.image_shape), labels[known], tuple("0123456789"), "drawn digits"
    )


@lru_cache(maxsize=2)
def _drawn(count: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    return mnist_like(count, SEED)


def in_order(data: LabelledImages, labels: tuple[str, ...]) -> NDArray[np.int64]:
    """Return the images' labels as indices of `labels`; raise ContractInvalid if a name is missing there."""
    missing = sorted(set(data.names) - set(labels)) if data.origin != "drawn digits" else []
    if missing:
        raise ContractInvalid(f"expected the data's classes among {', '.join(labels)}; got {', '.join(missing)}")
    numbers = np.array([labels.index(name) if name in labels else -1 for name in data.names], np.int64)
    found: NDArray[np.int64] = numbers[data.labels]
    return found


def describe(normalisation: object) -> str:
    """Return a normalisation in a few words."""
    return "pixel / 255" if normalisation == "unit" else str(normalisation)


def _most_frequent(data: LabelledImages) -> float:
    return float(np.bincount(data.labels).max() / len(data.labels))


def _undecided(facts: Facts, rows: list[Tried], data: LabelledImages, given: Mapping[str, Any]) -> str:
    best = ", ".join(f"{row.name} {row.accuracy:.1%} (loss {row.loss:.2g})" for row in rows[:3])
    more = _trying(facts) if data.origin == "drawn digits" else "give more pictures"
    first = rows[0].contract
    fields = {key: json.loads(first.to_json()).get(key, first.polarity) for key in ("normalisation", "polarity")}
    return (
        f"{facts.path} does not state how its pixels are normalised, and no way is clearly the best on"
        f" {rows[0].images} {data.origin}: {best}; {more}; or state it: {_stating(facts, {**given, **fields})}"
    )


def _trying(facts: Facts) -> str:
    return f"try it on labelled pictures: edgedigits import {quote(str(facts.path))} --data FOLDER"


def _stating(facts: Facts, fields: Mapping[str, Any]) -> str:
    return f"edgedigits import {quote(str(facts.path))} --contract {quote(json.dumps(fields))}"


def _sizes(tensor: Tensor) -> str:
    return f"[{', '.join('free' if size is None else str(size) for size in tensor.shape)}]"
