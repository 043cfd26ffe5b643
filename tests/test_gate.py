"""The gate: its order, its boundaries, and what it asks of the database."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.utils import translation

from calls.services.claim import claim_next
from campaigns.enums import CampaignStatus, EntryState, Gate
from campaigns.models import Attempt, Campaign
from campaigns.rules.gate import Bar, Facts, describe, judge, sentence
from campaigns.rules.hours import DEFAULT_HOURS
from campaigns.selectors.gate import Asked, verdict, verdicts
from crm.enums import NumberKind, Validity
from crm.models import Prospect
from tests.factories import (
    NOW,
    make_campaign,
    make_criterion,
    make_entry,
    make_exclusion,
    make_number,
    make_programme,
    make_prospect,
    make_user,
)

LATE = datetime(2026, 11, 25, 20, 0, tzinfo=UTC)
TODAY = date(2026, 11, 25)


def facts(**changes: Any) -> Facts:
    """Return facts that pass every gate, but for the changes."""
    fixed: dict[str, Any] = {
        "number": "+33199001234",
        "time_zone": "Europe/Paris",
        "status": CampaignStatus.RUNNING,
        "hours": DEFAULT_HOURS,
        "max_attempts": 4,
    }
    return Facts(**fixed | changes)


#: Each change closes one gate, in the order of the contract.
CLOSED: list[tuple[Gate, dict[str, Any], datetime]] = [
    (Gate.EXCLUSION, {"bar": Bar(7, "opposition", "sponsor")}, NOW),
    (Gate.NUMBER, {"number_problem": "premium"}, NOW),
    (Gate.CRITERIA, {"contradiction": "contradicted:une banque"}, NOW),
    (Gate.WINDOW, {}, LATE),
    (Gate.ATTEMPTS, {"attempts": (TODAY,) * 4}, NOW),
    (Gate.CAMPAIGN, {"status": CampaignStatus.PAUSED}, NOW),
]


@pytest.mark.parametrize(("gate", "change", "at"), CLOSED)
def test_each_gate_refuses_by_itself(gate: Gate, change: dict[str, Any], at: datetime) -> None:
    found = judge(facts(**change), at)

    assert (found.allowed, found.gate) == (False, gate)
    assert found.reason
    assert describe(found)


@pytest.mark.parametrize("first", range(len(CLOSED)))
def test_the_first_gate_of_the_order_answers(first: int) -> None:
    changes: dict[str, Any] = {}
    for _gate, change, _at in CLOSED[first:]:
        changes |= change
    at = LATE if first <= 3 else NOW

    assert judge(facts(**changes), at).gate == CLOSED[first][0]


def test_what_passes_every_gate_is_allowed() -> None:
    found = judge(facts(), NOW)

    assert (found.allowed, found.gate, found.reason, found.until) == (True, Gate.OPEN, "", None)


def test_a_time_that_the_person_gave_lifts_the_window_and_nothing_else() -> None:
    assert judge(facts(exact=True), LATE).allowed
    for gate, change, at in CLOSED:
        if gate != Gate.WINDOW:
            assert judge(facts(exact=True, **change), at).gate == gate


def test_an_unrestricted_campaign_has_neither_window_nor_cap_but_all_the_rest() -> None:
    assert judge(facts(unrestricted=True, attempts=(TODAY,) * 9), LATE).allowed
    assert judge(facts(unrestricted=True, time_zone=""), LATE).allowed
    assert judge(facts(unrestricted=True, bar=Bar(1, "ban", "everywhere")), NOW).gate == Gate.EXCLUSION
    assert judge(facts(unrestricted=True, status=CampaignStatus.DRAFT), NOW).gate == Gate.CAMPAIGN


def test_an_unknown_zone_and_no_hours_fail_closed() -> None:
    assert judge(facts(time_zone=""), NOW).reason == "unknown_time_zone"
    assert judge(facts(time_zone="Not/AZone"), NOW).reason == "unknown_time_zone"
    assert judge(facts(hours=[]), NOW).reason == "never_open"
    assert judge(facts(number=""), NOW).reason == "no_number"


def test_outside_the_hours_the_next_opening_is_said() -> None:
    found = judge(facts(), LATE)

    assert found.until == datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
    assert "26/11/2026 10:00" in describe(found)


CAPS = [
    ([29, 20, 10, 0], False),
    ([30, 20, 10, 0], True),
    ([20, 10, 0], True),
    ([29, 29, 29, 29, 0], False),
]


@pytest.mark.parametrize(("days_ago", "allowed"), CAPS)
def test_the_cap_counts_thirty_local_days_with_today(days_ago: list[int], allowed: bool) -> None:
    attempts = tuple(TODAY - timedelta(days=ago) for ago in days_ago)

    assert judge(facts(attempts=attempts), NOW).allowed is allowed


def test_the_cap_ends_when_enough_attempts_are_old_enough() -> None:
    attempts = tuple(TODAY - timedelta(days=ago) for ago in (29, 28, 5, 4, 1))

    found = judge(facts(attempts=attempts), NOW)

    assert found.until == datetime(2026, 11, 26, 23, 0, tzinfo=UTC)
    assert judge(facts(attempts=attempts), found.until - timedelta(seconds=1)).gate != Gate.OPEN
    assert judge(facts(attempts=attempts, exact=True), found.until).allowed


def test_stored_verdicts_are_told_in_french_and_never_fail() -> None:
    with translation.override("fr"):
        assert sentence("exclusion", "opposition") == "Exclusion\N{NO-BREAK SPACE}: Opposition."
        assert "une banque" in sentence("criteria", "contradicted:une banque")
        assert sentence("", "") == "Appel permis."
        for gate in Gate.values:
            assert sentence(gate, "something-new")


# --- asked of the database ---


def ask(campaign: Campaign, prospect: Prospect | None = None, **more: Any) -> Any:
    """Ask the gate at `NOW`."""
    return verdict(campaign=campaign, prospect=prospect, at=more.pop("at", NOW), **more)


@pytest.mark.django_db
class TestAsked:
    def test_a_clean_prospect_may_be_called_on_its_first_number(self) -> None:
        assert ask(make_campaign(calling_rule="default"), make_prospect()).allowed

    def test_another_number_is_taken_where_the_first_is_barred_and_the_bar_answers_when_none_is_left(
        self,
    ) -> None:
        campaign, prospect = make_campaign(), make_prospect(numbers=["+33199001111", "+33199002222"])
        make_exclusion(number="+33199001111", programme=campaign.programme)
        assert ask(campaign, prospect).allowed
        assert ask(campaign, prospect, number="+33199001111").gate == Gate.EXCLUSION

        bar = make_exclusion(number="+33199002222", sponsor=campaign.programme.sponsor)

        found = ask(campaign, prospect)
        assert found.gate == Gate.EXCLUSION
        assert ask(campaign, prospect, number="+33199002222").data["exclusion"] == bar.pk

    def test_a_bar_reaches_as_far_as_its_scope(self) -> None:
        campaign, prospect = make_campaign(), make_prospect()
        sibling = make_campaign(campaign.programme)
        cousin = make_campaign(make_programme(campaign.programme.sponsor))
        stranger = make_campaign()

        make_exclusion(prospect=prospect, programme=campaign.programme, reason="out_of_criteria")

        assert [ask(item, prospect).allowed for item in (campaign, sibling, cousin, stranger)] == [
            False,
            False,
            True,
            True,
        ]

    def test_lines_that_are_never_dialled_are_refused(self) -> None:
        campaign, prospect = make_campaign(), make_prospect(numbers=[])
        assert ask(campaign, prospect).reason == "no_number"
        for number, kind in (("+33899001234", NumberKind.PREMIUM), ("+33199001235", NumberKind.FAX)):
            make_number(prospect, number, kind=kind)
            assert ask(campaign, prospect, number=number).reason == kind
        make_number(prospect, "+33199001236", validity=Validity.INVALID)
        assert ask(campaign, prospect, number="+33199001236").reason == "invalid"

    def test_criteria_are_read_from_the_fiche_and_blank_means_ask(self) -> None:
        campaign = make_campaign()
        make_criterion(campaign.programme)

        assert ask(campaign, make_prospect(sector="64.19Z")).allowed
        assert ask(campaign, make_prospect(sector="")).allowed
        found = ask(campaign, make_prospect(sector="10.71C"))
        assert (found.gate, found.reason) == (Gate.CRITERIA, "contradicted:une banque")

    def test_attempts_count_for_the_sponsor_and_the_person(self) -> None:
        campaign = make_campaign(calling_rule="default", max_attempts=2)
        prospect = make_prospect()
        number = prospect.phones.get().number
        other = make_campaign(
            make_programme(campaign.programme.sponsor), calling_rule="default", max_attempts=2
        )
        for ref, (made_in, person) in enumerate([(campaign, prospect), (other, None)], start=1):
            Attempt.objects.create(
                campaign=made_in,
                sponsor=made_in.programme.sponsor,
                prospect=person,
                number=number,
                at=NOW,
                local_date=TODAY,
                call_ref=ref,
            )

        assert ask(campaign, prospect).reason == "cap:2"
        assert ask(other, prospect).reason == "cap:2"
        assert ask(campaign, number=number).reason == "cap:2"
        assert ask(make_campaign(calling_rule="default", max_attempts=2), prospect).allowed
        Attempt.objects.filter(call_ref=2).update(counted=False)
        assert ask(campaign, prospect).allowed

    def test_a_number_without_a_fiche_is_judged_by_its_own_zone_and_kind(self) -> None:
        campaign = make_campaign(calling_rule="default")

        assert ask(campaign, number="+33199001234").allowed
        assert (
            ask(campaign, number="+262262001234", at=datetime(2026, 11, 25, 9, 0, tzinfo=UTC)).gate
            == Gate.WINDOW
        )
        assert ask(campaign, number="+33899001234").reason == "premium"
        assert ask(campaign, number="+3312").reason == "invalid"
        assert ask(campaign, number="+18005551234").reason == "unknown_time_zone"
        make_exclusion(number="+33199001234")
        assert ask(campaign, number="+33199001234").gate == Gate.EXCLUSION

    def test_a_bar_on_the_person_reaches_its_number_without_the_fiche(self) -> None:
        campaign, prospect = make_campaign(), make_prospect()
        make_exclusion(prospect=prospect, programme=campaign.programme)

        assert ask(campaign, number=prospect.phones.get().number).gate == Gate.EXCLUSION

    def test_nothing_to_ask_about_is_an_error_of_the_caller(self) -> None:
        with pytest.raises(ValueError, match="prospect or a number"):
            ask(make_campaign())

    def test_a_claim_asks_entries_with_their_own_appointment(self) -> None:
        campaign = make_campaign(calling_rule="default")
        plain = make_entry(campaign)
        vague = make_entry(campaign, state=EntryState.CALLBACK, exact=False)
        agreed = make_entry(campaign, state=EntryState.CALLBACK, exact=True)

        first = claim_next(campaign=campaign, by=make_user(), at=LATE)
        second = claim_next(campaign=campaign, by=make_user(), at=LATE)

        assert first is not None
        assert first.entry_id == agreed.pk
        assert second is None
        vague.refresh_from_db()
        plain.refresh_from_db()
        assert (vague.state, vague.verdict_gate) == (EntryState.CALLBACK, Gate.WINDOW)
        assert vague.due_at == vague.verdict_until
        assert plain.state == EntryState.READY

    def test_a_claim_screens_by_the_criteria_as_they_stand(self) -> None:
        campaign = make_campaign()
        bakery = make_entry(campaign, make_prospect(sector="10.71C"))
        bank = make_entry(campaign, make_prospect(sector="64.19Z"))
        make_criterion(campaign.programme)

        call = claim_next(campaign=campaign, by=make_user(), at=NOW)

        assert call is not None
        assert call.entry_id == bank.pk
        bakery.refresh_from_db()
        assert (bakery.state, bakery.verdict_gate) == (EntryState.SCREENED_OUT, Gate.CRITERIA)

    def test_many_are_asked_in_as_many_queries_as_one(self, django_assert_num_queries: Any) -> None:
        campaign = make_campaign(calling_rule="default")
        make_criterion(campaign.programme)
        make_criterion(campaign.programme, field="attributes.é %s {x}", operator="contains", value="100% {0}")
        many = [Asked(make_prospect(sector="64")) for _ in range(20)]

        with django_assert_num_queries(2):
            assert len(verdicts(campaign=campaign, asked=many[:10], at=NOW)) == 10
        with django_assert_num_queries(2):
            found = verdicts(campaign=campaign, asked=many, at=NOW)

        assert all(item.allowed for item in found)
