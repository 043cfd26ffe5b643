"""The erasure of a person: its consequences first, then a reason; the exclusions stay."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from calls.forms import ErasureForm
from calls.selectors.erasure import erasure_counts
from calls.services.erasure import erase_prospect
from crm.access import get_prospect_or_404, role_required
from crm.enums import MANAGING
from crm.forms import show_refusal
from crm.rules.errors import DomainError
from crm.views.answers import now, saved, sent, user_of


@role_required(*MANAGING)
@require_http_methods(["GET", "HEAD", "POST"])
def prospect_erasure(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what an erasure removes and what stays; erase the person, with a reason."""
    user = user_of(request)
    found = get_prospect_or_404(user, pk)
    form = ErasureForm(sent(request))
    if request.method == "POST" and form.is_valid():
        try:
            erase_prospect(prospect=found, reason=form.cleaned_data["reason"], by=user, at=now())
        except DomainError as error:
            show_refusal(form, error)
        else:
            return saved(request, _("La personne est effacée ; ses exclusions restent."), "prospect", pk)
    context = {"prospect": found, "form": form, "counts": erasure_counts(found)}
    return render(request, "calls/erasure.html", context, status=422 if form.errors else 200)
