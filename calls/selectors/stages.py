"""The stages of delicate situations, and reports of an exchange, in words, for who reads what happened on a call."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from calls.enums import CallEventKind
from calls.models import CallEvent, Stage
from calls.selectors.history import words_of_report


def tell_stages(events: Sequence[CallEvent]) -> None:
    """Give each line of a situation the words of its stage, each late report its own, as `stage_label`.

    One query, or none.
    """
    for event in events:
        if event.kind == CallEventKind.LINE_REPORT:
            event.stage_label = words_of_report(event.data)  # type: ignore[attr-defined]
    told = [event for event in events if event.kind == CallEventKind.SITUATION]
    codes = {event.data["situation"] for event in told if event.data.get("stage")}
    rows = Stage.objects.filter(situation__code__in=codes).select_related("situation") if codes else []
    stages = {(row.situation.code, row.position): row for row in rows}
    for event in told:
        stage = stages.get((event.data.get("situation"), event.data.get("stage")))
        event.stage_label = _words(event, stage)  # type: ignore[attr-defined]


def _words(event: CallEvent, stage: Stage | None) -> str:
    if event.data.get("calmed"):
        return _("la personne s'est calmée")
    if stage is None:
        return ""
    heard = stage.shown_title or stage.shown_opens or stage.shown_do
    words = {"situation": stage.situation.shown_label, "number": stage.position, "heard": heard}
    if not heard:
        return _("%(situation)s, étape %(number)s") % words
    return _("%(situation)s, étape %(number)s (%(heard)s)") % words
