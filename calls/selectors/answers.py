"""What is known of each criterion on a call: answered now, answered on an earlier call, written in the file."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, CharField, OuterRef, Q, QuerySet, Subquery, Value, When

from calls.enums import Result
from calls.models import Call, CallAnswer
from campaigns.models import Criterion
from campaigns.rules.criteria import ATTRIBUTE
from campaigns.selectors.criteria import compile_criterion
from crm.models import Prospect


@dataclass(frozen=True, slots=True)
class Standing:
    """A criterion on a call.

    `result` and `heard` are the present respondent's own answer ("" when there is none); `earlier` is the last answer
    of an earlier call, to the same version; `on_file` what the file makes of it, `file_value` its words there.
    """

    criterion: Criterion
    result: str
    heard: str
    earlier: str
    on_file: str
    file_value: str

    @property
    def is_met(self) -> bool:
        """Whether it counts as `match`: said now; else said on an earlier call; else in a file that is trusted."""
        if self.result:
            return self.result == Result.MATCH
        if self.earlier:
            return self.earlier == Result.MATCH
        return self.criterion.trust_file and self.on_file == Result.MATCH

    @property
    def is_asked_first(self) -> bool:
        """Whether somebody did not know last time: it is asked before the others."""
        return not self.result and self.earlier == Result.UNKNOWN


def standings(call: Call, answers: Sequence[CallAnswer] | None = None) -> list[Standing]:
    """Return the criteria of the call's programme as they stand, those to ask first before the others.

    Three queries however long the history is, two when `answers` (those of the call) are given.
    """
    criteria: list[Any] = list(_criteria(call))
    found = list(call.answers.all()) if answers is None else answers
    now = {answer.criterion_id: answer for answer in found if answer.respondent == call.respondent}
    on_file = results_on_file(call.prospect_id, criteria)
    rows = [
        Standing(
            criterion=criterion,
            result=now[criterion.pk].result if criterion.pk in now else "",
            heard=now[criterion.pk].heard if criterion.pk in now else "",
            earlier=criterion.earlier or "",
            on_file=on_file.get(criterion.pk, ""),
            file_value=file_value(call.prospect, criterion.field),
        )
        for criterion in criteria
    ]
    return sorted(rows, key=lambda row: not row.is_asked_first)


def unmet(call: Call) -> list[Criterion]:
    """Return the blocking criteria that do not count as `match` on this call (see `Standing.is_met`).

    One query, two when the file has to be asked.
    """
    said = (
        CallAnswer.objects.filter(call=call.pk, respondent=call.respondent, criterion=OuterRef("pk"))
        .order_by("-id")
        .values("result")[:1]
    )
    blocking = list(_criteria(call).filter(blocking=True).annotate(said=Subquery(said)))
    last_word = {criterion.pk: criterion.said or criterion.earlier or "" for criterion in blocking}
    silent = [criterion for criterion in blocking if criterion.trust_file and not last_word[criterion.pk]]
    last_word |= results_on_file(call.prospect_id, silent)
    return [criterion for criterion in blocking if last_word[criterion.pk] != Result.MATCH]


def _criteria(call: Call) -> QuerySet[Any]:
    # Who has no fiche is known by the number.
    person = (
        Q(call__prospect=call.prospect_id)
        if call.prospect_id
        else Q(call__prospect=None, call__number=call.number)
    )
    earlier = (
        CallAnswer.objects.filter(
            person, criterion=OuterRef("pk"), version=OuterRef("version"), call__lt=call.pk
        )
        .order_by("-id")
        .values("result")[:1]
    )
    asked = Criterion.objects.filter(programme_id=call.campaign.programme_id, retired_at__isnull=True)
    return asked.annotate(earlier=Subquery(earlier)).order_by("position", "id")


def results_on_file(prospect_id: int | None, criteria: Sequence[Criterion]) -> dict[int, str]:
    """Return what the file makes of each criterion (id → match, mismatch or unknown), by the compiled predicate."""
    if prospect_id is None or not criteria:
        return {}
    cases = {f"c{criterion.pk}": _result(criterion) for criterion in criteria}
    row = Prospect.objects.filter(pk=prospect_id).values(**cases).first() or {}
    return {criterion.pk: str(row.get(f"c{criterion.pk}", Result.UNKNOWN)) for criterion in criteria}


def _result(criterion: Criterion) -> Case:
    part = compile_criterion(criterion)
    return Case(
        When(part.matches, then=Value(str(Result.MATCH))),
        When(part.contradicts, then=Value(str(Result.MISMATCH))),
        default=Value(str(Result.UNKNOWN)),
        output_field=CharField(),
    )


def file_value(prospect: Prospect | None, field: str) -> str:
    """Return the words that a prospect's file has for a field, "" when it has none."""
    if prospect is None:
        return ""
    if field.startswith(ATTRIBUTE):
        value = prospect.attributes.get(field.removeprefix(ATTRIBUTE))
    else:
        value = getattr(prospect, field, "")
    return "" if value is None else str(value)
