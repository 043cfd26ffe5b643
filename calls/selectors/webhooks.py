"""What a message to subscribers tells of a record: ids and codes, never a name, a number or a word."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Manager

from calls.models import Call, Callback, CallDisposition, Incident
from campaigns.models import Exclusion, ImportJob
from crm.enums import WebhookEvent
from crm.models import Prospect, RecordChange
from crm.models.record_changes import MOMENTS
from crm.rules.moments import stamp

#: What of the feed is read; a record that is new, or that changed, is an event of some kinds.
KINDS = ("prospect", "disposition", "exclusion", *MOMENTS)
_OF_RECORDS = {
    ("prospect", False): WebhookEvent.PROSPECT_UPDATED,
    ("disposition", True): WebhookEvent.DISPOSITION_CREATED,
    ("exclusion", True): WebhookEvent.EXCLUSION_CREATED,
}


def event_of(change: RecordChange) -> str | None:
    """Return the event that a change is, None when nobody may subscribe to it."""
    if change.kind in MOMENTS:
        return change.kind
    return _OF_RECORDS.get((change.kind, change.created))


def thin_data(event: str, refs: Iterable[int]) -> dict[int, dict[str, Any]]:
    """Return what a message tells of each record of an event, by its id: one query."""
    name, rows, columns = _READ[WebhookEvent(event)]
    found = {}
    for pk, *values in rows.filter(pk__in=set(refs)).values_list("pk", *columns.values()):
        told = (stamp(value) if isinstance(value, datetime) else value for value in values)
        found[pk] = {name: pk, **dict(zip(columns, told, strict=True))}
    return found


def _same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


_PLACE = {"campaign": "campaign", "programme": "campaign__programme"}
_OF_CALL = _PLACE | _same("prospect", "agent") | {"disposition": "disposition__code"}
_OF_DISPOSITION = {
    "call": "call",
    **{name: f"call__{column}" for name, column in _OF_CALL.items()},
    "disposition": "disposition__code",
    "corrects": "corrects",
}
_OF_EXCLUSION = _same("scope", "reason", "programme", "campaign", "prospect") | {"call": "call_ref"}
#: By event: what its record is called in the message, where it is read, and the columns that are told.
_READ: dict[WebhookEvent, tuple[str, Manager[Any], dict[str, str]]] = {
    WebhookEvent.CALL_ENDED: ("call", Call.objects, _OF_CALL),
    WebhookEvent.DISPOSITION_CREATED: ("id", CallDisposition.objects, _OF_DISPOSITION),
    WebhookEvent.OUT_OF_CRITERIA: ("call", Call.objects, _OF_CALL),
    WebhookEvent.PROSPECT_UPDATED: ("prospect", Prospect.objects, _same("source", "version")),
    WebhookEvent.EXCLUSION_CREATED: ("exclusion", Exclusion.objects, _OF_EXCLUSION),
    WebhookEvent.EXCLUSION_LIFTED: ("exclusion", Exclusion.objects, _OF_EXCLUSION),
    WebhookEvent.CALLBACK_SCHEDULED: (
        "callback",
        Callback.objects,
        _PLACE | _same("prospect", "call", "due_at") | {"agent": "owner"},
    ),
    WebhookEvent.IMPORT_FINISHED: ("import", ImportJob.objects, _PLACE | _same("source", "state")),
    WebhookEvent.INCIDENT_OPENED: ("incident", Incident.objects, _same("kind", "call", "prospect")),
}
