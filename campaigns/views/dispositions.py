"""Which dispositions a campaign offers, what each does, and when it retries."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from campaigns import access
from campaigns.enums import Reach
from campaigns.forms.campaigns import DispositionRuleForm
from campaigns.models import Disposition
from campaigns.selectors import changes as changes_selector
from campaigns.selectors import dispositions as dispositions_selector
from campaigns.selectors import touched
from campaigns.services import campaigns
from campaigns.views.confirming import already, reason_form
from crm.access import role_required
from crm.enums import MANAGING
from crm.forms import show_refusal
from crm.rules.errors import DomainError
from crm.views.answers import now, saved, sent, user_of


@role_required(*MANAGING)
@require_safe
def dispositions(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the catalogue as this campaign uses it: what each does, and how often it was given."""
    found = access.get_campaign_or_404(user_of(request), slug)
    rows = dispositions_selector.offered(found)
    groups = [(reach.label, [row for row in rows if row.disposition.reach == reach]) for reach in Reach]
    context = {"campaign": found, "groups": groups, "tab": "dispositions"}
    return render(request, "campaigns/dispositions.html", context)


@role_required(*MANAGING)
@require_http_methods(["GET", "HEAD", "POST"])
def disposition(request: HttpRequest, slug: str, code: str) -> HttpResponse:
    """Show what a disposition does and has done; change whether it is offered and its delay, with a reason."""
    user, at = user_of(request), now()
    found = access.get_campaign_or_404(user, slug)
    chosen = get_object_or_404(Disposition, code=code, active=True)
    row = dispositions_selector.offered_one(found, chosen)
    form = DispositionRuleForm(
        sent(request), initial={"enabled": row.enabled, "hours": row.hours}, prefix=code
    )
    reason = reason_form(request)
    if request.method == "POST" and form.is_valid() and reason.is_bound and reason.is_valid():
        try:
            campaigns.set_disposition_rule(
                campaign=found,
                disposition=chosen,
                enabled=form.cleaned_data["enabled"],
                retry_after=form.delay(),
                by=user,
                at=at,
                reason=reason.cleaned_data["reason"],
            )
        except DomainError as error:
            show_refusal(form, error)
        else:
            if changes_selector.made(by=user, at=at) is None:
                return already(request, _("C'est déjà fait : rien n'a changé."), "dispositions", slug)
            message = _("« %(label)s » est enregistré.") % {"label": chosen.shown_label}
            return saved(request, message, "dispositions", slug)
    past = touched.disposition_touched(found, chosen, at=at)
    context = {
        "campaign": found,
        "row": row,
        "rule": form,
        "form": reason,
        "lines": past.lines,
        "note": past.note,
        "tab": "dispositions",
    }
    wrong = form.errors or (reason.is_bound and reason.errors)
    return render(request, "campaigns/disposition.html", context, status=422 if wrong else 200)
