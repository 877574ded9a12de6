"""Internationalised names encoded, decoded and refused; the codec registered."""

from __future__ import annotations

import idna
import idna.codec
from idna import idnadata, uts46data

from uses import helpers


def main() -> None:
    for name in ("ドメイン.テスト", "faß.de", "königsgäßchen", "xn--eckwd4c7c.xn--zckzah", "例え.jp"):
        encoded = idna.encode(name)
        print(encoded, idna.decode(encoded))
    print(idna.encode("Königsgäßchen", uts46=True), idna.encode("faß.de", uts46=True, transitional=False))
    for broken in ("\u2260.example", "a" * 64, "-a", "ab--c"):
        try:
            print(idna.encode(broken))
        except idna.IDNAError as error:
            print(type(error).__name__, error)
    print("hello ☃ мир"[6:7], idna.alabel("мир"), idna.ulabel("xn--h1ahn"))
    print("例え".encode("idna2008"), idna.codec.IncrementalEncoder().encode("例え.jp", final=True))
    print(idnadata.__version__, len(vars(uts46data)) > 5)
    print(helpers.python("-m", "idna", "königsgäßchen"))
