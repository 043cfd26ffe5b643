"""The e-mails that a campaign may send after a call: the list, and one at a time with its preview."""

from copy import copy
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns import access
from campaigns.forms.follow_ups import FollowUpTemplateForm
from campaigns.models import Campaign, FollowUpTemplate
from campaigns.rules.texts import check_text
from campaigns.rules.texts import render as filled
from campaigns.selectors import words as words_selector
from campaigns.services.follow_ups import save_follow_up_template
from crm.access import role_required
from crm.enums import MANAGING
from crm.forms import show_refusal
from crm.models import User
from crm.rules.errors import DomainError
from crm.views.answers import form_page, now, saved, sent, user_of

FORM = "campaigns/follow_up_form.html"


@role_required(*MANAGING)
@require_safe
def follow_up_list(request: HttpRequest, slug: str) -> HttpResponse:
    """List the templates of a campaign, those out of use last."""
    found = access.get_campaign_or_404(user_of(request), slug)
    rows = FollowUpTemplate.objects.filter(campaign=found).order_by("-active", "name")
    context = {"campaign": found, "templates": rows, "tab": "follow-ups"}
    return render(request, "campaigns/follow_up_list.html", context)


@role_required(*MANAGING)
@require_http_methods(["GET", "HEAD", "POST"])
def follow_up_new(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the form of a new template; create it."""
    found = access.get_campaign_or_404(user_of(request), slug)
    template = FollowUpTemplate(campaign=found, language=found.language)
    return _form(request, found, template, title=_("Nouveau modèle d'e-mail"))


@role_required(*MANAGING)
@require_http_methods(["GET", "HEAD", "POST"])
def follow_up(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Show the form of a template; change it."""
    found = access.get_campaign_or_404(user_of(request), slug)
    template = get_object_or_404(FollowUpTemplate, campaign=found, pk=pk)
    return _form(request, found, template, title=template.name)


@role_required(*MANAGING)
@require_POST
def follow_up_preview(request: HttpRequest, slug: str) -> HttpResponse:
    """Answer the fragment with the e-mail as it would read to a real fiche of the campaign."""
    user = user_of(request)
    found = access.get_campaign_or_404(user, slug)
    told = {name: request.POST.get(name, "")[:4000] for name in ("subject", "body")}
    context = _preview(found, user, request.POST.get("language", ""), **told)
    return render(request, "campaigns/_follow_up_preview.html", context)


def _form(
    request: HttpRequest, campaign: Campaign, template: FollowUpTemplate, *, title: str
) -> HttpResponse:
    user = user_of(request)
    form = FollowUpTemplateForm(sent(request), instance=copy(template))
    if request.method == "POST" and form.is_valid():
        try:
            row = save_follow_up_template(
                campaign=campaign,
                template=template if template.pk else None,
                data=form.cleaned_data,
                by=user,
                at=now(),
            )
        except DomainError as error:
            show_refusal(form, error)
        else:
            message = _("Le modèle « %(name)s » est enregistré.") % {"name": row.name}
            return saved(request, message, "follow-up-list", campaign.slug)
    context = {
        "campaign": campaign,
        "title": title,
        "tab": "follow-ups",
        "placeholders": words_selector.placeholders(),
        **_preview(campaign, user, template.language, subject=template.subject, body=template.body),
    }
    return form_page(request, FORM, form, context)


def _preview(campaign: Campaign, user: User, language: str, *, subject: str, body: str) -> dict[str, Any]:
    """Return the texts filled in from a fiche of the campaign, or why they cannot be."""
    language = language if language in words_selector.LANGUAGES else campaign.language
    if not (subject.strip() or body.strip()):
        return {}
    try:
        texts = [check_text(text, maximum=4000) if text.strip() else "" for text in (subject, body)]
    except DomainError as refusal:
        return {"refusal": refusal}
    fiche = words_selector.fiche_of(campaign, language, agent=user)
    read_subject, read_body = (filled(text, fiche.values, language) for text in texts)
    return {"read_subject": read_subject, "read_body": read_body}
