"""What is known of each criterion on a call: answered now, answered on an earlier call, written in the file."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, CharField, OuterRef, Q, QuerySet, Subquery, Value, When

from calls.enums import Result
from calls.models import Call, CallAnswer
from campaigns.models import Criterion
from campaigns.rules.criteria import ATTRIBUTE
from campaigns.selectors.criteria import compile_criterion
from crm.models import Prospect
from crm.selectors.composed import ask


@dataclass(frozen=True, slots=True)
class Standing:
    """A criterion on a call.

    `result` and `heard` are the present respondent's own answer ("" when there is none); `earlier` is the last answer
    of an earlier call, to the same version, given at `earlier_at` where it was a match;
    `on_file` what the file makes of it, `file_value` its words there.
    """

    criterion: Criterion
    result: str
    heard: str
    earlier: str
    on_file: str
    file_value: str
    earlier_at: datetime | None = None

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
    criteria = ask(_criteria, **_around(call))
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
            earlier_at=criterion.earlier_at if criterion.earlier == Result.MATCH else None,
        )
        for criterion in criteria
    ]
    return sorted(rows, key=lambda row: not row.is_asked_first)


def unmet(call: Call) -> list[Criterion]:
    """Return the blocking criteria that do not count as `match` on this call (see `Standing.is_met`).

    One query, two when the file has to be asked.
    """
    blocking = ask(_blocking, call.respondent, **_around(call))
    last_word = {criterion.pk: criterion.said or criterion.earlier or "" for criterion in blocking}
    silent = [criterion for criterion in blocking if criterion.trust_file and not last_word[criterion.pk]]
    last_word |= results_on_file(call.prospect_id, silent)
    return [criterion for criterion in blocking if last_word[criterion.pk] != Result.MATCH]


def _around(call: Call) -> dict[str, int | str]:
    # Who has no fiche is known by the number.
    person = call.prospect_id or call.number
    return {"person": person, "call": call.pk, "programme": call.campaign.programme_id}


def _criteria(*, person: int | str, call: int, programme: int) -> QuerySet[Any]:
    known = isinstance(person, int)
    same = Q(call__prospect=person) if known else Q(call__prospect=None, call__number=person)
    earlier = CallAnswer.objects.filter(
        same, criterion=OuterRef("pk"), version=OuterRef("version"), call__lt=call
    ).order_by("-id")
    asked = Criterion.objects.filter(programme_id=programme, retired_at__isnull=True)
    found: QuerySet[Any] = asked.annotate(
        earlier=Subquery(earlier.values("result")[:1]), earlier_at=Subquery(earlier.values("at")[:1])
    ).order_by("position", "id")
    return found


def _blocking(respondent: int, *, person: int | str, call: int, programme: int) -> QuerySet[Any]:
    said = (
        CallAnswer.objects.filter(call=call, respondent=respondent, criterion=OuterRef("pk"))
        .order_by("-id")
        .values("result")[:1]
    )
    criteria = _criteria(person=person, call=call, programme=programme)
    found: QuerySet[Any] = criteria.filter(blocking=True).annotate(said=Subquery(said))
    return found


def results_on_file(prospect_id: int | None, criteria: Sequence[Criterion]) -> dict[int, str]:
    """Return what the file makes of each criterion (id → match, mismatch or unknown), by the compiled predicate."""
    if prospect_id is None or not criteria:
        return {}
    conditions = [(row.pk, row.field, row.operator, json.dumps(row.value)) for row in criteria]
    row: dict[str, str] = next(iter(ask(_results, *conditions, prospect=prospect_id)), {})
    return {criterion.pk: str(row.get(f"c{criterion.pk}", Result.UNKNOWN)) for criterion in criteria}


def _results(*conditions: tuple[int, str, str, str], prospect: int) -> QuerySet[Prospect, Any]:
    cases = {
        f"c{pk}": _result(Criterion(field=name, operator=operator, value=json.loads(value)))
        for pk, name, operator, value in conditions
    }
    return Prospect.objects.filter(pk=prospect).values(**cases)


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
