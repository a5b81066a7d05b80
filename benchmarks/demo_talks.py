"""What the demonstration's talks come to without a switch: spoken, sent as mu-law, recognised, searched, counted.

Each talk is made once with the voices of the demonstration, one side at a time as recordings are, and transcribed as
the service does; a day of any seed is then scored from these, by the same count as `accept demo-day`. No part of the
product may be chosen by these figures: how hints were chosen tells docs/adr/0004-prompts.md, weights come from
`benchmarks/heard_suggestions`, groups from
`benchmarks/gap_topics`. What is missing against the real day: the network, and hesitation.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from core.ids import CallId
from core.settings import settings_from
from demo.people import CitizenPlan, Intent
from demo.script import GENERAL, Role, dialogue, greeting_name, script_lines
from demo.talks import TALKS
from demo.truth import TruthRecord
from faq_kb.article import Version, document_of
from faq_kb.csv_file import read_rows
from faq_kb.gaps import Unanswered, gaps
from faq_kb.index import made_anew
from faq_kb.search import Searcher
from faq_kb.suggestion import ANSWERED, suggest
from faq_kb.synonyms import Synonyms
from faq_kb.vectors import load_vectors
from faq_kb.words import Analyser
from runtime.demo_learning import GAP_CALLS, Learned, compared
from runtime.demo_plan import Plan, day_plan, line_voice
from runtime.faq_words import SEED, seed_synonyms
from services.city import load_city
from services.faq_loop import Talked
from speech.audio import TELEPHONE_RATE, write_telephone_wav
from speech.dictionary import vocabulary
from speech.engines import Engines
from speech.jobs import TranscriptionJob
from speech.models import models_dir
from speech.ports import Pcm
from speech.synthesis import render
from speech.transcript import CITIZEN, Transcript, transcribe_recording

CITY, CALLS = "ageo", 24
SEEDS = (1, 2, 3)
TURN_S = 0.9
"""Silence between the turns."""
_TALKING = {Intent.BOOK, Intent.ASK, Intent.ENGLISH, Intent.MISPRESS, Intent.SILENT}

TalkName = tuple[str, str]


def mu_law(pcm: Pcm) -> Pcm:
    """Samples after the telephone's coding."""
    buffer = io.BytesIO()
    soundfile.write(buffer, pcm, TELEPHONE_RATE, format="WAV", subtype="ULAW")
    buffer.seek(0)
    heard, _ = soundfile.read(buffer, dtype="int16")
    return np.asarray(heard, np.int16)


def said_lines(talk: TalkName) -> list[tuple[str, Role]]:
    """The lines of a talk in turn, the operator's greeting first."""
    return [(greeting_name(talk[1]), Role.OPERATOR), *((line.name, line.role) for line in dialogue(*talk))]


def speak_talks(folder: Path, city: str, talks: Sequence[TalkName]) -> list[TranscriptionJob]:
    """Both sides of every talk as files, and the jobs to transcribe them."""
    profile = load_city(city)
    lines = script_lines(profile.city.centre_ja, profile.city.centre_en)
    jobs = []
    for talk in talks:
        sides: dict[Role, list[Pcm]] = {role: [] for role in Role}
        for name, role in said_lines(talk):
            text, language, _ = lines[name]
            readings = profile.prompts.readings if language == "ja" else None
            pcm = mu_law(
                render(text, line_voice(name, language, role.value), language=language, readings=readings)
            )
            silence = np.zeros(len(pcm) + round(TURN_S * TELEPHONE_RATE), np.int16)
            for side, parts in sides.items():
                parts.append(np.concatenate([pcm, silence[len(pcm) :]]) if side is role else silence)
        base = "_".join(talk)
        paths = {role: folder / f"{base}-{role.value}.wav" for role in Role}
        for role, path in paths.items():
            write_telephone_wav(path, np.concatenate(sides[role]))
        jobs.append(
            TranscriptionJob(
                base=base,
                citizen_path=paths[Role.CITIZEN],
                line_path=paths[Role.OPERATOR],
                language=talk[1],
                attempts=9,
            )
        )
    return jobs


_engines: Engines


def _load(folders: Sequence[Path], words: Mapping[str, Sequence[str]]) -> None:
    global _engines
    _engines = Engines(folders, vocabulary=words)


def _transcribe(job: TranscriptionJob) -> Transcript:
    return transcribe_recording(job, _engines)


def transcribe(
    jobs: Sequence[TranscriptionJob], words: Mapping[str, Sequence[str]], workers: int = 2
) -> list[Transcript]:
    """In processes of one thread each."""
    folders = [models_dir(settings_from().tools)]
    with ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_load, initargs=(folders, words)
    ) as pool:
        return list(pool.map(_transcribe, jobs))


def day_of(seed: int) -> list[CitizenPlan]:
    """Those who talk with an operator on the day of this seed."""
    plan = Plan(city=CITY, calls=CALLS, speed=None, seed=seed, headless=True, out=Path())
    return [call.citizen for call in day_plan(load_city(CITY), plan).calls if call.citizen.intent in _TALKING]


def talk_of(citizen: CitizenPlan) -> TalkName:
    """The talk that a citizen holds: the general one where the topic has none."""
    talk = citizen.topic, citizen.language
    return talk if talk in TALKS else (GENERAL, citizen.language)


class Judge:
    """Counts a day as the acceptance does, from the talks' transcripts."""

    def __init__(self) -> None:
        self.analyser = Analyser()
        rows = [
            row for name in ("common", CITY) for row in read_rows((SEED / f"{name}.csv").read_bytes(), name)
        ]
        documents = [
            document_of(row.article_id, Version(number=1, content=row.content, made_at=0.0, made_by="x"))
            for row in rows
        ]
        vectors = load_vectors(settings_from().tools / "faq-vectors")
        self.index = made_anew(documents, self.analyser, vectors)
        self.searcher = Searcher(self.analyser, vectors, Synonyms(seed_synonyms(), self.analyser))

    def day(self, seed: int, heard: Mapping[TalkName, Transcript]) -> dict[str, Any]:
        """The figures of `runtime.demo_learning.compared`, with what lies behind them."""
        truth, calls, talked, entries, kana = [], {}, {}, {}, {}
        for number, citizen in enumerate(day_of(seed)):
            talk = talk_of(citizen)
            call = CallId(f"c-n1-{number}.1")
            lines = said_lines(talk)
            truth.append(
                TruthRecord(
                    sip_call_id=call, caller="withheld", dialled="", started_at=0.0, intent="", ended_by="",
                    disposition="answered", operators=(), wait_s=0.0, talk_s=0.0,
                    said=tuple(name for name, role in lines if role is Role.CITIZEN),
                    answered_with=tuple(name for name, role in lines if role is Role.OPERATOR),
                )
            )  # fmt: skip
            segments = heard[talk].segments
            calls[str(call)] = call
            talked[call] = Talked(
                call=call,
                at=float(number),
                citizen=tuple(each.text for each in segments if each.side == CITIZEN),
                operator=tuple(each.text for each in segments if each.side != CITIZEN),
            )
            entries[call] = suggest(self.searcher.hearing(), self.index, talked[call].citizen)
            kana[call] = "".join(each.kana for each in segments)
        unanswered = [
            Unanswered(call=call, at=each.at, asked=each.citizen, told=each.operator)
            for call, each in talked.items()
            if not entries[call] or entries[call][0].confidence < ANSWERED
        ]
        found = gaps(
            unanswered,
            self.analyser,
            self.searcher.vectors,
            GAP_CALLS,
            weigh=self.index.weigh,
            weigh_sound=self.index.weigh_sound,
        )
        learned = Learned(talked=talked, entries=entries, gaps=found, unanswered=len(unanswered), kana=kana)
        city = load_city(CITY).city
        return compared(truth, calls, learned, script_lines(city.centre_ja, city.centre_en))


def run(out: Path, quick: bool) -> dict[str, Any]:
    """Every talk that the days hold; quick: the first seed's day."""
    del out
    seeds = SEEDS[:1] if quick else SEEDS
    talks = sorted({talk_of(citizen) for seed in seeds for citizen in day_of(seed)})
    words = vocabulary(load_city(CITY).speech.dictionary)
    with tempfile.TemporaryDirectory() as name:
        heard = dict(zip(talks, transcribe(speak_talks(Path(name), CITY, talks), words), strict=True))
    judge = Judge()
    return {"talks": len(talks), "days": {seed: judge.day(seed, heard) for seed in seeds}}
