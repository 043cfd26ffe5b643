"""Accounts and teams: whom a user sees, what an account holds, and its history in words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Prefetch, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from crm.enums import MANAGING, SUPERVISING, Role, UserEventKind
from crm.models import Team, User, UserEvent
from crm.rules.people import roles_given_by
from crm.selectors.scopes import sees_every_sponsor, sponsors_of

#: Most lines of an account's history on its page.
HISTORY = 100
#: The columns by which the list is sorted, by their name in the address.
SORTS: dict[str, tuple[str, ...]] = {
    "name": ("last_name", "first_name", "username"),
    "username": ("username",),
    "role": ("role", "last_name", "username"),
    "team": ("team__name", "last_name", "username"),
    "last_login": ("last_login", "username"),
}


@dataclass(frozen=True, slots=True)
class Holding:
    """What somebody who leaves has in hand: how many of this, and what becomes of it."""

    count: int
    text: str
    tone: str = ""


#: What an account holds, given by the apps above that know of it.
HOLDINGS: list[Callable[[User], list[Holding]]] = []


def users_of(user: User) -> QuerySet[User]:
    """Return the accounts that a manager sees: all, or those whose sponsors are all among the manager's, and their own.

    An account without sponsors works for every one: a manager who does not must not touch it.
    """
    if not user.is_active or user.role not in MANAGING:
        return User.objects.none()
    return _inside(user)


def colleagues_of(user: User) -> QuerySet[User]:
    """Return the accounts whose names a supervisor meets in teams and filters, inside the same walls."""
    if not user.is_active or user.role not in SUPERVISING:
        return User.objects.none()
    return _inside(user)


def _inside(user: User) -> QuerySet[User]:
    if sees_every_sponsor(user):
        return User.objects.all()
    through = User.sponsors.through.objects.filter(user_id=OuterRef("pk"))
    own = sponsors_of(user).values("pk")
    outside = through.exclude(sponsor_id__in=own)
    return User.objects.filter(Q(Exists(through), ~Exists(outside)) | Q(pk=user.pk))


def may_change(by: User, user: User) -> bool:
    """Whether `by` may change an account of `users_of(by)`: never their own, and only of the roles they give."""
    return by.is_active and by.pk != user.pk and user.role in roles_given_by(by.role)


def teams_of(user: User) -> QuerySet[Team]:
    """Return the teams that a supervisor or manager sees: all, or those they look after or have a colleague in."""
    if not user.is_active or user.role not in SUPERVISING:
        return Team.objects.none()
    if sees_every_sponsor(user):
        return Team.objects.all()
    inside = colleagues_of(user).filter(team=OuterRef("pk"))
    return Team.objects.filter(Q(Exists(inside)) | Q(supervisors=user)).distinct()


def may_change_team(by: User, team: Team) -> bool:
    """Whether `by` may rename or delete a team: one that has nobody whom they do not see."""
    if not by.is_active or by.role not in MANAGING:
        return False
    if sees_every_sponsor(by):
        return True
    seen = users_of(by).values("pk")
    return (
        not team.members.exclude(pk__in=seen).exists() and not team.supervisors.exclude(pk__in=seen).exists()
    )


def users_found(
    scope: QuerySet[User], *, text: str = "", role: str = "", team: str = "", state: str = "", sort: str = ""
) -> QuerySet[User]:
    """Return the accounts of `scope` by words of a name, role, team id (`none`: without), and state.

    `state` is `inactive`, `all`, or active by default; `sort` a key of `SORTS`, with "-" before it for the other way.
    """
    rows = scope.select_related("team").prefetch_related("sponsors")
    for word in text.split():
        rows = rows.filter(
            Q(first_name__icontains=word) | Q(last_name__icontains=word) | Q(username__icontains=word)
        )
    if role in Role.values:
        rows = rows.filter(role=role)
    if team == "none":
        rows = rows.filter(team__isnull=True)
    elif team.isdecimal():
        rows = rows.filter(team=int(team))
    if state != "all":
        rows = rows.filter(is_active=state != "inactive")
    return rows.order_by(*_order(sort))


def _order(sort: str) -> list[Any]:
    fields = SORTS.get(sort.removeprefix("-"), SORTS["name"])
    first = F(fields[0])
    down = sort.startswith("-")
    return [first.desc(nulls_last=True) if down else first.asc(nulls_last=True), *fields[1:], "pk"]


def teams_found(user: User) -> QuerySet[Team]:
    """Return the teams that the user sees, by name, each with how many active members and whom of its supervisors they
    see: as many and no more than the page of the team names."""
    seen = colleagues_of(user)
    members = Q(members__is_active=True, members__in=seen.values("pk"))
    return (
        teams_of(user)
        .annotate(size=Count("members", filter=members, distinct=True))
        .prefetch_related(Prefetch("supervisors", queryset=seen.order_by("last_name", "username")))
        .order_by("name")
    )


def holdings_of(user: User) -> list[Holding]:
    """Return what becomes of what an account has in hand when it is put out of service."""
    found = [holding for holds in HOLDINGS for holding in holds(user)]
    tokens = user.api_tokens.filter(revoked_at__isnull=True).count()
    if tokens:
        text = ngettext(
            "jeton d'API, qui n'ouvrira plus rien", "jetons d'API, qui n'ouvriront plus rien", tokens
        )
        found.append(Holding(tokens, text, "care"))
    return found


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """A line of an account's history: when, by whom (null: the machine), and what, in words."""

    at: datetime
    by: User | None
    text: str
    details: list[str]


LABELS: dict[str, Any] = {
    "first_name": gettext_lazy("prénom"),
    "last_name": gettext_lazy("nom"),
    "role": gettext_lazy("rôle"),
    "languages": gettext_lazy("langues"),
    "daily_goal": gettext_lazy("objectif du jour"),
    "extension": gettext_lazy("poste"),
    "sponsors": gettext_lazy("donneurs d'ordre"),
    "team": gettext_lazy("équipe"),
}


def history_of(user: User, *, reader: User) -> list[HistoryLine]:
    """Return an account's history as `reader` may know it, newest first: other sponsors have no name."""
    events = list(user.events.select_related("by").order_by("-id")[:HISTORY])
    names: dict[str, Mapping[Any, str]] = {"role": {key: str(label) for key, label in Role.choices}}
    if any("sponsors" in event.data.get("changes", {}) for event in events):
        names["sponsors"] = dict(sponsors_of(reader).values_list("pk", "name"))
    if any("team" in event.data.get("changes", {}) for event in events):
        names["team"] = dict(teams_of(reader).values_list("pk", "name"))
    return [_line(event, names) for event in events]


def _line(event: UserEvent, names: Mapping[str, Mapping[Any, str]]) -> HistoryLine:
    details = [
        _("%(field)s : %(before)s → %(after)s")
        % {
            "field": LABELS.get(name, name),
            "before": _value(before, names.get(name)),
            "after": _value(after, names.get(name)),
        }
        for name, (before, after) in event.data.get("changes", {}).items()
    ]
    if token := event.data.get("token"):
        details.append(_("jeton : %(name)s") % {"name": token})
    if reason := event.data.get("reason"):
        details.append(_("motif : %(reason)s") % {"reason": reason})
    return HistoryLine(event.at, event.by, str(UserEventKind(event.kind).label), details)


def _value(value: Any, names: Mapping[Any, str] | None) -> str:
    if isinstance(value, list):
        return ", ".join(_value(item, names) for item in value) or pgettext("valeur", "aucun")
    if value in (None, ""):
        return pgettext("valeur", "aucun")
    if names is None:
        return str(value)
    return names.get(value, _("(autre)"))
