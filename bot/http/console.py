"""The admin console: static pages on top of /api/admin."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse, Response

FOLDER = Path(__file__).parent / "console"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; form-action 'self'"
    ),
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-cache",
}

router = APIRouter()


@router.get("/admin", include_in_schema=False)
async def console() -> Response:
    """Give the one document of the console; which page it shows is in the address's fragment."""
    return FileResponse(FOLDER / "index.html", headers=HEADERS)
