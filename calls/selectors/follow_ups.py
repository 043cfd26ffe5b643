"""What may be written to somebody after a call, how it reads, and what forbids it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from calls.enums import FollowUpState
from calls.models import Call, FollowUp
from calls.rules.sending import STALE_AFTER
from calls.rules.signature import signed
from calls.selectors.origins import origin_of
from calls.selectors.sentences import values_of
from campaigns.enums import ExclusionReason, Scope
from campaigns.models import Exclusion, FollowUpTemplate
from campaigns.rules.texts import render
from campaigns.selectors.exclusions import IN_FORCE
from crm.models import Prospect, ProspectNumber

#: Reasons for which nobody writes either: the person said no, or must be left in peace.
OPPOSED = (
    ExclusionReason.OPPOSITION,
    ExclusionReason.REFUSAL,
    ExclusionReason.BAN,
    ExclusionReason.DECEASED,
    ExclusionReason.MINOR,
)


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it will be sent."""

    subject: str
    body: str


def templates_of(call: Call) -> list[FollowUpTemplate]:
    """Return the templates that the call's campaign offers, those in the person's language first. One query."""
    spoken = (call.prospect.language if call.prospect else "") or call.campaign.language
    rows = list(FollowUpTemplate.objects.filter(campaign=call.campaign_id, active=True))
    return sorted(rows, key=lambda row: row.language[:2] != spoken[:2])


def message_of(call: Call, template: FollowUpTemplate) -> Message:
    """Return a template filled in for the person of a call, signed."""
    values = values_of(call, template.language)
    subject = " ".join(render(template.subject, values, template.language).split())
    body = signed(
        render(template.body, values, template.language),
        template.language,
        agent=values["agent"],
        sponsor=values["sponsor"],
        origin=origin_of(call, template.language, written=True),
        contact=call.prospect.source.rights_contact if call.prospect else "",
    )
    return Message(subject[:250], body)


def opposition_of(call: Call) -> Exclusion | None:
    """Return the exclusion by which the person of a call said no to the sponsor, its subject or its campaign, or None.

    By the fiche or by any of its numbers. One query.
    """
    programme = call.campaign.programme
    found = _oppositions(
        prospect=call.prospect_id,
        number=call.number,
        sponsor=programme.sponsor_id,
        programme=programme.pk,
        campaign=call.campaign_id,
    )
    return found.order_by("-id").first()


def _oppositions(
    *, prospect: Any, number: Any, sponsor: Any, programme: Any, campaign: Any
) -> QuerySet[Exclusion]:
    numbers = ProspectNumber.objects.filter(prospect=prospect).values("number")
    whom = Q(prospect=prospect) | Q(number=number) | Q(number__in=numbers)
    where = (
        Q(scope=Scope.EVERYWHERE)
        | Q(scope=Scope.SPONSOR, sponsor=sponsor)
        | Q(scope=Scope.PROGRAMME, programme=programme)
        | Q(scope=Scope.CAMPAIGN, campaign=campaign)
    )
    return Exclusion.objects.filter(IN_FORCE, whom, where, reason__in=OPPOSED)


@dataclass(frozen=True, slots=True)
class Offer:
    """A template that a call's campaign offers, with what else decides: the fiche's address, whether they said no."""

    template: FollowUpTemplate
    address: str
    is_opposed: bool


def offer_of(call: Call, template_id: int) -> Offer | None:
    """Return a template as it may be used on a call; None for one that its campaign does not offer. One query."""
    opposed = _oppositions(
        prospect=call.prospect_id,
        number=call.number,
        sponsor=OuterRef("campaign__programme__sponsor"),
        programme=OuterRef("campaign__programme"),
        campaign=call.campaign_id,
    )
    address = Prospect.objects.filter(pk=call.prospect_id or 0).values("email")
    rows: Any = FollowUpTemplate.objects.filter(pk=template_id, active=True, campaign=call.campaign_id)
    row = rows.annotate(address=Subquery(address), opposed=Exists(opposed)).first()
    return row and Offer(row, row.address or "", row.opposed)


def due_follow_ups(at: datetime, limit: int = 50) -> list[int]:
    """Return the ids of the messages to send at `at`: those whose time has come, and those whose worker died."""
    waiting = Q(state=FollowUpState.QUEUED) | Q(state=FollowUpState.SENDING, claimed_at__lt=at - STALE_AFTER)
    due = FollowUp.objects.filter(waiting, next_at__lte=at).order_by("next_at", "id")
    return list(due.values_list("pk", flat=True)[:limit])
