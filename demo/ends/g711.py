"""ITU-T G.711: µ-law and A-law to and from 16-bit linear samples, by table."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]
ULAW_SILENCE = 0xFF
ALAW_SILENCE = 0xD5


def _ulaw_decoded() -> Samples:
    codes = ~np.arange(256, dtype=np.int32) & 0xFF
    magnitude = (((codes & 0x0F) << 3) + 0x84) << ((codes & 0x70) >> 4)
    return np.where(codes & 0x80, 0x84 - magnitude, magnitude - 0x84).astype(np.int16)


def _alaw_decoded() -> Samples:
    codes = np.arange(256, dtype=np.int32) ^ 0x55
    exponent = (codes & 0x70) >> 4
    base = ((codes & 0x0F) << 4) + 8
    magnitude = np.where(exponent == 0, base, (base + 0x100) << np.maximum(exponent - 1, 0))
    return np.where(codes & 0x80, magnitude, -magnitude).astype(np.int16)


def _encoding(decoded: Samples) -> NDArray[np.uint8]:
    """For each 16-bit value the code whose decoded value is nearest."""
    order = np.argsort(decoded, kind="stable")
    levels = decoded[order].astype(np.int32)
    values = np.arange(-32768, 32768, dtype=np.int32)
    middles = (levels[1:] + levels[:-1]) / 2
    table: NDArray[Any] = order[np.searchsorted(middles, values)].astype(np.uint8)
    return table


_ULAW = _ulaw_decoded()
_ALAW = _alaw_decoded()
_TO_ULAW = _encoding(_ULAW)
_TO_ALAW = _encoding(_ALAW)


def encode(samples: Samples, payload: int) -> bytes:
    """Samples as µ-law (`payload` 0) or A-law (8) bytes."""
    table = _TO_ULAW if payload == 0 else _TO_ALAW
    return table[samples.astype(np.int32) + 32768].tobytes()


def decode(data: bytes | bytearray, payload: int = 0) -> Samples:
    """µ-law (`payload` 0) or A-law (8) bytes as samples."""
    table = _ULAW if payload == 0 else _ALAW
    return table[np.frombuffer(bytes(data), dtype=np.uint8)]
