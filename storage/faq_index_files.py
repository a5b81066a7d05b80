"""The search index of the knowledge base on disk (`services.faq_ports.IndexCache`): arrays that are mapped, not read.

A save writes the parts that are new and then, in one step, the list of all parts. A reader that finds a part gone
reads the list again. All of it can be made again from the database, so nothing here is precious.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np

from faq_kb.index import Index
from faq_kb.postings import Postings
from faq_kb.segment import FIELDS, Segment
from services.faq_ports import Moment

FORMAT = 1
_LIST = "index.json"
_ARRAYS = ("versions", "public", "valid", "word_rows", "question_vectors", "vectors")
_TRIES = 3


class FaqIndexFiles:
    """`services.faq_ports.IndexCache` in one folder, shared by processes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: dict[int, tuple[Segment, str]] = {}
        """Which segments of ours lie in which part; by identity, since a segment never changes."""

    def load(self) -> tuple[Moment, str, Index] | None:
        for _ in range(_TRIES):
            try:
                return self._load()
            except FileNotFoundError:
                continue
            except (OSError, ValueError, KeyError):
                return None
        return None

    def _load(self) -> tuple[Moment, str, Index]:
        listed = json.loads((self._folder / _LIST).read_text(encoding="utf-8"))
        if listed["format"] != FORMAT:
            raise ValueError("another format")
        segments, alive = [], []
        for part in listed["parts"]:
            segment = _read_segment(self._folder / part["name"])
            self._kept[id(segment)] = (segment, part["name"])
            lives = np.ones(len(segment), np.bool_)
            lives[part["dead"]] = False
            segments.append(segment)
            alive.append(lives)
        index = Index(
            segments=tuple(segments),
            alive=tuple(alive),
            lengths=listed["lengths"],
            made_of=listed["made_of"],
            common=np.array(listed["common"], np.float32).reshape(2, -1),
        )
        return Moment(base=listed["base"], change=listed["change"]), listed["recipe"], index

    def save(self, moment: Moment, recipe: str, index: Index) -> None:
        with contextlib.suppress(OSError), self._alone():
            kept = {}
            for segment in index.segments:
                name = self._kept.get(id(segment), (segment, ""))[1]
                if not name or not (self._folder / name).is_dir():
                    name = f"part-{uuid4().hex}"
                    _write_segment(self._folder / name, segment)
                kept[id(segment)] = (segment, name)
            self._kept = kept
            listed = {
                "format": FORMAT,
                "base": moment.base,
                "change": moment.change,
                "recipe": recipe,
                "made_of": index.made_of,
                "lengths": dict(index.lengths),
                "common": index.common.tolist(),
                "parts": [
                    {"name": kept[id(segment)][1], "dead": np.flatnonzero(~lives).tolist()}
                    for segment, lives in zip(index.segments, index.alive, strict=True)
                ],
            }
            partial = self._folder / f"{_LIST}.new"
            partial.write_text(json.dumps(listed), encoding="utf-8")
            partial.replace(self._folder / _LIST)
            names = {name for _, name in kept.values()}
            for old in self._folder.glob("part-*"):
                if old.name not in names:
                    shutil.rmtree(old, ignore_errors=True)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """One process writes at a time; another one that comes meanwhile leaves its index unsaved."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield


def _write_segment(folder: Path, segment: Segment) -> None:
    folder.mkdir(mode=0o700)
    arrays: dict[str, Any] = {name: getattr(segment, name) for name in _ARRAYS}
    for field in FIELDS:
        postings = segment.fields[field]
        for name in ("keys", "starts", "documents", "weights"):
            arrays[f"{field}.{name}"] = getattr(postings, name)
    _write_packed(folder / "arrays", arrays)
    texts = json.dumps({"ids": segment.ids, "vocabulary": segment.vocabulary}, ensure_ascii=False)
    (folder / "texts.json").write_text(texts, encoding="utf-8")


def _read_segment(folder: Path) -> Segment:
    arrays = _read_packed(folder / "arrays")
    texts = json.loads((folder / "texts.json").read_text(encoding="utf-8"))
    return Segment(
        ids=tuple(texts["ids"]),
        vocabulary=tuple(texts["vocabulary"]),
        fields={
            field: Postings(
                keys=arrays[f"{field}.keys"],
                starts=arrays[f"{field}.starts"],
                documents=arrays[f"{field}.documents"],
                weights=arrays[f"{field}.weights"],
            )
            for field in FIELDS
        },
        **{name: arrays[name] for name in _ARRAYS},
    )


def _write_packed(path: Path, arrays: Mapping[str, np.ndarray[Any, Any]]) -> None:
    """All arrays in one file, each at a multiple of 64 bytes; what is where stands in `<path>.json`."""
    told, offset = {}, 0
    with path.open("wb") as file:
        for name, array in arrays.items():
            offset += -offset % 64
            file.seek(offset)
            solid = np.ascontiguousarray(array)
            file.write(solid.tobytes())
            told[name] = {"type": solid.dtype.str, "shape": solid.shape, "offset": offset}
            offset += solid.nbytes
        file.truncate(max(offset, 1))
        file.flush()
        os.fsync(file.fileno())
    path.with_suffix(".json").write_text(json.dumps(told), encoding="utf-8")


def _read_packed(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    told = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    whole = np.asarray(np.memmap(path, np.uint8, mode="r"))
    found = {}
    for name, each in told.items():
        kind = np.dtype(each["type"])
        count = int(np.prod(each["shape"], dtype=np.int64))
        span = whole[each["offset"] : each["offset"] + count * kind.itemsize]
        found[name] = span.view(kind).reshape(each["shape"])
    return found
