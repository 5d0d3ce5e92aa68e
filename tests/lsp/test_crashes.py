"""A bug in one request or analysis is logged, and the next is answered."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from convspec.lsp import project, server
from tests.lsp.helpers import Session, run

NET = "model M {\n input x: float32[1, 1, 8, 8]\n output x -> rellu\n}\n"


def _fail(*_: Any) -> Any:
    raise ZeroDivisionError("a bug")


def test_a_request(caplog: pytest.LogCaptureFixture) -> None:
    async def work() -> None:
        made = server.make_server()
        made.project = project.Project(lambda *_: None)
        made.project.open("untitled:a", 1, NET)
        assert await server.answered(made, "untitled:a", _fail) is None
        assert "a bug" in caplog.text
        assert await server.answered(made, "untitled:a", lambda document: len(document.errors), fresh=True) == 1
        made.project.close("untitled:a")
        made.project.stop()

    asyncio.run(work())


def test_an_analysis(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(session: Session) -> None:
        with monkeypatch.context() as broken:
            broken.setattr(project, "analyse", _fail)
            await session.open(NET)
        assert "a bug" in caplog.text and session.codes() == []
        await session.type(NET + "\n")
        assert session.codes() == ["CNN021"]

    run(work)


def test_warnings(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(session: Session) -> None:
        with monkeypatch.context() as broken:
            broken.setattr(project, "warned", _fail)
            await session.open(NET)
            await asyncio.sleep(0.8)
        assert "a bug" in caplog.text and session.codes() == ["CNN021"]
        await session.type(NET.replace("rellu", "relu"))
        assert session.codes() == []

    run(work)
