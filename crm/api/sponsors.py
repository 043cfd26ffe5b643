"""Sponsors and sources."""

from typing import Any

from django.db import transaction
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from crm.access import sources_of, sponsors_of
from crm.api import queries
from crm.api.endpoints import (
    MANAGERS,
    PROGRAMS,
    Endpoint,
    caller,
    locked,
    now,
    record,
)
from crm.api.fields import Body, Id, Text, read
from crm.api.paging import WORDS_PARAMETER, page
from crm.api.schema import describe, page_of
from crm.models import Source, Sponsor, User
from crm.rules.errors import Invalid
from crm.selectors.sources import sources_found, sponsors_found
from crm.services.sponsors import create_source, create_sponsor, edit_source, edit_sponsor

READERS = MANAGERS | PROGRAMS
SLUG = r"^[-a-zA-Z0-9_]+\Z"


class SponsorIn(Body):
    """What a sponsor is made of."""

    ignored = ("id",)
    name = Text(max_length=200)


class SponsorOut(serializers.Serializer[Any]):
    """A sponsor as it is answered."""

    id = serializers.IntegerField()
    name = serializers.CharField()


class SourceIn(Body):
    """What a source is made of. Without sponsor, its prospects are shared."""

    ignored = ("id",)
    name = Text(max_length=200)
    slug = serializers.RegexField(SLUG, max_length=80, required=False)
    sponsor = Id(allow_null=True, required=False)
    spoken_origin = Text(max_length=500, required=False, allow_blank=True)
    obtained_at = serializers.DateField(allow_null=True, required=False)
    rights_contact = Text(max_length=300, required=False, allow_blank=True)


class SourceOut(serializers.Serializer[Any]):
    """A source as it is answered."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    slug = serializers.CharField()
    sponsor = serializers.IntegerField(allow_null=True)
    spoken_origin = serializers.CharField()
    obtained_at = serializers.DateField(allow_null=True)
    rights_contact = serializers.CharField()


def sponsor_out(sponsor: Sponsor) -> dict[str, Any]:
    """Return a sponsor as the contract has it."""
    return {"id": sponsor.pk, "name": sponsor.name}


def source_out(source: Source) -> dict[str, Any]:
    """Return a source as the contract has it."""
    return {
        "id": source.pk,
        "name": source.name,
        "slug": source.slug,
        "sponsor": source.sponsor_id,
        "spoken_origin": source.spoken_origin,
        "obtained_at": source.obtained_at.isoformat() if source.obtained_at else None,
        "rights_contact": source.rights_contact,
    }


def visible_sponsor(user: User, pk: int | None, field: str = "sponsor") -> Sponsor | None:
    """Return the sponsor that a body refers to, or refuse the field; None stays None."""
    if pk is None:
        return None
    sponsor = sponsors_of(user).filter(pk=pk).first()
    if sponsor is None:
        raise Invalid.field(field, _("Ce donneur d'ordre n'existe pas."))
    return sponsor


class SponsorList(Endpoint):
    """The sponsors that the user sees."""

    resource = "sponsors"
    roles = {"GET": READERS, "POST": MANAGERS}

    @describe(
        "sponsors_list",
        "List sponsors",
        tag="sponsors",
        answers={200: page_of(SponsorOut)},
        is_list=True,
        parameters=[WORDS_PARAMETER],
    )
    def get(self, request: Request) -> Response:
        """List."""
        found = sponsors_found(sponsors_of(caller(request)), queries.words(request))
        return page(request, found, sponsor_out, filters=("q",))

    @describe(
        "sponsors_create", "Create a sponsor", tag="sponsors", request=SponsorIn, answers={201: SponsorOut}
    )
    def post(self, request: Request) -> Response:
        """Create."""
        sponsor = create_sponsor(name=read(request, SponsorIn)["name"], by=caller(request), at=now())
        return record(sponsor_out(sponsor), status=201, location=f"{request.path}{sponsor.pk}/")


class SponsorDetail(Endpoint):
    """One sponsor."""

    resource = "sponsors"
    roles = {"GET": READERS, "PATCH": MANAGERS}

    @describe("sponsors_get", "Read a sponsor", tag="sponsors", answers={200: SponsorOut})
    def get(self, request: Request, pk: int) -> Response:
        """Read."""
        return record(sponsor_out(get_object_or_404(sponsors_of(caller(request)), pk=pk)))

    @describe(
        "sponsors_patch",
        "Rename a sponsor",
        tag="sponsors",
        request=SponsorIn,
        answers={200: SponsorOut},
        has_etag=True,
    )
    def patch(self, request: Request, pk: int) -> Response:
        """Change."""
        data = read(request, SponsorIn, partial=True)
        with transaction.atomic():
            sponsor = locked(request, sponsors_of(caller(request)), pk, sponsor_out)
            if "name" in data:
                sponsor = edit_sponsor(sponsor=sponsor, name=data["name"], by=caller(request), at=now())
        return record(sponsor_out(sponsor))


class SourceList(Endpoint):
    """The sources that the user sees: those of their sponsors and the shared ones."""

    resource = "sources"
    roles = {"GET": READERS, "POST": MANAGERS | PROGRAMS}

    @describe(
        "sources_list",
        "List sources",
        tag="sources",
        answers={200: page_of(SourceOut)},
        is_list=True,
        parameters=[OpenApiParameter("sponsor", int), WORDS_PARAMETER],
    )
    def get(self, request: Request) -> Response:
        """List."""
        found = sources_found(sources_of(caller(request)), queries.words(request))
        found = found.filter(**queries.references(request, sponsor="sponsor"))
        return page(request, found, source_out, filters=("q", "sponsor"))

    @describe(
        "sources_create",
        "Create a source",
        asked={"name": "CRM", "slug": "crm", "sponsor": 3},
        answered={
            "id": 5,
            "name": "CRM",
            "slug": "crm",
            "sponsor": 3,
            "spoken_origin": "",
            "obtained_at": None,
            "rights_contact": "",
        },
        tag="sources",
        request=SourceIn,
        answers={201: SourceOut},
    )
    def post(self, request: Request) -> Response:
        """Create."""
        data = read(request, SourceIn)
        data["sponsor"] = visible_sponsor(caller(request), data.get("sponsor"))
        source = create_source(data=data, by=caller(request), at=now())
        return record(source_out(source), status=201, location=f"{request.path}{source.pk}/")


class SourceDetail(Endpoint):
    """One source."""

    resource = "sources"
    roles = {"GET": READERS, "PATCH": MANAGERS | PROGRAMS}

    @describe("sources_get", "Read a source", tag="sources", answers={200: SourceOut})
    def get(self, request: Request, pk: int) -> Response:
        """Read."""
        return record(source_out(get_object_or_404(sources_of(caller(request)), pk=pk)))

    @describe(
        "sources_patch",
        "Change a source",
        tag="sources",
        request=SourceIn,
        answers={200: SourceOut},
        has_etag=True,
    )
    def patch(self, request: Request, pk: int) -> Response:
        """Change."""
        user = caller(request)
        data = read(request, SourceIn, partial=True)
        if "sponsor" in data:
            data["sponsor"] = visible_sponsor(user, data["sponsor"])
        with transaction.atomic():
            source = locked(request, sources_of(user), pk, source_out)
            source = edit_source(source=source, data=data, by=user, at=now())
        return record(source_out(source))
