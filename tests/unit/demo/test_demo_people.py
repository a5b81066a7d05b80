"""Citizens and operators behave as planned, through a small city that speaks, listens and connects."""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass

import numpy as np
import pytest
from demo_sounds import speech_like

from core.clock import SystemClock
from demo.citizens import Citizen
from demo.ends.calls import IncomingCall
from demo.ends.dialog import Dialog
from demo.ends.g711 import Samples
from demo.ends.identity import known
from demo.ends.listening import Fingerprints
from demo.ends.user_agent import SipEnd
from demo.live_view import LiveView
from demo.operators import Operator, OperatorPlan
from demo.people import CitizenPlan, Intent, Stage, Town, Voices
from demo.script import Role, dialogue, greeting_names, script_lines
from demo.truth import TruthRecord, Vocabulary, tell_truth

pytestmark = pytest.mark.unit

_NAMES = ("greeting", "language", "menu_main", "invalid", "connecting", "info_bring", "after_tell")
PROMPTS = {
    f"{language}/{name}": speech_like(2.2 if name == "menu_main" else 1.3, 300 + 20 * number + index)
    for number, language in enumerate(("ja", "en"))
    for index, name in enumerate(_NAMES)
}
VOICES = Voices(
    {
        name: speech_like(1.0 if name in greeting_names() else 0.6, 500 + index)
        for index, name in enumerate(script_lines())
    }
)
KNOWN = Fingerprints(PROMPTS)


def bridge(one: Dialog, other: Dialog) -> None:
    """What one leg hears the other leg is told, from now on."""

    def relay(source: Dialog, target: Dialog) -> None:
        def add(samples: Samples, arrival: float) -> None:
            waiting.append(target.media.queue(np.array(samples)))

        source.media.voice.add = add  # type: ignore[method-assign]

    waiting: list[asyncio.Future[bool]] = []
    relay(one, other)
    relay(other, one)


@dataclass
class SmallCity:
    """Greeting, language, one menu (1 a person, 6 an announcement), one operator."""

    end: SipEnd
    operator: SipEnd

    async def serve(self, call: IncomingCall) -> None:
        call.answer()
        media = call.media
        await media.say(PROMPTS["ja/greeting"])
        language, _ = "ja", media.queue(PROMPTS["en/language"])
        if await media.wait_key(3.0) == "9":
            language = "en"
        while not call.is_over:
            menu = media.queue(PROMPTS[f"{language}/menu_main"])
            key = await media.wait_key(6.0)
            media.stop_saying()
            await menu
            if key == "6":
                await media.say(PROMPTS[f"{language}/info_bring"])
                await media.say(PROMPTS[f"{language}/after_tell"])
                await call.hang_up()
            elif key == "1" or key is None:
                return await self._connect(call, language)
            else:
                await media.say(PROMPTS[f"{language}/invalid"])

    async def _connect(self, call: IncomingCall, language: str) -> None:
        await call.media.say(PROMPTS[f"{language}/connecting"])
        leg = await self.end.call(
            "op101", place=(self.operator.host, self.operator.port), identity=known(call.remote_user)
        )
        waiting = asyncio.ensure_future(leg.answered(10))
        gone = asyncio.ensure_future(call.ended())
        await asyncio.wait({waiting, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not call.is_over:
            bridge(call, leg)
            gone_too = asyncio.ensure_future(leg.ended())
            await asyncio.wait({gone, gone_too}, return_when=asyncio.FIRST_COMPLETED)
            gone_too.cancel()
        waiting.cancel()
        gone.cancel()
        await asyncio.gather(call.hang_up(), leg.hang_up())


@dataclass
class World:
    town: Town
    trunk: SipEnd
    operator: Operator
    stage: Stage
    shown: io.StringIO

    async def call(self, intent: Intent, more: dict[str, object]) -> Citizen:
        values: dict[str, object] = {
            "intent": intent,
            "topic": "book",
            "language": "ja",
            "keys": "1",
            "identity": known("07000000001"),
            "shown": "07000000001",
            "seed": 4,
        }
        plan = CitizenPlan(**{**values, **more})  # type: ignore[arg-type]
        citizen = Citizen(plan, self.town, VOICES, self.stage)
        async with asyncio.timeout(60):
            await citizen.run(self.trunk)
            for offer in self.operator.offers:
                await offer.ended(5)
        return citizen


@contextlib.asynccontextmanager
async def small_world() -> AsyncIterator[World]:
    async with (
        await SipEnd.open("city") as city,
        await SipEnd.open("trunk") as trunk,
        await SipEnd.open("op101") as telephone,
    ):
        shown = io.StringIO()
        view = LiveView(SystemClock().city_time_of, headless=True, stream=shown)
        stage = Stage(view.handle)
        plan = OperatorPlan(
            operator="101", user="op101", secret="x", answer_after_s=(0.9, 0.9), ready_rate=0.0
        )
        operator = Operator(plan, telephone, VOICES, stage)
        city.on_call = SmallCity(city, telephone).serve
        town = Town(
            number="0120000101",
            trunk=(city.host, city.port),
            prompts=KNOWN,
            menus=frozenset({"menu_main"}),
            language_keys={"en": "9"},
        )
        yield World(town, trunk, operator, stage, shown)


@dataclass
class Story:
    told: TruthRecord
    offers: list[IncomingCall]
    shown: str


async def _live(intent: Intent, more: dict[str, object]) -> tuple[Citizen, World]:
    async with small_world() as world:
        return await world.call(intent, more), world


def _story(citizen: Citizen, world: World) -> Story:
    (told,) = tell_truth(
        [citizen],
        [world.operator],
        dialled=world.town.number,
        prompts=KNOWN,
        vocabulary=Vocabulary(answers=frozenset({"info_bring"})),
    )
    return Story(told, world.operator.offers, world.shown.getvalue())


LIVES: dict[Intent, dict[str, object]] = {
    Intent.BOOK: {},
    Intent.ENGLISH: {"language": "en", "topic": "ask", "operator_hangs_up": True},
    Intent.MISPRESS: {"wrong_key": "8"},
    Intent.ABANDON: {"patience_s": 0.4},
    Intent.SILENT: {},
    Intent.HANG_UP_IN_GREETING: {},
    Intent.HANG_UP_IN_MENU: {},
    Intent.SELF_SERVICE: {"keys": "6"},
}


@pytest.fixture(scope="module")
def stories() -> dict[Intent, Story]:
    """Every kind of caller, each in a world of its own, all at the same time: talk takes real seconds."""

    async def live_all() -> list[tuple[Citizen, World]]:
        return await asyncio.gather(*(_live(intent, more) for intent, more in LIVES.items()))

    lives = asyncio.run(live_all())
    return {intent: _story(*life) for intent, life in zip(LIVES, lives, strict=True)}


def spoken_by_citizen(topic: str, language: str) -> tuple[str, ...]:
    return tuple(line.name for line in dialogue(topic, language) if line.role is Role.CITIZEN)


def test_a_caller_finds_a_person_and_they_talk_in_turn(stories: dict[Intent, Story]) -> None:
    story = stories[Intent.BOOK]
    told = story.told
    assert (told.disposition, told.operators, told.ended_by) == ("answered", ("101",), "citizen")
    assert told.said == spoken_by_citizen("book", "ja")
    assert told.wait_s == pytest.approx(0.9, abs=0.5)
    names = [prompt["name"] for prompt in told.prompts]
    assert names[0] == "ja/greeting"
    assert names[-1] == "ja/connecting"
    # Nobody speaks over the other: what the operator heard is what was said, line by line.
    (leg,) = story.offers
    heard = VOICES.fingerprints(*told.said).find(leg.media.heard.recording().samples)
    assert tuple(one.name for one in heard) == told.said


def test_those_who_watch_see_no_whole_number(stories: dict[Intent, Story]) -> None:
    shown = stories[Intent.BOOK].shown
    assert "070****0001" in shown
    assert "07000000001" not in shown


def test_an_english_caller_is_spoken_to_in_english_and_the_operator_may_end_it(
    stories: dict[Intent, Story],
) -> None:
    told = stories[Intent.ENGLISH].told
    assert (told.disposition, told.ended_by) == ("answered", "operator")
    assert told.said == spoken_by_citizen("ask", "en")
    assert "en/connecting" in [prompt["name"] for prompt in told.prompts]


def test_a_wrong_key_is_put_right(stories: dict[Intent, Story]) -> None:
    told = stories[Intent.MISPRESS].told
    names = [prompt["name"] for prompt in told.prompts]
    assert names.count("ja/menu_main") == 2
    assert "ja/invalid" in names
    assert told.disposition == "answered"


def test_impatience_leaves_while_it_rings(stories: dict[Intent, Story]) -> None:
    told = stories[Intent.ABANDON].told
    assert (told.disposition, told.operators, told.ended_by) == ("abandoned_queue", (), "citizen")
    assert told.wait_s == pytest.approx(0.4, abs=0.3)
    assert told.missed == ()


@pytest.mark.parametrize(
    ("intent", "disposition"),
    [
        (Intent.HANG_UP_IN_GREETING, "abandoned_menu"),
        (Intent.HANG_UP_IN_MENU, "abandoned_menu"),
        (Intent.SELF_SERVICE, "self_served"),
    ],
)
def test_callers_who_need_nobody(stories: dict[Intent, Story], intent: Intent, disposition: str) -> None:
    assert stories[intent].told.disposition == disposition
    assert stories[intent].offers == []


def test_who_presses_nothing_reaches_a_person(stories: dict[Intent, Story]) -> None:
    told = stories[Intent.SILENT].told
    assert told.disposition == "answered"
    assert told.said == spoken_by_citizen("book", "ja")
