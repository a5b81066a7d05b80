"""The settings that a home was last started with."""

from __future__ import annotations

import os

from core.errors import ToritsugiError
from core.settings import Settings, settings_from
from desk.settings import DeskSettings, desk_settings_from
from runtime.process import read_json

REMEMBERED = "settings.json"


def remembered_settings() -> Settings:
    """The settings of the environment, over those that this home was last started with.

    So `operator add` in another terminal speaks of the same ports and the same city as the running `up`.
    """
    home = settings_from().home
    return settings_from({**read_json(home / REMEMBERED), **os.environ})


def remembered_desk(settings: Settings) -> DeskSettings:
    """The desk's settings, in the same way."""
    return desk_settings_from(settings.http_port, {**read_json(settings.home / REMEMBERED), **os.environ})


def desk_origin(settings: Settings) -> str:
    """How browsers name the desk; empty when its settings cannot be read: a report is made all the same."""
    try:
        return remembered_desk(settings).origin
    except ToritsugiError:
        return ""
