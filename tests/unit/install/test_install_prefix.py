"""A prefix is there whole or not at all."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

import pytest

from runtime.install.debian import PrivateApt
from runtime.install.errors import InstallError
from runtime.install.machine import MACHINES
from runtime.install.prefix import Prefix, Recipe, ensure_prefix, existing_prefix
from runtime.install.progress import Progress, Step

pytestmark = [
    pytest.mark.unit,
    pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="no dpkg-deb: not a Debian machine"),
]
MACHINE = MACHINES["x86_64"]


def archive(folder: Path, name: str, version: str = "1:2.0-1") -> Path:
    """A package with a program that is setuid, and a loader."""
    tree = folder / f"tree-{name}"
    (tree / "DEBIAN").mkdir(parents=True)
    control = f"Package: {name}\nVersion: {version}\nArchitecture: amd64\nMaintainer: t <t@e.example>\nDescription: t\n"
    (tree / "DEBIAN/control").write_text(control)
    program = tree / f"usr/bin/{name}"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o4755)
    library = tree / "usr/lib/x86_64-linux-gnu"
    (library / "private").mkdir(parents=True)
    (library / f"private/lib{name}.so.1").touch()
    if name == "tool":
        (library / MACHINE.loader).touch()
    out = folder / f"{name}_{version.replace(':', '%3a')}_amd64.deb"
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-b", str(tree), str(out)], check=True, capture_output=True
    )
    return out


class FakeApt(PrivateApt):
    """Serves archives made above."""

    def __init__(self, root: Path, archives: Sequence[Path]) -> None:
        super().__init__(root, [], MACHINE)
        self._archives = tuple(archives)
        self.updates = 0

    def update(self) -> None:
        self.updates += 1

    def fetch(self, packages: Sequence[str], step: Step) -> tuple[Path, ...]:
        return self._archives


@pytest.fixture
def served(tmp_path: Path) -> list[FakeApt]:
    return [FakeApt(tmp_path / "apt", [archive(tmp_path, "tool"), archive(tmp_path, "libc6")])]


def bring(tools: Path, served: list[FakeApt], complaint: str = "") -> Prefix:
    def verify(fresh: Prefix) -> str:
        if complaint:
            raise InstallError(complaint, english=complaint)
        return "2.0"

    recipe = Recipe(
        name="tool",
        title="道具 / tool",
        apt=lambda root, machine: served[0],
        packages=lambda apt: ("tool",),
        space=1,
        without=("libc6",),
    )
    return ensure_prefix(tools, recipe, MACHINE, Progress(total=1, out=StringIO()), verify)


def test_a_whole_prefix_is_found_again_without_apt(tmp_path: Path, served: list[FakeApt]) -> None:
    first = bring(tmp_path / "tools", served)
    again = bring(tmp_path / "tools", served)

    assert served[0].updates == 1
    assert first == again
    assert first.packages == {"tool": "1:2.0-1"}
    recorded = json.loads((first.root / "manifest.json").read_text())["packages"][0]
    assert len(recorded["sha256"]) == 64


def test_no_setuid_bit_and_nothing_left_out_comes_in(tmp_path: Path, served: list[FakeApt]) -> None:
    prefix = bring(tmp_path / "tools", served)

    assert (prefix.root / "usr/bin/tool").stat().st_mode & 0o7777 == 0o755
    assert not (prefix.root / "usr/bin/libc6").exists()


def test_the_command_names_the_loader_and_every_library_folder(tmp_path: Path, served: list[FakeApt]) -> None:
    prefix = bring(tmp_path / "tools", served)
    library = prefix.root / "usr/lib/x86_64-linux-gnu"

    assert prefix.command("usr/bin/tool") == (
        str(library / "ld-linux-x86-64.so.2"),
        "--library-path",
        f"{library}:{library / 'private'}",
        str(prefix.root / "usr/bin/tool"),
    )


def test_a_program_that_does_not_run_leaves_no_prefix(tmp_path: Path, served: list[FakeApt]) -> None:
    with pytest.raises(InstallError, match="動かない"):
        bring(tmp_path / "tools", served, complaint="動かない")

    assert existing_prefix(tmp_path / "tools", "tool", MACHINE) is None
    assert bring(tmp_path / "tools", served).packages["tool"] == "1:2.0-1"


@pytest.mark.parametrize("manifest", ["", "{", '{"recipe": 0, "arch": "amd64", "packages": []}'])
def test_an_unfinished_or_outdated_prefix_is_built_again(
    tmp_path: Path, served: list[FakeApt], manifest: str
) -> None:
    root = tmp_path / "tools/prefix/tool"
    root.mkdir(parents=True)
    (root / "manifest.json").write_text(manifest)
    (root / "leftover").touch()

    prefix = bring(tmp_path / "tools", served)

    assert served[0].updates == 1
    assert not (prefix.root / "leftover").exists()


def test_a_damaged_archive_is_thrown_away_so_that_the_next_run_fetches_it(tmp_path: Path) -> None:
    damaged = tmp_path / "tool_1_amd64.deb"
    damaged.write_bytes(b"!<arch>\ncut off")

    with pytest.raises(InstallError):
        bring(tmp_path / "tools", [FakeApt(tmp_path / "apt", [damaged])])
    assert not damaged.exists()
