"""A centre in the middle of a morning, on a real database, with a control that only writes down what was asked."""

from __future__ import annotations

import asyncio
import math
import shutil
import struct
import time
import wave
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyotp
from aiohttp import web
from aiohttp.test_utils import TestServer
from argon2 import PasswordHasher

from acd.alerts import Alert, AlertKind
from acd.commands import Act, Hand
from core.clock import TOKYO
from core.errors import ToritsugiError
from core.facts.dialplan import StepResult
from core.hours import Emergency
from core.ids import CallId, OperatorId, QueueName, Uniqueid
from core.phone import Caller, CallerKind
from core.settings import settings_from
from desk.app import make_app
from desk.hub import Hub
from desk.looks import Looks
from desk.secrets_kept import Passwords, Sealer
from desk.settings import DeskSettings
from desk.sign_in import SignIn
from desk.throttle import Throttle
from desk.visit import Desk
from faq_kb.article import Article, State, Version
from faq_kb.csv_file import read_rows
from faq_kb.workflow import taken_in
from interactions.access import Role
from interactions.case import CallSummary, CaseStatus, TranscriptState, open_case
from interactions.ticket import Ticket, TicketKind, TicketState, TicketStep
from ledger.calls import Call, Disposition, EndedBy, Offer, OfferOutcome, Segment, Step
from reports.answer_rates import rule_named
from runtime.alert_senses import AnswersSoFar
from runtime.faq_words import SEED as ENTRIES
from runtime.install.web import ensure_web
from runtime.process import free_port
from runtime.records import deadline
from services.case_desk import CaseDesk
from services.city import CityProfile, load_city
from services.desk_ports import Paper, PaperKind, User
from services.faq_desk import FaqDesk
from services.faq_ports import FaqSet
from services.faq_search import FaqSearch
from services.ports import OperatorAccount, RecordingFile, Transcript, UnitOfWork
from services.speech_ports import CallInsight
from storage.database import Database
from storage.faq_index_files import FaqIndexFiles

BASE = datetime(2026, 11, 27, 10, 30, tzinfo=TOKYO).timestamp()
PASSWORD = "たいせつな合言葉 2026"
SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
NAMES = {"101": "青木 春奈", "102": "石川 健", "103": "上田 桃子", "104": "江口 修", "105": "小川 恵"}
ROLES = {
    "aoki": (Role.OPERATOR, "101"),
    "ishikawa": (Role.LEADER, "102"),
    "kantoku": (Role.SUPERVISOR, ""),
    "shokuin": (Role.CITY_STAFF, ""),
    "shi-kanri": (Role.CITY_ADMIN, ""),
    "kanri": (Role.SYSTEM_ADMIN, ""),
    "kansa": (Role.AUDITOR, ""),
}
DISPLAY = {
    "aoki": "青木 春奈", "ishikawa": "石川 健", "kantoku": "監督 花子", "shokuin": "市 職員子",
    "shi-kanri": "市 管理夫", "kanri": "管理 太郎", "kansa": "監査 道子",
}  # fmt: skip


class MorningClock:
    """Real time, moved to one morning."""

    def __init__(self) -> None:
        self._began = time.time()
        self.ahead = 0.0

    def epoch(self) -> float:
        return BASE + self.ahead + time.time() - self._began

    def city_now(self) -> datetime:
        return self.city_time_of(self.epoch())

    def epoch_of(self, city_time: datetime) -> float:
        return city_time.timestamp()

    def city_time_of(self, epoch: float) -> datetime:
        return datetime.fromtimestamp(epoch, TOKYO)


@dataclass
class Written:
    """A floor control that writes down what was asked."""

    asked: list[tuple[Any, ...]] = field(default_factory=list)
    closed: Emergency | None = None
    said: Emergency | None = None
    hands: dict[str, Hand] = field(default_factory=dict)
    """What the switch shows of each operator."""
    refusal: str = ""
    """What it says no with; empty to say yes."""

    async def do(self, act: Act, by: User, **more: Any) -> str:
        if self.refusal:
            raise ToritsugiError(self.refusal, cure="画面を見て、いまの状態を確かめる")
        self.asked.append((act, by.name, {name: value for name, value in more.items() if value}))
        emergency = Emergency(message=more.get("to", ""), until=None, reason=more.get("reason", ""))
        match act:
            case Act.CLOSE:
                self.closed = emergency
            case Act.REOPEN:
                self.closed = None
            case Act.NOTICE:
                self.said = emergency
            case Act.NOTICE_OVER:
                self.said = None
        return "しました。"

    async def hand(self, by: User, operator: OperatorId) -> Hand:
        if operator not in self.hands:
            raise ToritsugiError("中枢 (engine) が動いていません", cure="toritsugi up で始める")
        return self.hands[operator]

    async def call_in(self, group: str, called: bool, by: User) -> None:
        self.asked.append(("call_in", group, called, by.name))

    async def called_in(self) -> frozenset[str]:
        return frozenset()

    def closure(self) -> Emergency | None:
        return self.closed

    def notice(self) -> Emergency | None:
        return self.said


class OnePaper:
    """Papers with the kinds of the real ones and a body that tells what was asked."""

    kinds: Sequence[PaperKind] = (
        PaperKind(
            id="daily", name_ja="日報", text_ja="一日の数字。", period_ja="その日", formats=("html", "csv")
        ),
    )

    async def make(self, kind: str, day: date, format_: str) -> Paper:
        if kind != "daily" or format_ not in ("html", "csv"):
            raise ToritsugiError("ない報告です", where="報告", cure="一覧から選ぶ")
        body = f"{kind} {day.isoformat()}".encode()
        return Paper(filename=f"{kind}-{day}.{format_}", content_type=f"text/{format_}", body=body)


class Told:
    """The engine's word, as a test tells it."""

    def __init__(self) -> None:
        self.word: dict[str, Any] = floor_word()

    def read(self) -> Mapping[str, Any]:
        return self.word

    async def news(self, within_s: float) -> None:
        await asyncio.sleep(within_s)

    async def run(self) -> None:
        """Nobody pushes."""


def seat(
    operator: str, state: str, since: float, *, calls: int = 4, queue: str | None = None
) -> dict[str, Any]:
    return {
        "operator": operator, "state": state, "since": since, "queues": ["booking-ja"], "talking_in": queue,
        "calls": calls, "handled_s": 300.0 * calls, "available_s": 5400.0,
    }  # fmt: skip


def a_call(number: int, at: float, **more: Any) -> Call:
    """A call that arrived at a moment; open unless `more` says otherwise."""
    caller = more.pop("caller", Caller(CallerKind.NUMBER, f"0901234{number:04d}"))
    values: dict[str, Any] = {
        "call_id": CallId(f"c-n1-{int(at)}.{number}"),
        "sip_call_id": f"sip-{number}",
        "caller": caller,
        "dialled": "0598530000",
        "channel": f"PJSIP/trunk-{number}",
        "arrived_at": at,
        "answered_at": at + 1,
        "line": "booking",
        "language": "ja",
        "steps": (Step(at=at + 9, node="main", key="2", result=StepResult.CHOICE),),
    }
    return Call(**(values | more))


def answered_call(
    number: int, at: float, operator: str = "101", *, wait: float = 8.0, talk: float = 180.0, **more: Any
) -> Call:
    start = at + 10 + wait
    return a_call(
        number,
        at,
        queue=QueueName("booking-ja"),
        offers=(Offer(operator=OperatorId(operator), at=start - 4, outcome=OfferOutcome.ANSWERED),),
        segments=(
            Segment(
                operator=OperatorId(operator), started_at=start, ended_at=start + talk,
                queue=QueueName("booking-ja"), channel=Uniqueid(f"n1-{int(at)}.{number}9"), wrap_up_s=20.0,
            ),
        ),
        wait_s=wait,
        talk_s=talk,
        ended_at=start + talk,
        disposition=Disposition.ANSWERED,
        ended_by=EndedBy.CITIZEN,
        recordings=(f"c-n1-{int(at)}.{number}",),
        **more,
    )  # fmt: skip


def tone(path: Path, seconds: float, hertz: float) -> None:
    """A WAV file as Asterisk writes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        samples = (int(6000 * math.sin(2 * math.pi * hertz * n / 8000)) for n in range(int(8000 * seconds)))
        file.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))


@dataclass
class World:
    """One desk with its centre."""

    home: Path
    clock: MorningClock
    database: Database
    profile: CityProfile
    control: Written
    told: Told
    desk: Desk
    app: web.Application
    server: TestServer

    @property
    def origin(self) -> str:
        return self.desk.settings.origin

    def code(self) -> str:
        """The one-time code of this moment; moves the clock so that the next one is another."""
        self.clock.ahead += 30.0
        return pyotp.TOTP(SEED).at(int(self.clock.epoch()))

    async def close(self) -> None:
        await self.server.close()
        await self.database.close()

    def tell(self, **more: Any) -> None:
        """The engine says something new."""
        self.told.word = {**self.told.word, **more, "at": self.clock.epoch()}

    async def user(self, name: str, role: Role, operator: str = "", **more: Any) -> User:
        """Somebody with the password and, unless told otherwise, the one-time code of all."""
        secret = more.pop("secret", SEED)
        user = User(
            name=name,
            display=DISPLAY.get(name, name),
            role=role,
            operator=OperatorId(operator) if operator else None,
            password_hash=await self.desk.sign_in.passwords.hash(PASSWORD),
            totp_secret=self.desk.sign_in.sealer.seal(secret) if secret else "",
            created_at=BASE,
            **more,
        )
        async with self.database.uow() as unit:
            await unit.users.put(user)
        return user


async def make_template(folder: Path) -> Path:
    """A filled database with its recordings, made once and copied by every test."""
    world = await open_world(folder / "making", None)
    async with world.database.uow() as unit:
        for number, name in NAMES.items():
            await unit.operators.put(
                OperatorAccount(
                    id=OperatorId(number),
                    name=name,
                    sip_secret="s",
                    skills={"booking": 4, "card": 3, "ja": 5},
                )
            )
    for name, (role, operator) in ROLES.items():
        department = world.profile.acd.directory[0].extension if role is Role.CITY_STAFF else ""
        await world.user(name, role, operator, department=department)
    await fill(world)
    await fill_faq(world)
    await world.database.empty_wal()
    await world.close()
    return world.home


async def open_world(
    folder: Path, template: Path | None, *, factor: frozenset[Role] = frozenset(Role), **more: Any
) -> World:
    """A desk on a copy of a template; without one, on an empty database."""
    port, home = free_port(), folder / "home"
    clock, profile = MorningClock(), load_city("matsusaka")
    home.mkdir(parents=True)
    if template is not None:
        shutil.copy(template / "toritsugi.db", home / "toritsugi.db")
    database = Database(f"sqlite+aiosqlite:///{home / 'toritsugi.db'}")
    if template is None:
        await database.migrate()
    settings = DeskSettings(port=port, origin=f"http://localhost:{port}", second_factor=factor, **more)
    control, told = Written(), Told()
    rule = rule_named("offered_v1")
    answers = AnswersSoFar(database.reading, clock, rule)
    cases = CaseDesk(
        database.uow,
        clock,
        due_of=lambda moment: deadline(profile.hours, clock, moment),
        categories=[each.id for each in profile.interactions.categories],
        departments=[entry.extension for entry in profile.acd.directory],
    )
    desk = Desk(
        settings=settings,
        profile=profile,
        clock=clock,
        reading=database.reading,
        uow=database.uow,
        sign_in=SignIn(
            uow=database.uow,
            reading=database.reading,
            clock=clock,
            settings=settings,
            passwords=Passwords(PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)),
            sealer=Sealer("a key of the tests"),
            throttle=Throttle(),
            centre=profile.city.centre_ja,
        ),
        control=control,
        cases=cases,
        papers=OnePaper(),
        live=told,
        answers=answers.now,
        due_of=lambda moment: deadline(profile.hours, clock, moment),
        recordings=(template or home) / "recordings",
        looks=Looks(profile, ensure_web(settings_from().tools), clock.city_time_of),
        hub=Hub(
            live=told, reading=database.reading, clock=clock, profile=profile, rule=rule, answers=answers.now
        ),
        faq=FaqDesk(
            reading=database.reading,
            uow=database.uow,
            clock=clock,
            search=FaqSearch(FaqIndexFiles(home / "faq"), lambda: None),
            cases=cases,
        ),
    )
    app = make_app(desk)
    server = TestServer(app, host="127.0.0.1", port=port)
    await server.start_server()
    return World(
        home=home, clock=clock, database=database, profile=profile, control=control, told=told, desk=desk,
        app=app, server=server,
    )  # fmt: skip


async def fill(world: World) -> None:
    """A morning's calls, cases, requests, an alert, and the calls of this moment."""
    now = BASE
    async with world.database.uow() as unit:
        await _past(world, unit, now)
        await unit.calls.put(present_calls())
        await unit.alerts.put([an_alert(now)])
        for ticket in tickets(world, now):
            await unit.tickets.add(ticket)


async def fill_faq(world: World) -> None:
    """Twelve of the entries that come with the program, in force; one more waits for the city."""
    rows = read_rows((ENTRIES / "common.csv").read_bytes(), "common.csv")[:13]
    ids = {row.article_id for row in rows}
    at, note = BASE - 86_400.0, "common.csv"
    articles, versions = list[Article](), dict[str, list[Version]]()
    for row in rows:
        kept = replace(row.content, related=tuple(each for each in row.content.related if each in ids))
        state = State.APPROVAL if row is rows[-1] else State.PUBLISHED
        articles.append(taken_in(None, row.article_id, state, at=at, by="hensyu", note=note))
        versions[row.article_id] = [Version(number=1, content=kept, made_at=at, made_by="hensyu", note=note)]
    async with world.database.uow() as unit:
        await unit.faq.put(FaqSet(articles=articles, versions=versions))


FAQ = "card-apply"
"""An entry in force."""


def past_calls() -> list[Call]:
    """Forty calls of the morning; every eighth was given up."""
    begin = datetime(2026, 11, 27, 9, 0, tzinfo=TOKYO).timestamp()
    operators, found = list(NAMES), list[Call]()
    for number in range(40):
        at = begin + number * 125.0
        if number % 8 == 5:
            call = a_call(
                number, at, queue=QueueName("card-ja"), line="card", wait_s=70.0 + number, ended_at=at + 90 + number,
                disposition=Disposition.ABANDONED_QUEUE, ended_by=EndedBy.CITIZEN,
            )  # fmt: skip
        else:
            line = ("booking", "card", "portal")[number % 3]
            call = answered_call(number, at, operators[number % 5], wait=4.0 + 3 * (number % 9), talk=60.0)
            call = replace(call, line=line, queue=QueueName(f"{line}-ja"))
        found.append(call)
    return found


FIRST = past_calls()[0]
"""The call with recordings and a transcript; 101 took it."""


async def _past(world: World, unit: UnitOfWork, now: float) -> None:
    calls = past_calls()
    await unit.calls.put(calls)
    for number, call in enumerate(calls):
        if call.disposition is Disposition.ANSWERED:
            await _case(unit, call, number)
    first = FIRST
    for side, hertz in (("citizen", 440.0), ("line", 330.0)):
        path = world.home / "recordings" / f"{first.call_id}-{side}.wav"
        tone(path, 3.0, hertz)
        await unit.recordings.put(
            RecordingFile(
                base=first.call_id, side=side, call_id=first.call_id, path=str(path), state="closed",
                bytes=path.stat().st_size, duration_s=3.0, started_at=first.arrived_at,
            )
        )  # fmt: skip
    words = {
        "citizen": (
            (0.4, "マイナンバーカードの受け取りの予約を変えたいのですが"),
            (1.9, "来週の水曜日でお願いします"),
        ),
        "line": ((0.1, "お電話ありがとうございます"), (1.2, "ご希望の日はございますか")),
    }
    for side, lines in words.items():
        await unit.transcripts.put(
            Transcript(
                call_id=first.call_id, side=side, text="".join(text for _, text in lines), engine="vosk", made_at=now,
                segments=[
                    {"start_s": at, "end_s": at + 0.7, "text": text, "confidence": 0.9 if at < 1.5 else 0.5}
                    for at, text in lines
                ],
            )
        )  # fmt: skip
    asked = {
        "side": "citizen",
        "start_s": 0.4,
        "text": "マイナンバーカードの受け取りの予約を変えたいのですが",
    }
    await unit.insights.put(
        CallInsight(
            call_id=first.call_id, made_at=now, method="rules-1",
            record={
                "summary": [asked], "questions": [asked],
                "complaint": {"complaint": False, "points": 0, "sentences": []},
                "tags": [{"tag": "booking", "name": "予約", "points": 3, "sentences": [asked]}],
            },
        )
    )  # fmt: skip


async def _case(unit: UnitOfWork, call: Call, number: int) -> None:
    case = open_case(
        CallSummary(
            call_id=call.call_id, caller=call.caller.number if call.caller else None, line=call.line, language="ja",
            menu_path=call.menu_path, operators=call.operators, started_at=call.segments[0].started_at,
            ended_at=call.ended_at or 0.0, recordings=call.recordings,
        ),
    )  # fmt: skip
    if number % 4 == 0:
        case = replace(
            case,
            status=CaseStatus.DONE,
            transcript=TranscriptState.READY,
            question="交付予約の日を変えたい。",
            answer="予約番号を確かめ、空いている日へ変更した。",
        )
    await unit.cases.add(case)


def present_calls() -> tuple[Call, Call, Call, Call]:
    """One with 101, two that wait, one in the menu."""
    now = BASE
    talking = answered_call(900, now - 150, "101", wait=21.0)
    talking = replace(
        talking, ended_at=None, disposition=None, ended_by=None,
        segments=(replace(talking.segments[0], started_at=now - 95, ended_at=None, wrap_up_s=None),),
        caller=Caller(CallerKind.NUMBER, "09012340004"),
    )  # fmt: skip
    waiting = a_call(901, now - 330, queue=QueueName("booking-ja"), caller=Caller(CallerKind.WITHHELD))
    second = a_call(902, now - 48, queue=QueueName("card-ja"), line="card")
    menu = a_call(903, now - 12, line=None, steps=())
    return talking, waiting, second, menu


def floor_word() -> dict[str, Any]:
    """The engine's word of that moment."""
    now = BASE
    _talking, waiting, second, _menu = present_calls()
    return {
        "at": now,
        "ami_connected": True,
        "seats": [
            seat("101", "talking", now - 95, calls=9, queue="booking-ja"),
            seat("102", "ready", now - 32, calls=8),
            seat("103", "paused:break1", now - 410, calls=6),
            seat("104", "wrapup", now - 14, calls=7, queue="card-ja"),
        ],
        "callers": [
            {"call": waiting.call_id, "demand": "booking-ja", "since": now - 320, "ringing_at": "102"},
            {
                "call": second.call_id,
                "demand": "card-ja",
                "since": now - 40,
                "ringing_at": None,
                "expected_s": 200,
            },
        ],
        "called_in": [],
        "callbacks": [],
    }


def an_alert(now: float, identity: str = "k3f9ab2q") -> Alert:
    return Alert(
        id=identity, kind=AlertKind.WAIT_LIMIT, subject="c-1", label="交付予約", text="5分20秒お待ちの方がいます。",
        since=now - 20, raised_at=now - 15, notified=1, notified_at=now - 15, cleared_at=None, acknowledged=None,
    )  # fmt: skip


def tickets(world: World, now: float) -> list[Ticket]:
    extension = world.profile.acd.directory[0].extension
    first = TicketStep(at=now - 4000, by="石川 健", state=TicketState.OPEN)
    last = world.profile.acd.directory[-1].extension
    return [
        Ticket(
            ticket_id="t-mine", kind=TicketKind.CALL_BACK, opened_at=now - 4000, due_at=now + 9000,
            department=extension,
            content="交付通知書が届かない。至急折り返してほしい。", person="山田 花子",
            number="0598211234", steps=(first,),
        ),
        Ticket(
            ticket_id="t-late", kind=TicketKind.COMPLAINT, opened_at=now - 90000, due_at=now - 3600,
            content="前回の案内が違っていたとのこと。", steps=(first,),
        ),
        Ticket(
            ticket_id="t-other", kind=TicketKind.WRONG_GUIDANCE, opened_at=now - 600, due_at=now + 9000,
            department=last, content="受け取りの時間を誤って案内した。",
            steps=(first,),
        ),
    ]  # fmt: skip
