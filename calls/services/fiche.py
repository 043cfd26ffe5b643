"""A fact corrected on the fiche while its person is on the line, and what the criteria make of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext_lazy as _

from calls.enums import ON_LINE, Result
from calls.models import Call, CallAnswer
from calls.selectors.answers import file_value, results_on_file
from calls.services.errors import InvalidTransition, MismatchNotConfirmed
from calls.services.held import held, require_verb, tell_all
from calls.services.mismatch import store_mismatch
from calls.services.talk import answer_of, require_able
from campaigns.enums import EntryState
from campaigns.models import Criterion
from campaigns.rules.criteria import ATTRIBUTE
from crm.models import Prospect, User
from crm.services.prospects import edit_prospect


def correct_fact(
    *,
    call: Call,
    data: dict[str, Any],
    by: User,
    at: datetime,
    phones: Sequence[Any] | None = None,
    confirmed: bool = False,
    expected_version: int | None = None,
) -> Call:
    """Correct the fiche on the line, and judge the criteria on its corrected form. `attributes` are added to its own.

    A corrected field that now matches its criterion is stored as `match`. One that contradicts it is a mismatch,
    with the corrected value as what was heard; a blocking one only when `confirmed`: without, MismatchNotConfirmed
    is raised (`extra`: criterion, expected, heard) and nothing changes, the fiche included.
    """
    with held(call, by=by, bars="exclusive") as current:
        if current.prospect is None:
            raise InvalidTransition(_("Cet appel n'a pas de fiche."))
        fields = dict(data)
        if "attributes" in data:
            fields["attributes"] = {**current.prospect.attributes, **(data["attributes"] or {})}
        asked = current.state in ON_LINE and current.out_of_criteria_at is None
        criteria = _asked_about(current, data) if asked else []
        judged: list[Judged] = []

        def judge(corrected: Prospect) -> None:
            judged.extend(_judged(corrected, criteria))
            failed = _failed(judged)
            if failed is not None and not confirmed:
                raise MismatchNotConfirmed(extra=failed.facts())

        current.prospect = edit_prospect(
            prospect=current.prospect,
            data=fields,
            phones=phones,
            by=by,
            at=at,
            expected_version=expected_version,
            check=judge,
            call_ref=current.pk,
            answered_by=current.answered_by if current.state in ON_LINE else "",
        )
        return _store_judged(current, judged, by=by, at=at)


def _asked_about(call: Call, data: dict[str, Any]) -> list[Any]:
    """Return the criteria about a field among `data`, changed by it or not, with the answer that stands (`said`)."""
    fields = {name for name in data if name != "attributes"}
    fields |= {f"{ATTRIBUTE}{key}" for key in data.get("attributes") or {}}
    answers = CallAnswer.objects.filter(call=call.pk, respondent=call.respondent, criterion=OuterRef("pk"))
    last = answers.order_by("-id")
    asked = Criterion.objects.filter(
        programme_id=call.campaign.programme_id, retired_at__isnull=True, field__in=fields
    ).annotate(said=Subquery(last.values("result")[:1]), said_heard=Subquery(last.values("heard")[:1]))
    return list(asked.order_by("position", "id"))


@dataclass(frozen=True, slots=True)
class Judged:
    """What the corrected file makes of a criterion of `_asked_about`, and its words there."""

    criterion: Any
    result: str
    heard: str

    @property
    def is_new(self) -> bool:
        """Whether it says something, and other than the answer that stands."""
        stands = (self.criterion.said, self.criterion.said_heard)
        return self.result != Result.UNKNOWN and stands != (self.result, self.heard)

    @property
    def is_final(self) -> bool:
        """Whether storing it would put the call out of criteria."""
        return self.result == Result.MISMATCH and self.criterion.blocking

    def facts(self) -> dict[str, Any]:
        """Return what the agent is asked to confirm."""
        return {
            "criterion": self.criterion.pk,
            "expected": self.criterion.expected,
            "heard": self.heard,
        }


def _judged(prospect: Prospect, criteria: Sequence[Any]) -> list[Judged]:
    results = results_on_file(prospect.pk, criteria)
    return [
        Judged(criterion, results[criterion.pk], file_value(prospect, criterion.field)[:500])
        for criterion in criteria
    ]


def _store_answers(call: Call, said: Sequence[Judged], *, by: User, at: datetime) -> None:
    """Store these answers, however many they are in two queries."""
    new = [answer_of(call, row.criterion, row.result, row.heard, by=by, at=at) for row in said]
    CallAnswer.objects.bulk_create(answer for answer, _told in new)
    tell_all(call, [told for _answer, told in new], by=by, at=at)


def _failed(judged: Sequence[Judged]) -> Judged | None:
    """Return the first blocking criterion that the corrected file contradicts."""
    return next((row for row in judged if row.is_final), None)


def _store_judged(call: Call, judged: Sequence[Judged], *, by: User, at: datetime) -> Call:
    failed = _failed(judged)
    _store_answers(call, [row for row in judged if row.is_new and not row.is_final], by=by, at=at)
    if failed is None:
        return call
    require_verb("criteria", call, at)
    require_able(call)
    if call.entry is not None and call.entry.state != EntryState.CLAIMED:
        # The corrected fiche may have moved it.
        call.entry.refresh_from_db()
    return store_mismatch(call, failed.criterion, failed.heard, by=by, at=at)
