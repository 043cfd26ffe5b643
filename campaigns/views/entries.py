"""The list of a campaign: who is in it, in which state and why; adding and removing."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from campaigns import access
from campaigns.forms.lists import AddProspectsForm, EntryFilterForm
from campaigns.models import Campaign
from campaigns.selectors import entries as entries_selector
from campaigns.services import entries
from crm.access import prospects_of, role_required
from crm.enums import MANAGING, SUPERVISING
from crm.forms import show_refusal
from crm.rules.errors import DomainError, Forbidden
from crm.selectors.keyset import page_at, place_of
from crm.views.answers import PAGE_SIZE, now, refused, saved, user_of


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
    at = now()
    filters = EntryFilterForm(request.GET, choices=entries_selector.choices_of(campaign))
    values = filters.values()
    rows, count = entries_selector.found_and_counted(campaign, at=at, **values)
    sort = request.GET.get("sort", "")
    page = page_at(
        rows,
        entries_selector.order_of(sort),
        place_of(request.GET.get("after"), request.GET.get("before")),
        size=PAGE_SIZE,
        dress=entries_selector.with_rows,
        count=count,
    )
    context = {
        "campaign": campaign,
        "filters": filters,
        "form": form,
        "page": page,
        "rows": [
            (entry, entries_selector.shown_number(entry), entries_selector.why(entry)) for entry in page.rows
        ],
        "sort": sort,
        "now": at,
        "filtered": any(values.values()),
        "tab": "entries",
    }
    return render(request, "campaigns/entry_list.html", context, status=422 if form.errors else 200)
