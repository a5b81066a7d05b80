"""The launcher: quick and silent when nothing changed, and free of libraries when it must build."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from core.settings import PROJECT_ROOT
from runtime.install.environment import Environment, locked_block

pytestmark = pytest.mark.unit


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with a lock file and a made environment whose interpreter only says what it was given."""
    root = tmp_path / "check out"
    root.mkdir()
    shutil.copy(PROJECT_ROOT / "toritsugi", root / "toritsugi")
    (root / "requirements.lock").write_text("setuptools==1\n")
    environment = Environment(root=root, tools=root / ".toritsugi")
    environment.python.parent.mkdir(parents=True)
    environment.python.write_text('#!/bin/sh\npwd\necho "$PYTHONPATH"\nfor a in "$@"; do echo "<$a>"; done\n')
    environment.python.chmod(0o755)
    environment.stamp.write_text(f"{environment.wanted_stamp()}\n")
    return root


def launch(root: Path, *arguments: str, path: str = "/usr/bin:/bin") -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TORITSUGI_")}
    return subprocess.run(
        [str(root / "toritsugi"), *arguments],
        cwd=root.parent,
        env={**kept, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_made_environment_is_started_at_once_and_in_silence(checkout: Path) -> None:
    done = launch(checkout, "demo", "--out", "a b", "")

    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        str(checkout.parent),
        str(checkout),
        "<-P>",
        "<-m>",
        "<runtime>",
        "<demo>",
        "<--out>",
        "<a b>",
        "<>",
    ]


def test_the_launcher_is_found_through_a_link(checkout: Path) -> None:
    (checkout.parent / "bin").mkdir()
    link = checkout.parent / "bin/toritsugi"
    link.symlink_to(checkout / "toritsugi")

    done = subprocess.run(
        [str(link)], capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"}
    )

    assert str(checkout) in done.stdout


@pytest.mark.parametrize("change", ["lock", "stamp", "interpreter"])
def test_what_changed_is_built_again(checkout: Path, change: str) -> None:
    environment = Environment(root=checkout, tools=checkout / ".toritsugi")
    assert environment.ready()
    if change == "lock":
        environment.lock.write_text("setuptools==2\n")
    elif change == "stamp":
        environment.stamp.unlink()
    else:
        environment.python.unlink()
        environment.python.symlink_to(sys.executable)

    done = launch(checkout)

    assert not environment.ready()
    assert done.returncode != 0
    assert "runtime" in done.stderr


def test_without_a_python_it_says_so_in_both_languages(checkout: Path) -> None:
    (checkout / ".toritsugi/venv/stamp").unlink()
    tools = checkout.parent / "tools"
    tools.mkdir()
    for program in ("dirname", "readlink", "sha256sum", "sh"):
        found = shutil.which(program)
        assert found is not None
        (tools / program).symlink_to(found)

    done = launch(checkout, path=str(tools))

    assert done.returncode == 1
    assert "Python 3.11 以上が見つかりません" in done.stderr
    assert "Python 3.11 or later is missing" in done.stderr


def test_the_bootstrap_runs_on_the_standard_library_alone() -> None:
    code = (
        "import runtime.install.bootstrap, sys\n"
        "print([name for name, module in sys.modules.items() if 'site-packages' in str(module)])"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-P", "-c", code],
        env={"PYTHONPATH": str(PROJECT_ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.stderr, done.stdout) == ("", "[]\n")


def test_the_lock_file_names_a_hash_for_everything_and_the_builder() -> None:
    lock = (PROJECT_ROOT / "requirements.lock").read_text(encoding="utf-8")
    names = [
        line.partition("==")[0] for line in lock.splitlines() if "==" in line and not line.startswith(" ")
    ]

    assert {"setuptools", "pip"} <= set(names)
    for name in names:
        block = locked_block(lock, name)
        assert block.startswith(f"{name}==")
        assert "--hash=sha256:" in block, name
        assert (
            sum("==" in line and not line.lstrip().startswith("--hash") for line in block.splitlines()) == 1
        )
