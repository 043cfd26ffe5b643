"""Exclusions as the "do not call" file of another dialler."""

from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers
from rest_framework.request import Request

from campaigns.access import campaigns_of
from campaigns.models import Campaign
from campaigns.rules.dnc import DncFormat
from campaigns.selectors.dnc import dnc_lines, dnc_name
from crm.access import sponsors_of
from crm.api.endpoints import MANAGERS, PROGRAMS, Endpoint, caller
from crm.api.fields import Body, Id, read_query
from crm.api.schema import describe
from crm.models import Sponsor, User
from crm.rules.errors import Invalid
from crm.views.exports import text_answer


class DncQuery(Body):
    """Of which campaign or sponsor, and how numbers are written."""

    campaign = Id(required=False)
    sponsor = Id(required=False)
    format = serializers.ChoiceField([str(item) for item in DncFormat], required=False)


class ExclusionDnc(Endpoint):
    """The numbers that another dialler must not call."""

    resource = "exclusions"
    roles = {"GET": MANAGERS | PROGRAMS}

    @describe(
        "exclusions_dnc",
        "Download what another dialler must not call",
        tag="exclusions",
        parameters=[
            OpenApiParameter("campaign", int, description="All that bars a call of it."),
            OpenApiParameter(
                "sponsor", int, description="What bars every call for it, and nothing narrower."
            ),
            OpenApiParameter(
                "format",
                str,
                enum=[str(item) for item in DncFormat],
                description=(
                    "`vicidial` (default): as its lists hold numbers, after the `phone_code`: `199000001`. `national`: "
                    "`0199000001`. `e164`: without plus, `33199000001`."
                ),
            ),
        ],
        answers={
            (200, "text/plain"): OpenApiResponse(OpenApiTypes.STR, "One number a line, of bars in force.")
        },
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Stream the file."""
        user, asked = caller(request), read_query(request, DncQuery)
        if ("campaign" in asked) == ("sponsor" in asked):
            raise Invalid.field("campaign", _("Donnez une campagne ou un donneur d'ordre, l'un des deux."))
        campaign, sponsor = _place(user, asked)
        written = asked.get("format", DncFormat.VICIDIAL)
        lines = dnc_lines(campaign=campaign, sponsor=sponsor, written=written, by=user)
        return text_answer(dnc_name(campaign, sponsor), lines)


def _place(user: User, asked: dict[str, int]) -> tuple[Campaign | None, Sponsor | None]:
    if "campaign" in asked:
        rows = campaigns_of(user).select_related("programme")
        campaign = rows.filter(pk=asked["campaign"]).first()
        if campaign is None:
            raise Invalid.field("campaign", _("Cette campagne n'existe pas."))
        return campaign, None
    sponsor = sponsors_of(user).filter(pk=asked["sponsor"]).first()
    if sponsor is None:
        raise Invalid.field("sponsor", _("Ce donneur d'ordre n'existe pas."))
    return None, sponsor
