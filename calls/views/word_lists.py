"""The words that notes are checked for: the lists, one at a time, and a sentence to try them on."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from calls.forms import WordListForm
from calls.models import WordList
from calls.selectors import word_lists as word_lists_selector
from calls.services.note_check import MASKS, quoted, verdict_of
from calls.services.word_lists import edit_word_list
from crm.access import role_required
from crm.enums import MANAGING
from crm.forms import show_refusal
from crm.rules.errors import DomainError
from crm.views.answers import form_page, now, saved, sent, user_of

TRIED = 2000


@role_required(*MANAGING)
@require_safe
def word_lists(request: HttpRequest) -> HttpResponse:
    """List the lists, with how many words each has and what is written instead; try a sentence."""
    rows = [(row, len(word_lists_selector.entries_of(row.words))) for row in word_lists_selector.word_lists()]
    return render(request, "calls/word_lists.html", {"rows": rows})


@role_required(*MANAGING)
@require_POST
def word_trial(request: HttpRequest) -> HttpResponse:
    """Answer the fragment with what the lists find in a sentence. Nothing of it is kept."""
    text = request.POST.get("text", "").strip()[:TRIED]
    verdict = verdict_of(None, text)
    labels = dict(WordList._meta.get_field("category").flatchoices)
    context: dict[str, Any] = {
        "text": text,
        "verdict": verdict,
        "findings": [(labels[one.category], quoted(one.words)) for one in verdict.findings],
        "removed": [MASKS[kind] for kind in verdict.removed],
    }
    return render(request, "calls/_word_trial.html", context)


@role_required(*MANAGING)
@require_http_methods(["GET", "HEAD", "POST"])
def word_list(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a list; change it."""
    found = get_object_or_404(WordList, pk=pk)
    form: forms.BaseForm = WordListForm(sent(request), initial=_initial(found))
    if request.method == "POST" and form.is_valid():
        try:
            edit_word_list(word_list=found, data=form.cleaned_data, by=user_of(request), at=now())
        except DomainError as error:
            show_refusal(form, error)
        else:
            return saved(request, _("La liste est enregistrée."), "word-lists")
    return form_page(request, "calls/word_list.html", form, {"word_list": found})


def _initial(found: WordList) -> dict[str, Any]:
    return {name: getattr(found, name) for name in WordListForm.base_fields}
