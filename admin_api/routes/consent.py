"""Where Google sends a person back after the consent page: no key, the state is the proof, and it counts once."""

from __future__ import annotations

from html import escape
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from admin_api.access import TheHouse
from domain.consents import ConsentVoid
from domain.ports import ProviderError
from jobs import connect

router = APIRouter(tags=["mailboxes"])

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><h1>{title}</h1><p>{words}</p></html>
"""
HEADERS = {"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "X-Robots-Tag": "noindex"}
AS_PAGES: dict[int | str, dict[str, Any]] = {
    status: {"content": {"text/html": {"schema": {"type": "string"}}}} for status in ("4XX", "5XX")
}


@router.get(connect.CALLBACK, response_class=HTMLResponse, responses=AS_PAGES,
            summary="Where a consent at Google ends: a page that says how it went")  # fmt: skip
def callback(house: TheHouse, state: str = "", code: str = "", error: str = "") -> HTMLResponse:
    """Google's answer to a consent that was asked for; `state` is good once and for ten minutes."""
    try:
        done = connect.complete(house, state=state, code=code, error=error)
    except (ConsentVoid, connect.ConsentRefused, connect.NotOffered) as refusal:
        return _page(400, "Not connected", str(refusal))
    except ProviderError as failure:
        return _page(503, "Not connected", f"{failure} This consent is used up: begin again in a minute.")
    # whoever was talked into consenting reads here for whom, and how to undo it
    told = f"{done.tenant.name} may now read the mail of {done.mailbox.address}."
    return _page(200, "Connected", f"{told} It can be taken back at {connect.PERMISSIONS}.")


def _page(status: int, title: str, words: str) -> HTMLResponse:
    return HTMLResponse(PAGE.format(title=title, words=escape(words)), status, headers=HEADERS)
