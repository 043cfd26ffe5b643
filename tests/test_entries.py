"""Lists: queued, screened, followed, moved by the clock, reset. Always in one statement, whatever the size."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.enums import EntryState, Gate
from campaigns.models import Attempt, Campaign, ClosingStep, Disposition, ListEntry
from campaigns.rules.catalogue import CLOSING_STEPS, DISPOSITIONS
from campaigns.selectors.queue import queue_counts
from campaigns.services.campaigns import CampaignClosed, close_campaign
from campaigns.services.entries import (
    AddResult,
    add_prospects,
    move_due_entries,
    remove_prospect,
    reset_list,
    screen,
)
from campaigns.services.exclusions import exclude, lift_exclusion
from campaigns.services.reference import load_reference_data
from crm.enums import NumberKind
from crm.models import Prospect, ProspectEvent
from crm.rules.errors import Invalid, InvalidTransition, NotFound
from crm.services.prospects import PhoneInput, edit_prospect, erase_prospect_record
from tests.factories import (
    NOW,
    make_campaign,
    make_criterion,
    make_entry,
    make_exclusion,
    make_number,
    make_prospect,
    make_source,
    make_sponsor,
    make_user,
)

pytestmark = pytest.mark.django_db
NIGHT = datetime(2026, 11, 25, 21, 0, tzinfo=UTC)


def add(campaign: Campaign, *prospects: Prospect) -> AddResult:
    """Queue prospects at `NOW`."""
    return add_prospects(campaign=campaign, prospects=prospects, by=None, at=NOW)


def entry_of(campaign: Campaign, prospect: Prospect) -> ListEntry:
    """Return the entry as it is stored now."""
    return ListEntry.objects.get(campaign=campaign, prospect=prospect)


def test_prospects_are_queued_once_each_with_what_speaks_against_them() -> None:
    campaign = make_campaign()
    make_criterion(campaign.programme)
    bank, bakery, barred, mute = (
        make_prospect(sector="64.19Z"),
        make_prospect(sector="10.71C"),
        make_prospect(sector="64.19Z"),
        make_prospect(sector="64.19Z", numbers=[]),
    )
    make_exclusion(prospect=barred, programme=campaign.programme, reason="out_of_criteria")

    first = add(campaign, bank, bakery, barred, mute)
    second = add(campaign, bank, bakery, barred, mute)

    assert first == AddResult(added=1, excluded=1, screened_out=1, without_number=1)
    assert second == AddResult(already=4)
    states = {item: entry_of(campaign, item).state for item in (bank, bakery, barred, mute)}
    assert states == {bank: "ready", bakery: "screened_out", barred: "excluded", mute: "exhausted"}
    assert entry_of(campaign, bakery).verdict_reason == "contradicted:une banque"
    assert entry_of(campaign, barred).verdict_reason == "out_of_criteria"
    assert entry_of(campaign, barred).excluded_by is not None
    assert entry_of(campaign, mute).verdict_gate == Gate.NUMBER
    assert entry_of(campaign, bank).number == bank.phones.get().number
    assert ProspectEvent.objects.filter(prospect=bank, kind="queued").count() == 1


def test_the_number_queued_is_the_first_that_may_be_dialled() -> None:
    campaign = make_campaign()
    prospect = make_prospect(numbers=[])
    make_number(prospect, "+33199007001", kind=NumberKind.FAX, position=0)
    make_number(prospect, "+33199007002", position=1)
    make_number(prospect, "+33199007003", position=2)
    make_exclusion(number="+33199007002", sponsor=campaign.programme.sponsor)

    add(campaign, prospect)

    assert entry_of(campaign, prospect).number == "+33199007003"


def test_the_zone_is_the_fiches_and_where_nobody_knows_it_nobody_is_called() -> None:
    campaign = make_campaign(calling_rule="default")
    reunion, mainland, unknown = (
        make_prospect(time_zone="Indian/Reunion"),
        make_prospect(time_zone=""),
        make_prospect(number="+18005550123", time_zone=""),
    )

    add(campaign, reunion, mainland, unknown)

    zones = [entry_of(campaign, item).time_zone for item in (reunion, mainland, unknown)]
    assert zones == ["Indian/Reunion", "Europe/Paris", ""]
    evening = datetime(2026, 11, 25, 18, 30, tzinfo=UTC)
    assert queue_counts(campaign, evening).callable == 1


def test_sponsors_are_walls_for_lists_too_and_the_erased_are_not_queued() -> None:
    campaign = make_campaign()
    mine = make_prospect(source=make_source(campaign.programme.sponsor))
    theirs = make_prospect(source=make_source(make_sponsor()))
    gone = make_prospect()
    erase_prospect_record(prospect=gone, by=None, at=NOW)

    found = add_prospects(campaign=campaign, prospects=[mine.pk, theirs.pk, gone.pk, 0], by=None, at=NOW)

    assert found == AddResult(added=1, refused=3)


def test_the_list_of_a_closed_campaign_takes_nobody_any_more() -> None:
    campaign = make_campaign()
    make_entry(campaign, state=EntryState.EXHAUSTED)
    close_campaign(campaign=campaign, by=make_user("manager"), at=NOW)

    with pytest.raises(CampaignClosed, match="terminée"):
        add(campaign, make_prospect())
    with pytest.raises(CampaignClosed):
        reset_list(campaign=campaign, by=make_user("manager"), at=NOW, reason="encore")

    assert campaign.entries.get().state == EntryState.EXHAUSTED


def test_a_queryset_is_queued_in_as_many_queries_as_one_record() -> None:
    campaign = make_campaign()
    make_criterion(campaign.programme)
    source = make_source()
    counted = []
    for size in (10, 20):
        for _ in range(size):
            make_prospect(sector="64", source=source)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            found = add_prospects(
                campaign=campaign, prospects=Prospect.objects.filter(source=source), by=None, at=NOW
            )
        assert found.added == size
        counted.append(len(queries))

    assert counted[0] == counted[1]


def test_screening_moves_both_ways_and_leaves_bars_alone() -> None:
    campaign = make_campaign()
    bank, bakery, barred = (
        make_prospect(sector="64.19Z"),
        make_prospect(sector="10.71C"),
        make_prospect(sector="10.71C"),
    )
    add(campaign, bank, bakery, barred)
    exclude(scope="everywhere", prospect=barred, reason="opposition", by=None, at=NOW)
    criterion = make_criterion(campaign.programme)

    first = screen(programme=campaign.programme, at=NOW)
    again = screen(campaign=campaign, at=NOW)

    assert (first.screened_out, first.reopened) == (1, 0)
    assert (again.screened_out, again.reopened) == (0, 0)
    assert entry_of(campaign, bakery).state == EntryState.SCREENED_OUT
    assert entry_of(campaign, barred).state == EntryState.EXCLUDED

    criterion.value = "10"
    criterion.save()
    back = screen(programme=campaign.programme, prospect_ids=[bakery.pk, bank.pk], at=NOW)

    assert (back.screened_out, back.reopened) == (1, 1)
    assert entry_of(campaign, bakery).state == EntryState.READY
    assert entry_of(campaign, bakery).verdict_gate == ""


def test_a_screened_out_record_that_was_barred_meanwhile_does_not_come_back() -> None:
    campaign = make_campaign()
    criterion = make_criterion(campaign.programme)
    bakery = make_prospect(sector="10.71C")
    add(campaign, bakery)
    exclude(scope="everywhere", prospect=bakery, reason="opposition", by=None, at=NOW)

    criterion.retired_at = NOW
    criterion.save()
    screen(programme=campaign.programme, at=NOW)

    assert entry_of(campaign, bakery).state == EntryState.EXCLUDED


def test_a_promised_callback_that_is_screened_out_keeps_its_time_and_owner() -> None:
    campaign, agent = make_campaign(), make_user()
    criterion = make_criterion(campaign.programme)
    due = NOW + timedelta(days=1)
    entry = make_entry(
        campaign, make_prospect(sector="10.71C"), state="callback", due_at=due, owner=agent, exact=True
    )

    screen(programme=campaign.programme, at=NOW)
    entry.refresh_from_db()
    assert entry.state == EntryState.SCREENED_OUT

    criterion.retired_at = NOW
    criterion.save()
    screen(programme=campaign.programme, at=NOW)

    entry.refresh_from_db()
    assert (entry.state, entry.due_at, entry.owner, entry.exact) == ("callback", due, agent, True)


def test_a_corrected_fiche_is_followed_by_its_entries() -> None:
    campaign, manager = make_campaign(), make_user("manager")
    make_criterion(campaign.programme)
    prospect = make_prospect(number="+33199008001", sector="10.71C")
    add(campaign, prospect)

    edit_prospect(
        prospect=prospect, data={"sector": "64.19Z", "language": "en"}, phones=None, by=manager, at=NOW
    )
    entry = entry_of(campaign, prospect)
    assert (entry.state, entry.language, entry.verdict_gate) == ("ready", "en", "")

    phones = [PhoneInput("02 61 91 00 01"), PhoneInput("01 99 00 80 01")]
    edit_prospect(prospect=prospect, data={}, phones=phones, by=manager, at=NOW)
    assert entry_of(campaign, prospect).number == "+33261910001"

    edit_prospect(prospect=prospect, data={"postal_code": "97400"}, phones=[], by=manager, at=NOW)
    entry = entry_of(campaign, prospect)
    assert (entry.state, entry.number, entry.verdict_reason) == ("exhausted", "", "no_number")

    edit_prospect(prospect=prospect, data={}, phones=[PhoneInput("0199008001")], by=manager, at=NOW)
    entry = entry_of(campaign, prospect)
    assert (entry.state, entry.number, entry.time_zone) == ("ready", "+33199008001", "Indian/Reunion")


def test_a_new_number_never_loosens_a_bar() -> None:
    campaign = make_campaign()
    barred, numbered = make_prospect(), make_prospect(number="+33199008101")
    add(campaign, barred, numbered)
    exclude(
        scope="programme",
        programme=campaign.programme,
        prospect=barred,
        reason="out_of_criteria",
        by=None,
        at=NOW,
    )
    exclude(scope="everywhere", number="01 99 00 81 01", reason="opposition", by=None, at=NOW)

    for prospect in (barred, numbered):
        edit_prospect(prospect=prospect, data={}, phones=[PhoneInput("0261910099")], by=None, at=NOW)

    assert entry_of(campaign, barred).state == EntryState.EXCLUDED
    assert entry_of(campaign, numbered).state == EntryState.EXCLUDED


def test_a_claimed_entry_is_left_to_its_agent() -> None:
    campaign = make_campaign()
    entry = make_entry(campaign, make_prospect(sector="10.71C"), state="claimed")
    make_criterion(campaign.programme)

    screen(programme=campaign.programme, at=NOW)

    entry.refresh_from_db()
    assert entry.state == EntryState.CLAIMED
    with pytest.raises(InvalidTransition):
        remove_prospect(campaign=campaign, prospect=entry.prospect, by=make_user("manager"), at=NOW)


def test_a_removed_prospect_can_be_queued_again_unless_it_was_called() -> None:
    campaign, manager = make_campaign(), make_user("manager")
    fresh, called = make_prospect(), make_prospect()
    add(campaign, fresh, called)
    ListEntry.objects.filter(prospect=called).update(attempts=1)

    for prospect in (fresh, called):
        remove_prospect(campaign=campaign, prospect=prospect, by=manager, at=NOW)

    assert not ListEntry.objects.filter(prospect=fresh).exists()
    assert entry_of(campaign, called).state == EntryState.DONE
    assert ProspectEvent.objects.filter(kind="unqueued").count() == 2
    assert add(campaign, fresh, called) == AddResult(added=1, already=1)
    with pytest.raises(NotFound):
        remove_prospect(campaign=campaign, prospect=make_prospect(), by=manager, at=NOW)


def test_a_reset_opens_what_was_exhausted_and_never_a_bar() -> None:
    campaign, manager = make_campaign(), make_user("manager")
    tired = make_entry(campaign, state="exhausted", attempts=4)
    done = make_entry(campaign, state="done", attempts=1)
    barred = make_entry(campaign)
    exclude(
        scope="programme",
        programme=campaign.programme,
        prospect=barred.prospect,
        reason="out_of_criteria",
        by=None,
        at=NOW,
    )
    spent = make_entry(campaign, state="exhausted")
    exclude(
        scope="programme",
        programme=campaign.programme,
        prospect=spent.prospect,
        reason="out_of_criteria",
        by=None,
        at=NOW,
    )

    with pytest.raises(Invalid):
        reset_list(campaign=campaign, by=manager, at=NOW, reason="  ")
    count = reset_list(campaign=campaign, by=manager, at=NOW, reason="nouvelle vague")

    for entry in (tired, done, barred, spent):
        entry.refresh_from_db()
    assert count == 1
    assert (tired.state, tired.attempts) == ("ready", 0)
    assert (done.state, barred.state, spent.state) == ("done", "excluded", "excluded")
    assert reset_list(campaign=campaign, by=manager, at=NOW, reason="encore", include_done=True) == 1


def test_beat_puts_off_callbacks_to_the_next_opening_but_not_promised_hours() -> None:
    campaign = make_campaign(calling_rule="default")
    loose = make_entry(campaign, state="callback", due_at=NIGHT)
    promised = make_entry(campaign, state="callback", due_at=NIGHT, exact=True)
    free = make_entry(make_campaign(), state="callback", due_at=NIGHT)

    moved = move_due_entries(at=NIGHT)
    again = move_due_entries(at=NIGHT)

    for entry in (loose, promised, free):
        entry.refresh_from_db()
    assert (moved.outside_hours, again.outside_hours) == (1, 0)
    assert (loose.due_at, loose.verdict_gate) == (datetime(2026, 11, 26, 9, 0, tzinfo=UTC), Gate.WINDOW)
    assert promised.due_at == free.due_at == NIGHT


def test_beat_puts_off_people_who_had_all_their_attempts() -> None:
    campaign = make_campaign(calling_rule="default", max_attempts=2)
    capped, other = make_entry(campaign), make_entry(campaign)
    days = [date(2026, 11, 5), date(2026, 11, 20), date(2026, 10, 1)]
    for ref, (entry, day) in enumerate(
        [(capped, days[0]), (capped, days[1]), (other, days[1]), (other, days[2])], 1
    ):
        Attempt.objects.create(
            campaign=campaign,
            sponsor=campaign.programme.sponsor,
            prospect=entry.prospect,
            number=entry.number,
            at=NOW,
            local_date=day,
            call_ref=ref,
        )

    moved = move_due_entries(at=NOW)

    capped.refresh_from_db()
    other.refresh_from_db()
    assert moved.capped == 1
    assert (capped.state, capped.verdict_reason) == ("ready", "cap:2")
    assert capped.due_at == datetime(2026, 12, 4, 23, 0, tzinfo=UTC)
    assert other.due_at == NOW
    assert move_due_entries(at=NOW).capped == 0


def test_beat_reopens_what_a_bar_had_closed_once_it_has_ended() -> None:
    campaign, supervisor = make_campaign(), make_user("supervisor")
    short, long_ = make_entry(campaign), make_entry(campaign)
    soon = datetime.now(UTC) + timedelta(seconds=1)
    for entry in (short, long_):
        exclude(
            scope="everywhere", prospect=entry.prospect, reason="other", until=soon, by=supervisor, at=NOW
        )
    exclude(scope="everywhere", number=long_.number, reason="opposition", by=supervisor, at=NOW)
    assert entry_of(campaign, short.prospect).state == EntryState.EXCLUDED

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(1.1)")
    moved = move_due_entries(at=datetime.now(UTC))

    assert moved.reopened == 1
    assert entry_of(campaign, short.prospect).state == EntryState.READY
    assert entry_of(campaign, long_.prospect).verdict_reason == "opposition"
    assert move_due_entries(at=datetime.now(UTC)).reopened == 0


def test_the_queue_says_how_many_and_why_nobody() -> None:
    campaign = make_campaign(calling_rule="default")
    assert queue_counts(campaign, NOW).why.startswith("La liste est vide")
    make_entry(campaign)
    make_entry(campaign, due_at=NOW + timedelta(hours=3))
    make_entry(
        campaign, state="screened_out", verdict_gate="criteria", verdict_reason="contradicted:une banque"
    )
    make_entry(campaign, state="done")

    day, night = queue_counts(campaign, NOW), queue_counts(campaign, NIGHT)

    assert (day.callable, day.total, day.why, day.next_at) == (1, 4, "", None)
    assert {(item.reason, item.count) for item in day.reasons} == {
        ("later", 1),
        ("contradicted:une banque", 1),
    }
    assert (night.callable, night.next_at) == (0, datetime(2026, 11, 26, 9, 0, tzinfo=UTC))
    assert "Hors des horaires" in night.why
    assert "10:00" in night.why
    assert day.states == {"ready": 2, "screened_out": 1, "done": 1}
    campaign.status = "paused"
    assert queue_counts(campaign, NOW).why == "La campagne est en pause."


def test_an_empty_and_a_finished_list_say_so() -> None:
    campaign = make_campaign()
    make_entry(campaign, state="done")
    assert queue_counts(campaign, NOW).why == "Toutes les fiches sont terminées."
    barred = make_entry(campaign)
    exclusion = exclude(scope="everywhere", prospect=barred.prospect, reason="opposition", by=None, at=NOW)

    why = queue_counts(campaign, NOW).why.replace("\N{NO-BREAK SPACE}", " ")
    assert why == "Plus aucune fiche à appeler. 1 fiche : Exclusion : Opposition."

    lift_exclusion(exclusion=exclusion, reason="erreur", by=make_user("supervisor"), at=NOW)
    assert queue_counts(campaign, NOW).callable == 1


def test_the_catalogue_is_seeded_and_loading_it_again_changes_nothing() -> None:
    stored = Disposition.objects.get(code="complete")
    stored.label = "Terminé"
    stored.save()

    assert load_reference_data() == (0, 0)

    assert Disposition.objects.count() == len(DISPOSITIONS) == 22
    assert ClosingStep.objects.filter(campaign=None).count() == len(CLOSING_STEPS) == 16
    assert Disposition.objects.get(code="complete").label == "Terminé"
    assert Disposition.objects.get(by_mismatch_only=True).code == "out_of_criteria"
    assert Disposition.objects.get(code="refusal").bar_scope == "programme"


def test_migrations_are_complete() -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)
