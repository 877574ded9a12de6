"""An API with dependencies, models, files, security, background tasks, web sockets, its OpenAPI and docs pages."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Annotated

from fastapi import (
    BackgroundTasks,
    Depends,
    FastAPI,
    File,
    Form,
    Header,
    HTTPException,
    Path,
    Query,
    UploadFile,
    WebSocket,
)
from fastapi.responses import HTMLResponse
from fastapi.security import OAuth2PasswordBearer
from fastapi.testclient import TestClient
from pydantic import BaseModel, Field

from uses import helpers

DONE: list[str] = []
app = FastAPI(title="corpus", version="1")
bearer = OAuth2PasswordBearer("token")


class Item(BaseModel):
    name: str = Field(min_length=2)
    price: float = 1.5
    tags: set[str] = set()


def connection() -> Iterator[str]:
    yield "connection"
    DONE.append("closed")


def user(token: Annotated[str, Depends(bearer)]) -> str:
    if token != "good":
        raise HTTPException(403, "bad token")
    return "ada"


@app.post("/items/{number}", status_code=201)
async def create(
    number: Annotated[int, Path(ge=1)], item: Item, tasks: BackgroundTasks, link: Annotated[str, Depends(connection)],
    q: Annotated[list[str] | None, Query(max_length=3)] = None, agent: Annotated[str, Header(alias="x-agent")] = "none",
) -> dict[str, object]:  # fmt: skip
    tasks.add_task(DONE.append, "task")
    return {"number": number, "item": item, "q": q, "agent": agent, "link": link}


@app.post("/upload")
def upload(
    file: UploadFile, more: Annotated[bytes, File()], text: Annotated[str, Form()]
) -> dict[str, object]:
    return {"name": file.filename, "size": len(file.file.read()), "more": len(more), "text": text}


@app.get("/me", response_model_exclude_unset=True)
def me(name: Annotated[str, Depends(user)]) -> Item:
    return Item(name=name)


@app.get("/page", response_class=HTMLResponse, deprecated=True)
def page() -> str:
    return "<p>page</p>"


@app.websocket("/ws")
async def socket(link: WebSocket) -> None:
    await link.accept()
    await link.send_text((await link.receive_text()).upper())


def main() -> None:
    with TestClient(app) as client:
        print(
            client.post(
                "/items/3?q=a&q=b", json={"name": "ab", "tags": ["x"]}, headers={"X-Agent": "me"}
            ).json(),
            DONE,
        )
        print(
            json.dumps(
                client.post("/items/0?q=abcd", json={"name": "a", "price": "x"}).json(), sort_keys=True
            )
        )
        print(
            client.post(
                "/upload", files={"file": ("a.txt", b"abc"), "more": b"de"}, data={"text": "t"}
            ).json()
        )
        print(
            client.get("/me").status_code,
            client.get("/me", headers={"Authorization": "Bearer bad"}).json(),
            client.get("/me", headers={"Authorization": "Bearer good"}).json(),
        )
        print(
            client.get("/page").text,
            hashlib.sha256(client.get("/docs").content).hexdigest(),
            client.get("/redoc").status_code,
        )
        print(json.dumps(client.get("/openapi.json").json(), sort_keys=True))
        with client.websocket_connect("/ws") as link:
            link.send_text("hello")
            print(link.receive_text())
    print(helpers.python("-m", "fastapi", "--help").splitlines()[-1:])
