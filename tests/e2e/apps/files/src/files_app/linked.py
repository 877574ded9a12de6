"""C libraries that are linked in and open files of their own."""

import errno
import sqlite3
import ssl

import certifi

from files_app.places import DATA, SCRATCH, fails, same


def _words(base):
    return [row[0] for row in base.execute("select word from words order by word")]


def check_sqlite_uri():
    for uri in (f"file:{DATA}/base.db?mode=ro", f"file:{DATA}/base.db?immutable=1", f"file:{DATA}/base.db"):
        base = sqlite3.connect(uri, uri=True)
        same(_words(base), ["one", "three", "two"])
        base.close()


def check_sqlite_plain():
    base = sqlite3.connect(DATA / "base.db")
    same(_words(base), ["one", "three", "two"])
    base.execute("attach ? as other", (f"file:{DATA}/base.db?mode=ro",))
    same(base.execute("select count(*) from other.words").fetchone(), (3,))
    copy = sqlite3.connect(SCRATCH / "copy.db")
    base.backup(copy)
    same(_words(copy), ["one", "three", "two"])


def check_ssl():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(certifi.where())
    same(len(context.get_ca_certs()) > 50, True)
    context = ssl.create_default_context(cafile=certifi.where())
    same(context.cert_store_stats()["x509_ca"] > 50, True)
    fails(errno.ENOENT, context.load_verify_locations, f"{DATA}/missing.pem")
