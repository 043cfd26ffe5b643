"""What the erasure of a person would touch, in numbers."""

from django.db.models import Q

from calls.enums import CallbackState
from campaigns.models import Exclusion
from crm.models import Prospect


def erasure_counts(prospect: Prospect) -> dict[str, int]:
    """Return what an erasure would touch: numbers, entries, open callbacks, calls, and the exclusions that stay."""
    numbers = list(prospect.phones.values_list("number", flat=True))
    return {
        "numbers": len(numbers),
        "entries": prospect.entries.count(),
        "callbacks": prospect.callbacks.filter(state=CallbackState.OPEN).count(),
        "calls": prospect.calls.count(),
        "exclusions": Exclusion.objects.active().filter(Q(prospect=prospect) | Q(number__in=numbers)).count(),
    }
