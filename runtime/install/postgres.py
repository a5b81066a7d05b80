"""PostgreSQL's programs, for the tests that prove our storage on it: the machine's own, or a copy in a folder.

The copy is run through small scripts that name its libraries, because the server starts further programs of its
own by path. It finds its shared files relative to where it lies, so it works in any folder.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from runtime.install.archives import own_archive
from runtime.install.debian import PrivateApt
from runtime.install.errors import InstallError
from runtime.install.machine import this_machine
from runtime.install.prefix import Prefix, Recipe, ensure_prefix, existing_prefix
from runtime.install.progress import Progress

SYSTEM = Path("/usr/lib/postgresql")
_NAME = "postgres"
_NOBODY = 65534
_PROGRAMS = ("initdb", "pg_ctl", "postgres", "psql")


def find_postgres(tools: Path) -> Path | None:
    """The folder of PostgreSQL's programs that is there; None when `ensure_postgres` must fetch."""
    own = sorted(SYSTEM.glob("*/bin/initdb"), key=lambda path: _number(path.parent.parent.name))
    for initdb in reversed(own):
        if all((initdb.parent / program).exists() for program in _PROGRAMS[:3]):
            return initdb.parent
    prefix = existing_prefix(tools, _NAME, this_machine())
    return None if prefix is None else prefix.root / "bin"


def ensure_postgres(tools: Path, progress: Progress | None = None) -> Path:
    """The folder that holds `initdb`, `pg_ctl` and `postgres`, fetched when the machine has none.

    The programs refuse to run as root, as PostgreSQL always does.

    Raises:
        InstallError: it cannot be fetched or does not run.
    """
    found = find_postgres(tools)
    if found is not None:
        return found
    recipe = Recipe(
        name=_NAME,
        title="試験用 PostgreSQL / PostgreSQL for tests",
        apt=own_archive,
        packages=_chosen,
        space=600_000_000,
        # The host's loader starts these programs, and libc must be of one piece with the loader.
        without=("libc6",),
    )
    return ensure_prefix(tools, recipe, this_machine(), progress or Progress(total=1), _runs).root / "bin"


def without_root(programs: Path, data: Path) -> list[str]:
    """The words to put before a PostgreSQL program so that it starts even when we are root; it refuses root itself.

    Args:
        programs: the folder of the programs.
        data: an existing, empty folder that the server will own.

    Raises:
        InstallError: we are root and neither way of stepping down is there.
    """
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") and _others_may_enter(programs) and _others_may_enter(data.parent):
        os.chown(data, _NOBODY, _NOBODY)
        return ["setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups"]
    # Below a closed folder such as /root nobody else may enter: keep the user, but not by that name.
    stepped = ["unshare", "--user", f"--map-user={_NOBODY}", f"--map-group={_NOBODY}"]
    if (
        shutil.which("unshare")
        and subprocess.run([*stepped, "true"], capture_output=True, check=False).returncode == 0
    ):
        return stepped
    raise InstallError(
        "root のままでは PostgreSQL を起動できません。",
        english="PostgreSQL does not start as root, and there is no way to step down here.",
        where=str(programs),
        cure="一般ユーザーで実行するか、だれでも読める場所に置いてください"
        " / run as an ordinary user, or from a folder that everyone may enter",
    )


def _others_may_enter(folder: Path) -> bool:
    return all(path.stat().st_mode & 0o001 for path in (folder.resolve(), *folder.resolve().parents))


def _number(name: str) -> int:
    return int(name) if name.isdigit() else 0


def _chosen(apt: PrivateApt) -> Sequence[str]:
    names = [name for name in apt.matching(r"^postgresql-[0-9]+$") if name.rpartition("-")[2].isdigit()]
    if not names:
        raise InstallError(
            "配布元に PostgreSQL がありません。",
            english="The archive carries no PostgreSQL.",
            where="postgresql-NN",
            cure="`apt-get install postgresql` を試してください / try `apt-get install postgresql`",
        )
    return (max(names, key=lambda name: _number(name.rpartition("-")[2])),)


def _runs(prefix: Prefix) -> str:
    """Write the scripts, then ask the server for its version."""
    real = next(prefix.root.glob("usr/lib/postgresql/*/bin/initdb")).parent
    scripts = prefix.root / "bin"
    scripts.mkdir(exist_ok=True)
    below = real.relative_to(prefix.root)
    for program in _PROGRAMS:
        script = scripts / program
        script.write_text(_script(prefix, str(below / program)), encoding="utf-8")
        script.chmod(0o755)
    done = subprocess.run([scripts / "postgres", "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"PostgreSQL\)? (\d[\d.]*)", done.stdout)
    if found is None:
        raise InstallError(
            "取り寄せた PostgreSQL が動きません。",
            english="The fetched PostgreSQL does not run.",
            where=f"{prefix.root}: {done.stderr.strip()}",
            cure="`apt-get install postgresql` を試してください / try `apt-get install postgresql`",
        )
    return found[1]


def _script(prefix: Prefix, program: str) -> str:
    folders = ":".join(f"$here/{p.relative_to(prefix.root)}" for p in prefix.library_folders)
    return (
        "#!/bin/sh\n"
        'here=$(dirname "$(dirname "$(readlink -f "$0")")")\n'
        f'LD_LIBRARY_PATH="{folders}" exec "$here/{program}" "$@"\n'
    )
