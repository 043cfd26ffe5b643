"""A call that tests carry from verb to verb, each some seconds after the one before."""

from datetime import datetime, timedelta
from typing import Any

from calls.enums import AnsweredBy, Result
from calls.models import Call, CallEvent
from calls.services.claim import claim_next
from calls.services.closing import say_closing_step
from calls.services.dial import dial
from calls.services.dispositions import dispose
from calls.services.line import record_answer, record_hang_up, record_not_reached
from calls.services.talk import answer_criterion, greet
from campaigns.models import Campaign, Criterion, ListEntry, Programme
from crm.enums import Role
from crm.models import Prospect, ProspectEvent, User
from tests.factories import (
    NOW,
    make_campaign,
    make_criterion,
    make_entry,
    make_programme,
    make_prospect,
    make_user,
)

#: Between two verbs.
PACE = timedelta(seconds=5)


class Talk:
    """An agent, a programme with the criterion "a bank", a prospect, and the call that goes on between them.

    Every verb moves the clock by `PACE`; `call` is the row as the verb left it.
    """

    def __init__(
        self, *, programme: Programme | None = None, prospect: Prospect | None = None, **campaign: Any
    ) -> None:
        self.at: datetime = NOW
        self.programme = programme or make_programme()
        found = self.programme.criteria.first()
        self.criterion: Criterion = found or make_criterion(self.programme)
        self.campaign: Campaign = make_campaign(self.programme, **campaign)
        self.prospect: Prospect = prospect or make_prospect(organisation="Banque de l'Ouest")
        self.entry_id = make_entry(self.campaign, self.prospect).pk
        self.agent: User = make_user(Role.AGENT, languages=["fr", "en"])
        self.supervisor: User = make_user(Role.SUPERVISOR)
        self.manager: User = make_user(Role.MANAGER)
        claimed = claim_next(campaign=self.campaign, by=self.agent, at=self.at)
        assert claimed is not None
        self.call: Call = Call.objects.get(pk=claimed.pk)

    def by(self, user: User | None = None, after: timedelta = PACE) -> dict[str, Any]:
        """Move the clock and return what every verb takes."""
        self.at += after
        return {"call": self.call, "by": user or self.agent, "at": self.at}

    def read(self) -> Call:
        """Read the call anew."""
        self.call = Call.objects.get(pk=self.call.pk)
        return self.call

    @property
    def entry(self) -> ListEntry:
        """The prospect's entry as it is stored now."""
        return ListEntry.objects.get(pk=self.entry_id)

    def dialled(self) -> "Talk":
        """Dial."""
        dial(**self.by())
        return self

    def answered(self) -> "Talk":
        """Dial, and somebody picks up."""
        self.dialled()
        record_answer(**self.by())
        return self

    def greeted(self, answered_by: str = AnsweredBy.INTENDED) -> "Talk":
        """Go on to the greeting."""
        self.answered()
        greet(answered_by=answered_by, **self.by())
        return self

    def mismatched(self, heard: str = "une boulangerie") -> "Talk":
        """Go on to a mismatch of the criterion."""
        self.greeted()
        answer_criterion(criterion=self.criterion, result=Result.MISMATCH, heard=heard, **self.by())
        return self

    def matched(self) -> "Talk":
        """Go on to a matched criterion."""
        self.greeted()
        answer_criterion(criterion=self.criterion, result=Result.MATCH, heard="", **self.by())
        return self

    def said(self, *steps: str) -> "Talk":
        """Say these sentences of the closing."""
        for step in steps:
            say_closing_step(step=step, **self.by())
        return self

    def hung_up(self, who: str = "prospect") -> "Talk":
        """The communication ends."""
        record_hang_up(hung_up_by=who, evidence="declared", **self.by())
        return self

    def not_reached(self, cause: str = "no_answer") -> "Talk":
        """Dial, and nobody is reached."""
        self.dialled()
        record_not_reached(cause=cause, **self.by())
        return self

    def disposed(self, code: str, **more: Any) -> "Talk":
        """Store how the call ended."""
        dispose(code=code, **self.by(), **more)
        return self

    def told(self) -> list[str]:
        """Return the kinds of the call's history, in order."""
        return list(CallEvent.objects.filter(call=self.call).order_by("id").values_list("kind", flat=True))

    def timeline(self) -> list[str]:
        """Return the kinds of the prospect's timeline, in order."""
        lines = ProspectEvent.objects.filter(prospect=self.prospect).order_by("id")
        return list(lines.values_list("kind", flat=True))
