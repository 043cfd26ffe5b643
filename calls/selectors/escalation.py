"""What the screen of a call says of other people: supervisors and what they answered, an offer to a colleague."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import JSONObject

from calls.enums import LIVE, AnswerKind, CallEventKind
from calls.models import Ban, CallEvent, Incident, IncidentAnswer, Transfer
from crm.models import User

#: The names under which the query of a call's surroundings reads them.
READ = ("looked_after", "called", "replied", "handed", "let_go", "banned")
PERSON = ("username", "first_name", "last_name", "extension")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the house, as one names them aloud, with their extension ("" when none is known)."""

    name: str
    extension: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a supervisor answered (`calls.enums.AnswerKind`)."""

    kind: str
    who: Person
    at: datetime
    words: str
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class Offer:
    """The latest offer of the call to a colleague. `answer` is "" while it stands; `expires_at` closes it unsaid."""

    sender: Person
    recipient: Person
    recipient_id: int
    note: str
    at: datetime
    expires_at: datetime
    answer: str
    words: str

    def stands(self, at: datetime) -> bool:
        """Whether the colleague may still answer."""
        return not self.answer and at < self.expires_at


@dataclass(frozen=True, slots=True)
class Escalation:
    """Supervisors of the agent's team, what was asked and answered, who takes the call over, what a supervisor allowed.

    `waiting`: an agent waits for a supervisor; `decided` says who ended that (null: nobody yet).
    """

    supervisors: Sequence[Person]
    asked: bool
    waiting: bool
    answers: Sequence[Answer]
    decided: Person | None
    offer: Offer | None
    released: str
    released_by: Person | None
    ban_asked: bool

    @property
    def taken(self) -> Answer | None:
        """The answer by which a supervisor took the request on, or None."""
        taking = (AnswerKind.ACCEPTED, AnswerKind.LATER)
        return next((answer for answer in self.answers if answer.kind in taking), None)

    def mark(self, at: datetime) -> str:
        """Return a text that changes whenever what is said here does."""
        offer = self.offer
        handed = "" if offer is None else offer.answer or ("open" if offer.stands(at) else "expired")
        parts = (
            len(self.answers),
            int(self.waiting),
            handed,
            int(bool(self.released_by)),
            int(self.ban_asked),
        )
        return ".".join(map(str, parts))

    def is_live(self, at: datetime) -> bool:
        """Whether somebody's answer may come any second: the screen then asks more often."""
        return self.waiting or (self.offer is not None and self.offer.stands(at))


def rows_of_escalation() -> dict[str, Any]:
    """Return what the query of a call's surroundings is annotated with; `escalation_of` reads it."""
    live = Incident.objects.filter(call=OuterRef("pk"), kind__in=sorted(LIVE)).order_by("id")
    replies = IncidentAnswer.objects.filter(
        incident__call=OuterRef("pk"), incident__kind__in=sorted(LIVE)
    ).order_by("id")
    offers = Transfer.objects.filter(call=OuterRef("pk")).order_by("-id")[:1]
    released = CallEvent.objects.filter(call=OuterRef("pk"), kind=CallEventKind.SUPERVISOR_RELEASED).order_by(
        "-id"
    )[:1]
    team = User.objects.filter(supervised_teams=OuterRef("agent__team"), is_active=True)
    return {
        "looked_after": _rows(team.order_by("last_name", "username"), *PERSON),
        "called": _rows(live, "id", "waiting", *_person("decision_row__by")),
        "replied": _rows(replies, "kind", "at", "words", "due_at", *_person("by")),
        "handed": _rows(
            offers,
            "note",
            "at",
            "expires_at",
            "recipient_id",
            "answer__kind",
            "answer__words",
            *_person("sender"),
            *_person("recipient"),
        ),
        "let_go": _rows(released, "data", *_person("by")),
        "banned": Exists(Ban.objects.filter(call=OuterRef("pk"))),
    }


def escalation_of(row: Mapping[str, Any]) -> Escalation:
    """Return what the query of a call's surroundings read."""
    called, let_go = row["called"], next(iter(row["let_go"]), None)
    return Escalation(
        supervisors=[_who(person) for person in row["looked_after"]],
        asked=bool(called),
        waiting=any(item["waiting"] for item in called),
        answers=[
            Answer(
                kind=item["kind"],
                who=_who(item, "by__"),
                at=datetime.fromisoformat(item["at"]),
                words=item["words"],
                due_at=item["due_at"] and datetime.fromisoformat(item["due_at"]),
            )
            for item in row["replied"]
        ],
        decided=next(
            (_who(item, "decision_row__by__") for item in reversed(called) if not item["waiting"]), None
        ),
        offer=next((_offer(item) for item in row["handed"]), None),
        released=str(let_go["data"].get("reason", "")) if let_go else "",
        released_by=_who(let_go, "by__") if let_go else None,
        ban_asked=row["banned"],
    )


def _offer(item: Mapping[str, Any]) -> Offer:
    return Offer(
        sender=_who(item, "sender__"),
        recipient=_who(item, "recipient__"),
        recipient_id=item["recipient_id"],
        note=item["note"],
        at=datetime.fromisoformat(item["at"]),
        expires_at=datetime.fromisoformat(item["expires_at"]),
        answer=item["answer__kind"] or "",
        words=item["answer__words"] or "",
    )


def _who(item: Mapping[str, Any], before: str = "") -> Person:
    name = f"{item[f'{before}first_name']} {item[f'{before}last_name']}".strip()
    return Person(name or item[f"{before}username"], item[f"{before}extension"])


def _person(path: str) -> list[str]:
    return [f"{path}__{name}" for name in PERSON]


def _rows(rows: QuerySet[Any], *columns: str) -> ArraySubquery:
    return ArraySubquery(rows.values(json=JSONObject(**{column: column for column in columns})))
