"""Word vectors (chiVe) as they lie in the package ja-ginza: read without spaCy, mapped into memory, optional.

The package's vectors are a plain NumPy file. Words lead to rows by a MurmurHash64A of their UTF-8 form in a MessagePack
map, of which a sorted table is made once and kept beside the index.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import struct
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.errors import ToritsugiError

Floats = npt.NDArray[np.float32]
PACKAGE = "ja_ginza"
SIZE = 300
"""Numbers in a vector."""
_REMEMBERED = 200
"""Nearnesses of so many words are kept, 80 kB each: people ask with the same words."""
_MULTIPLY, _MASK, _SEED = 0xC6A4A7935BD1E995, (1 << 64) - 1, 1


class WordVectors:
    """Rows of unit length, and which word has which."""

    def __init__(self, unit: Floats, keys: npt.NDArray[np.uint64], rows: npt.NDArray[np.int32]) -> None:
        self.unit = unit
        self._keys, self._rows = keys, rows
        self._known: dict[str, int] = {}
        self._nearness: OrderedDict[int, Floats] = OrderedDict()

    def row(self, word: str) -> int:
        """The row of a word, -1 when it has none. Rare words share the row of the nearest common one."""
        found = self._known.get(word)
        if found is None:
            key = np.uint64(murmur_hash(word.encode()))
            place = int(np.searchsorted(self._keys, key))
            there = place < len(self._keys) and self._keys[place] == key
            found = int(self._rows[place]) if there else -1
            self._known[word] = found
        return found

    def nearness(self, row: int) -> Floats:
        """Cosine of a row with every row, and 0 at the end for words without one (whose row is -1)."""
        found = self._nearness.pop(row, None)
        if found is None:
            found = np.append(self.unit @ self.unit[row], np.float32(0.0))
            if len(self._nearness) >= _REMEMBERED:
                self._nearness.popitem(last=False)
        self._nearness[row] = found
        return found

    def rows(self, words: Sequence[str]) -> npt.NDArray[np.int32]:
        return np.fromiter((self.row(word) for word in words), np.int32, len(words))


def installed() -> Path | None:
    """The folder of the package's vocabulary; None when the extra `vectors` is not installed."""
    found = importlib.util.find_spec(PACKAGE)
    for place in (found.submodule_search_locations or ()) if found else ():
        for folder in sorted(Path(place).glob("ja_ginza-*/vocab")):
            if (folder / "vectors").is_file() and (folder / "key2row").is_file():
                return folder
    return None


def load_vectors(cache: Path) -> WordVectors | None:
    """The vectors, or None when the package is not there; the table of words is kept in `cache`.

    Raises:
        ToritsugiError: the package is there and cannot be read.
    """
    folder = installed()
    if folder is None:
        return None
    name = folder.parent.name
    files = [cache / f"{name}-{part}.npy" for part in ("unit", "keys", "rows")]
    if not all(path.is_file() for path in files):
        tables = _converted(folder)
        try:
            cache.mkdir(parents=True, exist_ok=True)
            for number, path in enumerate(files):
                _write(path, tables[number])
        except OSError:  # a full or read-only disk costs half a second at every start, nothing else
            return WordVectors(*tables)
    unit, keys, rows = (np.load(path, mmap_mode="r") for path in files)
    return WordVectors(unit, keys, rows)


def _converted(folder: Path) -> tuple[Floats, npt.NDArray[np.uint64], npt.NDArray[np.int32]]:
    try:
        vectors = np.load(folder / "vectors")
        keys, rows = _key_table((folder / "key2row").read_bytes())
    except (OSError, ValueError, IndexError, struct.error) as problem:
        raise ToritsugiError(
            f"単語ベクトルが読めません: {problem}", where=str(folder), cure=f"パッケージ {PACKAGE} を入れ直す"
        ) from problem
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Floats = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    order = np.argsort(keys)
    return unit.astype(np.float32), keys[order], rows[order]


def _key_table(data: bytes) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int32]]:
    """The MessagePack map {hash: row}; only the kinds of numbers that it holds are read."""
    at = {0xDE: 3, 0xDF: 5}[data[0]]
    count = int.from_bytes(data[1:at], "big")
    numbers = []
    for _ in range(2 * count):
        kind = data[at]
        width = {0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8}.get(kind, 0)
        if kind >= 0x80 and not width:
            raise ValueError(f"unknown kind {kind:#x}")
        numbers.append(int.from_bytes(data[at + 1 : at + 1 + width], "big") if width else kind)
        at += 1 + width
    return np.array(numbers[::2], np.uint64), np.array(numbers[1::2], np.int32)


def _write(path: Path, table: npt.NDArray[np.generic]) -> None:
    partial = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        with partial.open("wb") as file:
            np.save(file, table)
        partial.replace(path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            partial.unlink()


def murmur_hash(data: bytes) -> int:
    """MurmurHash64A with seed 1: the number by which spaCy knows a string."""
    value = (_SEED ^ (len(data) * _MULTIPLY)) & _MASK
    whole = len(data) // 8
    for number in struct.unpack_from(f"<{whole}Q", data):
        mixed = number * _MULTIPLY & _MASK
        mixed = (mixed ^ mixed >> 47) * _MULTIPLY & _MASK
        value = (value ^ mixed) * _MULTIPLY & _MASK
    if tail := data[whole * 8 :]:
        value = (value ^ int.from_bytes(tail, "little")) * _MULTIPLY & _MASK
    value = (value ^ value >> 47) * _MULTIPLY & _MASK
    return value ^ value >> 47
