"""`retention erase` and `retention scan`: one person's data out of everything, the proof, and the certificate."""

from __future__ import annotations

import asyncio
import getpass
import hashlib
import json
import os
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from core.clock import TOKYO
from core.errors import ToritsugiError
from core.ids import CallId, uniqueid_of
from core.phone import normalise_number
from core.traces import digits_of
from reports.render_erasure import render_erasure_html
from runtime.erasure_files import erase_files, scan_files
from runtime.instance import Instance
from runtime.records import Records
from runtime.sealing import batches
from services.erasure import (
    CopyElsewhere,
    Erased,
    ErasureRecord,
    ExportEntry,
    Scan,
    Subject,
    SubjectKind,
    certificate_of,
    replay_of,
)
from services.ports import AuditEntry
from services.retention import BATCH, PAUSE_S

FINGERPRINTS = "erasure"
"""The file under `secrets/` with the key of the certificates' hashes."""
REPLAYS = "erasures.jsonl"
"""What was erased, for whoever restores a backup: pseudonyms and keyed hashes. Also beside every backup."""
ROUNDS = 3
_POSTGRES_NOTE = (
    "データベースは PostgreSQL です。消えた行の領域は VACUUM で再利用に回しました。"
    "サーバー自身の WAL とバックアップは、その保存期間に従います。"
)

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a person asked for; exactly one of the first three."""

    call: str | None = None
    case: str | None = None
    number: str | None = None

    def kind(self) -> SubjectKind:
        """
        Raises:
            ToritsugiError: none or several are named.
        """
        named = [kind for kind in SubjectKind if getattr(self, kind.value)]
        if len(named) != 1:
            raise ToritsugiError(
                "範囲を一つ選んでください", where="--call, --case, --number", cure="どれか一つだけを書く"
            )
        return named[0]


class Eraser:
    """Finds and erases in one instance."""

    def __init__(self, instance: Instance, say: Say) -> None:
        self._instance, self._say = instance, say
        numbers = instance.profile.numbers
        self.city_numbers = frozenset({*numbers.service, *numbers.test, numbers.outbound})
        self._settings, self._database = instance.settings, instance.database

    @property
    def secret(self) -> bytes:
        return self._instance.secret(FINGERPRINTS).encode("ascii")

    async def subject(self, request: Request) -> Subject:
        """Whose data it is.

        Raises:
            ToritsugiError: no such call or case, no number, or a number of the city's.
        """
        kind = request.kind()
        async with self._database.reading() as unit:
            if kind is SubjectKind.NUMBER:
                number = frozenset({_citizens_number(request.number or "", self.city_numbers)})
                calls = await unit.erasures.calls_with(number)
                cases = await unit.erasures.cases_of(calls)
                return Subject(kind=kind, calls=frozenset(calls), cases=frozenset(cases), numbers=number)
            if kind is SubjectKind.CASE:
                cases = {request.case or ""}
                calls = await unit.erasures.calls_of(cases)
            else:
                calls = set(await unit.calls.get([CallId(request.call or "")]))
                cases = await unit.erasures.cases_of(calls)
            if not calls:
                raise ToritsugiError(
                    f"ない{kind.label_ja}です: {request.case or request.call}",
                    where=f"--{kind.value}",
                    cure="toritsugi cases か toritsugi ledger export で確かめる",
                )
            numbers = await unit.erasures.numbers_of(calls) - self.city_numbers
        return Subject(kind=kind, calls=frozenset(calls), cases=frozenset(cases), numbers=frozenset(numbers))

    async def require_over(self, subject: Subject) -> None:
        """
        Raises:
            ToritsugiError: a call is going on, or somebody is still to be called back.
        """
        async with self._database.reading() as unit:
            calls = await unit.calls.get(subject.calls)
            going_on = [call.call_id for call in calls.values() if call.open]
            if going_on:
                raise ToritsugiError(
                    "まだ終わっていない通話です", where=", ".join(going_on), cure="通話が終わってから消す"
                )
            for booked in await unit.callbacks.open():
                if booked.call in subject.calls or {booked.number, booked.caller} & subject.numbers:
                    raise ToritsugiError(
                        "折り返しの予約がまだ生きています",
                        where=str(booked.call),
                        cure="toritsugi callbacks cancel で取り消してから消す",
                    )

    async def erase(self, subject: Subject) -> list[Erased]:
        """Files first: with the rows gone nothing would lead to them any more. Then rows, a hundred in a transaction,
        so that live work never waits long. Killed in between, do it again.
        """
        tokens = await self._tokens(subject)
        files = await asyncio.to_thread(erase_files, self._settings, subject, tokens)
        async with self._database.reading() as unit:
            places = await unit.erasures.find(subject, self.city_numbers, self._progress)
            done = unit.erasures.nothing()
        for part in batches(places, BATCH):
            async with self._database.uow() as unit:
                done = _added(done, await unit.erasures.erase(subject, part, self.city_numbers))
            await asyncio.sleep(PAUSE_S)
        await self._database.forget_words()
        await self._database.empty_wal()
        return [*done, *files]

    async def scan(self, subject: Subject) -> Scan:
        """Search everything: rows, raw bytes, names."""
        async with self._database.reading() as unit:
            tables = await unit.erasures.traces(subject, self._progress)
        searched = subject if subject.everywhere else _calls_only(subject)
        files = await asyncio.to_thread(scan_files, self._settings.home, searched)
        return Scan(
            tables=tables,
            files=files.traces,
            files_read=files.files,
            bytes_read=files.bytes,
            names_only=files.names_only,
            unknown=files.unknown or (),
        )

    async def erase_and_prove(self, subject: Subject) -> tuple[list[Erased], Scan]:
        """Erase until a scan finds nothing: what was being written meanwhile is found by the next round."""
        done = await self.erase(subject)
        scan = await self.scan(subject)
        for _round in range(ROUNDS - 1):
            if scan.clean:
                break
            done = _added(done, await self.erase(subject))
            await self._database.vacuum()
            await self._database.empty_wal()
            scan = await self.scan(subject)
        return done, scan

    async def _tokens(self, subject: Subject) -> set[str]:
        async with self._database.reading() as unit:
            calls = await unit.calls.get(subject.calls)
        tokens = {uniqueid_of(call) for call in subject.calls if call.startswith("c-")}
        return {*tokens, *(call.sip_call_id for call in calls.values() if call.sip_call_id)}

    def _progress(self, what: str, rows: int) -> None:
        if rows and rows % 100_000 == 0:
            self._say(f"{what}: {rows} 行まで見ました")

    async def copies(self, subject: Subject) -> list[CopyElsewhere]:
        """Deal with the files that commands wrote: a pack of the person's calls goes, copies of everybody are named."""
        async with self._database.reading() as unit:
            exports = await unit.erasures.exports()
        found = []
        for entry in exports:
            if entry.calls is not None and not subject.calls.intersection(
                CallId(each) for each in entry.calls
            ):
                continue
            found.append(await asyncio.to_thread(_deal_with, entry, subject))
        return found


async def erase(
    city: str | None, request: Request, *, reason: str, by: str, basis: str, say: Say
) -> tuple[dict[str, Any], Path]:
    """Erase, prove, certify, store and audit; the certificate and where its page lies.

    Raises:
        ToritsugiError: see `Eraser.subject` and `Eraser.require_over`; or there is no reason.
    """
    if not reason.strip():
        raise ToritsugiError(
            "理由がありません", where="--reason", cure="だれの求めで消すのかを書く (氏名は書かない)"
        )
    instance = Instance.open(city=city)
    try:
        await instance.database.migrate()
        await Records(instance.settings, instance.profile, instance.database, instance.clock).take_in()
        eraser = Eraser(instance, say)
        subject = await eraser.subject(request)
        await eraser.require_over(subject)
        say(f"通話 {len(subject.calls)} 件、応対 {len(subject.cases)} 件を消します。")
        elsewhere = await eraser.copies(subject)
        done, scan = await eraser.erase_and_prove(subject)
        at, record_id = instance.clock.epoch(), f"e-{secrets.token_hex(6)}"
        actor = by or os.environ.get("SUDO_USER") or getpass.getuser()
        sqlite = instance.database.engine.dialect.name == "sqlite"
        certificate = certificate_of(
            record_id=record_id,
            at=at,
            city_ja=instance.profile.city.name_ja,
            actor=actor,
            reason=reason.strip(),
            basis=basis,
            subject=subject,
            secret=eraser.secret,
            done=done,
            elsewhere=elsewhere,
            scan=scan,
            notes=() if sqlite else (_POSTGRES_NOTE,),
        )
        record = ErasureRecord(
            id=record_id,
            at=at,
            actor=actor,
            replay=replay_of(subject, eraser.secret),
            certificate=certificate,
        )
        await _keep(instance, record, elsewhere)
        page = write_certificate(instance.settings.home / "certificates", certificate)
        remember_replay(instance.settings.home, record, elsewhere, say)
        return certificate, page
    finally:
        await instance.database.close()


async def scan(city: str | None, request: Request, say: Say) -> dict[str, Any]:
    """`retention scan`: what is found of a call, a case or a number, as JSON values."""
    instance = Instance.open(city=city)
    try:
        await instance.database.migrate()
        eraser = Eraser(instance, say)
        subject = await eraser.subject(request)
        found = await eraser.scan(subject)
        return {
            "clean": found.clean,
            "calls": len(subject.calls),
            "cases": len(subject.cases),
            **asdict(found),
        }
    finally:
        await instance.database.close()


async def certificates(city: str | None) -> list[dict[str, Any]]:
    """`retention certificates`: all that were issued, oldest first."""
    instance = Instance.open(city=city)
    try:
        await instance.database.migrate()
        async with instance.database.reading() as unit:
            return [dict(record.certificate) for record in await unit.erasures.records()]
    finally:
        await instance.database.close()


async def _keep(instance: Instance, record: ErasureRecord, elsewhere: Sequence[CopyElsewhere]) -> None:
    certificate = record.certificate
    async with instance.database.uow() as unit:
        await unit.erasures.add(record)
        await unit.audit.add(
            AuditEntry(
                at=record.at,
                actor=record.actor,
                action="retention.erase",
                subject=record.id,
                detail={
                    "kind": certificate["subject"]["kind"],
                    "reason": certificate["reason"],
                    "clean": certificate["verified"]["clean"],
                    "sha256": certificate["sha256"],
                    "copies_deleted": sum(each.state == "deleted" for each in elsewhere),
                },
            )
        )


def write_certificate(folder: Path, certificate: Mapping[str, Any]) -> Path:
    """As JSON and as a page to print, for their owner's eyes; the page."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    page = folder / f"{certificate['id']}.html"
    text = json.dumps(certificate, ensure_ascii=False, indent=2, sort_keys=True)
    for path, content in ((page.with_suffix(".json"), text), (page, render_erasure_html(certificate))):
        path.touch(mode=0o600)
        path.write_text(content, encoding="utf-8")
    return page


def remember_replay(home: Path, record: ErasureRecord, elsewhere: Sequence[CopyElsewhere], say: Say) -> None:
    """Write what a restore must erase again beside the home's files and beside every backup that can be reached."""
    line = json.dumps({"id": record.id, "at": record.at, **record.replay}, sort_keys=True) + "\n"
    folders = {home, *(Path(each.path).parent for each in elsewhere if each.kind == "backup")}
    for folder in sorted(folders):
        try:
            descriptor = os.open(folder / REPLAYS, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(line)
        except OSError:
            say(f"{folder} に書けません。戻すときのために {home / REPLAYS} をそこへ写してください。")


def _deal_with(entry: ExportEntry, subject: Subject) -> CopyElsewhere:
    path = Path(entry.path)
    state, until = "by_hand", ""
    if entry.kind == "backup":
        state = "expires" if path.exists() else "gone"
        if entry.keep_until is not None:
            until = datetime.fromtimestamp(entry.keep_until, TOKYO).date().isoformat()
        kept = path.with_name("recordings")
        for call in subject.calls:
            for recording in kept.glob(f"{call}-*"):
                recording.unlink(missing_ok=True)
    elif entry.calls is not None:
        if not path.exists():
            state = "gone"
        elif hashlib.sha256(path.read_bytes()).hexdigest() != entry.sha256:
            state = "changed"
        elif set(entry.calls) <= set(subject.calls):
            path.unlink()
            state = "deleted"
    return CopyElsewhere(path=entry.path, kind=entry.kind, sha256=entry.sha256, state=state, until=until)


def _citizens_number(text: str, city_numbers: Collection[str]) -> str:
    number = normalise_number(text)
    if number is None or not digits_of(number):
        raise ToritsugiError("電話番号として読めません", where="--number", cure="例: 090-1234-5678")
    if number in city_numbers:
        raise ToritsugiError("市の番号です", where="--number", cure="市民の番号を書く")
    return number


def _calls_only(subject: Subject) -> Subject:
    """For a call or a case: other calls of the same person keep their number, so files are searched by name."""
    return Subject(kind=subject.kind, calls=subject.calls, cases=subject.cases)


def _added(before: Sequence[Erased], more: Sequence[Erased]) -> list[Erased]:
    later = {each.what: each for each in more}
    return [
        replace(
            each,
            deleted=each.deleted + more_.deleted,
            rewritten=each.rewritten + more_.rewritten,
            mentions=each.mentions + more_.mentions,
        )
        if (more_ := later.get(each.what))
        else each
        for each in before
    ]
