"""Calls tried again: with waits, stops, results, hooks, asyncio, blocks and statistics."""

from __future__ import annotations

import asyncio
import logging
import sys

import tenacity
from tenacity import (
    retry,
    retry_if_exception_type,
    retry_if_result,
    stop_after_attempt,
    wait_exponential,
    wait_fixed,
    wait_none,
)

COUNT: list[int] = []


@retry(
    stop=stop_after_attempt(3),
    wait=wait_fixed(0.001),
    reraise=True,
    after=lambda state: print("after", state.attempt_number),
)
def fails() -> None:
    raise OSError("again")


@retry(
    retry=retry_if_result(lambda value: value is None) | retry_if_exception_type(ValueError), wait=wait_none()
)
def third() -> int | None:
    COUNT.append(1)
    if len(COUNT) == 1:
        raise ValueError
    return None if len(COUNT) < 3 else 7


@retry(stop=stop_after_attempt(2), sleep=asyncio.sleep)
async def later() -> str:
    COUNT.append(1)
    if len(COUNT) % 2:
        return "fine"
    raise KeyError("x")


def main() -> None:
    try:
        fails()
    except OSError as error:
        print(error, fails.statistics["attempt_number"])
    print(third(), COUNT, asyncio.run(later()))
    try:
        for attempt in tenacity.Retrying(stop=stop_after_attempt(2)):
            with attempt:
                raise RuntimeError("in a block")
    except tenacity.RetryError as error:
        print(error.last_attempt.exception(), error.last_attempt.attempt_number)
    state = tenacity.RetryCallState(tenacity.Retrying(), None, (), {})
    print([wait_exponential(multiplier=0.5, max=3)(_at(state, number)) for number in range(1, 6)])
    logging.basicConfig(stream=sys.stdout, format="%(message)s", level=logging.INFO)
    named = tenacity.Retrying(
        stop=stop_after_attempt(2),
        before=tenacity.before_log(logging.getLogger("x"), logging.INFO),
        retry_error_callback=lambda state: "gave up",
    )
    print(named(fails_quietly), tenacity.__name__)


def fails_quietly() -> None:
    raise ValueError


def _at(state: tenacity.RetryCallState, number: int) -> tenacity.RetryCallState:
    state.attempt_number = number
    return state
