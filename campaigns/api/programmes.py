"""Programmes and their criteria."""

from typing import Any

from django.db import transaction
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns.access import programmes_of
from campaigns.enums import Operator
from campaigns.models import Criterion, Programme
from campaigns.services.programmes import (
    CRITERION_FIELDS,
    add_criterion,
    create_programme,
    edit_criterion,
    edit_programme,
    retire_criterion,
)
from crm.api import queries
from crm.api.endpoints import (
    MANAGERS,
    PROGRAMS,
    SUPERVISORS,
    Endpoint,
    caller,
    locked,
    now,
    record,
)
from crm.api.fields import Body, Id, Text, Truth, read
from crm.api.paging import WORDS_PARAMETER, page
from crm.api.schema import describe, page_of
from crm.api.sponsors import visible_sponsor
from crm.rules.errors import Invalid

READERS = SUPERVISORS | PROGRAMS


class ProgrammeIn(Body):
    """What a programme is made of; its sponsor never changes."""

    ignored = ("id",)
    name = Text(max_length=200)
    sponsor = Id()
    subject = Text(max_length=200, required=False, allow_blank=True, help_text="As said aloud.")


class ProgrammeOut(serializers.Serializer[Any]):
    """A programme as it is answered."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    sponsor = serializers.IntegerField()
    subject = serializers.CharField()


class CriterionIn(Body):
    """A condition on a prospect. Changing one makes a new version of it."""

    ignored = ("id", "programme", "version", "retired")
    field = Text(max_length=120, help_text="A prospect column or `attributes.<key>`.")
    operator = serializers.ChoiceField(Operator.choices)
    value = serializers.JSONField(
        allow_null=True,
        required=False,
        help_text="A text; a list for `in`; `[low, high]` for `between`; null for `is_set`.",
    )
    question = Text(max_length=300)
    expected = Text(max_length=150, required=False, allow_blank=True)
    blocking = Truth(required=False)
    trust_file = Truth(required=False)
    position = serializers.IntegerField(min_value=0, max_value=999, required=False)
    reason = Text(
        max_length=300, required=False, allow_blank=True, help_text="Kept in the history of changes."
    )


class CriterionOut(serializers.Serializer[Any]):
    """A criterion as it is answered."""

    id = serializers.IntegerField()
    programme = serializers.IntegerField()
    field = serializers.CharField()
    operator = serializers.ChoiceField(Operator.choices)
    value = serializers.JSONField(allow_null=True)
    question = serializers.CharField()
    expected = serializers.CharField()
    blocking = serializers.BooleanField()
    trust_file = serializers.BooleanField()
    position = serializers.IntegerField()
    version = serializers.IntegerField()
    retired = serializers.BooleanField()


def programme_out(programme: Programme) -> dict[str, Any]:
    """Return a programme as the contract has it."""
    return {
        "id": programme.pk,
        "name": programme.name,
        "sponsor": programme.sponsor_id,
        "subject": programme.subject,
    }


def criterion_out(criterion: Criterion) -> dict[str, Any]:
    """Return a criterion as the contract has it."""
    names = ("field", "operator", "value", "question", "expected", "blocking", "trust_file", "position")
    return {
        "id": criterion.pk,
        "programme": criterion.programme_id,
        **{name: getattr(criterion, name) for name in names},
        "version": criterion.version,
        "retired": criterion.retired_at is not None,
    }


class ProgrammeList(Endpoint):
    """The programmes of the user's sponsors."""

    resource = "programmes"
    roles = {"GET": READERS, "POST": MANAGERS}

    @describe(
        "programmes_list",
        "List programmes",
        tag="programmes",
        answers={200: page_of(ProgrammeOut)},
        is_list=True,
        parameters=[OpenApiParameter("sponsor", int), WORDS_PARAMETER],
    )
    def get(self, request: Request) -> Response:
        """List."""
        found = programmes_of(caller(request)).filter(**queries.references(request, sponsor="sponsor"))
        for word in queries.words(request).split():
            found = found.filter(name__icontains=word)
        return page(request, found, programme_out, filters=("q", "sponsor"))

    @describe(
        "programmes_create",
        "Create a programme",
        tag="programmes",
        request=ProgrammeIn,
        answers={201: ProgrammeOut},
    )
    def post(self, request: Request) -> Response:
        """Create."""
        user, data = caller(request), read(request, ProgrammeIn)
        sponsor = visible_sponsor(user, data["sponsor"])
        assert sponsor is not None
        programme = create_programme(
            name=data["name"], sponsor=sponsor, subject=data.get("subject", ""), by=user, at=now()
        )
        return record(programme_out(programme), status=201, location=f"{request.path}{programme.pk}/")


class ProgrammeDetail(Endpoint):
    """One programme."""

    resource = "programmes"
    roles = {"GET": READERS, "PATCH": MANAGERS}

    @describe("programmes_get", "Read a programme", tag="programmes", answers={200: ProgrammeOut})
    def get(self, request: Request, pk: int) -> Response:
        """Read."""
        return record(programme_out(get_object_or_404(programmes_of(caller(request)), pk=pk)))

    @describe(
        "programmes_patch",
        "Change a programme",
        tag="programmes",
        request=ProgrammeIn,
        answers={200: ProgrammeOut},
        has_etag=True,
    )
    def patch(self, request: Request, pk: int) -> Response:
        """Change."""
        user, data = caller(request), read(request, ProgrammeIn, partial=True)
        with transaction.atomic():
            programme = locked(request, programmes_of(user), pk, programme_out)
            if data.pop("sponsor", programme.sponsor_id) != programme.sponsor_id:
                raise Invalid.field("sponsor", _("Le donneur d'ordre d'une démarche ne change pas."))
            kept = {"name": programme.name, "subject": programme.subject}
            programme = edit_programme(programme=programme, **(kept | data), by=user, at=now())
        return record(programme_out(programme))


class CriterionList(Endpoint):
    """The criteria of a programme, in their order; retired ones are left out."""

    resource = "programmes"
    roles = {"GET": READERS, "POST": MANAGERS}

    @describe(
        "criteria_list",
        "List the criteria of a programme",
        tag="programmes",
        answers={200: page_of(CriterionOut)},
        is_list=True,
    )
    def get(self, request: Request, pk: int) -> Response:
        """List."""
        programme = get_object_or_404(programmes_of(caller(request)), pk=pk)
        return page(request, programme.criteria.filter(retired_at__isnull=True), criterion_out)

    @describe(
        "criteria_create",
        "Add a criterion; the waiting entries are screened by it",
        tag="programmes",
        request=CriterionIn,
        answers={201: CriterionOut},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Create."""
        user = caller(request)
        programme = get_object_or_404(programmes_of(user), pk=pk)
        data = read(request, CriterionIn)
        reason = data.pop("reason", "")
        criterion = add_criterion(programme=programme, data=data, by=user, at=now(), reason=reason)
        return record(criterion_out(criterion), status=201, location=f"{request.path}{criterion.pk}/")


class CriterionDetail(Endpoint):
    """One criterion."""

    resource = "programmes"
    roles = {"GET": READERS, "PATCH": MANAGERS, "DELETE": MANAGERS}

    def _criterion(self, request: Request, pk: int, criterion_pk: int) -> Criterion:
        programme = get_object_or_404(programmes_of(caller(request)), pk=pk)
        return get_object_or_404(programme.criteria.select_related("programme"), pk=criterion_pk)

    @describe("criteria_get", "Read a criterion", tag="programmes", answers={200: CriterionOut})
    def get(self, request: Request, pk: int, criterion_pk: int) -> Response:
        """Read."""
        return record(criterion_out(self._criterion(request, pk, criterion_pk)))

    @describe(
        "criteria_patch",
        "Change a criterion: a new version of it",
        problems=("invalid-transition",),
        tag="programmes",
        request=CriterionIn,
        answers={200: CriterionOut},
        has_etag=True,
    )
    def patch(self, request: Request, pk: int, criterion_pk: int) -> Response:
        """Change."""
        data = read(request, CriterionIn, partial=True)
        reason = data.pop("reason", "")
        with transaction.atomic():
            mine = Criterion.objects.filter(programme__in=programmes_of(caller(request)), programme=pk)
            criterion = locked(request, mine, criterion_pk, criterion_out)
            kept = {name: getattr(criterion, name) for name in CRITERION_FIELDS}
            criterion = edit_criterion(
                criterion=criterion, data=kept | data, by=caller(request), at=now(), reason=reason
            )
        return record(criterion_out(criterion))

    @describe(
        "criteria_delete",
        "Retire a criterion: it is no longer asked, its versions are kept",
        problems=("invalid-transition",),
        tag="programmes",
        answers={204: None},
    )
    def delete(self, request: Request, pk: int, criterion_pk: int) -> Response:
        """Retire."""
        criterion = self._criterion(request, pk, criterion_pk)
        retire_criterion(criterion=criterion, by=caller(request), at=now())
        return Response(status=204)
