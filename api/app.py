"""REST as one application: the routes, their parts, and a problem document for every mishap."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.resources import files
from typing import Any

import fastapi_offline
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.desk import Desk
from api.openapi import describe
from api.problems import Mishap, problem
from api.reading_after import ReadAfter
from api.routes import (
    accounts,
    adjustment_list,
    adjustments,
    batches,
    chargeable_events,
    preview,
    reasons,
    service,
)

DeskOpener = Callable[[], AbstractAsyncContextManager[Desk]]

_MISHAP_BY_STATUS = {404: Mishap.NOT_FOUND, 405: Mishap.METHOD_NOT_ALLOWED}
_DETAIL = {
    Mishap.NOT_FOUND: "There is nothing at this address.",
    Mishap.METHOD_NOT_ALLOWED: "This address does not take this method.",
    Mishap.BAD_REQUEST: "The HTTP request is not well formed.",
}


def build_app(open_desk: DeskOpener) -> FastAPI:
    """Build the application on parts that are opened when it starts."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_desk() as desk:
            app.state.desk = desk
            yield

    app = FastAPI(
        title="Adjust",
        version="1",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]  # FastAPI's own way
    app.mount(service.STATIC, StaticFiles(directory=str(files(fastapi_offline) / "static")))
    app.include_router(adjustments.router)
    app.include_router(preview.router)
    app.include_router(adjustment_list.router)
    app.include_router(chargeable_events.router)
    app.include_router(accounts.router)
    app.include_router(batches.router)
    app.include_router(reasons.router)
    app.include_router(service.router)
    app.add_exception_handler(HTTPException, _http_problem)
    app.add_exception_handler(ClientDisconnect, _nobody_there)
    app.add_exception_handler(Exception, _fault)
    app.add_middleware(ReadAfter, app=app)
    app.add_middleware(CountAnswers, app=app)  # the outermost: it sees what the others answer
    return app


class CountAnswers:
    """Counts each answer by method and status."""

    def __init__(self, inner: ASGIApp, app: FastAPI) -> None:
        """Stand around the routes."""
        self._inner = inner
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything through, and look at the status."""

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                answers = self._app.state.desk.metrics.answers
                answers.labels(_method(scope), message["status"]).inc()
            await send(message)

        await self._inner(scope, receive, counted)


def _method(scope: Scope) -> str:
    """Give the method; odd ones share a label, else a caller could make any number of them."""
    method: str = scope["method"]
    return method if method in {"GET", "POST"} else "OTHER"


async def _http_problem(_request: Request, error: Any) -> Response:
    mishap = _MISHAP_BY_STATUS.get(error.status_code, Mishap.BAD_REQUEST)
    return problem(mishap, _DETAIL[mishap], headers=error.headers)


async def _nobody_there(_request: Request, _error: Any) -> Response:
    return problem(Mishap.BAD_REQUEST, "The body ended early.")


async def _fault(_request: Request, _error: Any) -> Response:
    return problem(Mishap.INTERNAL_ERROR, "An unexpected fault; it is in the log of the service.")
