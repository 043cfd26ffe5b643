"""Raw SQL for the tests that attack the database's guards, and a desk to attack from."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, connection, models, transaction

from calls.models import Call, CallAnswer, Callback, CallDisposition
from campaigns.models import Campaign, Criterion, Disposition, Programme
from crm.enums import Role
from crm.models import Prospect, User
from tests.factories import (
    NOW,
    make_campaign,
    make_criterion,
    make_entry,
    make_prospect,
    make_user,
    next_number,
)


def execute(sql: str, *params: Any) -> list[tuple[Any, ...]]:
    """Run one raw statement; return its rows, if it has any."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params or None)
        return cursor.fetchall() if cursor.description else []


def insert(row: models.Model, **columns: Any) -> int:
    """Write an unsaved row by a raw INSERT with these columns changed; return its id."""
    values = {
        str(column.column): column.get_db_prep_save(getattr(row, column.attname), connection)
        for column in row._meta.concrete_fields
        if not column.primary_key
    } | columns
    names, marks = ", ".join(values), ", ".join(["%s"] * len(values))
    [(pk,)] = execute(
        f"INSERT INTO {row._meta.db_table} ({names}) VALUES ({marks}) RETURNING id", *values.values()
    )
    return int(pk)


class refused:
    """Expect that what runs inside, or its commit, violates the named constraint, and undo it."""

    def __init__(self, *constraints: str) -> None:
        self.constraints = constraints

    def __enter__(self) -> None:
        self.raises = pytest.raises((IntegrityError, psycopg.IntegrityError))
        self.caught = self.raises.__enter__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool | None:
        if error is None:
            try:
                execute("SET CONSTRAINTS ALL IMMEDIATE")
            except IntegrityError as late:
                kind, error, trace = type(late), late, late.__traceback__
        self.atomic.__exit__(kind, error, trace)
        handled = self.raises.__exit__(kind, error, trace)
        if handled:
            error = self.caught.value
            # COPY is the driver's own, without Django's wrapping.
            cause = error if isinstance(error, psycopg.Error) else error.__cause__
            assert isinstance(cause, psycopg.Error)
            assert cause.diag.constraint_name in self.constraints
        return handled


def settle() -> None:
    """Check now what a commit would check."""
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    execute("SET CONSTRAINTS ALL DEFERRED")


DISPOSITIONS: dict[str, dict[str, Any]] = {
    "out_of_criteria": {
        "by_mismatch_only": True,
        "bar_target": "both",
        "bar_scope": "programme",
        "bar_reason": "out_of_criteria",
    },
    "complete": {},
    "opt_out": {"bar_target": "both", "bar_scope": "sponsor", "bar_reason": "opposition"},
}


def disposition(code: str) -> int:
    """Return the id of a disposition of the catalogue."""
    found, _ = Disposition.objects.get_or_create(
        code=code, defaults={"label": code, "reach": "human", **DISPOSITIONS[code]}
    )
    return found.pk


@dataclass
class Desk:
    """An agent with one prospect of two numbers in a campaign, a supervisor beside."""

    agent: User = field(default_factory=make_user)
    supervisor: User = field(default_factory=lambda: make_user(Role.SUPERVISOR))
    campaign: Campaign = field(default_factory=make_campaign)
    prospect: Prospect = field(default_factory=lambda: make_prospect(numbers=[next_number(), next_number()]))

    def __post_init__(self) -> None:
        for code in DISPOSITIONS:
            disposition(code)
        self.entry = make_entry(self.campaign, self.prospect)
        self.number, self.second = [phone.number for phone in self.prospect.phones.all()]

    @property
    def programme(self) -> Programme:
        return self.campaign.programme

    def call(self, **fields: Any) -> Call:
        """An unsaved call of this desk, as claimed."""
        return Call(
            **{
                "campaign": self.campaign,
                "prospect": self.prospect,
                "entry": self.entry,
                "entry_was": "ready",
                "number": self.number,
                "agent": self.agent,
                "lease_until": NOW + timedelta(seconds=60),
                "started_at": NOW,
                **fields,
            }
        )

    def claim(self, **fields: Any) -> int:
        """A claimed call and its claimed entry; returns the call's id."""
        pk = insert(self.call(**fields))
        execute("UPDATE campaigns_listentry SET state = 'claimed' WHERE id = %s", self.entry.pk)
        return pk

    def connect(self, **fields: Any) -> int:
        """A call on which somebody answered; returns its id."""
        pk = self.claim(**fields)
        move(pk, "dialling", "connected")
        return pk

    def answer(
        self, call: int, criterion: Criterion | None, result: str = "mismatch", **fields: Any
    ) -> CallAnswer:
        """An unsaved answer to a criterion."""
        return CallAnswer(
            **{
                "call_id": call,
                "criterion": criterion,
                "version": criterion.version if criterion else 0,
                "result": result,
                "heard": "ce n'est pas une banque",
                "at": NOW,
                "by": self.agent,
                **fields,
            }
        )

    def mismatch(self) -> int:
        """A call on which a blocking criterion was mismatched; returns its id."""
        pk = self.connect()
        insert(self.answer(pk, make_criterion(self.programme)))
        return pk

    def correct(self, call: int, code: str, **fields: Any) -> CallDisposition:
        """An unsaved correction of the latest disposition of the call, by the supervisor."""
        latest = CallDisposition.objects.filter(call=call).latest("id")
        return CallDisposition(
            **{
                "call_id": call,
                "disposition_id": disposition(code),
                "corrects": latest,
                "reason": "mauvaise touche",
                "at": NOW,
                "by": self.supervisor,
                **fields,
            }
        )


def move(call: int, *states: str) -> None:
    """Take a call through these states by raw SQL."""
    for state in states:
        execute("UPDATE calls_call SET state = %s WHERE id = %s", state, call)


def end(call: int) -> None:
    """Let the prospect hang up."""
    execute(
        "UPDATE calls_call SET state = 'ended', ended_at = now(), hung_up_by = 'prospect' WHERE id = %s", call
    )


def make_callback(desk: Desk) -> int:
    return insert(
        Callback(
            entry=desk.entry,
            campaign=desk.campaign,
            prospect=desk.prospect,
            due_at=NOW,
            created_by=desk.agent,
            created_at=NOW,
        )
    )
