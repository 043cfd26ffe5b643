"""The history of far-reaching changes, as sentences: who did what, what it touched, and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.enums import ChangeKind, ClosingKind, ExclusionReason, Purpose, ScriptKind, Step
from campaigns.models import Campaign, Change, Disposition
from campaigns.rules.consequences import counted_words
from campaigns.rules.wording import condition_words, hours_words
from crm.access import sponsors_of
from crm.models import User

RELATED = ("by", "campaign", "programme", "sponsor")


@dataclass(frozen=True, slots=True)
class Told:
    """A change as a line of its page.

    `what` goes on from the name of its author; `effects` are counts in words; `details` are (label, before, after).
    """

    change: Change
    who: str
    what: str
    effects: tuple[str, ...]
    details: tuple[tuple[str, str, str], ...]

    @property
    def touched(self) -> str:
        """Return the effects as one phrase, "" when nothing else was touched."""
        return _(", ").join(self.effects)


def changes_seen_by(user: User) -> QuerySet[Change]:
    """Return the changes inside the user's walls, and those that hold everywhere."""
    return Change.objects.filter(Q(sponsor__isnull=True) | Q(sponsor__in=sponsors_of(user)))


def changes_found(
    user: User,
    *,
    programme: int | None = None,
    campaign: str = "",
    kind: str = "",
    who: int | None = None,
    since: date | None = None,
    until: date | None = None,
) -> QuerySet[Change]:
    """Return the rows of the history, newest first, narrowed by what is given."""
    rows = changes_seen_by(user)
    wanted: dict[str, Any] = {
        "programme": programme,
        "campaign__slug": campaign,
        "kind": kind,
        "by": who,
        "at__date__gte": since,
        "at__date__lte": until,
    }
    rows = rows.filter(**{name: value for name, value in wanted.items() if value})
    return rows.select_related(*RELATED).order_by("-id")


def made(*, by: User, at: datetime) -> Change | None:
    """Return the change that somebody has just made, null when nothing was to be changed."""
    return Change.objects.filter(by=by, at=at).order_by("-id").first()


def last_id(**place: Any) -> int:
    """Return the id of the newest change of a place (fields of `Change`), 0 when there is none."""
    return Change.objects.filter(**place).order_by("-id").values_list("pk", flat=True).first() or 0


def told_of(changes: list[Change]) -> list[Told]:
    """Return changes as sentences; one query for the names of dispositions, if any."""
    codes = {row.after.get("disposition") for row in changes if row.kind == ChangeKind.DISPOSITION_CHANGED}
    labels = (
        {row.code: row.shown_label for row in Disposition.objects.filter(code__in=codes)} if codes else {}
    )
    return [tell(change, labels) for change in changes]


def tell(change: Change, labels: Mapping[str, str] | None = None) -> Told:
    """Return one change as a sentence. `labels`: dispositions by code."""
    effects = (counted_words(code, count) for code, count in change.touched.items())
    return Told(
        change=change,
        who=(change.by.get_full_name() or change.by.get_username()) if change.by else _("Un programme"),
        what=_what(change, labels or {}),
        effects=tuple(words for words in effects if words),
        details=tuple(_details(change)),
    )


def effects_words(change: Change | None) -> str:
    """Return what a change has touched, to be said after it was made."""
    effects = tell(change).effects if change is not None else ()
    return _(", ").join(effects) if effects else _("rien d'autre n'est touché")


def _what(change: Change, labels: Mapping[str, str]) -> str:
    campaign = change.campaign.name if change.campaign else ""
    facts = change.after or change.before
    sentences = {
        ChangeKind.CAMPAIGN_STARTED: _("a démarré la campagne %(campaign)s"),
        ChangeKind.CAMPAIGN_PAUSED: _("a mis en pause la campagne %(campaign)s"),
        ChangeKind.CAMPAIGN_CLOSED: _("a terminé la campagne %(campaign)s"),
        ChangeKind.CAMPAIGN_EDITED: _("a modifié les réglages de la campagne %(campaign)s"),
        ChangeKind.HOURS: _("a changé les horaires ou le plafond de la campagne %(campaign)s"),
        ChangeKind.CRITERION_ADDED: _("a ajouté le critère « %(question)s »"),
        ChangeKind.CRITERION_EDITED: _("a modifié le critère « %(question)s »"),
        ChangeKind.CRITERION_RETIRED: _("a retiré le critère « %(question)s »"),
        ChangeKind.DISPOSITION_CHANGED: _(
            "a changé la qualification « %(disposition)s » dans la campagne %(campaign)s"
        ),
        ChangeKind.LIST_RESET: _("a recommencé la liste de la campagne %(campaign)s"),
        ChangeKind.EXCLUSION_LIFTED: _("a levé une exclusion (%(reason)s)"),
        ChangeKind.ENTRIES_REMOVED: _("a retiré des fiches de la liste de la campagne %(campaign)s"),
        ChangeKind.WORDS: _("a changé un texte de la campagne %(campaign)s : %(text)s"),
    }
    code = str(facts.get("disposition", ""))
    return sentences[ChangeKind(change.kind)] % {
        "campaign": campaign,
        "question": facts.get("question", ""),
        "disposition": labels.get(code, code),
        "reason": dict(ExclusionReason.choices).get(str(facts.get("reason", "")), ""),
        "text": _text_name(facts) if change.kind == ChangeKind.WORDS else "",
    }


def _text_name(facts: Mapping[str, Any]) -> str:
    kind, step = str(facts.get("kind", "")), str(facts.get("step", ""))
    label = f"{ClosingKind(kind).label}, {Step(step).label}" if step else str(ScriptKind(kind).label)
    return f"{label} ({facts.get('language', '')})"


def settings_differences(before: Campaign, after: Campaign) -> list[tuple[str, str, str]]:
    """Return the settings of a campaign that differ, as (label, before, after)."""
    names = ("name", "purpose", "calling_rule", "hours", "max_attempts", "language", "lease_seconds")
    was, now = (_shown({name: getattr(row, name) for name in names}) for row in (before, after))
    return [(label, was[label], now[label]) for label in was if was[label] != now[label]]


def _details(change: Change) -> list[tuple[str, str, str]]:
    """Return what was changed as (label, before, after), without what stayed the same."""
    if change.kind == ChangeKind.EXCLUSION_LIFTED:
        return []
    before, after = (_shown(facts) for facts in (change.before, change.after))
    return [
        (label, before.get(label, ""), after.get(label, ""))
        for label in dict.fromkeys([*before, *after])
        if before.get(label, "") != after.get(label, "")
    ]


def _shown(facts: Mapping[str, Any]) -> dict[str, str]:
    """Return facts of a change by label, as words."""
    found: dict[str, str] = {}
    if "operator" in facts:
        found[_("Condition")] = condition_words(facts["field"], facts["operator"], facts["value"])
    if "hours" in facts:
        found[_("Horaires")] = _(" ; ").join(hours_words(facts["hours"]))
    if "retry_after" in facts:
        found[_("Nouvelle tentative")] = delay_words(facts["retry_after"])
    if "calling_rule" in facts:
        none = facts["calling_rule"] == "none"
        found[_("Règle d'appel")] = _("aucune : ni horaires ni plafond") if none else _("selon l'objet")
    if "purpose" in facts:
        found[_("Objet")] = str(Purpose(facts["purpose"]).label)
    labels = {
        "question": _("Question à poser"),
        "expected": _("Ce qu'on attend"),
        "blocking": _("Éliminatoire"),
        "trust_file": _("Se fier au fichier"),
        "enabled": _("Proposée"),
        "include_done": _("Fiches terminées comprises"),
        "name": _("Nom"),
        "max_attempts": _("Tentatives au plus"),
        "language": _("Langue"),
        "lease_seconds": _("Réservation d'une fiche (s)"),
        "dead_line_seconds": _("Silence avant de pouvoir raccrocher (s)"),
        "patience_seconds": _("Patience après un second au revoir (s)"),
        "text": _("Texte"),
        "may_decide": _("Mandat : décider"),
        "may_promise": _("Mandat : promettre"),
        "may_offer": _("Mandat : offrir"),
    }
    for name, label in labels.items():
        if name in facts:
            found[label] = _value(facts[name])
    return found


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return _("oui") if value else _("non")
    return str(value)


def delay_words(seconds: int | None) -> str:
    """Return a delay in words: "2 heures", "30 minutes"; null is the catalogue's own."""
    if seconds is None:
        return _("délai du catalogue")
    minutes = round(seconds / 60)
    if minutes % 1440 == 0 and minutes:
        return ngettext("%(n)d jour", "%(n)d jours", minutes // 1440) % {"n": minutes // 1440}
    if minutes % 60 == 0:
        return ngettext("%(n)d heure", "%(n)d heures", minutes // 60) % {"n": minutes // 60}
    if minutes > 60:
        return _("%(h)d h %(m)02d") % {"h": minutes // 60, "m": minutes % 60}
    return ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes}


def delay_of(delay: timedelta | None) -> str:
    """Return a delay in words, "" for none."""
    return "" if delay is None else delay_words(int(delay.total_seconds()))
