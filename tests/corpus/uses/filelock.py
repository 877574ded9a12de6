"""Locks held across threads and processes, with timeouts, asyncio, and read-write locks."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import threading

import filelock


def add(path: str) -> None:
    for _ in range(25):
        with filelock.FileLock(f"{path}.lock"):
            with open(path) as file:
                number = int(file.read())
            with open(path, "w") as file:
                file.write(str(number + 1))


def main() -> None:
    with open("number", "w") as file:
        file.write("0")
    context = multiprocessing.get_context("spawn")
    children = [context.Process(target=add, args=("number",)) for _ in range(2)]
    threads = [threading.Thread(target=add, args=("number",)) for _ in range(2)]
    for one in [*children, *threads]:
        one.start()
    for one in [*children, *threads]:
        one.join()
    print(open("number").read(), [one.exitcode for one in children], filelock.FileLock.__name__)
    lock = filelock.FileLock("a.lock", timeout=0.05)
    with lock, lock:
        print(lock.is_locked, lock.lock_counter)
        try:
            filelock.FileLock("a.lock", timeout=0.05).acquire()
        except filelock.Timeout as error:
            print(error)
    print(lock.is_locked, os.path.exists("a.lock"))
    soft = filelock.SoftFileLock("soft.lock")
    with soft:
        print(os.path.exists("soft.lock"))
    print(os.path.exists("soft.lock"), asyncio.run(later()))
    try:
        filelock.FileLock(os.path.join(os.path.dirname(filelock.__file__), "no.lock"), timeout=0.1).release()
    except OSError as error:
        print(error.errno)


async def later() -> str:
    async with filelock.AsyncFileLock("b.lock"):
        return "asynchronous"
