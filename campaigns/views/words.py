"""The words of a campaign: opening, script, and the sentences of the closing, each with a preview."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from campaigns import access
from campaigns.enums import ScriptKind
from campaigns.forms.campaigns import ScriptForm, TextForm
from campaigns.models import Campaign
from campaigns.selectors import words as words_selector
from campaigns.services import campaigns
from crm.access import role_required
from crm.enums import MANAGING
from crm.forms import show_refusal
from crm.rules.errors import DomainError
from crm.views.answers import now, saved, user_of

#: What the address keeps when a text is stored: which fiche, and whether both languages are shown.
KEPT = ("fiche", "side")


@role_required(*MANAGING)
@require_safe
def words(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what is said in a campaign, in the `language` of the address, heard with the `fiche` of the address."""
    found = access.get_campaign_or_404(user_of(request), slug)
    return _page(request, found, _known(request.GET.get("language", found.language)))


@role_required(*MANAGING)
@require_POST
def words_preview(request: HttpRequest, slug: str) -> HttpResponse:
    """Answer the fragment with a sentence filled in from a real fiche of the campaign."""
    user = user_of(request)
    found = access.get_campaign_or_404(user, slug)
    language = _known(request.POST.get("language", found.language))
    fiche = words_selector.fiche_of(found, language, agent=user, pk=_fiche_asked(request.POST))
    where = request.POST.get("where", "")
    text = request.POST.get("text", "")[:4000] or request.POST.get("default", "")[:4000]
    context: dict[str, Any] = {"language": language}
    try:
        context["heard"] = words_selector.heard_anew(text, fiche, language, where=where)
    except DomainError as error:
        context["refusal"] = error
    return render(request, "campaigns/_say_preview.html", context)


def _fiche_asked(data: QueryDict) -> int | None:
    """Return the entry that the address or the form names, null when it names none."""
    asked = data.get("fiche", "")
    return int(asked) if asked.isdecimal() and len(asked) < 18 else None


@role_required(*MANAGING)
@require_POST
def closing_step(request: HttpRequest, slug: str, language: str, kind: str, step: str) -> HttpResponse:
    """Store a campaign's own sentence for a step of the closing; blank goes back to the default one."""
    user = user_of(request)
    found = access.get_campaign_or_404(user, slug)
    if not words_selector.is_step(kind, step):
        raise Http404

    def store(text: str) -> None:
        campaigns.set_closing_step(
            campaign=found, language=_known(language), kind=kind, step=step, text=text, by=user, at=now()
        )

    return _stored(request, found, language, f"{kind}-{step}", TextForm(request.POST), store)


@role_required(*MANAGING)
@require_POST
def script(request: HttpRequest, slug: str, language: str, kind: str) -> HttpResponse:
    """Store the opening sentence or the script of a campaign in one language; blank removes it."""
    user = user_of(request)
    found = access.get_campaign_or_404(user, slug)
    if kind not in ScriptKind.values:
        raise Http404

    def store(text: str) -> None:
        campaigns.set_script(
            campaign=found, kind=kind, language=_known(language), text=text, by=user, at=now()
        )

    return _stored(request, found, language, kind, ScriptForm(request.POST), store)


def _known(language: str) -> str:
    """Return the language when a campaign can have words in it, else 404."""
    if language not in words_selector.LANGUAGES:
        raise Http404
    return language


def _stored(
    request: HttpRequest,
    campaign: Campaign,
    language: str,
    key: str,
    form: forms.Form,
    store: Callable[[str], None],
) -> HttpResponse:
    """Store a valid text and go back to its place on the page; else show the page with what was typed."""
    if form.is_valid():
        text = "" if request.POST.get("reset") else form.cleaned_data["text"]
        try:
            store(text)
        except DomainError as error:
            show_refusal(form, error)
        else:
            message = (
                _("Le texte est enregistré.") if text.strip() else _("La phrase par défaut est de retour.")
            )
            saved(request, message, "words", campaign.slug)
            asked = {
                "language": language,
                **{name: request.POST[name] for name in KEPT if request.POST.get(name)},
            }
            return redirect(f"{reverse('words', args=[campaign.slug])}?{urlencode(asked)}#{key}")
    return _page(request, campaign, _known(language), {key: form}, status=422)


def _page(
    request: HttpRequest,
    campaign: Campaign,
    language: str,
    refused: dict[str, forms.Form] | None = None,
    status: int = 200,
) -> HttpResponse:
    data = request.POST if request.method == "POST" else request.GET
    fiche = words_selector.fiche_of(campaign, language, agent=user_of(request), pk=_fiche_asked(data))
    blocks = words_selector.blocks(campaign, language, fiche)
    rows = [(block, (refused or {}).get(block.key) or _form_of(block)) for block in blocks]
    context: dict[str, Any] = {
        "campaign": campaign,
        "language": language,
        "languages": words_selector.LANGUAGES,
        "side": bool(data.get("side")),
        "fiche": fiche,
        "rows": rows,
        "closings": words_selector.closings(blocks, fiche, language),
        "placeholders": words_selector.placeholders(),
        "tab": "words",
    }
    return render(request, "campaigns/words.html", context, status=status)


def _form_of(block: words_selector.Block) -> forms.Form:
    initial = {"text": block.text}
    return TextForm(initial=initial) if block.step else ScriptForm(initial=initial)
