"""The demo's past, told by the services that real calls go through: every verb, each some seconds after the last."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from heapq import heappop, heappush
from itertools import count
from typing import Any

from django.db.models import Count

from calls.enums import AnsweredBy, Cause, Decision, Evidence, HungUpBy, IncidentKind, Result, SituationEffect
from calls.models import Call, Incident, Stage
from calls.rules.demo_past import (
    AUTUMN,
    BAKERS,
    DELIVERY,
    REGISTRY,
    TREASURY,
    WINTER,
    PastCall,
    evening_before,
    hour_today_or_later,
    past_calls,
    picks_up,
    working_days,
)
from calls.services.claim import claim_next
from calls.services.closing import say_closing_step
from calls.services.dial import dial
from calls.services.dispositions import ask_correction, dispose, finish
from calls.services.incidents import decide
from calls.services.line import (
    explain_hang_up,
    record_answer,
    record_hang_up,
    record_not_reached,
    record_ringing,
)
from calls.services.situations import enter_stage
from calls.services.supervisor import ask_supervisor
from calls.services.talk import answer_criterion, greet, note_wish
from campaigns.enums import STEPS_OF, ExclusionReason, Scope
from campaigns.models import Campaign, Criterion
from campaigns.services.campaigns import pause_campaign
from campaigns.services.entries import add_prospects
from campaigns.services.exclusions import exclude, exclude_many
from campaigns.services.imports import run_import, start_import, upload_import
from crm.models import Prospect, ProspectNumber, Source, User

NOTES = {
    "complete": "A répondu à tout, aimable.",
    "partial": "A dû s'interrompre à la troisième question : un client entrait.",
    "appointment": "Rendez-vous jeudi à 10 h, sur place. Demander l'accueil.",
    "abuse_ended": "Insultes dès la première question.",
}


class Past:
    """Plays what happened before `at`, in order: `users` by login, `campaigns` by slug, `fair` brings one more list."""

    def __init__(
        self, *, users: dict[str, User], campaigns: dict[str, Campaign], fair: Source, at: datetime
    ) -> None:
        self.users, self.campaigns, self.fair, self.loaded_at = users, campaigns, fair, at
        self.criteria = {
            slug: list(Criterion.objects.filter(programme=campaign.programme_id).order_by("position", "id"))
            for slug, campaign in campaigns.items()
        }
        twice = ProspectNumber.objects.values("number").annotate(fiches=Count("id")).filter(fiches__gt=1)
        self.shared = set(twice.values_list("number", flat=True))
        self.stages = {
            (stage.situation.code, stage.position): stage.may_end
            for stage in Stage.objects.filter(situation__effect=SituationEffect.ABUSE)
            .select_related("situation")
            .order_by("situation__position", "position")
        }
        self.disturbed: Prospect | None = None
        self._vouched_for = False
        self.agent, self.at, self.call = users["agent"], at, Call()
        self._agenda: list[tuple[datetime, int, Callable[[datetime], object]]] = []
        self._turn = count()

    def play(self) -> None:
        """Tell the whole past."""
        for begun, planned in past_calls(self.loaded_at):
            self._plan(begun, partial(self._tell, planned))
        first = working_days(self.loaded_at)[0]
        self._plan(first.replace(hour=9, minute=5), self._bar_old_oppositions)
        self._plan(first.replace(hour=16, minute=10), self._bar_by_hand)
        self._plan(evening_before(self.loaded_at), self._deliver)
        winter = [begun for begun, planned in past_calls(self.loaded_at) if planned.campaign == WINTER]
        self._plan(winter[-1] + timedelta(minutes=25), self._pause_winter)
        while self._agenda:
            moment, _turn, action = heappop(self._agenda)
            action(moment)
        self._queue_first_of_treasury(self.loaded_at)

    def _plan(self, moment: datetime, action: Callable[[datetime], object]) -> None:
        heappush(self._agenda, (moment, next(self._turn), action))

    def _tell(self, planned: PastCall, begun: datetime) -> None:
        self.at, self.agent = begun, self.users[planned.agent]
        claimed = claim_next(campaign=self.campaigns[planned.campaign], by=self.agent, at=begun)
        if claimed is None:
            return
        self.call = claimed
        story, words = planned.story, planned.words
        if claimed.number in self.shared and self.criteria[planned.campaign]:
            story, words = "shared", words or "le standard d'un centre d'affaires"
        STORIES.get(story, partial(Past._disposed, code=story))(self, words)

    # ---- what a call is made of

    def _step(self, seconds: int = 9) -> dict[str, Any]:
        self.at += timedelta(seconds=seconds)
        return {"call": self.call, "by": self.agent, "at": self.at}

    def _dialled(self) -> None:
        dial(**self._step(14))

    def _greeted(self, answered_by: str = AnsweredBy.INTENDED, heard: str = "") -> None:
        self._dialled()
        record_answer(**self._step(7))
        self.call = greet(answered_by=answered_by, heard=heard, **self._step(6))

    def _matched(self, *, large: str = "") -> None:
        self._greeted()
        for criterion in self.criteria[self.call.campaign.slug]:
            result = Result.MISMATCH if large and not criterion.blocking else Result.MATCH
            heard = large if result == Result.MISMATCH else ""
            answer_criterion(criterion=criterion, result=result, heard=heard, **self._step())

    def _mismatched(self, heard: str) -> None:
        self._greeted()
        criterion = self.criteria[self.call.campaign.slug][0]
        self.call = answer_criterion(
            criterion=criterion, result=Result.MISMATCH, heard=heard, **self._step(12)
        )

    def _closed(self) -> None:
        """Say the closing, let the person hang up, finish."""
        for step in STEPS_OF[self.call.closing_kind]:
            say_closing_step(step=step, **self._step(6))
        record_hang_up(hung_up_by=HungUpBy.PROSPECT, evidence=Evidence.SOFTPHONE, **self._step(4))
        finish(**self._step(15))

    def _disposed(self, words: str, *, code: str, **promise: Any) -> None:
        """Talk, store this disposition, close."""
        self._matched(large=words if code == "complete" else "")
        note = NOTES.get(code, words)
        self.call = dispose(code=code, note=note, **promise, **self._step(70))
        self._closed()

    def _decide(self, kind: str, decision: str, reason: str, *, by: str = "supervisor", **more: Any) -> None:
        """Have the call's incident decided some twenty minutes later."""
        incident = Incident.objects.filter(call=self.call.pk, kind=kind).first()
        if incident is None:
            return
        user = self.users[by]

        def decided(moment: datetime) -> None:
            decide(incident=incident, decision=decision, reason=reason, by=user, at=moment, **more)

        self._plan(self.at + timedelta(minutes=21), decided)

    # ---- stories

    def unreached(self, words: str, *, cause: str) -> None:
        """Nobody answers."""
        self._dialled()
        record_ringing(**self._step(3))
        record_not_reached(cause=cause, **self._step(22))
        finish(**self._step(5))
        self._decide(IncidentKind.RESOURCING, Decision.NOTHING, "Aucun autre numéro connu.")

    def mismatch(self, words: str) -> None:
        """The file was wrong: a courteous end, and never again for this programme."""
        self._mismatched(words)
        self._closed()
        if self.call.campaign.slug == AUTUMN and self.disturbed is None and picks_up(self.call.number):
            self.disturbed = self.call.prospect

    def wished(self, words: str) -> None:
        """A mismatch whose person would like to hear about something else."""
        self._mismatched(words)
        remind = hour_today_or_later(self.loaded_at, days=40)
        wish = "Voudrait être rappelée au printemps au sujet d'un crédit professionnel."
        note_wish(text=wish, remind_at=remind, **self._step())
        self._closed()

    def shared_number(self, words: str) -> None:
        """A mismatch on a number that serves another record too: may the other one be called?"""
        self.mismatch(words)
        self.shared.discard(self.call.number)
        if self.call.campaign.slug == BAKERS:
            return
        if self._vouched_for:
            self._decide(IncidentKind.SHARED_NUMBER, Decision.KEEP_BAR, "Un centre d'affaires : on garde.")
            return
        self._vouched_for = True
        reason = "Vérifié : l'agence voisine garde ce standard, et c'est bien une banque."
        self._decide(IncidentKind.SHARED_NUMBER, Decision.ALLOW_OTHERS, reason)

    def asked(self, words: str) -> None:
        """An entry error that the agent reports; the question waits."""
        self.mismatch(words)
        ask_correction(reason="J'ai appuyé sur 2 : c'est bien une banque.", **self._step(20))

    def corrected(self, words: str) -> None:
        """An entry error that was corrected."""
        self.mismatch(words)
        ask_correction(reason="Mauvaise touche, la personne est banquière.", **self._step(20))
        reason = "Réécouté avec l'agent : la personne est banquière, et n'a pas le temps."
        self._decide(IncidentKind.ENTRY_ERROR, Decision.CORRECT, reason, code="not_interested")

    def other(self, words: str) -> None:
        """Another organisation answers: the fiche waits for another number."""
        self._greeted(AnsweredBy.OTHER, words)
        self._closed()

    def reopened(self, words: str) -> None:
        """Another organisation answered, and the manager found the right number."""
        self.other(words)
        reason = "Nouveau numéro trouvé sur le site de l'agence."
        self._decide(IncidentKind.RESOURCING, Decision.REOPEN, reason, by="manager", number="02 61 91 98 01")

    def helped(self, words: str) -> None:
        """The agent calls the supervisor, who comes."""
        self._matched()
        ask_supervisor(words="La personne demande qui a donné son numéro.", **self._step())
        self.call = dispose(code="complete", note=NOTES["complete"], **self._step(120))
        self._closed()
        self._decide(IncidentKind.HELP, Decision.SUPPORT_AGENT, "Écouté, répondu avec l'agent.")

    def cut(self, words: str) -> None:
        """The agent hung up before the goodbye: to review, without blame."""
        self._matched()
        self.call = dispose(code="not_interested", **self._step(20))
        say_closing_step(step=STEPS_OF[self.call.closing_kind][0], **self._step(6))
        record_hang_up(hung_up_by=HungUpBy.AGENT, evidence=Evidence.SOFTPHONE, **self._step(3))
        explain_hang_up(why="La personne criait, j'ai raccroché par réflexe.", **self._step(15))
        finish(**self._step(10))

    def left(self, words: str) -> None:
        """The same, reviewed."""
        self.cut(words)
        reason = "Un réflexe, on en a parlé : la fiche « cris » est affichée au poste."
        self._decide(IncidentKind.HANG_UP_REVIEW, Decision.CALMER_TALK, reason)

    def banned(self, words: str) -> None:
        """Abuse, up to the stage that lets the agent end the call; nobody is sent there again."""
        self._greeted()
        reached = next((stage for stage, may_end in self.stages.items() if may_end), None)
        if reached is not None:
            situation, position = reached
            enter_stage(situation=situation, stage=position, **self._step(40))
        self.call = dispose(code="abuse_ended", note=NOTES["abuse_ended"], **self._step(5))
        record_hang_up(hung_up_by=HungUpBy.AGENT, evidence=Evidence.SOFTPHONE, **self._step(3))
        finish(**self._step(60))
        reason = "Troisième agent insulté par cette personne."
        self._decide(IncidentKind.ABUSE, Decision.BAN, reason, by="manager")

    def without_criteria(self, words: str, *, code: str) -> None:
        """What can be said at once, without a question."""
        self._greeted()
        self.call = dispose(code=code, **self._step(11))
        self._closed()
        self._decide(IncidentKind.RESOURCING, Decision.NOTHING, "Aucun autre numéro connu.")

    def promised(self, words: str, *, days: int, hour: int, personal: bool, exact: bool = False) -> None:
        """A callback that the person agreed to."""
        self._greeted()
        due = hour_today_or_later(self.loaded_at, days=days, hour=hour)
        self.call = dispose(
            code="callback", note=words, callback_at=due, exact=exact,
            callback_agent=self.agent if personal else None, **self._step(25),
        )  # fmt: skip
        self._closed()

    # ---- what the manager and the supervisor did

    def _bar_old_oppositions(self, moment: datetime) -> None:
        exclude_many(
            scope=Scope.EVERYWHERE, numbers=REGISTRY, reason=ExclusionReason.REGISTRY,
            note="Reprise de l'ancienne liste d'opposition.", by=self.users["manager"], at=moment,
        )  # fmt: skip

    def _bar_by_hand(self, moment: datetime) -> None:
        supervisor = self.users["supervisor"]
        crafts, finance = self.campaigns[BAKERS].programme, self.campaigns[TREASURY].programme
        exclude(
            scope=Scope.PROGRAMME, programme=crafts, number="+33353019911", reason=ExclusionReason.MINOR,
            note="Un enfant répond à chaque fois.", by=supervisor, at=moment,
        )  # fmt: skip
        exclude(
            scope=Scope.SPONSOR, sponsor=finance.sponsor, number="+33199009911", reason=ExclusionReason.OTHER,
            note="Travaux au standard, à leur demande.", until=self.loaded_at + timedelta(days=45),
            by=supervisor, at=moment,
        )  # fmt: skip

    def _deliver(self, moment: datetime) -> None:
        """Import the list of the fair, with its rows that cannot be called."""
        manager = self.users["manager"]
        job = upload_import(
            campaign=self.campaigns[BAKERS], source=self.fair, name="salon-de-la-boulangerie.csv",
            content=DELIVERY.encode("cp1252"), by=manager, at=moment,
        )  # fmt: skip
        start_import(job=job, by=manager, at=moment + timedelta(minutes=2), wake_worker=False)
        run_import(job_id=job.pk, at=moment + timedelta(minutes=2))

    def _pause_winter(self, moment: datetime) -> None:
        reason = "La vague d'automne d'abord : reprise en décembre."
        pause_campaign(campaign=self.campaigns[WINTER], by=self.users["manager"], at=moment, reason=reason)

    def _queue_first_of_treasury(self, moment: datetime) -> None:
        """Put first whom another programme disturbed by mistake, then somebody who speaks English."""
        english = Prospect.objects.filter(language="en", external_id__range=("banks-00210", "banks-00299"))
        people = [self.disturbed, english.order_by("external_id").first()]
        for priority, prospect in zip((5, 4), people, strict=True):
            if prospect is not None:
                add_prospects(
                    campaign=self.campaigns[TREASURY], prospects=[prospect], priority=priority,
                    by=self.users["manager"], at=moment,
                )  # fmt: skip


#: By the names that `calls.rules.demo_past` gives them; any other one is the code of a disposition.
STORIES: dict[str, Callable[[Past, str], None]] = {
    **{
        cause: partial(Past.unreached, cause=cause)
        for cause in (Cause.NO_ANSWER, Cause.BUSY, Cause.VOICEMAIL, Cause.INVALID_NUMBER)
    },
    **{
        code: partial(Past.without_criteria, code=code)
        for code in ("not_interested", "refusal", "opt_out", "wrong_number", "deceased")
    },
    "mismatch": Past.mismatch,
    "shared": Past.shared_number,
    "asked": Past.asked,
    "corrected": Past.corrected,
    "other": Past.other,
    "reopened": Past.reopened,
    "wished": Past.wished,
    "helped": Past.helped,
    "left": Past.left,
    "cut": Past.cut,
    "banned": Past.banned,
    "large": partial(Past._disposed, code="complete"),
    "promised": partial(Past.promised, days=0, hour=10, personal=True),
    "promised_team": partial(Past.promised, days=1, hour=11, personal=False),
    "promised_later": partial(Past.promised, days=4, hour=15, personal=False, exact=True),
}
