"""Reference rows: the dispositions and the default sentences of a closing."""

from typing import Any

from campaigns.models import ClosingStep, Disposition
from campaigns.rules.catalogue import CLOSING_STEPS, DISPOSITIONS


def load_reference_data(
    *, disposition: type[Any] = Disposition, closing_step: type[Any] = ClosingStep
) -> tuple[int, int]:
    """Add the dispositions and default sentences that are missing; return how many of each.

    What somebody changed is left as it is, so that it can be run at any time. A migration gives its own models.
    """
    columns = {field.name for field in disposition._meta.get_fields()}
    added = 0
    for position, row in enumerate(DISPOSITIONS, start=1):
        values = {name: value for name, value in row.items() if name in columns}
        _row, created = disposition.objects.get_or_create(
            code=row["code"], defaults={**values, "position": position * 10}
        )
        added += created
    said = 0
    for (language, kind, step), text in CLOSING_STEPS.items():
        _row, created = closing_step.objects.get_or_create(
            campaign=None, language=language, kind=kind, step=step, defaults={"text": text}
        )
        said += created
    return added, said
