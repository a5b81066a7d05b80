"""`[acd]` of a profile: service lines, targets, pauses, the staff directory."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

from pydantic import Field, model_validator

from acd.alert_profile import AlertsSection
from acd.callback_profile import CallbackSection
from acd.demand import Demand, Stage
from acd.directory import deputies_in_a_circle
from acd.directory_profile import DirectoryEntry, ReferralSection
from acd.guard_profile import GuardSection
from acd.long_call_profile import LongCallSection
from acd.order import LoadRule
from acd.staffing.profile import StaffingSection
from core.ids import LineId, queue_name
from core.profile_file import Section, TelephoneNumber, Text

LineName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*$")]
Language = Annotated[str, Field(pattern=r"^[a-z]{2}$")]
Seconds = Annotated[int, Field(ge=0, le=7200)]
Share = Annotated[float, Field(ge=0, le=1)]
Level = Annotated[int, Field(ge=1, le=5)]
MOST_STAGES = 5


class SkillSection(Section):
    """A topic that not everybody of a line masters, such as certificates."""

    id: LineName
    name_ja: Text


class AskSection(Section):
    """Least levels from `after_s` seconds of waiting on. What is not named is no longer asked."""

    after_s: Seconds = 0
    least: Annotated[dict[str, Level], Field(min_length=1)]
    """Skill (line, topic or language code) to least level."""


class LineSection(Section):
    """One service line; with each of its languages it makes one queue, `<id>-<language>`."""

    id: LineName
    name_ja: Text
    name_en: Text
    languages: Annotated[tuple[Language, ...], Field(min_length=1)]
    """Languages with a queue of their own. A caller in another language joins the first one's."""
    extension: Annotated[str, Field(pattern=r"^[1-9]\d{2,3}$")] | None = None
    """What an operator of another line dials to hand a citizen over to this one."""
    priority: Annotated[int, Field(ge=0, le=20)] = 0
    """Initial priority of its callers among all queues; higher comes first."""
    ring_s: Annotated[int, Field(ge=5, le=120)]
    """How long one operator's telephone rings before the offer goes on."""
    wrap_up_s: Seconds
    """After-call time before the operator is offered the next call."""
    max_waiting: Annotated[int, Field(ge=1, le=200)]
    """Callers waiting in one queue before the next one hears `overflow_full`."""
    wait_limit_s: Annotated[int, Field(ge=10, le=7200)]
    """Wait after which the caller hears `overflow_wait`."""
    first_word_s: Annotated[int, Field(ge=1, le=600)] = 20
    """Wait after which the caller first hears the position."""
    word_every_s: Annotated[int, Field(ge=5, le=600)] = 45
    """From one word about the position to the next."""
    asks: tuple[AskSection, ...] = ()
    """What its callers ask of an operator, relaxed by their wait; without any, level 1 of the line itself."""

    @model_validator(mode="after")
    def _relaxes(self) -> LineSection:
        after = [ask.after_s for ask in self.asks]
        if self.asks and (after[0] != 0 or after != sorted(set(after)) or after[-1] >= self.wait_limit_s):
            raise ValueError(
                "asks の after_s は 0 から始まり、増えていき、wait_limit_s より小さくします|順に並べ直す"
            )
        if len(self.asks) > MOST_STAGES:
            raise ValueError(f"asks が多すぎます|{MOST_STAGES} 段までにする")
        for before, ask in pairwise(self.asks):
            if any(level > before.least.get(skill, 0) for skill, level in ask.least.items()):
                raise ValueError("asks の段が進むと条件が厳しくなっています|レベルを前の段以下にする")
        return self

    def demand(self, language: str) -> Demand:
        """What its callers in `language` ask for. The language itself is always asked."""
        asks = self.asks or (AskSection(least={self.id: 1}),)
        return Demand(
            line=LineId(self.id),
            language=language,
            priority=self.priority,
            wait_limit_s=float(self.wait_limit_s),
            stages=tuple(
                Stage(
                    queue=queue_name(self.id, language, place),
                    after_s=float(ask.after_s),
                    least={language: 1, **ask.least},
                )
                for place, ask in enumerate(asks, start=1)
            ),
        )


class TargetsSection(Section):
    """What the contract promises. None where the specification sets no figure."""

    answer_rate: Share | None = None
    """応答率: answered ÷ offered, 0 to 1."""
    short_abandon_s: Seconds = 0
    """Callers who give up within this many seconds are left out of the denominator; 0 leaves none out."""
    wait_alert_s: Annotated[int, Field(ge=1, le=7200)] | None = None
    """A caller who waits this long raises an alert."""
    waiting_alert: Annotated[int, Field(ge=1, le=200)] | None = None
    """More callers waiting than this raise an alert."""


class AcdSection(Section):
    """`[acd]`: who answers what, and what is promised."""

    seats: Annotated[int, Field(ge=1, le=200)]
    """Operators signed in at the busiest time."""
    max_calls: Annotated[int, Field(ge=1, le=500)] | None = None
    """Citizens connected or waiting at once that must be carried; None where the contract names no figure."""
    missed_offers_before_pause: Annotated[int, Field(ge=1, le=9)]
    """Offers missed in a row before the operator is paused."""
    supervision_notice: bool = False
    """Whether an operator hears that a supervisor listens, whispers or barges in."""
    transfer_ring_s: Annotated[int, Field(ge=5, le=120)] = 25
    """How long a department's telephone rings for a citizen who is handed on."""
    transfer_summary: bool = False
    """Whether a department hears who hands a citizen over, on which matter and from which number, before it talks."""
    return_ring_s: Annotated[int, Field(ge=5, le=60)] = 15
    """How long the operator's telephone rings for a citizen whom nobody took."""
    even_by: LoadRule = LoadRule.MINUTES
    """What is spread evenly over the operators, against the time they were available."""
    targets: TargetsSection
    alerts: AlertsSection = AlertsSection()
    long_call: LongCallSection = LongCallSection()
    pause_reasons: dict[Annotated[str, Field(pattern=r"^break[1-9]$")], Text]
    """`break1`…`break9` to what the operator and the board read."""
    skills: tuple[SkillSection, ...] = ()
    """Topics that `asks` of a line may name beside the lines and the languages."""
    lines: Annotated[tuple[LineSection, ...], Field(min_length=1)]
    directory: tuple[DirectoryEntry, ...] = ()
    referrals: tuple[ReferralSection, ...] = ()
    """What the centre does not answer, and who does."""
    handover_numbers: tuple[TelephoneNumber, ...] = ()
    """Outside numbers to which the city lets a referral connect (`hand_over`); no other is ever dialled for one."""
    callback: CallbackSection = CallbackSection()
    guard: GuardSection = GuardSection()
    """What is done before a caller waits too long; nothing where no step is written."""
    staffing: StaffingSection | None = None
    """Volumes to plan seats by; None where the specification names none."""

    @model_validator(mode="after")
    def _planned(self) -> AcdSection:
        for line in set(self.staffing.month_calls if self.staffing else ()) - {
            each.id for each in self.lines
        }:
            raise ValueError(f"staffing の month_calls にない回線です: {line}|lines の id を書く")
        return self

    @model_validator(mode="after")
    def _guarded(self) -> AcdSection:
        known = {line.id for line in self.lines}
        for step in self.guard.steps:
            for line in set(step.lines) - known:
                raise ValueError(
                    f"guard の lines にない回線です: {line}|次のどれか: {', '.join(sorted(known))}"
                )
            if step.within_s is not None and not (self.guard.limit_s or self.targets.wait_alert_s):
                raise ValueError("guard の within_s には上限が要ります|targets.wait_alert_s を書く")
        return self

    @model_validator(mode="after")
    def _unique(self) -> AcdSection:
        for what, ids in (
            ("回線の id", [line.id for line in self.lines]),
            (
                "内線番号",
                [
                    *(entry.extension for entry in self.directory),
                    *(line.extension for line in self.lines if line.extension),
                    *(referral.extension for referral in self.referrals if referral.extension),
                ],
            ),
            ("referrals の id", [referral.id for referral in self.referrals]),
            ("技能の id", [*(line.id for line in self.lines), *(skill.id for skill in self.skills)]),
        ):
            for item in ids:
                if ids.count(item) > 1:
                    raise ValueError(f"{what}が重なっています: {item}|一つずつ違うものにする")
        for name in sorted(set(self.callback.lines) - {line.id for line in self.lines}):
            raise ValueError(f"callback にない回線です: {name}|lines にある id を書く")
        known = self.skill_names()
        for line in self.lines:
            for skill in {skill for ask in line.asks for skill in ask.least} - known:
                raise ValueError(f"asks にない技能です: {skill}|次のどれか: {', '.join(sorted(known))}")
        return self

    @model_validator(mode="after")
    def _handing_over(self) -> AcdSection:
        extensions = {entry.extension for entry in self.directory}
        deputies = {entry.extension: entry.deputy for entry in self.directory if entry.deputy}
        for extension, deputy in deputies.items():
            if deputy not in extensions:
                raise ValueError(
                    f"{extension} の deputy にない内線番号です: {deputy}|"
                    f"directory にあるどれかを書く: {', '.join(sorted(extensions))}"
                )
        if circle := deputies_in_a_circle(deputies):
            raise ValueError(f"deputy が堂々めぐりです: {circle}|最後の転送先の deputy を消す")
        for referral in self.referrals:
            if referral.hand_over and referral.digits not in self.handover_numbers:
                raise ValueError(
                    f"市が転送を認めていない番号です: {referral.number}|"
                    "認められたら handover_numbers に書き足す。そうでなければ hand_over を消す"
                )
        return self

    def skill_names(self) -> frozenset[str]:
        """Everything an operator can have a level in: lines, topics, languages."""
        return frozenset(
            {line.id for line in self.lines}
            | {skill.id for skill in self.skills}
            | {language for line in self.lines for language in line.languages}
        )

    def demands(self) -> tuple[tuple[Demand, LineSection], ...]:
        """Every demand with its line, in the profile's order."""
        return tuple((line.demand(language), line) for line in self.lines for language in line.languages)
