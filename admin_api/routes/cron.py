"""Doors for those who bring their own scheduler; both go through the ticker's one statement, so nothing runs twice."""

from __future__ import annotations

import hmac
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, Field

from admin_api.access import TheHouse
from admin_api.problems import Problem
from jobs import tick
from jobs.tick import Beat

router = APIRouter(prefix="/cron", tags=["cron"])

_bearer = HTTPBearer(auto_error=False, scheme_name="CronSecret", description="CRON_SECRET, as it is set on the server")


class BeatShown(BaseModel):
    """What one beat found due and queued."""

    slots: int = Field(description="Hourly slots claimed, idle tenants' among them")
    idle: int = Field(description="Slots of tenants that had nothing to do")
    mailboxes: int = Field(description="Tenants whose mailboxes are asked")
    jobs: int = Field(description="Jobs queued")


def check(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> None:  # fmt: skip
    """Let in whoever shows the secret. Raises Problem."""
    secret: str | None = request.app.state.cron_secret
    if not secret:
        raise Problem(404, "There is no such door.", "Set CRON_SECRET to let your own scheduler in.")
    given = credentials.credentials if credentials else ""
    if not hmac.compare_digest(given.encode(), secret.encode()):
        raise Problem(401, "The cron secret does not fit.", "Send `Authorization: Bearer <CRON_SECRET>`.")


@router.post("/agent", summary="One beat of the ticker: whatever is due is claimed and queued, each once",
             dependencies=[Depends(check)])  # fmt: skip
def agent(house: TheHouse) -> BeatShown:
    return _shown(tick.run(house))


@router.post("/gmail", summary="Queue the mailboxes that are due, and nothing else", dependencies=[Depends(check)])
def gmail(house: TheHouse) -> BeatShown:
    return _shown(tick.claim(house.database, mail_only=True))


def _shown(beat: Beat) -> BeatShown:
    return BeatShown(slots=beat.slots, idle=beat.idle, mailboxes=beat.mailboxes, jobs=beat.jobs)
