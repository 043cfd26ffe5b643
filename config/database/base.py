"""PostgreSQL, with a check of a pooled connection that costs no round trip."""

import select
from typing import Any

import psycopg
from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's own, but for the check of a connection before it is used again.

    Django's asks the server and waits for its answer, at every request: some twentieth of a claim.
    """

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Return a connection, out of the pool where there is one, that the server has not ended."""
        connection = super().get_new_connection(conn_params)
        for _former in range(self.pool.max_size if self.pool else 0):
            if not was_ended(connection):
                break
            connection.close()
            self.pool.putconn(connection)
            connection = super().get_new_connection(conn_params)
        return connection


def was_ended(connection: "psycopg.Connection[Any]") -> bool:
    """Return whether the server has said something unasked to an idle connection: that it ends it.

    It does so when it is restarted or told to; a server that vanished without a word is noticed by TCP alone.
    """
    if connection.closed:
        return True
    socket = select.poll()
    socket.register(connection.fileno(), select.POLLIN)
    return bool(socket.poll(0))
