"""How fast a release goes up: ``oxcross publish`` against ``aws s3 cp``, the same gigabyte to the same S3 server on this machine.

The server is the tests' (SeaweedFS); awscli comes from PyPI into an environment of its own. Both run as processes, in turns; what oxcross
does besides (hashing the folder, looking at the bucket before and afterwards) is in its time. Run: ``python bench/publish.py [--size MB] [--runs N]``.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
REPOSITORY = HERE.parent
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "tests" / "e2e")]

import publishing  # noqa: E402 (of the tests, which the line above finds)
import s3server  # noqa: E402
from disturbed import ENVIRONMENT  # noqa: E402

AWS = "awscli==1.*"


def environment() -> dict[str, str]:
    return {**os.environ, **ENVIRONMENT, "PYTHONPATH": str(REPOSITORY)}


def aws(folder: Path) -> Path:
    """The aws program, in an environment of its own."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", AWS]
    subprocess.run(pip, check=True, stderr=subprocess.DEVNULL)
    return folder / "bin" / "aws"


def timed(line: list[str], env: Mapping[str, str]) -> tuple[float, float]:
    """Wall-clock and processor time of a program, in seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.monotonic()
    done = subprocess.run(line, cwd=REPOSITORY, env=env, capture_output=True, text=True, check=False)
    wall = time.monotonic() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{line[0]}: {done.stdout}{done.stderr}")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=1000, help="MB")
    parser.add_argument("--runs", type=int, default=3)
    wanted = parser.parse_args()
    env = environment()
    with tempfile.TemporaryDirectory(prefix="oxcross-bench-") as name:
        folder = Path(name)
        program = aws(folder / "aws")
        with s3server.running(
            folder / "server", gigabytes=4 + 2 * wanted.size * wanted.runs // 1000
        ) as server:
            client = server.client()
            client.create_bucket(Bucket=publishing.BUCKET)
            content = {"linux-x64": os.urandom(wanted.size * 1_000_000)}
            made = publishing.make(
                *(folder / "p", "app", "1.0", server.address, content),
                settings={"part-size": 8, "timeout": 60},
            )
            file = made.folder / "app-1.0-linux-x64"
            target = f"s3://{publishing.BUCKET}/copied/app"
            lines: dict[str, Callable[[], list[str]]] = {
                "aws s3 cp": lambda: [
                    str(program), "--endpoint-url", server.address, "s3", "cp", "--quiet", str(file), target,
                ],
                "oxcross publish": lambda: [
                    sys.executable, "-m", "oxcross", "publish", "--project", str(made.root),
                ],
            }  # fmt: skip
            found: dict[str, list[tuple[float, float]]] = {name: [] for name in lines}
            for _ in range(wanted.runs):
                for label, line in lines.items():
                    found[label].append(timed(line(), env))
                    for page in client.get_paginator("list_objects_v2").paginate(Bucket=publishing.BUCKET):
                        for row in page.get("Contents", ()):
                            client.delete_object(Bucket=publishing.BUCKET, Key=row["Key"])
            client.close()
    rows: dict[str, dict[str, Any]] = {}
    for name, runs in found.items():
        wall = statistics.median(run[0] for run in runs)
        rows[name] = {
            "MB/s": round(wanted.size / wall, 1),
            "wall": [round(run[0], 2) for run in runs],
            "cpu": round(statistics.median(run[1] for run in runs), 2),
        }
    ratio = rows["oxcross publish"]["MB/s"] / rows["aws s3 cp"]["MB/s"]
    print(json.dumps({"size": wanted.size, **rows, "ratio": round(ratio, 3)}, indent=2))


if __name__ == "__main__":
    main()
