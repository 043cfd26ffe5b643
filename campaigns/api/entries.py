"""The list of a campaign: its entries, prospects added to it and removed from it."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns.access import campaigns_of
from campaigns.enums import EntryState, Gate
from campaigns.models import Campaign, ListEntry
from campaigns.services.entries import add_prospects, remove_prospect
from crm.access import prospects_of
from crm.api import queries
from crm.api.endpoints import MANAGERS, PROGRAMS, SUPERVISORS, Endpoint, caller, now, record, stamp
from crm.api.fields import Body, Id, read
from crm.api.paging import SINCE_PARAMETER, page
from crm.api.schema import describe, page_of
from crm.rules.errors import Invalid

MAX_ADDED = 5_000


class EntriesIn(Body):
    """Prospects to put into a campaign's list, by id."""

    prospects = serializers.ListField(child=Id(), min_length=1, max_length=MAX_ADDED)


class EntryOut(serializers.Serializer[Any]):
    """An entry of a campaign's list, with the gate's last refusal."""

    id = serializers.IntegerField()
    campaign = serializers.IntegerField()
    prospect = serializers.IntegerField()
    number = serializers.CharField(allow_blank=True)
    state = serializers.ChoiceField(EntryState.choices)
    priority = serializers.IntegerField()
    due_at = serializers.DateTimeField()
    owner = serializers.IntegerField(allow_null=True)
    attempts = serializers.IntegerField()
    time_zone = serializers.CharField()
    gate = serializers.ChoiceField(Gate.choices, allow_blank=True)
    reason = serializers.CharField(allow_blank=True)
    until = serializers.DateTimeField(allow_null=True)
    excluded_by = serializers.IntegerField(allow_null=True)
    updated_at = serializers.DateTimeField()


class AddedOut(serializers.Serializer[Any]):
    """What became of the prospects that were to be added: each is counted once."""

    added = serializers.IntegerField()
    already = serializers.IntegerField()
    excluded = serializers.IntegerField()
    screened_out = serializers.IntegerField()
    without_number = serializers.IntegerField()
    refused = serializers.IntegerField()


def entry_out(entry: ListEntry) -> dict[str, Any]:
    """Return an entry."""
    return {
        "id": entry.pk,
        "campaign": entry.campaign_id,
        "prospect": entry.prospect_id,
        "number": entry.number,
        "state": entry.state,
        "priority": entry.priority,
        "due_at": stamp(entry.due_at),
        "owner": entry.owner_id,
        "attempts": entry.attempts,
        "time_zone": entry.time_zone,
        "gate": entry.verdict_gate,
        "reason": entry.verdict_reason,
        "until": stamp(entry.verdict_until),
        "excluded_by": entry.excluded_by_id,
        "updated_at": stamp(entry.updated_at),
    }


def _campaign(request: Request, pk: int) -> Campaign:
    return get_object_or_404(campaigns_of(caller(request)).select_related("programme"), pk=pk)


class EntryList(Endpoint):
    """The entries of a campaign."""

    resource = "entries"
    roles = {"GET": SUPERVISORS | PROGRAMS, "POST": MANAGERS | PROGRAMS}

    @describe(
        "entries_list",
        "List the entries of a campaign",
        tag="campaigns",
        answers={200: page_of(EntryOut)},
        is_list=True,
        parameters=[
            OpenApiParameter("state", str, enum=EntryState.values),
            OpenApiParameter("prospect", int),
            SINCE_PARAMETER,
        ],
    )
    def get(self, request: Request, pk: int) -> Response:
        """List."""
        rows = _campaign(request, pk).entries.filter(
            **queries.codes(request, state=EntryState.values),
            **queries.references(request, prospect="prospect"),
        )
        return page(request, rows, entry_out, filters=("state", "prospect"), has_updates=True)

    @describe(
        "entries_create",
        "Put prospects into the list",
        asked={"prospects": [12]},
        answered={
            "added": 1,
            "already": 0,
            "excluded": 0,
            "screened_out": 0,
            "without_number": 0,
            "refused": 0,
        },
        problems=("invalid-transition",),
        tag="campaigns",
        request=EntriesIn,
        answers={201: AddedOut},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Add."""
        user, campaign = caller(request), _campaign(request, pk)
        ids = list(dict.fromkeys(read(request, EntriesIn)["prospects"]))
        known = list(prospects_of(user).filter(pk__in=ids))
        missing = sorted(set(ids) - {prospect.pk for prospect in known})
        if missing:
            some = ", ".join(map(str, missing[:20]))
            raise Invalid.field("prospects", _("Fiches introuvables : %(ids)s.") % {"ids": some})
        result = add_prospects(campaign=campaign, prospects=known, by=user, at=now())
        names = ("added", "already", "excluded", "screened_out", "without_number", "refused")
        return Response({name: getattr(result, name) for name in names}, status=201)


class EntryDetail(Endpoint):
    """One entry of a campaign's list."""

    resource = "entries"
    roles = {"GET": SUPERVISORS | PROGRAMS, "DELETE": MANAGERS | PROGRAMS}

    def _entry(self, request: Request, pk: int, entry_pk: int) -> ListEntry:
        rows = _campaign(request, pk).entries.select_related("prospect", "campaign__programme")
        return get_object_or_404(rows, pk=entry_pk)

    @describe("entries_get", "Read an entry", tag="campaigns", answers={200: EntryOut})
    def get(self, request: Request, pk: int, entry_pk: int) -> Response:
        """Read."""
        return record(entry_out(self._entry(request, pk, entry_pk)))

    @describe(
        "entries_delete",
        "Take a prospect out of the list",
        problems=("invalid-transition",),
        tag="campaigns",
        answers={204: None},
    )
    def delete(self, request: Request, pk: int, entry_pk: int) -> Response:
        """Remove."""
        entry = self._entry(request, pk, entry_pk)
        remove_prospect(campaign=entry.campaign, prospect=entry.prospect, by=caller(request), at=now())
        return Response(status=204)
