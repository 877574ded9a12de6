"""Signals with several receivers, sent in order, frozen and refused."""

from __future__ import annotations

import asyncio

import aiosignal
from aiosignal import Signal

SEEN: list[str] = []


async def first(name: str, *, count: int = 0) -> None:
    SEEN.append(f"first {name} {count}")


async def second(name: str, **rest: object) -> None:
    await asyncio.sleep(0)
    SEEN.append(f"second {name} {rest}")


async def run() -> None:
    signal = Signal(owner="corpus")
    signal.append(first)

    @signal
    async def third(*arguments: object, **_: object) -> None:
        SEEN.append(f"third {arguments}")

    signal.insert(1, second)
    try:
        await signal.send("early")
    except RuntimeError as error:
        print(error)
    signal.freeze()
    await signal.send("name", count=3)
    print(SEEN, len(signal), signal.frozen)
    try:
        signal.append(first)
    except RuntimeError as error:
        print(error)


def main() -> None:
    asyncio.run(run())
    print(aiosignal.__version__, Signal.__mro__[1].__name__)
