"""Prospects, one at a time: found, created, corrected. Erasing reaches further and belongs to `calls`."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from crm.access import get_prospect_or_404, prospects_of, sources_of
from crm.api import queries
from crm.api.endpoints import AGENTS, MANAGERS, PROGRAMS, SUPERVISORS, Endpoint, caller, now, record, stamp
from crm.api.fields import Body, Text, Truth, read
from crm.api.paging import BY_CHANGE, SINCE_PARAMETER, page
from crm.api.schema import describe, page_of
from crm.enums import Channel, LookPlace, NumberKind, ProspectKind, Validity
from crm.models import Prospect, ProspectNumber, Source, User
from crm.rules.errors import Invalid, StaleRecord
from crm.rules.phones import search_forms
from crm.selectors.prospects import prospects_found
from crm.services.looks import note_looks
from crm.services.prospects import EDITABLE, PhoneInput, create_prospect, edit_prospect

FILTERS = ("external_id", "source", "number", "q")
MAX_PHONES = 20


@extend_schema_field({"oneOf": [{"type": "integer"}, {"type": "string"}]})
class Reference(serializers.Field[Any, Any, Any, Any]):
    """The id or the slug of a source."""

    def to_internal_value(self, data: Any) -> int | str:
        """Keep an id as a number and a slug as a text."""
        if isinstance(data, bool) or not isinstance(data, int | str) or len(str(data)) > 80:
            raise serializers.ValidationError(_("Un identifiant de fournisseur."))
        return data

    def to_representation(self, value: Any) -> Any:
        """Return it as it came."""
        return value


class PhoneIn(Body):
    """A number in any spelling. `region` (ISO 3166) says how a national one is read."""

    ignored = ("raw", "kind", "validity")
    number = Text(max_length=200)
    region = serializers.RegexField(r"^[A-Z]{2}\Z", required=False)
    extension = Text(max_length=20, required=False, allow_blank=True)
    note = Text(max_length=200, required=False, allow_blank=True)


class ProspectIn(Body):
    """What a prospect is made of."""

    ignored = ("id", "version", "created_at", "updated_at", "erased_at")
    source = Reference(help_text="Id or slug.")  # type: ignore[assignment]
    external_id = Text(max_length=200, required=False, allow_blank=True)
    kind = serializers.ChoiceField(ProspectKind.choices, required=False)
    civility = Text(max_length=20, required=False, allow_blank=True)
    first_name = Text(max_length=120, required=False, allow_blank=True)
    last_name = Text(max_length=120, required=False, allow_blank=True)
    organisation = Text(max_length=250, required=False, allow_blank=True)
    job_title = Text(max_length=150, required=False, allow_blank=True)
    sector = Text(max_length=20, required=False, allow_blank=True)
    email = serializers.EmailField(max_length=254, required=False, allow_blank=True)
    address = Text(max_length=400, required=False, allow_blank=True)
    postal_code = Text(max_length=20, required=False, allow_blank=True)
    city = Text(max_length=120, required=False, allow_blank=True)
    country = serializers.RegexField(r"^[A-Z]{2}\Z", required=False, allow_blank=True)
    language = serializers.RegexField(r"^[a-z]{2,3}(-[A-Za-z]{2,4})?\Z", required=False, allow_blank=True)
    time_zone = Text(max_length=60, required=False, allow_blank=True)
    attributes = serializers.DictField(required=False)
    confidential = Truth(required=False)
    preferred_channel = serializers.ChoiceField(Channel.choices, required=False, allow_blank=True)
    phones = PhoneIn(many=True, required=False)
    region = serializers.RegexField(
        r"^[A-Z]{2}\Z", required=False, help_text="How national numbers are read: FR."
    )
    confirmed = Truth(
        required=False, help_text="During a call: the correction may put the prospect out of criteria."
    )

    def validate_phones(self, phones: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Bound the list."""
        if len(phones) > MAX_PHONES:
            raise serializers.ValidationError(_("Trop de numéros."))
        return phones

    def validate_attributes(self, attributes: dict[str, Any]) -> dict[str, Any]:
        """Bound the free fields: a fiche is read on a screen, during a call."""
        if len(attributes) > 200 or any(not name or len(name) > 100 for name in attributes):
            raise serializers.ValidationError(_("Au plus 200 champs, aux noms de 1 à 100 caractères."))
        if any(len(str(value)) > 2000 for value in attributes.values()):
            raise serializers.ValidationError(_("Au plus 2 000 caractères par champ."))
        return attributes


class PhoneOut(serializers.Serializer[Any]):
    """A number as it is answered: E.164, with what it was read from."""

    number = serializers.CharField()
    raw = serializers.CharField()
    kind = serializers.ChoiceField(NumberKind.choices)
    validity = serializers.ChoiceField(Validity.choices)
    extension = serializers.CharField()
    note = serializers.CharField()


class ProspectOut(serializers.Serializer[Any]):
    """A prospect as it is answered."""

    id = serializers.IntegerField()
    source = serializers.IntegerField()  # type: ignore[assignment]
    external_id = serializers.CharField()
    kind = serializers.ChoiceField(ProspectKind.choices)
    civility = serializers.CharField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    organisation = serializers.CharField()
    job_title = serializers.CharField()
    sector = serializers.CharField()
    email = serializers.CharField()
    address = serializers.CharField()
    postal_code = serializers.CharField()
    city = serializers.CharField()
    country = serializers.CharField()
    language = serializers.CharField()
    time_zone = serializers.CharField()
    phones = PhoneOut(many=True)
    attributes = serializers.DictField()
    confidential = serializers.BooleanField()
    preferred_channel = serializers.ChoiceField(Channel.choices, allow_blank=True)
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    erased_at = serializers.DateTimeField(allow_null=True)


#: A prospect as the documentation shows it.
EXAMPLE = {
    "id": 12,
    "source": 5,
    "external_id": "crm-1001",
    "kind": "organisation",
    "civility": "",
    "first_name": "",
    "last_name": "",
    "organisation": "Banque de l'Ouest",
    "job_title": "",
    "sector": "",
    "email": "",
    "address": "",
    "postal_code": "",
    "city": "Nantes",
    "country": "FR",
    "language": "",
    "time_zone": "",
    "phones": [
        {
            "number": "+33199000001",
            "raw": "01 99 00 00 01",
            "kind": "landline",
            "validity": "valid",
            "extension": "",
            "note": "",
        }
    ],
    "attributes": {},
    "confidential": False,
    "preferred_channel": "",
    "version": 1,
    "created_at": "2026-11-25T09:00:00Z",
    "updated_at": "2026-11-25T09:00:00Z",
    "erased_at": None,
}
#: What is read of a prospect to tell it.
TOLD = ("pk", "source_id", *EDITABLE, "version", "created_at", "updated_at", "erased_at")
PHONE = ("number", "raw", "kind", "validity", "extension", "note")


def prospect_out(prospect: Prospect) -> dict[str, Any]:
    """Return a prospect as the contract has it."""
    return prospects_out([prospect])[0]


def prospects_out(prospects: Sequence[Prospect]) -> list[dict[str, Any]]:
    """Return prospects as the contract has them, in their order; one query for all their numbers."""
    phones: dict[int, list[dict[str, Any]]] = {prospect.pk: [] for prospect in prospects}
    # Rows of numbers are half of a page's rows: as instances they would cost as much as the prospects.
    rows = ProspectNumber.objects.filter(prospect__in=list(phones)).order_by("position", "id")
    for pk, *values in rows.values_list("prospect_id", *PHONE):
        phones[pk].append(dict(zip(PHONE, values, strict=True)))
    return [
        {
            "id": prospect.pk,
            "source": prospect.source_id,
            **{name: getattr(prospect, name) for name in EDITABLE},
            "phones": phones[prospect.pk],
            "version": prospect.version,
            "created_at": stamp(prospect.created_at),
            "updated_at": stamp(prospect.updated_at),
            "erased_at": stamp(prospect.erased_at),
        }
        for prospect in prospects
    ]


def prospect_etag(prospect: Prospect) -> str:
    """Return the entity tag of a prospect: its version."""
    return f'"{prospect.pk}-{prospect.version}"'


def expected_version(request: Request, prospect: Prospect) -> int | None:
    """Return the version that `If-Match` names, None without one; 412 when none can be a version of this prospect.

    Of several, the one that was just read, for whoever stores under a lock to compare again."""
    wanted = request.headers.get("If-Match")
    if wanted is None or wanted.strip() == "*":
        return None
    named = set()
    for tag in wanted.split(","):
        pk, _dash, version = tag.strip().strip('"').partition("-")
        if pk == str(prospect.pk) and version.isascii() and version.isdigit() and len(version) < 10:
            named.add(int(version))
    if not named:
        raise StaleRecord
    return prospect.version if prospect.version in named else max(named)


def prospect_record(prospect: Prospect, *, status: int = 200, location: str = "") -> Response:
    """Answer with a prospect, its entity tag being its version."""
    return record(prospect_out(prospect), status=status, etag=prospect_etag(prospect), location=location)


def find_source(found: QuerySet[Source], reference: int | str) -> Source:
    """Return the source of `found` that a body or a query refers to by id or slug, or refuse the field."""
    text = str(reference)
    source = found.filter(slug=text).first() if isinstance(reference, str) else None
    if source is None and text.isascii() and text.isdigit() and len(text) < 19:
        source = found.filter(pk=int(text)).first()
    if source is None:
        raise Invalid.field("source", _("Ce fournisseur n'existe pas."))
    return source


def _phones(data: dict[str, Any]) -> list[PhoneInput] | None:
    region = data.pop("region", "FR")
    phones = data.pop("phones", None)
    if phones is None:
        return None
    return [
        PhoneInput(
            raw=phone["number"],
            region=phone.get("region", region),
            extension=phone.get("extension", ""),
            note=phone.get("note", ""),
        )
        for phone in phones
    ]


def _filtered(request: Request, found: QuerySet[Prospect]) -> QuerySet[Prospect]:
    query = request.query_params
    if "external_id" in query:
        found = found.filter(external_id=query["external_id"])
    if "source" in query:
        found = found.filter(source=find_source(sources_of(caller(request)), query["source"]))
    if "number" in query:
        forms = search_forms(query["number"][:100])
        if not forms:
            raise Invalid.field("number", _("Ce n'est pas un numéro de téléphone."))
        found = found.filter(pk__in=Prospect.objects.filter(phones__number__in=forms).values("pk"))
    if "q" in query:
        found = prospects_found(found, queries.words(request))
    return found


class ProspectList(Endpoint):
    """The prospects that the user sees."""

    resource = "prospects"
    roles = {"GET": SUPERVISORS | PROGRAMS, "POST": MANAGERS | PROGRAMS}

    @describe(
        "prospects_list",
        "Find prospects",
        tag="prospects",
        answers={200: page_of(ProspectOut)},
        is_list=True,
        parameters=[
            OpenApiParameter("external_id", str),
            OpenApiParameter("source", str, description="Id or slug."),
            OpenApiParameter("number", str, description="In any spelling."),
            OpenApiParameter(
                "q", str, description="A number, even incomplete, or words that begin a name, a town, an id…"
            ),
            SINCE_PARAMETER,
        ],
        orderings=BY_CHANGE,
    )
    def get(self, request: Request) -> Response:
        """List."""
        user, at = caller(request), now()

        def told(prospects: Sequence[Prospect]) -> list[dict[str, Any]]:
            note_looks(prospects=prospects, by=user, at=at, place=LookPlace.API)
            return prospects_out(prospects)

        found: Any = _filtered(request, prospects_of(user))
        # Rows with the columns that are told, not instances, which cost as much as the query.
        rows = found.values_list(*TOLD, named=True)
        return page(request, rows, represent_all=told, filters=FILTERS, has_updates=True, orderings=BY_CHANGE)

    @describe(
        "prospects_create",
        "Create a prospect",
        asked={
            "source": "crm",
            "external_id": "crm-1001",
            "kind": "organisation",
            "organisation": "Banque de l'Ouest",
            "city": "Nantes",
            "country": "FR",
            "phones": [{"number": "01 99 00 00 01"}],
        },
        answered=EXAMPLE,
        tag="prospects",
        request=ProspectIn,
        answers={201: ProspectOut},
    )
    def post(self, request: Request) -> Response:
        """Create."""
        user, data = caller(request), read(request, ProspectIn)
        source = find_source(sources_of(user), data.pop("source"))
        data.pop("confirmed", None)
        phones = _phones(data) or []
        prospect = create_prospect(source=source, data=data, phones=phones, by=user, at=now())
        return prospect_record(prospect, status=201, location=f"{request.path}{prospect.pk}/")


class ProspectDetail(Endpoint):
    """One prospect. An agent reads and corrects the one in hand."""

    resource = "prospects"
    roles = {"GET": AGENTS | PROGRAMS, "PATCH": AGENTS | PROGRAMS}

    @describe("prospects_get", "Read a prospect", tag="prospects", answers={200: ProspectOut})
    def get(self, request: Request, pk: int) -> Response:
        """Read."""
        user = caller(request)
        prospect = get_prospect_or_404(user, pk)
        note_looks(prospects=[prospect], by=user, at=now(), place=LookPlace.API)
        return prospect_record(prospect)

    @describe(
        "prospects_patch",
        "Correct a prospect",
        problems=(
            "invalid-transition",
            "closing-required",
        ),
        tag="prospects",
        request=ProspectIn,
        answers={200: ProspectOut},
        has_etag=True,
        description="`phones`, when sent, replaces the whole list.",
    )
    def patch(self, request: Request, pk: int) -> Response:
        """Change."""
        user = caller(request)
        prospect = get_prospect_or_404(user, pk)
        data = read(request, ProspectIn, partial=True)
        if "source" in data and find_source(sources_of(user), data.pop("source")).pk != prospect.source_id:
            raise Invalid.field("source", _("Le fournisseur d'une fiche ne change pas."))
        phones = _phones(data)
        version = expected_version(request, prospect)
        confirmed = data.pop("confirmed", False)
        return prospect_record(self.edit(user, prospect, data, phones, version, confirmed))

    def edit(
        self,
        user: User,
        prospect: Prospect,
        data: dict[str, Any],
        phones: list[PhoneInput] | None,
        version: int | None,
        confirmed: bool,
    ) -> Prospect:
        """Store the corrected fields; an app above knows what they mean for a call under way."""
        return edit_prospect(
            prospect=prospect, data=data, phones=phones, by=user, at=now(), expected_version=version
        )
