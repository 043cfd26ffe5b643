"""Triggers shared by the tables of every app: what may not be changed, whatever code runs."""

from typing import Any

import pgtrigger
from pgtrigger import compiler

REFUSE = """
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = '{name}', TABLE = TG_TABLE_NAME,
        MESSAGE = '{message}';
"""
APPEND_ONLY = "history is append-only: add a row that corrects it"

#: Words may be blanked once the person that they are about is erased; nothing else of the row may change with them.
BLANKED = """
    IF TG_OP = 'UPDATE'
       AND (to_jsonb(NEW) - ARRAY[{columns}]) = (to_jsonb(OLD) - ARRAY[{columns}])
       AND {blank}
       AND EXISTS ({erased})
    THEN RETURN NEW; END IF;
"""


class StrictTriggerSql(compiler.UpsertTriggerSql):
    """A trigger that cannot be talked out of its rule.

    The library's own template lets any session switch a trigger off (`SET pgtrigger.ignore`), and a temporary
    table of the same name would be read instead of the real one: here neither works.
    """

    def get_template(self) -> str:
        """Return the SQL that installs the function and its trigger."""
        return """
            CREATE OR REPLACE FUNCTION {pgid}() RETURNS TRIGGER AS $$
                {declare}
                BEGIN
                    {func}
                END;
            $$ LANGUAGE plpgsql SET search_path = public, pg_temp;

            DROP TRIGGER IF EXISTS {pgid} ON {table};
            CREATE {constraint} TRIGGER {pgid}
                {when} {operation} ON {table}
                {timing}
                {referencing}
                FOR EACH {level} {condition}
                EXECUTE PROCEDURE {execute};

            COMMENT ON TRIGGER {pgid} ON {table} IS '{hash}';
        """


class Trigger(pgtrigger.Trigger):
    """A trigger of ours: declared as the library's, installed by `StrictTriggerSql`."""

    def compile(self, model: Any) -> compiler.Trigger:
        """Return what migrations store."""
        compiled = super().compile(model)
        return compiler.Trigger(name=compiled.name, sql=StrictTriggerSql(**compiled.sql.kwargs))


def append_only(
    name: str, *, erased: str = "", blank: dict[str, str] | None = None, allow: str = ""
) -> list[pgtrigger.Trigger]:
    """Return the triggers that refuse UPDATE, DELETE and TRUNCATE on a table of history.

    `blank` maps a column of words to its blanked SQL value: they may be blanked, all at once, when the SQL query
    `erased` (over OLD) finds that the person is erased. `allow` is plpgsql that lets one more UPDATE pass.
    """
    refuse = REFUSE.format(name=name, message=APPEND_ONLY)
    if blank:
        columns = ", ".join(f"'{column}'" for column in blank)
        condition = " AND ".join(f"NEW.{column} = {value}" for column, value in blank.items())
        allow += BLANKED.format(columns=columns, blank=condition, erased=erased)
    return [
        Trigger(
            name=f"{name}_rows",
            when=pgtrigger.Before,
            operation=pgtrigger.Update | pgtrigger.Delete,
            func=allow + refuse,
        ),
        no_truncate(name, refuse),
    ]


def no_delete(name: str, message: str) -> list[pgtrigger.Trigger]:
    """Return the triggers that refuse DELETE and TRUNCATE, with `message` as the database's answer."""
    body = REFUSE.format(name=name, message=message)
    return [
        Trigger(name=f"{name}_rows", when=pgtrigger.Before, operation=pgtrigger.Delete, func=body),
        no_truncate(name, body),
    ]


def fixed(name: str, column: str, message: str) -> pgtrigger.Trigger:
    """Return the trigger that refuses another value of `column` (its database name)."""
    return Trigger(
        name=name,
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        condition=pgtrigger.Condition(f"NEW.{column} IS DISTINCT FROM OLD.{column}"),
        func=REFUSE.format(name=name, message=message),
    )


def no_truncate(name: str, body: str) -> pgtrigger.Trigger:
    """Return the trigger that answers a TRUNCATE with the plpgsql `body` (one that raises)."""
    return Trigger(
        name=f"{name}_all",
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        operation=pgtrigger.Truncate,
        func=body,
    )
