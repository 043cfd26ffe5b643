"""What the call screen and the API read of a call, in a handful of queries however long the history is."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, JSONObject
from django.utils import timezone
from django.utils.translation import gettext as _

from calls.enums import (
    DISPOSITION_OF_CAUSE,
    STOPS_SALE,
    CallbackState,
    CallEventKind,
    CallState,
    HungUpBy,
    IncidentKind,
    Mode,
    Result,
)
from calls.models import Call, CallAnswer, Callback, CallEvent, Incident, Pause, Workplace
from calls.rules.closing import due_step
from calls.rules.hang_up import may_hang_up_from, why_may_hang_up
from calls.rules.transitions import ON_LINE, allowed
from calls.selectors.answers import standings
from calls.selectors.callbacks import Promises, promises_of
from calls.selectors.carried import CARRIED, Carried, carried_of, carried_rows
from calls.selectors.contradictions import Contradiction, contradictions_of
from calls.selectors.day import Day, day_of
from calls.selectors.escalation import READ, Escalation, escalation_of, rows_of_escalation
from calls.selectors.facts import Said, facts_of, line_facts, said_of
from calls.selectors.history import Line, latest, lines_with_labels, says_english
from calls.selectors.sentences import Words, apology_of, barred_opening, inbound_opening, values_of, words_of
from campaigns.enums import STEPS_OF, CampaignStatus, Reach, ScriptKind, Step
from campaigns.models import Campaign, Disposition
from campaigns.selectors.queue import QueueCounts, queue_counts
from crm.enums import EventKind
from crm.models import ProspectEvent, ProspectNumber, User
from crm.rules.phones import time_zone_for
from crm.selectors.composed import ask

#: What the screen and the verbs read of a call, besides its row.
READ_WITH = ("campaign__programme__sponsor", "prospect__source", "disposition", "agent", "entry")
#: Lines of history and disturbances shown.
HISTORY = 20
#: What of a prospect's history an agent can use; the steps of earlier calls stand on the fiche.
TOLD_TO_AGENTS = (
    EventKind.DISPOSITION,
    EventKind.CORRECTED,
    EventKind.OUT_OF_CRITERIA,
    EventKind.CALLBACK,
    EventKind.SITUATION,
    EventKind.NOTE,
    EventKind.EDITED,
    EventKind.LIFTED,
    EventKind.RESOURCED,
)
DISTURBANCES = 3
#: Calls of today shown at the desk.
LATEST = 5


@dataclass(frozen=True, slots=True)
class Question:
    """A criterion as it is asked. `result` and `heard` are the present person's answer, "" when there is none.

    `known` is what an earlier call or the trusted file already says; `on_file` the words of the file. `known_at` is
    when an earlier call said that it is met (null: it did not).
    """

    criterion_id: int
    text: str
    expected: str
    blocking: bool
    result: str
    heard: str
    known: str
    on_file: str
    known_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StepLine:
    """A sentence of the closing: its step, its label, its words filled in, when it was said (null: not yet)."""

    step: str
    label: Any
    text: str
    said_at: datetime | None


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A stored mismatch: the criterion (null: somebody else answered), what was expected and heard, by whom."""

    criterion_id: int | None
    expected: str
    heard: str
    blocking: bool
    answered_by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Disturbance:
    """An earlier call by mistake to this person or number, inside the sponsor: when, and about what."""

    at: datetime
    words: str


@dataclass(frozen=True, slots=True)
class CallScreen:
    """Everything that the screen of a call, and its representation in the API, say at one moment.

    `may_hang_up_from` is when the agent's right to hang up comes by itself (null: never); `why_may_hang_up` names the
    reason ("" when there is none). `dispositions` are those that can be chosen now, `withheld` those that a stopped
    sale takes away; `proposed` is the code that the cause proposes. `situation` is the code of the playbook that is
    open ("" when none is), `stage` its position there; `barred`: another system called a number that is excluded.
    `effects_done` names the effects of situations that the agent did; `said_in` is the language of the sentences.
    Times are aware, in UTC.
    """

    call: Call
    allowed: Sequence[str]
    may_hang_up: bool
    may_hang_up_from: datetime | None
    why_may_hang_up: str
    time_zone: str
    opening: str
    script: str
    apology: str
    questions: Sequence[Question]
    steps: Sequence[StepLine]
    due_step: str
    mismatches: Sequence[Mismatch]
    dispositions: Sequence[Disposition]
    withheld: Sequence[Disposition]
    proposed: str
    callback_id: int | None
    callback_at: datetime | None
    incidents: Sequence[int]
    hang_up_to_explain: bool
    phones: Sequence[ProspectNumber]
    disturbances: Sequence[Disturbance]
    note: str
    wishes: Sequence[str]
    due_callback: datetime | None
    sound: bool
    help_asked_at: datetime | None
    ringing_at: datetime | None
    spoken_origin: str
    escalation: Escalation
    carried: Carried
    situation: str
    stage: int | None
    may_ask_ban: bool
    effects_done: Sequence[str]
    said_in: str
    contradictions: Sequence[Contradiction]
    barred: bool


@dataclass(frozen=True, slots=True)
class Desk:
    """The agent's desk: the campaigns to choose from and the chosen one, the day, what is callable and why not."""

    campaigns: Sequence[Campaign]
    campaign: Campaign | None
    day: Day
    promises: Promises
    latest: Sequence[Call]
    pause: Pause | None
    callable: int
    nobody: str
    next_at: datetime | None


@dataclass(slots=True)
class _Around:
    """What one query tells of the rows around a call."""

    events: list[CallEvent] = field(default_factory=list)
    answers: list[CallAnswer] = field(default_factory=list)
    phones: list[ProspectNumber] = field(default_factory=list)
    disturbances: list[Disturbance] = field(default_factory=list)
    incidents: list[tuple[int, str]] = field(default_factory=list)
    callback_id: int | None = None
    callback_at: datetime | None = None
    #: The agent's next other callback, and whether their desk may sound.
    due_at: datetime | None = None
    sound: bool = True
    escalation: Escalation = field(kw_only=True)
    carried: Carried = field(default_factory=Carried)


def screen_of(call: Call, at: datetime | None = None) -> CallScreen:
    """Return the screen of a call at `at` (now when null), in at most 5 queries.

    `call` comes with what its screen reads (`calls.access.own_call_or_404`); else those rows are loaded one by one.
    """
    at = at or timezone.now()
    around = _around(call)
    events, answers = around.events, around.answers
    words = words_of(call) if call.state in SPOKEN else None
    mismatches = mismatches_of(answers)
    steps, due = steps_of(call, events, words, mismatches)
    line = line_facts(call)
    why = why_may_hang_up(line, at)
    barred = any(kind == IncidentKind.BARRED_CALL for _pk, kind in around.incidents)
    offered = dispositions_of(call) if is_to_qualify(call) else []
    stopped = any(kind in STOPS_SALE for _pk, kind in around.incidents)
    withheld = [row for row in offered if stopped and row.requires_match]
    return CallScreen(
        call=call,
        allowed=allowed(facts_of(call, at)),
        may_hang_up=why is not None,
        may_hang_up_from=may_hang_up_from(line, at),
        why_may_hang_up=str(why or ""),
        time_zone=time_zone_of(call),
        opening=_opening(call, words, barred=barred),
        script=_filled(call, words, ScriptKind.BODY),
        apology=apology_of([item.at for item in around.disturbances], words.language if words else "fr"),
        barred=barred,
        questions=_questions(call, answers) if call.state in ASKED else [],
        steps=steps,
        due_step=due,
        mismatches=mismatches,
        dispositions=[row for row in offered if row not in withheld],
        withheld=withheld,
        proposed=DISPOSITION_OF_CAUSE.get(call.cause, ""),
        callback_id=around.callback_id,
        callback_at=around.callback_at,
        incidents=[pk for pk, _kind in around.incidents],
        hang_up_to_explain=_is_to_explain(call, events, around),
        phones=around.phones,
        disturbances=around.disturbances,
        note=_last(events, CallEventKind.NOTE, "text"),
        wishes=_wishes(events),
        due_callback=around.due_at if around.due_at and around.due_at <= at else None,
        sound=around.sound,
        help_asked_at=_first_at(events, CallEventKind.SUPERVISOR_ASKED),
        ringing_at=_first_at(events, CallEventKind.RINGING),
        spoken_origin=call.prospect.source.spoken_origin if call.prospect else "",
        escalation=around.escalation,
        may_ask_ban=_may_ask_ban(around),
        said_in=words.language if words else call.campaign.language,
        carried=around.carried,
        contradictions=contradictions_of(events),
        effects_done=[
            event.data.get("effect", "") for event in events if event.kind == CallEventKind.SITUATION_EFFECT
        ],
        **_situation(call, events),
    )


#: States in which sentences are said, criteria asked, a disposition chosen.
SPOKEN = ON_LINE | {str(CallState.CLAIMED), str(CallState.DIALLING)}
ASKED = {str(CallState.CLAIMED), str(CallState.CONNECTED)}
_QUALIFIED = ON_LINE | {str(CallState.ENDED), str(CallState.NOT_REACHED)}


def is_to_qualify(call: Call) -> bool:
    """Whether a disposition can be chosen: none is stored yet, and the call came so far."""
    return call.disposition_id is None and call.state in _QUALIFIED


def open_call_of(user: User) -> Call | None:
    """Return the agent's open call with what its screen reads, or None."""
    return next(iter(ask(_open, agent=user.pk)), None)


def _open(*, agent: int) -> QuerySet[Call]:
    return Call.objects.open().select_related(*READ_WITH).filter(agent=agent)


def dispositions_of(call: Call) -> list[Disposition]:
    """Return the dispositions that the campaign offers for a call in this state, in their order. One query."""
    reach = reach_of(call)
    return ask(_offered, reach and str(reach), call.entry_id is not None, campaign=call.campaign_id)


def reach_of(call: Call) -> Reach | None:
    """Return whom the call reached, as far as its state tells: None while either may be."""
    human = call.state in ON_LINE or call.greeted_at is not None or call.respondent > 0
    return Reach.MACHINE if call.state == CallState.NOT_REACHED else Reach.HUMAN if human else None


def _offered(reach: str | None, listed: bool, *, campaign: int) -> QuerySet[Disposition]:
    offered = (
        Disposition.objects.filter(active=True, by_mismatch_only=False)
        .exclude(rules__campaign=campaign, rules__enabled=False)
        .order_by("position", "code")
    )
    if reach:
        offered = offered.filter(reach=reach)
    return offered if listed else offered.filter(requires_callback=False)


def running_campaigns_of(user: User) -> list[Campaign]:
    """Return the campaigns that this user may call for now, inside their sponsors, by name. One query."""
    return ask(_running, str(CampaignStatus.RUNNING), user=user.pk)


def _running(status: str, *, user: int) -> QuerySet[Campaign]:
    # As `sponsors_of` has it: those listed, or all when none is.
    listed = User.sponsors.through.objects.filter(user=user)
    inside = Q(programme__sponsor__in=listed.values("sponsor")) | ~Exists(listed)
    running = Campaign.objects.filter(inside, status=status)
    return running.select_related("programme").order_by("name", "pk")


def desk_of(user: User, campaign: Campaign | None, at: datetime) -> Desk:
    """Return the agent's desk; `campaign` is the one chosen, else the first of those that run."""
    campaigns = running_campaigns_of(user)
    chosen = next((row for row in campaigns if campaign is not None and row.pk == campaign.pk), None)
    chosen = chosen or (campaigns[0] if campaigns else None)
    midnight = timezone.localtime(at).replace(hour=0, minute=0, second=0, microsecond=0)
    counts = queue_counts(chosen, at) if chosen else None
    day = day_of(user, since=midnight, at=at)
    return Desk(
        campaigns=campaigns,
        campaign=chosen,
        day=day,
        promises=promises_of(user, at, wishes=day.wishes),
        latest=ask(_dialled, agent=user.pk, since=midnight),
        pause=next(iter(ask(_paused, agent=user.pk)), None),
        callable=counts.callable if counts else 0,
        nobody=_nobody(counts) if counts else "",
        next_at=counts.next_at if counts else None,
    )


def _dialled(*, agent: int, since: datetime) -> QuerySet[Any]:
    talked = Q(dialled_at__isnull=False) | Q(mode=Mode.INBOUND)
    found = Call.objects.filter(talked, agent=agent, started_at__gte=since)
    return found.select_related("prospect", "disposition").order_by("-started_at", "-pk")[:LATEST]


def _paused(*, agent: int) -> QuerySet[Pause]:
    return Pause.objects.filter(agent=agent, ended_at__isnull=True)


def _nobody(counts: QueueCounts) -> str:
    """Return why nobody is callable, "" when somebody is; until when is told apart (`Desk.next_at`)."""
    waiting = [(item.until, item.message) for item in counts.reasons if item.until is not None]
    return min(waiting)[1] if counts.next_at and waiting else counts.why


def _around(call: Call) -> _Around:
    """Read events, answers, numbers, earlier disturbances, incidents and callback of a call in one query."""
    known = call.prospect_id is not None
    (row,) = ask(_rows_around, known, call=call.pk, sponsor=call.campaign.programme.sponsor_id)
    return _Around(
        events=[CallEvent(**_timed(item)) for item in row["told"]],
        answers=[CallAnswer(**_timed(item)) for item in row["answered"]],
        phones=[ProspectNumber(**number) for number in row["numbers"]],
        disturbances=[
            Disturbance(
                datetime.fromisoformat(item["at"]),
                _(" : ").join(part for part in (item["programme"], item["heard"]) if part),
            )
            for item in row["disturbed"]
        ],
        incidents=[(item["id"], item["kind"]) for item in row["reported"]],
        callback_id=row["agreed"],
        callback_at=row["agreed_at"],
        due_at=row["due"],
        sound=row["sound"] is not False,
        escalation=escalation_of(row),
        carried=carried_of(row),
    )


def _rows_around(known: bool, *, call: int, sponsor: int) -> QuerySet[Call, Any]:
    """Return the query of what is around a call; `known` says whether it has a record."""
    same = Q(call__number=OuterRef("number"))
    if known:
        same |= Q(call__prospect_id=OuterRef("prospect_id"))
    disturbed = CallAnswer.objects.filter(
        same,
        result=Result.MISMATCH,
        blocking=True,
        call__lt=OuterRef("pk"),
        call__disposition__by_mismatch_only=True,
        call__campaign__programme__sponsor=sponsor,
    ).order_by("-id")[:DISTURBANCES]
    callback = Callback.objects.filter(call=OuterRef("pk"), state=CallbackState.OPEN).order_by("-id")
    promised = Callback.objects.filter(owner=OuterRef("agent_id"), state=CallbackState.OPEN)
    # One whose entry is this call's is kept by it.
    promised = promised.exclude(entry=Coalesce(OuterRef("entry_id"), 0)).order_by("due_at")
    phones = ProspectNumber.objects.filter(prospect=OuterRef("prospect_id")).order_by("position", "id")
    own = {"call": OuterRef("pk")}
    rows: QuerySet[Call, Any] = (
        Call.objects.filter(pk=call)
        .annotate(
            told=_rows(CallEvent.objects.filter(**own).order_by("id"), "kind", "at", "data"),
            answered=_rows(CallAnswer.objects.filter(**own).order_by("id"), *ANSWER),
            disturbed=ArraySubquery(
                disturbed.values(
                    json=JSONObject(at="at", heard="heard", programme="call__campaign__programme__name")
                )
            ),
            reported=_rows(Incident.objects.filter(**own).order_by("id"), "id", "kind"),
            agreed=Subquery(callback.values("id")[:1]),
            agreed_at=Subquery(callback.values("due_at")[:1]),
            due=Subquery(promised.values("due_at")[:1]),
            sound=Subquery(Workplace.objects.filter(agent=OuterRef("agent_id")).values("sound")[:1]),
            numbers=_rows(phones, "id", "number", "kind", "extension", "note", "validity"),
            **rows_of_escalation(),
            **carried_rows(sponsor),
        )
        .values(
            "told",
            "answered",
            "disturbed",
            "reported",
            "agreed",
            "agreed_at",
            "due",
            "sound",
            "numbers",
            *READ,
            *CARRIED,
        )
    )
    return rows


#: What the screen reads of an answer.
ANSWER = ("criterion_id", "result", "heard", "expected", "blocking", "answered_by", "respondent", "at")


def _rows(rows: QuerySet[Any], *columns: str) -> ArraySubquery:
    """Return these columns of ordered rows as an array of JSON."""
    return ArraySubquery(rows.values(json=JSONObject(**{column: column for column in columns})))


def _timed(columns: dict[str, Any]) -> dict[str, Any]:
    return {**columns, "at": datetime.fromisoformat(columns["at"])}


def mismatches_of(answers: Sequence[CallAnswer]) -> list[Mismatch]:
    """Return the mismatches among the answers of a call, in their order."""
    return [
        Mismatch(
            answer.criterion_id, answer.expected, answer.heard, answer.blocking, answer.answered_by, answer.at
        )
        for answer in answers
        if answer.result == Result.MISMATCH
    ]


def steps_of(
    call: Call, events: Sequence[CallEvent], words: Words | None, mismatches: Sequence[Mismatch]
) -> tuple[list[StepLine], str]:
    """Return the sentences of the call's closing, and the step that is due ("" when none)."""
    if not call.closing_kind:
        return [], ""
    said = said_of(call, events)
    first: dict[str, Said] = {}
    for sentence in said:
        first.setdefault(sentence.step, sentence)
    blocking = [item for item in mismatches if item.blocking]
    sentences: dict[str, str] = {}
    if words is not None:
        values = values_of(call, words.language, blocking[-1].expected if blocking else "")
        sentences = words.closing(call.closing_kind, values)
    lines = []
    for step in STEPS_OF[call.closing_kind]:
        spoken = first.get(step)
        text = spoken.text if spoken else sentences.get(step, "")
        lines.append(StepLine(str(step), Step(step).label, text, spoken.at if spoken else None))
    due = due_step(call.closing_kind, list(first)) if call.state == CallState.CLOSING else None
    return lines, str(due or "")


def _questions(call: Call, answers: Sequence[CallAnswer]) -> list[Question]:
    return [
        Question(
            criterion_id=row.criterion.pk,
            text=row.criterion.question,
            expected=row.criterion.expected,
            blocking=row.criterion.blocking,
            result=row.result,
            heard=row.heard,
            known_at=row.earlier_at,
            known=row.earlier or (row.on_file if row.criterion.trust_file else ""),
            on_file=row.file_value,
        )
        for row in standings(call, answers)
    ]


def _opening(call: Call, words: Words | None, *, barred: bool) -> str:
    if words is not None and barred:
        return barred_opening(call, words.language)
    if words is not None and call.mode == Mode.INBOUND:
        return inbound_opening(call, words.language)
    return _filled(call, words, ScriptKind.OPENING)


def _filled(call: Call, words: Words | None, kind: str) -> str:
    return words.filled(kind, "", values_of(call, words.language)) if words else ""


def _last(events: Sequence[CallEvent], kind: str, name: str) -> str:
    return next((str(event.data.get(name, "")) for event in reversed(events) if event.kind == kind), "")


def _may_ask_ban(around: _Around) -> bool:
    """Whether a ban makes sense: the person was abusive on this call, and none is asked yet."""
    return not around.escalation.ban_asked and any(
        kind == IncidentKind.ABUSE for _pk, kind in around.incidents
    )


def _wishes(events: Sequence[CallEvent]) -> list[str]:
    """Return the words of the wishes; those of an erased person are blank."""
    return [event.data["text"] for event in events if event.kind == CallEventKind.WISH and event.data]


def _first_at(events: Sequence[CallEvent], kind: str) -> datetime | None:
    return next((event.at for event in events if event.kind == kind), None)


def _is_to_explain(call: Call, events: Sequence[CallEvent], around: _Around) -> bool:
    """Whether the agent may still say why they hung up against the rule."""
    if call.hung_up_by != HungUpBy.AGENT:
        return False
    reported = any(kind == IncidentKind.HANG_UP_REVIEW for _pk, kind in around.incidents)
    return reported and not any(event.kind == CallEventKind.HANG_UP_EXPLAINED for event in events)


def time_zone_of(call: Call) -> str:
    """Return the called party's time zone, "" when it cannot be told."""
    prospect = call.prospect
    if prospect is None:
        return time_zone_for(call.number)
    return prospect.time_zone or time_zone_for(call.number, prospect.postal_code, prospect.country)


def _situation(call: Call, events: Sequence[CallEvent]) -> dict[str, Any]:
    last = next((event for event in reversed(events) if event.kind == CallEventKind.SITUATION), None)
    if last is None or call.state not in ON_LINE or not last.data.get("stage"):
        return {"situation": "", "stage": None}
    return {"situation": last.data["situation"], "stage": last.data["stage"]}


def history_of(call: Call) -> list[Line]:
    """Return what earlier calls and people left to know about the prospect, inside the call's sponsor. One query."""
    if call.prospect_id is None:
        return []
    around = {"prospect": call.prospect_id, "sponsor": call.campaign.programme.sponsor_id, "call": call.pk}
    return lines_with_labels(ask(_told, says_english(), **around))


def _told(english: bool, *, prospect: int, sponsor: int, call: int) -> QuerySet[ProspectEvent]:
    told = ProspectEvent.objects.filter(
        Q(sponsor=None) | Q(sponsor=sponsor), prospect=prospect, kind__in=TOLD_TO_AGENTS
    )
    # A situation is told where it began: neither each of its stages nor that it calmed down.
    inside = Q(data__stage__gt=1) & ~Q(data__has_key="opened") | Q(data__has_key="calmed")
    told = told.exclude(Q(kind=EventKind.SITUATION) & inside)
    return latest(told.filter(Q(call_ref=None) | ~Q(call_ref=call)), HISTORY, english=english)
