"""One prospect, where an app that knows of calls has its word: a fact corrected on the line, and erasure."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from calls.enums import ON_LINE
from calls.models import Call
from calls.services.erasure import erase_prospect
from calls.services.fiche import correct_fact
from crm.access import get_prospect_or_404
from crm.api.endpoints import AGENTS, MANAGERS, PROGRAMS, caller, now
from crm.api.prospects import ProspectDetail, expected_version
from crm.api.schema import describe
from crm.models import Prospect, User
from crm.services.prospects import PhoneInput


class ProspectOfCalls(ProspectDetail):
    """One prospect. What is corrected while its person is on the line is judged at once."""

    roles = {"GET": AGENTS | PROGRAMS, "PATCH": AGENTS | PROGRAMS, "DELETE": MANAGERS}

    def edit(
        self,
        user: User,
        prospect: Prospect,
        data: dict[str, Any],
        phones: list[PhoneInput] | None,
        version: int | None,
        confirmed: bool,
    ) -> Prospect:
        """Correct a fact during the user's own call; edit the record otherwise."""
        call = Call.objects.filter(agent=user, prospect=prospect, state__in=sorted(ON_LINE)).first()
        if call is None:
            return super().edit(user, prospect, data, phones, version, confirmed)
        corrected = correct_fact(
            call=call,
            data=data,
            phones=phones,
            confirmed=confirmed,
            expected_version=version,
            by=user,
            at=now(),
        )
        return corrected.prospect or prospect

    @describe(
        "prospects_delete",
        "Erase a prospect",
        problems=("invalid-transition",),
        tag="prospects",
        answers={204: None},
        has_etag=True,
        description="The person is blanked everywhere; exclusions stay, also against a re-import.",
    )
    def delete(self, request: Request, pk: int) -> Response:
        """Erase."""
        user = caller(request)
        prospect = get_prospect_or_404(user, pk)
        erase_prospect(
            prospect=prospect, by=user, at=now(), expected_version=expected_version(request, prospect)
        )
        return Response(status=204)
