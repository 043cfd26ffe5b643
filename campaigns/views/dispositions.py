"""Which dispositions a campaign offers, and when it retries."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from campaigns import access
from campaigns.forms.campaigns import DispositionRuleForm
from campaigns.models import Disposition
from campaigns.selectors import words as words_selector
from campaigns.services import campaigns
from crm.access import role_required
from crm.enums import MANAGING
from crm.rules.errors import DomainError
from crm.views.answers import now, refused, saved, user_of


@role_required(*MANAGING)
@require_safe
def dispositions(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the catalogue as this campaign uses it."""
    found = access.get_campaign_or_404(user_of(request), slug)
    rows = [
        (
            row,
            DispositionRuleForm(
                initial={"enabled": row.enabled, "hours": row.hours}, prefix=row.disposition.code
            ),
        )
        for row in words_selector.offered(found)
    ]
    return render(
        request, "campaigns/dispositions.html", {"campaign": found, "rows": rows, "tab": "dispositions"}
    )


@role_required(*MANAGING)
@require_POST
def disposition(request: HttpRequest, slug: str, code: str) -> HttpResponse:
    """Change whether a campaign offers a disposition, and after how many hours it retries."""
    user = user_of(request)
    found = access.get_campaign_or_404(user, slug)
    chosen = get_object_or_404(Disposition, code=code)
    form = DispositionRuleForm(request.POST, prefix=code)
    if not form.is_valid():
        return refused(
            request, DomainError(_("Donnez un nombre d'heures entre 0 et 8760.")), "dispositions", slug
        )
    try:
        campaigns.set_disposition_rule(
            campaign=found,
            disposition=chosen,
            enabled=form.cleaned_data["enabled"],
            retry_after=form.delay(),
            by=user,
            at=now(),
        )
    except DomainError as error:
        return refused(request, error, "dispositions", slug)
    return saved(
        request, _("« %(label)s » est enregistré.") % {"label": chosen.shown_label}, "dispositions", slug
    )
