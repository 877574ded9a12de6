"""Signed by an identity rather than a key: SHA256SUMS with a Sigstore bundle, where this machine can say who it is.

A workflow of GitHub's, GitLab's and others' can; a certificate for a key that lives for this one signature names it, and a public log shows both.
The client is Sigstore's own, an extra of oxcross's. A bundle is never the same twice. Source: docs.sigstore.dev, "Sigstore bundle format".
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from oxcross.errors import ConfigError, PublishError, ToolError
from oxcross.publish.draft import Signing
from oxcross.publish.keys import SUMS
from oxcross.publish.settings import Sigstore

SUFFIX: Final = ".sigstore.json"
TOKEN_ENV: Final = "SIGSTORE_ID_TOKEN"  # noqa: S105 (a variable's name)
_EXTRA: Final = "pip install 'oxcross[sigstore]'"
_KEY: Final = "tool.oxcross.release.sigstore"


def signer(wanted: Sigstore, notice: Callable[[str], None]) -> Signing | None:
    """What signs SHA256SUMS; None when that is off, or nobody needs it and there is no identity.

    ToolError or ConfigError for what is required and not there. ``notice`` is told when signing failed where it is not required.
    """
    if wanted.mode == "off":
        return None
    required = wanted.mode == "required"
    try:
        library()
    except ToolError:
        if required:
            raise
        return None
    trust = _trust(wanted)
    if not _token():
        if required:
            raise ConfigError(
                "there is no identity to sign with",
                where=_KEY,
                hint=f"let the workflow have one (GitHub: `permissions: id-token: write`), or set {TOKEN_ENV}",
            )
        return None

    def sign(file: Path) -> Mapping[str, bytes]:
        if file.name != SUMS or file.with_name(file.name + SUFFIX).exists():
            return {}
        try:
            return {SUFFIX: _bundle(file.read_bytes(), trust)}
        except PublishError as error:
            if required:
                raise
            notice(f"not signed by an identity: {error.message}")
            return {}

    return sign


def library() -> Any:
    """The package ``sigstore``, with what is used of it. ToolError, with what installs it, when it is not there."""
    try:
        import sigstore.models
        import sigstore.oidc
        import sigstore.sign
        import sigstore.verify
    except ImportError as error:
        raise ToolError(
            f"this Python lacks sigstore, which signs by an identity ({error})", hint=_EXTRA
        ) from None
    return sigstore


def problem(wanted: Sigstore, content: bytes, bundle: bytes) -> str | None:
    """What is wrong with the bundle of SHA256SUMS, by the configured identity; None when it is right."""
    module = library()
    try:
        config = _config(_trust(wanted))
        policy = module.verify.policy.Identity(identity=wanted.identity, issuer=wanted.issuer)
        verifier = module.verify.Verifier(trusted_root=config.trusted_root)
        verifier.verify_artifact(content, module.models.Bundle.from_json(bundle), policy)
    except (module.errors.Error, ValueError) as error:
        return f"the signature of {SUMS} by {wanted.identity} does not verify: {error}"
    return None


def _trust(wanted: Sigstore) -> str | None:
    """The text of the file that says whom to trust; None: Sigstore's public service."""
    if wanted.trust is None:
        return None
    from oxcross import passwords

    text = passwords.content(f"{_KEY}-trust", wanted.trust).decode("utf-8", errors="replace")
    try:
        library().models.ClientTrustConfig.from_json(text)
    except ValueError:
        raise ConfigError(
            f"{wanted.trust} is no trust configuration of Sigstore's", where=f"{_KEY}-trust"
        ) from None
    return text


def _config(trust: str | None) -> Any:
    models = library().models
    return models.ClientTrustConfig.from_json(trust) if trust else models.ClientTrustConfig.production()


def _token() -> str:
    """A token that says who this machine is; "" when nobody gives one."""
    if given := os.environ.get(TOKEN_ENV):
        return given
    try:
        return library().oidc.detect_credential() or ""
    except library().oidc.IdentityError:  # the service is there, and gives none
        return ""


def _bundle(content: bytes, trust: str | None) -> bytes:
    """The bundle of a content. PublishError."""
    module = library()
    token = _token()  # anew: it is good for minutes, and a build can take longer
    try:
        context = module.sign.SigningContext.from_trust_config(_config(trust))
        with context.signer(module.oidc.IdentityToken(token)) as one:
            return str(one.sign_artifact(content).to_json()).encode()
    except Exception as error:  # noqa: BLE001 (sigstore's and its HTTP client's have nothing in common)
        said = (str(error) or type(error).__name__).replace(token or "\0", "***")
        raise PublishError(
            f"Sigstore does not sign: {said[:500]}",
            where=SUMS,
            hint='release again to have the signature added; sigstore = "auto" goes on without',
        ) from None
