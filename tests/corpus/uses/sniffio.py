"""The library behind a coroutine named, in and out of asyncio, by variable and by thread."""

from __future__ import annotations

import asyncio
import threading

import sniffio
from sniffio import _impl


async def name() -> str:
    return sniffio.current_async_library()


def main() -> None:
    print(asyncio.run(name()), sniffio.__version__)
    try:
        sniffio.current_async_library()
    except sniffio.AsyncLibraryNotFoundError as error:
        print(error)
    token = sniffio.current_async_library_cvar.set("own")
    print(sniffio.current_async_library())
    sniffio.current_async_library_cvar.reset(token)
    sniffio.thread_local.name = "local"
    seen = [sniffio.current_async_library()]

    def other() -> None:
        try:
            sniffio.current_async_library()
        except sniffio.AsyncLibraryNotFoundError:
            seen.append("none")

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    sniffio.thread_local.name = None
    print(seen, _impl.__name__)
