"""The bundle of authorities: by path, as text, and loaded into OpenSSL."""

from __future__ import annotations

import hashlib
import os
import ssl
from importlib import resources

import certifi

from uses import helpers


def main() -> None:
    where = certifi.where()
    print(where, os.path.isfile(where), os.access(where, os.R_OK), os.access(where, os.W_OK) in (True, False))
    with open(where, "rb") as file:
        data = file.read()
    print(len(data) == os.path.getsize(where), hashlib.sha256(data).hexdigest())
    print(certifi.contents().encode() == data)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(where)
    found = context.get_ca_certs()
    print(len(found), context.cert_store_stats()["x509_ca"] == len(found))
    print(sorted(str(dict(one[0] for one in each["subject"]).get("organizationName")) for each in found)[:5])
    print(ssl.create_default_context(cafile=where).verify_mode)
    with resources.as_file(resources.files("certifi") / "cacert.pem") as path:
        print(path.stat().st_size == len(data))
    print(helpers.python("-m", "certifi"))
