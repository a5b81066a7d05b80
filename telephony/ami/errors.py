"""What can go wrong between the engine and Asterisk's Manager Interface."""

from __future__ import annotations

from core.errors import ToritsugiError


class AmiError(ToritsugiError):
    """Root of every AMI error."""

    code = "ami.error"


class AmiUnreachable(AmiError):
    """No login within the time allowed."""

    code = "ami.unreachable"


class AmiLoginRefused(AmiError):
    """Asterisk knows the user or its secret otherwise. Trying again cannot help."""

    code = "ami.login_refused"


class AmiDisconnected(AmiError):
    """There is no session, or it ended before the reply came. The action may or may not have run."""

    code = "ami.disconnected"


class AmiTimeout(AmiError):
    """Asterisk took the action and gave no (whole) reply in time."""

    code = "ami.timeout"


class AmiBadValue(AmiError):
    """A header or value that would break the protocol or Asterisk's member records. Nothing was sent."""

    code = "ami.bad_value"


class AmiRefused(AmiError):
    """Asterisk answered `Response: Error`."""

    code = "ami.refused"


class AmiBusy(AmiError):
    """Too many actions without a reply, or Asterisk does not read. Nothing was sent."""

    code = "ami.busy"
