"""Importing a list: the file, what it will do, then its progress and report."""

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns import access
from campaigns.enums import ImportState
from campaigns.forms.imports import MappingForm, TemplateForm, UploadForm
from campaigns.models import Campaign, ImportJob, MappingTemplate
from campaigns.selectors import import_quality, import_report
from campaigns.selectors import imports as imports_selector
from campaigns.selectors.import_progress import is_under_way, progress
from campaigns.selectors.mappings import fitting_template, templates_of
from campaigns.services import imports, mappings
from campaigns.services.import_undo import undo_import
from crm.access import get_source_or_404, role_required
from crm.enums import MANAGING
from crm.forms import show_refusal
from crm.models import User
from crm.rules.errors import DomainError, Invalid
from crm.services import sponsors
from crm.views.answers import form_page, now, refused, saved, sent, user_of


@role_required(*MANAGING)
@require_http_methods(["GET", "HEAD", "POST"])
def import_new(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a campaign's imports and the form of a new one; take the file and go on to its preview."""
    user = user_of(request)
    campaign = access.get_campaign_or_404(user, slug)
    form = UploadForm(sent(request), request.FILES or None, sources=access.sources_for(user, campaign))
    if request.method == "POST" and form.is_valid():
        try:
            job = _upload(form, campaign, user)
        except DomainError as error:
            show_refusal(form, error)
        else:
            return redirect("import", job.pk)
    context = {"campaign": campaign, "imports": imports_selector.imports_of(campaign)[:20], "tab": "imports"}
    return form_page(request, "campaigns/import_new.html", form, context)


#: htmx stops asking when it is answered so.
STOP_POLLING = 286


@role_required(*MANAGING)
@require_http_methods(["GET", "HEAD", "POST"])
def import_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show an import as far as it is: preview with its mapping, progress, or report.

    POST changes columns and options (`do=map`; `do=save` keeps them as a template, too), reads them from a `template`
    (`do=template`) or removes it (`do=forget`), reads another `sheet` (`do=sheet`), starts (`do=start`) or cancels
    (`do=cancel`).
    """
    job = access.get_import_or_404(user_of(request), pk)
    if request.method != "POST":
        return _page(request, job, _mapping_form(job))
    try:
        return _ACTIONS.get(request.POST.get("do", ""), _map)(request, job)
    except DomainError as error:
        return refused(request, error, "import", pk)


@role_required(*MANAGING)
@require_safe
def import_progress(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer the fragment that is polled while a preview or an import is under way."""
    job = access.get_import_or_404(user_of(request), pk)
    context = {**_context(job), "polled": True}
    response = render(request, "campaigns/_import_body.html", context)
    if is_under_way(job):
        return response
    if job.state == ImportState.UPLOADED:
        # The preview is there. The page stays, with what was changed in its form meanwhile.
        response.status_code = STOP_POLLING
    else:
        # The whole page has something new to say: title, state, actions.
        response["HX-Refresh"] = "true"
    return response


@role_required(*MANAGING)
@require_safe
def import_rejects(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """Send the rejected rows as CSV (`?duplicates=1`: the repeated ones), each with its reason in the last column."""
    job = access.get_import_or_404(user_of(request), pk)
    duplicates = request.GET.get("duplicates") == "1"
    name = f"doublons-import-{job.pk}.csv" if duplicates else f"rejets-import-{job.pk}.csv"
    response = StreamingHttpResponse(
        imports_selector.rejects_csv(job, duplicates=duplicates), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@role_required(*MANAGING)
@require_POST
def import_undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Undo an import of which nothing was called nor changed since."""
    user = user_of(request)
    job = access.get_import_or_404(user, pk)
    try:
        undo_import(job=job, by=user, at=now())
    except DomainError as error:
        return refused(request, error, "import", pk)
    return saved(request, _("L'import est défait."), "import", pk)


@role_required(*MANAGING)
@require_safe
def source_imports(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the imports of a supplier with the quality of each, and of all of them."""
    user = user_of(request)
    source = get_source_or_404(user, pk)
    supplied = import_quality.quality_of_source(source, access.imports_of(user))
    return render(request, "campaigns/import_source.html", {"source": source, "supplied": supplied})


@transaction.atomic
def _upload(form: UploadForm, campaign: Campaign, user: User) -> ImportJob:
    """Keep the file, with its new source when one was named: both or neither."""
    data, at = form.cleaned_data, now()
    source = data["source"] or sponsors.create_source(
        data={"name": data["source_name"], "sponsor": campaign.programme.sponsor}, by=user, at=at
    )
    job = imports.upload_import(
        campaign=campaign,
        source=source,
        name=data["file"].name,
        content=data["file"].file,
        region=data["region"],
        by=user,
        at=at,
    )
    return imports.request_preview(job=job, by=user, at=at)


# ---- what is sent from the page of an import


def _start(request: HttpRequest, job: ImportJob) -> HttpResponse:
    imports.start_import(job=job, by=user_of(request), at=now())
    return redirect("import", job.pk)


def _cancel(request: HttpRequest, job: ImportJob) -> HttpResponse:
    imports.cancel_import(job=job, by=user_of(request), at=now())
    return redirect("import", job.pk)


def _map(request: HttpRequest, job: ImportJob) -> HttpResponse:
    form = _mapping_form(job, request.POST)
    if not form.is_valid():
        return _page(request, job, form)
    _remap(job, form, user_of(request))
    return redirect("import", job.pk)


def _save_template(request: HttpRequest, job: ImportJob) -> HttpResponse:
    """Keep what the form says as a template; where it says something new, it is applied, too."""
    form, user = _mapping_form(job, request.POST), user_of(request)
    if not form.is_valid():
        return _page(request, job, form)
    name = form.cleaned_data["save_as"]
    with transaction.atomic():
        mappings.save_template(
            sponsor=job.campaign.programme.sponsor,
            name=name,
            mapping=form.mapping(),
            options=form.options(),
            region=form.cleaned_data["region"],
            by=user,
            at=now(),
        )
        if form.changes_the_import():
            _remap(job, form, user)
    return saved(request, _("Le modèle « %(name)s » est enregistré.") % {"name": name}, "import", job.pk)


@transaction.atomic
def _apply_template(request: HttpRequest, job: ImportJob) -> HttpResponse:
    template = _chosen_template(request, job)
    user, at = user_of(request), now()
    changed = imports.set_import_mapping(
        job=job,
        mapping={},
        template=template.mapping,
        region=template.region,
        options=template.options,
        by=user,
        at=at,
    )
    imports.request_preview(job=changed, by=user, at=at)
    return saved(
        request, _("Le modèle « %(name)s » est appliqué.") % {"name": template.name}, "import", job.pk
    )


def _forget_template(request: HttpRequest, job: ImportJob) -> HttpResponse:
    template = _chosen_template(request, job)
    mappings.delete_template(template=template, by=user_of(request), at=now())
    return saved(
        request, _("Le modèle « %(name)s » est supprimé.") % {"name": template.name}, "import", job.pk
    )


@transaction.atomic
def _choose_sheet(request: HttpRequest, job: ImportJob) -> HttpResponse:
    user, at = user_of(request), now()
    changed = imports.choose_sheet(job=job, sheet=request.POST.get("sheet", ""), by=user, at=at)
    imports.request_preview(job=changed, by=user, at=at)
    return redirect("import", job.pk)


_ACTIONS: dict[str, Callable[[HttpRequest, ImportJob], HttpResponse]] = {
    "start": _start,
    "cancel": _cancel,
    "map": _map,
    "save": _save_template,
    "template": _apply_template,
    "forget": _forget_template,
    "sheet": _choose_sheet,
}


def _chosen_template(request: HttpRequest, job: ImportJob) -> MappingTemplate:
    form = TemplateForm(request.POST, templates=templates_of(job.campaign.programme.sponsor))
    if not form.is_valid():
        raise Invalid.field("template", gettext_lazy("Choisissez un modèle de la liste."))
    template = form.cleaned_data["template"]
    assert isinstance(template, MappingTemplate)
    return template


@transaction.atomic
def _remap(job: ImportJob, form: MappingForm, user: User) -> None:
    at = now()
    changed = imports.set_import_mapping(
        job=job,
        mapping=form.mapping(),
        region=form.cleaned_data["region"],
        options=form.options(),
        by=user,
        at=at,
    )
    imports.request_preview(job=changed, by=user, at=at)


# ---- what the page shows


def _mapping_form(job: ImportJob, data: Any = None) -> MappingForm:
    return MappingForm(data, columns=job.preview.get("columns", []), region=job.region, options=job.options)


def _page(request: HttpRequest, job: ImportJob, form: MappingForm) -> HttpResponse:
    context = _context(job)
    if context["editable"]:
        context["templates"] = _template_form(job)
    return form_page(request, "campaigns/import.html", form, context)


def _context(job: ImportJob) -> dict[str, Any]:
    return {
        "job": job,
        "campaign": job.campaign,
        "report": import_report.report(job),
        "progress": progress(job, now()) if is_under_way(job) else None,
        "editable": job.state == ImportState.UPLOADED,
        "tab": "imports",
    }


def _template_form(job: ImportJob) -> TemplateForm | None:
    """The principal's templates, the one that fits the file chosen; None without any."""
    sponsor = job.campaign.programme.sponsor
    templates = templates_of(sponsor)
    if not templates.exists():
        return None
    return TemplateForm(templates=templates, fitting=fitting_template(sponsor, list(job.mapping)))
