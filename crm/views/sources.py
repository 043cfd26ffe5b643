"""Sources, the suppliers of files: the list, and one at a time."""

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from crm import access
from crm.enums import MANAGING
from crm.forms import SourceForm, show_refusal
from crm.models import Source, User
from crm.rules.errors import DomainError
from crm.selectors.sources import COUNTED, SOURCE_ORDERS, record_counts, sources_found
from crm.services import sponsors
from crm.views.answers import form_page, now, page_of, saved, sent, typed, user_of

FORM = "crm/source_form.html"


@access.role_required(*MANAGING)
@require_safe
def source_list(request: HttpRequest) -> HttpResponse:
    """List the sources that the user sees, their sponsors' and the common ones, with how many records they have."""
    user, q = user_of(request), typed(request)
    sort = request.GET.get("sort", "")
    rows = sources_found(_sources_of(user), q).order_by(*SOURCE_ORDERS.get(sort, SOURCE_ORDERS["name"]))
    page = page_of(request, rows)
    counts = record_counts([source.pk for source in page])
    context = {
        "page": page,
        "rows": [(source, counts.get(source.pk, 0)) for source in page],
        "q": q,
        "sort": sort if sort in SOURCE_ORDERS else "name",
        "cap": COUNTED,
    }
    return render(request, "crm/source_list.html", context)


@access.role_required(*MANAGING)
@require_http_methods(["GET", "HEAD", "POST"])
def source_new(request: HttpRequest) -> HttpResponse:
    """Show the form of a new source; create it."""
    user = user_of(request)
    form = SourceForm(sent(request), sponsors=access.sponsors_of(user))
    if request.method == "POST" and form.is_valid():
        try:
            source = sponsors.create_source(data=form.values(), by=user, at=now())
        except DomainError as error:
            show_refusal(form, error)
        else:
            return saved(request, _("%(name)s est créé.") % {"name": source.name}, "source-list")
    return form_page(request, FORM, form, {"title": _("Nouveau fournisseur de fichier")})


@access.role_required(*MANAGING)
@require_http_methods(["GET", "HEAD", "POST"])
def source(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a source's form; edit it."""
    user = user_of(request)
    found = get_object_or_404(_sources_of(user), pk=pk)
    title = found.name
    form = SourceForm(sent(request), instance=found, sponsors=access.sponsors_of(user))
    if request.method == "POST" and form.is_valid():
        try:
            sponsors.edit_source(source=found, data=form.values(), by=user, at=now())
        except DomainError as error:
            show_refusal(form, error)
        else:
            return saved(request, _("Enregistré."), "source-list")
    return form_page(request, FORM, form, {"title": title})


def _sources_of(user: User) -> QuerySet[Source]:
    """Return the sources inside the user's walls."""
    return Source.objects.filter(
        Q(sponsor__isnull=True) | Q(sponsor__in=access.sponsors_of(user))
    ).select_related("sponsor")
