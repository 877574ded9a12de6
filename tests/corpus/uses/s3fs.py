"""Files on S3 written, listed, read in pieces and removed, through fsspec, against a server of its own."""

from __future__ import annotations

import fsspec
import s3fs

from uses import helpers, s3server


def main() -> None:
    with helpers.http(s3server.answer) as address:
        options = {
            "key": "id", "secret": "secret", "endpoint_url": address,
            "client_kwargs": {"region_name": "us-east-1"},
            "config_kwargs": {"s3": {"addressing_style": "path"}, "request_checksum_calculation": "when_required"},
        }  # fmt: skip
        system = s3fs.S3FileSystem(**options)
        with system.open("bucket/a/one.txt", "wb") as file:
            file.write(b"line 1\nline 2\n" * 100)
        system.pipe({"bucket/a/two.txt": b"two", "bucket/b.txt": b"b"})
        print(sorted(s3server.OBJECTS), system.find("bucket"), system.info("bucket/b.txt")["size"])
        with system.open("bucket/a/one.txt", "rt") as file:
            print(file.readline(), len(file.read()))
        with fsspec.open("s3://bucket/a/one.txt", "rb", **options) as file:
            file.seek(7)
            print(file.read(6))
        print(system.cat_file("bucket/b.txt"), system.exists("bucket/none"), system.glob("bucket/a/*.txt"))
        system.rm("bucket/a", recursive=True)
        print(sorted(s3server.OBJECTS))
        try:
            system.open("bucket/none", "rb")
        except FileNotFoundError as error:
            print(type(error).__name__, error)
    print(s3fs.__version__, fsspec.get_filesystem_class("s3").__name__, system.protocol)
