"""What people see while things come."""

from __future__ import annotations

import unicodedata
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.install.debian import _bytes_to_get, _explained
from runtime.install.errors import InstallError
from runtime.install.progress import Progress, _fit

pytestmark = pytest.mark.unit


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_plain_lines_when_nobody_watches() -> None:
    out = StringIO()
    progress = Progress(total=2, out=out)

    with progress.step("道具 / tool") as step:
        step.amount(1_000_000, 2_000_000)
        step.finished_with("1.0")

    assert out.getvalue().splitlines() == ["[1/2] 道具 / tool …", "[1/2] ✓ 道具 / tool 1.0 (0 s)"]


def test_a_failed_step_says_why_and_passes_the_error_on() -> None:
    out = StringIO()

    with pytest.raises(InstallError), Progress(total=1, out=out).step("道具"):
        raise InstallError("つながりません", english="unreachable")

    assert "✗ 道具 – つながりません" in out.getvalue()


def test_nothing_is_written_before_the_first_step() -> None:
    out = Terminal()
    Progress(total=3, out=out)

    assert out.getvalue() == ""


def test_a_terminal_keeps_one_moving_line_and_closes_it() -> None:
    out = Terminal()
    progress = Progress(total=1, out=out)

    with progress.step("道具 / tool"):
        while "⠋" not in out.getvalue():
            pass

    assert "[0/1] 道具" in out.getvalue()
    assert out.getvalue().splitlines()[-1].endswith("✓ 道具 / tool (0 s)")


@given(st.text(), st.integers(1, 40))
def test_a_line_never_runs_past_the_edge(text: str, width: int) -> None:
    fitted = _fit(text, width)

    assert text.startswith(fitted)
    assert sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in fitted) <= width


@pytest.mark.parametrize(
    ("output", "size"),
    [
        ("Need to get 81.5 MB of archives.", 81_500_000),
        ("Need to get 912 kB/81.5 MB of archives.", 81_500_000),
        ("Need to get 0 B of archives.", 0),
        ("nothing said", 0),
    ],
)
def test_the_size_that_apt_announces(output: str, size: int) -> None:
    assert _bytes_to_get(output) == size


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("Err:1 http://x sid InRelease\n  Temporary failure resolving 'x'", "つながりません"),
        ("W: GPG error: http://x sid InRelease: NO_PUBKEY 6ED0E7B8", "署名"),
        ("E: Release file for http://x is expired (invalid since 14d).", "日付"),
        ("dpkg-deb: error: No space left on device", "空き"),
        ("E: Unable to locate package asterisk", "取り寄せられません"),
    ],
)
def test_apts_words_become_a_cause_and_a_cure(output: str, words: str) -> None:
    error = _explained(output, "apt-get")

    assert words in error.message
    assert error.cure
