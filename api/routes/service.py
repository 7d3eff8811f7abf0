"""What operators and developers ask: is it alive, what does it count, what does it speak."""

from importlib.resources import files
from pathlib import Path

import msgspec
from fastapi import APIRouter
from fastapi.openapi.docs import get_swagger_ui_html
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

import schemas
from api import openapi_service
from api.desk import Desk
from api.problem_pages import page_of, page_of_all
from api.problems import Mishap, problem

STATIC = "/docs/static"

router = APIRouter()


@router.get("/livez", **openapi_service.LIVE)
async def live() -> Response:
    """Say that the process serves."""
    return JSONResponse({"status": "live"})


@router.get("/readyz", **openapi_service.READY)
async def ready(request: Request) -> Response:
    """Say whether what is known reaches the ends that the topics had at start; how far behind."""
    desk: Desk = request.app.state.desk
    if desk.reader.is_ready:
        return JSONResponse({"status": "ready", "lag": desk.reader.lag})
    detail = "The topics have not been read to the ends they had at start."
    return problem(Mishap.SERVICE_UNAVAILABLE, detail, headers={"Retry-After": "1"})


@router.get("/metrics", **openapi_service.METRICS)
async def metrics(request: Request) -> Response:
    """Give the counters for Prometheus."""
    desk: Desk = request.app.state.desk
    return Response(generate_latest(desk.metrics.registry), media_type=CONTENT_TYPE_LATEST)


@router.get("/asyncapi.json", **openapi_service.ASYNCAPI)
async def asyncapi() -> Response:
    """Give the description of the topics."""
    return _published("asyncapi.json")


@router.get("/schemas/{name}.json", **openapi_service.SCHEMA)  # noqa: FAST003
async def schema(request: Request) -> Response:
    """Give the JSON Schema of one message."""
    return _published(f"{request.path_params['name']}.json")


@router.get("/problems", include_in_schema=False)
async def problems() -> Response:
    """List what can go wrong."""
    return HTMLResponse(page_of_all())


@router.get("/problems/{name}", **openapi_service.PROBLEM_PAGE)  # noqa: FAST003
async def problem_page(request: Request) -> Response:
    """Explain one code."""
    page = page_of(request.path_params["name"])
    return HTMLResponse(page) if page else problem(Mishap.NOT_FOUND, "There is no such problem.")


@router.get("/", include_in_schema=False)
@router.get("/docs", include_in_schema=False)
async def docs() -> Response:
    """Show the description of REST, with assets from this process: there may be no internet."""
    return get_swagger_ui_html(
        openapi_url="/openapi.json",
        title="Adjust",
        swagger_js_url=f"{STATIC}/swagger-ui-bundle.js",
        swagger_css_url=f"{STATIC}/swagger-ui.css",
        swagger_favicon_url=f"{STATIC}/favicon.png",
    )


def _published(name: str) -> Response:
    """Answer with a published file; only names that the folder lists are opened."""
    published = Path(str(files(schemas))) / "published"
    if name not in {path.name for path in published.glob("*.json")}:
        return problem(Mishap.NOT_FOUND, f"No {name} is published.")
    return JSONResponse(msgspec.json.decode((published / name).read_bytes()))
