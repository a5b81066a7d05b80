"""People who may sign in at a demonstration's desk: one a role, one password for all, made anew for each run."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace

from core.clock import Clock
from core.ids import OperatorId
from desk.secrets_kept import Passwords
from interactions.access import Role
from services.city import CityProfile
from services.desk_ports import User
from storage.database import Database

WITHOUT_SECOND_FACTOR: Mapping[str, str] = {"TORITSUGI_DESK_SECOND_FACTOR": "none"}
"""For the service of a demonstration: whoever tries it out has no authenticator app at hand."""


def show_in_browser(address: str) -> bool:
    """Open a page in the browser of whoever sits here; False when nobody does: output into a file, no display."""
    display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    opener = shutil.which("xdg-open")
    if not (display and opener and sys.stdout.isatty()):
        return False
    subprocess.Popen(
        [opener, address], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    return True


async def add_demo_users(database: Database, clock: Clock, profile: CityProfile) -> str:
    """Add them; the line that tells a person how to sign in."""
    password = secrets.token_urlsafe(9)
    hashed = await Passwords().hash(password)
    first = profile.demo.operators[0]
    directory = profile.acd.directory
    users = [
        User(name="kantoku", display="監督（デモ）", role=Role.SUPERVISOR, created_at=clock.epoch()),
        User(
            name="operator", display=first.name_ja, role=Role.OPERATOR, operator=OperatorId(first.id),
            created_at=clock.epoch(),
        ),
    ]  # fmt: skip
    if directory:
        users.append(
            User(
                name="shokuin", display=f"{directory[0].name_ja}（デモ）", role=Role.CITY_STAFF,
                department=directory[0].extension, created_at=clock.epoch(),
            )
        )  # fmt: skip
    async with database.uow() as unit:
        for user in users:
            await unit.users.put(replace(user, password_hash=hashed))
    names = "、".join(f"{user.name}（{user.role.label_ja}）" for user in users)
    return f"利用者は {names}、合言葉は {password} です（デモの間だけ）。"
