"""Digest authentication (RFC 2617, RFC 7616, RFC 8760): answer to a 401 or 407."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from demo.ends.sip_message import MalformedSip, parameters

_HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """What a server asks for."""

    realm: str
    nonce: str
    algorithm: str = "MD5"
    qop: str = ""
    opaque: str = ""
    stale: bool = False


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user's name and secret; the secret never shows."""

    user: str
    secret: str = field(repr=False)


def parse_challenge(value: str) -> Challenge:
    """One WWW-Authenticate or Proxy-Authenticate value.

    Raises:
        MalformedSip: another scheme than Digest, no nonce, or an algorithm we cannot do.
    """
    scheme, _, rest = value.strip().partition(" ")
    if scheme.lower() != "digest":
        raise MalformedSip(f"unknown scheme: {scheme!r}")
    # The parameters are separated by commas, and a quoted qop may hold one.
    fields = parameters("x;" + ";".join(_comma_parts(rest)))
    algorithm = fields.get("algorithm", "MD5").upper()
    if algorithm.removesuffix("-SESS") not in _HASHES or not fields.get("nonce"):
        raise MalformedSip("a challenge we cannot answer")
    choices = [part.strip() for part in fields.get("qop", "").split(",")]
    return Challenge(
        realm=fields.get("realm", ""),
        nonce=fields["nonce"],
        algorithm=algorithm,
        qop="auth" if "auth" in choices else "",
        opaque=fields.get("opaque", ""),
        stale=fields.get("stale", "").lower() == "true",
    )


def _comma_parts(text: str) -> list[str]:
    parts, quoted, start = [], False, 0
    for index, ch in enumerate(text):
        if ch == '"':
            quoted = not quoted
        elif ch == "," and not quoted:
            parts.append(text[start:index].strip())
            start = index + 1
    return [*parts, text[start:].strip()]


def best_challenge(values: Sequence[str]) -> Challenge:
    """The first challenge that we can answer: servers list the one they like best first (RFC 8760 §2.4).

    Raises:
        MalformedSip: none can be answered.
    """
    for value in values:
        try:
            return parse_challenge(value)
        except MalformedSip:
            continue
    raise MalformedSip("no challenge that can be answered")


def authorization(
    challenge: Challenge,
    credentials: Credentials,
    *,
    method: str,
    uri: str,
    count: int = 1,
    cnonce: str = "",
) -> str:
    """The value of Authorization (or Proxy-Authorization) for one request."""
    cnonce = cnonce or secrets.token_hex(8)
    name = _HASHES[challenge.algorithm.removesuffix("-SESS")]

    def digest(text: str) -> str:
        return hashlib.new(name, text.encode(), usedforsecurity=False).hexdigest()

    first = digest(f"{credentials.user}:{challenge.realm}:{credentials.secret}")
    if challenge.algorithm.endswith("-SESS"):
        first = digest(f"{first}:{challenge.nonce}:{cnonce}")
    second = digest(f"{method}:{uri}")
    if challenge.qop:
        response = digest(f"{first}:{challenge.nonce}:{count:08x}:{cnonce}:{challenge.qop}:{second}")
    else:
        response = digest(f"{first}:{challenge.nonce}:{second}")
    parts = [
        f'username="{credentials.user}"',
        f'realm="{challenge.realm}"',
        f'nonce="{challenge.nonce}"',
        f'uri="{uri}"',
        f'response="{response}"',
        f"algorithm={challenge.algorithm}",
    ]
    if challenge.qop:
        parts += [f"qop={challenge.qop}", f"nc={count:08x}", f'cnonce="{cnonce}"']
    if challenge.opaque:
        parts.append(f'opaque="{challenge.opaque}"')
    return "Digest " + ", ".join(parts)
