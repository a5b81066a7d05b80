"""The ledger of one instance: taken in from disk, exported, proved, reported."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import logging
import re
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from core.clock import TOKYO, Clock
from core.errors import ToritsugiError
from core.hours import OpeningHours
from core.ids import CallId, Uniqueid, call_id_of
from core.settings import Settings
from interactions.case import Case
from ledger.export import call_record, to_csv, to_jsonl
from ledger.facts import CallRefused
from ledger.reconcile import Reconciliation, SeenInvite, invites_of, reconcile
from services.callbacks import CallbackKeeper
from services.case_events import CaseEvents
from services.cases import CaseKeeper, TicketKeeper
from services.city import CityProfile
from services.ledger_sync import LedgerSync
from services.ports import LogReader, Transcript
from services.proofs import city_moment, keep_proof
from services.retention import cut_offs
from services.speech_ports import CallInsight
from storage.database import Database
from telephony.disk.reader import FactReader, cel_reader, queue_log_reader
from telephony.disk.rotation import rotated
from telephony.disk.tail import Position

log = logging.getLogger(__name__)

ALWAYS = (0.0, 4102444800.0)
"""From the epoch to the year 2100."""

_A_WEEK_S = 7 * 86_400.0
_RECORDING = re.compile(r"c-[A-Za-z0-9]+-(\d+)\.\d+(?:-cb\d+)?-(?:citizen|line)")


def deadline(hours: OpeningHours, clock: Clock, moment: float) -> float:
    """Until when the city has time for what was asked at `moment` (epoch seconds): the end of its next day."""
    city = clock.city_time_of(moment)
    end = hours.end_of_next_day(city)
    return moment + ((end - city).total_seconds() if end is not None else _A_WEEK_S)


class Records:
    """Takes what Asterisk wrote into the database, again and again."""

    def __init__(self, settings: Settings, profile: CityProfile, database: Database, clock: Clock) -> None:
        category_of = profile.interactions.category_of

        def category(line: str) -> str | None:
            found = category_of(line)
            return found.id if found is not None else None

        events = CaseEvents(profile.interactions.webhooks, profile.city.id)
        keeper = CaseKeeper(clock, category, profile.ivr.languages[0], events)

        lines = {line.id: line.name_ja for line in profile.acd.lines}
        tickets = TicketKeeper(
            lambda moment: deadline(profile.hours, clock, moment), lambda line: lines.get(line, line)
        )

        self._readers: list[FactReader] = []

        def open_logs(saved: Mapping[str, str]) -> Sequence[LogReader]:
            start = {kind: Position.from_text(text) for kind, text in saved.items()}
            self._readers = [
                cel_reader(settings.cel_log, settings.node, start.get("cel")),
                queue_log_reader(settings.queue_log, settings.node, start.get("queue_log")),
            ]
            return self._readers

        self.still = asyncio.Lock()
        """Held while the logs are read; who renames or deletes logs takes it."""
        self.callbacks = CallbackKeeper(
            profile.acd.callback.rules(), profile.acd.callback.hours(profile.hours), clock
        )
        self._sync = LedgerSync(
            open_logs,
            database.uow,
            clock,
            node=settings.node,
            also=[keeper.after_fold, tickets.after_fold, self.callbacks.after_fold],
        )

    @property
    def damaged(self) -> int:
        """Lines of the logs that could not be read since they were opened; the log of the process names each."""
        return sum(reader.damaged for reader in self._readers)

    async def take_in(self) -> int:
        """One round; the number of facts read."""
        async with self.still:
            return (await self._sync.catch_up()).facts


async def export_records(
    database: Database, clock: Clock, since: float, until: float
) -> list[dict[str, Any]]:
    """The calls that arrived in `[since, until)` as records (design §10)."""
    async with database.reading() as unit:
        calls = await unit.calls.between(since, until)
        states = await unit.jobs.states([call.call_id for call in calls])
    return [
        call_record(
            call,
            states[call.call_id].value if call.call_id in states else None,
            clock.city_time_of,
        )
        for call in calls
    ]


async def export_text(city: str | None, format_: str, since: date | None, until: date | None) -> list[str]:
    """The whole export, ready to print."""
    from runtime.instance import Instance

    instance = Instance.open(city=city)
    await instance.database.migrate()
    await Records(instance.settings, instance.profile, instance.database, instance.clock).take_in()
    records = await export_records(
        instance.database,
        instance.clock,
        _midnight(since) if since else ALWAYS[0],
        _midnight(until) if until else ALWAYS[1],
    )
    await instance.database.close()
    return [to_csv(records) if format_ == "csv" else to_jsonl(records)]


def _midnight(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=TOKYO).timestamp()


def sip_messages(path: Path) -> Iterator[dict[str, Any]]:
    """The mirrored SIP messages of a capture file and of its rotated siblings, oldest first.

    A last line being written is left for the next time; a line that a crash or a full disk cut is logged and
    passed over, so that its call is seen missing and not the whole proof.
    """
    for each in (*rotated(path), path):
        with contextlib.suppress(FileNotFoundError), each.open(encoding="utf-8", errors="replace") as file:
            for line in file:
                if not line.endswith("\n"):
                    continue
                try:
                    message = json.loads(line)
                except (ValueError, RecursionError):
                    message = None
                if isinstance(message, dict) and isinstance(message.get("at"), float | int):
                    yield message
                else:
                    log.error("%s: a damaged line of %d characters", each, len(line))


def trunk_invites(
    settings: Settings, capture: Path | None, operators: Collection[str], trunks: Collection[str]
) -> list[SeenInvite]:
    """The INVITEs to the city's numbers, and to anything else that is no operator's own call.

    Args:
        operators: numbers of the operators; a telephone of theirs says `op<number>` in From, and is asked to prove it.
        trunks: networks that calls come from.
    """
    telephones = {f"op{number}" for number in operators}
    networks = [ipaddress.ip_network(each, strict=False) for each in trunks]

    def sent_by_us(src: str, dst: str) -> bool:
        """What Asterisk sends is mirrored too. A carrier's port is 5060 as well as ours: then the address decides."""
        if src == f"127.0.0.1:{settings.wire_port}":
            return True  # to a browser's telephone
        (host, _, port), theirs = src.rpartition(":"), dst.rpartition(":")[2]
        if int(port) != settings.sip_port:
            return False
        if theirs and int(theirs) != settings.sip_port:
            return True
        address = ipaddress.ip_address(host.strip("[]"))
        own = ipaddress.ip_address(settings.sip_host)
        return address == own or (own.is_unspecified and not any(address in each for each in networks))

    def from_trunk(message: Mapping[str, Any]) -> bool:
        return message["from_user"] not in telephones and not sent_by_us(
            str(message["src"]), str(message.get("dst", ""))
        )

    return list(invites_of(sip_messages(capture or settings.sip_log), from_trunk))


async def prove(
    settings: Settings,
    profile: CityProfile,
    database: Database,
    since: float,
    until: float,
    capture: Path | None = None,
) -> Reconciliation:
    """Compare wire, ledger and recordings for the calls of this node that arrived in `[since, until)`."""
    async with database.reading() as unit:
        calls = await unit.calls.between(since, until)
        refused = await unit.facts.refused(since, until)
        operators = [operator.id for operator in await unit.operators.list()]
        trunks = [trunk.match for trunk in await unit.trunks.list()]
    kept_since = cut_offs(profile.interactions.retention_days, time.time()).recordings

    def compare() -> Reconciliation:
        invites = trunk_invites(settings, capture, operators, trunks)
        seen = [invite for invite in invites if since <= invite.at < until]
        # Another node of the same database mirrors its SIP at its own place.
        own, ours = call_id_of(Uniqueid(f"{settings.node}-")), {invite.sip_call_id for invite in seen}
        return reconcile(
            seen,
            [call for call in calls if call.call_id.startswith(own) or call.sip_call_id in ours],
            [fact.sip_call_id for fact in refused if isinstance(fact, CallRefused) and fact.sip_call_id],
            _recording_names(settings, since, until, {base for call in calls for base in call.recordings}),
            check_recordings=all(call.arrived_at > kept_since for call in calls),
        )

    # The copy of SIP is long, and the engine proves a day while calls run.
    return await asyncio.to_thread(compare)


async def prove_day(
    settings: Settings,
    profile: CityProfile,
    database: Database,
    clock: Clock,
    day: date,
    capture: Path | None = None,
) -> Reconciliation:
    """Prove one day of the city, and keep what came of it for the desk's figures."""
    begin, end, made_at = city_moment(clock, day), city_moment(clock, day + timedelta(days=1)), clock.epoch()
    found = await prove(settings, profile, database, begin, end, capture)
    async with database.uow() as unit:
        await keep_proof(unit, settings.node, day, found, made_at=made_at, over=made_at >= end)
    return found


def wire_kept(profile: CityProfile, since: float) -> bool:
    """Whether the copy of SIP still reaches back to `since` (epoch seconds)."""
    return since > cut_offs(profile.interactions.retention_days, time.time()).raw_logs


def _recording_names(settings: Settings, since: float, until: float, known: Collection[str]) -> list[str]:
    """Recordings on disk whose call began in the period, by the second in the Uniqueid that they are named for.

    That second is cut off: a recording from the period's first, broken second counts only if it is one of the
    calls' own (`known`).
    """
    names = []
    for path in settings.recordings.glob("*.wav"):
        begun = _RECORDING.fullmatch(path.stem)
        if begun is None:
            continue
        inside = since <= float(begun[1]) < until
        if inside or path.stem.rpartition("-")[0] in known:
            names.append(path.stem)
    return names


async def reconcile_day(city: str | None, day: date, capture: Path | None) -> dict[str, Any]:
    """`ledger reconcile`: what agrees, and every difference."""
    from runtime.instance import Instance

    instance = Instance.open(city=city)
    if capture is None and not wire_kept(instance.profile, city_moment(instance.clock, day)):
        raise ToritsugiError(
            f"{day} の SIP の記録は、保存期間を過ぎて消えています",
            where="--date",
            cure="新しい日を選ぶか、取っておいた記録を --capture で示す",
        )
    await instance.database.migrate()
    result = await prove_day(
        instance.settings, instance.profile, instance.database, instance.clock, day, capture
    )
    await instance.database.close()
    return reconciliation_record(result, day)


def reconciliation_record(result: Reconciliation, day: date) -> dict[str, Any]:
    """As JSON values, readable by a person."""
    return {
        "date": day.isoformat(),
        "invites": result.invites,
        "refused": result.refused,
        "given_up": result.given_up,
        "calls": result.calls,
        "agrees": result.agrees,
        "differences": [
            {
                "kind": each.kind.value,
                "meaning": each.kind.label_ja,
                "what": each.what,
                "detail": each.detail,
            }
            for each in result.differences
        ],
    }


async def case_rows(city: str | None, day: date) -> list[dict[str, Any]]:
    """The interaction records opened on `day`, with what was said on both sides in order of time."""
    from runtime.instance import Instance

    instance = Instance.open(city=city)
    await instance.database.migrate()
    since = _midnight(day)
    async with instance.database.reading() as unit:
        cases = await unit.cases.between(since, _midnight(day + timedelta(days=1)))
        texts = {
            call.call_id: await unit.transcripts.of_call(call.call_id)
            for case in cases
            for call in case.calls
        }
        insights = await unit.insights.of_calls(list(texts))
    await instance.database.close()
    return [case_record(case, texts, insights) for case in cases]


def case_record(
    case: Case, texts: Mapping[CallId, Sequence[Transcript]], insights: Mapping[CallId, CallInsight]
) -> dict[str, Any]:
    """One interaction record as JSON values; the transcript is masked, the caller's number is not."""
    record = asdict(case)
    for call in record["calls"]:
        said = [
            {"side": text.side, **segment}
            for text in texts.get(call["call_id"], ())
            for segment in text.segments
        ]
        call["said"] = sorted(said, key=lambda part: float(part["start_s"]))
        insight = insights.get(call["call_id"])
        call["understood"] = {"method": insight.method, **insight.record} if insight else None
    return record
