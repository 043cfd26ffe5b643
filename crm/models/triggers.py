"""Triggers shared by the tables of every app: what may not be changed, whatever code runs."""

import pgtrigger

REFUSE = """
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = '{name}', TABLE = TG_TABLE_NAME,
        MESSAGE = '{message}';
"""


def append_only(name: str) -> list[pgtrigger.Trigger]:
    """Return the triggers that refuse UPDATE, DELETE and TRUNCATE on a table of history."""
    body = REFUSE.format(name=name, message="history is append-only: add a row that corrects it")
    return [
        pgtrigger.Trigger(
            name=f"{name}_rows", when=pgtrigger.Before, operation=pgtrigger.Update | pgtrigger.Delete, func=body
        ),
        no_truncate(name, body),
    ]


def no_delete(name: str, message: str) -> list[pgtrigger.Trigger]:
    """Return the triggers that refuse DELETE and TRUNCATE, with `message` as the database's answer."""
    body = REFUSE.format(name=name, message=message)
    return [
        pgtrigger.Trigger(name=f"{name}_rows", when=pgtrigger.Before, operation=pgtrigger.Delete, func=body),
        no_truncate(name, body),
    ]


def no_truncate(name: str, body: str) -> pgtrigger.Trigger:
    """Return the trigger that answers a TRUNCATE with the plpgsql `body` (one that raises)."""
    return pgtrigger.Trigger(
        name=f"{name}_all",
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        operation=pgtrigger.Truncate,
        func=body,
    )
