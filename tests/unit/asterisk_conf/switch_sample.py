"""A switch with fixed people, secrets and folders, for tests of the rendered configuration."""

from __future__ import annotations

from pathlib import Path

from asterisk_conf.from_city import operator_queues, paths_for, switch_for
from asterisk_conf.model import Operator, StaffPhone, Switch, Trunk
from core.clock import ManualClock
from core.settings import settings_from
from services.city import load_city

OPERATOR_SECRET = "operator-secret-0001"
STAFF_SECRET = "staff-secret-00000001"
MANAGER_SECRET = "manager-secret-000001"
MOMENT = 1735176600.0
"""2024-12-26 10:30 in Japan, a few days before a year's end."""


def sample_switch(city: str) -> Switch:
    """`city` with two operators, one at a browser and in Japanese only, and two trunks, one of which may dial out."""
    profile = load_city(city)
    settings = settings_from({"TORITSUGI_HOME": "/srv/toritsugi", "TORITSUGI_TOOLS": "/opt/toritsugi"})
    lines = {line.id: level for level, line in enumerate(profile.acd.lines, start=2)}
    operators = [
        Operator(id="101", secret=OPERATOR_SECRET, queues=operator_queues(profile, lines, ("ja", "en"))),
        Operator(
            id="102",
            secret=OPERATOR_SECRET[::-1],
            queues=operator_queues(profile, {profile.acd.lines[0].id: 5}, ("ja",)),
            browser=True,
        ),
    ]
    return switch_for(
        settings,
        profile,
        operators=operators,
        trunks=[
            Trunk(name="carrier", match=("192.0.2.10",), contact="sip:192.0.2.10:5060"),
            Trunk(name="cityhall", match=("198.51.100.0/28",)),
        ],
        staff=[StaffPhone(endpoint="cityoffice1", secret=STAFF_SECRET)],
        ami_secret=MANAGER_SECRET,
        paths=paths_for(settings, modules=Path("/opt/asterisk/modules"), data=Path("/opt/asterisk/data")),
        clock=ManualClock(MOMENT),
    )
