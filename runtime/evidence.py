"""`evidence`: all that is kept of one call in one file, with hashes, for a complaint or a report to the police."""

from __future__ import annotations

import asyncio
import getpass
import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from core.errors import ToritsugiError
from core.ids import CallId
from core.masking import mask_text
from core.sealed import open_plain
from ledger.codec import encode_fact, kind_of
from ledger.export import call_record
from runtime.instance import Instance
from runtime.records import Records
from services.erasure import ExportEntry
from services.evidence import alerts_of_call, deeds_of_call
from services.ports import AuditEntry

FIXED_TIME = (1980, 1, 1, 0, 0, 0)
"""Of every member: the same content makes the same file, and the same hash."""
README = """通話の証拠一式
call.json        通話の記録 (取次の台帳)。市民に伝えた案内の段階 (long_call_words) を含む
facts.json       交換機が書いた記録を、台帳が読んだもの
alerts.json      この通話の間に出た警報 (長い通話、保留、応援、繰り返しの電話)
audit.json       この通話について人がした操作 (断られたものを含む)
transcripts.json 文字起こし (ある場合)
recordings/      録音 (市民側、オペレーター側)
SHA256SUMS       各ファイルのハッシュ。sha256sum -c SHA256SUMS で確かめられます。
録音と番号を含みます。取扱いに注意してください。
"""


async def collect_evidence(
    city: str | None,
    call: str,
    target: Path,
    reason: str,
    out: Callable[[str], None],
    say: Callable[[str], None],
) -> None:
    """Write the file, note in the audit who made it and why, and print its hash.

    Raises:
        ToritsugiError: no such call, no reason, or the file is there already.
    """
    if not reason.strip():
        raise ToritsugiError("理由がありません", where="--reason", cure="何のために取り出すのかを書く")
    if target.exists():
        raise ToritsugiError(f"もうあるファイルです: {target}", where="--out", cure="別の名前にする")
    instance = Instance.open(city=city)
    await instance.database.migrate()
    await Records(instance.settings, instance.profile, instance.database, instance.clock).take_in()
    call_id = CallId(call)
    async with instance.database.reading() as unit:
        found = (await unit.calls.get([call_id])).get(call_id)
        if found is None:
            raise ToritsugiError(
                f"ない通話です: {call}", where="通話", cure="toritsugi ledger export で確かめる"
            )
        facts = await unit.facts.of_calls([call_id])
        transcripts = await unit.transcripts.of_call(call_id)
        files = await unit.recordings.of_call(call_id)
        alerts = alerts_of_call(found, await unit.alerts.between(found.arrived_at, instance.clock.epoch()))
        deeds = deeds_of_call(found, await unit.audit.between(found.arrived_at, instance.clock.epoch()))
    members: dict[str, bytes] = {
        "README.txt": README.encode(),
        "call.json": _json(call_record(found, None, instance.clock.city_time_of)),
        "facts.json": _json([{"kind": kind_of(fact), "at": fact.at, **encode_fact(fact)} for fact in facts]),
        "alerts.json": _json([asdict(alert) for alert in alerts]),
        "audit.json": _json([asdict(deed) for deed in deeds]),
    }
    if transcripts:
        members["transcripts.json"] = _json([asdict(transcript) for transcript in transcripts])
    # Only the name counts: the row's folder may be of another time or machine.
    there = [instance.settings.recordings / Path(file.path).name for file in files]
    missing = [path for path in there if not path.exists()]
    paths = {f"recordings/{path.name}": path for path in there if path not in missing}
    digest = await asyncio.to_thread(write_pack, target, members, paths)
    at, actor = instance.clock.epoch(), os.environ.get("SUDO_USER") or getpass.getuser()
    async with instance.database.uow() as unit:
        await unit.audit.add(
            AuditEntry(
                at=at, actor=actor, action="evidence.export", subject=call,
                detail={"reason": mask_text(reason.strip()), "sha256": digest},
            )
        )  # fmt: skip
        await unit.erasures.add_export(
            ExportEntry(
                at=at, actor=actor, kind="evidence", path=str(target.resolve()), sha256=digest, calls=(call,)
            )
        )
    await instance.database.close()
    out(f"{digest}  {target}")
    say(f"{target} に書きました。録音 {len(paths)} 件。上の文字列がファイル全体のハッシュ (SHA-256) です。")
    for path in missing:
        say(f"録音がもうありません: {path}")


def write_pack(target: Path, members: Mapping[str, bytes], paths: Mapping[str, Path]) -> str:
    """Write the members and files with their hashes, readable by their owner alone; the SHA-256 of the whole.

    It appears under its name only when it is whole.
    """
    sums = {name: hashlib.sha256(data).hexdigest() for name, data in members.items()}
    sums |= {name: _plain_hash_of(path) for name, path in paths.items()}
    partial = target.with_name(f".{target.name}.new")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as pack:
        lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items()))
        for name, data in sorted({**members, "SHA256SUMS": lines.encode()}.items()):
            pack.writestr(zipfile.ZipInfo(name, FIXED_TIME), data)
        for name, path in sorted(paths.items()):
            with open_plain(path) as source, pack.open(zipfile.ZipInfo(name, FIXED_TIME), "w") as member:
                while part := source.read(1 << 20):
                    member.write(part)
    digest = _hash_of(partial)
    partial.replace(target)
    return digest


def _plain_hash_of(path: Path) -> str:
    """Of what was recorded, encrypted on disk or not."""
    total = hashlib.sha256()
    with open_plain(path) as file:
        while part := file.read(1 << 20):
            total.update(part)
    return total.hexdigest()


def _hash_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True).encode()
