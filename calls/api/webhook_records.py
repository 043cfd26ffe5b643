"""The record that a full message carries: what the API would show the subscription's account, and never of a person who
is confidential or erased."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from calls.access import calls_of
from calls.api.inbox import callback_out, callbacks_of, incident_out, incidents_of
from calls.api.representation import READ_WITH, call_out
from calls.models import CallDisposition
from campaigns.access import exclusions_of, imports_of
from campaigns.api.exclusions import exclusion_out
from campaigns.api.imports import import_out
from campaigns.models import Exclusion
from crm.access import prospects_of
from crm.api.prospects import prospect_out
from crm.enums import WebhookEvent
from crm.models import Prospect, ProspectNumber, User

Record = dict[str, Any] | None


def record_of(event: str, ref: int, owner: User, at: datetime) -> Record:
    """Return the record of an event as the API answers it to `owner`; None where there is none, or none to be told."""
    reader = _READERS.get(event)
    return reader(ref, owner, at) if reader else None


def _is_private(prospect: Prospect | None) -> bool:
    return prospect is not None and (prospect.confidential or prospect.erased_at is not None)


def _call(pk: int, owner: User, at: datetime) -> Record:
    call = calls_of(owner).select_related(*READ_WITH).filter(pk=pk).first()
    if call is None or _is_private(call.prospect) or _carries_private(call.number):
        return None
    return call_out(call, at, owner)


def _call_of_disposition(pk: int, owner: User, at: datetime) -> Record:
    given = CallDisposition.objects.filter(pk=pk).first()
    return None if given is None else _call(given.call_id, owner, at)


def _prospect(pk: int, owner: User, at: datetime) -> Record:
    prospect = prospects_of(owner).prefetch_related("phones").filter(pk=pk).first()
    return None if prospect is None or _is_private(prospect) else prospect_out(prospect)


def _exclusion(pk: int, owner: User, at: datetime) -> Record:
    exclusion = exclusions_of(owner).select_related("prospect").filter(pk=pk).first()
    if exclusion is None or _is_private(exclusion.prospect) or _names_private(exclusion):
        return None
    return exclusion_out(exclusion)


def _names_private(exclusion: Exclusion) -> bool:
    return bool(exclusion.number) and _carries_private(exclusion.number or "")


def _carries_private(number: str) -> bool:
    """Whether the number is one of a confidential person's."""
    return ProspectNumber.objects.filter(number=number, prospect__confidential=True).exists()


def _callback(pk: int, owner: User, at: datetime) -> Record:
    callback = callbacks_of(owner).select_related("prospect").filter(pk=pk).first()
    return None if callback is None or _is_private(callback.prospect) else callback_out(callback)


def _import(pk: int, owner: User, at: datetime) -> Record:
    job = imports_of(owner).select_related("file").filter(pk=pk).first()
    return None if job is None else import_out(job)


def _incident(pk: int, owner: User, at: datetime) -> Record:
    if not owner.is_supervising:
        # The API shows them to no program.
        return None
    found = (
        incidents_of(owner).select_related("prospect", "call__prospect", "decision_row").filter(pk=pk).first()
    )
    if (
        found is None
        or _is_private(found.prospect)
        or _is_private(found.call.prospect if found.call else None)
    ):
        return None
    return incident_out(found)


_READERS: dict[str, Callable[[int, User, datetime], Record]] = {
    WebhookEvent.CALL_ENDED: _call,
    WebhookEvent.DISPOSITION_CREATED: _call_of_disposition,
    WebhookEvent.OUT_OF_CRITERIA: _call,
    WebhookEvent.PROSPECT_UPDATED: _prospect,
    WebhookEvent.EXCLUSION_CREATED: _exclusion,
    WebhookEvent.EXCLUSION_LIFTED: _exclusion,
    WebhookEvent.CALLBACK_SCHEDULED: _callback,
    WebhookEvent.IMPORT_FINISHED: _import,
    WebhookEvent.INCIDENT_OPENED: _incident,
}
