"""The settings that a home was last started with."""

from __future__ import annotations

import os

from core.settings import Settings, settings_from
from runtime.process import read_json

REMEMBERED = "settings.json"


def remembered_settings() -> Settings:
    """The settings of the environment, over those that this home was last started with.

    So `operator add` in another terminal speaks of the same ports and the same city as the running `up`.
    """
    home = settings_from().home
    return settings_from({**read_json(home / REMEMBERED), **os.environ})
