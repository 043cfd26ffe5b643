"""Importing a list: the file, what it will do, then its progress and report."""

from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns import access
from campaigns.enums import ImportState
from campaigns.forms.imports import MappingForm, UploadForm
from campaigns.models import Campaign, ImportJob
from campaigns.selectors import import_report
from campaigns.selectors import imports as imports_selector
from campaigns.services import imports
from campaigns.services.import_undo import undo_import
from crm.access import role_required
from crm.enums import MANAGING
from crm.forms import show_refusal
from crm.models import User
from crm.rules.errors import DomainError
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


@role_required(*MANAGING)
@require_http_methods(["GET", "HEAD", "POST"])
def import_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show an import as far as it is: preview with its mapping, progress, or report.

    POST changes the mapping (`do=map`), starts (`do=start`) or cancels (`do=cancel`).
    """
    user = user_of(request)
    job = access.get_import_or_404(user, pk)
    if request.method != "POST":
        return _page(request, job, _mapping_form(job))
    form = _mapping_form(job, request.POST)
    do = request.POST.get("do")
    try:
        if do == "start":
            imports.start_import(job=job, by=user, at=now())
        elif do == "cancel":
            imports.cancel_import(job=job, by=user, at=now())
        elif not form.is_valid():
            return _page(request, job, form)
        else:
            _remap(job, form, user)
    except DomainError as error:
        return refused(request, error, "import", pk)
    return redirect("import", pk)


@role_required(*MANAGING)
@require_safe
def import_progress(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer the fragment that is polled while a preview or an import is under way."""
    job = access.get_import_or_404(user_of(request), pk)
    response = render(request, "campaigns/_import_body.html", _context(job, _mapping_form(job)))
    if not import_report.is_under_way(job):
        # The whole page has something new to say: title, state, actions.
        response["HX-Refresh"] = "true"
    return response


@role_required(*MANAGING)
@require_safe
def import_rejects(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """Send the rejected rows as CSV, each with its reason in the last column."""
    job = access.get_import_or_404(user_of(request), pk)
    response = StreamingHttpResponse(
        imports_selector.rejects_csv(job), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="rejets-import-{job.pk}.csv"'
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


@transaction.atomic
def _remap(job: ImportJob, form: MappingForm, user: User) -> None:
    at = now()
    changed = imports.set_import_mapping(
        job=job, mapping=form.mapping(), region=form.cleaned_data["region"], by=user, at=at
    )
    imports.request_preview(job=changed, by=user, at=at)


def _mapping_form(job: ImportJob, data: Any = None) -> MappingForm:
    return MappingForm(data, columns=job.preview.get("columns", []), region=job.region)


def _page(request: HttpRequest, job: ImportJob, form: MappingForm) -> HttpResponse:
    return form_page(request, "campaigns/import.html", form, _context(job, form))


def _context(job: ImportJob, form: MappingForm) -> dict[str, Any]:
    return {
        "job": job,
        "campaign": job.campaign,
        "form": form,
        "report": import_report.report(job, at=now()),
        "editable": job.state == ImportState.UPLOADED,
        "tab": "imports",
    }
