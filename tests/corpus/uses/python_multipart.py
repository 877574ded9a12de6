"""Forms parsed from streams in pieces: fields, files, encodings, limits and errors."""

from __future__ import annotations

import io
import os

import python_multipart
from python_multipart import exceptions, multipart

BODY = (
    b'--limit\r\nContent-Disposition: form-data; name="text"\r\n\r\ngr\xc3\xb6\xc3\x9fe\r\n'
    b'--limit\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\nContent-Type: application/x\r\n\r\n'
    + b"\x00\r\n-"
    * 500
    + b"\r\n"
    b'--limit\r\nContent-Disposition: form-data; name="b64"\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n--limit--\r\n'
)


def main() -> None:
    for size in (1, 7, 4096):
        fields: list[object] = []
        files: list[object] = []
        headers = {
            "Content-Type": b"multipart/form-data; boundary=limit",
            "Content-Length": str(len(BODY)).encode(),
        }
        python_multipart.parse_form(
            headers,
            io.BytesIO(BODY),
            lambda field: fields.append((field.field_name, field.value)),
            lambda file: files.append((file.file_name, file.size, file.in_memory)),
            chunk_size=size,
        )
        print(fields, files)
    print(multipart.parse_options_header('form-data; name="ü"; filename="C:\\\\a\\\\b.txt"'))
    seen: list[str] = []
    parser = multipart.QuerystringParser(
        {
            "on_field_name": lambda data, start, end: seen.append(data[start:end].decode()),
            "on_field_data": lambda data, start, end: seen.append("=" + data[start:end].decode()),
        }
    )
    parser.write(b"a=1&b=")
    parser.write(b"2&c")
    parser.finalize()
    print(seen)
    stored = multipart.File(
        b"big.bin",
        b"f",
        {"MAX_MEMORY_FILE_SIZE": 10, "UPLOAD_DIR": os.getcwd(), "UPLOAD_KEEP_FILENAME": True},
    )
    stored.write(b"x" * 100)
    stored.finalize()
    print(stored.in_memory, os.path.basename(stored.actual_file_name), stored.size)
    stored.close()
    for broken in (b"--wrong\r\n", b"--limit\r\nno colon\r\n\r\n"):
        try:
            multipart.MultipartParser(b"limit").write(broken)
        except exceptions.MultipartParseError as error:
            print(error.offset, error)
    print(python_multipart.__version__, multipart.QuerystringParser.__name__)
