"""An application with routes, middleware, templates, static files, web sockets, sessions, tasks and tests of it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from starlette import (
    applications,
    background,
    endpoints,
    middleware,
    requests,
    responses,
    routing,
    templating,
    testclient,
)
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.schemas import SchemaGenerator
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket

DONE: list[str] = []


async def home(request: requests.Request) -> responses.Response:
    return request.app.state.templates.TemplateResponse(
        request, "home.html", {"name": request.query_params.get("name", "?")}
    )


class Items(endpoints.HTTPEndpoint):
    """Items."""

    async def get(self, request: requests.Request) -> responses.Response:
        """
        summary: an item
        """
        if request.path_params["number"] > 5:
            raise HTTPException(404, "too large")
        return responses.JSONResponse(
            {"number": request.path_params["number"]},
            background=background.BackgroundTask(DONE.append, "task"),
        )

    async def post(self, request: requests.Request) -> responses.Response:
        return responses.PlainTextResponse(str(await request.json()))


async def echo(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_json({"got": await socket.receive_text()})
    await socket.close()


async def large(request: requests.Request) -> responses.Response:
    async def parts() -> AsyncIterator[str]:
        for number in range(1000):
            yield f"{number} "

    return responses.StreamingResponse(parts(), media_type="text/plain")


async def fails(request: requests.Request) -> responses.Response:
    raise RuntimeError("failed")


@contextlib.asynccontextmanager
async def lifespan(app: applications.Starlette) -> AsyncIterator[None]:
    app.state.templates = templating.Jinja2Templates("templates")
    yield
    DONE.append("closed")


def main() -> None:
    Path("templates").mkdir()
    Path("templates/home.html").write_text(
        "<b>{{ name }}</b> {{ url_for('item', number=3) }} {{ url_for('static', path='/a.css') }}"
    )
    Path("static").mkdir()
    Path("static/a.css").write_text("p {}")
    app = applications.Starlette(
        lifespan=lifespan,
        middleware=[middleware.Middleware(GZipMiddleware, minimum_size=500), middleware.Middleware(CORSMiddleware, allow_origins=["*"])],
        routes=[
            routing.Route("/", home), routing.Route("/items/{number:int}", Items, name="item"), routing.WebSocketRoute("/ws", echo),
            routing.Route("/large", large), routing.Route("/fails", fails), routing.Mount("/static", StaticFiles(directory="static"), name="static"),
        ],
    )  # fmt: skip
    with testclient.TestClient(app, raise_server_exceptions=False) as client:
        print(
            client.get("/?name=<x>").text,
            client.get("/items/3").json(),
            client.get("/items/9").text,
            client.get("/items/x").status_code,
        )
        print(
            client.post("/items/1", json=[1]).text,
            client.get("/static/a.css").headers["content-type"],
            client.get("/static/no").status_code,
        )
        answer = client.get("/large", headers={"Origin": "http://o", "Accept-Encoding": "gzip"})
        print(
            answer.headers["content-encoding"],
            len(answer.text),
            answer.headers["access-control-allow-origin"],
        )
        with client.websocket_connect("/ws") as socket:
            socket.send_text("hello")
            print(socket.receive_json())
        print(client.get("/fails").status_code)
    print(DONE, SchemaGenerator({"openapi": "3.0.0"}).get_schema(app.routes)["paths"])
    with testclient.TestClient(
        applications.Starlette(debug=True, routes=[routing.Route("/", fails)]), raise_server_exceptions=False
    ) as client:
        page = client.get("/", headers={"Accept": "text/html"}).text
        print("RuntimeError" in page, "raise RuntimeError" in page or "raise&nbsp;RuntimeError" in page)
