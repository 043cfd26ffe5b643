"""Criteria and hours as short sentences for pages."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from campaigns.enums import Operator
from campaigns.rules.criteria import ATTRIBUTE, COLUMNS

#: How many values of a list are written out.
SHOWN = 5


def condition_words(field: str, operator: str, value: Any) -> str:
    """Return a criterion as words: "secteur (NAF) commence par 64"."""
    name = str(COLUMNS.get(field, field.removeprefix(ATTRIBUTE)))
    return " ".join(
        part for part in (name, str(Operator(operator).label), _value_words(operator, value)) if part
    )


def hours_words(hours: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return each range as words: "lun., mar. : 10:00 à 13:00"."""
    return [
        _("%(days)s : %(start)s à %(end)s")
        % {"days": _days(item["days"]), "start": item["from"], "end": item["to"]}
        for item in hours
    ]


def moment_words(moment: datetime, at: datetime) -> str:
    """Return when something comes, inside a sentence read at `at`: "14 h" today, else "le 3 mars à 14 h 32"."""
    local, today = timezone.localtime(moment), timezone.localtime(at)
    known = {"hour": local.hour, "minute": f"{local:%M}"}
    time = (_("%(hour)s h %(minute)s") if local.minute else _("%(hour)s h")) % known
    time = time.replace(" ", "\N{NO-BREAK SPACE}")
    if local.date() == today.date():
        return time
    known = {"day": date_format(local, _("j F")), "time": time}
    return pgettext("jusqu'à quand", "le %(day)s à %(time)s") % known


def _value_words(operator: str, value: Any) -> str:
    if operator == Operator.IS_SET:
        return ""
    if operator == Operator.BETWEEN:
        low, high = (str(bound) if bound is not None else "…" for bound in value)
        return _("%(low)s et %(high)s") % {"low": low, "high": high}
    if isinstance(value, list):
        more = "" if len(value) <= SHOWN else " …"
        return ", ".join(str(item) for item in value[:SHOWN]) + more
    return str(value)


def _days(days: Sequence[int]) -> str:
    names = [
        pgettext("jour de la semaine", "lun."),
        pgettext("jour de la semaine", "mar."),
        pgettext("jour de la semaine", "mer."),
        pgettext("jour de la semaine", "jeu."),
        pgettext("jour de la semaine", "ven."),
        pgettext("jour de la semaine", "sam."),
        pgettext("jour de la semaine", "dim."),
    ]
    ordered = sorted(set(days))
    if len(ordered) > 2 and ordered == list(range(ordered[0], ordered[-1] + 1)):
        return _("%(first)s à %(last)s") % {"first": names[ordered[0] - 1], "last": names[ordered[-1] - 1]}
    return ", ".join(names[day - 1] for day in ordered)
