"""A language model behind OpenAI's HTTP interface (`/chat/completions`), which many servers speak, local ones too."""

from __future__ import annotations

import json
from typing import Any

import aiohttp

from services.providing import ProviderFailed

_LARGEST = 1 << 20
"""Bytes of an answer that are read."""


class OpenAiHttp:
    """`services.providing.LanguageProvider`. Redirects are not followed: they would carry conversations elsewhere.

    Args:
        url: up to and with the version (`https://llm.example.jp/v1`); https, or http to this machine.
        key: empty sends none.
    """

    def __init__(self, url: str, *, model: str, key: str = "", timeout_s: float = 30.0) -> None:
        self._url, self._model, self._key = f"{url.rstrip('/')}/chat/completions", model, key
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)

    @property
    def name(self) -> str:
        return f"openai-http {self._model}"

    async def ask(self, instruction: str, text: str) -> str:
        body = {
            "model": self._model,
            "temperature": 0,
            "messages": [{"role": "system", "content": instruction}, {"role": "user", "content": text}],
        }
        headers = {"User-Agent": "Toritsugi"} | (
            {"Authorization": f"Bearer {self._key}"} if self._key else {}
        )
        try:
            async with (
                aiohttp.ClientSession(timeout=self._timeout, trust_env=False) as session,
                session.post(self._url, json=body, headers=headers, allow_redirects=False) as answer,
            ):
                status = answer.status
                data = await answer.content.read(_LARGEST + 1) if status == 200 else b""
                while data and len(data) <= _LARGEST and not answer.content.at_eof():
                    data += await answer.content.read(_LARGEST + 1)
        except (TimeoutError, aiohttp.ClientError, OSError) as fault:
            # The address may hold a token, the body a conversation: only the kind of fault is told.
            raise ProviderFailed(type(fault).__name__, where=self.name) from None
        if status != 200:
            raise ProviderFailed(f"answered {status}", where=self.name)
        if len(data) > _LARGEST:
            raise ProviderFailed("the answer is too long", where=self.name)
        return _content(data, self.name)


def _content(data: bytes, name: str) -> str:
    try:
        found: Any = json.loads(data)["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError):
        raise ProviderFailed("the answer cannot be read", where=name) from None
    if not isinstance(found, str):
        raise ProviderFailed("the answer holds no text", where=name)
    return found
