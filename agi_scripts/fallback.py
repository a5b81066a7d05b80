"""The menu when the engine is dead: a process of its own for one call, started by Asterisk (`AGI()`).

The same session as in the engine, over the compiled plan; sentences that would have to be made on the spot are
replaced by fixed prompts. Whatever fails here, the dialplan sees that `TORITSUGI_DONE` is not set and queues the
caller by itself. Standard output belongs to Asterisk, words go to standard error.
"""

from __future__ import annotations

import logging
import signal
import sys
from pathlib import Path

from core.clock import clock_from_environment
from core.emergency import read_emergency, read_notice
from core.settings import Settings, settings_from
from ivr.compiled import load_plan
from ivr.ports import CallerGone
from ivr.session import Session, apply_result
from telephony.agi.process import ProcessAgiChannel, run_blocking

MAX_S = 900
"""Longest life of this process; the kernel ends it then and the dialplan goes on."""

log = logging.getLogger("fallback")


def plan_file(settings: Settings) -> Path:
    """Where the service leaves the compiled plan (`ivr.compiled.dump_plan`) at its start."""
    return settings.home / "ivr-plan.json"


class RecordedPrompts:
    """`ivr.session.PromptCatalogue` with nothing but files."""

    def __init__(self, settings: Settings) -> None:
        self._sounds, self._city = settings.sounds, settings.city

    def path(self, language: str, name: str) -> str:
        return str(self._sounds / language / self._city / name)

    async def dynamic(self, text: str, language: str) -> str | None:
        return None


async def lead(channel: ProcessAgiChannel, settings: Settings) -> None:
    """Lead this process's caller to an end.

    Raises:
        CallerGone: the caller hung up.
        OSError, ValueError, KeyError, ToritsugiError: the plan or a setting cannot be read.
    """
    plan = load_plan(plan_file(settings).read_text(encoding="utf-8"))
    session = Session(
        channel,
        plan,
        RecordedPrompts(settings),
        clock_from_environment(),
        lambda: read_emergency(settings.home),
        lambda: read_notice(settings.home),
    )
    await apply_result(channel, await session.run())


def main() -> int:
    """The process's exit code: 0 led to an end or hung up, 1 the dialplan must go on by itself."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="fallback: %(message)s")
    signal.alarm(MAX_S)
    try:
        channel = ProcessAgiChannel.of_this_process()
        run_blocking(lead(channel, settings_from()))
    except CallerGone:
        return 0
    except Exception:
        log.exception("the dialplan goes on by itself")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
