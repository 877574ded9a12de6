"""How long a new machine takes to build everything: an empty store, a filled cache, hello world for all targets.

The cache is the tests' S3 server (SeaweedFS) on this machine, filled from the user's own store, which has to have all of it
(``oxcross build`` for all targets makes it so). Each run begins with an empty store and without the project's build folder; the same again, with
the store that the run left, is told beside it. Run: ``python bench/cache.py [--runs N]``.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
REPOSITORY = HERE.parent
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "tests" / "e2e")]

import s3server  # noqa: E402 (of the tests, which the line above finds)
from disturbed import ENVIRONMENT  # noqa: E402

from oxcross import targets  # noqa: E402
from oxcross.cache import signing  # noqa: E402

BUCKET = "cache"


def oxcross(*words: str, env: Mapping[str, str]) -> tuple[float, str, str]:
    """Seconds, stdout and stderr."""
    begun = time.monotonic()
    line = [sys.executable, "-m", "oxcross", *words]
    done = subprocess.run(line, cwd=REPOSITORY, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)}: {done.stdout}{done.stderr}")
    return time.monotonic() - begun, done.stdout, done.stderr


def built(errors: str) -> list[str]:
    """The steps that were built, which should be none."""
    return [line.split()[1] for line in errors.splitlines() if line.startswith("built ")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    wanted = parser.parse_args()
    names = ",".join(targets.load())
    public, secret = signing.generate()
    env = {**os.environ, **ENVIRONMENT, "PYTHONPATH": str(REPOSITORY), "OXCROSS_CACHE_KEY": secret}
    with (
        tempfile.TemporaryDirectory(prefix="oxcross-bench-") as name,
        s3server.running(Path(name) / "server") as server,
    ):
        client = server.client()
        client.create_bucket(Bucket=BUCKET)
        folder = Path(name) / "hello"
        leave = shutil.ignore_patterns("build", "dist", "oxcross.lock")
        shutil.copytree(REPOSITORY / "tests" / "e2e" / "apps" / "hello", folder, ignore=leave)
        with (folder / "pyproject.toml").open("a", encoding="utf-8") as file:
            file.write(
                f'\n[tool.oxcross.cache]\nbucket = "{BUCKET}"\nendpoint = "{server.address}"\ntrust = ["{public}"]\n'
            )
        line = ["--project", str(folder), "--targets", names]
        pushing, said, _ = oxcross("cache", "push", *line, "--json", env=env)
        rows: list[dict[str, Any]] = json.loads(said)["pushed"]
        if lacking := [row["name"] for row in rows if row["state"] != "new"]:
            raise SystemExit(f"the store lacks {', '.join(lacking)}: build all targets first")
        fresh, again = [], []
        for run in range(wanted.runs):
            store = {**env, "OXCROSS_STORE": str(Path(name) / f"store-{run}")}
            shutil.rmtree(folder / "build", ignore_errors=True)
            seconds, _, errors = oxcross("build", *line, env=store)
            if steps := built(errors):
                raise SystemExit(f"built: {', '.join(steps)}")
            fresh.append(seconds)
            again.append(oxcross("build", *line, env=store)[0])
            shutil.rmtree(store["OXCROSS_STORE"])
        client.close()
    found = {
        "targets": len(targets.load()),
        "steps": len(rows),
        "MB": round(sum(row["size"] for row in rows) / 1e6, 1),
        "push": round(pushing, 1),
        "new machine": [round(seconds, 1) for seconds in fresh],
        "median": round(statistics.median(fresh), 1),
        "again": [round(seconds, 1) for seconds in again],
    }
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
