"""The loop that looks whether something is wrong, and tells; beside it the parent's watch over the engine."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from acd.alert_inputs import (
    AlertInputs,
    AlertNames,
    FailedCallback,
    ReportDue,
    StepInForce,
    UrgentTicket,
    names_of,
)
from acd.alert_profile import AlertsSection
from acd.alert_readings import readings_of, unknown_kinds
from acd.alerts import AlertKind
from acd.profile import TargetsSection
from acd.repeat_callers import RepeatCaller, repeat_callers
from acd.view import FloorView
from core.clock import Clock
from core.emergency import read_emergency
from core.ids import OperatorId
from core.settings import Settings
from interactions.ticket import TicketState, overdue
from notify.log import LogNotifier
from notify.mail import MailNotifier
from notify.webhook import WebhookNotifier
from reports.answer_rates import rule_named
from runtime.alert_senses import AnswersSoFar, Restarts, SwitchSenses, refused_lately
from runtime.due_papers import undelivered
from runtime.process import beat_age, beat_path, run_folder, write_json
from runtime.warden import START_GRACE_S
from services.alerting import AlertKeeper, Channel, Notifier
from services.city import CityProfile
from services.ports import UnitOfWorkFactory
from telephony.ami.events import AmiEvent

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
NAMES_EVERY_S = 60.0
REFUSED_EVERY_S = 5.0
CALLBACKS_EVERY_S = 10.0
REPEAT_EVERY_S = 60.0
"""Reads the calls of an hour, in the loop that calls run in."""
REPORTS_EVERY_S = 600.0
COMPLAIN_EVERY_S = 60.0
WEBHOOK_SECRET = "alert-webhook"  # noqa: S105 - the file's name
SMTP_SECRET = "smtp"  # noqa: S105 - the file's name

FailedCallbacks = Callable[[float], Awaitable[Sequence[FailedCallback]]]
"""Callbacks given up since a moment."""


def notifiers(
    settings: Settings, profile: CityProfile, clock: Clock, secret: Callable[[str], str]
) -> list[Notifier]:
    """The log, and what the settings add.

    Args:
        secret: a secret of the instance by name, made when it is not there.
    """
    found: list[Notifier] = [LogNotifier()]
    if settings.mail_server is not None:
        path = settings.home / "secrets" / SMTP_SECRET
        found.append(
            MailNotifier(
                settings.mail_server,
                password=path.read_text(encoding="utf-8").strip() if path.exists() else "",
                sender=settings.alert_from,
                recipients=settings.alert_to,
                centre=profile.city.centre_ja,
            )
        )
    if settings.alert_webhook:
        found.append(
            WebhookNotifier(
                settings.alert_webhook,
                secret=secret(WEBHOOK_SECRET),
                city=profile.city.id,
                node=settings.node,
                clock=clock,
            )
        )
    return found


def keeper_for(
    profile: CityProfile,
    kinds: frozenset[AlertKind],
    *,
    reading: UnitOfWorkFactory,
    uow: UnitOfWorkFactory,
    clock: Clock,
    channels: Sequence[Channel],
    must_know: bool = True,
) -> AlertKeeper:
    """The book of these kinds by the city's rules."""
    targets = profile.acd.targets
    rules = profile.acd.alerts.rules(
        answer_rate=targets.answer_rate,
        wait_alert_s=targets.wait_alert_s,
        waiting_alert=targets.waiting_alert,
    )
    return AlertKeeper(
        rules=rules,
        kinds=kinds,
        reading=reading,
        uow=uow,
        clock=clock,
        channels=channels,
        must_know=must_know,
    )


DESKS_KINDS = frozenset({AlertKind.SIGN_IN})
ENGINES_KINDS = frozenset(AlertKind) - {AlertKind.ENGINE_SILENT} - DESKS_KINDS
PARENTS_KINDS = frozenset({AlertKind.ENGINE_SILENT})


async def _no_callbacks(_since: float) -> Sequence[FailedCallback]:
    return ()


@dataclass(slots=True, kw_only=True)
class Alerting:
    """The engine's part: everything but its own silence."""

    settings: Settings
    profile: CityProfile
    clock: Clock
    keeper: AlertKeeper
    reading: UnitOfWorkFactory
    senses: SwitchSenses
    answers: AnswersSoFar
    restarts: Restarts
    view: Callable[[], FloorView]
    switch_heard: Callable[[], bool]
    """Whether the switch can be heard now."""
    expected_wait_s: Callable[[], Mapping[str, float]] = dict
    """Whole wait by the estimate, by the caller's channel."""
    failed_callbacks: FailedCallbacks = _no_callbacks
    guard: Callable[[], Sequence[StepInForce]] = tuple
    """What the guard of waits holds or has just done."""
    relay: Callable[[], frozenset[OperatorId]] = frozenset
    """Whose call in hand comes through a relay service."""
    _lost_since: float | None = None
    _names: AlertNames | None = None
    _names_at: float = float("-inf")
    _refused: list[float] | None = None
    _refused_at: float = float("-inf")
    _failed: Sequence[FailedCallback] = ()
    _failed_at: float = float("-inf")
    _tickets: Sequence[UrgentTicket] = ()
    _repeat: Sequence[RepeatCaller] = ()
    _repeat_at: float = float("-inf")
    _reports: Sequence[ReportDue] = ()
    _reports_at: float = float("-inf")

    @classmethod
    def of(
        cls,
        settings: Settings,
        profile: CityProfile,
        clock: Clock,
        *,
        reading: UnitOfWorkFactory,
        uow: UnitOfWorkFactory,
        secret: Callable[[str], str],
        trunks: Sequence[str],
        view: Callable[[], FloorView],
        switch_heard: Callable[[], bool],
        **more: Any,
    ) -> Alerting:
        """All parts put together; `more`: `expected_wait_s`, `failed_callbacks`, `guard`, `relay`, where there are."""
        channels = [Channel(each, clock) for each in notifiers(settings, profile, clock, secret)]
        rule = rule_named(
            profile.reports.rule_on(clock.city_now().date()), profile.acd.targets.short_abandon_s
        )
        return cls(
            settings=settings,
            profile=profile,
            clock=clock,
            keeper=keeper_for(
                profile, ENGINES_KINDS, reading=reading, uow=uow, clock=clock, channels=channels
            ),
            reading=reading,
            senses=SwitchSenses(trunks),
            answers=AnswersSoFar(reading, clock, rule),
            restarts=Restarts(run_folder(settings) / "warden.json", clock.epoch()),
            view=view,
            switch_heard=switch_heard,
            **more,
        )

    def hear(self, event: AmiEvent) -> None:
        """One event of the switch (`FloorLoop.listeners`)."""
        self.senses.hear(event)

    async def run(self) -> None:
        """For ever; ends by cancellation."""
        acd = self.profile.acd
        await watch(
            self.keeper,
            self.inputs,
            acd.alerts,
            acd.targets,
            self.names,
            run_folder(self.settings) / "alerts.json",
        )

    async def names(self) -> AlertNames:
        """Names of people as they are in the database, some seconds ago."""
        if self._names is None or self.clock.epoch() - self._names_at >= NAMES_EVERY_S:
            async with self.reading() as unit:
                operators = {OperatorId(each.id): each.name for each in await unit.operators.list()}
            self._names = names_of(self.profile.acd, operators)
            self._names_at = self.clock.epoch()
        return self._names

    async def _again_and_again(self, at: float) -> Sequence[RepeatCaller]:
        """Numbers that have called often lately."""
        rules, is_relay = self.profile.acd.alerts.repeat, self.profile.acd.long_call.is_relay
        async with self.reading() as unit:
            calls = await unit.calls.between(at - 60.0 * rules.within_min, at + 1.0)
        return repeat_callers(
            (
                (call.caller.number, call.arrived_at)
                for call in calls
                if call.caller and call.caller.number and not call.relay and not is_relay(call.caller.number)
            ),
            least=rules.calls,
            exempt={number.replace("-", "") for number in rules.exempt},
        )

    async def _urgent(self, at: float, lead_s: float) -> Sequence[UrgentTicket]:
        """Requests whose deadline presses, and complaints that nobody has taken."""
        async with self.reading() as unit:
            tickets = await unit.tickets.open()
        names = {entry.extension: f"{entry.name_ja}への" for entry in self.profile.acd.directory}
        late = {ticket.ticket_id for ticket in overdue(tickets, at, lead_s)}
        return [
            UrgentTicket(
                ticket=ticket.ticket_id,
                kind=ticket.kind.label_ja,
                since=ticket.opened_at,
                late=ticket.ticket_id in late,
                department=names.get(ticket.department, ""),
            )
            for ticket in tickets
            if ticket.ticket_id in late or (ticket.kind.tells_at_once and ticket.state is TicketState.OPEN)
        ]

    async def inputs(self) -> AlertInputs:
        """The moment as it is now."""
        at = self.clock.epoch()
        heard = self.switch_heard()
        self._lost_since = None if heard else self._lost_since or at
        rules = self.profile.acd.alerts
        if at - self._refused_at >= REFUSED_EVERY_S:
            self._refused_at = at
            numbers = self.profile.numbers.service
            self._refused = await refused_lately(
                self.settings.sip_log, numbers, 60.0 * rules.trunk.within_min
            )
        if at - self._failed_at >= CALLBACKS_EVERY_S:
            self._failed_at = at
            self._failed = await self.failed_callbacks(at - 60.0 * rules.callback.again_after_min)
            self._tickets = await self._urgent(at, 60.0 * rules.ticket.lead_min)
        if at - self._repeat_at >= REPEAT_EVERY_S:
            self._repeat_at = at
            self._repeat = await self._again_and_again(at)
        if self.profile.acd.alerts.report_due.on and at - self._reports_at >= REPORTS_EVERY_S:
            self._reports_at = at
            today = self.clock.city_now().date()
            self._reports = await asyncio.to_thread(undelivered, self.profile, self.settings, today)
        closed = read_emergency(self.settings.home)
        return AlertInputs(
            at=at,
            open=self.profile.hours.state_at(self.clock.city_now(), closed).open,
            view=self.view() if heard else None,
            answers=await self.answers.now(),
            expected_wait_s=self.expected_wait_s() if heard else {},
            holds=self.senses.holds,
            missed=self.senses.missed,
            restarts=self.restarts.look(at),
            switch_lost_since=self._lost_since,
            unreachable_trunks=self.senses.unreachable,
            refused=self._refused,
            guard=self.guard() if heard else (),
            failed_callbacks=self._failed,
            tickets=self._tickets,
            reports_due=self._reports,
            repeat_callers=self._repeat,
            help_asked=self.senses.help_asked,
            relay=self.relay() if heard else frozenset(),
        )


async def watch(
    keeper: AlertKeeper,
    inputs: Callable[[], Awaitable[AlertInputs]],
    rules: AlertsSection,
    targets: TargetsSection,
    names: Callable[[], Awaitable[AlertNames]],
    state: Path,
) -> None:
    """Look every second and tell, for ever. What fails is logged and tried again; it ends nothing else."""
    async with asyncio.TaskGroup() as group:
        for channel in keeper.channels:
            group.create_task(channel.run(), name=f"alerts-{channel.notifier.name}")
        complained_at = float("-inf")
        while True:
            try:
                seen = await inputs()
                found = readings_of(seen, rules, targets, await names())
                await keeper.look(found, unknown_kinds(seen))
            except Exception:
                if time.monotonic() - complained_at >= COMPLAIN_EVERY_S:
                    complained_at = time.monotonic()
                    log.exception("alerts: this look failed; the next one comes")
            write_json(state, state_of(keeper))
            await asyncio.sleep(LOOK_EVERY_S)


def state_of(keeper: AlertKeeper) -> dict[str, Any]:
    """What `toritsugi status` shows: counts and channels, no names."""
    open_alerts = keeper.open
    return {
        "at": keeper.clock.epoch(),
        "open": len(open_alerts),
        "kinds": sorted({alert.kind.value for alert in open_alerts}),
        "unacknowledged": sum(alert.acknowledged is None for alert in open_alerts),
        "channels": {channel.notifier.name: channel.state.record() for channel in keeper.channels},
    }


@dataclass(slots=True)
class EngineWatch:
    """The parent's part: an engine that is silent for long cannot tell of it itself."""

    settings: Settings
    profile: CityProfile
    keeper: AlertKeeper
    _began: float = field(default_factory=time.time)
    _last_sign: float | None = None

    async def run(self) -> None:
        """For ever; ends by cancellation."""
        acd = self.profile.acd
        await watch(
            self.keeper,
            self._inputs,
            acd.alerts,
            acd.targets,
            self._names,
            run_folder(self.settings) / "alerts-parent.json",
        )

    async def _inputs(self) -> AlertInputs:
        now = time.time()
        age = beat_age(beat_path(self.settings, "engine"))
        # A file of an earlier run is no sign of this one.
        if age is not None and now - age >= self._began:
            self._last_sign = now - age
        # A starting engine may take a while; only then silence begins to count.
        last = self._began + START_GRACE_S if self._last_sign is None else self._last_sign
        return AlertInputs(at=now, open=False, view=None, engine_silent_s=max(0.0, now - last))

    async def _names(self) -> AlertNames:
        return names_of(self.profile.acd, {})
