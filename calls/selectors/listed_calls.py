"""What the representation of many calls reads of them, in a number of queries that their number does not change."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import JSONObject

from calls.enums import STOPS_SALE, CallbackState, CallEventKind, Result
from calls.models import Call, CallAnswer, Callback, CallEvent, Incident
from calls.rules.hang_up import may_hang_up, may_hang_up_from
from calls.rules.transitions import allowed
from calls.selectors.call_screen import (
    ASKED,
    SPOKEN,
    Mismatch,
    StepLine,
    is_to_qualify,
    mismatches_of,
    reach_of,
    steps_of,
)
from calls.selectors.contradictions import Contradiction, contradictions_of
from calls.selectors.facts import facts_of, line_facts
from calls.selectors.sentences import words_of_each
from campaigns.models import Criterion, Disposition, DispositionRule

#: What is read of an answer, beside its call.
ANSWER = ("criterion_id", "result", "heard", "expected", "blocking", "answered_by", "respondent", "at")
#: Lines of a call's history that its representation tells.
READ_EVENTS = (CallEventKind.CLOSING_STEP, CallEventKind.LINE_REPORT)


@dataclass(frozen=True, slots=True)
class Asked:
    """A criterion as it is asked; `result` and `heard` are the present person's answer, "" when there is none."""

    criterion_id: int
    text: str
    expected: str
    blocking: bool
    result: str
    heard: str


@dataclass(frozen=True, slots=True)
class ListedCall:
    """A call in a list: of `call_screen.CallScreen` the part that its representation in the API says."""

    questions: Sequence[Asked]
    steps: Sequence[StepLine]
    mismatches: Sequence[Mismatch]
    dispositions: Sequence[Disposition]
    callback_id: int | None
    incidents: Sequence[int]
    may_hang_up: bool
    may_hang_up_from: datetime | None
    allowed: Sequence[str]
    contradictions: Sequence[Contradiction]


def listed_calls(calls: Sequence[Call], at: datetime) -> dict[int, ListedCall]:
    """Return each call by its id as it stands at `at`, in at most seven queries.

    Calls come with their campaign, programme, sponsor, prospect, source, disposition and agent.
    """
    rows = {row["pk"]: row for row in _rows_of(calls)}
    told = {call.pk: [CallEvent(**_timed(item)) for item in rows[call.pk]["told"]] for call in calls}
    answers = {call.pk: [CallAnswer(**_timed(item)) for item in rows[call.pk]["answered"]] for call in calls}
    words = words_of_each([call for call in calls if call.state in SPOKEN and call.closing_kind])
    questions = _questions([call for call in calls if call.state in ASKED], answers)
    offered = _offered([call for call in calls if is_to_qualify(call)])
    listed = {}
    for call in calls:
        mismatches = mismatches_of(answers[call.pk])
        line = line_facts(call)
        listed[call.pk] = ListedCall(
            questions=questions.get(call.pk, []),
            steps=steps_of(call, told[call.pk], words.get(call.pk), mismatches)[0],
            mismatches=mismatches,
            dispositions=[
                row
                for row in offered.get(call.pk, [])
                if not (rows[call.pk]["stopped"] and row.requires_match)
            ],
            callback_id=rows[call.pk]["agreed"],
            incidents=rows[call.pk]["reported"],
            may_hang_up=may_hang_up(line, at),
            may_hang_up_from=may_hang_up_from(line, at),
            allowed=allowed(facts_of(call, at)),
            contradictions=contradictions_of(told[call.pk]),
        )
    return listed


def _rows_of(calls: Sequence[Call]) -> Iterable[Any]:
    """Return what was said and reported, the answers, the open callback and the incidents of each call. One query."""
    own = {"call": OuterRef("pk")}
    said = CallEvent.objects.filter(**own, kind__in=READ_EVENTS).order_by("id")
    agreed = Callback.objects.filter(**own, state=CallbackState.OPEN).order_by("-id")
    rows = Call.objects.filter(pk__in=[call.pk for call in calls]).annotate(
        told=_columns(said, "kind", "at", "data"),
        answered=_columns(CallAnswer.objects.filter(**own).order_by("id"), *ANSWER),
        agreed=Subquery(agreed.values("id")[:1]),
        reported=ArraySubquery(Incident.objects.filter(**own).order_by("id").values("id")),
        stopped=Exists(Incident.objects.filter(**own, kind__in=sorted(STOPS_SALE))),
    )
    return rows.values("pk", "told", "answered", "agreed", "reported", "stopped")


def _columns(rows: QuerySet[Any], *columns: str) -> ArraySubquery:
    return ArraySubquery(rows.values(json=JSONObject(**{column: column for column in columns})))


def _timed(columns: dict[str, Any]) -> dict[str, Any]:
    return {**columns, "at": datetime.fromisoformat(columns["at"])}


def _questions(calls: Sequence[Call], answers: dict[int, list[CallAnswer]]) -> dict[int, list[Asked]]:
    """Return the criteria of each call, those that somebody did not know last time before the others. Two queries."""
    if not calls:
        return {}
    programmes = defaultdict(list)
    asked = Criterion.objects.filter(
        programme__in={call.campaign.programme_id for call in calls}, retired_at__isnull=True
    )
    for criterion in asked.order_by("position", "id"):
        programmes[criterion.programme_id].append(criterion)
    earlier = _earlier(calls)
    questions = {}
    for call in calls:
        now = {item.criterion_id: item for item in answers[call.pk] if item.respondent == call.respondent}
        rows = [_asked(row, now.get(row.pk)) for row in programmes[call.campaign.programme_id]]
        unknown = {key for key, result in earlier[call.pk].items() if result == Result.UNKNOWN}
        first = {row.pk for row in programmes[call.campaign.programme_id] if (row.pk, row.version) in unknown}
        rows.sort(key=lambda row: bool(row.result) or row.criterion_id not in first)
        questions[call.pk] = rows
    return questions


def _asked(criterion: Criterion, answer: CallAnswer | None) -> Asked:
    return Asked(
        criterion_id=criterion.pk,
        text=criterion.question,
        expected=criterion.expected,
        blocking=criterion.blocking,
        result=answer.result if answer else "",
        heard=answer.heard if answer else "",
    )


def _earlier(calls: Sequence[Call]) -> dict[int, dict[tuple[int | None, int], str]]:
    """Return, for each call, the last result of earlier calls to its person, by criterion and version. One query."""
    people = {call.prospect_id for call in calls if call.prospect_id}
    numbers = {call.number for call in calls if not call.prospect_id}
    told = CallAnswer.objects.filter(
        Q(call__prospect__in=people) | Q(call__prospect=None, call__number__in=numbers),
        criterion__programme__in={call.campaign.programme_id for call in calls},
    ).order_by("id")
    by_person: dict[int | str, list[Any]] = defaultdict(list)
    columns = ("call_id", "criterion_id", "version", "result", "call__prospect_id", "call__number")
    for call, criterion, version, result, prospect, number in told.values_list(*columns):
        by_person[prospect or number].append((call, (criterion, version), result))
    return {
        call.pk: {
            key: result
            for earlier, key, result in by_person[call.prospect_id or call.number]
            if earlier < call.pk
        }
        for call in calls
    }


def _offered(calls: Sequence[Call]) -> dict[int, list[Disposition]]:
    """Return the dispositions that each call can be given, as `call_screen.dispositions_of` has them. Two queries."""
    if not calls:
        return {}
    every = Disposition.objects.filter(active=True, by_mismatch_only=False).order_by("position", "code")
    catalogue = list(every)
    disabled = set(
        DispositionRule.objects.filter(
            campaign__in={call.campaign_id for call in calls}, enabled=False
        ).values_list("campaign_id", "disposition_id")
    )
    return {
        call.pk: [
            row
            for row in catalogue
            if (call.campaign_id, row.pk) not in disabled
            and reach_of(call) in (None, row.reach)
            and (call.entry_id is not None or not row.requires_callback)
        ]
        for call in calls
    }
