"""A home that took part in the recorded story: calls, logs, recordings, papers. For tests of its life and end."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.ids import CallId
from core.settings import Settings, settings_from
from interactions.ticket import Ticket, TicketKind
from runtime.evidence import collect_evidence
from runtime.instance import Instance
from runtime.records import Records
from services.ports import Transcript
from speech.audio import write_telephone_wav

STORY = Path(__file__).parents[2] / "replay" / "telephony"
END = 1795228500.0
SERVED = CallId("c-n1-1795228422.49")
NUMBER = "09012345678"
SOUND = (np.sin(np.arange(16_000) / 5) * 9000).astype(np.int16)


def a_file(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    os.utime(path, (END, END))


async def used_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Fill `home`; the environment names it afterwards, so commands work on it."""
    monkeypatch.setenv("TORITSUGI_HOME", str(home))
    monkeypatch.delenv("TORITSUGI_KEYS", raising=False)
    settings = settings_from()
    log = settings.queue_log.parent
    a_file(settings.cel_log, (STORY / "cel.jsonl").read_text().replace("display=&", f"display={NUMBER}&", 1))
    a_file(settings.queue_log, (STORY / "queue_log.txt").read_text())
    a_file(log / "messages.log", f"[2026-11-21] NOTICE: '{NUMBER}' is slow\n")
    a_file(log / "security.log.0", f'AccountID="{NUMBER}"\n')
    a_file(log / "console.log", f"+81 90-1234-5678\n{NUMBER}\n")
    message = {"at": END - 60, "call_id": "abc@h", "method": "INVITE", "from_user": NUMBER}
    a_file(settings.sip_log, json.dumps(message) + "\n")
    a_file(settings.home / "availability" / "2026-10.jsonl", "{}")
    a_file(settings.reports / "shortfall-2026-10.html", f"<p>{SERVED} 090-1234-5678 の方にお詫びした</p>")
    a_file(settings.reports / "monthly-2026-10-01_2026-10-31" / "paper.html", "<p>090****5678</p>")
    for name in (
        "settings.json",
        "emergency.json",
        "ivr-plan.json",
        "run/live.json",
        "secrets/ami",
        "models/m",
    ):
        a_file(home / name, "{}")
    for name in ("asterisk/etc/a.conf", "asterisk/state/astdb.sqlite3", "sounds/a.wav", "hold-music/a.wav"):
        a_file(home / name, "")
    for side in ("citizen", "line"):
        path = settings.recordings / f"{SERVED}-{side}.wav"
        write_telephone_wav(path, SOUND)
        os.utime(path, (END, END))
    a_file(settings.recordings / f"{SERVED}.done", "")
    instance = Instance.open()
    await instance.database.migrate()
    records = Records(settings, instance.profile, instance.database, instance.clock)
    await records.take_in()
    from runtime.housekeeping import Housekeeper

    await Housekeeper(settings, instance.profile, instance.database, instance.clock, records).watch_once()
    async with instance.database.uow() as unit:
        case = await unit.cases.of_call(SERVED)
        assert case is not None
        await unit.cases.put(
            replace(case, question="住所が変わった", answer="０９０－１２３４－５６７８ に折り返した")
        )
        text = "090 1234 5678 です"
        await unit.transcripts.put(
            Transcript(call_id=SERVED, side="citizen", text=text, segments=[], engine="v", made_at=END)
        )
        await unit.tickets.add(
            Ticket(
                ticket_id="t-1", kind=TicketKind.CALL_BACK, opened_at=END, due_at=END, content="交付日",
                person="山田", number=NUMBER, call=SERVED,
            )
        )  # fmt: skip
    await instance.database.close()
    return settings


async def packed(target: Path) -> Path:
    """An evidence pack of the served call."""
    await collect_evidence(None, SERVED, target, "調査", lambda _line: None, lambda _line: None)
    return target
