"""Lifting an exclusion: what it would let through is shown first."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from campaigns import access
from campaigns.selectors import changes as changes_selector
from campaigns.selectors import lifting
from campaigns.services import exclusions
from campaigns.views.confirming import already, confirmation, reason_form
from crm.access import role_required
from crm.enums import SUPERVISING
from crm.forms import show_refusal
from crm.rules.errors import DomainError
from crm.views.answers import now, saved, user_of


@role_required(*SUPERVISING)
@require_http_methods(["GET", "HEAD", "POST"])
def exclusion_lift(request: HttpRequest, pk: int) -> HttpResponse:
    """Show who would come back if an exclusion were lifted, and what still holds the others; lift it, with a reason."""
    user, at = user_of(request), now()
    found = access.get_exclusion_or_404(user, pk)
    if found.lifted_at is not None:
        return already(request, _("C'est déjà fait : cette exclusion est levée."), "exclusion", pk)
    form = reason_form(request)
    if form.is_bound and form.is_valid():
        try:
            exclusions.lift_exclusion(exclusion=found, reason=form.cleaned_data["reason"], by=user, at=at)
        except DomainError as error:
            show_refusal(form, error)
        else:
            effects = changes_selector.effects_words(changes_selector.made(by=user, at=at))
            return saved(
                request, _("L'exclusion est levée : %(effects)s.") % {"effects": effects}, "exclusion", pk
            )
    return confirmation(
        request,
        form,
        lifting.lift_touched(found, user=user),
        title=_("Lever l'exclusion"),
        action=_("Lever l'exclusion"),
        cancel_url=reverse("exclusion", args=[pk]),
        exclusion=found,
        details=lifting.exclusion_details(found),
        details_title=_("L'exclusion"),
    )
