"""What a demonstration is asked for, and made of it: the day's calls, who speaks, ports of its own."""

from __future__ import annotations

import os
import random
import socket
from dataclasses import dataclass
from pathlib import Path

from core.hours import at_minute
from core.settings import Settings
from demo.day import DayPlan, plan_day, shape_of
from ivr.flow import Flow, Tell, ToMenu
from runtime.process import free_port
from services.city import CityProfile
from speech.ports import Voice
from speech.synthesis import citizen_voices, operator_voices

RTP_PORTS = 400
KEYS = "1234567890"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the command line asked for."""

    city: str
    calls: int
    speed: float | None
    seed: int
    out: Path
    headless: bool
    kill_engine: int = 0
    opens: bool = True
    """Whether the board and the report may be opened in a browser."""


def _menu_leads(flow: Flow, keys: str) -> Tell | None:
    """The announcement that a sequence of keys leads to, None when it leads to a person."""
    menu = flow.menus[flow.start]
    for key in keys:
        target = menu.choices.get(key)
        if isinstance(target, ToMenu):
            menu = flow.menus[target.menu]
        elif isinstance(target, Tell):
            return target
    return None


def announcements(flow: Flow) -> list[Tell]:
    return [
        target for menu in flow.menus.values() for target in menu.choices.values() if isinstance(target, Tell)
    ]


def day_plan(profile: CityProfile, plan: Plan) -> DayPlan:
    """The day of the profile, with as many calls as asked for."""
    section = profile.demo
    hours = profile.hours.plan(section.date).intervals
    first_menu = profile.flow.menus[profile.flow.start]
    wrong = next(key for key in reversed(KEYS) if key not in first_menu.choices)
    shape = shape_of(
        section,
        opens=at_minute(section.date, hours[0].opens),
        closes=at_minute(section.date, hours[-1].closes),
        self_service_keys={i.keys for i in section.intents if _menu_leads(profile.flow, i.keys)},
        wrong_key=wrong,
        has_english="en" in profile.flow.language_keys.values(),
    )
    return plan_day(shape, plan.calls, plan.seed, speed=plan.speed)


def line_voice(name: str, language: str, role: str) -> Voice:
    """Who says a line: a topic keeps its citizen's voice, for the name up to the number of the line decides."""
    voices = citizen_voices(language) if role == "citizen" else operator_voices(language)
    return voices[sum(map(ord, name.rpartition("_")[0])) % len(voices)]


def own_ports(settings: Settings) -> dict[str, str]:
    """Ports for the demonstration: those the environment names, free ones for the rest."""
    names = (
        "TORITSUGI_SIP_PORT",
        "TORITSUGI_AMI_PORT",
        "TORITSUGI_AGI_PORT",
        "TORITSUGI_HEP_PORT",
        "TORITSUGI_WIRE_PORT",
        "TORITSUGI_HTTP_PORT",
    )
    chosen = {name: os.environ.get(name) or str(_port_for_both()) for name in names}
    rtp = os.environ.get("TORITSUGI_RTP_RANGE")
    if not rtp:
        first = random.SystemRandom().randrange(20000, 50000, RTP_PORTS)
        rtp = f"{first}-{first + RTP_PORTS - 1}"
    return {**chosen, "TORITSUGI_RTP_RANGE": rtp}


def _port_for_both() -> int:
    """A port free for UDP and TCP."""
    while True:
        port = free_port(socket.SOCK_DGRAM)
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
