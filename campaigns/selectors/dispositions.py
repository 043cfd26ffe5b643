"""The catalogue of dispositions as a campaign uses it: what each does in words, how often it was given."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.utils.translation import gettext as _

from campaigns.enums import BarTarget, ClosingKind, HangUpPolicy, Reach, Scope
from campaigns.models import Campaign, Disposition
from campaigns.selectors.changes import delay_of
from campaigns.selectors.touched import disposition_counts


@dataclass(frozen=True, slots=True)
class Offered:
    """A disposition in a campaign: whether it is offered, its own delay if any, how many calls got it, what it does."""

    disposition: Disposition
    enabled: bool
    delay: timedelta | None
    calls: int
    effects: Sequence[str]

    @property
    def hours(self) -> Decimal | None:
        """The campaign's own delay in hours, None where the catalogue's holds."""
        return None if self.delay is None else round(Decimal(self.delay.total_seconds()) / 3600, 2)

    @property
    def catalogue_words(self) -> str:
        """The catalogue's own delay in words, "" when it does not retry by itself."""
        return delay_of(self.disposition.retry_after)


def offered(campaign: Campaign) -> list[Offered]:
    """Return the active catalogue, with what the campaign changes about it. Three queries."""
    rules = {rule.disposition_id: rule for rule in campaign.disposition_rules.all()}
    counts = disposition_counts(campaign)
    found = []
    for row in Disposition.objects.filter(active=True):
        rule = rules.get(row.pk)
        delay = rule.retry_after if rule is not None else None
        effects = effects_of(row, delay)
        enabled = rule is None or rule.enabled
        found.append(Offered(row, enabled, delay, counts.get(row.pk, 0), effects))
    return found


def offered_one(campaign: Campaign, disposition: Disposition) -> Offered:
    """Return one disposition as the campaign uses it."""
    rule = campaign.disposition_rules.filter(disposition=disposition).first()
    delay = rule.retry_after if rule is not None else None
    return Offered(
        disposition,
        rule is None or rule.enabled,
        delay,
        disposition_counts(campaign).get(disposition.pk, 0),
        effects_of(disposition, delay),
    )


def effects_of(disposition: Disposition, delay: timedelta | None = None) -> list[str]:
    """Return what a disposition does, in short sentences: to the record, its bars, the closing, the end of the call."""
    found = [_outcome(disposition, delay)]
    if disposition.bar_target:
        found.append(_bar_words(disposition))
    if disposition.resource:
        found.append(_("Renvoie la fiche au responsable, qui cherche un autre numéro."))
    if disposition.reach == Reach.HUMAN:
        found.append(_closing_words(disposition))
    if not disposition.counts_as_attempt:
        found.append(_("Ne compte pas comme tentative."))
    if disposition.requires_note:
        found.append(_("Demande une note."))
    if disposition.requires_match:
        found.append(_("Demande que tous les critères éliminatoires soient remplis."))
    return found


def _outcome(disposition: Disposition, delay: timedelta | None) -> str:
    if disposition.requires_callback:
        return _("L'agent convient d'une heure de rappel.")
    if disposition.final:
        return _("Termine la fiche.")
    words = delay_of(delay if delay is not None else disposition.retry_after)
    return (
        _("La fiche est rappelée après %(delay)s.") % {"delay": words}
        if words
        else _("La fiche est rappelée.")
    )


def _bar_words(disposition: Disposition) -> str:
    target = {
        BarTarget.PROSPECT: _("Exclut la fiche et tous ses numéros"),
        BarTarget.NUMBER: _("Exclut le numéro composé"),
        BarTarget.BOTH: _("Exclut la fiche, tous ses numéros et le numéro composé"),
    }[BarTarget(disposition.bar_target)]
    scope = {
        Scope.EVERYWHERE: _("partout"),
        Scope.SPONSOR: _("pour tout le donneur d'ordre"),
        Scope.PROGRAMME: _("pour toute la démarche"),
        Scope.CAMPAIGN: _("dans cette campagne"),
    }[Scope(disposition.bar_scope)]
    return f"{target}, {scope}."


def _closing_words(disposition: Disposition) -> str:
    steps = (
        _("Clôture : s'excuser, remercier, dire au revoir")
        if disposition.closing in (ClosingKind.MISMATCH, ClosingKind.MOURNING)
        else _("Clôture : remercier, dire au revoir")
    )
    end = {
        HangUpPolicy.NEVER: _("le prospect raccroche"),
        HangUpPolicy.AFTER_GOODBYE: _("l'agent peut raccrocher après l'au revoir"),
        HangUpPolicy.ANY: _("l'agent peut raccrocher"),
    }[HangUpPolicy(disposition.hang_up)]
    return f"{steps} ; {end}."
