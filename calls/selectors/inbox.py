"""The supervisor's inbox: questions, corrections and incidents, each with what one needs to decide."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, Prefetch, QuerySet, When

from calls.enums import QUESTIONS, Decision, IncidentKind
from calls.models import CallAnswer, CallDisposition, CallEvent, Incident
from calls.rules.decisions import NEEDS_REASON, decisions_of
from campaigns.models import Disposition
from crm.models import Sponsor

#: Kinds by the tab of the inbox.
TABS: dict[str, frozenset[IncidentKind]] = {
    "questions": frozenset(
        {
            IncidentKind.HELP,
            IncidentKind.SHARED_NUMBER,
            IncidentKind.EXPIRED_CALL,
            IncidentKind.RESOURCING,
        }
    ),
    "corrections": frozenset({IncidentKind.ENTRY_ERROR}),
    "incidents": frozenset(IncidentKind) - QUESTIONS - {IncidentKind.RESOURCING},
}


@dataclass(frozen=True, slots=True)
class Choice:
    """A decision that may be taken: its code, its label, and whether it asks for a reason."""

    code: str
    label: Any
    needs_reason: bool


@dataclass(frozen=True, slots=True)
class Item:
    """An incident with its context: the call's history, answers and dispositions, and what may be decided."""

    incident: Incident
    events: Sequence[CallEvent]
    answers: Sequence[CallAnswer]
    dispositions: Sequence[CallDisposition]
    choices: Sequence[Choice]

    @property
    def asks_code(self) -> bool:
        """Whether a decision needs another disposition."""
        return any(choice.code in (Decision.CORRECT, Decision.CLOSE_CALL) for choice in self.choices)

    @property
    def asks_number(self) -> bool:
        """Whether a decision needs another number."""
        return any(choice.code == Decision.REOPEN for choice in self.choices)


def incidents_of(sponsors: QuerySet[Sponsor]) -> QuerySet[Incident]:
    """Return the incidents inside these sponsors, newest first, with what their items read."""
    return (
        Incident.objects.filter(sponsor__in=sponsors)
        .select_related(
            "sponsor",
            "prospect",
            "by",
            "exclusion__programme",
            "decision_row__by",
            "call__campaign__programme",
            "call__agent",
            "call__disposition",
        )
        .prefetch_related(
            Prefetch("call__events", CallEvent.objects.select_related("by").order_by("id")),
            Prefetch("call__answers", CallAnswer.objects.select_related("criterion").order_by("id")),
            Prefetch(
                "call__dispositions",
                CallDisposition.objects.select_related("disposition", "by").order_by("id"),
            ),
        )
        .order_by("-id")
    )


def incidents_found(
    sponsors: QuerySet[Sponsor], *, tab: str = "", decided: bool = False
) -> QuerySet[Incident]:
    """Return the incidents that wait for a decision, calls for help first, then the oldest; or those decided, the
    latest first."""
    rows = incidents_of(sponsors).filter(waiting=not decided)
    if tab in TABS:
        rows = rows.filter(kind__in=sorted(TABS[tab]))
    if decided:
        return rows.order_by("-decision_row__at")
    return rows.order_by(Case(When(kind=IncidentKind.HELP, then=0), default=1), "id")


def newest_waiting(sponsors: QuerySet[Sponsor]) -> int:
    """Return the id of the latest incident that waits for a decision; 0 when none does."""
    return _waiting(sponsors).order_by("-id").values_list("id", flat=True).first() or 0


def kinds_since(sponsors: QuerySet[Sponsor], after: int) -> list[str]:
    """Return the kinds of the waiting incidents that came after the one with this id."""
    return list(_waiting(sponsors).filter(id__gt=after).order_by("id").values_list("kind", flat=True))


def _waiting(sponsors: QuerySet[Sponsor]) -> QuerySet[Incident]:
    return Incident.objects.waiting().filter(sponsor__in=sponsors)


def waiting_counts(sponsors: QuerySet[Sponsor]) -> dict[str, int]:
    """Return how many incidents wait in each tab."""
    kinds = list(_waiting(sponsors).order_by().values_list("kind", flat=True))
    return {tab: sum(kind in members for kind in kinds) for tab, members in TABS.items()}


def item_of(incident: Incident, *, managing: bool) -> Item:
    """Return an incident of `incidents_of` with its context, without further queries."""
    call = incident.call
    decided = hasattr(incident, "decision_row")
    choices = () if decided else decisions_of(incident.kind, managing=managing)
    return Item(
        incident=incident,
        events=list(call.events.all()) if call else [],
        answers=list(call.answers.all()) if call else [],
        dispositions=list(call.dispositions.all()) if call else [],
        choices=[Choice(choice.value, choice.label, choice in NEEDS_REASON) for choice in choices],
    )


def dispositions_to_correct() -> QuerySet[Disposition]:
    """Return the dispositions that a correction may give: a mismatch is stored by an answer alone."""
    return Disposition.objects.filter(active=True, by_mismatch_only=False).order_by("position", "code")
