"""What every table has that names a bucket (Amazon S3 or what speaks like it): how it is reached."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import StrictBool, StringConstraints

from oxcross.config.table import Table, Text
from oxcross.config.tables import Wrong

# "Bucket naming rules", Amazon's documentation of S3; other servers ask for no less.
BucketName = Annotated[str, StringConstraints(strict=True, pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
Prefix = Annotated[str, StringConstraints(strict=True, pattern=r"^[A-Za-z0-9._/+-]+$")]
Address = Annotated[str, StringConstraints(strict=True, pattern=r"^https?://\S+$")]


class Place(Table):
    """A place in a bucket."""

    bucket: BucketName | None = None
    """The bucket's name."""
    prefix: Prefix | None = None
    """What all keys begin with."""
    endpoint: Address | None = None
    """The server's address; default: Amazon's, or AWS_ENDPOINT_URL_S3."""
    region: Text | None = None
    """The bucket's region; default: the environment's or the profile's."""
    profile: Text | None = None
    """A profile of `~/.aws/config`."""
    path_style: StrictBool | None = None
    """Write the bucket's name in the path rather than in the host; default: where `endpoint` is given."""


def reached(table: Place, name: str, wrong: Wrong) -> dict[str, Any]:
    """The place as fields of ``publish.settings.Publish``; ``name`` is the table's, for what is wrong."""
    if table.bucket is None:
        for field in ("prefix", "endpoint"):
            if field in table.model_fields_set:
                wrong(f"{name}.bucket", f"missing, and there is a {field}", 'write bucket = "…"')
                break
    prefix = (table.prefix or "").strip("/")
    if any(part in ("", ".", "..") for part in prefix.split("/")) and prefix:
        wrong(f"{name}.prefix", f"has an empty part, or one of dots: {table.prefix!r}", None)
    endpoint = address(table.endpoint, f"{name}.endpoint", wrong)
    return {
        "bucket": table.bucket or "",
        "prefix": prefix,
        "endpoint": endpoint,
        "region": table.region or "",
        "profile": table.profile or "",
        "path_style": bool(endpoint) if table.path_style is None else table.path_style,
    }


def address(text: str | None, key: str, wrong: Wrong) -> str:
    """An address without a slash at its end; "" for none."""
    found = (text or "").rstrip("/")
    parts = urlsplit(found)
    if parts.username or parts.password:
        wrong(key, "has a name or password in it", "credentials come from the environment or a profile")
    if parts.query or parts.fragment:
        wrong(key, "must be an address without '?' and '#'", None)
    return found
