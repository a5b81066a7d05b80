"""A language model over HTTP, against a server on loopback; nothing leaves while a city has not asked for it."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from core.errors import ToritsugiError
from core.ids import CallId
from core.settings import settings_from
from notify.openai_http import OpenAiHttp
from runtime.process import free_port
from runtime.providers import provider_of
from runtime.transcribing import Worker
from services.ports import RecordingFile, TranscriptJob
from services.providing import LONGEST, ProviderFailed, outgoing, provided_summary, translated
from speech.conversation import Sentence
from speech.jobs import JobState
from speech.profile import ProviderSection, ProviderTask, SpeechSection
from speech.transcript import Transcript, TranscriptSegment
from storage.database import Database

pytestmark = pytest.mark.wire

CALL = CallId("c-n1-1795228422.49")
SAID = [
    Sentence(side="citizen", text="山田太郎と申します。マイナンバーは1234 5678 9018です"),
    Sentence(side="line", text="土曜日の10時でお取りしました"),
]
ON = SpeechSection(provider=ProviderSection(tasks=tuple(ProviderTask), model="tiny"))
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def server(handler: Handler) -> AsyncIterator[str]:
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        await runner.cleanup()


def saying(text: str, got: list[tuple[str, str, Any]] | None = None) -> Handler:
    async def answer(request: web.Request) -> web.Response:
        if got is not None:
            got.append((request.path, request.headers.get("Authorization", ""), await request.json()))
        return web.json_response({"choices": [{"message": {"role": "assistant", "content": text}}]})

    return answer


async def test_the_wire_is_spoken_and_only_masked_text_is_on_it() -> None:
    got: list[tuple[str, str, Any]] = []
    async with server(saying("予約を受けた。連絡先は090-0123-4567。", got)) as url:
        provider = OpenAiHttp(url, model="tiny", key="k3y", timeout_s=2.0)
        assert await provided_summary(provider, SAID) == "予約を受けた。連絡先は［電話番号］。"
    ((path, key, body),) = got
    assert (path, key, body["model"]) == ("/v1/chat/completions", "Bearer k3y", "tiny")
    sent = json.dumps(body, ensure_ascii=False)
    assert "［マイナンバー］" in sent
    assert "土曜日の10時でお取りしました" in sent
    for secret in ("1234", "9018", "山田"):
        assert secret not in sent


async def test_a_translation_keeps_its_lines_and_tells_when_some_are_missing() -> None:
    async with server(saying("1. I am ［氏名］.\n2. Saturday at ten.")) as url:
        lines = await translated(OpenAiHttp(url, model="tiny"), SAID, "en")
    assert [text for _, text in lines] == ["I am ［氏名］.", "Saturday at ten."]
    async with server(saying("Sure! Here you are:\n1. I am ［氏名］.")) as url:
        with pytest.raises(ProviderFailed):
            await translated(OpenAiHttp(url, model="tiny"), SAID, "en")
    with pytest.raises(ToritsugiError):
        await translated(OpenAiHttp("http://127.0.0.1:1/v1", model="tiny"), SAID, "xx")


async def _refuses(request: web.Request) -> web.Response:
    return web.Response(status=500)


async def _moves(request: web.Request) -> web.Response:
    raise web.HTTPFound("/elsewhere")


async def _hangs(request: web.Request) -> web.Response:
    await asyncio.Event().wait()
    raise AssertionError


async def _babbles(request: web.Request) -> web.Response:
    return web.Response(text="<html>")


async def _is_odd(request: web.Request) -> web.Response:
    return web.json_response({"choices": [{"message": {"content": ["no text"]}}]})


async def _is_endless(request: web.Request) -> web.Response:
    return web.Response(body=b"x" * (3 << 20))


@pytest.mark.parametrize("handler", [_refuses, _moves, _hangs, _babbles, _is_odd, _is_endless, saying("  ")])
async def test_whatever_comes_back_costs_the_answer_only(handler: Handler) -> None:
    async with server(handler) as url:
        with pytest.raises(ProviderFailed) as told:
            await provided_summary(OpenAiHttp(url, model="tiny", timeout_s=0.3), SAID)
    assert "1234" not in str(told.value)


async def test_a_server_that_is_not_there() -> None:
    with pytest.raises(ProviderFailed):
        await provided_summary(OpenAiHttp(f"http://127.0.0.1:{free_port()}/v1", model="tiny"), SAID)


def test_a_long_conversation_is_cut_in_its_middle() -> None:
    sent = outgoing([Sentence(side="line", text="ご案内いたします")] * 2000)
    assert len(sent) < LONGEST + 10
    assert "\n…\n" in sent


@pytest.mark.parametrize(
    ("speech", "url"), [(SpeechSection(), "https://llm.example.jp/v1"), (ON, ""), (SpeechSection(), "")]
)
def test_it_takes_profile_and_settings_to_switch_it_on(speech: SpeechSection, url: str) -> None:
    settings = settings_from({"TORITSUGI_PROVIDER": url})
    assert all(provider_of(settings, speech, task) is None for task in ProviderTask)


def test_plain_http_to_elsewhere_and_a_missing_model_are_refused() -> None:
    with pytest.raises(ToritsugiError):
        settings_from({"TORITSUGI_PROVIDER": "http://llm.example.jp/v1"})
    with pytest.raises(ValueError, match="model"):
        ProviderSection(tasks=(ProviderTask.SUMMARY,))
    both = settings_from({"TORITSUGI_PROVIDER": "https://llm.example.jp/v1", "TORITSUGI_PROVIDER_KEY": "k3y"})
    assert provider_of(both, ON, ProviderTask.SUMMARY) is not None
    assert "k3y" not in repr(both)


HEARD = Transcript(
    base=str(CALL), language="ja", state=JobState.DONE,
    segments=(
        TranscriptSegment(
            side="citizen", start_s=0.0, end_s=3.0, kana="", confidence=0.9,
            text="カードの受け取りの予約をお願いしたいんですけど",
        ),
    ),
)  # fmt: skip


async def transcribe(tmp_path: Path, speech: SpeechSection, url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """One job through the worker; what is stored of its understanding."""
    settings = settings_from({"TORITSUGI_HOME": str(tmp_path), "TORITSUGI_PROVIDER": url})
    settings.recordings.mkdir(parents=True, exist_ok=True)
    database = Database(settings.database_url)
    await database.migrate()
    worker = Worker("n1-1-0", settings, database, speech)
    monkeypatch.setattr(worker, "_child", type("Child", (), {"transcribe": lambda self, job: HEARD})())
    async with database.uow() as unit:
        await unit.recordings.put(
            RecordingFile(
                base=str(CALL), side="citizen", call_id=CALL, path="", state="closed", started_at=1.0
            )
        )
        await unit.jobs.add(TranscriptJob(call_id=CALL, base=str(CALL), language="ja"))
        job = await unit.jobs.claim("n1-1-0", 10.0, 100.0)
    assert job is not None
    await worker._do(job)
    async with database.reading() as unit:
        found = (await unit.insights.of_calls([CALL]))[CALL]
    await database.close()
    return found.record


async def test_nothing_leaves_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(socket.socket, "connect", lambda self, address: asked.append(address))
    monkeypatch.setattr(
        asyncio.get_running_loop(), "getaddrinfo", lambda *a, **k: asked.append(a) or asyncio.sleep(0)
    )
    record = await transcribe(tmp_path, SpeechSection(), "https://llm.example.jp/v1", monkeypatch)
    assert "provided" not in record
    assert asked == []


async def test_switched_on_the_summary_stands_beside_ours_with_its_maker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with server(saying("受け取りの予約を希望。")) as url:
        record = await transcribe(tmp_path, ON, url, monkeypatch)
    assert record["provided"] == {"summary": "受け取りの予約を希望。", "by": "openai-http tiny"}
    assert record["summary"]
    record = await transcribe(tmp_path / "away", ON, f"http://127.0.0.1:{free_port()}/v1", monkeypatch)
    assert "provided" not in record
    assert record["summary"]
