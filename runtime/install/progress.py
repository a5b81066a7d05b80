"""What is being installed, shown on stderr: a moving line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import shutil
import sys
import threading
import time
import unicodedata
from collections.abc import Iterator
from typing import TextIO

from core.errors import ToritsugiError

_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_REFRESH_S = 0.1
_PLAIN_NOTE_S = 15.0


class Step:
    """One thing being installed. `note` and `amount` may be called from any thread."""

    def __init__(self, progress: Progress, name: str, number: int) -> None:
        self._progress, self.name, self.number = progress, name, number
        self.detail = ""
        self.result = ""
        self.started = time.monotonic()
        self.last_line = self.started

    def note(self, text: str) -> None:
        """Say what the step is doing now."""
        self.detail = text
        self._progress._changed(self)

    def amount(self, done: int, total: int) -> None:
        """Say how many bytes of how many have come; `total` 0 when unknown."""
        self.note(f"{done / 1e6:.0f}/{total / 1e6:.0f} MB" if total else f"{done / 1e6:.0f} MB")

    def finished_with(self, text: str) -> None:
        """What the closing line says: usually a version."""
        self.result = text


class Progress:
    """Steps of one run, silent until the first step starts.

    Args:
        total: how many steps will come, for "n of m"; 0 when unknown.
        out: where to write; stderr, because stdout is for data.
    """

    def __init__(self, *, total: int = 0, out: TextIO | None = None) -> None:
        self.total = total
        self._out = sys.stderr if out is None else out
        self._tty = self._out.isatty()
        self._lock = threading.Lock()
        self._active: list[Step] = []
        self._count = 0
        self._painter: threading.Thread | None = None
        self._line_shown = False

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Show `name` until the block ends, then that it is done or that it failed."""
        with self._lock:
            self._count += 1
            step = Step(self, name, self._count)
            self._active.append(step)
            if not self._tty:
                self._line(f"{self._head(step)} {name} …")
            elif self._painter is None:
                self._painter = threading.Thread(target=self._paint_loop, daemon=True)
                self._painter.start()
        done = False
        try:
            yield step
            done = True
        except ToritsugiError as error:
            step.result = f"– {error.message}"
            raise
        finally:
            took = time.monotonic() - step.started
            with self._lock:
                self._active.remove(step)
                mark = "✓" if done else "✗"
                result = f" {step.result}" if step.result else ""
                self._line(f"{self._head(step)} {mark} {name}{result} ({took:.0f} s)")

    def _head(self, step: Step) -> str:
        return f"[{step.number}/{max(self.total, self._count)}]"

    def _line(self, text: str) -> None:
        clear = "\r\x1b[K" if self._line_shown else ""
        self._line_shown = False
        self._out.write(f"{clear}{text}\n")
        self._out.flush()

    def _changed(self, step: Step) -> None:
        now = time.monotonic()
        with self._lock:
            if not self._tty and now - step.last_line >= _PLAIN_NOTE_S:
                step.last_line = now
                self._line(f"{self._head(step)} {step.name}: {step.detail}")

    def _paint_loop(self) -> None:
        turn = 0
        while True:
            with self._lock:
                if not self._active:
                    self._painter = None
                    return
                self._paint(_SPINNER[turn % len(_SPINNER)])
            turn += 1
            time.sleep(_REFRESH_S)

    def _paint(self, mark: str) -> None:
        done = self._count - len(self._active)
        parts = [
            f"{s.name.partition(' / ')[0]} {s.detail.partition(' / ')[0]}".rstrip() for s in self._active
        ]
        text = f"{mark} [{done}/{max(self.total, self._count)}] {' · '.join(parts)}"
        self._out.write(f"\r\x1b[K{_fit(text, _columns() - 1)}")
        self._out.flush()
        self._line_shown = True


def _columns() -> int:
    return shutil.get_terminal_size((80, 24)).columns


def _fit(text: str, width: int) -> str:
    """`text` cut to `width` columns; full-width characters count two."""
    used = 0
    for index, character in enumerate(text):
        used += 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if used > width:
            return text[:index]
    return text
