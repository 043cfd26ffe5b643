"""Campaigns: set up, started, paused, closed; their words and what they change of the catalogue."""

from collections.abc import Mapping
from copy import copy
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from campaigns.enums import STEPS_OF, CampaignStatus, ChangeKind, ClosingKind, ScriptKind, Step
from campaigns.models import Campaign, ClosingStep, Disposition, DispositionRule, Script
from campaigns.rules.hours import DEFAULT_HOURS, check_hours
from campaigns.rules.texts import NEUTRAL, check_text
from campaigns.selectors.touched import disposition_touched, hours_touched, status_touched
from campaigns.services.changes import changed_between, record_change
from crm.models import User
from crm.rules.errors import Invalid, InvalidTransition

#: What an agent may settle alone.
MANDATE = ("may_decide", "may_promise", "may_offer")
#: Columns that people and programs fill; `programme` and `slug` only when a campaign is created.
CAMPAIGN_FIELDS = (
    "programme",
    "name",
    "slug",
    "purpose",
    "calling_rule",
    "hours",
    "max_attempts",
    "lease_seconds",
    "dead_line_seconds",
    "patience_seconds",
    "language",
    *MANDATE,
)
FIXED = frozenset({"programme", "slug"})
#: What decides when a record is called.
TIMING = frozenset({"hours", "max_attempts", "calling_rule"})
#: "default" follows the purpose; "none" has neither window nor cap, for training and the demo.
CALLING_RULES = ("default", "none")

#: From which state a campaign may go to which.
MOVES: dict[str, frozenset[str]] = {
    CampaignStatus.DRAFT: frozenset({CampaignStatus.RUNNING, CampaignStatus.CLOSED}),
    CampaignStatus.RUNNING: frozenset({CampaignStatus.PAUSED, CampaignStatus.CLOSED}),
    CampaignStatus.PAUSED: frozenset({CampaignStatus.RUNNING, CampaignStatus.CLOSED}),
    CampaignStatus.CLOSED: frozenset(),
}


class CampaignClosed(InvalidTransition):
    """Nobody is put into the list of a campaign that has ended."""

    default_message = _("La campagne est terminée : sa liste ne change plus. Créez la vague suivante.")


def require_unclosed(campaign: Campaign) -> None:
    """Raise CampaignClosed when it is; in a transaction, it cannot be closed before the end of that."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT status FROM campaigns_campaign WHERE id = %s FOR SHARE", [campaign.pk])
        if cursor.fetchone() == (CampaignStatus.CLOSED.value,):
            raise CampaignClosed


def create_campaign(*, data: Mapping[str, Any], by: User, at: datetime) -> Campaign:
    """Create a campaign, in preparation, from `data` (`CAMPAIGN_FIELDS`). Without slug, one is made from the name.

    Hours left out are the default ones. Raises Invalid, by field.
    """
    campaign = Campaign(status=CampaignStatus.DRAFT)
    _fill(campaign, {name: value for name, value in data.items() if name != "slug" or value})
    if campaign.programme_id is None:
        raise Invalid.field("programme", _("Choisissez la démarche."))
    campaign.slug = campaign.slug or _free_slug(campaign.name)
    return _saved(campaign)


def draft_campaign(*, campaign: Campaign, data: Mapping[str, Any]) -> Campaign:
    """Return a campaign as it would be once edited, unsaved. Raises Invalid, by field."""
    draft = copy(campaign)
    _fill(draft, {name: value for name, value in data.items() if name not in FIXED})
    return draft


def changes_timing(before: Campaign, after: Campaign) -> bool:
    """Tell whether what decides when records are called differs."""
    return any(getattr(before, name) != getattr(after, name) for name in TIMING)


@transaction.atomic
def edit_campaign(
    *, campaign: Campaign, data: Mapping[str, Any], by: User, at: datetime, reason: str = ""
) -> Campaign:
    """Change the settings of a campaign; programme and slug stay. Raises Invalid by field.

    What decides when records are called (`TIMING`) is a line of the history of its own, with what it touches.
    """
    current = (
        Campaign.objects.select_for_update(of=("self",), no_key=True)
        .select_related("programme")
        .get(pk=campaign.pk)
    )
    fixed = [name for name in FIXED if name in data and data[name] != getattr(current, name)]
    if fixed:
        raise Invalid(
            fields={name: [_("Une campagne garde sa démarche et son identifiant.")] for name in fixed}
        )
    was = copy(current)
    _fill(current, {name: value for name, value in data.items() if name not in FIXED})
    _saved(current)
    _keep_settings(was, current, reason=reason, by=by, at=at)
    return current


def _keep_settings(was: Campaign, now: Campaign, *, reason: str, by: User, at: datetime) -> None:
    before, after = changed_between(_settings(was), _settings(now))
    timing = [name for name in after if name in TIMING]
    others = [name for name in after if name not in TIMING]
    for kind, names in ((ChangeKind.HOURS, timing), (ChangeKind.CAMPAIGN_EDITED, others)):
        if names:
            record_change(
                kind,
                by=by,
                at=at,
                reason=reason,
                campaign=now,
                before={name: before[name] for name in names},
                after={name: after[name] for name in names},
                touched=hours_touched(was, now, at=at).counts if kind == ChangeKind.HOURS else {},
            )


def _settings(campaign: Campaign) -> dict[str, Any]:
    return {name: getattr(campaign, name) for name in CAMPAIGN_FIELDS if name not in FIXED}


def _fill(campaign: Campaign, data: Mapping[str, Any]) -> None:
    unknown = sorted(set(data) - set(CAMPAIGN_FIELDS))
    if unknown:
        raise Invalid(fields={name: [_("Champ inconnu.")] for name in unknown})
    for name, value in data.items():
        setattr(campaign, name, value)
    campaign.name = str(campaign.name or "").strip()
    for name in MANDATE:
        setattr(campaign, name, str(getattr(campaign, name) or "").strip())
    if campaign.calling_rule not in CALLING_RULES:
        raise Invalid.field("calling_rule", _("Règle d'appel inconnue."))
    # No hours at all would be a campaign that never calls: the default ones are meant.
    campaign.hours = check_hours(campaign.hours or DEFAULT_HOURS)
    if campaign.language not in NEUTRAL:
        raise Invalid.field("language", _("Langue inconnue : %(known)s.") % {"known": ", ".join(NEUTRAL)})


def _saved(campaign: Campaign) -> Campaign:
    try:
        campaign.full_clean(exclude=["programme"])
        with transaction.atomic():
            campaign.save()
    except ValidationError as error:
        raise Invalid(fields={name: list(words) for name, words in error.message_dict.items()}) from error
    except IntegrityError as error:
        raise Invalid.field("slug", _("Cet identifiant est déjà pris.")) from error
    return campaign


def _free_slug(name: str) -> str:
    base = slugify(name)[:70] or "campagne"
    taken = set(Campaign.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    numbered = (base if count == 1 else f"{base}-{count}" for count in range(1, len(taken) + 2))
    return next(slug for slug in numbered if slug not in taken)


def start_campaign(*, campaign: Campaign, by: User, at: datetime, reason: str = "") -> Campaign:
    """Let a campaign dial. Raises InvalidTransition when it is closed."""
    return _moved(campaign, CampaignStatus.RUNNING, by=by, at=at, reason=reason)


def pause_campaign(*, campaign: Campaign, by: User, at: datetime, reason: str = "") -> Campaign:
    """Serve no record any more until it is started again; calls under way go on. Raises InvalidTransition."""
    return _moved(campaign, CampaignStatus.PAUSED, by=by, at=at, reason=reason)


def close_campaign(*, campaign: Campaign, by: User, at: datetime, reason: str = "") -> Campaign:
    """End a campaign for good; calls under way go on. Raises InvalidTransition when it is closed."""
    return _moved(campaign, CampaignStatus.CLOSED, by=by, at=at, reason=reason)


#: How the history names a move.
MOVED = {
    CampaignStatus.RUNNING: ChangeKind.CAMPAIGN_STARTED,
    CampaignStatus.PAUSED: ChangeKind.CAMPAIGN_PAUSED,
    CampaignStatus.CLOSED: ChangeKind.CAMPAIGN_CLOSED,
}


@transaction.atomic
def _moved(campaign: Campaign, status: CampaignStatus, *, by: User, at: datetime, reason: str) -> Campaign:
    current = (
        Campaign.objects.select_for_update(of=("self",), no_key=True)
        .select_related("programme")
        .get(pk=campaign.pk)
    )
    if current.status == status:
        return current
    if status not in MOVES[current.status]:
        raise InvalidTransition(_("Une campagne terminée ne repart pas : créez la vague suivante."))
    before = current.status
    current.status = status
    current.save(update_fields=["status", "updated_at"])
    campaign.status = status
    record_change(
        MOVED[status],
        by=by,
        at=at,
        reason=reason,
        campaign=current,
        before={"status": before},
        after={"status": status.value},
        touched=status_touched(current, status, at=at).counts,
    )
    return current


@transaction.atomic
def set_closing_step(
    *, campaign: Campaign, language: str, kind: str, step: str, text: str, by: User, at: datetime
) -> ClosingStep | None:
    """Store a campaign's own sentence for a step of the closing; blank goes back to the default (returns None).

    Raises Invalid for a step that the kind of closing does not have, and for a text that cannot be said or filled.
    """
    if kind not in ClosingKind.values or step not in STEPS_OF[kind]:
        raise Invalid.field("step", _("Cette clôture n'a pas cette étape."))
    _check_language(language)
    where: dict[str, Any] = {"campaign": campaign, "language": language, "kind": kind, "step": Step(step)}
    before = ClosingStep.objects.filter(**where).values_list("text", flat=True).first() or ""
    after = check_text(text) if text.strip() else ""
    _keep_words(campaign, before, after, by=by, at=at, language=language, kind=kind, step=step)
    if not after:
        ClosingStep.objects.filter(**where).delete()
        return None
    row, _created = ClosingStep.objects.update_or_create(**where, defaults={"text": after})
    return row


def _keep_words(campaign: Campaign, before: str, after: str, *, by: User, at: datetime, **where: str) -> None:
    """Keep what was said and what is said now; a blank text is the default one."""
    if before != after:
        record_change(
            ChangeKind.WORDS,
            by=by,
            at=at,
            campaign=campaign,
            before={**where, "text": before},
            after={**where, "text": after},
        )


@transaction.atomic
def set_script(
    *, campaign: Campaign, kind: str, language: str, text: str, by: User, at: datetime
) -> Script | None:
    """Store the opening or the script of a campaign in one language; blank removes it (returns None)."""
    if kind not in ScriptKind.values:
        raise Invalid.field("kind", _("Ce genre de texte n'existe pas."))
    _check_language(language)
    where: dict[str, Any] = {"campaign": campaign, "kind": kind, "language": language}
    before = Script.objects.filter(**where).values_list("text", flat=True).first() or ""
    maximum = 600 if kind == ScriptKind.OPENING else 4000
    after = check_text(text, maximum=maximum) if text.strip() else ""
    _keep_words(campaign, before, after, by=by, at=at, language=language, kind=kind)
    if not after:
        Script.objects.filter(**where).delete()
        return None
    row, _created = Script.objects.update_or_create(**where, defaults={"text": after})
    return row


@transaction.atomic
def set_disposition_rule(
    *,
    campaign: Campaign,
    disposition: Disposition,
    enabled: bool,
    retry_after: timedelta | None,
    by: User,
    at: datetime,
    reason: str = "",
) -> DispositionRule:
    """Say whether a campaign offers a disposition, and when it retries (None: as the catalogue says).

    Raises Invalid for one that calls set by themselves, and for a delay of a final one.
    """
    if disposition.by_mismatch_only and not enabled:
        raise Invalid.field("enabled", _("Hors-critères reste toujours possible."))
    if retry_after is not None and (
        disposition.final or not timedelta() < retry_after <= timedelta(days=366)
    ):
        raise Invalid.field("retry_after", _("Ce délai n'est pas possible pour cette qualification."))
    rules = DispositionRule.objects.filter(campaign=campaign, disposition=disposition)
    before = _rule_facts(disposition, rules.select_for_update().first())
    row, _created = DispositionRule.objects.update_or_create(
        campaign=campaign, disposition=disposition, defaults={"enabled": enabled, "retry_after": retry_after}
    )
    after = _rule_facts(disposition, row)
    if after != before:
        record_change(
            ChangeKind.DISPOSITION_CHANGED,
            by=by,
            at=at,
            reason=reason,
            campaign=campaign,
            before=before,
            after=after,
            touched=disposition_touched(campaign, disposition, at=at).counts,
        )
    return row


def _rule_facts(disposition: Disposition, rule: DispositionRule | None) -> dict[str, Any]:
    """Return what a campaign makes of a disposition: offered or not, and its own delay in seconds, null for none."""
    delay = rule.retry_after if rule is not None else None
    return {
        "disposition": disposition.code,
        "enabled": rule is None or rule.enabled,
        "retry_after": None if delay is None else int(delay.total_seconds()),
    }


def _check_language(language: str) -> None:
    if language not in NEUTRAL:
        raise Invalid.field("language", _("Langue inconnue : %(known)s.") % {"known": ", ".join(NEUTRAL)})
