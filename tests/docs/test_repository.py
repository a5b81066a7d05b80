"""Links lead somewhere, and no file tells where it was written."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from core.settings import PROJECT_ROOT

pytestmark = pytest.mark.docs

_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s#]+)(?:#[^)]*)?\)")
_FOREIGN = re.compile(
    # Where this checkout lies, whoever runs the test, and where people's own things lie.
    rf"{re.escape(str(PROJECT_ROOT))}\b|/home/[a-z]|/Users/[a-z]|pyenv/versions|"
    r"https?://(?:[a-z0-9-]+\.)*(?:artifactory|nexus|jfrog|devpi)\b(?!\S*\.(?:example|test|invalid)\b)|"
    r"(?:index-url|extra-index-url|registry)\s*=\s*https?://"
)


def tracked(*suffixes: str) -> list[Path]:
    """Files of the repository; all files below the root where there is no git."""
    try:
        done = subprocess.run(
            ["git", "ls-files", "-z"], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
        )
        names = [name for name in done.stdout.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        hidden = (".toritsugi", "var", "out", ".git")
        names = [
            str(path.relative_to(PROJECT_ROOT))
            for path in PROJECT_ROOT.rglob("*")
            if path.is_file() and path.relative_to(PROJECT_ROOT).parts[0] not in hidden
        ]
    paths = [PROJECT_ROOT / name for name in names]
    return [path for path in paths if path.is_file() and (not suffixes or path.suffix in suffixes)]


def test_links_between_pages_lead_somewhere() -> None:
    broken = [
        f"{path.relative_to(PROJECT_ROOT)}: {target}"
        for path in tracked(".md")
        for target in _LINK.findall(path.read_text(encoding="utf-8"))
        if not target.startswith(("http:", "https:", "mailto:")) and not (path.parent / target).exists()
    ]
    assert not broken


def test_paths_named_in_the_pages_exist() -> None:
    """`core/settings.py` in a page is a promise that the file is there."""
    missing = [
        f"{path.relative_to(PROJECT_ROOT)}: {name}"
        for path in tracked(".md")
        for name in re.findall(
            r"`((?:acd|asterisk_conf|core|demo|dialplans|docs|ivr|ledger|profiles|reports|runtime|services|speech|"
            r"storage|telephony|tests)/[a-z0-9_./-]+\.(?:py|toml|conf|md|j2))`",
            path.read_text(encoding="utf-8"),
        )
        if not (PROJECT_ROOT / name).exists()
    ]
    assert not missing


def test_no_file_tells_where_it_was_written() -> None:
    this = Path(__file__).resolve()
    found = []
    for path in tracked():
        if path.resolve() == this:
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), start=1):
            if word := _FOREIGN.search(line):
                found.append(f"{path.relative_to(PROJECT_ROOT)}:{number}: {word[0]}")
    assert not found


@pytest.mark.parametrize(
    "line", [f"see {PROJECT_ROOT}/x", "--index-url" + "=https://host/simple", "/home/" + "someone/.cache"]
)
def test_the_search_finds_what_it_is_for(line: str) -> None:
    assert _FOREIGN.search(line)


GLOSSARY = PROJECT_ROOT / "docs" / "glossary.md"


@pytest.mark.skipif(not GLOSSARY.exists(), reason="the glossary is not written yet")
@pytest.mark.parametrize("module", ["ledger/calls.py", "acd/events.py", "acd/floor.py"])
def test_every_class_of_the_domain_has_its_term(module: str) -> None:
    names = re.findall(r"^class (\w+)", (PROJECT_ROOT / module).read_text("utf-8"), re.MULTILINE)
    text = GLOSSARY.read_text(encoding="utf-8")
    assert [name for name in names if name not in text] == []
