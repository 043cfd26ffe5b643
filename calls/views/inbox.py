"""The supervisor's inbox: one list for questions, corrections and incidents; each is decided once, with a reason."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from calls.enums import IncidentKind
from calls.forms import DecisionForm
from calls.selectors import inbox as inbox_selector
from calls.services.incidents import decide
from crm.access import role_required, sponsors_of
from crm.enums import SUPERVISING
from crm.forms import show_refusal
from crm.rules.errors import DomainError
from crm.views.answers import now, page_of, saved, user_of

ON_A_PAGE = 20


@role_required(*SUPERVISING)
@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    """List what waits for a decision, or (`?decided=1`) what was decided, by the `tab` of the address."""
    user = user_of(request)
    sponsors, tab = sponsors_of(user), request.GET.get("tab", "")
    decided = request.GET.get("decided") == "1"
    # Read before the list: what comes in between is then told as news, not missed.
    newest = inbox_selector.newest_waiting(sponsors)
    page = page_of(request, inbox_selector.incidents_found(sponsors, tab=tab, decided=decided), ON_A_PAGE)
    context = {
        "page": page,
        "items": [inbox_selector.item_of(row, managing=user.is_managing) for row in page],
        "counts": inbox_selector.waiting_counts(sponsors),
        "newest": newest,
        "tab": tab,
        "decided": decided,
        "dispositions": inbox_selector.dispositions_to_correct(),
    }
    return render(request, "calls/inbox.html", context)


@role_required(*SUPERVISING)
@require_safe
def inbox_news(request: HttpRequest) -> HttpResponse:
    """Tell the open inbox what came after the incident `?after=`; 204 when nothing did."""
    after = request.GET.get("after", "")
    kinds = inbox_selector.kinds_since(
        sponsors_of(user_of(request)), int(after) if after.isdecimal() and len(after) < 19 else 0
    )
    if not kinds:
        return HttpResponse(status=204)
    context = {"count": len(kinds), "calling": IncidentKind.HELP in kinds}
    return render(request, "calls/_inbox_news.html", context)


@role_required(*SUPERVISING)
@require_safe
def incident(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one incident with its whole context."""
    return _page(request, pk, DecisionForm())


@role_required(*SUPERVISING)
@require_POST
def incident_decision(request: HttpRequest, pk: int) -> HttpResponse:
    """Store the decision on an incident and do it; the same decision twice is one."""
    user = user_of(request)
    found = get_object_or_404(inbox_selector.incidents_of(sponsors_of(user)), pk=pk)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        return _page(request, pk, form)
    try:
        row = decide(incident=found, **form.cleaned_data, by=user, at=now())
    except DomainError as error:
        show_refusal(form, error)
        return _page(request, pk, form)
    return saved(request, _("Décidé : %(decision)s.") % {"decision": row.get_decision_display()}, "inbox")


def _page(request: HttpRequest, pk: int, form: DecisionForm) -> HttpResponse:
    user = user_of(request)
    found = get_object_or_404(inbox_selector.incidents_of(sponsors_of(user)), pk=pk)
    context = {
        "item": inbox_selector.item_of(found, managing=user.is_managing),
        "form": form,
        "dispositions": inbox_selector.dispositions_to_correct(),
        "open": True,
    }
    return render(request, "calls/inbox_incident.html", context, status=422 if form.errors else 200)
