"""Certificates that sign programs for Windows, of an authority that nobody knows, and a token that has the key of one."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tools import need, need_file

SECRET = "pa ss'wörd$1"  # noqa: S105 # of the test's own certificates
PIN = "1234"
SOFTHSM = Path("/usr/lib/softhsm/libsofthsm2.so")
ENGINE = Path("/usr/lib/x86_64-linux-gnu/engines-3/pkcs11.so")
_EXTENSIONS = """\
[code]
extendedKeyUsage=codeSigning
keyUsage=critical,digitalSignature
basicConstraints=CA:FALSE
[time]
extendedKeyUsage=critical,timeStamping
keyUsage=critical,digitalSignature
"""


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def certificates(folder: Path) -> Path:
    """The folder, with an authority, and certificates of it, that sign code and confirm times: NAME.pem, NAME.key, code.pfx …"""
    need(osslsigncode="osslsigncode", openssl="openssl")
    (folder / "extensions").write_text(_EXTENSIONS, encoding="utf-8")
    _openssl(folder, *["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "900", "-subj", "/CN=Toy_CA"],
             *["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"])  # fmt: skip
    for name, algorithm in (("code", "rsa:2048"), ("curve", "ec"), ("time", "rsa:2048")):
        more = ["-pkeyopt", "ec_paramgen_curve:P-256"] if algorithm == "ec" else []
        _openssl(folder, "req", "-newkey", algorithm, *more, "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr",
                 "-subj", f"/O=Toy Ltd/CN=Toy {name}")  # fmt: skip
        section = "time" if name == "time" else "code"
        _openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                 "-days", "800", "-extfile", "extensions", "-extensions", section, "-out", f"{name}.pem")  # fmt: skip
    (folder / "chain.pem").write_text((folder / "code.pem").read_text() + (folder / "ca.pem").read_text())
    export = ["pkcs12", "-export", "-in", "code.pem", "-inkey", "code.key", "-passout", f"pass:{SECRET}"]
    _openssl(folder, *export, "-certfile", "ca.pem", "-out", "code.pfx")
    _openssl(folder, "rsa", "-aes256", "-in", "code.key", "-passout", f"pass:{SECRET}", "-out", "locked.key")
    (folder / "password").write_text(f"{SECRET}\n", encoding="utf-8")
    return folder


def token(folder: Path, keys: Path, label: str) -> Path:
    """A token of SoftHSM's in ``folder``, which has code.key as the object "signing": what SOFTHSM2_CONF is to name."""
    need_file(SOFTHSM, "softhsm2")
    need_file(ENGINE, "libengine-pkcs11-openssl")
    (folder / "tokens").mkdir()
    configuration = folder / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {folder}/tokens\n", encoding="utf-8")
    for line in (
        f"--init-token --free --label {label} --so-pin 5678 --pin {PIN}",
        f"--import {keys}/code.key --token {label} --label signing --id A1 --pin {PIN}",
    ):
        subprocess.run(
            ["softhsm2-util", *line.split()], env={"SOFTHSM2_CONF": str(configuration), "PATH": os.defpath}, check=True, capture_output=True,
        )  # fmt: skip
    return configuration
