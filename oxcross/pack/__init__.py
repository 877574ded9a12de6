"""The blob: written from resources, read back for inspection (format: launcher/resources.h)."""

from oxcross.pack.check import check
from oxcross.pack.codec import Compression, Encoder, Payload, decode, train
from oxcross.pack.format import Codec, Key, Run, Section
from oxcross.pack.reader import Blob
from oxcross.pack.resources import File, Library, Module, Resources, merge
from oxcross.pack.writer import Setting, Written, blob, encode, write

__all__ = [
    "Blob",
    "Codec",
    "Compression",
    "Encoder",
    "File",
    "Key",
    "Library",
    "Module",
    "Payload",
    "Resources",
    "Run",
    "Section",
    "Setting",
    "Written",
    "blob",
    "check",
    "decode",
    "encode",
    "merge",
    "train",
    "write",
]
