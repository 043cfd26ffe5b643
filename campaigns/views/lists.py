"""A list as a whole: begun again, or emptied of some of its fiches, with the numbers first."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from campaigns import access
from campaigns.enums import ChangeKind
from campaigns.forms.lists import EntryFilterForm
from campaigns.selectors import changes as changes_selector
from campaigns.selectors import entries as entries_selector
from campaigns.selectors import judged, touched
from campaigns.services import entries
from campaigns.services.changes import AlreadyDone
from campaigns.views.confirming import already, confirmation, reason_form
from crm.access import role_required
from crm.enums import MANAGING
from crm.forms import show_refusal
from crm.rules.errors import DomainError
from crm.views.answers import now, refused, saved, user_of

#: In a confirmation, what holds the entries back: there, `reason` is why they are removed.
HELD = "held"


@role_required(*MANAGING)
@require_http_methods(["GET", "HEAD", "POST"])
def list_reset(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what a reset of the list would touch; do it, with a reason. Exclusions and hors-critères never move."""
    user, at = user_of(request), now()
    found = access.get_campaign_or_404(user, slug)
    data = request.POST if request.method == "POST" else request.GET
    include_done = data.get("include_done") in ("on", "1")
    form = reason_form(request)
    seen = request.POST.get("seen", "")
    context: dict[str, Any] = {}
    if form.is_bound and form.is_valid():
        try:
            count = entries.reset_list(
                campaign=found,
                reason=form.cleaned_data["reason"],
                include_done=include_done,
                seen=int(seen) if seen.isdecimal() and len(seen) < 18 else None,
                by=user,
                at=at,
            )
        except AlreadyDone as error:
            words = _("C'est déjà fait, le %(when)s. Voici ce qu'un nouveau départ toucherait encore.")
            context["done"] = words % {"when": f"{error.change.at:%d/%m/%Y}"}
            form = reason_form(request)
        except DomainError as error:
            show_refusal(form, error)
        else:
            message = ngettext("%(n)s fiche est rouverte.", "%(n)s fiches sont rouvertes.", count)
            return saved(request, message % {"n": number_format(count)}, "entry-list", slug)
    url = reverse("list-reset", args=[slug])
    choices = [
        (url, _("Fiches épuisées"), not include_done),
        (f"{url}?include_done=1", _("Fiches épuisées et terminées"), include_done),
    ]
    newest = changes_selector.last_id(campaign=found, kind=ChangeKind.LIST_RESET)
    reset = judged.reset_touched(found, include_done=include_done)
    reopens = reset.estimated or any(reset.counts.get(code) for code in ("reopened", "reopened_done"))
    return confirmation(
        request,
        form,
        reset,
        title=_("Recommencer la liste"),
        action=_("Recommencer la liste") if reopens else "",
        cancel_url=reverse("entry-list", args=[slug]),
        hidden=[("seen", str(newest)), *([("include_done", "on")] if include_done else [])],
        campaign=found,
        choices=choices,
        **context,
    )


@role_required(*MANAGING)
@require_http_methods(["GET", "HEAD", "POST"])
def entries_removal(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what taking out of the list all that the filters of the address find would touch; do it, with a reason."""
    user, at = user_of(request), now()
    found = access.get_campaign_or_404(user, slug)
    filters = _filters(request)
    values = filters.values()
    if filters.errors:
        # What cannot be read filters nothing in a list; here nothing would mean everybody.
        words = _("Un filtre ne se lit pas : rien n'est retiré. Choisissez-le de nouveau.")
        return refused(request, DomainError(words), "entry-list", slug)
    rows = entries_selector.entries_found(found, at=at, **values)
    form = reason_form(request)
    if form.is_bound and form.is_valid():
        try:
            counts = entries.remove_entries(
                campaign=found, entries=rows, reason=form.cleaned_data["reason"], by=user, at=at
            )
        except DomainError as error:
            show_refusal(form, error)
        else:
            if not counts["removed"] and not counts["kept_done"]:
                return already(
                    request, _("C'est déjà fait : il n'y a plus rien à retirer."), "entry-list", slug
                )
            effects = changes_selector.effects_words(changes_selector.made(by=user, at=at))
            return saved(request, _("C'est fait : %(effects)s.") % {"effects": effects}, "entry-list", slug)
    return confirmation(
        request,
        form,
        touched.removal_touched(found, rows),
        title=_("Retirer des fiches de la liste"),
        action=_("Retirer de la liste"),
        cancel_url=reverse("entry-list", args=[slug]),
        hidden=[(HELD if name == "reason" else name, value) for name, value in values.items() if value],
        danger=True,
        campaign=found,
    )


def _filters(request: HttpRequest) -> EntryFilterForm:
    """Return the filters of the list, from the address or from the confirmation."""
    if request.method != "POST":
        return EntryFilterForm(request.GET)
    data = request.POST.copy()
    data["reason"] = data.get(HELD, "")
    return EntryFilterForm(data)
