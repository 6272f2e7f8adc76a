"""The one shape of every error over HTTP: {"error": {"type", "message", "request_id"}}, some with a "reason"."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException

from bot import messages
from bot.errors import (
    EntryChanged,
    FetchRefused,
    LastOwner,
    LoginLocked,
    ModelBusy,
    NameTaken,
    NotFound,
    NotYours,
    QuestionRejected,
    ServerStopping,
    SettingFixed,
    SettingsError,
    StoreUnavailable,
    VisitorRejected,
    WeakPassword,
    WrongLogin,
)
from knowledge.errors import (
    FrontDeskError,
    ImportFileError,
    IndexUnavailable,
    ModelError,
    UnknownEntry,
    UnknownModel,
    Unreadable,
)
from knowledge.reasons import Reason

_REJECTED = {"invalid_token": 401, "wrong_signature": 403}  # nosec B105 - statuses
_PLAIN: dict[type[Exception], tuple[int, str]] = {
    NotFound: (404, "not_found"),
    UnknownModel: (404, "not_found"),
    UnknownEntry: (404, "not_found"),
    IndexUnavailable: (409, "nothing_published"),
    ImportFileError: (400, "unreadable_file"),
    FetchRefused: (400, "url_refused"),
    SettingsError: (400, "invalid_setting"),
    SettingFixed: (409, "fixed"),
    WeakPassword: (400, "weak_password"),
    EntryChanged: (412, "changed_meanwhile"),
    WrongLogin: (401, "wrong_login"),
    NameTaken: (409, "name_taken"),
    NotYours: (409, "not_yours"),
    LastOwner: (409, "last_owner"),
}
"""Errors whose message is for whoever sent the request."""

AWAY_SECONDS = 5

log = structlog.get_logger()


class RequestError(FrontDeskError):
    """A request that cannot be served as it is."""

    def __init__(self, status: int, kind: str, message: str, *, retry_after: int | None = None) -> None:
        """Say what is wrong, for whoever sent it, and after how many seconds it may be sent again."""
        super().__init__(message)
        self.status, self.kind = status, kind
        self.headers = {"Retry-After": str(retry_after)} if retry_after else {}


def error_body(kind: str, message: str, request_id: str, reason: Reason | None = None) -> dict[str, Any]:
    """Return the shape; with a reason whoever shows it can say it in the reader's language."""
    body: dict[str, Any] = {"type": kind, "message": message, "request_id": request_id}
    if reason is not None:
        body["reason"] = asdict(reason)
    return {"error": body}


def request_id(request: Request) -> str:
    """Return the identifier of this request."""
    return str(getattr(request.state, "request_id", ""))


def describe(error: Exception, language: str = "en") -> tuple[int, str, str, dict[str, str]]:
    """Return the status, type, message and headers for an exception; no foreign exception's text gets out."""
    match error:
        case RequestError():
            return error.status, error.kind, str(error), error.headers
        case QuestionRejected() | VisitorRejected():
            return _REJECTED.get(error.reason, 400), error.reason, str(error), {}
        case LoginLocked() | ServerStopping():
            refused = (429, "locked") if isinstance(error, LoginLocked) else (503, "stopping")
            return *refused, str(error), {"Retry-After": str(error.retry_after)}
        case ModelBusy():
            return 503, "busy", messages.busy(language), {"Retry-After": str(error.retry_after)}
        case StoreUnavailable() | OperationalError() | ModelError() if type(error) not in _PLAIN:
            what = "model" if isinstance(error, ModelError) else "database"  # gone, locked or full
            sentence = messages.something_failed(language)
            return 503, f"{what}_unavailable", sentence, {"Retry-After": str(AWAY_SECONDS)}
    status, kind = _PLAIN.get(type(error), (500, "internal_error"))
    return status, kind, str(error) if type(error) in _PLAIN else messages.something_failed(language), {}


def add_error_handlers(app: FastAPI) -> None:
    """Give every failure the one shape."""

    async def on_expected(request: Request, error: Exception) -> JSONResponse:
        language = messages.as_language(request.headers.get("Accept-Language", "zh"))
        status, kind, message, headers = describe(error, language)
        if status >= 500 and not isinstance(error, ServerStopping):
            log.error("request failed", type=kind, error=str(error))
        reason = error.reason if isinstance(error, Unreadable) else None
        return JSONResponse(error_body(kind, message, request_id(request), reason), status, headers)

    async def on_invalid(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        detail = error.errors()[0]
        place = ".".join(str(part) for part in detail["loc"] if part != "body")
        if detail["type"] == "json_invalid":
            message = "the body is not valid JSON"
        else:
            message = f"{place or 'body'}: {detail['msg'].removeprefix('Value error, ')}"
        return JSONResponse(error_body("invalid_request", message, request_id(request)), 400)

    async def on_http(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        kinds = {404: "not_found", 405: "method_not_allowed", 408: "body_too_slow", 413: "body_too_large"}
        kind = kinds.get(error.status_code, "http_error")
        return JSONResponse(
            error_body(kind, str(error.detail), request_id(request)),
            error.status_code,
            dict(error.headers or {}),
        )

    app.add_exception_handler(FrontDeskError, on_expected)
    app.add_exception_handler(OperationalError, on_expected)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(HTTPException, on_http)
