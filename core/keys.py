"""Keys for what is encrypted at rest: one file or one command, many keys, one of them current.

Old keys stay for reading; what is written uses the current one. The file lies outside the home, so that whoever
carries the home away has no key, and only its owner may read it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
import shlex
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import ToritsugiError

KEY_BYTES = 32
_COMMAND_S = 30.0
FILE_VARIABLE, COMMAND_VARIABLE = "TORITSUGI_KEYS", "TORITSUGI_KEYS_COMMAND"


class KeyProblem(ToritsugiError):
    """A key is missing, unreadable, or readable by others."""

    code = "core.key_problem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One AES-256 key. `secret` never appears in a `repr`."""

    id: str
    """16 hexadecimal digits, made from the key; says nothing about it."""
    created_at: float
    """Epoch seconds."""
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRing:
    """All keys of an instance, oldest first; the last is the current one."""

    keys: tuple[Key, ...] = ()

    @property
    def current(self) -> Key | None:
        """The key to write with; None: nothing is encrypted."""
        return self.keys[-1] if self.keys else None

    def of(self, key_id: str) -> Key:
        """The key with this id.

        Raises:
            KeyProblem: it is not in the ring.
        """
        for key in self.keys:
            if key.id == key_id:
                return key
        raise KeyProblem(
            f"この鍵がありません: {key_id}",
            where=FILE_VARIABLE,
            cure="鍵の控えを元の場所に戻す。toritsugi keys status で今ある鍵が分かります",
        )


def new_key(now: float) -> Key:
    """A random key."""
    secret = secrets.token_bytes(KEY_BYTES)
    return Key(
        id=hashlib.sha256(b"toritsugi key id\n" + secret).hexdigest()[:16], created_at=now, secret=secret
    )


def ring_from_text(text: str, where: str) -> KeyRing:
    """The keys that `ring_as_text` wrote.

    Raises:
        KeyProblem: the text is no list of keys.
    """
    try:
        keys = tuple(
            Key(
                id=str(each["id"]),
                created_at=float(each["created_at"]),
                secret=base64.b64decode(each["key"], validate=True),
            )
            for each in json.loads(text)["keys"]
        )
        if any(len(key.secret) != KEY_BYTES for key in keys) or len({key.id for key in keys}) != len(keys):
            raise ValueError("no keys of ours")
    except (ValueError, KeyError, TypeError) as problem:
        raise KeyProblem("鍵として読めません", where=where, cure="鍵の控えと置き換える") from problem
    return KeyRing(keys=keys)


def ring_as_text(ring: KeyRing) -> str:
    """For the key file."""
    rows = [
        {"id": key.id, "created_at": key.created_at, "key": base64.b64encode(key.secret).decode("ascii")}
        for key in ring.keys
    ]
    return json.dumps({"keys": rows}, indent=1) + "\n"


_asked: dict[str, tuple[float, KeyRing]] = {}
_ASK_AGAIN_S = 60.0
"""A recording is opened once for each stretch that is read; a key store is not asked as often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySource:
    """Where an instance's keys come from."""

    path: Path
    command: str = ""
    """Prints what the file would hold; a credential store. Then the file is not looked at."""

    def load(self) -> KeyRing:
        """The keys; an empty ring when there is no file and no command.

        Raises:
            KeyProblem: others can read the file, it is damaged, or the command failed.
        """
        if self.command:
            asked = _asked.get(self.command)
            if asked is None or time.monotonic() - asked[0] > _ASK_AGAIN_S:
                asked = time.monotonic(), ring_from_text(_output_of(self.command), COMMAND_VARIABLE)
                _asked[self.command] = asked
            return asked[1]
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return KeyRing()
        except OSError as problem:
            raise KeyProblem(
                f"鍵のファイルが読めません: {problem.strerror}", where=str(self.path), cure="持ち主を確かめる"
            ) from problem
        with os.fdopen(descriptor, encoding="ascii", errors="replace") as file:
            mode = os.fstat(file.fileno()).st_mode & 0o777
            if mode & 0o077:
                raise KeyProblem(
                    f"鍵のファイルを他の人も読めます (権限 {mode:03o})",
                    where=str(self.path),
                    cure=f"chmod 600 {self.path} とし、鍵が知られたおそれがあれば toritsugi keys rotate を行う",
                )
            return ring_from_text(file.read(), str(self.path))

    def add(self, key: Key, *, first: bool) -> KeyRing:
        """Write `key` behind the others as the current one; whole or not at all.

        Args:
            first: there must be no key yet; otherwise there must be one.

        Raises:
            KeyProblem: keys come from a command, or `first` does not hold.
        """
        if self.command:
            raise KeyProblem(
                "鍵は外のコマンドから来るので、ここでは作れません",
                where=COMMAND_VARIABLE,
                cure="鍵を預けている所で足す",
            )
        ring = self.load()
        if first and ring.keys:
            raise KeyProblem(
                "鍵はもうあります", where=str(self.path), cure="取り替えるなら toritsugi keys rotate"
            )
        if not first and not ring.keys:
            raise KeyProblem("鍵がまだありません", where=str(self.path), cure="toritsugi keys create で作る")
        ring = KeyRing(keys=(*ring.keys, key))
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        partial = self.path.with_name(f".{self.path.name}.new")
        partial.unlink(missing_ok=True)
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(ring_as_text(ring))
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self.path)
        return ring


def key_source(home: Path, values: Mapping[str, str] | None = None) -> KeySource:
    """Where the keys of the instance at `home` come from: beside its home, unless a variable says otherwise.

    Args:
        home: `TORITSUGI_HOME`.
        values: instead of the environment and of what this home was last started with.
    """
    values = {**_remembered(home), **os.environ} if values is None else values
    named = values.get(FILE_VARIABLE)
    return KeySource(
        path=Path(named).resolve() if named else home.with_name(f"{home.name}.keys"),
        command=values.get(COMMAND_VARIABLE) or "",
    )


def _remembered(home: Path) -> dict[str, str]:
    """What the instance was last started with (`runtime.instance.remember`)."""
    try:
        found = json.loads((home / "settings.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _output_of(command: str) -> str:
    try:
        done = subprocess.run(
            shlex.split(command), capture_output=True, text=True, timeout=_COMMAND_S, check=True
        )
    except (OSError, ValueError, subprocess.SubprocessError) as problem:
        # What it printed may hold a key: it is not told.
        raise KeyProblem(
            f"鍵を出すコマンドが失敗しました: {type(problem).__name__}",
            where=COMMAND_VARIABLE,
            cure="同じ利用者でコマンドを動かして確かめる",
        ) from None
    return done.stdout
