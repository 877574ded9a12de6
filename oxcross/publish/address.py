"""The addresses that releases are downloaded from: the configured one, or the bucket's own."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from oxcross.publish.settings import Publish


def public(settings: Publish) -> str:
    """The address of what ``prefix`` is in the bucket, without a slash at its end; "" when nothing says it.

    Source: "Virtual hosting of general purpose buckets", Amazon's documentation of S3.
    """
    if settings.url:
        return settings.url
    if not settings.bucket:
        return ""
    if settings.endpoint:
        parts = urlsplit(settings.endpoint)
        host = parts.netloc + parts.path if settings.path_style else f"{settings.bucket}.{parts.netloc}"
        base = f"{parts.scheme}://{host}" + (f"/{settings.bucket}" if settings.path_style else "")
    elif settings.region and settings.path_style:
        base = f"https://s3.{settings.region}.amazonaws.com/{settings.bucket}"
    elif settings.region:
        base = f"https://{settings.bucket}.s3.{settings.region}.amazonaws.com"
    else:
        return ""
    return "/".join(filter(None, (base, quote(settings.prefix))))
