"""SIP messages (RFC 3261 §7, §20, §25): parse, serialise, and the few header forms a user agent reads.

A message is a value. Parsing is strict about what would make two ends disagree (start line, Content-Length,
the headers every message must have) and lenient about the rest, as RFC 3261 §16.3 asks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

VERSION = "SIP/2.0"
_COMPACT = {
    "i": "Call-ID",
    "m": "Contact",
    "e": "Content-Encoding",
    "l": "Content-Length",
    "c": "Content-Type",
    "f": "From",
    "s": "Subject",
    "k": "Supported",
    "t": "To",
    "v": "Via",
    "r": "Refer-To",
    "b": "Referred-By",
    "o": "Event",
    "u": "Allow-Events",
    "x": "Session-Expires",
}
_LISTS = {"via", "contact", "route", "record-route", "allow", "supported", "require", "path"}
_NEEDED = ("Via", "From", "To", "Call-ID", "CSeq")
_TOKEN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~")


class MalformedSip(ValueError):
    """The bytes are no SIP message that can be acted upon."""


def _is_token(text: str) -> bool:
    return bool(text) and all(ch in _TOKEN for ch in text)


def split_outside(text: str, separator: str) -> list[str]:
    """Parts of `text` between separators that stand outside quotes and angle brackets."""
    parts: list[str] = []
    start, quoted, angled, escaped = 0, False, False, False
    for index, ch in enumerate(text):
        if escaped:
            escaped = False
        elif quoted:
            escaped = ch == "\\"
            quoted = ch != '"'
        elif ch == '"':
            quoted = True
        elif ch == "<":
            angled = True
        elif ch == ">":
            angled = False
        elif ch == separator and not angled:
            parts.append(text[start:index].strip())
            start = index + 1
    parts.append(text[start:].strip())
    return parts


@dataclass(frozen=True, slots=True)
class Headers:
    """Header fields in order; names compare without case, compact names are spelled out."""

    fields: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> Headers:
        return cls(tuple((_COMPACT.get(name.lower(), name), value) for name, value in pairs))

    def get(self, name: str, default: str = "") -> str:
        """The first value of `name`, or `default`."""
        wanted = name.lower()
        return next((value for key, value in self.fields if key.lower() == wanted), default)

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of `name`; comma-separated lists are taken apart where the header is a list."""
        wanted = name.lower()
        values = [value for key, value in self.fields if key.lower() == wanted]
        if wanted not in _LISTS:
            return tuple(values)
        return tuple(part for value in values for part in split_outside(value, ",") if part)

    def with_(self, name: str, value: str) -> Headers:
        """The same headers with `name` replaced by one value (appended when it was absent)."""
        wanted, done, fields = name.lower(), False, []
        for key, old in self.fields:
            if key.lower() != wanted:
                fields.append((key, old))
            elif not done:
                fields.append((key, value))
                done = True
        if not done:
            fields.append((name, value))
        return Headers(tuple(fields))

    def plus(self, *pairs: tuple[str, str]) -> Headers:
        """The same headers followed by `pairs`."""
        return Headers(self.fields + Headers.of(pairs).fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class SipRequest:
    """A request; `body` is what Content-Length counts."""

    method: str
    uri: str
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""

    @property
    def start_line(self) -> str:
        return f"{self.method} {self.uri} {VERSION}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SipResponse:
    """A response."""

    status: int
    reason: str = ""
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""

    @property
    def start_line(self) -> str:
        return f"{VERSION} {self.status} {self.reason}"


SipMessage = SipRequest | SipResponse


def serialise(message: SipMessage) -> bytes:
    """The bytes on the wire; Content-Length is always set from the body."""
    headers = message.headers.with_("Content-Length", str(len(message.body)))
    lines = [message.start_line, *(f"{name}: {value}" for name, value in headers.fields)]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + message.body


def parse_message(data: bytes) -> SipMessage:
    """The message in one datagram.

    Raises:
        MalformedSip: no start line, a header without a colon, a mandatory header missing, or a body shorter
            than Content-Length. Bytes after the counted body are dropped (RFC 3261 §18.3).
    """
    head, gap, body = data.lstrip(b"\r\n").partition(b"\r\n\r\n")
    if not gap:
        raise MalformedSip("no empty line after the headers")
    try:
        text = head.decode()
    except UnicodeDecodeError as exc:
        raise MalformedSip("headers are no UTF-8") from exc
    lines = _unfold(text.split("\r\n"))
    headers = Headers.of(_header_pairs(lines[1:]))
    for name in _NEEDED:
        if not headers.get(name):
            raise MalformedSip(f"no {name}")
    length = headers.get("Content-Length")
    if length:
        if not (length.isascii() and length.isdigit()):
            raise MalformedSip("Content-Length is no number")
        if int(length) > len(body):
            raise MalformedSip("body is shorter than Content-Length")
        body = body[: int(length)]
    start = lines[0]
    if start.startswith(VERSION + " "):
        status, _, reason = start.removeprefix(VERSION + " ").partition(" ")
        if not (status.isascii() and status.isdigit() and 100 <= int(status) <= 699):
            raise MalformedSip(f"bad status line: {start!r}")
        return SipResponse(status=int(status), reason=reason, headers=headers, body=body)
    parts = start.split(" ")
    if len(parts) != 3 or parts[2] != VERSION or not _is_token(parts[0]) or not parts[1]:
        raise MalformedSip(f"bad start line: {start!r}")
    if parse_cseq(headers.get("CSeq"))[1] != parts[0]:
        raise MalformedSip("CSeq names another method")
    return SipRequest(method=parts[0], uri=parts[1], headers=headers, body=body)


def _unfold(lines: list[str]) -> list[str]:
    unfolded: list[str] = []
    for line in lines:
        if line[:1] in {" ", "\t"} and len(unfolded) > 1:
            unfolded[-1] = f"{unfolded[-1].rstrip()} {line.strip()}"
        else:
            unfolded.append(line)
    return unfolded


def _header_pairs(lines: list[str]) -> Iterable[tuple[str, str]]:
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not _is_token(name.rstrip()):
            raise MalformedSip(f"bad header line: {line!r}")
        yield name.rstrip(), value.strip()


def parse_cseq(text: str) -> tuple[int, str]:
    """Sequence number and method.

    Raises:
        MalformedSip: the value is not `number method`.
    """
    number, _, method = text.partition(" ")
    if not (number.isascii() and number.isdigit()) or not _is_token(method.strip()):
        raise MalformedSip(f"bad CSeq: {text!r}")
    return int(number), method.strip()


def parameters(text: str) -> dict[str, str]:
    """`;name=value` parameters after the first part, names in lower case, quotes removed."""
    found: dict[str, str] = {}
    for part in split_outside(text, ";")[1:]:
        name, _, value = part.partition("=")
        if name.strip():
            found[name.strip().lower()] = _unquote(value.strip())
    return found


def _unquote(text: str) -> str:
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    out, escaped = [], False
    for ch in text[1:-1]:
        if ch == "\\" and not escaped:
            escaped = True
            continue
        out.append(ch)
        escaped = False
    return "".join(out)


def quote(text: str) -> str:
    """`text` as a quoted string; line breaks are dropped, so that no header can be smuggled in."""
    clean = text.replace("\r", "").replace("\n", "")
    return '"' + clean.replace("\\", "\\\\").replace('"', '\\"') + '"'


@dataclass(frozen=True, slots=True)
class SipUri:
    """`sip:user@host:port;params`; the parameters are kept as text."""

    user: str
    host: str
    port: int | None = None
    params: str = ""

    def __str__(self) -> str:
        user = f"{self.user}@" if self.user else ""
        port = f":{self.port}" if self.port is not None else ""
        return f"sip:{user}{self.host}{port}{self.params}"


def parse_uri(text: str) -> SipUri:
    """A sip or sips URI (tel URIs give an empty host).

    Raises:
        MalformedSip: another scheme, or no host.
    """
    scheme, _, rest = text.strip().partition(":")
    if scheme.lower() == "tel":
        return SipUri(rest.partition(";")[0], "")
    if scheme.lower() not in {"sip", "sips"}:
        raise MalformedSip(f"not a SIP URI: {text!r}")
    rest = rest.partition("?")[0]
    user, at, place = rest.rpartition("@")
    hostport, semicolon, params = place.partition(";")
    host, colon, port = hostport.partition(":")
    if not host or (at and not user) or (colon and not port.isdigit()):
        raise MalformedSip(f"bad SIP URI: {text!r}")
    return SipUri(user, host, int(port) if colon else None, semicolon + params)


@dataclass(frozen=True, slots=True)
class Address:
    """A name-addr or addr-spec with its parameters: the value of From, To, Contact, Refer-To, …"""

    uri: str
    display: str = ""
    params: tuple[tuple[str, str], ...] = ()

    @property
    def tag(self) -> str:
        return dict(self.params).get("tag", "")

    @property
    def user(self) -> str:
        return parse_uri(self.uri).user

    def with_tag(self, tag: str) -> Address:
        kept = tuple(pair for pair in self.params if pair[0] != "tag")
        return replace(self, params=(*kept, ("tag", tag)))

    def __str__(self) -> str:
        display = f"{quote(self.display)} " if self.display else ""
        tail = "".join(f";{name}={value}" if value else f";{name}" for name, value in self.params)
        return f"{display}<{self.uri}>{tail}"


def parse_address(text: str) -> Address:
    """The address in a From, To, Contact or similar header.

    Raises:
        MalformedSip: an angle bracket that never closes, or no URI.
    """
    text = text.strip()
    opening = _first_outside_quotes(text, "<")
    if opening < 0:
        uri = text.partition(";")[0].strip()
        if not uri:
            raise MalformedSip("empty address")
        return Address(uri, "", tuple(parameters(text).items()))
    closing = text.find(">", opening)
    if closing < 0:
        raise MalformedSip(f"bad address: {text!r}")
    params = parameters("x" + text[closing + 1 :].strip())
    return Address(text[opening + 1 : closing], _unquote(text[:opening].strip()), tuple(params.items()))


def _first_outside_quotes(text: str, wanted: str) -> int:
    quoted = escaped = False
    for index, ch in enumerate(text):
        if escaped:
            escaped = False
        elif quoted and ch == "\\":
            escaped = True
        elif ch == '"':
            quoted = not quoted
        elif ch == wanted and not quoted:
            return index
    return -1
