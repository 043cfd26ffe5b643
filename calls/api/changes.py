"""The change feed: every committed change of prospects, calls, dispositions and exclusions, once."""

import base64
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from calls.access import calls_of
from calls.api.representation import CallOut, calls_out
from calls.models import Call, CallDisposition
from calls.selectors.call_screen import READ_WITH
from campaigns.access import exclusions_of
from campaigns.api.exclusions import ExclusionOut, exclusion_out
from crm.access import prospects_of, sees_every_sponsor, sponsors_of
from crm.api.endpoints import (
    PROGRAMS,
    SUPERVISORS,
    Endpoint,
    caller,
    holds,
    now,
    require_scope,
    stamp,
)
from crm.api.fields import MAX_ID, Body, Text, read_query
from crm.api.prospects import EXAMPLE, ProspectOut, prospects_out
from crm.api.schema import describe
from crm.enums import LookPlace
from crm.models import FeedState, RecordChange, User
from crm.rules.errors import DomainError, Invalid
from crm.selectors.record_changes import (
    LAST_KIND,
    RECORDS,
    ChangePlace,
    changes_after,
    end_of_changes,
    feed_state,
    seconds_behind,
)
from crm.services.looks import note_looks

LATEST = "latest"
DEFAULT_LIMIT, MAX_LIMIT = 100, 500


class CursorGone(DomainError):
    """What follows this cursor is no longer kept, or the database was restored: the lists are to be read again."""

    problem = "cursor-gone"
    status = 410
    default_message = _(
        "Ce curseur est trop ancien, ou la base a été restaurée : reprenez les listes, puis suivez le flux "
        "depuis le curseur donné ici."
    )


class ChangesQuery(Body):
    """Where to go on."""

    cursor = Text(max_length=200, required=False, allow_blank=True)
    limit = serializers.IntegerField(min_value=1, max_value=MAX_LIMIT, required=False)
    kinds = Text(max_length=100, required=False)

    def validate_kinds(self, text: str) -> list[str]:
        """Return the kinds that a comma-separated text names."""
        kinds = text.split(",")
        if set(kinds) - set(RECORDS):
            raise serializers.ValidationError(
                _("Parmi : %(kinds)s, séparés par des virgules.") % {"kinds": ", ".join(RECORDS)}
            )
        return kinds


class GivenDispositionOut(serializers.Serializer[Any]):
    """A disposition that was given to a call; a correction is another one, which names what it `corrects`."""

    id = serializers.IntegerField()
    call = serializers.IntegerField()
    campaign = serializers.IntegerField()
    prospect = serializers.IntegerField(allow_null=True)
    code = serializers.CharField()
    note = serializers.CharField(allow_blank=True)
    corrects = serializers.IntegerField(allow_null=True)
    reason = serializers.CharField(allow_blank=True)
    at = serializers.DateTimeField()
    by = serializers.IntegerField()


def _item(kind: str, record: type[serializers.BaseSerializer[Any]]) -> type[serializers.Serializer[Any]]:
    fields = {
        "kind": serializers.ChoiceField([kind]),
        "id": serializers.IntegerField(),
        "op": serializers.ChoiceField(["created", "updated", "erased"]),
        "version": serializers.IntegerField(help_text="Keep the record of the highest that you have seen."),
        "record": record(),
    }
    return type(f"{kind.capitalize()}ChangeOut", (serializers.Serializer,), fields)


ITEMS: dict[str, Any] = {
    "prospect": _item("prospect", ProspectOut),
    "call": _item("call", CallOut),
    "disposition": _item("disposition", GivenDispositionOut),
    "exclusion": _item("exclusion", ExclusionOut),
}


class ChangesOut(serializers.Serializer[Any]):
    """A page of the feed. Follow `next` for ever: at once while `has_more`, after a few seconds otherwise."""

    next = serializers.URLField()
    previous = serializers.URLField(allow_null=True, help_text="Always null: a feed is read forwards.")
    cursor = serializers.CharField(help_text="Store it with what you have taken in: it is in `next`, too.")
    has_more = serializers.BooleanField()
    behind_seconds = serializers.FloatField(
        help_text="How long the oldest committed change has been held up by a transaction still under way; 0: none."
    )
    results = PolymorphicProxySerializer(
        component_name="Change", serializers=ITEMS, resource_type_field_name="kind", many=True
    )


def disposition_out(given: CallDisposition) -> dict[str, Any]:
    """Return a disposition that was given to a call, the call and its disposition being joined."""
    return {
        "id": given.pk,
        "call": given.call_id,
        "campaign": given.call.campaign_id,
        "prospect": given.call.prospect_id,
        "code": given.disposition.code,
        "note": given.note,
        "corrects": given.corrects_id,
        "reason": given.reason,
        "at": stamp(given.at),
        "by": given.by_id,
    }


Found = dict[int, tuple[int, bool, dict[str, Any]]]


def _prospects(user: User, ids: Sequence[int], at: datetime) -> Found:
    """Return, by id, the version of each record that the user sees, whether it was erased, and what it is now."""
    found = list(prospects_of(user).filter(pk__in=ids))
    note_looks(prospects=found, by=user, at=at, place=LookPlace.API)
    shown = zip(found, prospects_out(found), strict=True)
    return {p.pk: (p.version, p.erased_at is not None, out) for p, out in shown}


def _calls(user: User, ids: Sequence[int], at: datetime) -> Found:
    found = list(calls_of(user).filter(pk__in=ids).select_related(*READ_WITH))
    shown = zip(found, calls_out(found, at, user), strict=True)
    return {call.pk: (call.version, _is_erased(call), out) for call, out in shown}


def _is_erased(call: Call) -> bool:
    return call.prospect is not None and call.prospect.erased_at is not None


def _dispositions(user: User, ids: Sequence[int], at: datetime) -> Found:
    rows = CallDisposition.objects.filter(pk__in=ids, call__in=calls_of(user).values("pk"))
    found = {}
    for given in rows.select_related("call__prospect", "disposition"):
        erased = _is_erased(given.call)
        # A row of history has one version; an erasure blanks its words, once.
        found[given.pk] = (2 if erased else 1, erased, disposition_out(given))
    return found


def _exclusions(user: User, ids: Sequence[int], at: datetime) -> Found:
    return {x.pk: (x.version, False, exclusion_out(x)) for x in exclusions_of(user).filter(pk__in=ids)}


#: What a token needs to be told of a record, beside `changes:read`.
SCOPES = {
    "prospect": "prospects:read",
    "call": "calls:read",
    "disposition": "calls:read",
    "exclusion": "exclusions:read",
}
READERS: dict[str, Callable[[User, Sequence[int], datetime], Found]] = {
    "prospect": _prospects,
    "call": _calls,
    "disposition": _dispositions,
    "exclusion": _exclusions,
}


def _results(user: User, rows: Sequence[RecordChange], at: datetime) -> list[dict[str, Any]]:
    """Return what the feed says of these changes: the records as they are now, without those behind a wall."""
    found = {
        kind: reader(user, ids, at)
        for kind, reader in READERS.items()
        if (ids := [row.ref for row in rows if row.kind == kind])
    }
    results = []
    for row in rows:
        if row.ref not in found[row.kind]:
            continue
        version, erased, record = found[row.kind][row.ref]
        op = "erased" if erased else "created" if row.created else "updated"
        results.append({"kind": row.kind, "id": row.ref, "op": op, "version": version, "record": record})
    return results


def encode_cursor(state: FeedState, place: ChangePlace) -> str:
    """Return the opaque text of a place in the feed."""
    text = json.dumps([state.epoch, place.xid, place.kind, place.ref], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(state: FeedState, text: str) -> ChangePlace:
    """Return the place that a cursor means; without one the beginning of what is kept.

    Raises CursorGone when what follows it is no longer known, Invalid when it is none of ours.
    """
    if not text:
        return ChangePlace()
    if text == LATEST:
        return end_of_changes()
    try:
        epoch, xid, kind, ref = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        numbers = all(type(number) is int and 0 <= number <= MAX_ID for number in (epoch, xid, ref))
        if not numbers or type(kind) is not str or kind > LAST_KIND or not kind.isascii():
            raise ValueError(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise Invalid.field("cursor", _("Ce curseur n'est pas le nôtre.")) from error
    if epoch != state.epoch or xid < state.floor:
        raise CursorGone(extra={"cursor": encode_cursor(state, end_of_changes())})
    return ChangePlace(xid, kind, ref)


def _kinds(request: Request, asked: Sequence[str] | None) -> Sequence[str]:
    """Return the kinds to tell of: those asked for, or all that the token may read. Refuses one that it may not."""
    readable = [kind for kind in RECORDS if holds(request, SCOPES[kind])]
    for kind in asked or ([] if readable else RECORDS):
        require_scope(request, SCOPES[kind])
    return asked or readable


class ChangeFeed(Endpoint):
    """What changed since a cursor."""

    resource = "changes"
    roles = {"GET": SUPERVISORS | PROGRAMS}

    @describe(
        "changes_list",
        "Read what changed",
        answered={
            "next": "https://courtois.example/api/v1/changes/?cursor=WyJh",
            "previous": None,
            "cursor": "WyJh",
            "has_more": False,
            "behind_seconds": 0.0,
            "results": [
                {
                    "kind": "prospect",
                    "id": 12,
                    "op": "created",
                    "version": 1,
                    "record": EXAMPLE,
                }
            ],
        },
        problems=(
            "cursor-gone",
            "feed-moved",
        ),
        tag="changes",
        answers={200: ChangesOut},
        parameters=[
            OpenApiParameter(
                "cursor",
                str,
                description="From `next` or `cursor` of the page before; `latest`: from now on; none: from the "
                "beginning of what is kept. 410 `cursor-gone` when it is too old.",
            ),
            OpenApiParameter(
                "limit",
                {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
                description=f"Changes a page: {DEFAULT_LIMIT}, at most {MAX_LIMIT}.",
            ),
            OpenApiParameter(
                "kinds",
                str,
                many=True,
                explode=False,
                enum=list(RECORDS),
                description="Only some, by commas.",
            ),
        ],
        description="Every committed change once, however writers interleave. No order is promised across "
        "transactions: `record` is the record as it is now, and the highest `version` of it is the latest. A token "
        "is told of the kinds that it may read: `prospects:read`, `calls:read` (dispositions too), `exclusions:read`.",
        has_fields=False,
    )
    def get(self, request: Request) -> Response:
        """Read a page."""
        user, at, query = caller(request), now(), read_query(request, ChangesQuery)
        state = feed_state()
        place = decode_cursor(state, query.get("cursor", ""))
        page = changes_after(
            place,
            limit=query.get("limit", DEFAULT_LIMIT),
            kinds=_kinds(request, query.get("kinds")),
            sponsors=None
            if sees_every_sponsor(user)
            else list(sponsors_of(user).values_list("pk", flat=True)),
        )
        cursor = encode_cursor(state, page.place)
        return Response(
            {
                "next": replace_query_param(request.build_absolute_uri(), "cursor", cursor),
                "previous": None,
                "cursor": cursor,
                "has_more": page.has_more,
                "behind_seconds": seconds_behind(),
                "results": _results(user, page.rows, at),
            }
        )
