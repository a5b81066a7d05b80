"""`handover export`: everything the next contractor needs, in an open format (docs/handover-format.md).

Nothing secret is in it: no passwords of telephones, no keys, no settings of this machine.
"""

from __future__ import annotations

import asyncio
import csv
import getpass
import io
import os
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from core.clock import TOKYO
from core.errors import ToritsugiError
from core.keys import KeySource, key_source, new_key
from core.sealed import SealingWriter
from interactions.case import Case
from ledger.export import BOM, safe_cell, to_csv
from runtime.archive import (
    ArchiveWriter,
    FileSum,
    Manifest,
    parts_of,
    sum_of_parts,
    tidy,
    write_tables,
)
from runtime.backup import profile_path
from runtime.instance import Instance
from runtime.records import Records, export_records
from services.erasure import ExportEntry
from services.ports import AuditEntry
from storage.database import Database
from storage.dump import tables_of

FORMAT = "toritsugi-handover/1"
LEFT_OUT = frozenset(
    {"tail_position", "setting", "export_log", "desk_user", "desk_key", "desk_session", "desk_token"}
)
"""Tables that speak of this machine, and accounts: the next contractor's people get their own."""
FOLDERS = frozenset({"reports", "certificates", "profile"})
"""Where its files are from, and go to."""
DAY_S = 86_400.0

_SECRET = re.compile(r"secret|password|token|totp|private")
_CASE_HEAD = ("応対番号", "開始", "分類", "状況", "問い合わせ", "回答", "通話番号", "発信者", "文字起こし")
_README = """取次 引継ぎデータ
tables/      すべての表。一行が一件の JSON (JSON Lines, UTF-8)
csv/         通話と応対の一覧 (Excel で開ける CSV, UTF-8 BOM 付き)
recordings/  録音 (WAV, 8 kHz, 16 ビット, 片側ずつ)
files/       市の設定、報告、消去証明書
manifest.json 目録: 形式の版、表ごとの件数とハッシュ、ファイルごとの大きさとハッシュ
SHA256SUMS   各ファイルのハッシュ。sha256sum -c SHA256SUMS で確かめられます
形式の説明: docs/handover-format.md
電話機のパスワード、鍵、回線の認証情報は入っていません。
市民の個人情報が入っています。取扱いに注意し、引継ぎが終わったら消去してください。
"""

Say = Callable[[str], None]


def secret_columns(tables: Mapping[str, Any]) -> dict[str, list[str]]:
    """Columns that hold secrets, by their names."""
    found = {
        name: [column.name for column in table.columns if _SECRET.search(column.name)]
        for name, table in tables.items()
    }
    return {name: columns for name, columns in found.items() if columns}


async def export(city: str | None, target: Path, *, plain: bool, say: Say) -> dict[str, Any]:
    """Write the hand-over file, encrypted for the way unless `plain`.

    Raises:
        ToritsugiError: the file is there already.
    """
    target = target.resolve()
    keys = target.with_name(f"{target.name}.keys")
    for path in (target, *(() if plain else (keys,))):
        if path.exists():
            raise ToritsugiError("もうあるファイルです", where=str(path), cure="別の名前にする")
    instance = Instance.open(city=city)
    try:
        await instance.database.migrate()
        await Records(instance.settings, instance.profile, instance.database, instance.clock).take_in()
        target.parent.mkdir(parents=True, exist_ok=True)
        key = None
        if not plain:
            key = new_key(instance.clock.epoch())
            KeySource(path=keys).add(key, first=True)
        partial = target.with_name(f".{target.name}.part")
        try:
            with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                sink: Any = SealingWriter(file, key) if key else file
                manifest = await _write(instance, ArchiveWriter(sink), say)
                if key:
                    sink.close()
                file.flush()
                os.fsync(file.fileno())
            partial.replace(target)
        except BaseException:
            partial.unlink(missing_ok=True)
            if key:
                keys.unlink(missing_ok=True)
            raise
        with target.open("rb") as file:
            digest = await asyncio.to_thread(lambda: sum_of_parts(_blocks(file)).sha256)
        await _remember(instance, target, digest)
        return {
            "file": str(target), "sha256": digest, "keys": None if plain else str(keys), **tidy(asdict(manifest))
        }  # fmt: skip
    finally:
        await instance.database.close()


async def _remember(instance: Instance, target: Path, digest: str) -> None:
    at, actor = instance.clock.epoch(), os.environ.get("SUDO_USER") or getpass.getuser()
    async with instance.database.uow() as unit:
        await unit.erasures.add_export(
            ExportEntry(at=at, actor=actor, kind="handover", path=str(target), sha256=digest, calls=None)
        )
        await unit.audit.add(
            AuditEntry(
                at=at, actor=actor, action="handover.export", subject=target.name, detail={"sha256": digest}
            )
        )


async def _write(instance: Instance, writer: ArchiveWriter, say: Say) -> Manifest:
    settings, database = instance.settings, instance.database
    async with database.snapshot() as connection:
        blank = secret_columns(await tables_of(connection))
    manifest = Manifest(
        format=FORMAT,
        made_at=instance.clock.epoch(),
        city=instance.profile.city.id,
        node=settings.node,
        revision=await database.revision() or "",
        blanked=blank,
    )
    tables = await write_tables(database, writer, blank, LEFT_OUT, say)
    sums = {f"tables/{name}.jsonl": each.sha256 for name, each in tables.items()}
    for name, lines in (("csv/calls.csv", _calls_csv(instance)), ("csv/cases.csv", _cases_csv(instance))):
        sums[name] = (await writer.add_lines(name, lines, say)).sha256
    files, recordings = await asyncio.to_thread(_add_files, instance, writer, say)
    sums |= {f"files/{name}": each.sha256 for name, each in files.items()}
    sums |= {f"recordings/{name}": each.sha256 for name, each in recordings.items()}
    sums["README.ja.txt"] = writer.add("README.ja.txt", iter([_README.encode()])).sha256
    manifest = replace(manifest, tables=tables, files=files, recordings=recordings)
    lines_of_sums = "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items()))
    writer.add("SHA256SUMS", iter([lines_of_sums.encode()]))
    writer.close(manifest)
    return manifest


def _add_files(
    instance: Instance, writer: ArchiveWriter, say: Say
) -> tuple[dict[str, FileSum], dict[str, FileSum]]:
    home, ring = instance.settings.home, key_source(instance.settings.home).load()
    files, recordings = {}, {}
    found = {
        str(path.relative_to(home)): path
        for folder in sorted(FOLDERS - {"profile"})
        for path in sorted((home / folder).rglob("*"))
        if path.is_file()
    }
    profile = profile_path(instance.settings.city)
    if profile is not None:
        found[f"profile/{instance.profile.city.id}.toml"] = profile
    for name, path in found.items():
        files[name] = writer.add(f"files/{name}", parts_of(path, lambda: ring))
    for number, path in enumerate(sorted(instance.settings.recordings.glob("*.wav")), start=1):
        try:
            parts = parts_of(path, lambda: ring)
            recordings[path.name] = writer.add(f"recordings/{path.name}", parts, packed=False)
        except FileNotFoundError:
            raise ToritsugiError(
                "書き出している間に録音が消えました", where=path.name, cure="もう一度行う"
            ) from None
        if number % 500 == 0:
            say(f"録音 {number} 件を書きました")
    return files, recordings


async def _days(database: Database) -> AsyncIterator[tuple[float, float]]:
    """The days in which there are calls, so that no more than a day is in memory."""
    async with database.reading() as unit:
        first, last = await unit.calls.span()
    if first is None or last is None:
        return
    at = first
    while at <= last:
        yield at, at + DAY_S
        at += DAY_S


async def _calls_csv(instance: Instance) -> AsyncIterator[bytes]:
    head = to_csv([])
    yield head.encode()
    async for since, until in _days(instance.database):
        text = to_csv(await export_records(instance.database, instance.clock, since, until))
        body = text.removeprefix(head)
        if body:
            yield body.encode()


async def _cases_csv(instance: Instance) -> AsyncIterator[bytes]:
    yield (BOM + _csv_line(_CASE_HEAD)).encode()
    async for since, until in _days(instance.database):
        async with instance.database.reading() as unit:
            for case in await unit.cases.between(since, until):
                said = [
                    f"{text.side}: {text.text}"
                    for call in case.calls
                    for text in await unit.transcripts.of_call(call.call_id)
                ]
                yield _csv_line(_case_cells(case, said)).encode()


def _case_cells(case: Case, said: list[str]) -> tuple[str, ...]:
    return (
        case.case_id,
        datetime.fromtimestamp(case.first.started_at, TOKYO).isoformat(timespec="seconds"),
        case.category or "",
        case.status.label_ja,
        case.question,
        case.answer,
        " ".join(call.call_id for call in case.calls),
        " ".join(dict.fromkeys(call.caller for call in case.calls if call.caller)),
        "\n".join(said),
    )


def _csv_line(cells: tuple[str, ...]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerow([safe_cell(cell) for cell in cells])
    return buffer.getvalue()


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    while part := file.read(1 << 20):
        yield part
