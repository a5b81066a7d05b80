"""`centre_switch.py ACT NUMBER`: a supervisor closes or opens the centre by telephone (dialplans/97-centre.conf).

A process of its own, so that it works while the engine is dead. Only when the file is written is `TORITSUGI_DONE` set.
"""

from __future__ import annotations

import logging
import re
import signal
import sys
from pathlib import Path

from core.clock import clock_from_environment
from core.emergency import (
    SwitchedByTelephone,
    clear_emergency,
    clear_notice,
    journal,
    write_emergency,
    write_notice,
)
from core.facts.dialplan import Variable
from core.hours import Emergency
from core.settings import settings_from
from ivr.ports import CallerGone
from telephony.agi.process import ProcessAgiChannel, run_blocking

STEP = "switch"
MAX_S = 30
log = logging.getLogger("centre_switch")


def switch(home: Path, act: str, by: str) -> None:
    """Do it, with the city's own standing messages.

    Raises:
        ValueError: an unknown act, or no supervisor's number.
        OSError: it cannot be written.
    """
    if not re.fullmatch(r"[0-9]{2,6}", by):
        raise ValueError(f"no number: {by!r}")
    reason = f"監督者 {by} の電話から"
    match act:
        case "close":
            write_emergency(home, Emergency(message="emergency_closed", until=None, reason=reason))
        case "reopen":
            clear_emergency(home)
        case "notice":
            write_notice(home, Emergency(message="notice_emergency", until=None, reason=reason))
        case "notice_over":
            clear_notice(home)
        case _:
            raise ValueError(f"unknown: {act!r}")


def main(arguments: list[str]) -> int:
    """The process's exit code: 0 done, 1 not done."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="centre_switch: %(message)s")
    signal.alarm(MAX_S)
    try:
        act, by = arguments
        channel = ProcessAgiChannel.of_this_process()
        home = settings_from().home
        switch(home, act, by)
        run_blocking(channel.set_variable(Variable.DONE, STEP))
        journal(home, SwitchedByTelephone(at=clock_from_environment().epoch(), act=act, by=by))
    except CallerGone:
        return 1
    except Exception:
        log.exception("the centre is as it was")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
