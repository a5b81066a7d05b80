"""The switch's model from a city's profile, the operators and trunks of this instance, and its settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from acd.demand import queues_for, skills_of
from asterisk_conf.model import (
    DirectoryEntry,
    LineEntry,
    Operator,
    Paths,
    QueueModel,
    ReferralEntry,
    StaffPhone,
    Switch,
    Trunk,
)
from core.clock import Clock
from core.settings import PROJECT_ROOT, Settings
from services.city import CityProfile
from services.city_directory import lines_received, office_hours

FIRST_PENALTY = 10
"""Of whoever signs in, in every queue; the engine sets the order from then on."""


def paths_for(settings: Settings, *, modules: Path, data: Path) -> Paths:
    """Every folder under the instance's home; `modules` and `data` belong to the installed Asterisk."""
    base = settings.asterisk
    return Paths(
        etc=base / "etc",
        modules=modules,
        data=data,
        state=base / "state",
        log=base / "log",
        run=base / "run",
        sounds=settings.sounds,
        recordings=settings.recordings,
        hold_music=settings.home / "hold-music",
        fallback_script=base / "bin" / "fallback",
        recording_done=base / "bin" / "recording-done",
        centre_switch=base / "bin" / "centre-switch",
    )


def operator_queues(
    profile: CityProfile, skills: Mapping[str, int], languages: Iterable[str]
) -> tuple[tuple[str, int], ...]:
    """The queues an operator serves, each with the penalty of the first moment."""
    demands = [demand for demand, _line in profile.acd.demands()]
    return tuple((queue, FIRST_PENALTY) for queue in queues_for(demands, skills_of(skills, languages)))


def queue_models(profile: CityProfile, *, callbacks: bool = False) -> tuple[QueueModel, ...]:
    """Every queue: one for each stage of each demand. `callbacks`: whether there is a way out to call back."""
    return tuple(
        QueueModel(
            name=stage.queue,
            line=line.id,
            language=demand.language,
            ring_s=line.ring_s,
            until_s=int(stage.after_s + demand.step_s(place)),
            max_waiting=line.max_waiting,
            next=demand.stages[place + 1].queue if place + 1 < len(demand.stages) else "",
            later=tuple(each.queue for each in demand.stages[place + 1 :]),
            first=place == 0,
            priority=line.priority,
            keys=callbacks and profile.acd.callback.serves(line.id),
        )
        for demand, line in profile.acd.demands()
        for place, stage in enumerate(demand.stages)
    )


def line_entries(profile: CityProfile) -> tuple[LineEntry, ...]:
    """Lines that a citizen may be handed to, each with its queues by language."""
    entry_queues: dict[str, list[tuple[str, str]]] = {}
    for demand, line in profile.acd.demands():
        entry_queues.setdefault(line.id, []).append((demand.language, demand.name))
    return tuple(
        LineEntry(extension=line.extension, line=line.id, queues=tuple(entry_queues[line.id]))
        for line in profile.acd.lines
        if line.extension is not None
    )


def directory_entries(profile: CityProfile, clock: Clock) -> tuple[DirectoryEntry, ...]:
    """Whom a citizen may be handed to: the departments, then the offices that the city lets us connect to."""
    moments = office_hours(profile.acd, profile.hours, clock)
    departments = [
        DirectoryEntry(
            extension=entry.extension,
            number=_digits(entry.number) if entry.number else "",
            endpoint=entry.endpoint or "",
            hours=moments.get(entry.extension, ""),
            receives=lines_received(entry, profile.interactions),
            deputy=entry.deputy or "",
            direct=_digits(entry.direct) if entry.direct else "",
        )
        for entry in profile.acd.directory
    ]
    offices = [
        DirectoryEntry(extension=referral.extension, number=referral.digits)
        for referral in profile.acd.referrals
        if referral.extension and referral.hand_over
    ]
    return (*departments, *offices)


def switch_for(
    settings: Settings,
    profile: CityProfile,
    *,
    operators: Sequence[Operator],
    trunks: Sequence[Trunk],
    staff: Sequence[StaffPhone] = (),
    ami_secret: str,
    paths: Paths,
    clock: Clock,
) -> Switch:
    """The model that `asterisk_conf.render` turns into files.

    Raises:
        ToritsugiError: a name or number that the configuration cannot carry.
    """
    callbacks = profile.acd.callback.enabled and any(trunk.contact for trunk in trunks)
    queues = queue_models(profile, callbacks=callbacks)
    fallback = profile.ivr.fallback_line
    first_language = profile.ivr.languages[0]
    default = next(
        queue.name for queue in queues if queue.line == fallback and queue.language == first_language
    )
    return Switch(
        node=settings.node,
        city=profile.city.id,
        languages=tuple(profile.ivr.languages),
        numbers=tuple(_digits(number) for number in profile.numbers.service),
        contract_number=_digits(profile.numbers.outbound),
        test_numbers=tuple(_digits(number) for number in profile.numbers.test),
        trunks=tuple(trunks),
        operators=tuple(operators),
        queues=queues,
        default_queue=default,
        directory=directory_entries(profile, clock),
        referrals=tuple(
            ReferralEntry(extension=referral.extension, prompt=referral.prompt, number=referral.digits)
            for referral in profile.acd.referrals
            if referral.extension and not referral.hand_over
        ),
        staff=tuple(staff),
        lines=line_entries(profile),
        paths=paths,
        sip_host=settings.sip_host,
        sip_port=settings.sip_port,
        ami_port=settings.ami_port,
        ami_secret=ami_secret,
        agi_port=settings.agi_port,
        hep_port=settings.hep_port,
        wire_port=settings.wire_port,
        rtp_range=settings.rtp_range,
        staff_ring_s=profile.acd.transfer_ring_s,
        staff_summary=profile.acd.transfer_summary,
        back_ring_s=profile.acd.return_ring_s,
        callback_key=profile.acd.callback.key,
        max_calls=0,  # a figure a contract guarantees is a floor for us, not a ceiling for citizens
    )


def _digits(number: str) -> str:
    return "".join(ch for ch in number if ch.isdigit() or ch == "+")


def write_scripts(paths: Paths, *, python: Path, environment: Mapping[str, str]) -> None:
    """The programs that Asterisk starts by itself, each a line of shell with our interpreter.

    They must run when the engine is dead, so they carry their environment with them.
    """
    exports = "".join(f"export {name}='{value}'\n" for name, value in sorted(environment.items()))
    for target, script in (
        (paths.fallback_script, "fallback.py"),
        (paths.recording_done, "recording_done.py"),
        (paths.centre_switch, "centre_switch.py"),
    ):
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(
            f"#!/bin/sh\n{exports}exec '{python}' '{PROJECT_ROOT / 'agi_scripts' / script}' \"$@\"\n",
            encoding="utf-8",
        )
        target.chmod(0o755)
