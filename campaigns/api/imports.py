"""Imports: a file sent, its progress, its rejects, and its undoing."""

import json
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns.access import campaigns_of, imports_of
from campaigns.enums import ImportPhase, ImportState
from campaigns.models import ImportJob
from campaigns.rules.import_options import Options, options_of
from campaigns.selectors.import_files import import_limits
from campaigns.selectors.import_report import rate_of
from campaigns.selectors.imports import progress_of, rejects_csv
from campaigns.services.import_undo import undo_import
from campaigns.services.imports import start_import, upload_import
from crm.access import sources_of
from crm.api import queries
from crm.api.endpoints import MANAGERS, PROGRAMS, Endpoint, caller, now, record, stamp
from crm.api.fields import Body, Text, read
from crm.api.paging import page
from crm.api.parsers import is_storable
from crm.api.problems import TooLarge
from crm.api.prospects import find_source
from crm.api.schema import describe, page_of
from crm.rules.errors import Invalid


class ImportIn(Body):
    """A list to import. `mapping` is a JSON object of column header → field (or field → column
    header), for what is not guessed; `options` one of `mode`, `blank`, `repeated`, `among` and
    `opt_out_scope`; `sheet` names the one of a workbook that is read."""

    file = serializers.FileField(allow_empty_file=True, max_length=255)
    source = Text(max_length=80, help_text="Id or slug.")  # type: ignore[assignment]
    mapping = serializers.CharField(max_length=100_000, required=False, allow_blank=True)
    region = serializers.RegexField(r"^[A-Z]{2}\Z", required=False)
    options = serializers.CharField(max_length=2_000, required=False, allow_blank=True)
    sheet = serializers.CharField(max_length=120, required=False, allow_blank=True)


class ImportOut(serializers.Serializer[Any]):
    """How an import stands; `counts` hold the summary of the command line, and by reason what was kept out.

    `excluded_by_file` are those of the `excluded` that the file's own "do not call" keeps out. `phase` is what is being
    done with the rows; `quality` counts rows by their numbers; `rows_per_second` is null until it is done.
    """

    id = serializers.IntegerField()
    campaign = serializers.IntegerField()
    source = serializers.IntegerField()  # type: ignore[assignment]
    file = serializers.CharField()
    state = serializers.ChoiceField(ImportState.choices)
    phase = serializers.CharField()
    percent = serializers.IntegerField()
    total_rows = serializers.IntegerField()
    counts = serializers.DictField()
    mapping = serializers.DictField()
    encoding = serializers.CharField(allow_blank=True)
    delimiter = serializers.CharField(allow_blank=True)
    options = serializers.DictField()
    sheet = serializers.CharField(allow_blank=True)
    sheets = serializers.ListField(child=serializers.CharField())
    quality = serializers.DictField()
    rows_per_second = serializers.IntegerField(allow_null=True)
    error = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


def import_out(job: ImportJob) -> dict[str, Any]:
    """Return an import; reads its file's name."""
    return {
        "id": job.pk,
        "campaign": job.campaign_id,
        "source": job.source_id,
        "file": job.file.name,
        "state": job.state,
        "phase": ImportPhase(job.phase).name.lower(),
        "percent": progress_of(job),
        "total_rows": job.total_rows,
        "counts": job.counts,
        "mapping": job.mapping,
        "encoding": job.encoding,
        "delimiter": job.delimiter,
        "options": options_of(job.options).as_json(),
        "sheet": job.sheet,
        "sheets": job.sheets,
        "quality": job.counts.get("quality", {}),
        "rows_per_second": rate_of(job) or None,
        "error": job.error,
        "created_at": stamp(job.created_at),
        "started_at": stamp(job.started_at),
        "finished_at": stamp(job.finished_at),
    }


def _mapping(text: str) -> dict[str, str]:
    """Return the mapping of a form field: a JSON object of texts."""
    return _texts("mapping", text, _("Un objet JSON : en-tête de colonne → champ."))


def _options(text: str) -> Options:
    """Return the options of a form field: a JSON object of texts."""
    told = _texts("options", text, _("Un objet JSON : nom d'option → choix."))
    try:
        return options_of(told)
    except Invalid as error:
        raise Invalid.field("options", error.message) from error


def _texts(field: str, text: str, shape: Any) -> dict[str, str]:
    if not text.strip():
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise Invalid.field(field, shape)
    if not all(map(is_storable, [*found, *found.values()])):
        raise Invalid.field(field, _("Caractère nul ou incomplet."))
    return found


class ImportList(Endpoint):
    """The imports of a campaign."""

    resource = "imports"
    roles = {"GET": MANAGERS | PROGRAMS, "POST": MANAGERS | PROGRAMS}
    parser_classes = [MultiPartParser]

    @describe(
        "imports_list",
        "List the imports of a campaign",
        tag="imports",
        answers={200: page_of(ImportOut)},
        is_list=True,
        parameters=[OpenApiParameter("state", str, enum=ImportState.values)],
    )
    def get(self, request: Request, pk: int) -> Response:
        """List."""
        user = caller(request)
        campaign = get_object_or_404(campaigns_of(user), pk=pk)
        jobs = _jobs(request).filter(campaign=campaign, **queries.codes(request, state=ImportState.values))
        return page(request, jobs, import_out, filters=("state",))

    @describe(
        "imports_create",
        "Import a list; a worker reads it",
        problems=("invalid-transition",),
        tag="imports",
        request={"multipart/form-data": ImportIn},
        answers={202: ImportOut},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Upload and start."""
        user = caller(request)
        campaign = get_object_or_404(campaigns_of(user).select_related("programme"), pk=pk)
        data = read(request, ImportIn)
        file = data["file"]
        if file.size > import_limits().bytes:
            raise TooLarge
        source = find_source(sources_of(user), data["source"])
        with transaction.atomic():
            job = upload_import(
                campaign=campaign,
                source=source,
                name=file.name or "",
                content=file.file,
                mapping=_mapping(data.get("mapping", "")),
                region=data.get("region", "FR"),
                options=_options(data.get("options", "")),
                sheet=data.get("sheet", ""),
                by=user,
                at=now(),
            )
            job = start_import(job=job, by=user, at=now())
        address = request.path.partition("campaigns/")[0] + f"imports/{job.pk}/"
        return record(import_out(_reread(request, job.pk)), status=202, location=address)


def _jobs(request: Request) -> QuerySet[ImportJob]:
    """Return the imports that the user sees, each with its file's name but not its content."""
    return imports_of(caller(request)).select_related("file")


def _reread(request: Request, pk: int) -> ImportJob:
    return get_object_or_404(_jobs(request), pk=pk)


class ImportDetail(Endpoint):
    """One import."""

    resource = "imports"
    roles = {"GET": MANAGERS | PROGRAMS}

    @describe("imports_get", "Follow an import", tag="imports", answers={200: ImportOut})
    def get(self, request: Request, pk: int) -> Response:
        """Read."""
        return record(import_out(_reread(request, pk)))


class ImportRejects(Endpoint):
    """The rows of an import that were not taken, with the reason in the last column."""

    resource = "imports"
    roles = {"GET": MANAGERS | PROGRAMS}

    @describe(
        "imports_rejects",
        "Download the rejected rows, or the repeated ones",
        tag="imports",
        parameters=[
            OpenApiParameter(
                "duplicates",
                str,
                enum=["0", "1"],
                description="1: the rows that repeat another one, instead.",
            )
        ],
        answers={(200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, "`;`, UTF-8 with a byte-order mark.")},
    )
    def get(self, request: Request, pk: int) -> HttpResponseBase:
        """Stream the CSV."""
        duplicates = queries.choice(request, "duplicates", ("0", "1")) == "1"
        name = "duplicates" if duplicates else "rejects"
        pieces = (piece.encode() for piece in rejects_csv(_reread(request, pk), duplicates=duplicates))
        answer = StreamingHttpResponse(pieces, content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="{name}-{pk}.csv"'
        return answer


class ImportUndo(Endpoint):
    """The undoing of an import, while nothing of it was called."""

    resource = "imports"
    roles = {"POST": MANAGERS | PROGRAMS}

    @describe(
        "imports_undo",
        "Undo an import",
        problems=("invalid-transition",),
        tag="imports",
        answers={200: ImportOut},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Undo."""
        read(request, Body)
        undo_import(job=_reread(request, pk), by=caller(request), at=now())
        return record(import_out(_reread(request, pk)))
