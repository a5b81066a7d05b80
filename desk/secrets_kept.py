"""Passwords, one-time codes and tokens: made, hashed, compared. Nothing here is ever written to a log."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import secrets
import unicodedata

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from cryptography.fernet import Fernet, InvalidToken

from core.errors import ToritsugiError

LEAST_LENGTH, MOST_LENGTH = 12, 128
LEAST_DIFFERENT = 6
AT_ONCE = 2
"""Hashes at once: each takes 64 MiB and a core for a moment."""
CODE_STEP_S = 30
STEPS_AROUND = 1
"""A telephone's clock may be off by so many steps."""
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,38}")


def new_token() -> str:
    """A secret of 256 bits, safe in addresses and cookies."""
    return secrets.token_urlsafe(32)


TOKEN_PREFIX = "trt_"  # noqa: S105 - what a token looks like
TOKEN_PREFIX_LENGTH = len(TOKEN_PREFIX)


def new_api_token() -> str:
    """A token for programs; the prefix lets scanners of leaked secrets know it."""
    return TOKEN_PREFIX + new_token()


def token_hash(token: str) -> str:
    """What is stored of a token. Tokens are long and random, so a plain hash hides them."""
    return hashlib.sha256(token.encode()).hexdigest()


class Passwords:
    """argon2id, beside the loop."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._nobodys = self._hasher.hash(new_token())

    async def hash(self, password: str) -> str:
        async with self._turn:
            return await asyncio.to_thread(self._hasher.hash, unicodedata.normalize("NFKC", password))

    async def fits(self, stored: str, password: str) -> bool:
        """Whether it is the password; takes the same time when there is none (`stored` empty)."""
        async with self._turn:
            right = await asyncio.to_thread(self._verify, stored or self._nobodys, password[:MOST_LENGTH])
        return right and bool(stored)

    def stale(self, stored: str) -> bool:
        """Whether it was made with weaker parameters than today's."""
        return self._hasher.check_needs_rehash(stored)

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, unicodedata.normalize("NFKC", password))
        except (Argon2Error, InvalidHashError):
            return False


def require_good_password(password: str, name: str) -> None:
    """Refuse what is guessed soon.

    Raises:
        ToritsugiError: too short or long, too few different characters, or the name in it.
    """
    text = unicodedata.normalize("NFKC", password)
    if not LEAST_LENGTH <= len(text) <= MOST_LENGTH:
        problem = f"長さは {LEAST_LENGTH} 文字から {MOST_LENGTH} 文字です"
    elif len(set(text)) < LEAST_DIFFERENT:
        problem = "同じ文字のくり返しが多すぎます"
    elif name in text.lower():
        problem = "利用者名を含んでいます"
    else:
        return
    raise ToritsugiError(
        problem, where="パスワード", cure="長くて思い出しやすい、ほかで使っていない言葉にする"
    )


class Sealer:
    """Keeps secrets that must be read again (one-time code seeds) unreadable in the database alone."""

    def __init__(self, key: str) -> None:
        """`key`: the instance's own secret, of any length."""
        digest = hashlib.sha256(b"toritsugi-desk:" + key.encode()).digest()
        self._box = Fernet(base64.urlsafe_b64encode(digest))

    def seal(self, text: str) -> str:
        return self._box.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """Raises ToritsugiError when it was sealed with another key."""
        try:
            return self._box.decrypt(sealed.encode()).decode()
        except InvalidToken as problem:
            raise ToritsugiError(
                "確認コードの種が読めません",
                where="secrets/desk",
                cure="secrets を元に戻すか、toritsugi user reset で登録しなおす",
            ) from problem


def new_code_secret() -> str:
    """A new seed for one-time codes."""
    return pyotp.random_base32()


def code_address(secret: str, name: str, centre: str) -> str:
    """What an authenticator app reads from the picture."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=f"取次 {centre}")


def code_step(secret: str, code: str, now: float, last_step: int) -> int | None:
    """The time step whose code this is; None when it is wrong or was used before.

    Args:
        last_step: the last step that was used; it and those before it do not count.
    """
    digits = unicodedata.normalize("NFKC", code).replace(" ", "")
    if not re.fullmatch(r"[0-9]{6}", digits):
        return None
    totp, step = pyotp.TOTP(secret), int(now) // CODE_STEP_S
    for each in range(step - STEPS_AROUND, step + STEPS_AROUND + 1):
        if each > last_step and secrets.compare_digest(totp.generate_otp(each), digits):
            return each
    return None
