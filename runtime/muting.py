"""`recordings mute | scan | show`: secrets out of the sound of recordings, and the proof."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from core.errors import ToritsugiError
from core.ids import CallId
from ledger.calls import Call
from runtime.instance import Instance
from runtime.transcribing import model_folders, muter_of
from services.muting import HOUR_S
from services.recordings import call_of, started_at
from services.speech_ports import MuteState, RecordingMute
from speech.dictionary import vocabulary
from speech.worker import ChildTranscriber

EVERY = 10
"""Progress is told after so many recordings."""


async def mute_recordings(city: str | None, out: Callable[[str], None], say: Callable[[str], None]) -> int:
    """Mute what is due; the exit status: 1 when something stays audible after its time or was never heard."""
    instance = Instance.open(city=city)
    await instance.database.migrate()
    try:
        muter = muter_of(instance.settings, instance.database, instance.profile.speech)
        done = await muter.mute_due(lambda number, of: _tell(say, "無音化", number, of))
        now = muter.clock.epoch()
        async with instance.database.reading() as unit:
            counts = await unit.mutes.counts(now)
            unheard = await unit.mutes.unheard(now - muter.rules.within_hours * HOUR_S)
    finally:
        await instance.database.close()
    out(json.dumps({"done": dict(done), "recordings": counts, "unheard": unheard}, ensure_ascii=False))
    if unheard:
        say(
            f"期限を過ぎて、まだ聞かれていない録音が {len(unheard)} 件あります (番号が残っているかもしれません)。"
        )
    if counts["overdue"] or counts.get(MuteState.LEFT.value):
        say("無音にできていない録音があります。toritsugi recordings scan で確かめ、人が聞いてください。")
    return int(bool(counts["overdue"] or counts.get(MuteState.LEFT.value) or unheard))


async def scan_recordings(
    city: str | None, everything: bool, out: Callable[[str], None], say: Callable[[str], None]
) -> int:
    """Transcribe muted recordings again, one JSON line each; the exit status: 1 when a secret is left somewhere.

    Raises:
        ToritsugiError: there is no speech model.
    """
    instance = Instance.open(city=city)
    await instance.database.migrate()
    child = ChildTranscriber(
        model_folders(instance.settings), vocabulary=vocabulary(instance.profile.speech.dictionary)
    )
    states: Counter[MuteState] = Counter()
    try:
        muter = muter_of(instance.settings, instance.database, instance.profile.speech)
        await muter.mute_due()
        bases = await muter.to_scan(everything)
        if bases and not child.languages():
            raise ToritsugiError("音声認識モデルがありません", cure="./toritsugi models fetch を実行する")
        for number, base in enumerate(bases):
            async with instance.database.reading() as unit:
                job = await unit.jobs.get(call_of(base))
            try:
                state = await muter.scan(base, child.transcribe, job.language if job else "ja")
                out(json.dumps({"recording": base, "state": state.value}, ensure_ascii=False))
            except ToritsugiError as problem:
                state = MuteState.MUTED
                out(json.dumps({"recording": base, "error": str(problem)}, ensure_ascii=False))
            states[state] += 1
            _tell(say, "確認", number + 1, len(bases))
    finally:
        child.close()
        await instance.database.close()
    say(f"確認した録音 {states.total()} 件のうち、秘密の残っていないもの {states[MuteState.PROVEN]} 件。")
    return int(states.total() != states[MuteState.PROVEN])


async def recording_timeline(city: str | None, call: str, out: Callable[[str], None]) -> None:
    """Where a call's recordings are silent and why, one JSON line each: paused by the operator, or muted afterwards.

    Raises:
        ToritsugiError: no such call.
    """
    instance = Instance.open(city=city)
    await instance.database.migrate()
    call_id = CallId(call)
    async with instance.database.reading() as unit:
        found = (await unit.calls.get([call_id])).get(call_id)
        mutes = await unit.mutes.of_call(call_id)
        files = await unit.recordings.of_call(call_id)
    await instance.database.close()
    if found is None:
        raise ToritsugiError(f"ない通話です: {call}", where="通話", cure="toritsugi ledger export で確かめる")
    for base in dict.fromkeys(file.base for file in files):
        for row in timeline(base, found, [mute for mute in mutes if mute.base == base]):
            out(json.dumps(row, ensure_ascii=False))


def timeline(base: str, call: Call, mutes: list[RecordingMute]) -> list[dict[str, Any]]:
    """The silent stretches of one recording in order of time, in seconds from its start.

    A pause by the operator silences both sides; a muted secret one.
    """
    began = started_at(base, call)
    rows: list[dict[str, Any]] = []
    if base == call.call_id:
        rows += [
            {
                "recording": base,
                "side": "both",
                "why": "paused",
                "start_s": round(max(0.0, start - began), 2),
                "end_s": None if end is None else round(max(0.0, end - began), 2),
            }
            for start, end in call.silences
        ]
    rows += [
        {
            "recording": base,
            "side": mute.side,
            "why": kind,
            "start_s": start,
            "end_s": end,
            "state": mute.state.value,
        }
        for mute in mutes
        for start, end, kind in mute.spans
    ]
    return sorted(rows, key=lambda row: float(row["start_s"]))


def _tell(say: Callable[[str], None], what: str, number: int, of: int) -> None:
    if number % EVERY == 0 or number == of:
        say(f"{what}: {number}/{of}")
