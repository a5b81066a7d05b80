"""A program with everything it needs in one folder, run by its own loader beside the host's libraries."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from runtime.install.debian import PrivateApt, unpack
from runtime.install.machine import Machine, make_folder, only_one, require_space
from runtime.install.progress import Progress

_RECIPE = 1
"""Raised when the way of building changes, so that folders built the old way are built again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefix:
    """An unpacked set of packages."""

    root: Path
    machine: Machine
    packages: Mapping[str, str]
    """Version of each package."""

    @property
    def library_folders(self) -> tuple[Path, ...]:
        """Folders that the loader must search: the architecture's, and private ones below it."""
        found: list[Path] = []
        for base in (self.root / "usr/lib", self.root / "lib"):
            folder = base / self.machine.triplet
            if folder.is_dir():
                found.append(folder)
                found += sorted(p for p in folder.iterdir() if p.is_dir() and any(p.glob("lib*.so*")))
        return tuple(found)

    @property
    def loader(self) -> Path:
        """The dynamic loader of this prefix.

        Raises:
            FileNotFoundError: there is none: the prefix was damaged.
        """
        for base in ("usr/lib", "lib"):
            path = self.root / base / self.machine.triplet / self.machine.loader
            if path.exists():
                return path
        raise FileNotFoundError(self.root / "usr/lib" / self.machine.triplet / self.machine.loader)

    def command(self, program: str) -> tuple[str, ...]:
        """The start of a command line that runs `program` (a path below the prefix) with its own libraries.

        Children of the program run with the host's libraries: the search path is an argument, not a variable.
        """
        folders = ":".join(str(path) for path in self.library_folders)
        return str(self.loader), "--library-path", folders, str(self.root / program)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What a prefix is made of."""

    name: str
    """Folder under `<tools>/prefix`."""
    title: str
    """What people see while it comes."""
    apt: Callable[[Path, Machine], PrivateApt]
    """Makes the private apt in a given folder."""
    packages: Callable[[PrivateApt], Sequence[str]]
    """Chooses packages (`name` or `name=version`) once the lists are there."""
    space: int = 1_000_000_000
    """Free bytes wanted."""
    without: tuple[str, ...] = ()
    """Packages to leave out although others depend on them."""


def existing_prefix(tools: Path, name: str, machine: Machine) -> Prefix | None:
    """The prefix if it was completely built, by this way of building, for this architecture."""
    root = tools.resolve() / "prefix" / name
    try:
        manifest = json.loads((root / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if (manifest.get("recipe"), manifest.get("arch")) != (_RECIPE, machine.arch):
        return None
    packages = {item["package"]: item["version"] for item in manifest["packages"]}
    return Prefix(root=root, machine=machine, packages=packages)


def ensure_prefix(
    tools: Path,
    recipe: Recipe,
    machine: Machine,
    progress: Progress,
    verify: Callable[[Prefix], str],
) -> Prefix:
    """The prefix of `recipe`, built if it is not there; a second process waits for the first.

    Args:
        verify: runs the program of a fresh prefix; returns its version for the closing line, or raises.

    Raises:
        InstallError: no network, no space, no package in range, or a program that does not run.
    """
    tools = tools.resolve()
    ready = existing_prefix(tools, recipe.name, machine)
    if ready is not None:
        return ready
    with progress.step(recipe.title) as step:
        waiting = "ほかの処理を待っています / waiting for another start"
        with only_one(make_folder(tools) / f"{recipe.name}.lock", lambda: step.note(waiting)):
            ready = existing_prefix(tools, recipe.name, machine)
            if ready is not None:
                return ready
            require_space(tools, recipe.space)
            apt = recipe.apt(tools / "apt" / recipe.name, machine)
            step.note("一覧 / package lists")
            apt.update()
            archives = apt.fetch(recipe.packages(apt), step)
            archives = tuple(a for a in archives if a.name.partition("_")[0] not in recipe.without)
            step.note("展開 / unpacking")
            fresh = _unpacked(tools, recipe.name, machine, archives)
            step.finished_with(verify(fresh))
            final = tools / "prefix" / recipe.name
            shutil.rmtree(final, ignore_errors=True)
            fresh.root.rename(final)
            apt.remove()
            return Prefix(root=final, machine=machine, packages=fresh.packages)


def _unpacked(tools: Path, name: str, machine: Machine, archives: Sequence[Path]) -> Prefix:
    root = tools / "prefix" / f"{name}.new"
    shutil.rmtree(root, ignore_errors=True)
    unpack(archives, root)
    listed = []
    for archive in archives:
        package, version, _ = archive.stem.split("_", 2)
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        listed.append({"package": package, "version": version.replace("%3a", ":"), "sha256": digest})
    manifest = {"recipe": _RECIPE, "arch": machine.arch, "packages": listed}
    (root / "manifest.json").write_text(json.dumps(manifest, indent=1), encoding="utf-8")
    return Prefix(root=root, machine=machine, packages={i["package"]: i["version"] for i in listed})
