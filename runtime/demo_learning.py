"""What a demonstration's day teaches the knowledge base, and how that compares with what was really asked.

What was asked is what the telephones said (`TruthRecord.said`, names of the script's lines); what came of it is read
from the database as any other day's.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.errors import ToritsugiError
from core.ids import CallId
from core.settings import PROJECT_ROOT, Settings
from demo.script import planted_lines, talk_in
from demo.talks import TALKS, Planted, Talk
from demo.truth import TruthRecord
from faq_kb.gaps import Gap
from faq_kb.suggestion import Suggestion
from faq_kb.words import Analyser, telling
from runtime.demo_traces import said_in
from runtime.faq import faq_search
from runtime.records import ALWAYS
from services.faq_loop import Talked, found_gaps, talked_calls
from services.speech_ports import MuteState, RecordingMute
from storage.database import Database

GAP_CALLS = 2
_ENGLISH_WORD = 4
"""Shorter English words say little."""


async def seed_knowledge(city: str, environment: Mapping[str, str]) -> None:
    """Fill the knowledge base of a new home as `faq seed` does.

    Raises:
        ToritsugiError: the command failed.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "runtime", "faq", "seed", "--city", city, "--by", "demo",
        cwd=PROJECT_ROOT, env=dict(environment), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    _, said = await process.communicate()
    if process.returncode:
        raise ToritsugiError(f"FAQ を用意できません: {said.decode('utf-8', 'replace')[-300:]}", where="demo")


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What the calls of a day led to."""

    talked: Mapping[CallId, Talked]
    entries: Mapping[CallId, Sequence[Suggestion]]
    gaps: Sequence[Gap]
    unanswered: int
    mutes: Mapping[CallId, Sequence[RecordingMute]] = field(default_factory=dict)
    kana: Mapping[CallId, str] = field(default_factory=dict)
    """How the whole transcript is read."""


async def learn(settings: Settings, database: Database) -> Learned:
    """Entries for every transcript, and the gaps of the day."""
    search = faq_search(settings, lambda _: None)
    async with database.reading() as unit:
        talked = {each.call: each async for each in talked_calls(unit, *ALWAYS)}
        entries = {
            call: await search.suggest(unit, each.citizen, now=each.at) for call, each in talked.items()
        }
        gaps, _looked, unanswered = await found_gaps(unit, search, *ALWAYS, least=GAP_CALLS)
        mutes = {call: await unit.mutes.of_call(call) for call in talked}
        kana = {
            call: "".join(
                str(part.get("kana") or "")
                for text in await unit.transcripts.of_call(call)
                for part in text.segments
            )
            for call in talked
        }
    return Learned(talked=talked, entries=entries, gaps=gaps, unanswered=unanswered, mutes=mutes, kana=kana)


def learned_rows(learned: Learned) -> list[dict[str, Any]]:
    """For `knowledge.jsonl`: a line for each call, then one for each gap."""
    rows: list[dict[str, Any]] = [
        {
            "call_id": call,
            "suggested": [
                {"id": each.article_id, "score": each.confidence, "sentences": list(each.sentences)}
                for each in entries
            ],
        }
        for call, entries in learned.entries.items()
    ]
    return rows + [
        {"gap": list(gap.words), "calls": list(gap.calls), "examples": list(gap.examples)}
        for gap in learned.gaps
    ]


Lines = Mapping[str, tuple[str, str, str]]
"""What `demo.script.script_lines` gives for a city."""


def compared(
    truth: Sequence[TruthRecord], calls: Mapping[str, CallId], learned: Learned, lines: Lines
) -> dict[str, Any]:
    """The day's figures, as JSON values.

    Args:
        truth: what the telephones saw.
        calls: SIP Call-ID to our call.
        lines: the script as it was spoken: operators say the name of this city's centre.
    """
    held = [
        (record, calls[record.sip_call_id], talk)
        for record in truth
        if record.disposition == "answered" and record.sip_call_id in calls
        if (talk := _talk_of(record)) is not None
    ]
    words = [_words(record, learned, call, lines) for record, call, _ in held]
    return {
        "talks": len(held),
        "words": _shares(words),
        "suggestions": _suggested([(call, talk) for _, call, talk in held], learned),
        "gaps": _gaps([(call, talk) for _, call, talk in held], learned),
        "planted": _planted([(record, call) for record, call, _ in held], learned),
    }


def _talk_of(record: TruthRecord) -> Talk | None:
    return TALKS.get(talk_in(record.said))


def _shares(words: Sequence[tuple[int, int]]) -> dict[str, Any]:
    said, heard = sum(each[0] for each in words), sum(each[1] for each in words)
    shares = [round(each[1] / each[0], 3) for each in words if each[0]]
    return {
        "said": said,
        "heard": heard,
        "share": round(heard / said, 4) if said else 0.0,
        "least_of_a_call": min(shares, default=0.0),
    }


_ANALYSER = Analyser()


def key_words(text: str) -> set[str]:
    """What a sentence of the script is about."""
    return {
        word
        for word in telling(_ANALYSER.analyse(text).words)
        if not word.isascii() or len(word) >= _ENGLISH_WORD
    }


def _words(record: TruthRecord, learned: Learned, call: CallId, lines: Lines) -> tuple[int, int]:
    """Key words that were said, and those that the transcript carries: the word, or what is read like it.

    Lines with a number are left out: it is masked, with whatever lies too near.
    """
    planted = planted_lines()
    names = [*record.said, *record.answered_with]
    said = {word for name in names if name not in planted for word in key_words(lines[name][0])}
    talked = learned.talked.get(call)
    text = " ".join((*talked.citizen, *talked.operator)) if talked else ""
    there, kana = set(_ANALYSER.analyse(text).words), learned.kana.get(call, "")
    heard = sum(
        word in there
        or word.lower() in text.lower()
        or (len(read := _ANALYSER.analyse(word).kana) > 1 and read in kana)
        for word in said
    )
    return len(said), heard


def _suggested(held: Sequence[tuple[CallId, Talk]], learned: Learned) -> dict[str, Any]:
    missed, found, first, asked = [], 0, 0, 0
    for call, talk in held:
        if not talk.entries:
            continue
        asked += 1
        ids = [each.article_id for each in learned.entries.get(call, ())]
        found += bool(talk.entries.intersection(ids))
        first += bool(talk.entries.intersection(ids[:1]))
        if not talk.entries.intersection(ids):
            missed.append({"call": call, "topic": talk.topic, "wanted": sorted(talk.entries), "named": ids})
    return {
        "asked": asked,
        "top_3": found,
        "top_1": first,
        "share": round(found / asked, 4) if asked else 0.0,
        "missed": missed,
    }


def _gaps(held: Sequence[tuple[CallId, Talk]], learned: Learned) -> dict[str, Any]:
    """Topics that nothing answers and two callers or more asked about; a gap is theirs when most of its calls are."""
    topics: dict[str, set[str]] = {}
    for call, talk in held:
        if not talk.entries:
            topics.setdefault(talk.topic, set()).add(call)
    asked = {topic: calls for topic, calls in topics.items() if len(calls) >= GAP_CALLS}
    found = {
        topic
        for topic, calls in asked.items()
        for gap in learned.gaps
        if len(calls.intersection(gap.calls)) >= max(GAP_CALLS, len(gap.calls) // 2 + 1)
    }
    return {
        "calls": sum(map(len, topics.values())),
        "topics": sorted(asked),
        "found": sorted(found),
        "gaps": [{"words": list(gap.words), "calls": len(gap.calls)} for gap in learned.gaps],
        "unanswered": learned.unanswered,
    }


def said_numbers(truth: Sequence[TruthRecord]) -> set[Planted]:
    """The numbers that were really said, by citizens or read back."""
    lines = planted_lines()
    return {
        each
        for record in truth
        for name in (*record.said, *record.answered_with)
        for each in lines.get(name, ())
    }


def _planted(held: Sequence[tuple[TruthRecord, CallId]], learned: Learned) -> dict[str, Any]:
    """Calls in which a number was said: how it was masked, and whether its recording was proved silent."""
    calls = [(record, call) for record, call in held if said_numbers([record])]
    unmasked = []
    states: dict[str, int] = {}
    for record, call in calls:
        numbers = {each.digits for each in said_numbers([record])}
        talked = learned.talked.get(call)
        if talked and any(said_in(text, numbers) for text in (*talked.citizen, *talked.operator)):
            unmasked.append(call)
        mutes = learned.mutes.get(call, ())
        worst = next((m.state for m in mutes if m.state is not MuteState.PROVEN), MuteState.PROVEN)
        state = worst.value if mutes else "not_heard"
        states[state] = states.get(state, 0) + 1
    kinds = [each.kind.value for each in said_numbers([record for record, _ in held])]
    return {
        "calls": len(calls),
        "kinds": {kind: kinds.count(kind) for kind in sorted(set(kinds))},
        "unmasked_transcripts": unmasked,
        "recordings": states,
    }
