"""Session descriptions (RFC 4566, offer and answer of RFC 3264) for one narrow-band audio stream."""

from __future__ import annotations

from dataclasses import dataclass

PCMU, PCMA = 0, 8
_STATIC = {PCMU: "PCMU/8000", PCMA: "PCMA/8000"}
_DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")
_MIRROR = {"sendrecv": "sendrecv", "sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive"}


class NoCommonMedia(ValueError):
    """The two ends share no audio codec, or the description holds no audio (answer with 488)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioDescription:
    """Where one end wants its audio, and how. `dtmf` is the payload type of telephone-event, if any."""

    host: str
    port: int
    payloads: tuple[int, ...] = (PCMU, PCMA)
    dtmf: int | None = 101
    direction: str = "sendrecv"
    session: int = 1
    version: int = 1

    def render(self) -> bytes:
        formats = [*self.payloads, *([self.dtmf] if self.dtmf is not None else [])]
        lines = [
            "v=0",
            f"o=- {self.session} {self.version} IN IP4 {self.host}",
            "s=-",
            f"c=IN IP4 {self.host}",
            "t=0 0",
            f"m=audio {self.port} RTP/AVP {' '.join(str(number) for number in formats)}",
            *(f"a=rtpmap:{number} {_STATIC[number]}" for number in self.payloads),
        ]
        if self.dtmf is not None:
            lines += [f"a=rtpmap:{self.dtmf} telephone-event/8000", f"a=fmtp:{self.dtmf} 0-15"]
        lines += ["a=ptime:20", f"a={self.direction}"]
        return ("\r\n".join(lines) + "\r\n").encode()


def parse_sdp(body: bytes) -> AudioDescription:
    """The first audio stream of a description, reduced to the codecs we speak.

    Raises:
        NoCommonMedia: no audio line, a refused stream (port 0), or no codec of ours.
    """
    host, media_host, direction, port = "", "", "sendrecv", 0
    formats: list[int] = []
    names: dict[int, str] = {}
    in_audio = seen_audio = False
    for line in body.decode(errors="replace").splitlines():
        kind, _, value = line.strip().partition("=")
        if kind == "m":
            parts = value.split()
            in_audio = not seen_audio and len(parts) > 3 and parts[0] == "audio"
            if in_audio:
                seen_audio = True
                port = int(parts[1].partition("/")[0]) if parts[1].partition("/")[0].isdigit() else 0
                formats = [int(part) for part in parts[3:] if part.isdigit()]
        elif kind == "c" and value.startswith("IN IP4 "):
            address = value.removeprefix("IN IP4 ").partition("/")[0].strip()
            if in_audio:
                media_host = address
            elif not seen_audio:
                host = address
        elif kind == "a" and (in_audio or not seen_audio):
            if value in _DIRECTIONS:
                direction = value
            elif value.startswith("rtpmap:"):
                number, _, name = value.removeprefix("rtpmap:").partition(" ")
                if number.isdigit():
                    names[int(number)] = name.strip().lower()
    payloads = tuple(
        number for number in formats if number in _STATIC and names.get(number, "pcm").startswith("pcm")
    )
    dtmf = next((number for number in formats if names.get(number) == "telephone-event/8000"), None)
    if not port or not payloads:
        raise NoCommonMedia("no audio stream with PCMU or PCMA")
    if (media_host or host) == "0.0.0.0":  # noqa: S104 - RFC 2543 hold, not a listening address
        direction = "sendonly" if direction == "sendrecv" else "inactive"
    return AudioDescription(
        host=media_host or host, port=port, payloads=payloads, dtmf=dtmf, direction=direction
    )


def answer_to(offer: AudioDescription, ours: AudioDescription) -> AudioDescription:
    """Our description narrowed to one codec of the offer, in the offerer's order, direction mirrored.

    Raises:
        NoCommonMedia: the offer holds none of our codecs.
    """
    common = next((number for number in offer.payloads if number in ours.payloads), None)
    if common is None:
        raise NoCommonMedia("no common codec")
    return AudioDescription(
        host=ours.host,
        port=ours.port,
        payloads=(common,),
        dtmf=offer.dtmf,
        direction=_MIRROR[offer.direction],
        session=ours.session,
        version=ours.version,
    )
