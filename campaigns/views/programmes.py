"""Programmes and their criteria, with live counts of what a criterion would do."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns import access
from campaigns.forms.programmes import ConditionForm, CriterionForm, ProgrammeForm, initial_of
from campaigns.models import Criterion
from campaigns.rules.wording import condition_words
from campaigns.selectors import criteria as criteria_selector
from campaigns.services import programmes
from crm.access import role_required, sponsors_of
from crm.enums import MANAGING, SUPERVISING
from crm.forms import show_refusal
from crm.rules.errors import DomainError
from crm.views.answers import form_page, now, page_of, refused, saved, sent, user_of

FORM = "campaigns/programme_form.html"
CRITERION = "campaigns/criterion_form.html"


@role_required(*SUPERVISING)
@require_safe
def programme_list(request: HttpRequest) -> HttpResponse:
    """List the programmes that the user sees, with their campaigns."""
    rows = access.programmes_of(user_of(request)).select_related("sponsor").prefetch_related("campaigns")
    return render(
        request, "campaigns/programme_list.html", {"page": page_of(request, rows.order_by("name", "id"))}
    )


@role_required(*SUPERVISING)
@require_safe
def programme(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a programme: its criteria with what they do to the fiches, and its campaigns."""
    found = access.get_programme_or_404(user_of(request), pk)
    context = {
        "programme": found,
        "criteria": [
            (row, condition_words(row.field, row.operator, row.value))
            for row in criteria_selector.criteria_with_counts(found)
        ],
        "retired": found.criteria.filter(retired_at__isnull=False).count(),
        "campaigns": found.campaigns.order_by("name"),
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
    """Show the form of a new criterion of a programme; add it."""
    user = user_of(request)
    found = access.get_programme_or_404(user, pk)
    initial = {"position": (found.criteria.count() + 1) * 10}
    form = CriterionForm(sent(request), initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            programmes.add_criterion(programme=found, data=form.values(), by=user, at=now())
        except DomainError as error:
            show_refusal(form, error)
        else:
            return saved(request, _("Le critère est ajouté ; les listes sont relues."), "programme", pk)
    context = {
        "programme": found,
        "title": _("Nouveau critère"),
        "keys": criteria_selector.attribute_keys(found),
    }
    return form_page(request, CRITERION, form, context)


@role_required(*MANAGING)
@require_http_methods(["GET", "HEAD", "POST"])
def criterion(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the form of a criterion; edit it, which makes a new version of it."""
    user = user_of(request)
    found = access.get_criterion_or_404(user, pk)
    form = CriterionForm(sent(request), initial=initial_of(found))
    if request.method == "POST" and form.is_valid():
        try:
            programmes.edit_criterion(criterion=found, data=form.values(), by=user, at=now())
        except DomainError as error:
            show_refusal(form, error)
        else:
            message = _("Le critère est enregistré ; les listes sont relues.")
            return saved(request, message, "programme", found.programme_id)
    context = {
        "programme": found.programme,
        "criterion": found,
        "title": _("Critère : %(question)s") % {"question": found.question},
        "keys": criteria_selector.attribute_keys(found.programme),
    }
    return form_page(request, CRITERION, form, context)


@role_required(*MANAGING)
@require_POST
def criterion_preview(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer the fragment with the live counts of a condition that is not saved yet."""
    found = access.get_programme_or_404(user_of(request), pk)
    form = ConditionForm(request.POST)
    if not form.is_valid():
        return render(request, "campaigns/_criterion_counts.html", {"errors": form.errors})
    try:
        counts = criteria_selector.counts(found, Criterion(programme=found, **form.condition()))
    except DomainError as error:
        return render(request, "campaigns/_criterion_counts.html", {"refusal": error})
    return render(request, "campaigns/_criterion_counts.html", {"counts": counts})


@role_required(*MANAGING)
@require_POST
def criterion_retirement(request: HttpRequest, pk: int) -> HttpResponse:
    """Retire a criterion: it is asked no more, and the lists are read again."""
    user = user_of(request)
    found = access.get_criterion_or_404(user, pk)
    try:
        programmes.retire_criterion(criterion=found, by=user, at=now())
    except DomainError as error:
        return refused(request, error, "programme", found.programme_id)
    return saved(
        request, _("Le critère est retiré ; les listes sont relues."), "programme", found.programme_id
    )
