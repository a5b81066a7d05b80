"""Every known fault of pyst2 0.5.1's AGI: the bare library fails, `ProcessAgiChannel` does not."""

from __future__ import annotations

import importlib
import io
import threading
from typing import BinaryIO

import pytest
from asterisk.agi import AGI, AGIUnknownError

from core.facts.dialplan import UserEvent
from ivr.ports import CallerGone
from telephony.agi.errors import AgiError
from telephony.agi.process import ProcessAgiChannel, run_blocking

pytestmark = pytest.mark.wire

HEADER = "agi_channel: PJSIP/trunk-1\nagi_callerid: 09012345678\nagi_arg_1: c-n1-1.1\n\n"


class Endless(io.StringIO):
    """After its text only ends of file come; too many of them are an endless loop."""

    reads = 0

    def readline(self, size: int | None = -1, /) -> str:  # type: ignore[override] # typeshed's own clash
        line = super().readline()
        self.reads += not line
        if self.reads > 1000:
            raise RecursionError("read 1000 times past the end")
        return line


def bare(said: str) -> tuple[AGI, io.StringIO, io.StringIO]:
    """pyst2's AGI without the signal handler, over text streams."""
    agi, commands, chatter = AGI.__new__(AGI), io.StringIO(), io.StringIO()
    agi.stdin, agi.stdout, agi.stderr, agi._got_sighup = Endless(said), commands, chatter, False
    agi.env = {}
    agi._get_agi_env()
    return agi, commands, chatter


def ours(*replies: str | bytes) -> tuple[ProcessAgiChannel, io.BytesIO]:
    said = HEADER.encode() + b"".join(r if isinstance(r, bytes) else r.encode() for r in replies)
    commands = io.BytesIO()
    return ProcessAgiChannel(io.BytesIO(said), commands), commands


def test_bare_fastagi_cannot_be_imported() -> None:
    with pytest.raises(ModuleNotFoundError, match="SocketServer"):
        importlib.import_module("asterisk.fastagi")


def test_bare_library_fails_outside_the_main_thread() -> None:
    failures: list[BaseException] = []

    def work() -> None:
        try:
            AGI(io.StringIO(HEADER), io.StringIO(), io.StringIO())
        except ValueError as exc:
            failures.append(exc)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert "signal only works in main thread" in str(failures[0])


def test_any_thread_may_hold_a_channel() -> None:
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.extend(ours()[0].arguments))
    thread.start()
    thread.join()
    assert found == ["c-n1-1.1"]


def test_bare_library_writes_the_callers_number_to_stderr() -> None:
    _, _, chatter = bare(HEADER)
    assert "09012345678" in chatter.getvalue()


def test_nothing_of_the_caller_reaches_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    channel, _ = ours("200 result=1\n")
    run_blocking(channel.set_variable("X", "09012345678"))
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_bare_library_takes_the_end_for_a_number() -> None:
    agi, _, _ = bare(HEADER)
    with pytest.raises(ValueError, match="invalid literal"):
        agi.execute("ANSWER")


def test_bare_library_takes_a_hangup_line_for_a_reply() -> None:
    agi, _, _ = bare(HEADER + "HANGUP\n200 result=1\n")
    with pytest.raises(ValueError, match="invalid literal"):
        agi.execute("ANSWER")


@pytest.mark.parametrize("reply", ["", "200 result=", "511 Command Not Permitted on a dead channel\n"])
def test_the_end_is_the_callers_end(reply: str) -> None:
    channel, _ = ours(reply)
    with pytest.raises(CallerGone):
        run_blocking(channel.get_variable("X"))


def test_no_header_at_all_is_the_callers_end() -> None:
    with pytest.raises(CallerGone):
        ProcessAgiChannel(io.BytesIO(b""), io.BytesIO())


def test_a_hangup_line_is_no_reply() -> None:
    channel, _ = ours("HANGUP\n200 result=1 (value)\n")
    assert run_blocking(channel.get_variable("X")) == "value"


def test_bare_library_loops_for_ever_on_a_cut_usage_text() -> None:
    agi, _, _ = bare(HEADER + "520-Invalid command syntax.  Proper usage follows:\n")
    with pytest.raises(RecursionError, match="past the end"):
        agi.execute("WAIT FOR DIGIT")


def test_a_cut_usage_text_is_the_callers_end() -> None:
    channel, _ = ours("520-Invalid command syntax.  Proper usage follows:\n")
    with pytest.raises(CallerGone):
        run_blocking(channel.wait_digit(1))


def test_bare_library_does_not_know_trying() -> None:
    agi, _, _ = bare(HEADER + "100 Trying\n200 result=1\n")
    with pytest.raises(AGIUnknownError):
        agi.execute("ANSWER")


def test_trying_usage_and_broken_bytes_keep_step() -> None:
    channel, _ = ours(
        "100 Trying\n200 result=1 (a)\n",
        "520-Usage:\nline\n520 End of proper usage.\n",
        b"200 result=1 (\x8eR)\n",
    )
    assert run_blocking(channel.get_variable("A")) == "a"
    with pytest.raises(AgiError):
        run_blocking(channel.get_variable("B"))
    assert run_blocking(channel.get_variable("C")) == "\ufffdR"


def test_bare_library_lets_a_quote_break_out() -> None:
    agi, commands, _ = bare(HEADER + "200 result=1\n")
    agi.set_variable("X", '1" "2')
    assert commands.getvalue() == 'SET VARIABLE "X" "1" "2"\n'


def test_values_are_quoted_and_events_encoded() -> None:
    channel, commands = ours("200 result=1\n", "200 result=0\n")
    run_blocking(channel.set_variable("X", '1" "2'))
    run_blocking(channel.record_event(UserEvent.STEP, node="main", key="#", result="choice"))
    assert commands.getvalue().decode().splitlines() == [
        'SET VARIABLE "X" "1\\" \\"2"',
        'EXEC "CELGenUserEvent" "TS_STEP,node=main&key=%23&result=choice"',
    ]


def test_a_closed_pipe_is_the_callers_end() -> None:
    class Closed(io.BytesIO):
        def write(self, data: object, /) -> int:
            raise BrokenPipeError(32, "Broken pipe")

    said: BinaryIO = io.BytesIO(HEADER.encode())
    with pytest.raises(CallerGone):
        run_blocking(ProcessAgiChannel(said, Closed()).wait_digit(1))


def test_sighup_ends_the_call() -> None:
    channel, commands = ours("200 result=1\n")
    channel._agi.hung_up()
    with pytest.raises(CallerGone):
        run_blocking(channel.wait_digit(1))
    assert commands.getvalue() == b""
