"""What the apps above do when a prospect changes: an explicit list, filled in their `AppConfig.ready`."""

from collections.abc import Callable, Sequence
from datetime import datetime

#: Called in the transaction of the change with the ids of the prospects and the moment.
PROSPECT_CHANGED: list[Callable[[Sequence[int], datetime], object]] = []


def prospects_changed(prospect_ids: Sequence[int], at: datetime) -> None:
    """Run the hooks for prospects that were corrected, renumbered or erased."""
    for hook in PROSPECT_CHANGED:
        hook(prospect_ids, at)
