"""Payloads: bytes as they lie in the blob, raw or in one zstd frame.

A payload is made once, where its bytes are first seen (and cached in that form), and only copied
afterwards. Frames are made by one thread with one set of parameters, so the same bytes and the same
dictionary give the same frame.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import zstandard

from oxcross.pack.format import Codec

Compression = Literal["none", "zstd"]

# Sources alone are compressed at the level that costs little: 19 takes 14 times as long for 5 % less.
_LEVELS: dict[Compression, int] = {"none": 9, "zstd": 19}
_DICTIONARY_LEVEL = 19
# A frame pays when it saves at least this share: else reading in place is worth more than the bytes.
_WORTH = 0.97


@dataclass(frozen=True, slots=True)
class Payload:
    """Bytes to store, and what they are when decoded.

    ``stored`` are the bytes in the blob, ``size`` the decoded number of bytes, ``digest`` 16 bytes
    that identify ``stored`` and ``codec`` (equal payloads are stored once), ``check`` the launcher's
    check sum of ``stored``.
    """

    stored: bytes | memoryview
    size: int
    codec: Codec
    digest: bytes
    check: int

    @classmethod
    def of(cls, stored: bytes | memoryview, size: int, codec: Codec) -> Payload:
        """A payload of already encoded bytes."""
        digest = hashlib.blake2b(stored, digest_size=16, person=b"ox-codec-%d" % codec).digest()
        return cls(stored, size, codec, digest, check_sum(stored))

    @classmethod
    def raw(cls, data: bytes | memoryview) -> Payload:
        """A payload stored as it is."""
        return cls.of(data, len(data), Codec.RAW)


def check_sum(stored: bytes | memoryview) -> int:
    """``ox_payload.check``: the one's complement sum of the bytes' 32-bit words; 0 for no bytes."""
    if not stored:
        return 0
    number = int.from_bytes(stored, "little")
    # One division would take seconds for a large library. 2**32 leaves 1, so that halves cut at a
    # multiple of 32 bits may be added first.
    while (bits := number.bit_length()) > 64:
        half = (bits // 2 + 31) // 32 * 32
        number = (number >> half) + (number & ((1 << half) - 1))
    return number % 0xFFFFFFFF or 0xFFFFFFFF


class Encoder:
    """Makes payloads for one compression setting and one dictionary (empty: none). Thread-safe."""

    def __init__(self, compression: Compression = "none", dictionary: bytes = b"") -> None:
        self.compression: Compression = compression
        self.dictionary = dictionary
        self._local = threading.local()  # a compressor must not be used by two threads at once

    def _compressor(self) -> zstandard.ZstdCompressor:
        known: zstandard.ZstdCompressor | None = getattr(self._local, "zstd", None)
        if known is None:
            dictionary = None
            level = _LEVELS[self.compression]
            if self.dictionary:
                dictionary = zstandard.ZstdCompressionDict(self.dictionary)
                dictionary.precompute_compress(level=level)
            # One-shot frames carry their content size; no checksum (the blob has one over everything).
            known = self._local.zstd = zstandard.ZstdCompressor(
                level=level, dict_data=dictionary, write_checksum=False, write_dict_id=False
            )
        return known

    def payload(self, data: bytes | memoryview, *, rarely_read: bool = False) -> Payload:
        """``data`` as a payload; ``rarely_read`` data (source text) is compressed in any case."""
        if self.compression == "none" and not rarely_read:
            return Payload.raw(data)
        frame = self._compressor().compress(data)
        if len(frame) >= len(data) * _WORTH:
            return Payload.raw(data)
        return Payload.of(frame, len(data), Codec.ZSTD_DICT if self.dictionary else Codec.ZSTD)


def decode(payload: Payload, dictionary: bytes = b"") -> bytes:
    """The payload's decoded bytes.

    Raises ValueError when the bytes or the frame are damaged, or the size is not the promised one.
    """
    if check_sum(payload.stored) != payload.check:
        raise ValueError("wrong check sum")
    if payload.codec is Codec.RAW:
        return bytes(payload.stored)
    known = zstandard.ZstdCompressionDict(dictionary) if payload.codec is Codec.ZSTD_DICT else None
    try:
        data = zstandard.ZstdDecompressor(dict_data=known).decompress(
            payload.stored, max_output_size=payload.size
        )
    except zstandard.ZstdError as error:
        raise ValueError(f"zstd frame: {error}") from error
    if len(data) != payload.size:
        raise ValueError(f"zstd frame: {len(data)} bytes where {payload.size} were promised")
    return data


def train(samples: Sequence[bytes], size: int = 112 * 1024) -> bytes:
    """A zstd dictionary of at most ``size`` bytes for data like ``samples``; empty when too few."""
    if len(samples) < 16:
        return b""
    # k and d are given: to let zstd search for them takes six times as long and finds no better ones.
    trained = zstandard.train_dictionary(size, list(samples), k=1024, d=6, level=_DICTIONARY_LEVEL)
    return trained.as_bytes()
