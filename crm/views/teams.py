"""Teams: the list, and one at a time."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm import access
from crm.enums import MANAGING, SUPERVISING
from crm.forms import TeamForm, show_refusal
from crm.models import Team, User
from crm.rules.errors import DomainError
from crm.selectors import people
from crm.services import teams
from crm.views.answers import form_page, now, page_of, refused, saved, sent, user_of


@access.role_required(*SUPERVISING)
@require_safe
def team_list(request: HttpRequest) -> HttpResponse:
    """List the teams that the user sees, with how many people are in each."""
    user = user_of(request)
    return render(request, "crm/team_list.html", {"page": page_of(request, people.teams_found(user))})


@access.role_required(*MANAGING)
@require_http_methods(["GET", "HEAD", "POST"])
def team_new(request: HttpRequest) -> HttpResponse:
    """Show the form of a new team; create it."""
    user = user_of(request)
    form = TeamForm(sent(request), people=_supervisors(user))
    if request.method == "POST" and form.is_valid():
        try:
            made = teams.create_team(**_values(form), by=user, at=now())
        except DomainError as error:
            show_refusal(form, error)
        else:
            return saved(request, _("%(name)s est créée.") % {"name": made.name}, "team", made.pk)
    return form_page(request, "crm/team_new.html", form, {})


@access.role_required(*SUPERVISING)
@require_http_methods(["GET", "HEAD", "POST"])
def team(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a team with its members; rename it and say who looks after it, where the user may."""
    user = user_of(request)
    found = get_object_or_404(people.teams_of(user), pk=pk)
    title = found.name
    form = _form(request, user, found)
    if request.method == "POST":
        if form is None:
            return refused(request, DomainError(_("Cette équipe n'est pas à vous de changer.")), "team", pk)
        if form.is_valid():
            try:
                teams.edit_team(team=found, **_values(form), by=user, at=now())
            except DomainError as error:
                show_refusal(form, error)
            else:
                return saved(request, _("Enregistré."), "team", pk)
    members = people.colleagues_of(user).filter(team=found).order_by("-is_active", "last_name", "username")
    context: dict[str, Any] = {
        "team": found,
        "title": title,
        "form": form,
        "members": page_of(request, members),
        "supervisors": people.colleagues_of(user).filter(supervised_teams=found).order_by("last_name"),
    }
    return render(request, "crm/team.html", context, status=422 if form and form.errors else 200)


@access.role_required(*MANAGING)
@require_POST
def team_deletion(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a team that nobody is in."""
    user = user_of(request)
    found = get_object_or_404(people.teams_of(user), pk=pk)
    name = found.name
    try:
        teams.delete_team(team=found, by=user, at=now())
    except DomainError as error:
        return refused(request, error, "team", pk)
    return saved(request, _("%(name)s est supprimée.") % {"name": name}, "team-list")


def _form(request: HttpRequest, user: User, team: Team) -> TeamForm | None:
    if not people.may_change_team(user, team):
        return None
    initial = {"name": team.name, "supervisors": [person.pk for person in team.supervisors.all()]}
    return TeamForm(sent(request), initial=initial, people=_supervisors(user))


def _supervisors(user: User) -> Any:
    """Return who may look after a team, by name."""
    able = people.users_of(user).filter(role__in=SUPERVISING, is_active=True)
    return able.order_by("last_name", "first_name", "username")


def _values(form: TeamForm) -> dict[str, Any]:
    return {"name": form.cleaned_data["name"], "supervisors": list(form.cleaned_data["supervisors"])}
