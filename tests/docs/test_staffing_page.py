"""The commands of `docs/staffing.md` print what the page shows."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.settings import PROJECT_ROOT
from runtime.cli import app

pytestmark = pytest.mark.docs
PAGE = PROJECT_ROOT / "docs" / "staffing.md"
EXAMPLE = re.compile(r"```console\n\$ \./toritsugi (?P<command>[^\n]+)\n(?P<shown>.*?)```", re.DOTALL)


def printed(command: str) -> str:
    result = CliRunner().invoke(app, shlex.split(command))
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_examples_print_what_the_page_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORITSUGI_HOME", str(tmp_path))
    text = PAGE.read_text(encoding="utf-8")
    examples = list(EXAMPLE.finditer(text))
    assert len(examples) == 3
    if os.environ.get("TORITSUGI_UPDATE_GOLDEN"):
        for example in examples:
            shown = f"```console\n$ ./toritsugi {example['command']}\n{printed(example['command'])}```"
            text = text.replace(example[0], shown)
        PAGE.write_text(text, encoding="utf-8")
        examples = list(EXAMPLE.finditer(text))
    for example in examples:
        assert printed(example["command"]) == example["shown"]
