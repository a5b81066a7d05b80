"""What the use cases need from the world: the record on disk, and a place to keep things.

`storage` serves the unit of work, `telephony` the tails; both only by having these shapes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import StrEnum, unique
from typing import TYPE_CHECKING, Any, Protocol

from acd.alerts import Acknowledgement, Alert
from acd.callback import Callback
from acd.events import ExplainOffer
from core.ids import CallId, OperatorId
from interactions.ticket import Ticket
from ledger.calls import Call
from ledger.facts import Fact
from services.case_ports import CaseStore, OutboxStore
from services.desk_ports import SessionStore, TokenStore, UserStore
from services.faq_ports import FaqStore
from services.life_ports import ErasureStore, RetentionStore
from services.speech_ports import InsightStore, MuteStore, QualityStore

if TYPE_CHECKING:
    from services.audit import Head, Link


@dataclass(frozen=True, slots=True, kw_only=True)
class TailPosition:
    """How far one log of one node has been stored; `position` is the reader's own text."""

    node: str
    log: str
    """`cel` or `queue_log`."""
    position: str


class LogPosition(Protocol):
    def as_text(self) -> str: ...


class LogBatch(Protocol):
    """What a reader found; `lines` is 0 when there was nothing new."""

    @property
    def facts(self) -> Sequence[Fact]: ...
    @property
    def position(self) -> LogPosition | None: ...
    @property
    def lines(self) -> int: ...


class LogReader(Protocol):
    """One log that Asterisk writes, read from a saved position on."""

    @property
    def kind(self) -> str:
        """`cel` or `queue_log`."""
        ...

    def read(self, limit: int = 1000) -> LogBatch:
        """The next lines, at most `limit`. Does not wait for more."""
        ...

    def close(self) -> None: ...


class OpenLogs(Protocol):
    def __call__(self, saved: Mapping[str, str]) -> Sequence[LogReader]:
        """The readers of one node, CEL first; `saved` is the stored position by kind, absent when new."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorAccount:
    """Someone who may take calls. `sip_secret` never appears in a `repr`."""

    id: OperatorId
    name: str
    sip_secret: str = field(repr=False)
    """Asterisk needs the password itself (PJSIP `auth_type=userpass`)."""
    skills: Mapping[str, int] = field(default_factory=dict)
    """Level (1 to 5) by service line, e.g. `{"booking": 3}`; higher is better."""
    languages: tuple[str, ...] = ("ja",)
    active: bool = True
    group: str = ""
    """Stands by in this group of `[acd.guard]` until it is called in; empty for who always takes calls."""
    supervisor: bool = False
    """May listen, whisper, barge in and take over."""
    caps: Mapping[str, int] = field(default_factory=dict)
    """The most at once by channel, and `together` (`acd.channels.caps_of`); empty for one at a time."""
    in_hand: Mapping[str, int] = field(default_factory=dict)
    """What they serve now on channels other than the telephone, as told from outside."""
    browser: bool = False
    """Their telephone is a browser at the desk; otherwise a SIP telephone that has the password."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffPhone:
    """A telephone of a city office that registers here. `sip_secret` never appears in a `repr`."""

    endpoint: str
    """As the profile's directory names it."""
    sip_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """Who changed what. `detail` holds plain JSON values, such as the value before and after."""

    at: float
    actor: str
    """A person's or a command's name, or `engine`."""
    action: str
    """For example `operator.skills`."""
    subject: str
    """What was changed: an operator's number, a queue, a call."""
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrunkPeer:
    """Where calls may come from: an address or network, with credentials where the carrier wants them."""

    name: str
    match: str
    username: str = ""
    secret: str = field(default="", repr=False)
    contact: str = ""
    """SIP URI that calls may leave to (transfers to the city, call-backs); empty when none may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingFile:
    """One side of a recording on disk."""

    base: str
    side: str
    """`citizen` or `line`."""
    call_id: CallId
    path: str
    state: str = "open"
    """A `services.recordings.RecordingState`; `open` until Asterisk has closed the file."""
    bytes: int | None = None
    duration_s: float | None = None
    started_at: float | None = None


@unique
class JobState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    NO_MODEL = "no_model"
    """Waits until a model for the language is installed."""
    EMPTY = "empty"
    DAMAGED = "damaged"
    FAILED = "failed"

    @property
    def final(self) -> bool:
        return self in (JobState.DONE, JobState.EMPTY, JobState.DAMAGED, JobState.FAILED)

    @property
    def label_ja(self) -> str:
        return {
            "waiting": "待ち", "running": "作業中", "done": "済み", "no_model": "モデルなし", "empty": "音声なし",
            "damaged": "録音の破損", "failed": "失敗",
        }[self.value]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptJob:
    """One recording to transcribe, both sides."""

    call_id: CallId
    base: str
    language: str
    ranges: tuple[tuple[float, float | None], ...] = ()
    """Seconds from the start of the recording in which an operator was there; None runs to the end."""
    state: JobState = JobState.WAITING
    attempts: int = 0
    next_try_at: float = 0.0
    claimed_by: str = ""
    claimed_at: float | None = None
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """What was said on one side. `segments` are JSON values: `start_s`, `end_s`, `text`, `confidence`."""

    call_id: CallId
    side: str
    text: str
    segments: Sequence[Mapping[str, Any]]
    engine: str
    made_at: float


class FactStore(Protocol):
    async def add(self, facts: Collection[Fact]) -> None:
        """Store facts; those already there (same place on disk, same kind) stay as they are."""
        ...

    async def of_calls(self, calls: Collection[CallId]) -> list[Fact]: ...

    async def of_operators(self, operators: Collection[OperatorId], since: float, until: float) -> list[Fact]:
        """Pauses, unpauses and sign-outs of these operators."""
        ...

    async def presence(self, since: float, until: float) -> list[Fact]:
        """Every operator's sign-ins, sign-outs, pauses and unpauses in `[since, until)`."""
        ...

    async def restarts(self, since: float) -> list[Fact]: ...

    async def refused(self, since: float, until: float) -> list[Fact]:
        """`CallRefused` facts."""
        ...


class CallStore(Protocol):
    async def put(self, calls: Collection[Call]) -> None:
        """Insert or replace."""
        ...

    async def get(self, calls: Collection[CallId]) -> dict[CallId, Call]: ...

    async def between(self, since: float, until: float) -> list[Call]:
        """Calls that arrived in `[since, until)`, by arrival."""
        ...

    async def number(self, since: float, until: float) -> int:
        """How many calls arrived in `[since, until)`."""
        ...

    async def open_calls(self) -> list[Call]: ...

    async def span(self) -> tuple[float | None, float | None]:
        """When the first and the last call arrived; None without any."""
        ...

    async def latest_queued(self, limit: int) -> list[Call]:
        """The last calls that were in a queue and have ended, by arrival."""
        ...

    async def wrap_up_pending(self, since: float, settled_since: float, until: float) -> list[Call]:
        """Calls that arrived by `until` and may learn more about after-call work.

        Those whose operators are not known to be free again, open or ended after `since`, and those whose
        operators seemed free again only after `settled_since`.
        """
        ...


class TailStore(Protocol):
    async def positions(self) -> list[TailPosition]: ...

    async def save(self, positions: Collection[TailPosition]) -> None: ...

    async def forget(self, node: str, log: str) -> None:
        """The file of this position is deleted: begin with the oldest that is there."""
        ...


class RecordingStore(Protocol):
    async def put(self, recording: RecordingFile) -> None: ...

    async def of_call(self, call: CallId) -> list[RecordingFile]: ...

    async def between(self, since: float, until: float) -> list[RecordingFile]: ...

    async def known(self, bases: Collection[str]) -> set[str]:
        """Those of `bases` that have a row."""
        ...


class JobStore(Protocol):
    async def add(self, job: TranscriptJob) -> bool:
        """Store a new job; False when the call has one already (it stays as it is)."""
        ...

    async def claim(self, worker: str, now: float, stale_after_s: float) -> TranscriptJob | None:
        """The next job that is due, now running and this worker's; None when there is none.

        A job whose worker claimed it more than `stale_after_s` ago and never finished is due again.
        """
        ...

    async def finish(
        self, call: CallId, state: JobState, *, now: float, error: str = "", next_try_at: float | None = None
    ) -> None:
        """Set a job's outcome; WAITING with `next_try_at` is a retry."""
        ...

    async def put_back(self, call: CallId, due: float) -> None:
        """Undo a claim, as if it had not been: the job waits until `due`, and the try does not count."""
        ...

    async def get(self, call: CallId) -> TranscriptJob | None: ...

    async def states(self, calls: Collection[CallId]) -> dict[CallId, JobState]: ...

    async def counts(self) -> dict[JobState, int]: ...

    async def wake_no_model(self, languages: Collection[str]) -> int:
        """Make the jobs that wait for a model of these languages due again; how many there were."""
        ...

    async def release(self, node: str) -> int:
        """Make the running jobs of this node's workers (`<node>-…`) due again; how many there were.

        For the start of the node's only transcriber: whoever claimed them is dead.
        """
        ...


class TranscriptStore(Protocol):
    async def put(self, transcript: Transcript) -> None: ...

    async def of_call(self, call: CallId) -> list[Transcript]: ...


class OperatorStore(Protocol):
    async def put(self, operator: OperatorAccount) -> None: ...

    async def get(self, operator: OperatorId) -> OperatorAccount | None: ...

    async def list(self) -> list[OperatorAccount]: ...


class TrunkStore(Protocol):
    async def put(self, trunk: TrunkPeer) -> None: ...

    async def list(self) -> list[TrunkPeer]: ...


class StaffPhoneStore(Protocol):
    async def put(self, phone: StaffPhone) -> None: ...

    async def list(self) -> list[StaffPhone]: ...


class TicketStore(Protocol):
    """Requests to the city."""

    async def add(self, ticket: Ticket) -> bool:
        """Store a new one; False, and nothing changes, when it is there already."""
        ...

    async def put(self, ticket: Ticket) -> None: ...

    async def get(self, ticket_id: str) -> Ticket | None: ...

    async def open(self) -> list[Ticket]:
        """Those not at their end, by the moment they were opened."""
        ...

    async def between(self, since: float, until: float) -> list[Ticket]:
        """Those opened in `[since, until)`, in order."""
        ...


class OfferStore(Protocol):
    """Why each offer went to whom it went."""

    async def add(self, offers: Collection[ExplainOffer]) -> None: ...

    async def between(self, since: float, until: float) -> list[ExplainOffer]:
        """Offers made in `[since, until)`, in order."""
        ...

    async def of_call(self, call: CallId) -> list[ExplainOffer]: ...


class AuditStore(Protocol):
    """A chain (`services.audit`)."""

    async def add(self, entry: AuditEntry) -> None:
        """Store the entry as the next link when the unit of work ends."""
        ...

    async def between(self, since: float, until: float) -> list[AuditEntry]:
        """Entries of `[since, until)`, in order."""
        ...

    async def head(self) -> Head: ...

    async def links(self, after: int, limit: int) -> list[Link]:
        """At most `limit` links beyond number `after`, by number."""
        ...


class CallbackStore(Protocol):
    async def put(self, callback: Callback) -> None:
        """Insert or replace, known by the call it was booked in."""
        ...

    async def get(self, call: CallId) -> Callback | None: ...

    async def open(self) -> list[Callback]:
        """Those not at their end, by the caller's first entry."""
        ...

    async def with_number(self, numbers: Collection[str], since: float) -> list[Callback]:
        """Those booked at `since` or later for, or from, one of these numbers, in whatever state."""
        ...

    async def between(self, since: float, until: float) -> list[Callback]:
        """Those booked in `[since, until)`, by the caller's first entry."""
        ...

    async def forget(self, calls: Collection[CallId]) -> None:
        """Delete the call-backs of these calls: their numbers have had their time."""
        ...


class SettingStore(Protocol):
    async def get(self, key: str) -> str | None: ...

    async def put(self, key: str, value: str) -> None: ...


class AlertStore(Protocol):
    async def put(self, alerts: Collection[Alert]) -> None:
        """Insert or replace; an acknowledgement that is stored stays as it is."""
        ...

    async def open(self) -> list[Alert]:
        """Not cleared, by the moment they were raised."""
        ...

    async def known(self, since: float) -> list[Alert]:
        """Open ones, and those raised, told or cleared since a moment; by the moment they were raised."""
        ...

    async def between(self, since: float, until: float) -> list[Alert]:
        """Raised in `[since, until)`, by that moment."""
        ...

    async def acknowledge(self, identity: str, by: Acknowledgement) -> bool:
        """Store who takes care; False when the alert is unknown, cleared or acknowledged already."""
        ...

    async def acknowledged(self, identities: Collection[str]) -> dict[str, Acknowledgement]:
        """Which of these somebody takes care of."""
        ...


class UnitOfWork(Protocol):
    """One transaction: leaving the block commits, an exception undoes everything."""

    @property
    def facts(self) -> FactStore: ...
    @property
    def calls(self) -> CallStore: ...
    @property
    def tails(self) -> TailStore: ...
    @property
    def recordings(self) -> RecordingStore: ...
    @property
    def jobs(self) -> JobStore: ...
    @property
    def transcripts(self) -> TranscriptStore: ...
    @property
    def mutes(self) -> MuteStore: ...
    @property
    def insights(self) -> InsightStore: ...
    @property
    def quality(self) -> QualityStore: ...
    @property
    def cases(self) -> CaseStore: ...
    @property
    def operators(self) -> OperatorStore: ...
    @property
    def trunks(self) -> TrunkStore: ...
    @property
    def tickets(self) -> TicketStore: ...
    @property
    def staff_phones(self) -> StaffPhoneStore: ...
    @property
    def offers(self) -> OfferStore: ...
    @property
    def audit(self) -> AuditStore: ...
    @property
    def callbacks(self) -> CallbackStore: ...
    @property
    def settings(self) -> SettingStore: ...
    @property
    def alerts(self) -> AlertStore: ...
    @property
    def faq(self) -> FaqStore: ...
    @property
    def retention(self) -> RetentionStore: ...
    @property
    def outbox(self) -> OutboxStore: ...
    @property
    def erasures(self) -> ErasureStore: ...
    @property
    def users(self) -> UserStore: ...
    @property
    def sessions(self) -> SessionStore: ...
    @property
    def tokens(self) -> TokenStore: ...


class UnitOfWorkFactory(Protocol):
    def __call__(self) -> AbstractAsyncContextManager[UnitOfWork]: ...
