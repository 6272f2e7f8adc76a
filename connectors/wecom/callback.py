"""The address that WeCom calls: it proves the address with GET, and sends messages in encrypted XML with POST."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

import structlog
import xmltodict
from fastapi import APIRouter, HTTPException, Query, Request, Response
from pydantic import BaseModel, Field

from connectors.base import MALFORMED
from connectors.wecom.envelope import EnvelopeRefused, Envelopes

log = structlog.get_logger()


class Signed(BaseModel):
    """What comes with every callback."""

    msg_signature: str = Field(max_length=64)
    timestamp: str = Field(max_length=16)
    nonce: str = Field(max_length=64)


def xml_callback(prefix: str, envelopes: Envelopes, receive: Callable[[dict[str, str]], Awaitable[None]]) -> APIRouter:
    """Return the routes of a callback; `receive` is given each message, and what it returns late is late for WeCom."""
    router = APIRouter(prefix=prefix, include_in_schema=False)

    @router.get("/callback")
    async def prove(signed: Annotated[Signed, Query()], echostr: str) -> Response:
        return Response(open_envelope(envelopes, echostr, signed), media_type="text/plain")

    @router.post("/callback")
    async def take(signed: Annotated[Signed, Query()], request: Request) -> Response:
        sealed = read_xml(await request.body())
        message = read_xml(open_envelope(envelopes, sealed.get("Encrypt", ""), signed))
        try:
            await receive(message)
        except MALFORMED as error:
            raise HTTPException(400, "this is no message of WeCom's") from error
        return Response()

    return router


def open_envelope(envelopes: Envelopes, encrypted: str, signed: Signed) -> str:
    """Return what is in a callback's envelope, or refuse the request."""
    try:
        return envelopes.open(encrypted, signature=signed.msg_signature, timestamp=signed.timestamp, nonce=signed.nonce)
    except EnvelopeRefused as error:
        log.warning("a callback of WeCom's was refused", reason=str(error))
        raise HTTPException(403, str(error)) from error


def read_xml(text: str | bytes) -> dict[str, str]:
    """Return the fields of WeCom's flat XML, or refuse the request."""
    try:
        fields = xmltodict.parse(text)["xml"]
    except Exception as error:  # expat's errors, entities, no root: nobody needs to tell them apart
        raise HTTPException(400, "the body is not WeCom's XML") from error
    return {name: value for name, value in fields.items() if isinstance(value, str)} if fields else {}
