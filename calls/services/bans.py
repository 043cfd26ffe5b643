"""Bans: asked by whoever heard it, granted by a manager, lifted with a reason. The only way to a ban's exclusion."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from calls.enums import BanState, BanVerdict, CallEventKind
from calls.models import Ban, BanAppeal, BanDecision, Call, Incident
from calls.services.errors import Forbidden, Invalid, InvalidTransition, domain_errors
from calls.services.held import held, require_manager, require_supervisor, tell
from campaigns.enums import ExclusionReason, Scope
from campaigns.models import Campaign, Programme
from campaigns.services.exclusions import exclude, lift_exclusion
from crm.enums import MANAGING
from crm.models import Prospect, Sponsor, User
from crm.rules.phones import normalise


def request_ban(
    *,
    why: str,
    by: User,
    at: datetime,
    call: Call | None = None,
    incident: Incident | None = None,
    number: str | None = None,
    prospect: Prospect | None = None,
    scope: str = Scope.EVERYWHERE,
    sponsor: Sponsor | None = None,
    programme: Programme | None = None,
    campaign: Campaign | None = None,
) -> Ban:
    """Ask that somebody is called no more: named by a `call`, an `incident`, or a number (any spelling) and a fiche.

    An agent asks for a call of their own; a call asks once, whoever comes second gets the same request. Raises
    Invalid without reason or person, Forbidden, NotFound for somebody else's call.
    """
    why = why.strip()[:500]
    if not why:
        raise Invalid.field("reason", _("Dites pourquoi en quelques mots."))
    if call is None and incident is not None:
        call = incident.call
    if call is None:
        require_supervisor(by)
        named = {"number": _read(number), "prospect": prospect}
        place = _place(scope, sponsor, programme, campaign)
        return _store(None, incident, why, {**named, **place}, by=by, at=at)
    with held(call, by=by, bars="exclusive") as current:
        if (earlier := Ban.objects.filter(call=current).first()) is not None:
            return earlier
        place = _place(scope, sponsor, programme, campaign, call=current)
        named = {"number": current.number or None, "prospect": current.prospect}
        ban = _store(current, incident, why, {**named, **place}, by=by, at=at)
        tell(current, CallEventKind.BAN_ASKED, by=by, at=at, data={"ban": ban.pk, "reason": why})
        return ban


def grant_ban(
    *, ban: Ban, by: User, at: datetime, reason: str = "", expires_at: datetime | None = None
) -> Ban:
    """Bar the person until `expires_at` (by default after BAN_MONTHS), at once. The same again changes nothing.

    A manager's decision, another one's than who asked where there are two: Forbidden otherwise. Raises
    InvalidTransition for a request that was refused.
    """
    require_manager(by)
    if not may_grant(ban, by):
        raise Forbidden(_("Un autre responsable que vous doit en décider."))
    until = expires_at or at + default_term()
    if until <= at:
        raise Invalid.field("expires_at", _("La fin doit être à venir."))
    with domain_errors(), transaction.atomic():
        current = _locked(ban)
        if (earlier := BanDecision.objects.filter(ban=current).first()) is not None:
            return _already(current, earlier, BanVerdict.GRANTED)
        bar = exclude(
            scope=current.scope,
            sponsor=current.sponsor if current.scope == Scope.SPONSOR else None,
            programme=current.programme,
            campaign=current.campaign,
            number=current.number,
            prospect=current.prospect,
            reason=ExclusionReason.BAN,
            note=current.why[:300],
            by=by,
            at=at,
            until=until,
            call_ref=current.call_id,
        )
        BanDecision.objects.create(
            ban=current,
            verdict=BanVerdict.GRANTED,
            reason=reason.strip()[:500],
            exclusion=bar,
            expires_at=until,
            at=at,
            by=by,
        )
        return current


def refuse_ban(*, ban: Ban, reason: str, by: User, at: datetime) -> Ban:
    """Refuse a request, with the reason that whoever asked reads. A manager's decision; again: nothing changes."""
    require_manager(by)
    reason = reason.strip()[:500]
    if not reason:
        raise Invalid.field("reason", _("Dites pourquoi en quelques mots."))
    with domain_errors(), transaction.atomic():
        current = _locked(ban)
        if (earlier := BanDecision.objects.filter(ban=current).first()) is not None:
            return _already(current, earlier, BanVerdict.REFUSED)
        BanDecision.objects.create(ban=current, verdict=BanVerdict.REFUSED, reason=reason, at=at, by=by)
        return current


def lift_ban(*, ban: Ban, reason: str, by: User, at: datetime) -> Ban:
    """Lift a ban that holds, with a reason: its exclusion is lifted, and that is all it is. A manager decides."""
    require_manager(by)
    decision = BanDecision.objects.filter(ban=ban).select_related("exclusion").first()
    if decision is None or decision.exclusion is None:
        raise InvalidTransition(_("Ce bannissement n'est pas en vigueur."))
    lift_exclusion(exclusion=decision.exclusion, reason=reason, by=by, at=at)
    return ban


def note_appeal(*, ban: Ban, text: str, by: User, at: datetime) -> BanAppeal:
    """Keep what came of the person's appeal (2,000 characters); the earlier notes stay. The same text is kept once."""
    require_manager(by)
    text = text.strip()[:2000]
    with domain_errors(), transaction.atomic():
        _locked(ban)
        last = BanAppeal.objects.filter(ban=ban).first()
        if last is not None and last.text == text:
            return last
        return BanAppeal.objects.create(ban=ban, text=text, at=at, by=by)


def ban_by_decision(*, incident: Incident, reason: str, by: User, at: datetime) -> Ban:
    """Do what "ban" decided on an incident means: ask for it, and grant it where `by` may."""
    if incident.call is None and incident.prospect is None:
        raise Invalid.field("decision", _("Cet incident ne nomme personne."))
    ban = request_ban(
        why=reason, incident=incident, call=incident.call, prospect=incident.prospect, by=by, at=at
    )
    if ban.state == BanState.REQUESTED and by.is_managing and may_grant(ban, by):
        grant_ban(ban=ban, reason=reason, by=by, at=at)
    return ban


def may_grant(ban: Ban, by: User) -> bool:
    """Whether this manager may grant: not what they asked for themselves, where there is another one."""
    if not by.is_managing:
        return False
    if ban.by_id != by.pk:
        return True
    others = User.objects.filter(is_active=True, role__in=sorted(MANAGING)).exclude(pk=by.pk)
    return not others.exists()


def default_term() -> timedelta:
    """Return how long a ban holds unless a manager says otherwise."""
    return timedelta(days=settings.BAN_MONTHS * 365 // 12)


def _store(
    call: Call | None,
    incident: Incident | None,
    why: str,
    columns: dict[str, object],
    *,
    by: User,
    at: datetime,
) -> Ban:
    if columns["number"] is None and columns["prospect"] is None:
        raise Invalid.field("number", _("Donnez un numéro ou une fiche."))
    with domain_errors(), transaction.atomic():
        return Ban.objects.create(call=call, incident=incident, why=why, at=at, by=by, **columns)


def _place(
    scope: str,
    sponsor: Sponsor | None,
    programme: Programme | None,
    campaign: Campaign | None,
    *,
    call: Call | None = None,
) -> dict[str, object]:
    """Return the columns of how far a ban reaches; a call fills in its own places."""
    if scope not in Scope.values:
        raise Invalid.field("scope", _("Portée inconnue."))
    if call is not None:
        campaign = campaign or call.campaign
    programme = programme or (campaign.programme if campaign else None)
    sponsor = sponsor or (programme.sponsor if programme else None)
    named = {Scope.SPONSOR: sponsor, Scope.PROGRAMME: programme, Scope.CAMPAIGN: campaign}
    if scope != Scope.EVERYWHERE and named[Scope(scope)] is None:
        raise Invalid.field(scope, _("Cette portée demande de le choisir."))
    return {
        "scope": scope,
        "sponsor": sponsor,
        "programme": programme if scope in (Scope.PROGRAMME, Scope.CAMPAIGN) else None,
        "campaign": campaign if scope == Scope.CAMPAIGN else None,
    }


def _read(number: str | None) -> str | None:
    if not number or not number.strip():
        return None
    found = normalise(number).numbers
    if len(found) != 1:
        raise Invalid.field("number", _("« %(raw)s » ne se lit pas comme un numéro.") % {"raw": number[:60]})
    return found[0].number


def _locked(ban: Ban) -> Ban:
    """Lock a request, so that two managers take turns."""
    return Ban.objects.select_for_update(of=("self",), no_key=True).get(pk=ban.pk)


def _already(ban: Ban, decision: BanDecision, wanted: BanVerdict) -> Ban:
    if decision.verdict == wanted:
        return ban
    raise InvalidTransition(_("Ce bannissement est déjà décidé."))
