"""A city's day on real parts: our own service in processes of its own, citizens and operators over SIP and RTP.

The truth is told by the telephones alone (`demo`); the ledger is what the service found on disk. Both are written
side by side, compared, and proved against the SIP messages on the wire.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from core.clock import CLOCK_VARIABLE, ScaledClock
from core.errors import ToritsugiError
from core.ids import CallId
from core.settings import PROJECT_ROOT, settings_from
from demo.citizens import Citizen
from demo.ends.listening import Fingerprints
from demo.ends.user_agent import SipEnd
from demo.live_view import LiveView
from demo.operators import Operator, OperatorPlan
from demo.people import Intent, Stage, Town, Voices, load_sound
from demo.play import play_day, sign_all_out
from demo.script import GENERAL, dialogue, greeting_names, script_lines
from demo.truth import TruthRecord, Vocabulary, tell_truth
from desk.settings import desk_settings_from
from ledger.export import to_jsonl
from reports.comparison import compare
from reports.daily import daily_report
from reports.render import render_demo_report
from runtime.demo_conclusion import conclusion
from runtime.demo_desk import WITHOUT_SECOND_FACTOR, add_demo_users, show_in_browser
from runtime.demo_learning import Lines, compared, learn, learned_rows, said_numbers, seed_knowledge
from runtime.demo_plan import Plan, announcements, day_plan, line_voice, own_ports
from runtime.demo_traces import look_for
from runtime.instance import new_operator
from runtime.process import alive, read_json
from runtime.prompts import build_city_prompts, cache_folder
from runtime.records import ALWAYS, export_records, prove, reconciliation_record
from runtime.tools import bring_tools
from runtime.transcribing import WORKERS_VARIABLE
from services.city import load_city
from services.city_facts import city_facts
from services.ports import JobState
from services.speech_ports import MuteState
from speech.prompt_cache import speak
from storage.database import Database

READY_WITHIN_S = 90.0
TRANSCRIPTS_WITHIN_S = 600.0
SETTLE_S = 20.0
"""How long the ledger may take to know the end of the last call."""


class Demonstration:
    """One run, from an empty home to the four files."""

    def __init__(self, plan: Plan, say: Callable[[str], None]) -> None:
        self.plan, self.say = plan, say
        base = settings_from()
        self.profile = load_city(plan.city)
        self.home = base.home / "demo" / self.profile.city.id
        self.variables = {
            **own_ports(base),
            "TORITSUGI_HOME": str(self.home),
            "TORITSUGI_TOOLS": str(base.tools),
            "TORITSUGI_CITY": str(self.profile.path),
            "TORITSUGI_DATABASE_URL": f"sqlite+aiosqlite:///{self.home / 'toritsugi.db'}",
            **WITHOUT_SECOND_FACTOR,
            WORKERS_VARIABLE: os.environ.get(WORKERS_VARIABLE, "2"),
        }
        self.settings = settings_from({**os.environ, **self.variables})
        self.database = Database(self.settings.database_url)
        self.day = day_plan(self.profile, plan)
        self.clock = self._clock_from(time.time() + 3600)
        self.service: asyncio.subprocess.Process | None = None
        self.secrets: dict[str, str] = {}
        self.kills = 0

    def _clock_from(self, real_start: float) -> ScaledClock:
        return ScaledClock(real_start, self.day.city_start, self.day.speed)

    # ---- before -----------------------------------------------------------------------------------

    def prepare(self) -> Voices:
        """Fresh home, prompts, and the people's lines as sound."""
        if alive(read_json(self.home / "run" / "warden.json").get("pid")):
            raise ToritsugiError(
                "このデモはもう動いています", where=str(self.home), cure="終わるのを待つか、止める"
            )
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.mkdir(parents=True)
        bring_tools("demo", self.settings.tools)
        build_city_prompts(self.settings, self.profile, self.say)
        return self._voices()

    def _lines(self) -> Lines:
        return script_lines(self.profile.city.centre_ja, self.profile.city.centre_en)

    def _voices(self) -> Voices:
        paths: dict[str, Path] = {}
        whole = self._lines()
        held = {(call.citizen.topic, call.citizen.language) for call in self.day.calls} | {(GENERAL, "ja")}
        names = {line.name for talk in held for line in dialogue(*talk)}.union(greeting_names())
        lines = {name: whole[name] for name in names}
        made = 0
        for number, (name, (text, language, role)) in enumerate(sorted(lines.items())):
            voice = line_voice(name, language, role)
            before = time.monotonic()
            paths[name] = speak(
                text,
                language=language,
                voice=voice,
                cache_dir=cache_folder(self.settings),
                readings=self.profile.prompts.readings if language == "ja" else None,
            )
            made += time.monotonic() - before > 0.02
            if made and number % 10 == 0:
                self.say(f"市民とオペレーターの声を作っています {number + 1}/{len(lines)}")
        return Voices.load(paths)

    async def _people(self) -> None:
        await self.database.migrate()
        async with self.database.uow() as unit:
            for person in self.profile.demo.operators:
                account = new_operator(
                    self.profile, person.id, person.name_ja, dict(person.lines), tuple(person.languages)
                )
                self.secrets[person.id] = account.sip_secret
                await unit.operators.put(account)
        if self.settings.http_port:
            self.say(f"画面は {self._origin()} です。")
            self.say(await add_demo_users(self.database, self.clock, self.profile))

    async def start(self) -> None:
        """Start the service and wait until it takes calls."""
        await self._people()
        await seed_knowledge(
            self.profile.city.id, {**os.environ, **self.variables, "PYTHONPATH": str(PROJECT_ROOT)}
        )
        clock_file = self.home / "clock"
        clock_file.write_text(self.clock.as_variable(), encoding="utf-8")
        self.variables[CLOCK_VARIABLE] = str(clock_file)
        with (self.home / "service.log").open("ab") as log:
            self.service = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "runtime", "up",
                cwd=PROJECT_ROOT,
                env={**os.environ, **self.variables, "PYTHONPATH": str(PROJECT_ROOT)},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + READY_WITHIN_S
        while not (self._state("warden").get("ready") and self._state("live").get("ami_connected")):
            if self.service.returncode is not None or time.monotonic() > deadline:
                raise ToritsugiError(
                    f"デモの中枢が始まりません: {self._log_tail()}", where=str(self.home / "service.log")
                )
            await asyncio.sleep(0.1)

    def _origin(self) -> str:
        return desk_settings_from(self.settings.http_port, self.variables).origin

    def show_board(self) -> None:
        """Open the supervisor's board where somebody sits before a screen."""
        if self.settings.http_port and self.plan.opens:
            show_in_browser(f"{self._origin()}/board")

    def _state(self, name: str) -> dict[str, Any]:
        return read_json(self.home / "run" / f"{name}.json")

    def _log_tail(self) -> str:
        text = (self.home / "service.log").read_text("utf-8", "replace").strip()
        return text[-600:] or "記録がありません"

    # ---- the day ----------------------------------------------------------------------------------

    async def play(self, voices: Voices) -> list[TruthRecord]:
        """Everybody calls, everybody works; what the telephones saw."""
        prompts = self._prompts()
        town = Town(
            number="".join(ch for ch in self.profile.numbers.service[0] if ch.isdigit()),
            trunk=("127.0.0.1", self.settings.sip_port),
            prompts=prompts,
            menus=frozenset(menu.prompt for menu in self.profile.flow.menus.values()),
            language_keys={language: key for key, language in self.profile.flow.language_keys.items()},
            language=self.profile.flow.languages[0],
        )
        started_at = time.time() + 6.0
        self.clock = self._clock_from(started_at)
        partial = self.home / "clock.new"
        partial.write_text(self.clock.as_variable(), encoding="utf-8")
        partial.replace(self.home / "clock")
        view = LiveView(
            self.clock.city_time_of,
            title=f"{self.profile.city.name_ja} {self.profile.city.centre_ja}",
            headless=self.plan.headless,
            figures=self._figures,
        )
        stage = Stage(view.handle)
        trunk = await SipEnd.open("trunk")
        ends = [await SipEnd.open(f"op{person.id}") for person in self.profile.demo.operators]
        operators = [
            Operator(self._operator_plan(person.id), end, voices, stage)
            for person, end in zip(self.profile.demo.operators, ends, strict=True)
        ]
        killer = asyncio.create_task(self._kill_engine(started_at)) if self.plan.kill_engine else None
        try:
            async with view:
                place = ("127.0.0.1", self.settings.sip_port)
                await asyncio.gather(*(operator.sign_in(place) for operator in operators))
                citizens = await play_day(
                    self.day, started_at=started_at, trunk=trunk, town=town, voices=voices, stage=stage
                )
                if killer is not None:
                    await killer
                await asyncio.sleep(1.0)
                await sign_all_out(operators)
            return await asyncio.to_thread(self._truth, citizens, operators, town)
        finally:
            if killer is not None:
                killer.cancel()
            for end in (trunk, *ends):
                await end.close()

    def _prompts(self) -> Fingerprints:
        sounds = {
            f"{language}/{path.stem}": load_sound(path)
            for language in self.profile.ivr.languages
            for path in sorted((self.settings.sounds / language / self.profile.city.id).glob("*.wav"))
        }
        return Fingerprints(sounds)

    def _operator_plan(self, number: str) -> OperatorPlan:
        return OperatorPlan(
            operator=number,
            user=f"op{number}",
            secret=self.secrets[number],
            miss_rate=0.08,
            seed=self.plan.seed,
        )

    def _figures(self) -> Mapping[str, str]:
        live = self._state("live")
        states = live.get("operators", {})
        return {
            "待ち": str(len(live.get("waiting", []))),
            "オペレーター": "、".join(f"{who} {state}" for who, state in states.items()),
            "情報の古さ": f"{time.time() - live.get('at', time.time()):.1f} 秒",
        }

    def _truth(
        self, citizens: Sequence[Citizen], operators: Sequence[Operator], town: Town
    ) -> list[TruthRecord]:
        tells = announcements(self.profile.flow)
        return tell_truth(
            citizens,
            operators,
            dialled=town.number,
            prompts=town.prompts,
            vocabulary=Vocabulary(
                answers=frozenset(tell.prompt for tell in tells if not tell.refer_to),
                referrals=frozenset(tell.prompt for tell in tells if tell.refer_to),
            ),
        )

    async def _kill_engine(self, started_at: float) -> None:
        """SIGKILL the engine at random moments of the day; the parent starts it again."""
        chance = random.Random(self.plan.seed)
        length = max(call.after_s for call in self.day.calls) + 20.0
        for moment in sorted(chance.uniform(0.0, length) for _ in range(self.plan.kill_engine)):
            await asyncio.sleep(max(0.0, started_at + moment - time.time()))
            pid = await self._engine(alive_now=True)
            os.kill(pid, signal.SIGKILL)
            self.kills += 1
            await self._engine(alive_now=False)

    async def _engine(self, *, alive_now: bool) -> int:
        """The engine's process id, once the one that the parent names is alive (or dead, as asked)."""
        while True:
            pid = int(self._state("warden").get("engine", {}).get("pid") or 0)
            if alive(pid) is alive_now:
                return pid
            await asyncio.sleep(0.05)

    # ---- after ------------------------------------------------------------------------------------

    async def settle(self, expected: int) -> None:
        """Wait until the ledger knows every call's end, every transcript is made, and every mute is proved."""
        deadline = time.monotonic() + SETTLE_S
        while time.monotonic() < deadline:
            async with self.database.reading() as unit:
                calls = await unit.calls.between(*ALWAYS)
            if len(calls) >= expected and not any(call.open for call in calls):
                break
            await asyncio.sleep(0.25)
        deadline, said = time.monotonic() + TRANSCRIPTS_WITHIN_S, -1
        while time.monotonic() < deadline:
            async with self.database.reading() as unit:
                counts = await unit.jobs.counts()
                mutes = await unit.mutes.counts(0.0)
            left = counts.get(JobState.WAITING, 0) + counts.get(JobState.RUNNING, 0)
            left += mutes.get(MuteState.DUE, 0) + mutes.get(MuteState.MUTED, 0)
            if not left:
                return
            if left != said:
                self.say(f"文字起こしと無音化の確認の残り {left} 件")
                said = left
            await asyncio.sleep(0.25)

    async def stop(self) -> None:
        if self.service is not None and self.service.returncode is None:
            self.service.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(30):
                    await self.service.wait()
            except TimeoutError:
                self.service.kill()
                await self.service.wait()

    async def write(self, truth: list[TruthRecord]) -> dict[str, Any]:
        """The five files; returns the summary."""
        clock = self.clock
        out = self.plan.out
        out.mkdir(parents=True, exist_ok=True)
        told = [asdict(record) | {"intent": Intent(record.intent).label_ja} for record in truth]
        (out / "truth.jsonl").write_text("".join(record.as_json() + "\n" for record in truth), "utf-8")
        rows = await export_records(self.database, clock, *ALWAYS)
        (out / "ledger.jsonl").write_text(to_jsonl(rows), "utf-8")
        comparisons = compare(told, rows)
        proof = await prove(self.settings, self.profile, self.database, *ALWAYS)
        async with self.database.reading() as unit:
            calls = await unit.calls.between(*ALWAYS)
            transcripts: dict[str, list[dict[str, Any]]] = {
                call.call_id: [
                    {"side": text.side, **segment}
                    for text in await unit.transcripts.of_call(call.call_id)
                    for segment in text.segments
                ]
                for call in calls
                if call.segments
            }
            counts = await unit.jobs.counts()
        facts = replace(
            city_facts(self.profile, self.day.city_start.date()),
            note=f"これは模擬の一日です。市の時計は実時間の約{self.day.speed:.0f}倍で進み、"
            "待ち時間と通話時間は実時間です。",
        )
        report = daily_report(
            facts,
            self.day.city_start.date(),
            calls,
            clock.city_time_of,
            made_at=clock.city_now(),
            reconciliation=proof,
            versions={"Asterisk": self._asterisk_version()},
        )
        for parts in transcripts.values():
            parts.sort(key=lambda part: float(part["start_s"]))
        page = render_demo_report(report, comparisons, transcripts)
        (out / "report.html").write_text(page, "utf-8")
        learned = await learn(self.settings, self.database)
        (out / "knowledge.jsonl").write_text(
            "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in learned_rows(learned)), "utf-8"
        )
        understood = compared(
            truth,
            {str(row["sip_call_id"]): CallId(row["call_id"]) for row in rows},
            learned,
            self._lines(),
        )
        numbers = {each.digits for each in said_numbers(truth)}
        kept = [out / name for name in ("ledger.jsonl", "report.html", "knowledge.jsonl")]
        looked = await asyncio.to_thread(look_for, numbers, self.home, kept)
        agree = sum(comparison.agrees for comparison in comparisons)
        summary: dict[str, Any] = {
            "city": self.profile.city.id,
            "seed": self.plan.seed,
            "calls": len(truth),
            "asterisk": self._asterisk_version(),
            "dispositions": dict(Counter(str(row["disposition"]) for row in rows)),
            "agree": agree,
            "differences": [
                {"sip_call_id": each.sip_call_id, "fields": list(each.differences)}
                for each in comparisons
                if not each.agrees
            ],
            "reconciliation": reconciliation_record(proof, self.day.city_start.date()),
            "answered_with_both_sides": self._recorded(rows),
            "transcripts": {state.value: number for state, number in counts.items()},
            "answered_with_transcript": sum(1 for parts in transcripts.values() if parts),
            "engine_kills": self.kills,
            "unanswered_intents": _misfits(truth),
            "understood": understood | {"numbers": len(numbers), "left": asdict(looked)},
        }
        summary["ok"] = (
            not summary["differences"]
            and proof.agrees
            and len(rows) == len(truth) == self.plan.calls
            and self.kills == self.plan.kill_engine
            and all(row["disposition"] for row in rows)
            and summary["answered_with_both_sides"] == summary["dispositions"].get("answered", 0)
            and summary["answered_with_transcript"] == summary["dispositions"].get("answered", 0)
        )
        (out / "summary.json").write_text(json.dumps(summary, ensure_ascii=False, indent=2) + "\n", "utf-8")
        return summary

    def _recorded(self, rows: Sequence[Mapping[str, Any]]) -> int:
        """Answered calls with two sides of sound on disk."""
        header = 44
        return sum(
            all(
                (path := self.settings.recordings / f"{base}-{side}.wav").exists()
                and path.stat().st_size > header
                for side in ("citizen", "line")
                for base in row["recordings"]
            )
            and bool(row["recordings"])
            for row in rows
            if row["disposition"] == "answered"
        )

    def _asterisk_version(self) -> str:
        text = (self.home / "service.log").read_text("utf-8", "replace")
        return next(
            (
                word.strip("、")
                for line in text.splitlines()
                for word in line.split()
                if word.startswith("22.")
            ),
            "",
        )


_EXPECTED: Mapping[str, frozenset[str]] = {
    Intent.ABANDON.value: frozenset({"abandoned_queue", "answered"}),
    Intent.AFTER_HOURS.value: frozenset({"after_hours"}),
    Intent.HANG_UP_IN_GREETING.value: frozenset({"abandoned_menu"}),
    Intent.HANG_UP_IN_MENU.value: frozenset({"abandoned_menu"}),
    Intent.SELF_SERVICE.value: frozenset({"self_served", "referred"}),
}


def _misfits(truth: Sequence[TruthRecord]) -> list[dict[str, str]]:
    """Citizens who did not get what they came for: worth a look, no error (somebody may give up waiting)."""
    person = frozenset({"answered"})
    return [
        {"sip_call_id": record.sip_call_id, "intent": record.intent, "disposition": record.disposition}
        for record in truth
        if record.disposition not in _EXPECTED.get(record.intent, person)
    ]


async def run_demo(plan: Plan, say: Callable[[str], None]) -> int:
    """`toritsugi demo`; 0 when truth, ledger and wire agree and every answered call is recorded and transcribed."""
    began = time.monotonic()
    show = Demonstration(plan, say)
    voices = await asyncio.to_thread(show.prepare)
    say(f"{show.profile.city.name_ja}の一日を始めます。電話 {plan.calls} 本、種 {plan.seed}。")
    try:
        await show.start()
        show.show_board()
        truth = await show.play(voices)
        say("電話はすべて終わりました。台帳と文字起こしを待ちます。")
        await show.settle(len(truth))
    finally:
        await show.stop()
    summary = await show.write(truth)
    await show.database.close()
    for line in conclusion(summary, plan.out, time.monotonic() - began):
        say(line)
    if plan.opens:
        show_in_browser(str(plan.out / "report.html"))
    return 0 if summary["ok"] else 1
