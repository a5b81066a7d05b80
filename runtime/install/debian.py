"""A private apt: it downloads packages with all they need, and leaves the machine's own apt alone.

The private state starts from an empty list of installed packages, so what comes is complete down to libc
and runs beside any host (see `prefix`). No root is needed. Every archive is verified against a key ring.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from runtime.install.errors import InstallError
from runtime.install.machine import Machine, make_folder
from runtime.install.progress import Step
from runtime.install.sources import AptSource

_NETWORK = re.compile(
    r"Could not resolve|Temporary failure|Could not connect|Unable to connect|[Tt]imed out"
    r"|Network is unreachable|Connection refused|Connection failed|No route to host"
)
_DATE = re.compile(r"is expired \(invalid since|is not valid yet")
_SIGNATURE = re.compile(r"NO_PUBKEY|is not signed|EXPKEYSIG|not trusted|Missing key|Sub-process /usr/bin/sqv")
_HOOKS = (
    "APT::Update::Pre-Invoke",
    "APT::Update::Post-Invoke",
    "APT::Update::Post-Invoke-Success",
    "DPkg::Pre-Install-Pkgs",
    "DPkg::Pre-Invoke",
    "DPkg::Post-Invoke",
    "APT::Architectures",
    "Dir::Etc::preferences",
)


class PrivateApt:
    """apt with its own state in `root`, reading only `sources`.

    Args:
        root: an empty folder, or one that an interrupted run left; partial downloads are taken up again.
        sources: where packages come from.
        machine: whose architecture to fetch.
    """

    def __init__(self, root: Path, sources: Sequence[AptSource], machine: Machine) -> None:
        self.root = make_folder(root)
        self._conf = root / "apt.conf"
        for folder in ("lists/partial", "cache/archives/partial", "preferences.d"):
            (root / folder).mkdir(parents=True, exist_ok=True)
        (root / "status").touch()
        lines = "".join(f"{source.line(machine.arch)}\n" for source in sources)
        (root / "sources.list").write_text(lines, encoding="utf-8")
        self._conf.write_text(self._configuration(machine.arch), encoding="utf-8")

    def _configuration(self, arch: str) -> str:
        # The host's own apt.conf stays in force below this (its proxy is needed); its hooks do not.
        values = {
            "Dir::State": self.root,
            "Dir::State::status": self.root / "status",
            "Dir::State::lists": self.root / "lists",
            "Dir::Cache": self.root / "cache",
            "Dir::Cache::archives": self.root / "cache/archives",
            "Dir::Etc::sourcelist": self.root / "sources.list",
            "Dir::Etc::sourceparts": "/dev/null",
            "Dir::Etc::preferences": "/dev/null",
            "Dir::Etc::preferencesparts": "/dev/null",
            "Dir::Log": self.root,
            "APT::Architecture": arch,
            "APT::Architectures": arch,
            "APT::Default-Release": "",
            "APT::Install-Recommends": "false",
            "APT::Update::Error-Mode": "any",
            "Acquire::Languages": "none",
            "Acquire::Retries": "3",
            "Acquire::http::Timeout": "30",
            "Acquire::https::Timeout": "30",
        }
        if os.geteuid() == 0:
            values["APT::Sandbox::User"] = "root"  # apt's own user may not be able to enter our folder
        cleared = "".join(f"#clear {name};\n" for name in _HOOKS)
        return cleared + "".join(f'{name} "{value}";\n' for name, value in values.items())

    def update(self) -> None:
        """Fetch the package lists. Raises `InstallError`."""
        self._run(["apt-get", "update", "-q"])

    def versions(self, package: str) -> tuple[str, ...]:
        """Versions of `package` that the sources offer, newest first; empty when there is none."""
        text = self._run(["apt-cache", "madison", package])
        return tuple(line.split("|")[1].strip() for line in text.splitlines() if line.count("|") >= 2)

    def matching(self, pattern: str) -> tuple[str, ...]:
        """Names of packages that match the regular expression `pattern`."""
        text = self._run(["apt-cache", "search", "--names-only", pattern])
        return tuple(line.split(" - ")[0].strip() for line in text.splitlines() if " - " in line)

    def fetch(self, packages: Sequence[str], step: Step) -> tuple[Path, ...]:
        """Download `packages` (`name` or `name=version`) and everything they depend on.

        Raises:
            InstallError: no network, no such package, a signature that does not verify.
        """
        read_end, write_end = os.pipe()
        command = ["apt-get", "install", "-y", "-q", "--download-only", "--no-install-recommends"]
        command += ["-o", f"APT::Status-Fd={write_end}", *packages]
        log = self.root / "fetch.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                self._argv(command),
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                pass_fds=[write_end],
            )
            os.close(write_end)
            with os.fdopen(read_end, encoding="utf-8", errors="replace") as status:
                for line in status:
                    if line.startswith("dlstatus:"):
                        total = _bytes_to_get(log.read_text(encoding="utf-8", errors="replace"))
                        step.amount(round(float(line.split(":")[2]) * total / 100), total)
            process.wait()
        if process.returncode:
            raise _explained(log.read_text(encoding="utf-8", errors="replace"), " ".join(packages))
        return tuple(sorted((self.root / "cache/archives").glob("*.deb")))

    def fetch_one(self, package: str, into: Path) -> Path:
        """Download the archive of `package` alone, without what it depends on."""
        make_folder(into)
        self._run(["apt-get", "download", "-q", package], folder=into)
        return max(into.glob(f"{package}_*.deb"), key=lambda path: path.stat().st_mtime)

    def remove(self) -> None:
        """Delete the lists and archives."""
        shutil.rmtree(self.root, ignore_errors=True)

    def _argv(self, command: Sequence[str]) -> list[str]:
        return [command[0], "-c", str(self._conf), *command[1:]]

    def _run(self, command: Sequence[str], folder: Path | None = None) -> str:
        done = subprocess.run(
            self._argv(command),
            env=_environment(),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode:
            raise _explained(done.stderr + done.stdout, " ".join(command))
        return done.stdout


def _bytes_to_get(output: str) -> int:
    """The size of the download that apt announced; 0 when it said nothing."""
    found = re.search(r"Need to get (?:[\d.,]+ ?[kMG]?B/)?([\d.,]+) ?([kMG]?)B of archives", output)
    if found is None:
        return 0
    unit = {"": 1, "k": 1e3, "M": 1e6, "G": 1e9}[found[2]]
    return round(float(found[1].replace(",", "")) * unit)


def _environment() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}


def _explained(output: str, what: str) -> InstallError:
    errors = [line for line in output.splitlines() if line.startswith(("E:", "W:", "Err:"))]
    detail = "\n    ".join(errors[:6]) or output.strip()[-500:]
    where = f"{what}\n    {detail}"
    if _NETWORK.search(output):
        return InstallError(
            "パッケージの配布元につながりません。",
            english="The package archive cannot be reached.",
            where=where,
            cure="ネットワークと apt のプロキシを確かめて、もう一度実行してください。途中から続きます"
            " / check the network and apt's proxy, then run the command again; it resumes",
        )
    if _DATE.search(output):
        return InstallError(
            "配布元の一覧の日付が合いません。",
            english="The archive's lists have expired, or are dated in the future.",
            where=where,
            cure="計算機の時計を確かめてください。時計が正しければ、ミラーが古いままです。別のミラーにするか、"
            "承知の上なら apt に Acquire::Check-Valid-Until を設定してください"
            " / check the clock; if it is right, the mirror is stale: use another, or set apt's"
            " Acquire::Check-Valid-Until knowingly",
        )
    if _SIGNATURE.search(output):
        return InstallError(
            "パッケージの署名を確かめられません。",
            english="The archive's signature cannot be verified.",
            where=where,
            cure="`apt-get install debian-archive-keyring` で鍵を新しくしてください"
            " / update the package debian-archive-keyring",
        )
    if "No space left" in output or "enough free space" in output:
        return InstallError(
            "ディスクの空きが足りません。",
            english="The disk is full.",
            where=where,
            cure="空きを作ってから、もう一度実行してください / free some space and run the command again",
        )
    return InstallError(
        "パッケージを取り寄せられません。",
        english="The packages cannot be fetched.",
        where=where,
        cure="上の apt の言葉を見てください / see apt's own words above",
    )


def unpack(archives: Iterable[Path], into: Path) -> None:
    """Unpack package archives into `into`; no script of theirs runs, no setuid bit stays.

    Raises:
        InstallError: an archive is damaged, or the disk is full.
    """
    into.mkdir(parents=True, exist_ok=True)
    for archive in archives:
        done = subprocess.run(
            ["dpkg-deb", "-x", str(archive), str(into)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            archive.unlink(missing_ok=True)
            raise _explained(done.stderr, archive.name)
    for folder, _, files in os.walk(into):
        _keep_mode(Path(folder), 0o700)
        for name in files:
            path = Path(folder) / name
            if not path.is_symlink():
                _keep_mode(path, 0o400)


def _keep_mode(path: Path, added: int) -> None:
    mode = path.stat().st_mode & 0o7777
    wanted = (mode | added) & ~0o6000
    if mode != wanted:
        path.chmod(wanted)
