"""Our Python environment: `TOOLS/venv`, made from the lock file, every download checked against its hash."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from runtime.install.archives import own_archive
from runtime.install.debian import unpack
from runtime.install.ensure import Task
from runtime.install.errors import InstallError
from runtime.install.machine import only_one, this_machine
from runtime.install.progress import Progress, Step

_BUILDER = "setuptools"
"""Comes first: with it the one library that is published as source only is built, without fetching more."""
_MISLEADING = ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_REQUIRE_HASHES", "PYTHONHOME")
_NETWORK = re.compile(
    r"NewConnectionError|Temporary failure|Name or service|ConnectTimeout|ReadTimeout|ConnectionError"
    r"|Network is unreachable|ProxyError|Connection refused|NameResolutionError"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """The environment of one checkout."""

    root: Path
    tools: Path

    @property
    def lock(self) -> Path:
        return self.root / "requirements.lock"

    @property
    def venv(self) -> Path:
        return self.tools / "venv"

    @property
    def python(self) -> Path:
        return self.venv / "bin/python"

    @property
    def stamp(self) -> Path:
        return self.venv / "stamp"

    def wanted_stamp(self) -> str:
        """What the launcher compares: the lock file's hash and the interpreter behind the environment."""
        digest = hashlib.sha256(self.lock.read_bytes()).hexdigest()
        return f"{digest} {self.python.resolve()}"

    def ready(self) -> bool:
        """Whether the environment is there and made from this very lock file."""
        try:
            return (
                self.python.exists() and self.stamp.read_text(encoding="utf-8").strip() == self.wanted_stamp()
            )
        except OSError:
            return False

    def task(self) -> Task:
        return Task(name="python", ready=self.ready, bring=self.bring)

    def bring(self, progress: Progress) -> None:
        """Make or renew the environment. Raises `InstallError`."""
        with progress.step("Python 環境 / Python environment") as step:
            waiting = "ほかの処理を待っています / waiting for another start"
            with only_one(self.tools / "venv.lock", lambda: step.note(waiting)):
                if not self.ready():
                    self._make(step)

    def _make(self, step: Step) -> None:
        building = self.tools / "venv.building"
        made_by = self.stamp.read_text(encoding="utf-8").split()[-1:] if self.stamp.is_file() else []
        moved = bool(made_by) and made_by != [str(self.python.resolve())]
        if building.exists() or moved or not self.python.exists():
            shutil.rmtree(self.venv, ignore_errors=True)
        building.touch()
        self.stamp.unlink(missing_ok=True)
        if not self.python.exists():
            _run([sys.executable, "-m", "venv", "--without-pip", str(self.venv)], "venv")
        pip = [str(self.python), str(self._pip(step) / "pip")]
        pip += ["--no-input", "--disable-pip-version-check", "--retries", "5", "install", "--require-hashes"]
        pip += ["--no-deps", "--no-build-isolation", "--no-warn-script-location", "--progress-bar", "off"]
        builder = self.tools / "builder.lock"
        builder.write_text(locked_block(self.lock.read_text(encoding="utf-8"), _BUILDER), encoding="utf-8")
        _pip_install([*pip, "-r", str(builder)], step, 1)
        total = len(re.findall(r"^\S+==", self.lock.read_text(encoding="utf-8"), re.MULTILINE))
        _pip_install([*pip, "-r", str(self.lock)], step, total)
        builder.unlink()
        self.stamp.write_text(f"{self.wanted_stamp()}\n", encoding="utf-8")
        building.unlink()

    def _pip(self, step: Step) -> Path:
        """A folder that holds pip, unpacked from the interpreter's own wheel or from Debian's package of it."""
        folder = self.tools / "pip"
        wheel = next(_bundled_pips(), None)
        scratch = self.tools / "apt/pip"
        if wheel is None:
            step.note("pip")
            apt = own_archive(scratch, this_machine())
            apt.update()
            unpack([apt.fetch_one("python3-pip-whl", scratch / "debs")], scratch / "root")
            wheel = next((scratch / "root/usr/share/python-wheels").glob("pip-*.whl"))
        shutil.rmtree(folder, ignore_errors=True)
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
        shutil.rmtree(scratch, ignore_errors=True)
        return folder


def locked_block(lock: str, name: str) -> str:
    """The lines of one package in a lock file, with its hashes.

    Raises:
        LookupError: the lock file does not name it.
    """
    found = re.search(rf"^{re.escape(name)}==(?:.*\\\n)*.*", lock, re.MULTILINE)
    if found is None:
        raise LookupError(name)
    return f"{found[0]}\n"


def _bundled_pips() -> Iterator[Path]:
    """pip's wheel as it lies beside the interpreter; Debian moves it out of `ensurepip` to a shared folder."""
    library = Path(os.__file__).parent
    for folder in (library / "ensurepip/_bundled", Path("/usr/share/python-wheels")):
        yield from sorted(folder.glob("pip-*.whl"), reverse=True)


def _pip_environment(values: Mapping[str, str]) -> dict[str, str]:
    """`values` without those that would send pip's work elsewhere; addresses and proxies stay."""
    kept = {name: value for name, value in values.items() if name not in _MISLEADING}
    kept.pop("PYTHONPATH", None)
    return {**kept, "LC_ALL": "C.UTF-8"}


def _pip_install(command: list[str], step: Step, total: int) -> None:
    tail: list[str] = []
    count = 0
    with subprocess.Popen(
        command,
        env=_pip_environment(os.environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            tail = [*tail[-80:], line.rstrip()]
            if found := re.match(r"Collecting (\S+?)==", line):
                count += 1
                step.note(f"{count}/{total} {found[1]}")
            elif line.startswith("Installing collected"):
                step.note("展開 / unpacking")
    if process.returncode:
        raise _explained("\n".join(tail))


def _run(command: list[str], what: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        raise InstallError(
            "Python 環境を作れません。",
            english="The Python environment cannot be made.",
            where=f"{what}: {(done.stderr or done.stdout).strip()[-600:]}",
            cure="`apt-get install python3-venv` を試してください / try `apt-get install python3-venv`",
        )


def _explained(output: str) -> InstallError:
    lines = [
        line for line in output.splitlines() if line.startswith(("ERROR", "error", "OSError", "  ERROR"))
    ]
    where = "\n    ".join(lines[-5:]) or output[-600:]
    if "No space left" in output:
        return InstallError(
            "ディスクの空きが足りません。",
            english="The disk is full.",
            where=where,
            cure="空きを作ってから、もう一度実行してください / free some space and run the command again",
        )
    if "DO NOT MATCH THE HASHES" in output:
        return InstallError(
            "届いた部品が、記録されたハッシュと合いません。",
            english="A downloaded package does not match its recorded hash.",
            where=where,
            cure="途中のプロキシやミラーを疑ってください。直らなければ導入を止めてください"
            " / suspect a proxy or mirror on the way; do not go on until it matches",
        )
    if _NETWORK.search(output):
        return InstallError(
            "Python の部品の配布元につながりません。",
            english="The Python package index cannot be reached.",
            where=where,
            cure="ネットワークとプロキシ（HTTPS_PROXY、PIP_INDEX_URL）を確かめて、もう一度実行してください"
            " / check the network and the proxy (HTTPS_PROXY, PIP_INDEX_URL), then run the command again",
        )
    return InstallError(
        "Python の部品を入れられません。",
        english="The Python packages cannot be installed.",
        where=where,
        cure="上の pip の言葉を見てください / see pip's own words above",
    )
