"""What can go wrong on an AGI channel. A caller who hangs up is `ivr.ports.CallerGone`, no error."""

from __future__ import annotations

from core.errors import ToritsugiError


class AgiError(ToritsugiError):
    """Asterisk refused a command, or the conversation cannot go on."""

    code = "agi.error"


class AgiTimeout(AgiError):
    """No reply in the time the command may take; the channel is given up and the dialplan falls back."""

    code = "agi.timeout"


class AgiBadValue(AgiError):
    """A value that the protocol cannot carry. Nothing was sent."""

    code = "agi.bad_value"
