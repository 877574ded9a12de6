"""Certificates, CMS, OCSP, SNMP and LDAP structures built and decoded; all modules loaded."""

from __future__ import annotations

import importlib
import pkgutil

import pyasn1_modules
from cryptography import x509
from pyasn1.codec.ber import encoder as ber
from pyasn1.codec.der import decoder, encoder
from pyasn1_modules import pem, rfc2251, rfc2315, rfc2459, rfc2560, rfc3280, rfc5280, rfc8018

from uses import helpers


def main() -> None:
    names = sorted(one.name for one in pkgutil.iter_modules(pyasn1_modules.__path__))
    print(
        len(names), sum(len(vars(importlib.import_module(f"pyasn1_modules.{name}"))) for name in names) > 5000
    )
    path = helpers.certificate()
    with open(path) as file:
        found, data = pem.readPemBlocksFromFile(
            file, ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----")
        )
    certificate, rest = decoder.decode(data, asn1Spec=rfc5280.Certificate())
    body = certificate["tbsCertificate"]
    print(
        found,
        rest,
        int(body["serialNumber"]),
        body["signature"]["algorithm"],
        body["subject"][0][0][0]["type"],
        len(body["extensions"]),
    )
    print(encoder.encode(certificate) == data, x509.load_der_x509_certificate(data).serial_number)
    old, _ = decoder.decode(data, asn1Spec=rfc2459.Certificate())
    print(
        old["signatureAlgorithm"].prettyPrint(),
        rfc5280.id_ce_keyUsage,
        rfc3280.id_ce_basicConstraints,
        rfc2315.signedData,
        rfc2560.id_pkix_ocsp_basic,
    )
    message = rfc2251.LDAPMessage()
    message["messageID"] = 1
    bind = message["protocolOp"]["bindRequest"]
    bind["version"], bind["name"] = 3, b"cn=ada"
    bind["authentication"]["simple"] = b"secret"
    print(ber.encode(message).hex(), message.prettyPrint())
    parameters = rfc8018.PBKDF2_params()
    parameters["salt"]["specified"] = b"salt"
    parameters["iterationCount"] = 1000
    print(encoder.encode(parameters).hex())
