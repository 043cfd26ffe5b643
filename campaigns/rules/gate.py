"""The gate: one function decides whether a number may be dialled now (contract, section 6). Each gate fails closed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from campaigns.enums import CampaignStatus, ExclusionReason, Gate
from campaigns.rules.hours import Hours, next_opening, window_open
from crm.rules.time_zones import is_time_zone

#: The days over which attempts are counted: today and the 29 before it (C. conso. D223-9), by the local calendar.
CAP_DAYS = 30


@dataclass(frozen=True, slots=True)
class Bar:
    """The active exclusion that covers a number or prospect."""

    id: int
    reason: str
    scope: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What the gate needs to know about one prospect and number in one campaign.

    `number` is E.164 or ""; `number_problem` says why it is not dialled ("" when it may be). `contradiction` is the
    reason of a trusted criterion that the file contradicts, "" when none does. `attempts` are the local dates of the
    counted attempts of the last 30 days, for the sponsor and the person. `exact`: the person gave that very time.
    """

    number: str
    time_zone: str
    status: str
    hours: Hours
    max_attempts: int
    bar: Bar | None = None
    number_problem: str = ""
    contradiction: str = ""
    attempts: Sequence[date] = ()
    exact: bool = False
    unrestricted: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """The gate's answer: allowed or not, by which gate, a stable reason ("code" or "code:words"), and until when.

    `until` is null when nobody knows or when it is for good. `data` holds facts for programs.
    """

    allowed: bool
    gate: Gate
    reason: str = ""
    until: datetime | None = None
    data: dict[str, Any] = field(default_factory=dict)


OPEN = Verdict(True, Gate.OPEN)

Judge = Callable[[Facts, datetime], Verdict | None]


def judge(facts: Facts, at: datetime) -> Verdict:
    """Ask the gates in their order and return the first refusal, or `OPEN`."""
    for ask in GATES:
        verdict = ask(facts, at)
        if verdict is not None:
            return verdict
    return OPEN


def _exclusion(facts: Facts, at: datetime) -> Verdict | None:
    if facts.bar is None:
        return None
    bar = facts.bar
    return Verdict(False, Gate.EXCLUSION, bar.reason, bar.until, {"exclusion": bar.id, "scope": bar.scope})


def _number(facts: Facts, at: datetime) -> Verdict | None:
    problem = facts.number_problem or ("" if facts.number else "no_number")
    return Verdict(False, Gate.NUMBER, problem) if problem else None


def _criteria(facts: Facts, at: datetime) -> Verdict | None:
    return Verdict(False, Gate.CRITERIA, facts.contradiction) if facts.contradiction else None


def _consent(facts: Facts, at: datetime) -> Verdict | None:
    """Keep the place of consent in the order: no rule set asks for it yet."""
    return None


def _window(facts: Facts, at: datetime) -> Verdict | None:
    if facts.unrestricted or facts.exact:
        return None
    if not is_time_zone(facts.time_zone):
        return Verdict(False, Gate.WINDOW, "unknown_time_zone")
    if window_open(facts.hours, facts.time_zone, at):
        return None
    until = next_opening(facts.hours, facts.time_zone, at)
    reason = "never_open" if until is None else "outside_hours"
    return Verdict(False, Gate.WINDOW, reason, until, {"time_zone": facts.time_zone})


def _holiday(facts: Facts, at: datetime) -> Verdict | None:
    """Keep the place of public holidays in the order: no rule set names them yet."""
    return None


def _attempts(facts: Facts, at: datetime) -> Verdict | None:
    if facts.unrestricted:
        return None
    zone = facts.time_zone if is_time_zone(facts.time_zone) else "UTC"
    today = local_date(at, zone)
    counted = sorted(day for day in facts.attempts if day > today - timedelta(days=CAP_DAYS))
    if len(counted) < facts.max_attempts:
        return None
    frees = counted[len(counted) - facts.max_attempts] + timedelta(days=CAP_DAYS)
    until = datetime.combine(frees, time(), tzinfo=ZoneInfo(zone)).astimezone(UTC)
    data = {"attempts": len(counted), "maximum": facts.max_attempts, "time_zone": zone}
    return Verdict(False, Gate.ATTEMPTS, f"cap:{facts.max_attempts}", until, data)


def _campaign(facts: Facts, at: datetime) -> Verdict | None:
    if facts.status == CampaignStatus.RUNNING:
        return None
    return Verdict(False, Gate.CAMPAIGN, facts.status)


#: The order of the contract. Consent and holidays keep their places.
GATES: tuple[Judge, ...] = (
    _exclusion,
    _number,
    _criteria,
    _consent,
    _window,
    _holiday,
    _attempts,
    _campaign,
)


#: The gates that speak of the time alone: what a person who gave an exact time has lifted (contract, section 6).
TIME_GATES: tuple[Judge, ...] = (_window, _holiday)
#: How often a closed time may lead to another one before nobody is callable.
OPENINGS_TRIED = 60


def judge_time(facts: Facts, at: datetime) -> Verdict:
    """Return the first refusal of the gates that speak of the time alone, or `OPEN`: what may be agreed for `at`."""
    for ask in TIME_GATES:
        verdict = ask(facts, at)
        if verdict is not None:
            return verdict
    return OPEN


def next_allowed_time(facts: Facts, at: datetime) -> datetime | None:
    """Return the first moment from `at` on at which a call may be agreed, None when there is none."""
    for _tried in range(OPENINGS_TRIED):
        verdict = judge_time(facts, at)
        if verdict.allowed:
            return at
        if verdict.until is None or verdict.until <= at:
            return None
        at = verdict.until
    return None


def local_date(at: datetime, time_zone: str) -> date:
    """Return the date of a moment at the called party's; by UTC where the zone is unknown."""
    return at.astimezone(ZoneInfo(time_zone if is_time_zone(time_zone) else "UTC")).date()


def describe(verdict: Verdict) -> str:
    """Return the verdict as one sentence in the active language."""
    return sentence(verdict.gate, verdict.reason, verdict.until, str(verdict.data.get("time_zone", "")))


def sentence(gate: str, reason: str, until: datetime | None = None, time_zone: str = "") -> str:
    """Return a stored verdict (gate, reason, until) as one sentence in the active language."""
    code, _colon, words = reason.partition(":")
    if gate == Gate.OPEN or not gate:
        return _("Appel permis.")
    text = _about(gate, code, words)
    if until is None:
        return text
    shown = date_format(until.astimezone(ZoneInfo(time_zone or "Europe/Paris")), "SHORT_DATETIME_FORMAT")
    return _("%(text)s Jusqu'au %(until)s.") % {"text": text, "until": shown}


def _about(gate: str, code: str, words: str) -> str:
    if gate == Gate.EXCLUSION:
        return _("Exclusion : %(reason)s.") % {"reason": dict(ExclusionReason.choices).get(code, code)}
    if gate == Gate.CRITERIA:
        return _("Hors-critères d'après le fichier : on cherche %(expected)s.") % {"expected": words or "…"}
    if gate == Gate.ATTEMPTS:
        return _("%(count)s tentatives déjà faites en 30 jours.") % {"count": words or "…"}
    sentences = {
        (Gate.NUMBER, "no_number"): _("Aucun numéro."),
        (Gate.NUMBER, "invalid"): _("Numéro invalide."),
        (Gate.NUMBER, "premium"): _("Numéro surtaxé : il n'est jamais composé."),
        (Gate.NUMBER, "fax"): _("Ligne de fax : elle n'est jamais composée."),
        (Gate.NUMBER, "short"): _("Numéro court ou d'urgence : il n'est jamais composé."),
        (Gate.WINDOW, "outside_hours"): _("Hors des horaires d'appel, à l'heure de la personne appelée."),
        (Gate.WINDOW, "unknown_time_zone"): _(
            "Fuseau horaire inconnu : l'heure de la personne ne peut être vérifiée."
        ),
        (Gate.WINDOW, "never_open"): _("Aucune plage horaire n'est ouverte."),
        (Gate.CAMPAIGN, "draft"): _("La campagne n'est pas encore démarrée."),
        (Gate.CAMPAIGN, "paused"): _("La campagne est en pause."),
        (Gate.CAMPAIGN, "closed"): _("La campagne est terminée."),
    }
    return sentences.get((Gate(gate), code), _("Appel refusé."))
