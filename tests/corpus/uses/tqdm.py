"""Bars over loops, nested, closed, formatted, for pandas, threads, processes, asyncio, logging, and the command."""

from __future__ import annotations

import asyncio
import io
import logging
import re

import pandas
from tqdm import asyncio as tqdm_asyncio
from tqdm import auto, contrib, tqdm, trange
from tqdm.contrib import concurrent
from tqdm.contrib import logging as tqdm_logging

from uses import helpers


def square(value: int) -> int:
    return value * value


def _stable(text: str) -> str:
    return re.sub(r"\d+:\d+<\S+|[\d.?]+\s*(it|B)/s|\d\d:\d\d", "T", text)


def main() -> None:
    out = io.StringIO()
    for _ in tqdm(range(3), file=out, desc="go", ncols=60, ascii=True, mininterval=1000):
        pass
    print(out.getvalue().splitlines()[-1].partition("|")[0])
    print(
        tqdm.format_meter(30, 100, 5.0, ncols=50, prefix="x", unit="B", unit_scale=True, colour="red"),
        tqdm.format_sizeof(1234567),
        tqdm.format_interval(3661),
    )
    bar = trange(2, disable=True)
    print(sum(bar), auto.tqdm.__name__)
    with tqdm(total=10, file=out, bar_format="{n}/{total} {postfix}") as bar:
        bar.update(4)
        bar.set_postfix(loss=0.5)
        tqdm.write("written", file=out)
    print(out.getvalue().splitlines()[-1].split("\r")[-1])
    print(
        concurrent.process_map(square, range(5), max_workers=2, disable=True),
        concurrent.thread_map(square, range(3), disable=True),
    )
    tqdm.pandas(file=io.StringIO())
    print(
        pandas.Series([1, 2]).progress_apply(square).tolist(),
        list(contrib.tenumerate("ab", file=io.StringIO())),
    )
    with tqdm_logging.logging_redirect_tqdm():
        logging.getLogger().warning("logged")
    print(asyncio.run(tqdm_asyncio.tqdm.gather(*(asyncio.sleep(0, n) for n in range(3)), disable=True)))
    print(
        _stable(
            helpers.python(
                "-m", "tqdm", "--desc", "pipe", "--ncols", "40", "--mininterval", "1000", stdin="a\nb\n"
            )
        ).splitlines()[:2]
    )
    print(helpers.python("-m", "tqdm", "--version"))
