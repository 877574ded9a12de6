"""Folders of users and sites for every system."""

from __future__ import annotations

import os

import platformdirs
from platformdirs import android, macos, unix, windows

from uses import helpers

KINDS = (
    "user_data",
    "user_config",
    "user_cache",
    "user_state",
    "user_log",
    "user_runtime",
    "user_documents",
    "site_data",
    "site_config",
    "site_cache",
)


def main() -> None:
    for kind in KINDS:
        print(
            kind,
            getattr(platformdirs, f"{kind}_dir")(
                *(() if kind == "user_documents" else ("App", "Author", "1.0"))
            ),
        )
    os.environ["XDG_CONFIG_HOME"] = "/somewhere"
    os.environ["XDG_DATA_DIRS"] = "/a:/b"
    print(platformdirs.user_config_path("App"), platformdirs.site_data_dir("App", multipath=True))
    print(
        macos.MacOS("App").user_data_dir,
        platformdirs.PlatformDirs is unix.Unix,
        windows.__name__,
        android.Android.__name__,
    )
    made = platformdirs.user_cache_path("App", ensure_exists=True)
    print(made.is_dir(), sorted(path.name for path in made.parent.iterdir()))
    print(helpers.python("-m", "platformdirs").count("\n"))
