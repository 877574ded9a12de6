"""A small S3: objects, ranges, lists in pages, uploads in parts, deletions; several programs talk to it."""

from __future__ import annotations

import hashlib
import io
import re
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs

from uses import helpers

OBJECTS: dict[str, bytes] = {}
PARTS: dict[int, bytes] = {}
PAGE = 2
XML = {"Content-Type": "application/xml"}


def answer(handler: BaseHTTPRequestHandler, body: bytes) -> helpers.Answer:
    """Answer a request for ``/bucket/key``."""
    path, _, text = handler.path.partition("?")
    query = {key: values[0] for key, values in parse_qs(text, keep_blank_values=True).items()}
    if "aws-chunked" in handler.headers.get("Content-Encoding", ""):
        body = _dechunked(body)
    if path.count("/") == 1 and handler.command == "GET":
        return _list(path, query)
    match handler.command:
        case "PUT" if "partNumber" in query:
            PARTS[int(query["partNumber"])] = body
            return 200, {"ETag": f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'}, b""
        case "PUT":
            OBJECTS[path] = body
            return 200, {"ETag": f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'}, b""
        case "POST" if "uploads" in query:
            return 200, XML, _element("InitiateMultipartUploadResult", "<UploadId>u</UploadId>")
        case "POST" if "uploadId" in query:
            OBJECTS[path] = b"".join(PARTS[number] for number in sorted(PARTS))
            return 200, XML, _element("CompleteMultipartUploadResult", "<ETag>x</ETag>")
        case "POST" if "delete" in query:
            for key in re.findall(rb"<Key>(.*?)</Key>", body):
                OBJECTS.pop(f"{path.rstrip('/')}/{key.decode()}", None)
            return 200, XML, _element("DeleteResult", "")
        case "DELETE":
            OBJECTS.pop(path, None)
            return 204, {}, b""
    return _object(handler, path)


def _object(handler: BaseHTTPRequestHandler, path: str) -> helpers.Answer:
    if path not in OBJECTS:
        return 404, XML, _element("Error", "<Code>NoSuchKey</Code><Message>no</Message>")
    data = OBJECTS[path]
    headers = {
        "ETag": '"e"',
        "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT",
        "Content-Length": str(len(data)),
        "x-amz-meta-colour": "blue",
    }
    if handler.command == "HEAD":
        return 200, headers, b""
    if span := re.match(r"bytes=(\d+)-(\d*)", handler.headers.get("Range", "")):
        first, last = int(span[1]), min(int(span[2] or len(data) - 1), len(data) - 1)
        part = data[first : last + 1]
        return (
            206,
            headers
            | {"Content-Range": f"bytes {first}-{last}/{len(data)}", "Content-Length": str(len(part))},
            part,
        )
    return 200, headers, data


def _list(path: str, query: dict[str, str]) -> helpers.Answer:
    keys = sorted(
        one.removeprefix(f"{path}/") for one in OBJECTS if one.startswith(f"{path}/{query.get('prefix', '')}")
    )
    after = query.get("continuation-token", query.get("marker", ""))
    left = [key for key in keys if key > after]
    more = len(left) > PAGE
    rows = "".join(
        f"<Contents><Key>{key}</Key><Size>{len(OBJECTS[f'{path}/{key}'])}</Size><ETag>e</ETag>"
        "<LastModified>2026-01-01T00:00:00Z</LastModified></Contents>"
        for key in left[:PAGE]
    )
    if more:
        rows += f"<NextContinuationToken>{left[PAGE - 1]}</NextContinuationToken><NextMarker>{left[PAGE - 1]}</NextMarker>"
    return 200, XML, _element("ListBucketResult", f"<IsTruncated>{str(more).lower()}</IsTruncated>{rows}")


def _element(name: str, content: str) -> bytes:
    return f"<{name}>{content}</{name}>".encode()


def _dechunked(body: bytes) -> bytes:
    stream, out = io.BytesIO(body), b""
    while size := int(stream.readline().split(b";")[0].strip() or b"0", 16):
        out += stream.read(size)
        stream.readline()
    return out
