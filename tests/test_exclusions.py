"""Exclusions: written, found by any spelling, lifted once with a reason. The database closes and reopens lists."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.enums import EntryState
from campaigns.models import Exclusion, ListEntry
from campaigns.selectors.exclusions import covering, exclusions_found, others_on_number, search
from campaigns.services.exclusions import exclude, exclude_many, lift_exclusion
from crm.models import Prospect, ProspectEvent
from crm.rules.errors import Forbidden, Invalid, InvalidTransition
from crm.services.prospects import PhoneInput, create_prospect, erase_prospect_record
from tests.factories import (
    NOW,
    make_campaign,
    make_entry,
    make_exclusion,
    make_programme,
    make_prospect,
    make_source,
    make_sponsor,
    make_user,
)

pytestmark = pytest.mark.django_db


def state_of(entry: ListEntry) -> str:
    """Return the entry's state as it is stored now."""
    return ListEntry.objects.get(pk=entry.pk).state


def test_a_bar_closes_every_waiting_entry_in_its_scope_and_says_why() -> None:
    campaign = make_campaign()
    prospect = make_prospect()
    here = make_entry(campaign, prospect)
    sibling = make_entry(make_campaign(campaign.programme), prospect, state="callback")
    cousin = make_entry(make_campaign(make_programme(campaign.programme.sponsor)), prospect)

    bar = exclude(
        scope="programme",
        programme=campaign.programme,
        prospect=prospect,
        reason="refusal",
        by=make_user(),
        at=NOW,
    )

    here.refresh_from_db()
    assert (here.state, here.excluded_by, here.verdict_reason) == (EntryState.EXCLUDED, bar, "refusal")
    assert state_of(sibling) == EntryState.EXCLUDED
    assert state_of(cousin) == EntryState.READY
    assert bar.sponsor == campaign.programme.sponsor
    event = ProspectEvent.objects.get(prospect=prospect, kind="excluded")
    assert event.sponsor == campaign.programme.sponsor


SPELLINGS = ["01 99 00 12 34", "+33199001234", "0033 1 99 00 12 34", "01.99.00.12.34", "+33 (0)1 99 00 12 34"]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_number_is_barred_and_found_in_any_spelling(spelling: str) -> None:
    bar = exclude(scope="everywhere", number=spelling, reason="opposition", by=None, at=NOW)

    assert bar.number == "+33199001234"
    for text in SPELLINGS:
        assert list(search(make_user("supervisor"), text)) == [bar]


def test_the_same_bar_twice_is_one_and_a_longer_one_is_another() -> None:
    prospect = make_prospect()
    month = NOW + timedelta(days=365 * 30)

    first = exclude(scope="everywhere", prospect=prospect, reason="other", until=month, by=None, at=NOW)
    second = exclude(scope="everywhere", prospect=prospect, reason="other", until=month, by=None, at=NOW)
    third = exclude(scope="everywhere", prospect=prospect, reason="other", by=None, at=NOW)

    assert first == second
    assert third != first


def test_a_campaigns_bar_twice_is_one() -> None:
    campaign = make_campaign()

    bars = {
        exclude(scope="campaign", campaign=campaign, number="0199001234", reason="other", by=None, at=NOW).pk
        for _ in range(2)
    }

    assert len(bars) == 1
    assert Exclusion.objects.get().programme == campaign.programme


WRONG = [
    ({"scope": "planet", "number": "0199001234"}, "scope"),
    ({"scope": "programme", "number": "0199001234"}, "programme"),
    ({"scope": "everywhere"}, "number"),
    ({"scope": "everywhere", "number": "112"}, "number"),
    ({"scope": "everywhere", "number": "0199001234 / 0199001235"}, "number"),
    ({"scope": "everywhere", "number": "0199001234", "reason": "because"}, "reason"),
    ({"scope": "everywhere", "number": "0199001234", "until": NOW}, "until"),
]


@pytest.mark.parametrize(("given", "field"), WRONG)
def test_a_bar_that_bars_nothing_is_refused(given: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        exclude(**{"reason": "opposition", "by": None, "at": NOW, **given})  # type: ignore[arg-type]

    assert list(refusal.value.fields) == [field]
    assert not Exclusion.objects.exists()


def test_a_lift_is_a_supervisors_once_with_a_reason() -> None:
    bar = make_exclusion(number="+33199001234")
    supervisor = make_user("supervisor")

    with pytest.raises(Forbidden):
        lift_exclusion(exclusion=bar, reason="erreur", by=make_user("agent"), at=NOW)
    with pytest.raises(Forbidden):
        lift_exclusion(exclusion=bar, reason="erreur", by=make_user("integration"), at=NOW)
    with pytest.raises(Invalid):
        lift_exclusion(exclusion=bar, reason="   ", by=supervisor, at=NOW)
    lifted = lift_exclusion(exclusion=bar, reason="erreur de saisie", by=supervisor, at=NOW)

    assert (lifted.lifted_by, lifted.lifted_at, lifted.lift_reason) == (supervisor, NOW, "erreur de saisie")
    with pytest.raises(InvalidTransition):
        lift_exclusion(exclusion=bar, reason="encore", by=supervisor, at=NOW)


def test_a_lift_reopens_what_it_had_closed_and_nothing_else_covers() -> None:
    campaign, supervisor = make_campaign(), make_user("supervisor")
    free, doubly, promised = (
        make_entry(campaign),
        make_entry(campaign),
        make_entry(campaign, state="callback"),
    )
    bars = [
        exclude(scope="everywhere", prospect=entry.prospect, reason="opposition", by=None, at=NOW)
        for entry in (free, doubly, promised)
    ]
    exclude(
        scope="programme",
        programme=campaign.programme,
        prospect=doubly.prospect,
        reason="out_of_criteria",
        by=None,
        at=NOW,
    )

    for bar in bars:
        lift_exclusion(exclusion=bar, reason="erreur", by=supervisor, at=NOW)

    doubly.refresh_from_db()
    assert state_of(free) == EntryState.READY
    assert state_of(promised) == EntryState.READY
    assert (doubly.state, doubly.verdict_reason) == (EntryState.EXCLUDED, "out_of_criteria")
    assert ProspectEvent.objects.filter(kind="lifted").count() == 3


def test_lifting_a_shared_numbers_bar_never_reopens_the_hors_criteres() -> None:
    campaign, supervisor = make_campaign(), make_user("supervisor")
    number = "+33199001234"
    mistaken, colleague = (
        make_entry(campaign, make_prospect(number)),
        make_entry(campaign, make_prospect(number)),
    )
    place = {
        "scope": "programme",
        "programme": campaign.programme,
        "reason": "out_of_criteria",
        "by": None,
        "at": NOW,
    }
    exclude(prospect=mistaken.prospect, **place)  # type: ignore[arg-type]
    shared = exclude(number=number, **place)  # type: ignore[arg-type]
    assert [state_of(mistaken), state_of(colleague)] == [EntryState.EXCLUDED] * 2

    lift_exclusion(exclusion=shared, reason="un standard", by=supervisor, at=NOW)

    assert state_of(mistaken) == EntryState.EXCLUDED
    assert state_of(colleague) == EntryState.READY


def test_an_entry_goes_on_with_another_number_that_is_not_barred() -> None:
    entry = make_entry(prospect=make_prospect(numbers=["+33199001111", "+33261910001"]))

    exclude(scope="everywhere", number="+33199001111", reason="opposition", by=None, at=NOW)

    entry.refresh_from_db()
    assert (entry.state, entry.number) == (EntryState.READY, "+33261910001")


def test_many_numbers_are_barred_at_once_each_once() -> None:
    campaign = make_campaign()
    entries = [make_entry(campaign) for _ in range(3)]
    numbers = [entry.number for entry in entries] + ["+33261910001"]
    place = {
        "scope": "sponsor",
        "sponsor": campaign.programme.sponsor,
        "reason": "opposition",
        "by": None,
        "at": NOW,
    }

    with CaptureQueriesContext(connection) as queries:
        first = exclude_many(numbers=[*numbers, numbers[0]], **place)  # type: ignore[arg-type]
    second = exclude_many(numbers=numbers, **place)  # type: ignore[arg-type]

    assert (first.added, first.already) == (4, 0)
    assert (second.added, second.already) == (0, 4)
    assert len(queries) <= 5
    assert {state_of(entry) for entry in entries} == {EntryState.EXCLUDED}
    assert ProspectEvent.objects.filter(kind="excluded").count() == 3
    with pytest.raises(Invalid):
        exclude_many(numbers=["+33261910002", "0261910003"], **place)  # type: ignore[arg-type]
    assert Exclusion.objects.count() == 4


def test_a_bar_survives_erasure_and_a_new_delivery_of_the_same_person() -> None:
    campaign = make_campaign()
    source = make_source()
    prospect = make_prospect("+33199001234", source=source, external_id="A1")
    exclude(
        scope="programme",
        programme=campaign.programme,
        prospect=prospect,
        reason="out_of_criteria",
        by=None,
        at=NOW,
    )

    erase_prospect_record(prospect=prospect, by=None, at=NOW)
    same_id = create_prospect(
        source=source, data={"external_id": "A1"}, phones=[PhoneInput("0261910001")], by=None, at=NOW
    )
    same_number = create_prospect(
        source=make_source(),
        data={"external_id": "Z9"},
        phones=[PhoneInput("01 99 00 12 34")],
        by=None,
        at=NOW,
    )

    for back in (same_id, same_number):
        entry = make_entry(campaign, back)
        assert covering_any(back, campaign.pk), entry


def covering_any(prospect: Prospect, campaign: int) -> bool:
    """Tell whether no number of the prospect may be dialled for the campaign."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT courtois_callable_number(%s, %s)", [prospect.pk, campaign])
        row = cursor.fetchone()
    return row is not None and row[0] is None


def test_numbers_are_checked_in_bulk_with_two_queries() -> None:
    campaign = make_campaign()
    bar = make_exclusion(number="+33199001234", sponsor=campaign.programme.sponsor)
    make_exclusion(number="+33199001235", sponsor=make_sponsor())

    with CaptureQueriesContext(connection) as queries:
        found = covering([f"+3319900{index:04d}" for index in range(1230, 1330)], campaign)

    assert found == {"+33199001234": bar}
    assert len(queries) == 2


def test_exclusions_of_another_sponsor_are_behind_its_walls() -> None:
    mine, theirs = make_sponsor(), make_sponsor()
    everywhere = make_exclusion(number="+33199001234")
    inside = make_exclusion(number="+33199001234", sponsor=mine)
    make_exclusion(number="+33199001234", sponsor=theirs)
    user = make_user("supervisor", sponsors=[mine])

    assert set(exclusions_found(user, q="0199001234")) == {everywhere, inside}
    assert set(exclusions_found(make_user("agent"), q="0199001234")) == set()
    lift_exclusion(exclusion=inside, reason="erreur", by=user, at=NOW)
    assert set(exclusions_found(user)) == {everywhere}
    assert set(exclusions_found(user, state="lifted")) == {inside}
    assert set(exclusions_found(user, state="all", scope="sponsor")) == {inside}
    assert set(exclusions_found(user, state="all", reason="ban")) == set()


def test_others_on_a_number_are_counted_inside_the_walls() -> None:
    number = "+33199001234"
    mine = make_sponsor()
    bar = make_exclusion(number=number)
    make_prospect(number, source=make_source(mine))
    make_prospect(number, source=make_source(make_sponsor()))

    assert others_on_number(make_user("supervisor", sponsors=[mine]), bar) == 1
    assert others_on_number(make_user("supervisor"), bar) == 2
