"""What a command needs beside its Python environment, brought before it starts."""

from __future__ import annotations

import sys
from pathlib import Path

from runtime.install.ensure import COMMAND_TOOLS, Task, ensure_all
from runtime.install.progress import Progress
from speech.engines import EngineKind, choose
from speech.models import fetch_models, models_dir

LANGUAGES = ("ja", "en")
"""Languages whose calls are transcribed."""


def bring_tools(command: str, tools: Path) -> None:
    """Bring the programs and speech models that `command` needs; silent when all is there.

    Raises:
        ToritsugiError: a program cannot be brought. A missing model is told on stderr, never raised: recordings
            wait for it.
    """
    ensure_all(COMMAND_TOOLS.get(command, frozenset()), tools, extra=[models_task(tools)])


def models_task(tools: Path) -> Task:
    """The recognisers' models, as something to be brought beside the rest."""
    return Task(name="models", ready=lambda: _heard(tools), bring=lambda progress: _bring(tools, progress))


def _heard(tools: Path) -> bool:
    folders = [models_dir(tools)]
    return all(choose(language, folders).kind is not EngineKind.NO_MODEL for language in LANGUAGES)


def _bring(tools: Path, progress: Progress) -> None:
    with progress.step("音声認識モデル / speech models") as step:

        def show(what: str, share: float | None) -> None:
            step.note(what if share is None else f"{what} {share:.0%}")

        report = fetch_models(tools, show, languages=LANGUAGES)
        step.finished_with(", ".join(f"{choice.language}: {choice.kind}" for choice in report.choices))
    for note in report.notes:
        print(f"  {note}", file=sys.stderr)
