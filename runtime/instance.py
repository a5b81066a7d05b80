"""One instance made ready: profile, database, people, prompts and rendered configuration."""

from __future__ import annotations

import json
import logging
import os
import re
import secrets
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from acd.alert_inputs import FailedCallback
from acd.callback import CallbackState
from acd.command_rules import CentreFacts
from acd.commands import Command
from acd.events import ExplainOffer
from acd.floor import Floor
from acd.guard import Guard
from acd.guard_steps import GuardStep, guard_rules
from acd.outlook import Outlook
from acd.rules import FloorRules
from agi_scripts.fallback import plan_file
from asterisk_conf.embedded import EmbeddedAsterisk, prepare_folders
from asterisk_conf.from_city import operator_queues, paths_for, switch_for, write_scripts
from asterisk_conf.hold_music import write_hold_music
from asterisk_conf.lint import require_clean
from asterisk_conf.model import Operator, Paths, StaffPhone, Trunk
from asterisk_conf.render import render, write
from core.clock import CLOCK_VARIABLE, Clock, clock_from_environment
from core.emergency import read_emergency
from core.errors import ToritsugiError
from core.ids import OperatorId
from core.keys import COMMAND_VARIABLE, FILE_VARIABLE, key_source
from core.settings import PROJECT_ROOT, Settings
from desk.settings import VARIABLES as DESK_VARIABLES
from notify.event_post import EventPoster
from runtime.alerting import Alerting
from runtime.anchoring import KEY, Anchoring, anchor_path
from runtime.callback_booking import CallbackBooking
from runtime.callbacks import CallbackDesk
from runtime.centre_switches import note_by_telephone, throw
from runtime.commanding import CommandDesk
from runtime.engine import Engine, floor_rules
from runtime.floor_loop import FloorLoop
from runtime.guarding import GuardLoop, audit_entry
from runtime.housekeeping import Housekeeper
from runtime.install.asterisk import AsteriskPrefix, asterisk_command, ensure_asterisk
from runtime.long_calls import LongCalls
from runtime.office_hours import OfficeHours
from runtime.prompts import build_city_prompts, speaker
from runtime.recording_pause import RecordingPause
from runtime.records import Records
from runtime.remembered import REMEMBERED, remembered_settings
from runtime.sounds import PromptFiles
from runtime.supervision_notice import SupervisionNotice
from runtime.waiting_words import WaitingWords
from services.city import CityProfile, load_city
from services.event_sender import EventSender
from services.experience import REMEMBERED_CALLS, experience_of
from services.ports import AuditEntry, OperatorAccount, TrunkPeer
from storage.anchors import AnchorFile
from storage.database import Database
from telephony.ami.session import AmiSession

log = logging.getLogger(__name__)

CALLBACKS_LAST_S = 31 * 86400.0
"""No booking is kept open longer than this: seven opening days at most (`acd.callback_profile`)."""
OPERATORS_VERSION = "operators.version"
"""The setting that changes whenever an operator does; the running engine looks at it."""
CALLED_IN_BY_HAND = "guard.by_hand"
"""The setting with the groups that a person has called in, as JSON."""
LOOPBACK_TRUNK = TrunkPeer(name="trunk", match="127.0.0.1")
"""Without any trunk of its own an instance takes calls from this machine only."""


@dataclass(slots=True, kw_only=True)
class Instance:
    """What every command of one instance starts from."""

    settings: Settings
    profile: CityProfile
    clock: Clock
    database: Database

    @classmethod
    def open(cls, *, city: str | None = None) -> Instance:
        """From the environment.

        Raises:
            ToritsugiError: a setting, the profile or the database address cannot be read.
        """
        settings = remembered_settings()
        # Calls, numbers, voices and telephone passwords: nobody else on the machine may look.
        settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        return cls(
            settings=settings,
            profile=load_city(city or settings.city),
            clock=clock_from_environment(),
            database=Database(settings.database_url),
        )

    def secret(self, name: str) -> str:
        """A secret of this instance, made once and kept where only its owner can read it."""
        path = self.settings.home / "secrets" / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(secrets.token_urlsafe(24))
        return path.read_text(encoding="ascii")

    def anchoring(self) -> Anchoring:
        """What writes the anchors of the audit."""
        file = AnchorFile(anchor_path(self.settings.home))
        key = self.secret(KEY)
        return Anchoring(self.database, self.clock, file=file, node=self.settings.node, key=key)

    def event_sender(self) -> EventSender:
        """What tells other systems of cases and calls."""
        poster = EventPoster(lambda endpoint: self.secret(f"webhook-{endpoint}"), self.clock)
        endpoints = {each.id: each for each in self.profile.interactions.webhooks}
        return EventSender(self.database.uow, self.database.reading, self.clock, poster, endpoints)

    async def people(self) -> tuple[list[OperatorAccount], list[TrunkPeer]]:
        """Operators who may work, and where calls may come from."""
        async with self.database.reading() as unit:
            operators = [operator for operator in await unit.operators.list() if operator.active]
            trunks = await unit.trunks.list()
        return operators, trunks or [LOOPBACK_TRUNK]

    async def render(self, paths: Paths) -> None:
        """Write Asterisk's configuration for the operators and trunks of this moment."""
        operators, trunks = await self.people()
        async with self.database.reading() as unit:
            staff = await unit.staff_phones.list()
        switch = switch_for(
            self.settings,
            self.profile,
            operators=[
                Operator(
                    id=operator.id,
                    secret=operator.sip_secret,
                    queues=operator_queues(self.profile, operator.skills, operator.languages),
                    group=operator.group,
                    supervisor=operator.supervisor,
                    browser=operator.browser,
                )
                for operator in operators
            ],
            trunks=[Trunk(name=trunk.name, match=(trunk.match,), contact=trunk.contact) for trunk in trunks],
            staff=[StaffPhone(endpoint=phone.endpoint, secret=phone.sip_secret) for phone in staff],
            ami_secret=self.secret("ami"),
            paths=paths,
            clock=self.clock,
        )
        files = render(switch)
        require_clean(files)
        write(files, paths.etc)

    async def prepare(self, say: Callable[[str], None]) -> tuple[EmbeddedAsterisk, AsteriskPrefix]:
        """Everything on disk that a start needs; quick when it is there already."""
        prefix = ensure_asterisk(self.settings.tools)
        paths = paths_for(self.settings, modules=prefix.modules, data=prefix.data)
        prepare_folders(paths)
        await self.database.migrate()
        write_hold_music(paths.hold_music)
        build_city_prompts(self.settings, self.profile, say)
        self._write_fallback_plan()
        # A script knows the city by its id: a profile given as a path would not name its sounds.
        environment = carried_environment(self.settings) | {"TORITSUGI_CITY": self.profile.city.id}
        write_scripts(paths, python=Path(sys.executable), environment=environment)
        await self.render(paths)
        return EmbeddedAsterisk(asterisk_command(prefix), paths), prefix

    def _write_fallback_plan(self) -> None:
        """Menu and hours in the compact form that the fallback script reads without our heavier libraries."""
        path = plan_file(self.settings)
        partial = path.with_suffix(".new")
        partial.write_text(self.profile.compiled_plan(self.clock.city_now().date()), encoding="utf-8")
        partial.replace(path)

    async def _keep_offers(self, offers: Sequence[ExplainOffer]) -> None:
        async with self.database.uow() as unit:
            await unit.offers.add(offers)

    async def _read_rules(self, known: str) -> tuple[str, FloorRules | None]:
        """The floor's rules when the operators have changed since the version `known`."""
        async with self.database.reading() as unit:
            version = await unit.settings.get(OPERATORS_VERSION) or "0"
        if version == known:
            return version, None
        operators, _trunks = await self.people()
        return version, floor_rules(self.profile, operators)

    async def _failed_callbacks(self, since: float) -> Sequence[FailedCallback]:
        now = self.clock.epoch()
        lines = {demand.name: line.name_ja for demand, line in self.profile.acd.demands()}
        async with self.database.reading() as unit:
            booked = await unit.callbacks.between(now - CALLBACKS_LAST_S, now)
        return [
            FailedCallback(
                call=each.call, at=each.since, line=lines.get(each.demand, each.demand), tries=each.tries
            )
            for each in booked
            if each.state in (CallbackState.FAILED, CallbackState.EXPIRED) and each.since >= since
        ]

    async def _keep_steps(self, steps: Sequence[GuardStep]) -> None:
        async with self.database.uow() as unit:
            for step in steps:
                await unit.audit.add(audit_entry(step))

    async def _read_by_hand(self) -> frozenset[str]:
        async with self.database.reading() as unit:
            return frozenset(json.loads(await unit.settings.get(CALLED_IN_BY_HAND) or "[]"))

    async def _centre_facts(self) -> CentreFacts:
        async with self.database.reading() as unit:
            operators = [operator for operator in await unit.operators.list() if operator.active]
        acd = self.profile.acd
        return CentreFacts(
            departments=frozenset(entry.extension for entry in acd.directory),
            lines=frozenset(line.extension for line in acd.lines if line.extension),
            pauses=acd.pause_reasons,
            operators=frozenset(operator.id for operator in operators),
            supervisors=frozenset(operator.id for operator in operators if operator.supervisor),
        )

    async def _keep_audit(self, entry: AuditEntry) -> None:
        async with self.database.uow() as unit:
            await unit.audit.add(entry)

    async def _switch_centre(self, command: Command) -> None:
        throw(self.settings, self.profile, command)

    async def _change_skills(self, command: Command) -> None:
        # `people` imports this module.
        from runtime.people import change_skills

        await change_skills(
            self, command.operator or "", dict(command.skills), log.info, actor=command.asker.name
        )

    def _guard(self, rules: FloorRules) -> Guard:
        ladder = guard_rules(self.profile.acd, rules.groups)
        outlook = Outlook(demands=rules.demands, wrap_up_s=rules.wrap_up_s, limits_s=ladder.limits_s)
        return Guard(ladder, outlook)

    def asterisk(self) -> EmbeddedAsterisk:
        """The running Asterisk of this instance, to be asked on its console."""
        prefix = ensure_asterisk(self.settings.tools)
        paths = paths_for(self.settings, modules=prefix.modules, data=prefix.data)
        return EmbeddedAsterisk(asterisk_command(prefix), paths)

    async def engine(self) -> Engine:
        """The engine of this instance, not yet running."""
        operators, trunks = await self.people()
        ami = AmiSession(
            "127.0.0.1", self.settings.ami_port, "toritsugi", self.secret("ami"), clock=self.clock
        )
        rules = floor_rules(self.profile, operators)
        async with self.database.reading() as unit:
            floor = Floor(
                rules, experience_of(await unit.calls.latest_queued(REMEMBERED_CALLS), rules.wrap_up_s)
            )
        prompts = PromptFiles(
            self.settings.sounds, self.profile.city.id, speaker(self.settings, self.profile)
        )
        records = Records(self.settings, self.profile, self.database, self.clock)
        loop = FloorLoop(
            floor,
            ami,
            self.clock,
            tell=WaitingWords(ami=ami, prompts=prompts, profile=self.profile, waiting=floor.waiting),
            keep_offers=self._keep_offers,
            read_rules=self._read_rules,
        )
        desk = CallbackDesk(
            profile=self.profile,
            clock=self.clock,
            ami=ami,
            loop=loop,
            database=self.database,
            keeper=records.callbacks,
            emergency=lambda: read_emergency(self.settings.home),
        )
        booking = CallbackBooking(
            profile=self.profile,
            clock=self.clock,
            ami=ami,
            loop=loop,
            prompts=prompts,
            database=self.database,
            pending=lambda: desk.pending,
        )
        guard = GuardLoop(
            self._guard(rules),
            loop,
            ami,
            self.clock,
            groups=self.profile.acd.guard.groups,
            keep=self._keep_steps,
            read_by_hand=self._read_by_hand,
            offer_callback=(lambda offer: booking.offer(offer.caller))
            if self.profile.acd.callback.enabled
            else None,
        )
        commands = CommandDesk(
            ami=ami,
            clock=self.clock,
            facts=self._centre_facts,
            audit=self._keep_audit,
            centre=self._switch_centre,
            skills=self._change_skills,
        )
        loop.listeners.append(commands.hear)
        long_calls = LongCalls(
            rules=self.profile.acd.long_call,
            ami=ami,
            desk=commands,
            view=lambda: floor.view(self.clock.epoch()),
            connected=lambda: ami.connected,
        )
        alerting = Alerting.of(
            self.settings,
            self.profile,
            self.clock,
            reading=self.database.reading,
            uow=self.database.uow,
            secret=self.secret,
            trunks=[trunk.name for trunk in trunks],
            view=lambda: floor.view(self.clock.epoch()),
            switch_heard=lambda: ami.connected,
            expected_wait_s=lambda: guard.guard.expected_s,
            failed_callbacks=self._failed_callbacks,
            guard=guard.in_force,
            relay=lambda: long_calls.relay,
        )
        loop.listeners.append(alerting.hear)
        loop.listeners.append(RecordingPause(ami).hear)
        if self.profile.acd.supervision_notice:
            loop.listeners.append(SupervisionNotice(ami, prompts).hear)
        return Engine(
            settings=self.settings,
            profile=self.profile,
            clock=self.clock,
            ami=ami,
            prompts=prompts,
            loop=loop,
            guard=guard,
            callbacks=desk,
            booking=booking,
            sync_ledger=records.take_in,
            housekeeper=Housekeeper(
                self.settings, self.profile, self.database, self.clock, records, self.anchoring()
            ),
            alerting=alerting,
            offices=OfficeHours(ami=ami, profile=self.profile, clock=self.clock),
            commands=commands,
            long_calls=long_calls,
            note_by_telephone=lambda: note_by_telephone(self.settings, self.database.uow),
            anchoring=self.anchoring(),
            events=self.event_sender(),
        )


def remember(settings: Settings, city: str) -> None:
    """Keep what this home is started with, for its owner's eyes (a database address may hold a password)."""
    path = settings.home / REMEMBERED
    path.touch(mode=0o600)
    path.chmod(0o600)
    first, last = settings.rtp_range
    keys = key_source(settings.home)
    path.write_text(
        json.dumps(
            {
                "TORITSUGI_CITY": city,
                "TORITSUGI_SIP_HOST": settings.sip_host,
                "TORITSUGI_SIP_PORT": str(settings.sip_port),
                "TORITSUGI_HTTP_PORT": str(settings.http_port),
                "TORITSUGI_AMI_PORT": str(settings.ami_port),
                "TORITSUGI_AGI_PORT": str(settings.agi_port),
                "TORITSUGI_HEP_PORT": str(settings.hep_port),
                "TORITSUGI_WIRE_PORT": str(settings.wire_port),
                "TORITSUGI_RTP_RANGE": f"{first}-{last}",
                "TORITSUGI_DATABASE_URL": settings.database_url,
                "TORITSUGI_NODE": settings.node,
                "TORITSUGI_SMTP": settings.smtp_url,
                "TORITSUGI_ALERT_FROM": settings.alert_from,
                "TORITSUGI_ALERT_TO": ",".join(settings.alert_to),
                "TORITSUGI_ALERT_WEBHOOK": settings.alert_webhook,
                "TORITSUGI_PROVIDER": settings.provider_url,
                FILE_VARIABLE: str(keys.path),
                COMMAND_VARIABLE: keys.command,
                **{name: os.environ[name] for name in DESK_VARIABLES if name in os.environ},
            }
        ),
        encoding="utf-8",
    )


def carried_environment(settings: Settings) -> dict[str, str]:
    """What a program that Asterisk starts needs to find this instance again."""
    carried = {
        "TORITSUGI_HOME": str(settings.home),
        "TORITSUGI_TOOLS": str(settings.tools),
        "TORITSUGI_CITY": settings.city,
        "PYTHONPATH": str(PROJECT_ROOT),
    }
    if os.environ.get(CLOCK_VARIABLE):
        carried[CLOCK_VARIABLE] = os.environ[CLOCK_VARIABLE]
    for name, value in carried.items():
        if "'" in value or "\n" in value:
            raise ToritsugiError(f"引用符を含む値は使えません: {value!r}", where=name, cure="別の場所にする")
    return carried


def new_operator(
    profile: CityProfile,
    number: str,
    name: str,
    lines: dict[str, int],
    languages: tuple[str, ...],
    group: str = "",
) -> OperatorAccount:
    """A new account with a secret of its own.

    Raises:
        ToritsugiError: a skill, language or group that the city does not have, or a level outside 1–5.
    """
    known = profile.acd.skill_names()
    for line, level in lines.items():
        if line not in known:
            raise ToritsugiError(
                f"ない技能です: {line}", where="--skill", cure=f"次のどれか: {', '.join(sorted(known))}"
            )
        if not 1 <= level <= 5:
            raise ToritsugiError(f"レベルは 1 から 5 です: {level}", where="--skill", cure="例: booking=3")
    for language in languages:
        if language not in profile.ivr.languages:
            raise ToritsugiError(
                f"ない言語です: {language}",
                where="--language",
                cure=f"次のどれか: {', '.join(profile.ivr.languages)}",
            )
    groups = profile.acd.guard.groups
    if group and group not in groups:
        raise ToritsugiError(
            f"ない組です: {group}",
            where="--group",
            cure=f"次のどれか: {', '.join(sorted(groups))}"
            if groups
            else "プロファイルの [acd.guard] に groups を書く",
        )
    if not re.fullmatch(r"[0-9]{2,6}", number):
        raise ToritsugiError(f"番号は 2 から 6 桁の半角数字です: {number!r}", where="番号", cure="例: 101")
    return OperatorAccount(
        id=OperatorId(number),
        name=name,
        sip_secret=secrets.token_urlsafe(18),
        skills=lines,
        languages=languages,
        group=group,
    )
