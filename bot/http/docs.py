"""The description of the API, for people, from this server alone: FastAPI's own page loads scripts from elsewhere."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

STATIC = "/docs/static"

router = APIRouter()


def swagger_files() -> StaticFiles:
    """Return Swagger UI's files, which a Python package carries."""
    return StaticFiles(packages=[("fastapi_swagger", "resources")])


@router.get("/docs", include_in_schema=False)
async def docs(request: Request) -> HTMLResponse:
    """Show every address, with a way to try it."""
    return get_swagger_ui_html(
        openapi_url=request.app.openapi_url,
        title=f"{request.app.title} API",
        swagger_js_url=f"{STATIC}/swagger-ui-bundle.js",
        swagger_css_url=f"{STATIC}/swagger-ui.css",
        swagger_favicon_url="/page/icon.svg",
        swagger_ui_parameters={"validatorUrl": "none"},  # or it asks a server of its makers
    )
