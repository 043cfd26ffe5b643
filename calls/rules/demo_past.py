"""The demo's past as data: which calls were made in the last working days, and how each one went. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Paris")
#: Working days that the past covers, beside the day of loading.
DAYS = 4
#: Between two calls of an agent at least.
SLOT = timedelta(minutes=12)
OFFICE = ((time(9, 15), time(12, 15)), (time(14, 0), time(17, 45)))
#: The last call ended so long before the demo was loaded, at least.
QUIET = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class PastCall:
    """One call: its campaign, its agent, how it went (a story that the loader tells), the words that were heard."""

    campaign: str
    agent: str
    story: str
    words: str = ""


AUTUMN, WINTER, TREASURY, BAKERS = "banques-automne", "banques-hiver", "tresorerie", "boulangers"

#: By campaign, in the order in which they were made. One agent speaks English, the other one does not.
STORIES: dict[str, Sequence[tuple[str, str]]] = {
    WINTER: (
        ("complete", ""), ("no_answer", ""), ("mismatch", "une assurance"), ("complete", ""), ("busy", ""),
        ("not_interested", ""),
    ),
    AUTUMN: (
        ("complete", ""), ("mismatch", "un cabinet comptable"), ("no_answer", ""), ("complete", ""),
        ("corrected", "une agence d'assurance"), ("voicemail", ""), ("refusal", ""),
        ("reopened", "un salon de coiffure"), ("complete", ""), ("helped", ""), ("opt_out", ""),
        ("mismatch", "une boulangerie"), ("complete", ""), ("left", ""), ("no_answer", ""), ("invalid_number", ""),
        ("banned", ""), ("complete", ""), ("busy", ""), ("wished", "une mutuelle"), ("complete", ""),
        ("wrong_number", ""), ("mismatch", "l'agence est fermée, c'est devenu un bar"), ("deceased", ""),
        ("large", "310 personnes"), ("no_answer", ""), ("cut", ""), ("complete", ""), ("other", "un garage"),
        ("asked", "une boulangerie"), ("voicemail", ""), ("complete", ""), ("no_answer", ""), ("complete", ""),
    ),
    TREASURY: (
        ("appointment", ""), ("not_interested", ""), ("no_answer", ""), ("appointment", ""), ("refusal", ""),
        ("busy", ""),
    ),
    BAKERS: (
        ("complete", ""), ("mismatch", "un dépôt de pain"), ("no_answer", ""),
        ("promised", "Rappeler après la fournée."), ("complete", ""),
        ("mismatch", "un salon de thé, rien n'est cuit ici"), ("busy", ""), ("partial", ""),
        ("promised_team", "Le patron est là demain."), ("complete", ""), ("opt_out", ""), ("voicemail", ""),
        ("promised_later", "Revient de congé à la fin de la semaine."), ("complete", ""), ("not_interested", ""),
        ("complete", ""),
    ),
}  # fmt: skip

#: Delivered by a fair: good rows, a bakery that is none, a row twice, three that cannot be called.
DELIVERY = """Réf;Enseigne;Téléphone;Ville;Code NAF;Ne pas appeler
S01;Le Four à Bois;04 65 71 80 01;Nîmes;10.71C;
S02;Maison Prévôt;04.65.71.80.02;Arles;10.71C;
S03;Boulangerie des Halles;00 33 4 65 71 80 03;Avignon;10.71D;
S04;Aux Blés d'Or;04 65 71 80 04;Uzès;;
S05;Chocolats Mézière;04 65 71 80 05;Nîmes;10.82Z;
S06;La Huche;04 65 71 80 06;Alès;10.71C;oui
S06;La Huche;04 65 71 80 06;Alès;10.71C;oui
S07;Pain et Cie;04 65 71 8;Sète;10.71C;
S08;Le Petit Fournil;;Lunel;10.71C;
S09;Boulangerie Ruiz;112;Sète;10.71C;
S10;Fournil du Canal;04 65 71 80 10;Béziers;10.71C;
"""

#: An old opposition list, as E.164.
REGISTRY = ("+33365719901", "+33465719902", "+33353019903", "+33261919904")


def working_days(at: datetime) -> list[datetime]:
    """Return the midnights of the last working days in Paris, oldest first, with the day of `at` when it is one."""
    midnight = at.astimezone(ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    days = [midnight] if midnight.isoweekday() <= 5 else []
    before = midnight
    while len([day for day in days if day < midnight]) < DAYS:
        before = (before - timedelta(days=1)).replace(hour=0)
        if before.isoweekday() <= 5:
            days.insert(0, before)
    return days


def slots(at: datetime) -> list[datetime]:
    """Return when an agent may have begun a call before `at`: in office hours, never in the last half hour."""
    return [moment for day in working_days(at) for moment in _of_day(day) if moment <= at - QUIET]


def _of_day(day: datetime) -> Iterator[datetime]:
    for first, last in OFFICE:
        moment = day.replace(hour=first.hour, minute=first.minute)
        end = day.replace(hour=last.hour, minute=last.minute)
        while moment < end:
            yield moment
            moment += SLOT


def past_calls(at: datetime) -> list[tuple[datetime, PastCall]]:
    """Return the calls of the past with their moments before `at`, in order; those of an agent never overlap."""
    begun: list[tuple[float, PastCall]] = []
    for campaign, stories in STORIES.items():
        # The winter wave was called first and then paused; the treasury came later.
        begins, ends = {WINTER: (0.0, 0.4), TREASURY: (0.4, 1.0)}.get(campaign, (0.0, 1.0))
        for position, (story, words) in enumerate(stories):
            agent = "agent" if (position + (campaign == BAKERS)) % 2 == 0 or story == "promised" else "agent2"
            share = begins + (ends - begins) * (position + 1) / len(stories)
            begun.append((share, PastCall(campaign, agent, story, words)))
    begun.sort(key=lambda item: item[0])
    calls: list[tuple[datetime, PastCall]] = []
    free = slots(at)
    for turn, agent in enumerate(("agent", "agent2")):
        own = [call for _share, call in begun if call.agent == agent]
        for position, call in enumerate(own):
            slot = free[(position + 1) * len(free) // len(own) - 1]
            # People do not dial on the minute.
            calls.append((slot + timedelta(seconds=(position * 47) % 290 + turn * 131), call))
    return sorted(calls, key=lambda item: item[0])


def evening_before(at: datetime) -> datetime:
    """Return 17:50 of the last working day before the day of `at`."""
    today = at.astimezone(ZONE).date()
    return [day for day in working_days(at) if day.date() < today][-1].replace(hour=17, minute=50)


def picks_up(number: str) -> bool:
    """Whether the simulated phone has a talkative person at this number (see `static/js/phone-demo.js`)."""
    return number[-1] in "01237" and number[-2:] not in ("00", "50")


def hour_today_or_later(at: datetime, *, days: int = 0, hour: int = 10) -> datetime:
    """Return a moment to promise: `days` later at this hour of Paris; today, in three quarters of an hour at least."""
    local = at.astimezone(ZONE)
    moment = (local + timedelta(days=days)).replace(hour=hour, minute=0, second=0, microsecond=0)
    soon = (local + timedelta(minutes=45)).replace(second=0, microsecond=0)
    return max(moment, soon - timedelta(minutes=soon.minute % 15))
