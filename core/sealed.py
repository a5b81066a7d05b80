"""Encrypted files: AES-256-GCM in chunks, so that a file of hours is read from its middle without the rest.

Layout: a header (magic, key id, salt, chunk size), then chunks of ciphertext, each with its 16-byte tag. A file has a
key of its own (HKDF-SHA256 of the named key and the salt). A chunk's nonce is its number and whether it is the last,
and the header is authenticated with every chunk: chunks that are changed, swapped, dropped or cut off are noticed.
"""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from core.errors import ToritsugiError
from core.keys import Key, KeyRing, key_source

MAGIC = b"TRSEAL1\n"
CHUNK = 64 * 1024
"""Bytes of plain text in a chunk; a multiple of every sample's size."""

_HEADER = struct.Struct(">8s8s16sI")
_TAG = 16
_MOST_CHUNK = 1 << 24


class SealBroken(ToritsugiError):
    """An encrypted file was changed, cut off, or is none."""

    code = "core.seal_broken"

    def __init__(self, where: str) -> None:
        super().__init__(
            "暗号化されたファイルが壊れているか、書き換えられています", where=where, cure="控えから戻す"
        )


def _cipher(secret: bytes, salt: bytes) -> AESGCM:
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=salt, info=b"toritsugi file").derive(secret))


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


class SealingWriter(io.RawIOBase):
    """Encrypts what is written to it into `target`. Only `close` makes the file whole."""

    def __init__(self, target: BinaryIO, key: Key) -> None:
        super().__init__()
        self._target, salt = target, os.urandom(16)
        self._header = _HEADER.pack(MAGIC, bytes.fromhex(key.id), salt, CHUNK)
        self._cipher = _cipher(key.secret, salt)
        self._held, self._number = bytearray(), 0
        target.write(self._header)

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override] # typeshed wants a wider buffer type
        self._held += data
        # The last chunk is marked, so a full one waits until more comes.
        while len(self._held) > CHUNK:
            self._put(bytes(self._held[:CHUNK]), last=False)
            del self._held[:CHUNK]
        return len(data)

    def close(self) -> None:
        """Write the last chunk; `target` stays open."""
        if not self.closed:
            self._put(bytes(self._held), last=True)
            self._held.clear()
        super().close()

    def _put(self, plain: bytes, *, last: bool) -> None:
        self._target.write(self._cipher.encrypt(_nonce(self._number, last), plain, self._header))
        self._number += 1


class SealedReader(io.RawIOBase):
    """Plain text of an encrypted file, with seeking. Nothing decrypted touches the disk.

    Raises:
        SealBroken: it is no encrypted file, or its end is missing; on reading, a chunk was changed.
        KeyProblem: its key is not in the ring.
    """

    def __init__(self, source: BinaryIO, ring: KeyRing, where: str) -> None:
        super().__init__()
        self._source, self._where, self._at = source, where, 0
        self._header = source.read(_HEADER.size)
        if len(self._header) != _HEADER.size or not self._header.startswith(MAGIC):
            raise SealBroken(where)
        _magic, key_id, salt, self._chunk = _HEADER.unpack(self._header)
        if not 0 < self._chunk <= _MOST_CHUNK:
            raise SealBroken(where)
        self.key_id: str = key_id.hex()
        self._cipher = _cipher(ring.of(self.key_id).secret, salt)
        body = source.seek(0, os.SEEK_END) - _HEADER.size
        self._count = -(-body // (self._chunk + _TAG))
        self.size: int = body - self._count * _TAG
        """Bytes of plain text."""
        if self._count == 0 or self.size < 0:
            raise SealBroken(where)
        self._open: tuple[int, bytes] = (-1, b"")
        self._chunk_at(self._count - 1)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override] # typeshed wants a wider buffer type
        if self._at >= self.size:
            return 0
        number, begin = divmod(self._at, self._chunk)
        part = self._chunk_at(number)[begin : begin + len(buffer)]
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)

    def close(self) -> None:
        self._source.close()
        super().close()

    def _chunk_at(self, number: int) -> bytes:
        if self._open[0] != number:
            self._source.seek(_HEADER.size + number * (self._chunk + _TAG))
            sealed = self._source.read(self._chunk + _TAG)
            try:
                plain = self._cipher.decrypt(_nonce(number, number == self._count - 1), sealed, self._header)
            except (InvalidTag, ValueError):
                raise SealBroken(self._where) from None
            self._open = (number, plain)
        return self._open[1]


def sealed_with(path: Path) -> str | None:
    """The id of the key that a file is encrypted with; None when it is plain.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(_HEADER.size)
    if not head.startswith(MAGIC):
        return None
    if len(head) < _HEADER.size:
        raise SealBroken(str(path))
    return bytes(_HEADER.unpack(head)[1]).hex()


def plain_size(path: Path) -> int:
    """Bytes of plain text, encrypted or not; needs no key.

    Raises:
        OSError: it cannot be read.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_HEADER.size)
    if not head.startswith(MAGIC) or len(head) < _HEADER.size:
        return size
    body, chunk = size - _HEADER.size, _HEADER.unpack(head)[3]
    return int(body - -(-body // (chunk + _TAG)) * _TAG)


def ring_of_environment() -> KeyRing:
    """The keys of the instance that the environment names."""
    from core.settings import settings_from

    return key_source(settings_from().home).load()


def open_plain(path: Path, ring: Callable[[], KeyRing] = ring_of_environment) -> BinaryIO:
    """A file for reading, decrypted if it is encrypted. The one seam that readers of recordings go through.

    Raises:
        OSError, SealBroken, KeyProblem: it cannot be read.
    """
    file = path.open("rb")
    try:
        if file.read(len(MAGIC)) != MAGIC:
            file.seek(0)
            return file
        file.seek(0)
        return io.BufferedReader(SealedReader(file, ring(), str(path)), CHUNK)
    except BaseException:
        file.close()
        raise


def seal_file(path: Path, key: Key, ring: Callable[[], KeyRing] = ring_of_environment) -> bool:
    """Put an encrypted copy in a file's place, also one that an older key had encrypted.

    Killed at any moment, it leaves the old file or the new one, whole, and at most a part that is encrypted itself.

    Returns:
        False when it was encrypted with this key already.
    """
    if sealed_with(path) == key.id:
        return False
    stat = path.stat()
    partial = path.with_name(f".{path.name}.sealing")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as target, open_plain(path, ring) as source:
            writer = SealingWriter(target, key)
            while part := source.read(1 << 20):
                writer.write(part)
            writer.close()
            target.flush()
            os.fsync(target.fileno())
        os.utime(partial, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)
    return True


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
