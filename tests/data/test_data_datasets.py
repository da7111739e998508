"""The datasets by name: real MNIST and optdigits, and small files in the formats of the others."""

import dataclasses
import gzip
import hashlib
import importlib
import io
import struct
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgedigits.data import DATASETS, cifar10, describe, fashion_mnist, load_dataset
from edgedigits.data.dataset import Dataset, Samples
from edgedigits.data.description import DataFile, Description
from edgedigits.data.idx import load_idx
from edgedigits.data.optdigits import enlarge
from edgedigits_runtime.errors import (
    ArrayError,
    ChecksumMismatch,
    DatasetInvalid,
    MissingExtra,
    UnknownName,
)


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def small(description: Description, contents: list[bytes], root: Path) -> Description:
    """Write `contents`, compressed, as the dataset's files; return the description with their checksums."""
    files = []
    for file, content in zip(description.files, contents, strict=True):
        container = gzip.compress(content, mtime=0)
        path = root / file.dataset / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(container)
        files.append(dataclasses.replace(file, checksum=hashlib.md5(container).hexdigest()))
    return dataclasses.replace(description, files=tuple(files))


def clothes(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (count, 28, 28), dtype=np.uint8)
    return images, rng.integers(0, 10, count).astype(np.uint8)


# MNIST


def test_mnist_is_complete(mnist):
    assert mnist.train.images.shape == (60_000, 28, 28, 1)
    assert mnist.test is not None
    assert mnist.test.images.shape == (10_000, 28, 28, 1)
    assert mnist.reader == "digits"
    assert mnist.labels == tuple("0123456789")
    # Counts of each digit as in the table of Yadav and Bottou 2019, "Cold Case: The Lost MNIST Digits".
    assert np.bincount(mnist.test.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert mnist.train.labels[:5].tolist() == [5, 0, 4, 1, 9]
    # Ink is bright on dark.
    assert mnist.train.images[:1000].mean() < 64


def test_mnist_digest_is_reproducible(mnist):
    again = load_dataset("mnist", download=False)
    assert mnist.test is not None
    assert again.test is not None
    assert mnist.test.digest() == again.test.digest()
    assert mnist.test.digest() != mnist.train.digest()


# Fashion-MNIST


def test_fashion_mnist_reads_its_four_files(tmp_path, monkeypatch):
    train, test = clothes(12, 1), clothes(5, 2)
    description = small(fashion_mnist.DESCRIPTION, [idx(train[0]), idx(train[1]), idx(test[0]), idx(test[1])], tmp_path)
    monkeypatch.setattr(fashion_mnist, "DESCRIPTION", description)
    dataset = load_dataset("fashion-mnist", data_dir=tmp_path, download=False)
    assert dataset.name == "fashion-mnist"
    assert dataset.reader == "plain"
    assert dataset.labels[9] == "Ankle boot"
    assert np.array_equal(dataset.train.images[..., 0], train[0])
    assert np.array_equal(dataset.train.labels, train[1])
    assert dataset.test is not None
    assert np.array_equal(dataset.test.images[..., 0], test[0])
    assert np.array_equal(dataset.test.labels, test[1])


def test_other_files_than_fashion_mnist_are_refused(tmp_path):
    images, labels = clothes(5, 1)
    small(fashion_mnist.DESCRIPTION, [idx(images), idx(labels)] * 2, tmp_path)
    with pytest.raises(ChecksumMismatch, match=r"train-images-idx3-ubyte\.gz"):
        load_dataset("fashion-mnist", data_dir=tmp_path, download=False)


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (clothes(5, 1)[0], clothes(4, 1)[1], r"\[5, 28, 28\] and \[4\]"),
        (clothes(5, 1)[1], clothes(5, 1)[0], r"\[5\] and \[5, 28, 28\]"),
        (clothes(2, 1)[0], np.array([3, 10], np.uint8), "3 to 10"),
    ],
)
def test_idx_files_that_do_not_match_are_refused(tmp_path, images, labels, message):
    description = small(fashion_mnist.DESCRIPTION, [idx(images), idx(labels)] * 2, tmp_path)
    with pytest.raises(DatasetInvalid, match=message):
        load_idx(description, tmp_path, download=False)


# CIFAR-10


def archive_of(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def photos(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, 32, 32, 3), dtype=np.uint8), rng.integers(0, 10, count)


def batch_of(images: np.ndarray, labels: np.ndarray) -> bytes:
    """Encode records as the homepage describes: label, red, green and blue pixels."""
    records = []
    for image, label in zip(images, labels, strict=True):
        records.append(bytes([label]) + b"".join(image[:, :, channel].tobytes() for channel in range(3)))
    return b"".join(records)


def cifar_members() -> dict[str, bytes]:
    members = {name: batch_of(*photos(3, seed)) for seed, name in enumerate(cifar10.TRAIN_BATCHES)}
    return {**members, cifar10.TEST_BATCH: batch_of(*photos(2, 99))}


def test_cifar10_reads_its_archive(tmp_path, monkeypatch):
    members = {"cifar-10-batches-bin/batches.meta.txt": b"airplane\n", **cifar_members()}
    monkeypatch.setattr(cifar10, "DESCRIPTION", small(cifar10.DESCRIPTION, [archive_of(members)], tmp_path))
    dataset = load_dataset("cifar10", data_dir=tmp_path, download=False)
    assert dataset.reader == "plain"
    assert dataset.labels[0] == "airplane"
    assert np.array_equal(dataset.train.images, np.concatenate([photos(3, seed)[0] for seed in range(5)]))
    assert np.array_equal(dataset.train.labels, np.concatenate([photos(3, seed)[1] for seed in range(5)]))
    assert dataset.test is not None
    assert np.array_equal(dataset.test.images, photos(2, 99)[0])
    # Nothing is extracted to disk.
    assert [path.name for path in (tmp_path / "cifar10").iterdir()] == ["cifar-10-binary.tar.gz"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({cifar10.TEST_BATCH: None}, "cifar-10-batches-bin/test_batch.bin"),
        ({cifar10.TEST_BATCH: b""}, "3,073 bytes, got 0"),
        ({cifar10.TRAIN_BATCHES[2]: bytes(3074)}, "data_batch_3.bin.*3,074"),
    ],
)
def test_a_cifar_archive_with_a_wrong_batch_is_refused(change, message):
    members = {name: content for name, content in {**cifar_members(), **change}.items() if content is not None}
    with pytest.raises(DatasetInvalid, match=message):
        cifar10.parse_archive(archive_of(members), "x.tar.gz")


@pytest.mark.parametrize("content", [b"", b"no tar at all", archive_of(cifar_members())[:3000]])
def test_a_truncated_archive_is_refused(content):
    with pytest.raises(DatasetInvalid, match=r"x\.tar\.gz"):
        cifar10.parse_archive(content, "x.tar.gz")


def test_a_folder_instead_of_a_batch_is_refused():
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo(cifar10.TRAIN_BATCHES[0])
        member.type = tarfile.DIRTYPE
        archive.addfile(member)
    with pytest.raises(DatasetInvalid, match=r"data_batch_1\.bin"):
        cifar10.parse_archive(buffer.getvalue(), "x.tar.gz")


# Optdigits


def test_optdigits_resemble_mnist():
    dataset = load_dataset("optdigits", download=False)
    assert dataset.train.images.shape == (1797, 28, 28, 1)
    assert dataset.test is None
    assert dataset.reader == "digits"
    assert np.bincount(dataset.train.labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    images = dataset.train.images[..., 0].astype(float)
    # Background black, strokes bright, and the centre of mass within a pixel of the centre.
    assert np.median(images) == 0
    assert np.all(images.max(axis=(1, 2)) > 200)
    ink = images.sum(axis=(1, 2))
    for axis in (1, 2):
        centre = (images.sum(axis=3 - axis) * np.arange(28)).sum(axis=1) / ink
        assert np.all(np.abs(centre - 14) <= 0.5 + 1e-9)


@given(st.lists(st.integers(0, 16), min_size=64, max_size=64))
def test_any_ink_stays_inside_the_image(values):
    image = np.array(values, np.float64).reshape(8, 8)
    framed = enlarge(image)
    assert framed.shape == (28, 28)
    assert framed.dtype == np.uint8
    assert bool(framed.any()) == bool(image.any())


def test_optdigits_without_scikit_learn(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(MissingExtra, match=r"\[train-cpu\]"):
        load_dataset("optdigits")


# Names


def test_an_unknown_name_lists_the_known_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UnknownName) as caught:
        load_dataset("mnits")
    assert "'mnits'" in str(caught.value)
    assert all(name in str(caught.value) for name in DATASETS)


def test_a_file_is_not_a_dataset(tmp_path):
    (tmp_path / "digits.zip").write_bytes(b"")
    with pytest.raises(DatasetInvalid, match=r"digits\.zip"):
        load_dataset(str(tmp_path / "digits.zip"))


def test_describe_accepts_names_only(tmp_path):
    with pytest.raises(UnknownName, match="mnist, fashion-mnist, cifar10, optdigits"):
        describe(str(tmp_path))


@pytest.mark.parametrize("name", DATASETS)
def test_every_description_is_consistent(name):
    description = describe(name)
    assert description.name == name
    assert callable(importlib.import_module(DATASETS[name]).load)
    assert bool(description.published) != bool(description.bundled_with)
    assert description.licence
    for file in description.published:
        assert file.dataset == name
        assert len(bytes.fromhex(file.checksum)) in (16, 32)
        assert file.mirrors
        assert all(mirror.startswith("http") and mirror.endswith("/") for mirror in file.mirrors)


def test_names_need_no_heavy_import():
    code = (
        "import sys, edgedigits.data, edgedigits.cli.data\n"
        "heavy = {'numpy', 'sklearn', 'platformdirs', 'PIL', 'tensorflow'} & set(sys.modules)\n"
        "print(*sorted(heavy))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "\n"


# Samples


def test_samples_refuse_other_dtypes_and_shapes():
    images, labels = np.zeros((2, 3, 3, 1), np.uint8), np.zeros(2, np.int64)
    with pytest.raises(ArrayError, match=r"float32 \[2, 3, 3, 1\]"):
        Samples(images.astype(np.float32), labels)
    with pytest.raises(ArrayError, match=r"uint8 \[2, 3, 3\]"):
        Samples(images[..., 0], labels)
    with pytest.raises(ArrayError, match=r"int64 \[1\]"):
        Samples(images, labels[:1])
    with pytest.raises(ArrayError, match="uint8"):
        Samples(images, labels.astype(np.uint8))


@given(st.integers(0, 17), st.integers(0, 255), st.integers(0, 2))
def test_a_digest_depends_on_each_pixel_and_label(position, value, label):
    images, labels = np.zeros((2, 3, 3, 1), np.uint8), np.zeros(2, np.int64)
    before = Samples(images, labels).digest()
    assert before.startswith("sha256:")
    changed = images.copy()
    changed.ravel()[position] = value
    assert (Samples(changed, labels).digest() == before) == (value == 0)
    assert (Samples(images, labels + label).digest() == before) == (label == 0)
    assert Samples(images.reshape(2, 9, 1, 1), labels).digest() != before


def test_take_copies_in_the_given_order():
    images = np.arange(3, dtype=np.uint8).reshape(3, 1, 1, 1)
    taken = Samples(images, np.array([0, 1, 2])).take(np.array([2, 0]))
    assert len(taken) == 2
    assert taken.labels.tolist() == [2, 0]
    assert taken.images.ravel().tolist() == [2, 0]


def test_train_and_test_of_different_shapes_are_refused():
    def samples(side: int) -> Samples:
        return Samples(np.zeros((1, side, side, 1), np.uint8), np.zeros(1, np.int64))

    with pytest.raises(DatasetInvalid, match=r"\[3, 3, 1\].*\[2, 2, 1\]"):
        Dataset("made", samples(3), samples(2), ("a",), "plain")


def test_container_files_have_one_name_on_disk():
    file = DataFile("small", "a.gz", "0" * 32, "container", ())
    assert file.names == ("a.gz",)
    assert dataclasses.replace(file, checksum_of="content").names == ("a.gz", "a")
