"""Apple's services for notarization as its documentation has them: notary API, bucket, tickets. They take nothing else."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import re
import time
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import unquote, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256

ISSUER, KEY_ID = "57246542-96fe-1a63-e053-0824d011072a", "2X9R4HXF34"
ACCESS = {"id": "ASIAEXAMPLE", "secret": "sec/ret+", "token": "session=="}
TICKET = b"s8ch" + bytes(range(200))


class Apple:
    """Notary API, bucket and the service for tickets; ``answers`` are the states that a submission goes through."""

    def __init__(self, public: ec.EllipticCurvePublicKey) -> None:
        self.public, self.address = public, ""
        self.answers = ["In Progress", "Accepted"]
        self.submissions: dict[str, dict[str, Any]] = {}
        self.uploads: dict[str, bytes] = {}
        self.tickets: list[str] = []
        self.ticket: bytes | None = TICKET
        self.broken = 0  # so many answers are 500

    def authorized(self, header: str) -> str:
        """What is wrong with a token, by "Generating Tokens for API Requests"."""
        found = re.fullmatch(r"Bearer ([\w-]+)\.([\w-]+)\.([\w-]+)", header)
        if not found:
            return "no token"
        head, claims, signature = (base64.urlsafe_b64decode(part + "==") for part in found.groups())
        text = header.removeprefix("Bearer ").rpartition(".")[0].encode()
        numbers = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        try:
            self.public.verify(utils.encode_dss_signature(*numbers), text, ec.ECDSA(SHA256()))
        except InvalidSignature:
            return "signature"
        if json.loads(head) != {"alg": "ES256", "kid": KEY_ID, "typ": "JWT"} or len(signature) != 64:
            return "header"
        said, now = json.loads(claims), time.time()
        if said["iss"] != ISSUER or said["aud"] != "appstoreconnect-v1":
            return "issuer or audience"
        if not (said["iat"] <= now < said["exp"] <= said["iat"] + 1200):
            return "time"
        return ""

    def submit(self, body: dict[str, Any]) -> dict[str, Any]:
        identifier = f"{len(self.submissions):08}-1b2f-4a5c-9c2e-000000000000"
        assert re.fullmatch(r"[0-9a-f]{64}", body["sha256"])
        self.submissions[identifier] = {**body, "answers": list(self.answers)}
        place = {
            "awsAccessKeyId": ACCESS["id"],
            "awsSecretAccessKey": ACCESS["secret"],
            "awsSessionToken": ACCESS["token"],
            "bucket": "notary-submissions",
            "object": f"prod/AR:{identifier}",
        }
        return {"data": {"attributes": place, "id": identifier, "type": "newSubmissions"}, "meta": {}}

    def status(self, identifier: str) -> dict[str, Any]:
        row = self.submissions[identifier]
        status = row["answers"].pop(0) if len(row["answers"]) > 1 else row["answers"][0]
        data = self.uploads.get(f"/notary-submissions/prod/AR:{identifier}", b"")
        if hashlib.sha256(data).hexdigest() != row["sha256"]:
            status = "Invalid"
        said = {"createdDate": "2026-01-01T00:00:00.000Z", "name": row["submissionName"], "status": status}
        return {"data": {"attributes": said, "id": identifier, "type": "submissions"}, "meta": {}}


def signature_of_put(handler: BaseHTTPRequestHandler, body: bytes) -> str:
    """The header Authorization that S3 would expect, written down anew from its documentation."""
    given = handler.headers
    when = dt.datetime.strptime(given["x-amz-date"], "%Y%m%dT%H%M%SZ")  # noqa: DTZ007 (UTC by its Z)
    names = re.search(r"SignedHeaders=([\w;-]+)", given["Authorization"])
    assert names is not None
    assert {"host", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token"} <= set(names[1].split(";"))
    assert given["x-amz-content-sha256"] == hashlib.sha256(body).hexdigest()
    lines = [
        "PUT",
        handler.path,
        "",
        *(f"{name}:{given[name]}" for name in names[1].split(";")),
        "",
        names[1],
    ]
    whole = hashlib.sha256("\n".join([*lines, given["x-amz-content-sha256"]]).encode()).hexdigest()
    day = f"{when:%Y%m%d}"
    key = ("AWS4" + ACCESS["secret"]).encode()
    for part in (day, "us-west-2", "s3", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    scope = f"{day}/us-west-2/s3/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{given['x-amz-date']}\n{scope}\n{whole}"
    made = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    return f"AWS4-HMAC-SHA256 Credential={ACCESS['id']}/{scope}, SignedHeaders={names[1]}, Signature={made}"


def handler_of(apple: Apple) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self, status: int, document: Any) -> None:
            data = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def body(self) -> bytes:
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))

        def refused(self) -> bool:
            if apple.broken:
                apple.broken -= 1
                self.answer(503, {})
                return True
            if wrong := apple.authorized(self.headers.get("Authorization", "")):
                rows = [
                    {"status": "401", "code": "NOT_AUTHORIZED", "title": "Unauthenticated", "detail": wrong}
                ]
                self.answer(401, {"errors": rows})
                return True
            return False

        def do_POST(self) -> None:
            body = json.loads(self.body())
            if self.path == "/lookup":
                [row] = body["records"]
                apple.tickets.append(row["recordName"])
                field = {"value": base64.b64encode(apple.ticket or b"").decode(), "type": "BYTES"}
                bad = {"reason": "Record not found", "serverErrorCode": "NOT_FOUND"}
                found = {"fields": {"signedTicket": field}} if apple.ticket is not None else bad
                self.answer(200, {"records": [{**row, **found}]})
            elif not self.refused():
                assert self.path == "/notary/v2/submissions"
                self.answer(200, apple.submit(body))

        def do_GET(self) -> None:
            if self.path.startswith("/logs/"):
                assert "Authorization" not in self.headers
                issue = {
                    "severity": "error", "path": "app.zip/app", "architecture": "arm64", "docUrl": None,
                    "message": "The signature does not include a secure timestamp.",
                }  # fmt: skip
                summary = "Archive contains critical validation errors"
                self.answer(200, {"status": "Invalid", "statusSummary": summary, "issues": [issue]})
            elif not self.refused():
                found = re.fullmatch(r"/notary/v2/submissions/([\w-]+)(/logs)?", self.path)
                if not found or found[1] not in apple.submissions:
                    self.answer(404, {"errors": [{"status": "404", "detail": "no such submission"}]})
                elif found[2]:
                    place = {"developerLogUrl": f"{apple.address}/logs/{found[1]}?signed=yes"}
                    self.answer(
                        200, {"data": {"attributes": place, "id": found[1], "type": "submissionsLog"}}
                    )
                else:
                    self.answer(200, apple.status(found[1]))

        def do_PUT(self) -> None:
            body = self.body()
            if self.headers["Authorization"] != signature_of_put(self, body):
                self.answer(403, {"Code": "SignatureDoesNotMatch"})
                return
            assert self.headers["x-amz-security-token"] == ACCESS["token"]
            apple.uploads[unquote(urlsplit(self.path).path)] = body
            self.answer(200, {})

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 # the base class's
            pass

    return Handler
