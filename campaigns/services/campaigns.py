"""Campaigns: set up, started, paused, closed; their words and what they change of the catalogue."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from campaigns.enums import STEPS_OF, CampaignStatus, ClosingKind, ScriptKind, Step
from campaigns.models import Campaign, ClosingStep, Disposition, DispositionRule, Script
from campaigns.rules.hours import DEFAULT_HOURS, check_hours
from campaigns.rules.texts import NEUTRAL, check_text
from crm.models import User
from crm.rules.errors import Invalid, InvalidTransition

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
)
FIXED = frozenset({"programme", "slug"})
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


@transaction.atomic
def edit_campaign(*, campaign: Campaign, data: Mapping[str, Any], by: User, at: datetime) -> Campaign:
    """Change the settings of a campaign; programme and slug stay. Raises Invalid by field."""
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
    _fill(current, {name: value for name, value in data.items() if name not in FIXED})
    return _saved(current)


def _fill(campaign: Campaign, data: Mapping[str, Any]) -> None:
    unknown = sorted(set(data) - set(CAMPAIGN_FIELDS))
    if unknown:
        raise Invalid(fields={name: [_("Champ inconnu.")] for name in unknown})
    for name, value in data.items():
        setattr(campaign, name, value)
    campaign.name = str(campaign.name or "").strip()
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


def start_campaign(*, campaign: Campaign, by: User, at: datetime) -> Campaign:
    """Let a campaign dial. Raises InvalidTransition when it is closed."""
    return _moved(campaign, CampaignStatus.RUNNING)


def pause_campaign(*, campaign: Campaign, by: User, at: datetime) -> Campaign:
    """Serve no record any more until it is started again; calls under way go on. Raises InvalidTransition."""
    return _moved(campaign, CampaignStatus.PAUSED)


def close_campaign(*, campaign: Campaign, by: User, at: datetime) -> Campaign:
    """End a campaign for good; calls under way go on. Raises InvalidTransition when it is closed."""
    return _moved(campaign, CampaignStatus.CLOSED)


@transaction.atomic
def _moved(campaign: Campaign, status: CampaignStatus) -> Campaign:
    current = (
        Campaign.objects.select_for_update(of=("self",), no_key=True)
        .select_related("programme")
        .get(pk=campaign.pk)
    )
    if current.status == status:
        return current
    if status not in MOVES[current.status]:
        raise InvalidTransition(_("Une campagne terminée ne repart pas : créez la vague suivante."))
    current.status = status
    current.save(update_fields=["status", "updated_at"])
    campaign.status = status
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
    if not text.strip():
        ClosingStep.objects.filter(**where).delete()
        return None
    row, _created = ClosingStep.objects.update_or_create(**where, defaults={"text": check_text(text)})
    return row


@transaction.atomic
def set_script(
    *, campaign: Campaign, kind: str, language: str, text: str, by: User, at: datetime
) -> Script | None:
    """Store the opening or the script of a campaign in one language; blank removes it (returns None)."""
    if kind not in ScriptKind.values:
        raise Invalid.field("kind", _("Ce genre de texte n'existe pas."))
    _check_language(language)
    where: dict[str, Any] = {"campaign": campaign, "kind": kind, "language": language}
    if not text.strip():
        Script.objects.filter(**where).delete()
        return None
    maximum = 600 if kind == ScriptKind.OPENING else 4000
    row, _created = Script.objects.update_or_create(
        **where, defaults={"text": check_text(text, maximum=maximum)}
    )
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
    row, _created = DispositionRule.objects.update_or_create(
        campaign=campaign, disposition=disposition, defaults={"enabled": enabled, "retry_after": retry_after}
    )
    return row


def _check_language(language: str) -> None:
    if language not in NEUTRAL:
        raise Invalid.field("language", _("Langue inconnue : %(known)s.") % {"known": ", ".join(NEUTRAL)})
