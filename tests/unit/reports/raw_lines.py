"""A call centre's disk as Asterisk would write it: CEL and queue_log lines of made-up calls, for the real readers."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

from core.clock import TOKYO
from core.facts.dialplan import encode_payload
from ledger.facts import Fact, Source
from telephony.disk.cel import translate_cel
from telephony.disk.queue_log import translate_queue_log

NODE = "n1"
TRUNK = "PJSIP/trunk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One caller: what they do, all lengths in seconds."""

    number: int
    at: float
    how: str
    """`answered`, `abandoned`, `overflow_full`, `overflow_wait`, `callback`, `closed`, `menu`, `greeting`, `info`,
    `referred`, `test` or `cut`."""
    caller: str = "09012345678"
    line: str = "booking"
    menu_s: float = 12.25
    wait_s: float = 5.5
    talk_s: float = 180.75
    wrap_up_s: int | None = 20
    operator: str = "101"
    missed: tuple[str, ...] = ()
    """Operators whose telephone rang in vain before."""
    transfer: str = ""
    """`""`, `answered` or `in_vain`: to the directory's extension 701, at the end of the talk."""
    told: tuple[int, int] | None = None
    """Range of minutes that the caller is told one second after joining."""


@dataclass(slots=True)
class Disk:
    """Lines with their moments; written in order of time, as the switch does."""

    cel: list[tuple[float, str]] = field(default_factory=list)
    queue_log: list[tuple[float, str]] = field(default_factory=list)

    def event(
        self, at: float, name: str, uniqueid: str, channel: str, linked: str, account: str, **extra: object
    ) -> None:
        """One CEL line; `extra` as Asterisk writes it."""
        fields = {
            "eventtype": name, "eventtime": f"{at:.6f}", "userdeftype": name if name.startswith("TS_") else "",
            "num": "", "exten": "", "context": "", "channame": channel, "appname": "", "uniqueid": uniqueid,
            "linkedid": linked, "peer": "", "accountcode": account,
            "eventextra": json.dumps(extra) if extra else "",
        }  # fmt: skip
        self.cel.append((at, json.dumps(fields)))

    def row(self, at: float, caller: str, queue: str, member: str, event: str, *data: object) -> None:
        """One queue_log line; its second is cut off."""
        self.queue_log.append(
            (at, "|".join([str(int(round(at, 6))), caller, queue, member, event, *map(str, data)]))
        )

    def visit(self, visit: Visit) -> None:
        """Everything that one caller leaves behind."""
        _Writer(self, visit).write()

    def lines(self) -> tuple[list[str], list[str]]:
        """CEL and queue_log, in order of time."""
        return (
            [line for _, line in sorted(self.cel, key=lambda each: each[0])],
            [line for _, line in sorted(self.queue_log, key=lambda each: int(each[0]))],
        )

    def save(self, cel: Path, queue_log: Path) -> None:
        for path, lines in zip((cel, queue_log), self.lines(), strict=True):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    def facts(self) -> list[Fact]:
        """What the ledger's readers make of the lines."""
        found: list[Fact] = []
        for kind, translate, lines in zip(
            ("cel:1", "queue_log:1"), (translate_cel, translate_queue_log), self.lines(), strict=True
        ):
            for place, line in enumerate(lines):
                fact = translate(line, Source(node=NODE, file=kind, offset=place))
                if fact is not None:
                    found.append(fact)
        return found


class _Writer:
    def __init__(self, disk: Disk, visit: Visit) -> None:
        self.disk, self.v = disk, visit
        self.uniqueid = f"{NODE}-{int(round(visit.at, 6))}.{visit.number}"
        self.call = f"c-{self.uniqueid}"
        self.channel = f"{TRUNK}-{visit.number:08x}"
        self.queue = f"{visit.line}-ja"

    def user(self, at: float, name: str, **payload: str) -> None:
        self.disk.event(
            at, name, self.uniqueid, self.channel, self.uniqueid, self.call, extra=encode_payload(**payload)
        )

    def gone(self, at: float, by: str) -> None:
        self.disk.event(
            at, "HANGUP", self.uniqueid, self.channel, self.uniqueid, self.call,
            hangupcause=16, hangupsource=by, dialstatus="",
        )  # fmt: skip

    def write(self) -> None:
        v = self.v
        self.user(
            v.at, "TS_ARRIVED", call=self.call, sip=f"sip-{v.number}@h", to="0120000101", user=v.caller,
            display="", privacy="", diversion="", test="1" if v.how == "test" else "",
        )  # fmt: skip
        self.disk.event(v.at + 0.01, "ANSWER", self.uniqueid, self.channel, self.uniqueid, self.call)
        end = v.at + v.menu_s
        match v.how:
            case "closed":
                self.user(v.at + 0.5, "TS_CLOSED", reason="after_hours", next="")
                self.gone(end, self.channel)
            case "greeting":
                self.gone(end, self.channel)
            case "menu":
                self.user(v.at + 4.0, "TS_STEP", node="main", key="", result="silence")
                self.gone(end, self.channel)
            case "info":
                self.user(v.at + 4.0, "TS_STEP", node="main", key="6", result="choice")
                self.user(end - 0.5, "TS_SELF_SERVED", node="info_bring")
                self.gone(end, self.channel)
            case "referred":
                self.user(v.at + 4.0, "TS_STEP", node="main", key="7", result="choice")
                self.user(end - 0.5, "TS_REFERRED", node="refer_national", to="0120950178")
                self.gone(end, self.channel)
            case "cut":
                self.gone(end, "dialplan/builtin")
            case _:
                self.user(v.at + 4.0, "TS_STEP", node="main", key="1", result="choice")
                self.in_queue(end)

    def in_queue(self, joined: float) -> None:
        v = self.v
        self.user(joined, "TS_QUEUE", queue=self.queue, line=v.line, lang="ja")
        left = joined + v.wait_s
        if v.how == "overflow_full":
            self.user(joined + 0.125, "TS_QUEUE_EXIT", queue=self.queue, status="FULL")
            self.user(joined + 0.25, "TS_OVERFLOW", reason="full")
            self.gone(joined + 6.0, "dialplan/builtin")
            return
        self.disk.row(joined, self.uniqueid, self.queue, "NONE", "ENTERQUEUE", "", v.caller, 1)
        if v.told is not None:
            self.disk.event(
                joined + 1.0, "TS_WAIT_WORD", f"{self.uniqueid}9", "Local/s@whisper-1;2", self.uniqueid, "",
                extra=encode_payload(
                    call=self.call, position="1", least=str(v.told[0]), most=str(v.told[1])
                ),
            )  # fmt: skip
        for number, member in enumerate(v.missed):
            at = joined + v.wait_s * (number + 1) / (len(v.missed) + 2)
            self.disk.row(at, self.uniqueid, self.queue, f"op{member}", "RINGNOANSWER", 1000)
        match v.how:
            case "abandoned":
                self.disk.row(left, self.uniqueid, self.queue, "NONE", "ABANDON", 1, 1, int(v.wait_s))
                self.gone(left, self.channel)
            case "overflow_wait":
                self.disk.row(left, self.uniqueid, self.queue, "NONE", "EXITWITHTIMEOUT", 1, 1, int(v.wait_s))
                self.user(left, "TS_QUEUE_EXIT", queue=self.queue, status="TIMEOUT")
                self.user(left, "TS_OVERFLOW", reason="wait_limit")
                self.gone(left + 7.0, "dialplan/builtin")
            case "callback":
                self.disk.row(left, self.uniqueid, self.queue, "NONE", "EXITWITHKEY", 1, 1, 1, int(v.wait_s))
                self.user(left, "TS_QUEUE_EXIT", queue=self.queue, status="KEY")
                self.user(
                    left + 8.0,
                    "TS_CALLBACK",
                    to=v.caller,
                    queue=self.queue,
                    lang="ja",
                    entered=f"{joined:.6f}",
                )
                self.gone(left + 9.0, "dialplan/builtin")
            case _:
                self.served(left)

    def served(self, begun: float) -> None:
        v, disk = self.v, self.disk
        leg, channel = (
            f"{NODE}-{int(round(begun, 6))}.{v.number + 500000}",
            f"PJSIP/op{v.operator}-{v.number:08x}",
        )
        ended, bridge = begun + v.talk_s, {"bridge_id": f"b-{v.number}", "bridge_technology": "simple_bridge"}

        def mine(at: float, name: str, **extra: object) -> None:
            disk.event(at, name, leg, channel, self.uniqueid, "", **extra)

        mine(begun, "TS_CONNECT", extra=encode_payload(call=self.call, member=f"PJSIP/op{v.operator}"))
        mine(begun, "BRIDGE_ENTER", **bridge)
        disk.event(begun, "BRIDGE_ENTER", self.uniqueid, self.channel, self.uniqueid, self.call, **bridge)
        disk.row(begun, "NONE", "NONE", f"op{v.operator}", "PAUSEALL", "talking")
        disk.row(begun, self.uniqueid, self.queue, f"op{v.operator}", "CONNECT", int(v.wait_s), leg, 0)
        if v.transfer:
            result = "ANSWER" if v.transfer == "answered" else "NOANSWER"
            self.user(ended + 0.25, "TS_TRANSFER", to="701", label="市民課", result="")
            self.user(ended + 20.0, "TS_TRANSFER", to="701", label="市民課", result=result)
            if result == "ANSWER":
                self.staff(ended + 8.0, ended + 40.0)
        mine(ended, "BRIDGE_EXIT", **bridge)
        mine(ended, "HANGUP", hangupcause=16, hangupsource=self.channel, dialstatus="")
        event = "BLINDTRANSFER" if v.transfer else "COMPLETECALLER"
        data = (
            ("701", "transfer", int(v.wait_s), int(v.talk_s), 1)
            if v.transfer
            else (int(v.wait_s), int(v.talk_s), 1)
        )
        disk.row(ended, self.uniqueid, self.queue, f"op{v.operator}", event, *data)
        disk.row(ended, "NONE", "NONE", f"op{v.operator}", "PAUSEALL", "wrapup")
        if v.wrap_up_s is not None:
            disk.row(ended + v.wrap_up_s, "NONE", "NONE", f"op{v.operator}", "UNPAUSEALL", "")
        self.gone(ended + (45.0 if v.transfer else 0.0), self.channel)

    def staff(self, begun: float, ended: float) -> None:
        """Somebody of the directory talks with the caller."""
        leg, channel = f"{NODE}-{int(begun)}.{self.v.number + 700000}", f"PJSIP/desk-{self.v.number:08x}"
        bridge = {"bridge_id": f"s-{self.v.number}", "bridge_technology": "simple_bridge"}
        self.disk.event(
            begun, "TS_STAFF", leg, channel, self.uniqueid, "", extra=encode_payload(call=self.call, to="701")
        )
        for at, name in ((begun, "BRIDGE_ENTER"), (ended, "BRIDGE_EXIT")):
            self.disk.event(at, name, leg, channel, self.uniqueid, "", **bridge)
            self.disk.event(at, name, self.uniqueid, self.channel, self.uniqueid, self.call, **bridge)


# ---- a month -------------------------------------------------------------------------------------

MIX = (
    ("answered", 0.80), ("abandoned", 0.05), ("overflow_full", 0.01), ("overflow_wait", 0.01), ("callback", 0.02),
    ("menu", 0.03), ("greeting", 0.02), ("info", 0.03), ("referred", 0.02), ("cut", 0.002), ("test", 0.008),
)  # fmt: skip


def month_of_visits(
    days: Sequence[date], opens_min: int, closes_min: int, calls: int, lines: Sequence[str], seed: int
) -> list[Visit]:
    """A made-up month: mornings are busier, some callers come after hours.
    Each call has the operator who is free longest.

    The same seed gives the same month.
    """
    dice = random.Random(f"month {seed}")
    found: list[Visit] = []
    moments: list[float] = []
    for _ in range(calls):
        day = dice.choice(days)
        minute = dice.triangular(opens_min, closes_min, opens_min + (closes_min - opens_min) * 0.25)
        if dice.random() < 0.04:
            minute = closes_min + dice.uniform(5, 60)
        begin = datetime(day.year, day.month, day.day, tzinfo=TOKYO) + timedelta(minutes=minute)
        moments.append(round(begin.timestamp(), 3))
    free = {str(101 + number): 0.0 for number in range(6)}
    for number, at in enumerate(sorted(moments), start=1):
        local = datetime.fromtimestamp(at, TOKYO)
        late = 60 * local.hour + local.minute >= closes_min
        how = "closed" if late else dice.choices([name for name, _ in MIX], [share for _, share in MIX])[0]
        wait = round(min(900.0, dice.expovariate(1 / (60.0 if how == "abandoned" else 14.0)) + 1.5), 3)
        if how == "overflow_wait":
            wait = 600.0
        talk = round(min(1500.0, dice.lognormvariate(5.2, 0.5)), 3)
        operator = min(free, key=lambda each: (free[each], each))
        visit = Visit(
            number=number,
            at=at,
            how=how,
            caller="" if dice.random() < 0.06 else f"090{dice.randrange(10**7, 10**7 + calls * 3 // 4):08d}",
            line=dice.choices(lines, [5, 3, *[1] * (len(lines) - 2)])[0],
            menu_s=round(dice.uniform(6, 25), 3),
            wait_s=wait,
            talk_s=talk,
            wrap_up_s=dice.randrange(8, 60),
            operator=operator,
            missed=(dice.choice([each for each in free if each != operator]),)
            if dice.random() < 0.04
            else (),
            transfer=dice.choices(("", "answered", "in_vain"), (90, 7, 3))[0] if how == "answered" else "",
            told=(1, 3) if wait > 25 else None,
        )
        if how in ("answered", "test"):
            free[operator] = at + visit.menu_s + wait + talk + 90.0
        found.append(visit)
    return found


def disk_of(visits: Iterable[Visit]) -> Disk:
    disk = Disk()
    for visit in visits:
        disk.visit(visit)
    return disk
