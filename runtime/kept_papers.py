"""Papers kept on disk: a folder for each, its versions' files, and `versions.json` that tells their life.

The folder is `reports/<kind>-<from>_<to>/` of the home. Files are written first and named in `versions.json` last, in
one replacement, so that a killed job leaves at most files that nobody names.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from core.clock import Clock
from core.errors import ToritsugiError
from core.settings import Settings
from reports.delivery import Difference, State, Step, Version, begun, cells_of, differences, moved
from reports.formats import Format
from reports.paper import Paper
from runtime.period_papers import Say, Wanted, period_paper, wanted_paper, write_paper
from runtime.staffing import ready

LIST = "versions.json"
_FOLDER = re.compile(r"(?P<kind>[a-z_]+)-(?P<first>\d{4}-\d{2}-\d{2})_(?P<last>\d{4}-\d{2}-\d{2})")


def folder_of(settings: Settings, wanted: Wanted) -> Path:
    """Where the paper of a period lies."""
    return settings.reports / f"{wanted.kind}-{wanted.first_day}_{wanted.last_day}"


def load_versions(folder: Path) -> tuple[Version, ...]:
    """The versions of a paper, oldest first; none when it was never drafted.

    Raises:
        ToritsugiError: the list is damaged, or a delivered file is not what was delivered.
    """
    path = folder / LIST
    if not path.exists():
        return ()
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        versions = tuple(_version(row) for row in rows)
    except (ValueError, KeyError, TypeError) as problem:
        raise ToritsugiError(
            "報告の一覧が壊れています", where=str(path), cure="控え（バックアップ）から戻す"
        ) from problem
    for version in versions:
        if version.state is State.DELIVERED:
            _prove(folder, version)
    return versions


def _prove(folder: Path, version: Version) -> None:
    for name, digest in version.files.items():
        path = folder / name
        if not path.is_file() or _digest(path) != digest:
            raise ToritsugiError(
                f"第{version.number}版のファイルが、控えたときと違います: {name}",
                where=str(path),
                cure="案なら作り直し、提出した版なら控え（バックアップ）から戻す",
            )


def _version(row: dict[str, Any]) -> Version:
    steps = tuple(Step(**{**step, "state": State(step["state"])}) for step in row["steps"])
    return Version(**{**row, "steps": steps})


def _save(folder: Path, versions: Sequence[Version]) -> None:
    text = json.dumps([asdict(each) for each in versions], ensure_ascii=False, indent=1)
    partial = folder / f".{LIST}.new"
    with partial.open("w", encoding="utf-8") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    partial.replace(folder / LIST)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _now(clock: Clock) -> str:
    return clock.city_now().isoformat(timespec="seconds")


async def draft(
    city: str | None, kind: str, day: date, *, by: str, note: str, formats: Sequence[Format], say: Say
) -> tuple[Path, tuple[Version, ...]]:
    """Make a draft in these formats, or the draft of an amendment; where it lies, and all versions."""
    instance = await ready(city, say)
    try:
        wanted = wanted_paper(instance.profile, kind, day)
        paper = await period_paper(instance, kind, day, say)
    finally:
        await instance.database.close()
    folder = folder_of(instance.settings, wanted)
    return folder, keep(folder, paper, _now(instance.clock), by=by, note=note, formats=formats)


def keep(
    folder: Path, paper: Paper, at: str, *, by: str, note: str, formats: Sequence[Format]
) -> tuple[Version, ...]:
    """Write a paper's files as a new draft."""
    versions = load_versions(folder)
    planned = begun(
        versions, at=at, by=by, note=note, data_version=paper.data_version, rule=paper.answer_rate_rule,
        files={}, cells=cells_of(paper),
    )  # fmt: skip
    number = planned[-1].number
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    files: dict[str, str] = {}
    for format_ in formats:
        target = folder / f"v{number}.{format_.value}"
        write_paper(paper, format_, target)
        files[target.name] = _digest(target)
    kept = begun(
        versions, at=at, by=by, note=note, data_version=paper.data_version, rule=paper.answer_rate_rule,
        files=files, cells=planned[-1].cells,
    )  # fmt: skip
    _save(folder, kept)
    return kept


def move(folder: Path, state: State, at: str, *, by: str, note: str = "") -> Version:
    """The last version into its next state; its files must be what was drafted."""
    versions = moved(load_versions(folder), state, at=at, by=by, note=note)
    _prove(folder, versions[-1])
    _save(folder, versions)
    return versions[-1]


def diff(folder: Path) -> list[Difference]:
    """What the last version shows differently from the one before.

    Raises:
        ToritsugiError: there are no two versions.
    """
    versions = load_versions(folder)
    if len(versions) < 2:
        raise ToritsugiError("比べる版がありません", where=str(folder), cure="訂正の案を作ってから行う")
    return differences(versions[-2], versions[-1])


def kept_rows(settings: Settings) -> list[dict[str, Any]]:
    """Every version of every kept paper, as JSON values."""
    found = []
    for folder in sorted(settings.reports.glob("*_*")):
        name = _FOLDER.fullmatch(folder.name)
        if name is None:
            continue
        for version in load_versions(folder):
            last = version.steps[-1]
            found.append(
                {
                    "kind": name["kind"], "from": name["first"], "to": name["last"], "version": version.number,
                    "state": version.state.value, "at": last.at, "by": last.by, "note": last.note,
                    "data_version": version.data_version, "files": dict(version.files),
                }
            )  # fmt: skip
    return found
