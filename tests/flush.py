"""Empty the database after a test that committed, past the guards, and put back what the migrations seeded.

The guards refuse DELETE and TRUNCATE on history and exclusions, whoever asks. Only the superuser of the tests' own
server may step past them, as a replica does.
"""

from typing import Any

from django.db import connection
from django.db.backends.postgresql.operations import DatabaseOperations

COPIES = "seeded"


def remember_seeds() -> None:
    """Copy the rows of the freshly migrated database aside, and make Django's flush bring them back."""
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    quote = connection.ops.quote_name
    seeded = []
    with connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA IF EXISTS {COPIES} CASCADE")
        cursor.execute(f"CREATE SCHEMA {COPIES}")
        for table in tables:
            cursor.execute(f"SELECT EXISTS (SELECT FROM {quote(table)})")
            if cursor.fetchone() == (True,):
                cursor.execute(
                    f"CREATE UNLOGGED TABLE {COPIES}.{quote(table)} AS TABLE public.{quote(table)}"
                )
                seeded.append(table)

    def sql_flush(self: DatabaseOperations, style: Any, tables: list[str], **options: Any) -> list[str]:
        return [
            "SET LOCAL session_replication_role = replica",
            *[f"DELETE FROM {quote(table)}" for table in tables],
            *[
                f"INSERT INTO {quote(table)} SELECT * FROM {COPIES}.{quote(table)}"
                for table in seeded
                if table in tables
            ],
        ]

    DatabaseOperations.sql_flush = sql_flush  # type: ignore[assignment,method-assign]
    # Flush alone restores the seeds; this tells Django's test case not to emit post_migrate after it.
    connection._test_serialized_contents = "[]"  # type: ignore[attr-defined]
