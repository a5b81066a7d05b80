"""The modules that the stories and the recount share, importable outside pytest too."""

from __future__ import annotations

import sys

from core.settings import PROJECT_ROOT

FOLDERS = ("tests/unit/reports", "tests/pbx", "tests/desk")
"""As under `pythonpath` in pyproject.toml, and the desk's."""


def make_importable() -> None:
    """Once is enough; again does no harm."""
    sys.path[:0] = [str(PROJECT_ROOT / each) for each in FOLDERS if str(PROJECT_ROOT / each) not in sys.path]
