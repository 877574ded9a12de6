"""Addresses built, joined, quoted and compared by the C quoter."""

from __future__ import annotations

import pickle

import yarl
from yarl import URL, _quoting, _quoting_c


def main() -> None:
    print(_quoting_c.__file__, _quoting._Quoter is _quoting_c._Quoter, yarl.__version__)
    url = URL("https://us%C3%A9r:p@exämple.org:8443/päth/../a b?q=1&q=ü%20x#frag")
    print(url, url.host, url.raw_host, url.user, url.path, url.query.getall("q"), url.human_repr())
    print(
        url / "c" / "d",
        url.with_query({"x": [1, 2], "y": "&"}),
        url % {"z": 1},
        url.join(URL("../up")),
        url.parent,
        url.origin(),
    )
    print(
        URL.build(scheme="http", host="::1", port=80, path="/é"),
        URL("http://a/b") == URL("http://A:80/b"),
        pickle.loads(pickle.dumps(url)) == url,
    )
    for broken in ("http://[::1", "http://a:port/", "http://\x00"):
        try:
            print(URL(broken))
        except ValueError as error:
            print(error)
    quoter = _quoting_c._Quoter(safe="/")
    print(quoter("ü /%41"), _quoting_c._Unquoter()("%C3%BC+%2"), yarl.cache_info()["idna_encode"].maxsize)
    print(
        sorted([URL("http://b"), URL("http://a")]),
        hash(URL("/x")) == hash(URL("/x")),
        URL("a/b/c.tar.gz").suffixes,
    )
