"""Teams: made, renamed, given supervisors, and deleted once empty. Members are set on their own accounts."""

from collections.abc import Sequence
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext_lazy as _

from crm.enums import MANAGING, SUPERVISING
from crm.models import Team, User
from crm.rules.errors import Forbidden, Invalid, InvalidTransition
from crm.selectors.people import may_change_team, users_of
from crm.selectors.scopes import sees_every_sponsor


def create_team(*, name: str, supervisors: Sequence[User], by: User, at: datetime) -> Team:
    """Create a team; whoever is kept inside some sponsors looks after it too, or would not see it again."""
    if not by.is_active or by.role not in MANAGING:
        raise Forbidden
    if not sees_every_sponsor(by) and by not in supervisors:
        supervisors = [*supervisors, by]
    return _written(Team(created_at=at), name, supervisors, by)


def edit_team(*, team: Team, name: str, supervisors: Sequence[User], by: User, at: datetime) -> Team:
    """Rename a team and say who looks after it. Raises Forbidden for one with people whom `by` does not see."""
    if not may_change_team(by, team):
        raise Forbidden
    return _written(team, name, supervisors, by)


def delete_team(*, team: Team, by: User, at: datetime) -> None:
    """Delete a team that has no member, inactive ones included."""
    if not may_change_team(by, team):
        raise Forbidden
    try:
        with transaction.atomic():
            team.delete()
    except (ProtectedError, IntegrityError) as error:
        raise InvalidTransition(_("Cette équipe a encore des membres : déplacez-les d'abord.")) from error


def _written(team: Team, name: str, supervisors: Sequence[User], by: User) -> Team:
    team.name = " ".join(name.split())
    if not team.name:
        raise Invalid.field("name", _("Donnez un nom."))
    chosen = {user.pk for user in supervisors}
    able = users_of(by).filter(pk__in=chosen, role__in=SUPERVISING).values_list("pk", flat=True)
    if chosen - set(able):
        raise Invalid.field("supervisors", _("Choisissez des superviseurs parmi les vôtres."))
    try:
        with transaction.atomic():
            team.save()
            team.supervisors.set(chosen)
    except IntegrityError as error:
        raise Invalid.field("name", _("Une équipe porte déjà ce nom.")) from error
    return team
