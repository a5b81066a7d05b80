"""How much one operator may have in hand at once, by channel: a telephone call now, a citizen at the video desk later.

The telephone is the only channel that this engine distributes. What an operator has in hand on another one is told
from outside, and closes the telephone to them as soon as their caps leave no room.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum, unique


@unique
class Channel(StrEnum):
    """By which way a citizen is served."""

    TELEPHONE = "telephone"
    VIDEO = "video"


MOST = 9
"""Of one channel other than the telephone, and together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """The most that one operator serves at once.

    Raises:
        ValueError: a number out of range.
    """

    telephone: int = 1
    """0 (never the telephone) or 1: a telephone that is in use is not rung (`ringinuse=no`, app_queue)."""
    others: Mapping[Channel, int] = field(default_factory=lambda: {Channel.VIDEO: 1})
    """0 to 9."""
    together: int = 1
    """Of all channels, 1 to 9."""

    def __post_init__(self) -> None:
        if self.telephone not in (0, 1):
            raise ValueError("telephone: 0 or 1")
        for channel, most in self.others.items():
            if not 0 <= most <= MOST:
                raise ValueError(f"{channel}: 0 to {MOST}")
        if not 1 <= self.together <= MOST:
            raise ValueError(f"together: 1 to {MOST}")

    def cap(self, channel: Channel) -> int:
        """Of this channel alone."""
        return self.telephone if channel is Channel.TELEPHONE else self.others.get(channel, 0)

    def room(self, channel: Channel, in_hand: Mapping[Channel, int]) -> bool:
        """Whether one more of this channel may come to somebody who has this much in hand."""
        return in_hand.get(channel, 0) < self.cap(channel) and sum(in_hand.values()) < self.together


DEFAULT_CAPS = Caps()


def caps_of(stored: Mapping[str, int]) -> Caps:
    """Caps from plain numbers by name, `{"telephone": 1, "video": 2, "together": 2}`; what is missing is as by default.

    Raises:
        ValueError: a name that is no channel, or a number out of range.
    """
    known = {channel.value for channel in Channel} | {"together"}
    for name in stored:
        if name not in known:
            raise ValueError(f"{name}: {', '.join(sorted(known))}")
    others: dict[Channel, int] = {
        channel: stored.get(channel.value, DEFAULT_CAPS.cap(channel))
        for channel in Channel
        if channel is not Channel.TELEPHONE
    }
    return Caps(
        telephone=stored.get(Channel.TELEPHONE.value, DEFAULT_CAPS.telephone),
        others=others,
        together=stored.get("together", DEFAULT_CAPS.together),
    )
