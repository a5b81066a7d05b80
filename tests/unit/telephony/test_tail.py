"""The tail loses no line and gives none twice, whatever happens to the file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telephony.disk.tail import Line, Position, Tail

pytestmark = pytest.mark.unit


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "queue_log"


def write(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def rotate(path: Path, number: int, written: int) -> None:
    """As `logger rotate` does; `written` orders the files, whose times a quick test cannot tell apart."""
    os.utime(path, ns=(written, written))
    path.rename(path.with_name(f"{path.name}.{number}"))


def texts(lines: list[Line]) -> list[str]:
    return [line.text for line in lines]


def everything(tail: Tail) -> list[str]:
    found: list[str] = []
    while lines := tail.read():
        found += texts(lines)
    return found


def test_a_missing_file_is_waited_for(log: Path) -> None:
    tail = Tail(log)
    assert tail.read() == []
    assert Tail(log.parent / "no-such-folder" / "log").read() == []
    write(log, "a\n")
    assert texts(tail.read()) == ["a"]


def test_a_partial_last_line_waits_for_its_end(log: Path) -> None:
    write(log, "a\nb1")
    tail = Tail(log)
    assert texts(tail.read()) == ["a"]
    assert tail.read() == []
    write(log, "b2\n")
    assert texts(tail.read()) == ["b1b2"]


def test_offsets_are_bytes_and_name_the_line(log: Path) -> None:
    write(log, "市\nb\n")
    first, second = Tail(log).read()
    assert (first.at.offset, first.after.offset, second.at.offset) == (0, 4, 4)
    assert first.at.file == second.at.file
    assert first.at.inode == log.stat().st_ino


def test_restart_goes_on_after_the_last_line_taken(log: Path) -> None:
    write(log, "a\nb\nc\n")
    first = Tail(log).read(limit=2)
    saved = Position.from_text(first[-1].after.as_text())
    assert texts(Tail(log, saved).read()) == ["c"]


def test_rotation_while_following(log: Path) -> None:
    write(log, "a\n")
    tail = Tail(log)
    assert texts(tail.read()) == ["a"]
    write(log, "b\n")
    rotate(log, 0, 1)
    write(log, "c\n")
    assert everything(tail) == ["b", "c"]


def test_rotation_before_the_new_file_exists(log: Path) -> None:
    write(log, "a\n")
    tail = Tail(log)
    tail.read()
    rotate(log, 0, 1)
    write(log.with_name("queue_log.0"), "late\n")
    assert everything(tail) == ["late"]
    write(log, "b\n")
    assert everything(tail) == ["b"]


def test_several_rotations_while_nobody_read(log: Path) -> None:
    write(log, "a\nb\n")
    saved = Tail(log).read(limit=1)[0].after
    for number, text in enumerate(("c\n", "d\n", "e\n")):
        rotate(log, number, number + 1)
        write(log, text)
    assert everything(Tail(log, saved)) == ["b", "c", "d", "e"]


def test_without_a_position_everything_there_is_read(log: Path) -> None:
    for number, text in enumerate(("a\n", "b\n", "c\n")):
        write(log, text)
        if number < 2:
            rotate(log, 9 - number, number + 1)  # names need not tell the order
    assert everything(Tail(log)) == ["a", "b", "c"]


def test_an_unfinished_last_line_of_a_rotated_file_is_delivered(log: Path) -> None:
    write(log, "a\ncut")
    tail = Tail(log)
    tail.read()
    rotate(log, 0, 1)
    write(log, "b\n")
    assert everything(tail) == ["cut", "b"]


def test_a_truncated_file_is_begun_again(log: Path) -> None:
    write(log, "aaaa\nbbbb\n")
    tail = Tail(log)
    tail.read()
    log.write_text("c\n")
    assert everything(tail) == ["c"]
    assert tail.truncations == 1


def test_a_new_file_on_the_old_inode_is_not_taken_for_the_old(log: Path) -> None:
    write(log, "old first\nold second\n")
    saved = Tail(log).read()[-1].after
    log.write_text("new first line\nnew second line, longer than all before\n")
    assert log.stat().st_ino == saved.inode
    tail = Tail(log, saved)
    lines = tail.read()
    assert texts(lines) == ["new first line", "new second line, longer than all before"]
    assert lines[0].at.file != saved.file
    assert tail.lost_files == 1


def test_a_deleted_file_is_reported_and_the_rest_read(log: Path) -> None:
    write(log, "a\n")
    saved = Tail(log).read()[-1].after
    write(log.with_name("keep"), "")  # so that the inode is not the next one given out
    log.unlink()
    write(log.with_name("other"), "")
    write(log, "b\n")
    tail = Tail(log, saved)
    assert everything(tail) == ["b"]
    assert tail.lost_files == 1


def test_packed_files_are_left_alone(log: Path) -> None:
    log.with_name("queue_log.0.gz").write_bytes(b"\x1f\x8b\n")
    write(log, "a\n")
    assert everything(Tail(log)) == ["a"]


def test_bytes_that_are_no_utf8_do_not_stop_it(log: Path) -> None:
    log.write_bytes(b"\xff\xfe\nb\n")
    assert texts(Tail(log).read()) == ["\ufffd\ufffd", "b"]


STEPS = st.lists(
    st.one_of(
        st.text("ab\n", min_size=1, max_size=12).map(lambda text: ("write", text)),
        st.just(("rotate", "")),
        st.integers(1, 5).map(lambda limit: ("read", str(limit))),
        st.just(("restart", "")),
    ),
    max_size=30,
)


@given(STEPS)
@settings(max_examples=150, deadline=None)
def test_every_line_once_in_order(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str]]
) -> None:
    """Against the plain text of all that was written; first lines are made unlike, as real ones are."""
    log = tmp_path_factory.mktemp("tail") / "log"
    tail, seen, files, fresh = Tail(log), [], [""], True
    for verb, value in steps:
        if verb == "write":
            if fresh:
                value = f"first line of file {len(files)}\n{value}"
                fresh = False
            write(log, value)
            files[-1] += value
        elif verb == "rotate" and not fresh:
            rotate(log, len(files), len(files))
            files.append("")
            fresh = True
        elif verb == "read":
            seen += texts(tail.read(int(value)))
        elif verb == "restart":
            saved = tail.position
            tail.close()
            tail = Tail(log, saved)
    seen += everything(tail)
    tail.close()
    expected: list[str] = []
    for number, text in enumerate(files):
        lines = text.split("\n")
        finished = (number < len(files) - 1 and not fresh) or number < len(files) - 2
        expected += lines if finished and lines[-1] else lines[:-1]
    assert seen == expected
