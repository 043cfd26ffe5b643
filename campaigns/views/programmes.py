"""Programmes and their criteria: what a criterion would do is shown in numbers before it is saved."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns import access
from campaigns.forms.programmes import (
    ConditionForm,
    CriterionForm,
    ProgrammeForm,
    ProgrammeSearchForm,
    initial_of,
)
from campaigns.models import Criterion, Programme
from campaigns.rules.consequences import Touched
from campaigns.selectors import changes as changes_selector
from campaigns.selectors import criteria as criteria_selector
from campaigns.selectors import judged
from campaigns.selectors import programmes as programmes_selector
from campaigns.services import programmes
from campaigns.views.confirming import already, carried, confirmation, reason_form
from crm.access import role_required, sponsors_of
from crm.enums import MANAGING, SUPERVISING
from crm.forms import show_refusal
from crm.rules.errors import DomainError
from crm.views.answers import form_page, now, page_of, saved, sent, user_of

FORM = "campaigns/programme_form.html"
CRITERION = "campaigns/criterion_form.html"
#: Records shown behind a number of a criterion's consequences: enough to see whom it means.
SHOWN = 1_000
#: Lines of the history on the page of a programme.
LATEST = 5


@role_required(*SUPERVISING)
@require_safe
def programme_list(request: HttpRequest) -> HttpResponse:
    """List the programmes that the user sees, with their counts, by the search of the address."""
    form = ProgrammeSearchForm(request.GET)
    text = form.text()
    page = page_of(request, programmes_selector.programmes_found(user_of(request), text))
    context = {"page": page, "form": form, "filtered": bool(text)}
    return render(request, "campaigns/programme_list.html", context)


@role_required(*SUPERVISING)
@require_safe
def programme(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a programme: its criteria with what they do to the fiches and their versions, its campaigns, its history."""
    user = user_of(request)
    found = access.get_programme_or_404(user, pk)
    changes = list(changes_selector.changes_found(user, programme=pk)[:LATEST])
    campaigns = programmes_selector.campaigns_counted(found)
    criteria, retired, estimated = programmes_selector.criteria_told(found, campaigns)
    context = {
        "programme": found,
        "criteria": criteria,
        "estimated": estimated,
        "retired": retired,
        "campaigns": campaigns,
        "changes": changes_selector.told_of(changes),
    }
    return render(request, "campaigns/programme.html", context)


@role_required(*MANAGING)
@require_http_methods(["GET", "HEAD", "POST"])
def programme_new(request: HttpRequest) -> HttpResponse:
    """Show the form of a new programme; create it."""
    user = user_of(request)
    initial = {"sponsor": request.GET.get("sponsor")}
    form = ProgrammeForm(sent(request), initial=initial, sponsors=sponsors_of(user))
    if request.method == "POST" and form.is_valid():
        try:
            created = programmes.create_programme(**form.cleaned_data, by=user, at=now())
        except DomainError as error:
            show_refusal(form, error)
        else:
            message = _("%(name)s est créée. Ajoutez maintenant ses critères.") % {"name": created.name}
            return saved(request, message, "programme", created.pk)
    return form_page(request, FORM, form, {"title": _("Nouvelle démarche")})


@role_required(*MANAGING)
@require_http_methods(["GET", "HEAD", "POST"])
def programme_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the form of a programme; edit its name and subject."""
    user = user_of(request)
    found = access.get_programme_or_404(user, pk)
    title = found.name
    form = ProgrammeForm(sent(request), instance=found, sponsors=sponsors_of(user))
    if request.method == "POST" and form.is_valid():
        data = {name: form.cleaned_data[name] for name in ("name", "subject")}
        try:
            programmes.edit_programme(programme=found, **data, by=user, at=now())
        except DomainError as error:
            show_refusal(form, error)
        else:
            return saved(request, _("Enregistré."), "programme", pk)
    return form_page(request, FORM, form, {"title": title, "programme": found})


@role_required(*MANAGING)
@require_http_methods(["GET", "HEAD", "POST"])
def criterion_new(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the form of a new criterion, then what it would touch; add it with a reason."""
    found = access.get_programme_or_404(user_of(request), pk)
    initial = {"position": (found.criteria.count() + 1) * 10}
    return _criterion_page(request, found, None, initial)


@role_required(*MANAGING)
@require_http_methods(["GET", "HEAD", "POST"])
def criterion(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the form of a criterion, then what the edited one would touch; save it, a new version, with a reason."""
    found = access.get_criterion_or_404(user_of(request), pk)
    return _criterion_page(request, found.programme, found, initial_of(found))


def _criterion_page(
    request: HttpRequest, programme: Programme, old: Criterion | None, initial: dict[str, Any]
) -> HttpResponse:
    form = CriterionForm(sent(request), initial=initial)
    if request.method == "POST" and form.is_valid() and "back" not in request.POST:
        try:
            return _criterion_step(request, programme, old, form)
        except DomainError as error:
            show_refusal(form, error)
    context = {
        "programme": programme,
        "criterion": old,
        "title": _("Critère : %(question)s") % {"question": old.question} if old else _("Nouveau critère"),
        "keys": criteria_selector.attribute_keys(programme),
        "versions": programmes_selector.versions_told(old) if old else [],
    }
    return form_page(request, CRITERION, form, context)


def _criterion_step(
    request: HttpRequest, programme: Programme, old: Criterion | None, form: CriterionForm
) -> HttpResponse:
    """Save the criterion once its reason is given, else show what it would touch. Raises DomainError."""
    user, at = user_of(request), now()
    reason = reason_form(request)
    new = programmes.draft_criterion(programme=programme, criterion=old, data=form.values())
    details = programmes_selector.differences(old, new)
    if old is not None and not details and reason.is_bound:
        return already(request, _("C'est déjà fait : le critère est tel quel."), "programme", programme.pk)
    if reason.is_bound and reason.is_valid():
        given = {"data": form.values(), "reason": reason.cleaned_data["reason"], "by": user, "at": at}
        if old is None:
            programmes.add_criterion(programme=programme, **given)
        else:
            programmes.edit_criterion(criterion=old, **given)
        effects = changes_selector.effects_words(changes_selector.made(by=user, at=at))
        message = _("Le critère est enregistré : %(effects)s.") % {"effects": effects}
        return saved(request, message, "programme", programme.pk)
    rewritten = judged.Rewritten(programme, old, new)
    return confirmation(
        request,
        reason,
        _linked(judged.criterion_touched(rewritten), programme, old, form),
        title=_("Modifier un critère") if old else _("Ajouter un critère"),
        action=_("Enregistrer le critère") if old else _("Ajouter le critère"),
        cancel_url=reverse("programme", args=[programme.pk]),
        hidden=carried(request.POST),
        programme=programme,
        details=details,
        back=True,
    )


def _linked(touched: Touched, programme: Programme, old: Criterion | None, form: Any) -> Touched:
    """Give each count of a criterion's consequences the address of its records."""
    asked = {name: form.data[name] for name in ConditionForm().fields if form.data.get(name)}
    if old is not None:
        asked["criterion"] = str(old.pk)
    base = reverse("criterion-records", args=[programme.pk])

    def url(code: str) -> str:
        if code == "bars":
            kept = {"reason": "out_of_criteria", "programme": str(programme.pk), "origin": "call"}
            return f"{reverse('exclusion-list')}?{urlencode(kept)}"
        return f"{base}?{urlencode({**asked, 'effect': code})}" if code in judged.EFFECTS else ""

    return touched.linked(url)


@role_required(*MANAGING)
@require_POST
def criterion_preview(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer the fragment with what a criterion that is not saved yet would do to the lists."""
    found = access.get_programme_or_404(user_of(request), pk)
    fragment = "campaigns/_criterion_counts.html"
    form = ConditionForm(request.POST)
    if not form.is_valid():
        return render(request, fragment, {"errors": form.errors})
    old = _named(found, request.POST.get("criterion", ""))
    try:
        new = programmes.draft_condition(programme=found, criterion=old, data=form.flags())
        touched = judged.criterion_touched(judged.Rewritten(found, old, new))
    except DomainError as error:
        return render(request, fragment, {"refusal": error})
    return render(request, fragment, {"touched": _linked(touched, found, old, form)})


@role_required(*MANAGING)
@require_safe
def criterion_records(request: HttpRequest, pk: int) -> HttpResponse:
    """List the fiches behind one number of a criterion's consequences; the criterion is in the address."""
    found = access.get_programme_or_404(user_of(request), pk)
    effect = request.GET.get("effect", "")
    form = ConditionForm(request.GET)
    old = _named(found, request.GET.get("criterion", ""))
    context: dict[str, Any] = {"programme": found, "criterion": old, "effect": effect}
    try:
        if request.GET.get("retire") and old is not None:
            new = None
        elif form.is_valid():
            new = programmes.draft_condition(programme=found, criterion=old, data=form.flags())
        else:
            return render(request, "campaigns/criterion_records.html", context | {"refusal": True})
        rows = judged.records_touched(judged.Rewritten(found, old, new), effect)
    except DomainError as error:
        return render(request, "campaigns/criterion_records.html", context | {"refusal": error})
    page = page_of(request, rows.select_related("prospect", "campaign").order_by("id")[:SHOWN])
    context["page"] = page
    context["is_cut"] = page.paginator.count == SHOWN
    context["title"] = programmes_selector.effect_title(effect, page.paginator.count)
    return render(request, "campaigns/criterion_records.html", context)


def _named(programme: Programme, pk: str) -> Criterion | None:
    """Return the criterion of the programme that a form edits, null for a new one; 404 for any other."""
    if not pk:
        return None
    rows = Criterion.objects.filter(programme=programme, retired_at__isnull=True)
    return get_object_or_404(rows, pk=pk if pk.isdecimal() and len(pk) < 18 else 0)


@role_required(*MANAGING)
@require_http_methods(["GET", "HEAD", "POST"])
def criterion_retirement(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what retiring a criterion would touch; retire it, with a reason: it is asked no more."""
    user, at = user_of(request), now()
    rows = Criterion.objects.filter(programme__in=access.programmes_of(user))
    found = get_object_or_404(rows.select_related("programme__sponsor"), pk=pk)
    programme = found.programme
    if found.retired_at is not None:
        return already(request, _("C'est déjà fait : ce critère est retiré."), "programme", programme.pk)
    form = reason_form(request)
    if form.is_bound and form.is_valid():
        try:
            programmes.retire_criterion(criterion=found, reason=form.cleaned_data["reason"], by=user, at=at)
        except DomainError as error:
            show_refusal(form, error)
        else:
            effects = changes_selector.effects_words(changes_selector.made(by=user, at=at))
            message = _("Le critère est retiré : %(effects)s.") % {"effects": effects}
            return saved(request, message, "programme", programme.pk)
    touched = judged.criterion_touched(judged.Rewritten(programme, found, None))
    base = reverse("criterion-records", args=[programme.pk])

    def url(code: str) -> str:
        asked = {"criterion": str(found.pk), "retire": "1", "effect": code}
        return f"{base}?{urlencode(asked)}" if code in judged.EFFECTS else ""

    return confirmation(
        request,
        form,
        touched.linked(url),
        title=_("Retirer le critère « %(question)s »") % {"question": found.question},
        action=_("Retirer le critère"),
        cancel_url=reverse("programme", args=[programme.pk]),
        programme=programme,
        details=programmes_selector.differences(found, None),
    )
