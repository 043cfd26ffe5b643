"""What a supplier's columns meant before."""

from crm.models import Source


def remembered_mapping(source: Source) -> dict[str, str]:
    """Stub of the lead."""
    return {}
