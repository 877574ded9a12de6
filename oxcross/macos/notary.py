"""Apple's notary service: it looks at what was signed, and gives a ticket that macOS asks for.

A submission says name and digest, gets a place to upload to, and is asked about until there is an answer. Source: "Notary API"
(developer.apple.com/documentation/notaryapi) and "Generating Tokens for API Requests"
(developer.apple.com/documentation/appstoreconnectapi).
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from oxcross import __version__
from oxcross.errors import ConfigError, PublishError, ToolError
from oxcross.macos import apple, s3, settings

_KEY: Final = "tool.oxcross.macos.notarize"
_AUDIENCE: Final = "appstoreconnect-v1"
_MINUTES: Final = 15  # Apple takes no token that is valid for more than 20
_SECONDS: Final = 60.0  # for one answer
_REGION: Final = "us-west-2"  # of the bucket; no answer says it
_TRIES: Final = 4
_LARGEST: Final = 5 * 10**9  # that S3 takes at once
ACCEPTED, IN_PROGRESS = "Accepted", "In Progress"


@dataclass(frozen=True, slots=True, repr=False)
class Key:
    """A key of App Store Connect's API."""

    issuer: str
    identifier: str
    private: Any

    def token(self, now: float) -> str:
        """A JSON Web Token (RFC 7519, signed with ES256: RFC 7518, section 3.4)."""
        from cryptography.hazmat.primitives.asymmetric import ec, utils
        from cryptography.hazmat.primitives.hashes import SHA256

        header = {"alg": "ES256", "kid": self.identifier, "typ": "JWT"}
        claims = {"iss": self.issuer, "iat": int(now), "exp": int(now) + _MINUTES * 60, "aud": _AUDIENCE}
        text = ".".join(
            _base64(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims)
        )
        numbers = utils.decode_dss_signature(self.private.sign(text.encode(), ec.ECDSA(SHA256())))
        return f"{text}.{_base64(b''.join(number.to_bytes(32, 'big') for number in numbers))}"


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def key(wanted: settings.Notarize) -> Key:
    """The key that configuration and environment name. ConfigError for what is missing or is no such key."""
    library = apple.cryptography()
    found = {
        "issuer": os.environ.get("OXCROSS_NOTARY_ISSUER") or wanted.issuer,
        "key-id": os.environ.get("OXCROSS_NOTARY_KEY_ID") or wanted.key_id,
        "key": os.environ.get("OXCROSS_NOTARY_KEY") or str(wanted.key or ""),
    }
    for name, value in found.items():
        if not value:
            raise ConfigError(
                "missing",
                where=f"{_KEY}.{name}",
                hint="App Store Connect > Users and Access > Integrations makes keys; this is of a team key; or set"
                f" OXCROSS_NOTARY_{name.replace('-', '_').upper()}",
            )
    try:
        data = Path(found["key"]).expanduser().read_bytes()
        private = library.hazmat.primitives.serialization.load_pem_private_key(data, None)
    except OSError as error:
        raise ConfigError(f"{found['key']} cannot be read: {error.strerror}", where=f"{_KEY}.key") from None
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{found['key']} is no .p8 file: {error}", where=f"{_KEY}.key") from None
    from cryptography.hazmat.primitives.asymmetric import ec

    if not isinstance(private, ec.EllipticCurvePrivateKey) or private.curve.name != "secp256r1":
        raise ConfigError(f"{found['key']} is no key for ES256", where=f"{_KEY}.key")
    return Key(found["issuer"], found["key-id"], private)


class Notary:
    """The service, as one key sees it. Every method raises PublishError for what the service refuses, ToolError when it
    does not answer.
    """

    def __init__(self, wanted: settings.Notarize, own: Key, *, pause: float = 15.0) -> None:
        self._wanted, self._key, self._pause = wanted, own, pause

    def submit(self, path: Path, name: str) -> str:
        """Upload a zip, pkg or dmg; the submission's identifier."""
        if path.stat().st_size > _LARGEST:
            raise PublishError("it is larger than 5 GB", where=str(path))
        with path.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        body = {"submissionName": name, "sha256": sha256, "notifications": []}
        answer = self._call("POST", "/submissions", body)
        try:
            identifier, place = answer["data"]["id"], answer["data"]["attributes"]
            bucket, target = str(place["bucket"]), str(place["object"])
            credentials = s3.Credentials(
                place["awsAccessKeyId"], place["awsSecretAccessKey"], place["awsSessionToken"]
            )
        except (KeyError, TypeError):
            raise PublishError(
                "its answer is not that of a notary service", where=self._wanted.service
            ) from None
        address = f"{self._wanted.upload.format(bucket=bucket)}/{s3.quoted(target)}"
        try:
            s3.put(path, sha256, address, credentials, _REGION)
        except urllib.error.HTTPError as error:
            said = error.read(2000).decode("utf-8", "replace").strip()
            raise PublishError(
                f"it cannot be uploaded: {error.code} {error.reason} {said}", where=str(path)
            ) from None
        except OSError as error:
            raise ToolError(f"it cannot be uploaded: {error}", hint="try again") from None
        return str(identifier)

    def status(self, identifier: str) -> str:
        """Accepted, In Progress, Invalid or Rejected."""
        answer = self._call("GET", f"/submissions/{identifier}")
        try:
            return str(answer["data"]["attributes"]["status"])
        except (KeyError, TypeError):
            raise PublishError(
                "its answer is not that of a notary service", where=self._wanted.service
            ) from None

    def wait(self, identifier: str, seconds: float, notice: Callable[[str], None] = lambda _: None) -> str:
        """The same when it is no longer in progress. ToolError when that takes longer."""
        end, seen = time.monotonic() + seconds, ""
        while (status := self.status(identifier)) == IN_PROGRESS:
            if time.monotonic() > end:
                raise ToolError(
                    f"the notary service is not done with {identifier} yet",
                    hint=f"ask again later: oxcross notarize FILE --submission {identifier}",
                )
            if status != seen:
                notice(f"{identifier}: {status.lower()}")
            seen = status
            time.sleep(min(self._pause, max(end - time.monotonic(), 0)))
        return status

    def log(self, identifier: str) -> Mapping[str, Any]:
        """What the service found, in JSON: status, statusSummary, issues …"""
        answer = self._call("GET", f"/submissions/{identifier}/logs")
        try:
            address = str(answer["data"]["attributes"]["developerLogUrl"])
        except (KeyError, TypeError):
            raise PublishError(
                "its answer is not that of a notary service", where=self._wanted.service
            ) from None
        if not address.startswith(("https://", "http://")):
            raise PublishError(f"not an address: {address}", where=self._wanted.service)
        found = _request(urllib.request.Request(address))  # noqa: S310 (Apple says which)
        return found if isinstance(found, dict) else {}

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        request = urllib.request.Request(  # noqa: S310 (https, or a test's)
            self._wanted.service + path,
            data=json.dumps(body).encode() if body is not None else None,
            headers={
                "Authorization": f"Bearer {self._key.token(time.time())}",
                "Accept": "application/json",
                "Content-Type": "application/json",
                "User-Agent": f"oxcross/{__version__}",
            },
            method=method,
        )
        return _request(request, tries=1 if method == "POST" else _TRIES)


def _request(request: urllib.request.Request, tries: int = _TRIES) -> Any:
    """The JSON of an answer; what may be asked twice is, when the service is out of order."""
    for left in range(tries - 1, -1, -1):
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 (as above)
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code < 500 or not left:
                raise _refused(error) from None
        except ValueError:
            raise PublishError("its answer is no JSON", where=request.full_url.partition("?")[0]) from None
        except OSError as error:
            if not left:
                reason = getattr(error, "reason", error)
                raise ToolError(f"{request.host} cannot be reached: {reason}", hint="try again") from None
        time.sleep(1.0)
    raise AssertionError


def _refused(error: urllib.error.HTTPError) -> PublishError:
    said = error.read(100_000).decode("utf-8", "replace").strip()
    try:
        rows = json.loads(said)["errors"]
        said = "; ".join(str(row.get("detail") or row.get("title") or row.get("code")) for row in rows)
    except (ValueError, KeyError, TypeError, AttributeError):
        said = said[:500]
    hint = (
        "see whether issuer, key-id and key belong together, and whether the key may do this"
        if error.code in (401, 403)
        else None
    )
    return PublishError(
        f"the service refuses ({error.code} {error.reason}): {said}",
        where=error.url.partition("?")[0],
        hint=hint,
    )


def issues(log: Mapping[str, Any]) -> list[str]:
    """What a log says is wrong, a line each."""
    rows = [str(log["statusSummary"])] if log.get("statusSummary") else []
    for one in log.get("issues") or []:
        place = " ".join(str(one[key]) for key in ("path", "architecture") if one.get(key))
        link = f" ({one['docUrl']})" if one.get("docUrl") else ""
        rows.append(f"{one.get('severity', 'error')}: {place}: {one.get('message', '')}{link}")
    return rows
