"""What reaches a supervisor beside the gestures of a call: a letter, a complaint, a request about one's data."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from calls.enums import IncidentKind
from calls.models import Call, Incident
from calls.services.errors import Forbidden, Invalid, domain_errors
from calls.services.note_check import verdict_of
from crm.enums import EventKind, Role
from crm.models import Prospect, ProspectEvent, Sponsor, User

#: What may be reported beside a call; the other kinds come from what is done on one.
REPORTED = frozenset({IncidentKind.COMPLAINT, IncidentKind.RIGHTS, IncidentKind.OTHER})


def report_incident(
    *,
    kind: str,
    summary: str,
    by: User,
    at: datetime,
    call: Call | None = None,
    prospect: Prospect | None = None,
    sponsor: Sponsor | None = None,
) -> Incident:
    """Report something (`REPORTED`) about a call or a prospect in a few words (500 characters, required).

    Supervisors and programs report. It is shown inside the call's sponsor, else the one of the prospect's source, else
    `sponsor`. A call has one incident of a kind: the one that is there is returned. Account and card numbers are
    masked. Raises Forbidden, Invalid.
    """
    if not by.is_supervising and by.role != Role.INTEGRATION:
        raise Forbidden
    if kind not in REPORTED:
        raise Invalid.field("kind", _("Cet incident naît d'un appel : il ne se déclare pas."))
    words = verdict_of(call, summary.strip()[:500]).masked
    if not words:
        raise Invalid.field("summary", _("Dites pourquoi en quelques mots."))
    inside = _sponsor(call, prospect, sponsor)
    with domain_errors(), transaction.atomic():
        if call is not None:
            list(Call.objects.select_for_update(no_key=True).filter(pk=call.pk).values_list("pk"))
            if (standing := Incident.objects.filter(call=call, kind=kind).first()) is not None:
                return standing
            prospect = call.prospect
        incident = Incident.objects.create(
            kind=kind, call=call, prospect=prospect, sponsor_id=inside, summary=words, at=at, by=by
        )
        if prospect is not None:
            ProspectEvent.objects.create(
                prospect=prospect,
                sponsor_id=inside,
                at=at,
                by=by,
                kind=EventKind.INCIDENT,
                call_ref=call.pk if call else None,
                data={"incident": incident.pk, "kind": kind, "text": words},
            )
        return incident


def _sponsor(call: Call | None, prospect: Prospect | None, sponsor: Sponsor | None) -> int:
    if call is not None:
        return call.campaign.programme.sponsor_id
    if prospect is None:
        raise Invalid.field("prospect", _("Donnez un appel ou une fiche."))
    inside = prospect.source.sponsor_id or (sponsor.pk if sponsor else None)
    if inside is None:
        raise Invalid.field("sponsor", _("Cette fiche est commune : dites pour quel donneur d'ordre."))
    if sponsor is not None and sponsor.pk != inside:
        raise Invalid.field("sponsor", _("Cette fiche est d'un autre donneur d'ordre."))
    return inside
