"""The second step of a far-reaching change: what it will touch, its reason, and the button that does it."""

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from campaigns.rules.consequences import Touched
from crm.forms import ReasonForm

#: What a confirmation does not carry on from the form before it.
OWN = frozenset({"csrfmiddlewaretoken", "reason", "back"})


def reason_form(request: HttpRequest, *, required: bool = True) -> ReasonForm:
    """Return the form of the reason: bound once a reason was sent, which only a confirmation does."""
    is_sent = request.method == "POST" and "reason" in request.POST
    form = ReasonForm(request.POST if is_sent else None)
    form.fields["reason"].required = required
    form.fields["reason"].help_text = _(
        "Il est gardé dans l'historique. N'y écrivez ni nom ni numéro de personne."
    )
    return form


def carried(data: QueryDict) -> list[tuple[str, str]]:
    """Return what was sent before, as the hidden fields of the confirmation."""
    return [(name, str(value)) for name, values in data.lists() if name not in OWN for value in values]


def confirmation(
    request: HttpRequest,
    form: Form,
    touched: Touched,
    *,
    title: str,
    action: str,
    cancel_url: str,
    hidden: Iterable[tuple[str, str]] = (),
    danger: bool = False,
    **context: Any,
) -> HttpResponse:
    """Show what a change will touch and ask for its reason: 200, or 422 when the reason or the change is refused."""
    context |= {
        "title": title,
        "form": form,
        "lines": touched.lines,
        "note": touched.note,
        "action": action,
        "danger": danger,
        "cancel_url": cancel_url,
        "hidden": list(hidden),
    }
    wrong = form.is_bound and form.errors
    return render(request, "campaigns/confirmation.html", context, status=422 if wrong else 200)


def already(request: HttpRequest, message: Any, to: str, *args: Any) -> HttpResponseRedirect:
    """Say that it is done already and go to the page that shows it."""
    messages.info(request, str(message))
    return redirect(to, *args)
