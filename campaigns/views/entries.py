"""The list of a campaign: who is in it, in which state and why; adding and removing."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from campaigns import access
from campaigns.forms.lists import AddProspectsForm, EntryFilterForm, ResetForm
from campaigns.models import Campaign
from campaigns.selectors import entries as entries_selector
from campaigns.services import entries
from crm.access import prospects_of, role_required
from crm.enums import MANAGING, SUPERVISING
from crm.forms import show_refusal
from crm.rules.errors import DomainError, Forbidden
from crm.views.answers import now, page_of, refused, saved, sent, user_of


@role_required(*SUPERVISING)
@require_http_methods(["GET", "HEAD", "POST"])
def entry_list(request: HttpRequest, slug: str) -> HttpResponse:
    """List the entries of a campaign by the filters of the address; POST adds fiches to it."""
    found = access.get_campaign_or_404(user_of(request), slug)
    if request.method == "POST":
        return _add(request, found)
    return _page(request, found, AddProspectsForm())


@role_required(*MANAGING)
@require_POST
def entry_removal(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Take a fiche out of a campaign's list."""
    user = user_of(request)
    found = access.get_campaign_or_404(user, slug)
    entry = get_object_or_404(found.entries.select_related("prospect"), pk=pk)
    try:
        entries.remove_prospect(campaign=found, prospect=entry.prospect, by=user, at=now())
    except DomainError as error:
        return refused(request, error, "entry-list", slug)
    message = _("%(name)s n'est plus dans la liste.") % {"name": entry.prospect.display_name}
    return saved(request, message, "entry-list", slug)


@role_required(*MANAGING)
@require_http_methods(["GET", "HEAD", "POST"])
def list_reset(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what a reset of the list would do; do it, with a reason. Exclusions and hors-critères never move."""
    user = user_of(request)
    found = access.get_campaign_or_404(user, slug)
    form = ResetForm(sent(request))
    if request.method == "POST" and form.is_valid():
        try:
            count = entries.reset_list(campaign=found, **form.cleaned_data, by=user, at=now())
        except DomainError as error:
            show_refusal(form, error)
        else:
            message = ngettext("%(n)d fiche est rouverte.", "%(n)d fiches sont rouvertes.", count) % {
                "n": count
            }
            return saved(request, message, "entry-list", slug)
    context = {
        "campaign": found,
        "form": form,
        "states": entries_selector.counts_by_state(found),
        "tab": "entries",
    }
    return render(request, "campaigns/list_reset.html", context, status=422 if form.errors else 200)


def _add(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    user = user_of(request)
    if user.role not in MANAGING:
        return refused(request, Forbidden(), "entry-list", campaign.slug)
    form = AddProspectsForm(request.POST)
    if not form.is_valid():
        return _page(request, campaign, form)
    ids = form.cleaned_data["prospects"]
    known = list(prospects_of(user).filter(pk__in=ids))
    if len(known) < len(ids):
        missing = ", ".join(str(pk) for pk in ids if pk not in {prospect.pk for prospect in known})
        form.add_error("prospects", _("Aucune fiche ne porte ce numéro : %(missing)s") % {"missing": missing})
        return _page(request, campaign, form)
    try:
        result = entries.add_prospects(campaign=campaign, prospects=known, by=user, at=now())
    except DomainError as error:
        show_refusal(form, error)
        return _page(request, campaign, form)
    return saved(request, _added_words(result), "entry-list", campaign.slug)


def _added_words(result: entries.AddResult) -> str:
    """Return what became of the fiches that were given, without what did not happen."""
    counts = (
        (_("%d appelable(s)"), result.added),
        (_("%d déjà dans la liste"), result.already),
        (_("%d exclue(s)"), result.excluded),
        (_("%d hors-critères sur papier"), result.screened_out),
        (_("%d sans numéro à composer"), result.without_number),
        (_("%d refusée(s) : d'un autre donneur d'ordre"), result.refused),
    )
    return ", ".join(words % count for words, count in counts if count) + "."


def _page(request: HttpRequest, campaign: Campaign, form: AddProspectsForm) -> HttpResponse:
    filters = EntryFilterForm(request.GET)
    rows = entries_selector.entries_found(campaign, **filters.values())
    page = page_of(request, rows)
    context = {
        "campaign": campaign,
        "filters": filters,
        "form": form,
        "page": page,
        "rows": [
            (entry, entries_selector.shown_number(entry), entries_selector.why(entry)) for entry in page
        ],
        "states": entries_selector.counts_by_state(campaign),
        "now": now(),
        "filtered": any(filters.values().values()),
        "tab": "entries",
    }
    return render(request, "campaigns/entry_list.html", context, status=422 if form.errors else 200)
