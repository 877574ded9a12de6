"""``[tool.oxcross.publish]``: its keys, and what they come to."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictInt, StringConstraints

from oxcross.config.bucket import Address, Place, Prefix, address, reached
from oxcross.config.table import Table, Text
from oxcross.config.tables import Wrong
from oxcross.publish import settings
from oxcross.publish.settings import FOREVER, SOON, Acl

Channel = Annotated[str, StringConstraints(strict=True, pattern=r"^[a-z0-9][a-z0-9-]*$")]
CacheControlText = Annotated[str, StringConstraints(strict=True, pattern=r"^[ -~]+$")]


class CacheControl(Table):
    """How long what was downloaded may be kept (the header Cache-Control)."""

    versions: CacheControlText = FOREVER
    """Of the files of a version, which never change."""
    pointers: CacheControlText = SOON
    """Of the channels' pointers, which do."""


class Publish(Place):
    """The bucket that releases are published to (Amazon S3 or what speaks like it). Credentials are never written here: they
    come from the environment, the profile or the machine's role, as with every program of Amazon's."""

    prefix: Prefix | None = None
    """What all keys begin with: `PREFIX/NAME/VERSION/FILE`."""
    url: Address | None = None
    """The address that `prefix` has for those who download, such as that of a CDN; default: the bucket's own."""
    acl: Acl | None = None
    """The canned ACL of all objects; default: none is sent, as buckets without ACLs want it."""
    kms_key: Text | None = None
    """Encrypt all objects with this key (SSE-KMS)."""
    cache_control: CacheControl = CacheControl()
    channels: tuple[Channel, ...] = ("stable",)
    """The channels that there are."""
    conditional: Literal["server", "check"] = "server"
    """`server`: it refuses to overwrite (If-None-Match, If-Match), and is tested for it. `check`: for servers that do not:
    look first, write, look again; two publishers at the same moment may then overwrite each other's files."""
    part_size: Annotated[StrictInt, Field(ge=5, le=1024)] = 8
    """MiB, at least: files of more than two parts go up in parts, which a stopped upload is resumed with."""
    timeout: Annotated[StrictInt, Field(ge=1, le=3600)] = 60
    """Seconds to wait for a sign of life."""
    patience: Annotated[StrictInt, Field(ge=0, le=86400)] = 300
    """Seconds that a request is tried again when the server is busy or the network is cut."""


def resolve(table: Publish, wrong: Wrong) -> settings.Publish:
    """The table as settings; what is wrong goes to ``wrong`` (key, message, hint)."""
    return settings.Publish(
        **reached(table, "publish", wrong),
        url=address(table.url, "publish.url", wrong),
        acl=table.acl,
        kms_key=table.kms_key or "",
        versions_cache=table.cache_control.versions,
        pointers_cache=table.cache_control.pointers,
        channels=tuple(dict.fromkeys(table.channels)),
        conditional=table.conditional,
        part_size=table.part_size << 20,
        timeout=float(table.timeout),
        patience=float(table.patience),
    )
