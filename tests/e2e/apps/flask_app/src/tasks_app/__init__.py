"""A small Flask application: a template, a static file, its own metadata and data file."""

import sys
from importlib import metadata, resources

from flask import Flask, render_template
from werkzeug.serving import make_server

app = Flask(__name__)


@app.get("/")
def index() -> str:
    greeting = resources.files(__name__).joinpath("greeting.txt").read_text(encoding="utf-8")
    return render_template("index.html", greeting=greeting.strip(), version=metadata.version("tasks-app"))


@app.get("/fail")
def fail() -> str:
    raise RuntimeError("asked to fail")


def main() -> int:
    server = make_server("127.0.0.1", int(sys.argv[1]), app, threaded=True)
    print("serving", server.server_port, flush=True)
    server.serve_forever()
    return 0
