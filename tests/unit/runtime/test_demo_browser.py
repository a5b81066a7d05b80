"""When a demonstration opens a browser, and when not."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from runtime import demo_desk
from runtime.demo_desk import show_in_browser

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("display", "terminal", "opened"), [(":0", True, True), ("", True, False), (":0", False, False)]
)
def test_only_somebody_before_a_display_gets_a_page(
    display: str, terminal: bool, opened: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "xdg-open"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    started: list[list[str]] = []
    monkeypatch.setattr(demo_desk.subprocess, "Popen", lambda command, **_: started.append(command))
    assert show_in_browser("http://localhost:1/board") is opened
    assert started == ([[str(program), "http://localhost:1/board"]] if opened else [])
