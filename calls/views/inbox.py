"""The supervisor's inbox: one list for questions, corrections and incidents; each is decided once, with a reason."""

from collections.abc import Sequence
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from calls.enums import LIVE
from calls.forms import DecisionForm, InboxFilterForm
from calls.models import Incident
from calls.selectors import bans as bans_selector
from calls.selectors import inbox as inbox_selector
from calls.services.help import see_incidents
from calls.services.incidents import decide
from crm.access import role_required, sponsors_of
from crm.enums import SUPERVISING
from crm.forms import show_refusal
from crm.models import User
from crm.rules.errors import DomainError
from crm.views.answers import now, page_of, saved, user_of

ON_A_PAGE = 20


@role_required(*SUPERVISING)
@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    """List what waits for a decision, or (`?decided=1`) what was decided, as the address narrows it."""
    user = user_of(request)
    sponsors, decided = sponsors_of(user), request.GET.get("decided") == "1"
    # Read before the list: what comes in between is then told as news, not missed.
    waiting = inbox_selector.waiting(sponsors)
    offered = inbox_selector.choices_of_filters(sponsors, decided=decided)
    filters = InboxFilterForm(request.GET, offered=offered)
    wanted = filters.values(decided=decided)
    # What waits in a whole tab is counted already.
    counted = None if decided or filters.is_narrowing else waiting.of(wanted.tab)
    rows = inbox_selector.incidents_found(sponsors, wanted, at=now())
    page = page_of(request, rows, ON_A_PAGE, count=counted)
    items = inbox_selector.items_of(sponsors, [row.pk for row in page], reader=user)
    _seen(items, user)
    context = {
        "page": page,
        "items": items,
        "bans_waiting": bans_selector.waiting_for(user),
        "waiting": waiting,
        "filters": filters,
        "filtered": filters.is_narrowing,
        "tab": wanted.tab,
        "decided": decided,
        "dispositions": inbox_selector.dispositions_to_correct(),
    }
    return render(request, "calls/inbox.html", context)


@role_required(*SUPERVISING)
@require_safe
def inbox_news(request: HttpRequest) -> HttpResponse:
    """Tell an open page what waits now; 204 when that is what it has `seen`.

    The inbox itself also sends what its list is made of: `after`, its newest incident, and `on`, those it shows
    undecided. It is told what came, and what somebody else decided.
    """
    user = user_of(request)
    sponsors, sent = sponsors_of(user), request.GET
    waiting = inbox_selector.waiting(sponsors)
    if sent.get("seen") == waiting.token:
        return HttpResponse(status=204)
    context: dict[str, Any] = {"waiting": waiting}
    shown = [_number(text) for text in sent.getlist("on")[: 2 * ON_A_PAGE]]
    if waiting.calling:
        context["calling_now"] = inbox_selector.calling_now(sponsors, besides=shown)
    if "after" in sent:
        kinds = inbox_selector.kinds_since(sponsors, _number(sent["after"]))
        context |= {
            "in_inbox": True,
            "count": len(kinds),
            "calling": not LIVE.isdisjoint(kinds),
            "decisions": inbox_selector.decisions_on(sponsors, shown),
        }
    return render(request, "calls/_inbox_news.html", context)


@role_required(*SUPERVISING)
@require_safe
def incident(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one incident with its whole context."""
    return _page(request, pk, DecisionForm())


@role_required(*SUPERVISING)
@require_POST
def incident_decision(request: HttpRequest, pk: int) -> HttpResponse:
    """Store the decision on an incident and do it; the same decision twice is one.

    The inbox gets the item back in its place: folded with what was decided, here or meanwhile by somebody else.
    """
    user = user_of(request)
    found = get_object_or_404(Incident.objects.filter(sponsor__in=sponsors_of(user)), pk=pk)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        return _answer(request, pk, form)
    try:
        row = decide(incident=found, **form.cleaned_data, by=user, at=now())
    except DomainError as error:
        show_refusal(form, error)
        return _answer(request, pk, form)
    if "HX-Request" in request.headers:
        return _answer(request, pk, form)
    if row.by_id != user.pk:
        return _page(request, pk, form)
    return saved(request, _("Décidé : %(decision)s.") % {"decision": row.get_decision_display()}, "inbox")


def _answer(request: HttpRequest, pk: int, form: DecisionForm) -> HttpResponse:
    """Answer the item alone to the list that it stands in, or its page."""
    if "HX-Request" not in request.headers:
        return _page(request, pk, form)
    context = _context(user_of(request), pk, form) | {"in_list": True}
    response = render(request, "calls/inbox_item.html", context, status=_status(form, context))
    response["HX-Trigger"] = "inbox-decided"
    return response


def answer_with_item(
    request: HttpRequest, pk: int, form: DecisionForm, refusal: DomainError | None = None
) -> HttpResponse:
    """Answer with the item as it stands now, in its list or on its page, below the sentence of a refusal."""
    in_list = "HX-Request" in request.headers
    context = _context(user_of(request), pk, form) | {
        "refusal": refusal,
        "in_list": in_list,
        "open": not in_list,
    }
    template = "calls/inbox_item.html" if in_list else "calls/inbox_incident.html"
    status = refusal.status if refusal else 200
    response = render(request, template, context, status=status)
    response["HX-Trigger"] = "inbox-decided"
    return response


def _seen(items: Sequence[inbox_selector.Item], user: User) -> None:
    """Tell the agents who wait that their call is before somebody's eyes."""
    unseen = [item.incident for item in items if all(row.by_id != user.pk for row in item.answers_given)]
    see_incidents(incidents=unseen, by=user, at=now())


def _page(request: HttpRequest, pk: int, form: DecisionForm) -> HttpResponse:
    context = _context(user_of(request), pk, form) | {"open": True}
    return render(request, "calls/inbox_incident.html", context, status=_status(form, context))


def _context(user: User, pk: int, form: DecisionForm) -> dict[str, Any]:
    item = inbox_selector.item_of(sponsors_of(user), pk, reader=user)
    if item is None:
        raise Http404
    _seen([item], user)
    row = getattr(item.incident, "decision_row", None)
    return {
        "item": item,
        "form": form,
        "elsewhere": form.is_bound and row is not None and row.by_id != user.pk,
        "just_now": form.is_bound and not form.errors,
        "dispositions": inbox_selector.dispositions_to_correct(),
    }


def _status(form: DecisionForm, context: dict[str, Any]) -> int:
    """Somebody else was first: 409. Refused: 422. Shown or decided: 200."""
    if context["elsewhere"]:
        return 409
    return 422 if form.errors else 200


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 19 else 0
