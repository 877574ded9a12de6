# ruff: noqa: INP001, S311, S301, S314  (a script of a build step, no part of a package; nothing here is secret or foreign)
"""What CPython is trained with beside its own tests: what programs do when they start, and for long.

CPython's choice (``-m test --pgo``) visits many functions for a short while. Here the interpreter's own loops run as
they do in applications, so that what is hot there is seen to be hot.
"""

from __future__ import annotations

import asyncio
import copy
import csv
import dataclasses
import datetime as dt
import decimal
import fractions
import functools
import hashlib
import heapq
import io
import itertools
import json
import logging
import math
import os
import pickle
import random
import re
import string
import subprocess
import sys
import sysconfig
import textwrap
import threading
import time
import xml.etree.ElementTree as ET
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from collections.abc import Callable, Iterator
from pathlib import Path

_SECONDS = 2.0  # of each workload
_START_MODULES = (
    "argparse", "asyncio", "concurrent.futures", "csv", "ctypes", "dataclasses", "decimal", "email.message",
    "http.client", "importlib.metadata", "inspect", "json", "logging.config", "multiprocessing", "pathlib", "pickle",
    "sqlite3", "ssl", "subprocess", "tempfile", "typing", "unittest", "urllib.request", "uuid", "xml.etree.ElementTree",
    "zipfile", "zoneinfo",
)  # fmt: skip


def start() -> None:
    """An interpreter that starts and ends, bare and with what applications import."""
    python = [sys.executable, "-I", "-X", "frozen_modules=off"]
    for code in ("pass", "import " + ", ".join(_START_MODULES)):
        for _ in range(5):
            subprocess.run([*python, "-c", code], check=True)


@dataclasses.dataclass
class Body:
    """Something with attributes that change."""

    x: float
    y: float
    vx: float
    vy: float
    mass: float = 1.0

    def energy(self) -> float:
        return 0.5 * self.mass * (self.vx**2 + self.vy**2)


class Shape:
    """A base class with properties, slots and dispatch."""

    __slots__ = ("_scale", "name")

    def __init__(self, name: str, scale: float) -> None:
        self.name = name
        self._scale = scale

    @property
    def scale(self) -> float:
        return self._scale

    def area(self) -> float:
        raise NotImplementedError

    def __lt__(self, other: Shape) -> bool:
        return self.area() < other.area()


class Square(Shape):
    __slots__ = ()

    def area(self) -> float:
        return self.scale * self.scale


class Circle(Shape):
    __slots__ = ()

    def area(self) -> float:
        return math.pi * self.scale**2


Point = namedtuple("Point", "x y z")  # noqa: PYI024 (what programs have)


def floats() -> None:
    bodies = [Body(i, i * 0.5, -i, 1.0 / (i + 1), 1.0 + i) for i in range(12)]
    for _ in range(20):
        for a, b in itertools.combinations(bodies, 2):
            dx, dy = a.x - b.x, a.y - b.y
            pull = 0.01 / (dx * dx + dy * dy + 1.0) ** 1.5
            a.vx -= dx * b.mass * pull
            a.vy -= dy * b.mass * pull
            b.vx += dx * a.mass * pull
            b.vy += dy * a.mass * pull
        for body in bodies:
            body.x += 0.01 * body.vx
            body.y += 0.01 * body.vy
    sum(body.energy() for body in bodies)


def grids() -> None:
    size = 48
    rows = [[(i * j) % 7 / 7.0 for j in range(size)] for i in range(size)]
    for _ in range(2):
        rows = [
            [
                rows[i][j] * 0.5 + (rows[i - 1][j] + rows[i][j - 1] + rows[(i + 1) % size][j]) / 6.0
                for j in range(size)
            ]
            for i in range(size)
        ]
    array = [0] * 1000
    for i in range(2, 1000):
        for j in range(i * 2, 1000, i):
            array[j] += 1


def objects() -> None:
    made = [Square("s", i % 13) if i % 2 else Circle("c", i % 11) for i in range(300)]
    made.sort()
    by_name: dict[str, list[float]] = defaultdict(list)
    for shape in made:
        by_name[shape.name].append(shape.area())
    points = {Point(i, i + 1, i * 2): i for i in range(200)}
    sum(points[Point(p.x, p.y, p.z)] for p in list(points))
    for shape in made:
        try:
            Shape.area(shape)
        except NotImplementedError:
            continue


def recursion() -> None:
    def fib(n: int) -> int:
        return n if n < 2 else fib(n - 1) + fib(n - 2)

    def solve(row: int, columns: int, left: int, right: int, size: int) -> int:
        if row == size:
            return 1
        free = ~(columns | left | right) & ((1 << size) - 1)
        count = 0
        while free:
            bit = free & -free
            free ^= bit
            count += solve(row + 1, columns | bit, (left | bit) << 1, (right | bit) >> 1, size)
        return count

    fib(15)
    solve(0, 0, 0, 0, 6)


def generators() -> None:
    def tree(depth: int) -> Iterator[int]:
        if depth:
            yield from tree(depth - 1)
            yield depth
            yield from tree(depth - 1)

    sum(tree(9))
    sum(x * y for x, y in zip(range(500), itertools.count(), strict=False) if x & 1)
    list(itertools.islice(itertools.permutations(range(7)), 800))
    [
        list(group)
        for _, group in itertools.groupby(sorted(range(200), key=lambda n: n % 7), key=lambda n: n % 7)
    ]


async def _relay(queue: asyncio.Queue[int], count: int) -> int:
    total = 0
    for _ in range(count):
        total += await queue.get()
    return total


async def _tasks() -> None:
    queue: asyncio.Queue[int] = asyncio.Queue(10)
    readers = [asyncio.create_task(_relay(queue, 40)) for _ in range(5)]
    for i in range(200):
        await queue.put(i)
        if i % 20 == 0:
            await asyncio.sleep(0)
    await asyncio.gather(*readers)


def coroutines() -> None:
    asyncio.run(_tasks())


def text() -> None:
    words = (string.ascii_letters + " lorem ipsum dolor sit amet consectetur ").split()
    page = " ".join(words * 40)
    Counter(page)
    out = [
        f"{i:05d} {word!r:>20} {len(word) / 3:.2f} {word.title()}-{i}" for i, word in enumerate(page.split())
    ]
    "\n".join(out).replace("lorem", "LOREM").upper().encode("utf-8").decode("utf-8")
    textwrap.fill(page, 60)
    "".join(sorted(page)).translate(str.maketrans("abc", "xyz"))
    [line.partition(" ")[2].strip().split() for line in out if line.endswith("1") or "ip" in line]


def expressions() -> None:
    page = (
        "user@example.org, 2024-05-06 12:30:11 GET /index.html?x=1&y=2 200 1234 <a href='x'>text</a>\n" * 20
    )
    for pattern in (
        r"[\w.]+@[\w.]+\.\w+", r"(\d{4})-(\d\d)-(\d\d)", r"(?P<verb>GET|POST) (\S+) (\d+)", r"<[^>]*>",
        r"(?:a|b|ab)*c?", r"\bindex\b.*?(\d+)", r"(?i)EXAMPLE",
    ):  # fmt: skip
        re.findall(pattern, page)
        re.sub(pattern, "-", page)
    re.purge()
    re.compile(r"(?P<year>\d+)[/-](?P<month>1[0-2]|0?[1-9])([/-](?P<day>\d{1,2}))?|today|(to)?morrow")


def documents() -> None:
    value = {
        "id": 1, "name": "näme", "tags": ["a", "b", "c"] * 5, "nested": {str(i): [i, i / 3, None, True] for i in range(40)},
    }  # fmt: skip
    for _ in range(5):
        json.loads(json.dumps(value))
        json.dumps(value, indent=1, sort_keys=True)
        pickle.loads(pickle.dumps(value))
    copy.deepcopy(value)
    root = ET.Element("root")
    for i in range(150):
        child = ET.SubElement(root, "item", {"id": str(i), "class": "x"})
        child.text = f"text {i} & more"
        ET.SubElement(child, "leaf").tail = "tail"
    document = ET.tostring(root, encoding="unicode")
    parsed = ET.fromstring(document)
    [leaf.tag for leaf in parsed.iter("leaf")]
    parsed.findall("./item/leaf")
    for _event, element in ET.iterparse(io.BytesIO(document.encode())):
        element.clear()
    table = io.StringIO()
    csv.writer(table).writerows([[i, i * 1.5, "a,b", 'q"q'] for i in range(100)])
    list(csv.reader(io.StringIO(table.getvalue())))


def numbers() -> None:
    k, a, b, a1, b1 = 2, 4, 1, 12, 4
    for _ in range(120):
        p, q, k = k * k, 2 * k + 1, k + 1
        a, b, a1, b1 = a1, b1, p * a + q * a1, p * b + q * b1
        d, d1 = a // b, a1 // b1
        while d == d1:
            a, a1 = 10 * (a % b), 10 * (a1 % b1)
            d, d1 = a // b, a1 // b1
    big = 3**900
    str(big * big // 7**300)
    pow(big, 65537, 2**521 - 1)
    with decimal.localcontext() as context:
        context.prec = 40
        total = decimal.Decimal(0)
        for i in range(1, 150):
            total += decimal.Decimal(1) / i
        total.sqrt().quantize(decimal.Decimal("0.01"))
    sum((fractions.Fraction(1, i) for i in range(1, 40)), fractions.Fraction(0))
    sum(math.sin(i) * math.sqrt(i) for i in range(300))


def containers() -> None:
    source = random.Random(1)
    values = [source.random() for _ in range(600)]
    heap: list[float] = []
    for value in values:
        heapq.heappush(heap, value)
    [heapq.heappop(heap) for _ in range(len(heap))]
    ring: deque[int] = deque(maxlen=50)
    ordered: OrderedDict[int, int] = OrderedDict()
    for i in range(400):
        ring.append(i)
        ordered[i % 31] = i
        ordered.move_to_end(i % 31)
    left, right = set(range(0, 400, 2)), set(range(0, 400, 3))
    (left & right) | (left - right) ^ right
    sorted({i: str(i) for i in range(300)}.items(), key=lambda pair: pair[1], reverse=True)
    tuple(map(divmod, range(200), range(200, 0, -1)))
    table = bytearray(256)
    for i in range(256):
        table[i] = (i * 7 + 3) & 255
    hashlib.sha256(bytes(table) * 10).hexdigest()
    struct_like = memoryview(table)[10:200:3].tolist()
    functools.reduce(lambda a, b: (a * 31 + b) & 0xFFFFFFFF, struct_like, 7)


def services() -> None:
    log = logging.getLogger("train")
    log.handlers = [logging.StreamHandler(io.StringIO())]
    log.propagate = False
    log.setLevel(logging.INFO)
    for i in range(60):
        log.debug("not shown %d", i)
        log.info("shown %s %d", "x", i)
    day = dt.datetime(2024, 2, 28, 23, 59, tzinfo=dt.UTC)
    for i in range(60):
        (day + dt.timedelta(hours=i)).isoformat()
        day.strftime("%Y-%m-%d %H:%M")
    lock = threading.Lock()
    results: list[int] = []

    def work(n: int) -> None:
        for i in range(50):
            with lock:
                results.append(n * i)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    source = Path(dataclasses.__file__).read_text(encoding="utf-8")[:6000].rpartition("\ndef ")[0]
    compile(source, "<train>", "exec")


def work(seconds: float) -> None:
    """Every workload for this long."""
    loops: tuple[Callable[[], None], ...] = (
        floats, grids, objects, recursion, generators, coroutines, text, expressions, documents, numbers, containers,
        services,
    )  # fmt: skip
    for loop in loops:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            loop()


def main() -> None:
    if os.environ.get("PYTHONMALLOC"):
        work(0.1 * _SECONDS)
        return
    start()
    work(_SECONDS)
    if sysconfig.get_config_var("WITH_MIMALLOC"):  # the allocator that programs may choose
        environment = {**os.environ, "PYTHONMALLOC": "mimalloc"}
        subprocess.run([sys.executable, "-B", __file__], check=True, env=environment)


if __name__ == "__main__":
    main()
