"""What changed, transaction by transaction: the rows that the change feed and the webhooks are read from.

Triggers write them, so that no statement changes a record in silence. A row carries the transaction's own id, and is
read once every transaction before it is over (`crm.selectors.record_changes`): however writers interleave, a reader who
keeps their place misses nothing and reads nothing twice.
"""

from collections.abc import Sequence
from typing import Any

import pgtrigger
from django.db import models
from django.db.models import Func
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from crm.models.triggers import Trigger

#: Kinds of records whose every change is told, and what a webhook calls each moment that is more than a change.
RECORDS = ("prospect", "call", "disposition", "exclusion")
MOMENTS = (
    "call.ended",
    "prospect.out_of_criteria",
    "exclusion.lifted",
    "callback.scheduled",
    "import.finished",
    "incident.opened",
)
NEW, OLD = "new_rows", "old_rows"

#: `{rows}` selects the id of the record, whether it is new, and the sponsor behind whose wall it stands.
RECORD = """
    INSERT INTO crm_recordchange (kind, ref, created, sponsor_id)
    SELECT '{kind}', r.* FROM ({rows}) r
        ON CONFLICT DO NOTHING;
"""


class TransactionId(models.Field):  # type: ignore[type-arg]
    """PostgreSQL's `xid8`: the id of a transaction, 64 bits, in the order of beginning."""

    def db_type(self, connection: Any) -> str:
        """Return the column's type."""
        return "xid8"

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> int | None:
        """Return the id as a number."""
        return None if value is None else int(value)

    def get_prep_value(self, value: Any) -> str | None:
        """Return the id as PostgreSQL reads it: no integer type is cast to it."""
        return None if value is None else str(int(value))


class CurrentTransaction(Func):
    """The id of the transaction under way, the outermost where there are savepoints."""

    function = "pg_current_xact_id"
    arity = 0
    output_field = TransactionId()


class ThisMoment(Now):
    """The moment at which the row is written, not that at which its transaction began."""

    template = "clock_timestamp()"

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Return the call as it is: Django's own is the statement's time."""
        return self.as_sql(compiler, connection, **context)


class RecordChange(models.Model):
    """A record changed in a transaction, or something happened in it. `kind` is one of `RECORDS` or `MOMENTS`.

    `ref` is the record's id: of a moment, that of the call, exclusion, callback, import or incident. `created` says
    that the transaction made it. Rows of a sponsor are behind its wall, without one they are everybody's. Once in a
    transaction, however often it wrote the record.
    """

    pk = models.CompositePrimaryKey("xid", "kind", "ref")
    xid = TransactionId(db_default=CurrentTransaction())
    kind = models.CharField(max_length=24, db_collation="C")
    ref = models.BigIntegerField()
    created = models.BooleanField()
    sponsor_id = models.BigIntegerField(null=True)
    at = models.DateTimeField(db_default=ThisMoment())

    class Meta:
        verbose_name = _("changement d'un enregistrement")
        verbose_name_plural = _("changements d'enregistrements")

    def __str__(self) -> str:
        return f"{self.xid} {self.kind} {self.ref}"


class FeedState(models.Model):
    """The one row that says which cluster the changes are numbered by, and how far back they are kept.

    `cluster` is PostgreSQL's own name for itself, the branch of its history, the database and the table; `epoch` is one
    more after each restore: places of an earlier epoch mean nothing. `floor` is the last transaction whose changes were
    forgotten.
    """

    cluster = models.CharField(max_length=80)
    epoch = models.PositiveIntegerField(default=1)
    floor = TransactionId(default=0)

    class Meta:
        verbose_name = _("état du flux")
        verbose_name_plural = _("état du flux")
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="feed_state_once")]

    def __str__(self) -> str:
        return f"{self.cluster} {self.epoch}"


def recording(name: str, kind: str, rows: str, operation: Any, *, before: str = "") -> Trigger:
    """Return the trigger that records what a statement did to a table.

    `rows` selects (id, created, sponsor_id) from the statement's `new_rows` and `old_rows`. `before` is plpgsql that
    comes first.
    """
    tables: dict[str, str] = {}
    if operation != pgtrigger.Delete:
        tables["new"] = NEW
    if operation != pgtrigger.Insert:
        tables["old"] = OLD
    return Trigger(
        name=name,
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=operation,
        referencing=pgtrigger.Referencing(**tables),
        func=before + (RECORD.format(kind=kind, rows=rows) if kind else "") + "    RETURN NULL;\n",
    )


def versioned(name: str, columns: Sequence[str]) -> Trigger:
    """Return the trigger that counts `version` on when one of these columns changes and its writer did not count."""
    seen = ", ".join(f"{{row}}.{column}" for column in columns)
    return Trigger(
        name=name,
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        condition=pgtrigger.Condition(
            "NEW.version = OLD.version AND"
            f" ({seen.format(row='NEW')}) IS DISTINCT FROM ({seen.format(row='OLD')})"
        ),
        func="    NEW.version := OLD.version + 1;\n    RETURN NEW;\n",
    )
