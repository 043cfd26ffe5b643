"""What an outcome writes: of the call, of its entry, in the histories. All of it in one statement."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Model

from calls.enums import IncidentKind
from calls.models import Call, CallDisposition, CallEffect, Incident
from calls.services.held import Line, told
from crm.models import User

#: The columns that `courtois_conclude_call` stores: of a call, and of its entry.
OF_CALL = frozenset(
    {
        "state",
        "lease_until",
        "closing_kind",
        "closing_at",
        "goodbyes",
        "goodbye_at",
        "line_dead_at",
        "out_of_criteria_at",
        "disposition_id",
        "done_at",
    }
)
OF_ENTRY = frozenset(
    {
        "state",
        "number",
        "due_at",
        "attempts",
        "owner_id",
        "exact",
        "excluded_by_id",
        "verdict_gate",
        "verdict_reason",
        "verdict_until",
        "updated_at",
    }
)


@dataclass(frozen=True, slots=True)
class Consequences:
    """What an outcome changes beside its call: columns of the entry, rows not stored yet, and the lines to tell."""

    entry: Mapping[str, Any] = field(default_factory=dict)
    effects: Sequence[CallEffect] = ()
    incidents: Sequence[Incident] = ()
    lines: Sequence[Line] = ()


def conclude(
    call: Call,
    outcome: Consequences,
    *,
    by: User,
    at: datetime,
    disposition: CallDisposition | None = None,
    **changes: Any,
) -> Call:
    """Store an outcome, these `changes` of the locked call's columns and the disposition that it then shows.

    Who and when are `by` and `at`, whatever the rows say. An incident that the call has already is left as it is.
    Raises TypeError for a column that is neither of `OF_CALL` nor, in the entry, of `OF_ENTRY`. Returns the call.
    """
    for name, value in changes.items():
        setattr(call, name, value)
    if disposition is not None:
        call.disposition = disposition.disposition
        changes["disposition_id"] = disposition.disposition_id
    if lost := (changes.keys() - OF_CALL) | (outcome.entry.keys() - OF_ENTRY):
        raise TypeError(f"an outcome does not store {sorted(lost)}")
    rows = {
        "dispositions": [columns_of(disposition)] if disposition else [],
        "effects": [columns_of(effect) for effect in outcome.effects],
        "incidents": [columns_of(incident) for incident in outcome.incidents],
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT courtois_conclude_call(%s, %s, %s, %s, %s, %s, %s)",
            [call.pk, by.pk, at, *map(as_json, (changes, outcome.entry, rows)), told(call, outcome.lines)],
        )
    return call


def incident_of(
    call: Call,
    kind: IncidentKind,
    *,
    by: User,
    at: datetime,
    data: dict[str, Any],
    exclusion: int | None = None,
) -> Incident:
    """Return an incident of a call, inside its sponsor, not stored yet."""
    return Incident(
        call=call,
        kind=kind,
        sponsor_id=call.campaign.programme.sponsor_id,
        prospect_id=call.prospect_id,
        exclusion_id=exclusion,
        data=data,
        at=at,
        by=by,
    )


def report(incident: Incident) -> None:
    """Store an incident; one of its kind that the call has already is left as it is. One query."""
    Incident.objects.bulk_create([incident], ignore_conflicts=True)


def columns_of(row: Model) -> dict[str, Any]:
    """Return the columns of a row that is not stored yet, as the functions of the database take them."""
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def as_json(values: Mapping[str, Any]) -> str:
    """Return columns as JSON; moments keep their microseconds."""
    return json.dumps(values, default=datetime.isoformat)
