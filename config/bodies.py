"""Bodies that come without their length, in chunks or by HTTP/2, as programs send what they compose on the way."""

from collections.abc import Callable, Iterable
from typing import Any

API = "/api/"
#: Stands for a length that is not told: more than any address reads, each has its own bound.
UNTOLD = str(2**40)


class UntoldLength:
    """Let Django read a body of the API to its end where its length is not told.

    Django reads as far as `Content-Length` says, and nothing without it: such a body would be taken for an empty one.
    The server marks the end of what it hands on (`wsgi.input_terminated`), so reading cannot wait for more.
    """

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        """Keep the application."""
        self.application = application

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer by the application."""
        untold = not environ.get("CONTENT_LENGTH") and environ.get("wsgi.input_terminated")
        if untold and environ["REQUEST_METHOD"] in ("POST", "PATCH") and environ["PATH_INFO"].startswith(API):
            environ["CONTENT_LENGTH"] = UNTOLD
        return self.application(environ, start_response)
