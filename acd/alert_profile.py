"""`[acd.alerts]` of a profile: when whom it may concern is told that something is wrong.

Every key has a default, so a profile names only what its city wants otherwise. The limits of the wait and of the
number of waiting callers are the contract's and stand in `[acd.targets]`.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from acd.alerts import AlertKind, AlertRule
from core.profile_file import Section

Seconds = Annotated[int, Field(ge=0, le=7200)]
Minutes = Annotated[int, Field(ge=1, le=1440)]
Pause = Annotated[float, Field(gt=0, le=1440)]
Count = Annotated[int, Field(ge=1, le=1000)]


class AlertSection(Section):
    """What every kind has."""

    on: bool = True
    raise_after_s: Seconds = 0
    """So long must it be bad without a break."""
    clear_after_s: Seconds = 30
    """So long must it be good without a break."""
    again_after_min: Pause = 10
    """Least time between two notices about the same thing."""
    remind: bool = True
    """Tell again while it lasts and nobody has acknowledged it."""
    most_per_day: Count = 20
    tell_end: bool = True
    """Whether it is told that it is over."""

    def rule(self, raise_at: float, clear_at: float) -> AlertRule:
        return AlertRule(
            raise_at=raise_at,
            clear_at=clear_at,
            raise_after_s=self.raise_after_s,
            clear_after_s=self.clear_after_s,
            again_after_s=60.0 * self.again_after_min,
            remind=self.remind,
            most_per_day=self.most_per_day,
            tell_end=self.tell_end,
        )


class AnswerRateAlert(AlertSection):
    """応答率 under the target; why these figures: docs/algorithms/alerts.md."""

    raise_after_s: Seconds = 60
    clear_after_s: Seconds = 300
    again_after_min: Pause = 120
    most_per_day: Count = 6
    day_calls: Count = 10
    """Offered calls of the day before it is judged."""
    month_calls: Count = 100
    """Offered calls of the month before it is judged."""
    margin: Annotated[float, Field(ge=0, le=0.2)] = 0.01
    """So far above the target it must be before all is well again."""


class WaitLimitAlert(AlertSection):
    """A caller has waited `targets.wait_alert_s`."""


class WaitRiskAlert(AlertSection):
    """A caller will wait `targets.wait_alert_s`, by the estimate."""

    raise_after_s: Seconds = 5
    remind: bool = False


class WaitingAlert(AlertSection):
    """More callers wait than `targets.waiting_alert`."""

    raise_after_s: Seconds = 3


class LongCallAlert(AlertSection):
    clear_after_s: Seconds = 0
    again_after_min: Pause = 15
    limit_s: Annotated[int, Field(ge=60, le=14400)] = 1200
    """Length of one talk."""


class LongHoldAlert(AlertSection):
    clear_after_s: Seconds = 0
    again_after_min: Pause = 3
    limit_s: Annotated[int, Field(ge=10, le=7200)] = 180
    """Length of one hold: the citizen hears music and nobody."""


class MissedOffersAlert(AlertSection):
    clear_after_s: Seconds = 0
    offers: Annotated[int, Field(ge=1, le=20)] = 3
    """Missed since the last call taken; being held back for missed offers counts as well."""
    within_min: Minutes = 30


class NobodyAlert(AlertSection):
    raise_after_s: Seconds = 60
    clear_after_s: Seconds = 5
    each_line: bool = True
    """Also when one line alone is without anybody."""


class EngineAlert(AlertSection):
    raise_after_s: Seconds = 5
    within_min: Minutes = 10
    """So long a restart is news."""


class EngineSilentAlert(AlertSection):
    limit_s: Annotated[int, Field(ge=5, le=600)] = 15
    """Without a sign of life; the parent starts the engine again long before."""


class TrunkAlert(AlertSection):
    raise_after_s: Seconds = 5
    again_after_min: Pause = 30
    refused: Count = 3
    """Calls to the city's own numbers turned away."""
    within_min: Minutes = 10


class CallbackAlert(AlertSection):
    clear_after_s: Seconds = 0
    remind: bool = False
    most_per_day: Count = 50
    tell_end: bool = False


class HelpAlert(AlertSection):
    """An operator has raised a hand; open for `lasts_s` after it."""

    lasts_s: Seconds = 60
    clear_after_s: Seconds = 0
    again_after_min: Pause = 1
    remind: bool = False
    most_per_day: Count = 200
    tell_end: bool = False


class SignInAlert(AlertSection):
    """The tries of a name or an address at the desk are used up; open for as long as it is shut out."""

    clear_after_s: Seconds = 0
    again_after_min: Pause = 15
    remind: bool = False
    most_per_day: Count = 50
    tell_end: bool = False


class TicketAlert(AlertSection):
    lead_min: Minutes = 120
    """So long before its deadline the city is reminded of a request."""
    clear_after_s: Seconds = 0
    again_after_min: Pause = 240
    most_per_day: Count = 100
    tell_end: bool = False


class ReportDueAlert(AlertSection):
    """A paper for the city (`[[reports.papers]]`) is due; told from `lead_days` before on, once a day."""

    lead_days: Annotated[int, Field(ge=0, le=60)] = 3
    late_days: Annotated[int, Field(ge=0, le=60)] = 7
    """So long after its day it is still asked for."""
    daily: bool = False
    """Whether the papers of single days are asked for as well."""
    clear_after_s: Seconds = 0
    again_after_min: Pause = 1440
    most_per_day: Count = 20
    tell_end: bool = False


class RepeatAlert(AlertSection):
    """One number calls again and again (カスハラ対策)."""

    calls: Count = 5
    within_min: Minutes = 60
    exempt: tuple[Annotated[str, Field(pattern=r"^0[0-9-]{8,12}$")], ...] = ()
    """Numbers that many people call from, such as a relay service (電話リレーサービス)."""
    clear_after_s: Seconds = 0
    again_after_min: Pause = 60
    remind: bool = False
    tell_end: bool = False


class GuardAlert(AlertSection):
    """The guard of waits (`[acd.guard]`) has taken a step."""

    clear_after_s: Seconds = 10
    again_after_min: Pause = 5
    remind: bool = False
    most_per_day: Count = 50


class AlertsSection(Section):
    """`[acd.alerts]`: one table a kind."""

    answer_rate: AnswerRateAlert = AnswerRateAlert()
    wait_limit: WaitLimitAlert = WaitLimitAlert()
    wait_risk: WaitRiskAlert = WaitRiskAlert()
    waiting: WaitingAlert = WaitingAlert()
    long_call: LongCallAlert = LongCallAlert()
    long_hold: LongHoldAlert = LongHoldAlert()
    missed_offers: MissedOffersAlert = MissedOffersAlert()
    nobody: NobodyAlert = NobodyAlert()
    engine: EngineAlert = EngineAlert()
    engine_silent: EngineSilentAlert = EngineSilentAlert()
    trunk: TrunkAlert = TrunkAlert()
    guard: GuardAlert = GuardAlert()
    help: HelpAlert = HelpAlert()
    ticket: TicketAlert = TicketAlert()
    report_due: ReportDueAlert = ReportDueAlert()
    repeat: RepeatAlert = RepeatAlert()
    callback: CallbackAlert = CallbackAlert()
    sign_in: SignInAlert = SignInAlert()

    def rules(
        self, *, answer_rate: float | None, wait_alert_s: float | None, waiting_alert: int | None
    ) -> dict[AlertKind, AlertRule]:
        """The rule of every kind that is on; the arguments are the contract's targets (`[acd.targets]`)."""
        rules = {
            AlertKind.LONG_CALL: self.long_call.rule(self.long_call.limit_s, self.long_call.limit_s / 2),
            AlertKind.LONG_HOLD: self.long_hold.rule(self.long_hold.limit_s, self.long_hold.limit_s / 2),
            AlertKind.MISSED_OFFERS: self.missed_offers.rule(
                self.missed_offers.offers, self.missed_offers.offers - 1
            ),
            AlertKind.NOBODY: self.nobody.rule(1, 0),
            AlertKind.ENGINE: self.engine.rule(1, 0),
            AlertKind.ENGINE_SILENT: self.engine_silent.rule(self.engine_silent.limit_s, 3.0),
            AlertKind.TRUNK: self.trunk.rule(self.trunk.refused, 0),
            AlertKind.GUARD: self.guard.rule(1, 0),
            AlertKind.HELP: self.help.rule(1, 0),
            AlertKind.TICKET: self.ticket.rule(1, 0),
            AlertKind.REPORT_DUE: self.report_due.rule(1, 0),
            AlertKind.REPEAT: self.repeat.rule(self.repeat.calls, 0),
            AlertKind.CALLBACK: self.callback.rule(1, 0),
            AlertKind.SIGN_IN: self.sign_in.rule(1, 0),
        }
        if answer_rate is not None:
            rules[AlertKind.ANSWER_RATE] = self.answer_rate.rule(1, -1)
        if wait_alert_s is not None:
            rules[AlertKind.WAIT_LIMIT] = self.wait_limit.rule(wait_alert_s, 0.8 * wait_alert_s)
            rules[AlertKind.WAIT_RISK] = self.wait_risk.rule(wait_alert_s, 0.8 * wait_alert_s)
        if waiting_alert is not None:
            rules[AlertKind.WAITING] = self.waiting.rule(waiting_alert + 1, waiting_alert - 0.5)
        return {kind: rule for kind, rule in rules.items() if getattr(self, kind.value).on}
