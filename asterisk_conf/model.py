"""What the rendered configuration describes: one switch, for one city, on one node."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from acd.directory import deputies_in_a_circle
from core.errors import ToritsugiError

_ASCII_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_NUMBER = re.compile(r"\+?[0-9]{3,20}")
_SECRET = re.compile(r"[A-Za-z0-9._~-]{16,128}")


def _check(ok: bool, what: str, value: str, where: str) -> None:
    if not ok:
        raise ToritsugiError(f"{what}として使えません: {value!r}", where=where, cure="半角英数字で書く")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trunk:
    """A peer that may bring calls: the carrier's or the city's own gateway."""

    name: str
    match: tuple[str, ...]
    """IP addresses or networks; any other source is refused by PJSIP."""
    contact: str = ""
    """SIP URI for calls to the city's departments (transfers); empty when nothing may leave by this trunk."""

    def __post_init__(self) -> None:
        _check(bool(_ASCII_NAME.fullmatch(self.name)), "トランク名", self.name, "trunk")
        for address in self.match:
            _check(
                bool(re.fullmatch(r"[0-9a-fA-F:.]+(/[0-9]{1,3})?", address)), "アドレス", address, self.name
            )
        if self.contact:
            _check(
                bool(re.fullmatch(r"sips?:[A-Za-z0-9.:\[\]-]+", self.contact)),
                "SIP URI",
                self.contact,
                self.name,
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """A person with a SIP telephone. The queues and penalties are what a sign-in code adds."""

    id: str
    secret: str
    queues: tuple[tuple[str, int], ...]
    """Queue name and penalty of the first moment; the engine then sets the order."""
    supervisor: bool = False
    group: str = ""
    """Stands by in this group until the engine calls it in."""
    browser: bool = False
    """Their telephone is a browser at the desk (DTLS-SRTP, only through the desk); otherwise any SIP telephone."""

    def __post_init__(self) -> None:
        _check(bool(re.fullmatch(r"[0-9]{2,6}", self.id)), "オペレーター番号", self.id, "operator")
        _check(bool(_SECRET.fullmatch(self.secret)), "SIPの合言葉", "********", f"operator {self.id}")
        for queue, _penalty in self.queues:
            _check(bool(_ASCII_NAME.fullmatch(queue)), "待ち行列名", queue, f"operator {self.id}")
        if self.group:
            _check(bool(re.fullmatch(r"[a-z][a-z0-9]*", self.group)), "組", self.group, f"operator {self.id}")

    @property
    def endpoint(self) -> str:
        """PJSIP endpoint and queue member name. ASCII, because app_queue cuts names at 80 bytes."""
        return f"op{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueModel:
    """One queue per stage of a demand (line and language)."""

    name: str
    line: str
    language: str
    ring_s: int
    until_s: int
    """Wait since the first entry after which a caller moves to the next stage; in the last one the wait limit."""
    max_waiting: int
    """Callers of the demand, all stages together; 0 means no limit."""
    next: str = ""
    """Queue of the next stage; empty in the last one."""
    later: tuple[str, ...] = ()
    """Queues of all later stages."""
    first: bool = True
    """Whether callers enter the demand here."""
    priority: int = 0
    keys: bool = False
    """Whether its callers may press a key to be called back."""

    def __post_init__(self) -> None:
        _check(bool(_ASCII_NAME.fullmatch(self.name)), "待ち行列名", self.name, "queue")


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryEntry:
    """A city department that may receive a transfer. Literals only: nothing an operator dials leaves as dialled."""

    extension: str
    number: str
    """Dialled through the first trunk; empty when `endpoint` is given."""
    endpoint: str = ""
    hours: str = ""
    """Moments at which it takes calls (`acd.directory.open_moments`); empty for always."""
    receives: tuple[str, ...] = ()
    """Lines whose calls it takes; empty for all."""
    deputy: str = ""
    """Extension that is tried after it."""
    direct: str = ""
    """A number of the city that leads here without an operator."""

    def __post_init__(self) -> None:
        where = f"directory {self.extension}"
        _check(bool(re.fullmatch(r"[0-9]{2,6}", self.extension)), "内線番号", self.extension, "directory")
        for number in (self.number, self.direct):
            _check(not number or bool(_NUMBER.fullmatch(number)), "電話番号", number, where)
        _check(bool(re.fullmatch(r"([0-9]+-[0-9]+(&|$))*", self.hours)), "受付時間", self.hours, where)
        for line in self.receives:
            _check(bool(_ASCII_NAME.fullmatch(line)), "回線", line, where)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralEntry:
    """An office outside the contract: the citizen hears its number, and is never connected from here."""

    extension: str
    prompt: str
    number: str
    """For the record."""

    def __post_init__(self) -> None:
        where = f"referral {self.extension}"
        _check(bool(re.fullmatch(r"[0-9]{2,6}", self.extension)), "内線番号", self.extension, "referrals")
        _check(bool(_ASCII_NAME.fullmatch(self.prompt)), "案内", self.prompt, where)
        _check(bool(_NUMBER.fullmatch(self.number)), "電話番号", self.number, where)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineEntry:
    """A line that a citizen may be handed to, by an extension of its own."""

    extension: str
    line: str
    queues: tuple[tuple[str, str], ...]
    """Language and queue; the first is for whoever speaks none of them."""

    def __post_init__(self) -> None:
        _check(bool(re.fullmatch(r"[0-9]{2,6}", self.extension)), "内線番号", self.extension, "lines")

    @property
    def default(self) -> str:
        return self.queues[0][1]

    @property
    def others(self) -> tuple[tuple[str, str], ...]:
        return self.queues[1:]


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffPhone:
    """A telephone of a city office that registers here."""

    endpoint: str
    """As in `DirectoryEntry.endpoint`."""
    secret: str = field(repr=False)

    def __post_init__(self) -> None:
        _check(bool(re.fullmatch(r"[a-z][a-z0-9]*", self.endpoint)), "職員の電話機", self.endpoint, "staff")
        # An operator's name would open the short codes, a trunk's the city's numbers.
        _check(not re.match(r"op[0-9]", self.endpoint), "職員の電話機", self.endpoint, "staff")
        _check(bool(_SECRET.fullmatch(self.secret)), "合言葉", "********", f"staff {self.endpoint}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """Folders of the embedded Asterisk and of our own files."""

    etc: Path
    modules: Path
    data: Path
    state: Path
    log: Path
    run: Path
    sounds: Path
    recordings: Path
    hold_music: Path
    fallback_script: Path
    recording_done: Path
    centre_switch: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """Everything the configuration is made of."""

    node: str
    city: str
    languages: tuple[str, ...]
    numbers: tuple[str, ...]
    contract_number: str
    test_numbers: tuple[str, ...]
    trunks: tuple[Trunk, ...]
    operators: tuple[Operator, ...]
    queues: tuple[QueueModel, ...]
    default_queue: str
    directory: tuple[DirectoryEntry, ...]
    staff: tuple[StaffPhone, ...] = ()
    lines: tuple[LineEntry, ...] = ()
    referrals: tuple[ReferralEntry, ...] = ()
    paths: Paths
    sip_host: str
    sip_port: int
    ami_port: int
    ami_secret: str
    agi_port: int
    hep_port: int
    wire_port: int
    rtp_range: tuple[int, int]
    max_calls: int
    """Calls the trunk may bring at once; 0 means no limit."""
    staff_ring_s: int = 25
    """How long a department's telephone rings for a transfer."""
    staff_summary: bool = False
    """Whether a department hears what it is about before it gets the citizen."""
    back_ring_s: int = 15
    """How long the operator's rings for a citizen whom nobody took."""
    callback_key: str = "1"
    """What a waiting caller presses to be called back, in queues with `keys`."""

    def __post_init__(self) -> None:
        _check(bool(_ASCII_NAME.fullmatch(self.city)), "市の名前", self.city, "city")
        _check(bool(_SECRET.fullmatch(self.ami_secret)), "AMIの合言葉", "********", "ami_secret")
        for number in (*self.numbers, *self.test_numbers):
            _check(bool(_NUMBER.fullmatch(number)), "電話番号", number, "numbers")
        names = {queue.name for queue in self.queues}
        _check(bool(re.fullmatch(r"[0-9*#]", self.callback_key)), "キー", self.callback_key, "callback")
        _check(self.default_queue in names, "既定の待ち行列", self.default_queue, "default_queue")
        for operator in self.operators:
            for queue, _penalty in operator.queues:
                _check(queue in names, "待ち行列名", queue, f"operator {operator.id}")
        extensions = [
            *(entry.extension for entry in self.directory),
            *(line.extension for line in self.lines),
            *(referral.extension for referral in self.referrals),
        ]
        _unique(extensions, "内線番号")
        deputies = {entry.extension: entry.deputy for entry in self.directory if entry.deputy}
        for extension, deputy in deputies.items():
            _check(
                deputy in {entry.extension for entry in self.directory},
                "代わりの転送先",
                deputy,
                f"directory {extension}",
            )
        circle = deputies_in_a_circle(deputies)
        _check(circle is None, "代わりの転送先", circle or "", "directory")
        direct = [entry.direct for entry in self.directory if entry.direct]
        _unique([*self.numbers, *self.test_numbers, *direct], "電話番号")
        _unique([operator.id for operator in self.operators], "オペレーター番号")
        _unique(
            [*(trunk.name for trunk in self.trunks), *(phone.endpoint for phone in self.staff)],
            "電話機の名前",
        )

    @property
    def way_out(self) -> Trunk | None:
        """The trunk that calls leave by: the first with a contact; without any, the first."""
        return next((trunk for trunk in self.trunks if trunk.contact), next(iter(self.trunks), None))

    def queue(self, name: str) -> QueueModel:
        """The queue called `name`; `KeyError` when there is none."""
        return {queue.name: queue for queue in self.queues}[name]


def _unique(values: Sequence[str], what: str) -> None:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise ToritsugiError(f"{what}が重なっています: {value}", where=what, cure="一方を別の番号にする")
        seen.add(value)
