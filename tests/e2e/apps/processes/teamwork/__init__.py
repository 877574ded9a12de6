"""What the processes of the test application do: functions of a package, which any process can import."""

from __future__ import annotations


def cube(number: int) -> int:
    """The third power."""
    return number**3


def add_one(counter: object, times: int) -> None:
    """Raise a shared counter."""
    for _ in range(times):
        with counter.get_lock():  # type: ignore[attr-defined]
            counter.value += 1  # type: ignore[attr-defined]


def fill(name: str, value: int) -> None:
    """Write a byte into shared memory."""
    from multiprocessing.shared_memory import SharedMemory

    memory = SharedMemory(name)
    memory.buf[1] = value
    memory.close()
