"""How a caller shows on the trunk: known, withheld, from a payphone, unavailable, diverted.

Carriers differ; the forms here are RFC 3323/3325 privacy and the reason words of Japanese networks in the
display name.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerIdentity:
    """From, P-Asserted-Identity, Privacy, Diversion and History-Info of one INVITE. Empty means absent."""

    user: str
    display: str = ""
    host: str = ""
    asserted: str = ""
    privacy: str = ""
    diversion: str = ""
    """Number that forwarded the call to us."""
    history: tuple[str, ...] = ()
    """Numbers of History-Info, first called first."""

    def uri(self, host: str) -> str:
        return f"sip:{self.user}@{self.host or host}"

    def headers(self, host: str) -> list[tuple[str, str]]:
        """The headers beside From."""
        pairs: list[tuple[str, str]] = []
        if self.asserted:
            pairs.append(("P-Asserted-Identity", f"<sip:{self.asserted}@{host}>"))
        if self.privacy:
            pairs.append(("Privacy", self.privacy))
        if self.diversion:
            pairs.append(("Diversion", f"<sip:{self.diversion}@{host}>;reason=unconditional;counter=1"))
        for index, number in enumerate(self.history):
            step = ".".join(["1"] * (index + 1))
            pairs.append(("History-Info", f"<sip:{number}@{host}>;index={step}"))
        return pairs

    def diverted_by(self, number: str) -> CallerIdentity:
        """The same caller, forwarded to us from `number`."""
        return replace(self, diversion=number)


def known(number: str, display: str = "") -> CallerIdentity:
    """番号通知."""
    return CallerIdentity(user=number, display=display)


def asserted(number: str) -> CallerIdentity:
    """The number stands in P-Asserted-Identity as well, as from a carrier."""
    return CallerIdentity(user=number, asserted=number)


def withheld(number: str = "") -> CallerIdentity:
    """非通知: anonymous From, `Privacy: id`; the carrier may still assert the number to us."""
    return CallerIdentity(
        user="anonymous", display="Anonymous", host="anonymous.invalid", asserted=number, privacy="id"
    )


def payphone() -> CallerIdentity:
    """公衆電話."""
    return CallerIdentity(
        user="anonymous", display="Coin line/payphone", host="anonymous.invalid", privacy="id"
    )


def unavailable() -> CallerIdentity:
    """表示圏外."""
    return CallerIdentity(user="anonymous", display="Unavailable", host="anonymous.invalid")
