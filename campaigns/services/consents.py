"""Stub."""
from typing import Any


def import_consents(*args: Any, **kwargs: Any) -> Any:
    """Stub of the lead."""
