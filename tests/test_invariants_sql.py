"""The invariants of the contract, attacked by raw SQL. What is refused here is refused whatever code runs."""

import io
from datetime import timedelta
from typing import Any

import pytest
from django.db import DataError, IntegrityError, connection, transaction

from calls.enums import CallState
from calls.models import (
    Call,
    Callback,
    CallDisposition,
    CallEffect,
    CallEvent,
    Incident,
    IncidentDecision,
)
from campaigns.enums import EntryState, Scope
from campaigns.models import Exclusion, ListEntry
from crm.enums import Role
from crm.models import Prospect, ProspectEvent, ProspectNumber, User
from tests.factories import (
    NOW,
    make_campaign,
    make_criterion,
    make_entry,
    make_exclusion,
    make_programme,
    make_prospect,
    make_source,
    make_sponsor,
    make_user,
    next_number,
)
from tests.rawsql import Desk, disposition, end, execute, insert, make_callback, move, refused, settle

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Desk:
    return Desk()


# --- 1. No dial to an excluded number or prospect ---


@pytest.mark.parametrize("what", ["number", "prospect", "both"])
@pytest.mark.parametrize("scope", Scope.values)
def test_no_call_begins_under_an_exclusion_of_any_scope(desk: Desk, scope: str, what: str) -> None:
    places: dict[str, dict[str, Any]] = {
        "everywhere": {},
        "sponsor": {"sponsor": desk.programme.sponsor},
        "programme": {"programme": desk.programme},
        "campaign": {"campaign": desk.campaign},
    }
    target: dict[str, Any] = {"number": desk.number} if what == "number" else {"prospect": desk.prospect}
    if what == "both":
        target = {"number": next_number(), "prospect": desk.prospect}

    make_exclusion(**places[scope], **target)

    with refused("call_not_excluded"):
        insert(desk.call())


def test_an_exclusion_elsewhere_bars_nothing_here(desk: Desk) -> None:
    sibling = make_programme(desk.programme.sponsor)

    make_exclusion(programme=sibling, number=desk.number)
    make_exclusion(sponsor=make_sponsor(), number=desk.number)
    make_exclusion(campaign=make_campaign(desk.programme), prospect=desk.prospect)

    assert insert(desk.call())


def test_no_claimed_call_is_dialled_once_its_prospect_is_excluded(desk: Desk) -> None:
    call = desk.claim()
    # As if the release of claimed calls had been lost: the dial itself must refuse.
    settle()
    execute("ALTER TABLE campaigns_exclusion DISABLE TRIGGER USER")
    make_exclusion(prospect=desk.prospect)
    settle()
    execute("ALTER TABLE campaigns_exclusion ENABLE TRIGGER USER")

    with refused("call_not_excluded"):
        move(call, "dialling")


def test_a_new_exclusion_releases_the_claimed_call_and_closes_its_entry_and_callback(desk: Desk) -> None:
    call = desk.claim()
    callback = make_callback(desk)

    make_exclusion(programme=desk.programme, prospect=desk.prospect)

    assert Call.objects.get(pk=call).state == CallState.RELEASED
    assert CallEvent.objects.filter(call=call, kind="released", data={"reason": "excluded"}).count() == 1
    desk.entry.refresh_from_db()
    assert desk.entry.state == EntryState.EXCLUDED
    assert Callback.objects.get(pk=callback).state == "excluded"


def test_a_new_exclusion_of_one_number_moves_the_waiting_entry_to_the_other(desk: Desk) -> None:
    callback = make_callback(desk)

    make_exclusion(programme=desk.programme, number=desk.number)

    desk.entry.refresh_from_db()
    assert (desk.entry.state, desk.entry.number) == (EntryState.READY, desk.second)
    assert Callback.objects.get(pk=callback).state == "open"


def test_a_call_on_the_line_goes_on_when_an_exclusion_arrives(desk: Desk) -> None:
    call = desk.connect()

    make_exclusion(number=desk.number)

    assert Call.objects.get(pk=call).state == CallState.CONNECTED


@pytest.mark.parametrize("state", [state for state in CallState.values if state != "claimed"])
def test_no_call_is_inserted_past_the_guard_of_the_dial(desk: Desk, state: str) -> None:
    with refused("call_starts_claimed"):
        insert(desk.call(), state=state)


@pytest.mark.parametrize("state", ["connected", "closing", "ended", "done", "not_reached"])
def test_no_claimed_call_skips_the_dial(desk: Desk, state: str) -> None:
    call = desk.claim()

    with refused("call_moves_legally"):
        move(call, state)


@pytest.mark.parametrize("state", ["claimed", "dialling"])
def test_a_released_call_never_comes_back(desk: Desk, state: str) -> None:
    call = desk.claim()
    move(call, "released")
    make_exclusion(number=desk.number)

    with refused("call_moves_legally", "call_not_excluded"):
        move(call, state)


def test_a_claimed_call_cannot_be_turned_to_another_number_prospect_or_agent(desk: Desk) -> None:
    call = desk.claim()
    other = make_prospect()

    for column, value in {
        "number": desk.second,
        "prospect_id": other.pk,
        "agent_id": desk.supervisor.pk,
        "campaign_id": make_campaign().pk,
        "entry_id": make_entry(prospect=other).pk,
        "mode": "manual",
        "started_at": NOW - timedelta(days=1),
        "id": call + 1000,
    }.items():
        with refused("call_identity_fixed"):
            execute(f"UPDATE calls_call SET {column} = %s WHERE id = %s", value, call)
    with refused("call_identity_fixed"):
        execute("UPDATE calls_call SET prospect_id = NULL WHERE id = %s", call)


def test_neither_copy_nor_upsert_nor_merge_passes_the_guard(desk: Desk) -> None:
    claimed = desk.claim()
    make_exclusion(number=desk.second)
    other = make_user()
    columns = [str(f.column) for f in Call._meta.concrete_fields if not f.primary_key]
    row = desk.call(number=desk.second, prospect=None, entry=None, agent=other)

    with refused("call_not_excluded"), connection.cursor() as cursor:
        copy = f"COPY calls_call ({', '.join(columns)}) FROM STDIN"
        with cursor.copy(copy) as lines:
            lines.write_row(
                [
                    f.get_db_prep_save(getattr(row, f.attname), connection)
                    for f in Call._meta.concrete_fields
                    if not f.primary_key
                ]
            )
    with refused("call_not_excluded"):
        names = ", ".join(columns)
        execute(
            f"INSERT INTO calls_call ({names}) SELECT {names.replace('number', '%s').replace('agent_id', '%s')}"
            " FROM calls_call WHERE id = %s ON CONFLICT DO NOTHING",
            *[
                desk.second if name == "number" else other.pk
                for name in columns
                if name in {"number", "agent_id"}
            ],
            claimed,
        )
    settle()
    execute("ALTER TABLE campaigns_exclusion DISABLE TRIGGER USER")
    make_exclusion(number=desk.number)
    settle()
    execute("ALTER TABLE campaigns_exclusion ENABLE TRIGGER USER")
    with refused("call_not_excluded"):
        execute(
            "MERGE INTO calls_call c USING (SELECT %s::bigint AS id) x ON c.id = x.id"
            " WHEN MATCHED THEN UPDATE SET state = 'dialling'",
            claimed,
        )


def test_a_number_dialled_without_its_record_is_barred_with_whoever_carries_it(desk: Desk) -> None:
    manual = desk.call(prospect=None, entry=None, mode="manual")
    claimed = insert(manual)

    make_exclusion(prospect=desk.prospect)

    assert Call.objects.get(pk=claimed).state == CallState.RELEASED
    with refused("call_not_excluded"):
        insert(manual)


def test_a_temporary_table_of_the_same_name_hides_no_exclusion(desk: Desk) -> None:
    make_exclusion(number=desk.number)

    with refused("call_not_excluded"):
        execute("CREATE TEMP TABLE campaigns_exclusion (LIKE public.campaigns_exclusion)")
        insert(desk.call())


def test_no_session_switches_a_guard_off_by_a_setting(desk: Desk) -> None:
    make_exclusion(number=desk.number)
    [(names,)] = execute("SELECT array_agg(tgname::text) FROM pg_trigger WHERE tgname LIKE 'pgtrigger%%'")

    execute("SELECT set_config('pgtrigger.ignore', %s, true)", "{" + ",".join(names) + "}")

    with refused("call_not_excluded"):
        insert(desk.call())
    with refused("exclusion_never_deleted"):
        execute("DELETE FROM campaigns_exclusion")


def test_an_exclusion_holds_until_its_end_and_not_longer(desk: Desk) -> None:
    [(now,)] = execute("SELECT clock_timestamp()")
    make_exclusion(number=desk.number, until=now - timedelta(seconds=1))
    assert insert(desk.call())
    make_exclusion(number=desk.second, until=now + timedelta(hours=1))

    with refused("call_not_excluded"):
        insert(desk.call(number=desk.second, agent=make_user(), prospect=None, entry=None))


def test_a_campaign_cannot_leave_the_bars_of_its_programme_behind(desk: Desk) -> None:
    with refused("campaign_stays_in_its_programme"):
        execute("UPDATE campaigns_campaign SET programme_id = %s", make_programme().pk)
    with refused("programme_stays_with_its_sponsor"):
        execute("UPDATE campaigns_programme SET sponsor_id = %s", make_sponsor().pk)


# --- 2. A mismatch is final ---


def test_a_stored_mismatch_bars_the_prospect_and_every_number_at_once(desk: Desk) -> None:
    call = desk.connect()
    criterion = make_criterion(desk.programme)
    sibling = make_entry(make_campaign(desk.programme), desk.prospect, state="callback")
    elsewhere = make_entry(make_campaign(), desk.prospect)
    callback = make_callback(desk)

    insert(desk.answer(call, criterion))
    settle()

    stored = Call.objects.get(pk=call)
    assert (stored.state, stored.closing_kind) == (CallState.CLOSING, "mismatch")
    assert (stored.out_of_criteria_at, stored.disposition_id) == (NOW, disposition("out_of_criteria"))
    bars = Exclusion.objects.filter(call_ref=call, reason="out_of_criteria", lifted_at=None)
    assert {(bar.scope, bar.programme_id) for bar in bars} == {("programme", desk.programme.pk)}
    assert {bar.number for bar in bars} == {None, desk.number, desk.second}
    assert {bar.prospect_id for bar in bars if bar.number is None} == {desk.prospect.pk}
    assert CallEffect.objects.filter(call=call, kind="exclusion").count() == 3
    states = dict(ListEntry.objects.values_list("pk", "state"))
    assert states == {desk.entry.pk: "excluded", sibling.pk: "excluded", elsewhere.pk: "ready"}
    assert Callback.objects.get(pk=callback).state == "excluded"


def test_a_mismatch_on_a_shared_number_closes_the_other_records_that_wait_behind_it(desk: Desk) -> None:
    neighbour = make_entry(desk.campaign, make_prospect(desk.number))
    call = desk.connect()

    insert(desk.answer(call, make_criterion(desk.programme)))

    neighbour.refresh_from_db()
    assert neighbour.state == EntryState.EXCLUDED


def test_another_organisation_answering_is_a_mismatch_without_criterion(desk: Desk) -> None:
    call = desk.connect()

    insert(desk.answer(call, None), blocking=False)

    assert Call.objects.get(pk=call).out_of_criteria_at == NOW


def test_the_writer_of_an_answer_does_not_decide_whether_it_bars(desk: Desk) -> None:
    call = desk.connect()
    soft = make_criterion(desk.programme, blocking=False)
    hard = make_criterion(desk.programme)

    insert(desk.answer(call, soft), blocking=True)
    assert Call.objects.get(pk=call).out_of_criteria_at is None
    insert(desk.answer(call, hard), blocking=False)

    assert Call.objects.get(pk=call).out_of_criteria_at == NOW


def test_a_criterion_that_was_softened_meanwhile_still_bars_in_the_version_that_was_asked(desk: Desk) -> None:
    call = desk.connect()
    criterion = make_criterion(desk.programme)
    execute("UPDATE campaigns_criterion SET blocking = false, version = 2 WHERE id = %s", criterion.pk)

    insert(desk.answer(call, criterion, version=1))

    assert Call.objects.get(pk=call).out_of_criteria_at == NOW


def test_a_call_answers_only_the_criteria_of_its_own_programme(desk: Desk) -> None:
    call = desk.connect()

    with refused("answer_of_its_programme"):
        insert(desk.answer(call, make_criterion(make_programme())))


@pytest.mark.parametrize("states", [(), ("dialling",), ("dialling", "not_reached")])
def test_nobody_on_the_line_can_mismatch(desk: Desk, states: tuple[str, ...]) -> None:
    call = desk.claim()
    move(call, *states)

    with refused("mismatch_needs_a_person"):
        insert(desk.answer(call, make_criterion(desk.programme)))


def test_after_a_mismatch_no_other_disposition_is_stored(desk: Desk) -> None:
    call = desk.mismatch()

    for code in ("complete", "opt_out"):
        row = CallDisposition(call_id=call, disposition_id=disposition(code), at=NOW, by=desk.agent)
        with refused("out_of_criteria_is_final"):
            insert(row)
        with refused("out_of_criteria_is_final"):
            execute("UPDATE calls_call SET disposition_id = %s WHERE id = %s", disposition(code), call)
    for sql in ("disposition_id = NULL", "disposition_id = NULL, out_of_criteria_at = NULL"):
        with refused("out_of_criteria_is_final", "call_identity_fixed"):
            execute(f"UPDATE calls_call SET {sql} WHERE id = %s", call)
    with refused("call_identity_fixed"):
        execute("UPDATE calls_call SET out_of_criteria_at = now() WHERE id = %s", call)


def test_a_mismatch_replaces_what_the_agent_had_stored_before(desk: Desk) -> None:
    call = desk.connect()
    execute("UPDATE calls_call SET disposition_id = %s WHERE id = %s", disposition("complete"), call)
    insert(CallDisposition(call_id=call, disposition_id=disposition("complete"), at=NOW, by=desk.agent))

    insert(desk.answer(call, make_criterion(desk.programme)))
    settle()

    assert Call.objects.get(pk=call).disposition_id == disposition("out_of_criteria")


def test_a_second_mismatch_of_the_same_call_adds_nothing(desk: Desk) -> None:
    call = desk.mismatch()
    before = Exclusion.objects.count()

    insert(desk.answer(call, make_criterion(desk.programme)))

    assert Exclusion.objects.count() == before
    assert CallDisposition.objects.filter(call=call).count() == 1


def test_nobody_declares_a_call_out_of_criteria_without_a_mismatch(desk: Desk) -> None:
    call = desk.connect()
    ooc = disposition("out_of_criteria")

    with refused("out_of_criteria_by_mismatch"):
        execute(
            "UPDATE calls_call SET out_of_criteria_at = now(), disposition_id = %s WHERE id = %s", ooc, call
        )
    with refused("call_shows_its_disposition"):
        execute("UPDATE calls_call SET disposition_id = %s WHERE id = %s", ooc, call)
    with refused("out_of_criteria_by_mismatch"):
        insert(CallDisposition(call_id=call, disposition_id=ooc, at=NOW, by=desk.agent))
    with refused("call_starts_claimed"):
        insert(desk.call(agent=make_user()), out_of_criteria_at=NOW, disposition_id=ooc)


def lift_all(call: int, by: User) -> None:
    execute(
        "UPDATE campaigns_exclusion SET lifted_at = now(), lifted_by_id = %s, lift_reason = 'erreur'"
        " WHERE call_ref = %s",
        by.pk,
        call,
    )


def test_a_supervisor_corrects_an_entry_error_and_lifts_its_bars(desk: Desk) -> None:
    call = desk.mismatch()

    insert(desk.correct(call, "complete"))
    execute("UPDATE calls_call SET disposition_id = %s WHERE id = %s", disposition("complete"), call)
    lift_all(call, desk.supervisor)
    settle()

    assert CallDisposition.objects.filter(call=call).count() == 2
    assert not Exclusion.objects.active().filter(call_ref=call).exists()


def test_a_correction_that_leaves_the_bars_standing_is_not_committed(desk: Desk) -> None:
    call = desk.mismatch()

    with refused("disposition_runs_its_effects"):
        insert(desk.correct(call, "complete"))
        execute("UPDATE calls_call SET disposition_id = %s WHERE id = %s", disposition("complete"), call)


def test_a_real_mismatch_after_a_corrected_one_bars_again(desk: Desk) -> None:
    call = desk.mismatch()
    insert(desk.correct(call, "complete"))
    execute("UPDATE calls_call SET disposition_id = %s WHERE id = %s", disposition("complete"), call)
    lift_all(call, desk.supervisor)
    settle()

    insert(desk.answer(call, make_criterion(desk.programme)))
    settle()

    assert Exclusion.objects.active().filter(call_ref=call).count() == 3
    assert Call.objects.get(pk=call).disposition_id == disposition("out_of_criteria")
    # The earlier correction is used up: it replaces this one no more.
    with refused("out_of_criteria_is_final"):
        execute("UPDATE calls_call SET disposition_id = %s WHERE id = %s", disposition("complete"), call)


def test_only_a_supervisor_with_a_reason_corrects(desk: Desk) -> None:
    call = desk.mismatch()

    for fields in ({"by": desk.agent}, {"reason": ""}, {"reason": "  "}, {"by": make_user(Role.INTEGRATION)}):
        with refused("correction_by_supervisor"):
            insert(desk.correct(call, "complete", **fields))


def test_a_correction_names_the_latest_row_of_its_own_call(desk: Desk) -> None:
    call = desk.mismatch()
    end(call)
    move(call, "done")
    elsewhere = Desk()
    other = elsewhere.mismatch()
    foreign = CallDisposition.objects.get(call=other)

    with refused("disposition_once"):
        insert(desk.correct(call, "complete", corrects=foreign))


# --- 3. One call at a time ---


@pytest.mark.parametrize(
    ("constraint", "same"),
    [
        ("call_one_open_per_agent", "agent"),
        ("call_one_open_per_number", "number"),
        ("call_one_open_per_prospect", "prospect"),
    ],
)
def test_agent_number_and_prospect_are_each_in_one_open_call(desk: Desk, constraint: str, same: str) -> None:
    call = desk.claim()
    other = Desk()
    second = other.call(**{same: getattr(desk, same)})

    for states in [(), ("dialling",), ("connected",)]:
        move(call, *states)
        with refused(constraint):
            insert(second)
    end(call)
    with refused(constraint):
        insert(second)


def test_a_finished_call_frees_agent_number_and_prospect(desk: Desk) -> None:
    call = desk.connect()
    execute("UPDATE calls_call SET disposition_id = %s WHERE id = %s", disposition("complete"), call)
    insert(CallDisposition(call_id=call, disposition_id=disposition("complete"), at=NOW, by=desk.agent))
    end(call)
    move(call, "done")

    assert insert(desk.call())


# --- 4. Exclusions are lifted, never deleted ---


def test_an_exclusion_is_neither_deleted_nor_truncated(desk: Desk) -> None:
    make_exclusion(number=desk.number, prospect=desk.prospect)

    settle()
    with refused("exclusion_never_deleted"):
        execute("DELETE FROM campaigns_exclusion")
    for table in ("campaigns_exclusion", "crm_prospect", "crm_sponsor", "campaigns_campaign", "crm_user"):
        with pytest.raises(IntegrityError), transaction.atomic():
            execute(f"TRUNCATE {table} CASCADE")
    assert Exclusion.objects.count() == 1


def test_only_a_supervisor_or_manager_lifts_once_with_a_reason(desk: Desk) -> None:
    bar = make_exclusion(number=desk.number)
    lift = (
        "UPDATE campaigns_exclusion SET lifted_at = now(), lifted_by_id = %s, lift_reason = %s WHERE id = %s"
    )

    for by, reason in (
        (desk.agent.pk, "il a rappelé"),
        (make_user(Role.INTEGRATION).pk, "api"),
        (desk.supervisor.pk, ""),
        (desk.supervisor.pk, " "),
        (None, "personne"),
    ):
        with refused("exclusion_only_lifted"):
            execute(lift, by, reason, bar.pk)
    execute(lift, desk.supervisor.pk, "il a rappelé", bar.pk)

    with refused("exclusion_only_lifted"):
        execute(lift, desk.supervisor.pk, "encore", bar.pk)
    with refused("exclusion_only_lifted"):
        execute("UPDATE campaigns_exclusion SET lifted_at = NULL, lifted_by_id = NULL, lift_reason = ''")
    assert insert(desk.call())


def test_nothing_else_of_an_exclusion_changes(desk: Desk) -> None:
    bar = make_exclusion(programme=desk.programme, number=desk.number, prospect=desk.prospect, note="motif")
    signed = f"lifted_at = now(), lifted_by_id = {desk.supervisor.pk}, lift_reason = 'motif'"

    for change in (
        "number = '+33353019999'",
        "number = NULL",
        "prospect_id = NULL",
        "until = now()",
        "since = now() - interval '1 year'",
        "reason = 'other'",
        "note = ''",
        "call_ref = 1",
        "id = id + 1000",
        f"scope = 'campaign', campaign_id = {desk.campaign.pk}",
        f"programme_id = {make_programme().pk}",
        f"created_by_id = {desk.agent.pk}",
    ):
        for also in ("", f", {signed}"):
            with refused("exclusion_only_lifted"):
                execute(f"UPDATE campaigns_exclusion SET {change}{also} WHERE id = {bar.pk}")


def test_an_exclusion_is_not_born_lifted_nor_without_target_or_place(desk: Desk) -> None:
    bar = Exclusion(
        scope="programme", programme=desk.programme, number=desk.number, reason="other", since=NOW
    )

    with refused("exclusion_only_lifted"):
        insert(bar, lifted_at=NOW, lifted_by_id=desk.agent.pk, lift_reason="moi")
    with refused("exclusion_bars_something"):
        insert(bar, number=None)
    with refused("exclusion_scope_names_its_place"):
        insert(bar, programme_id=None)
    with refused("exclusion_scope_names_its_place"):
        insert(bar, scope="nowhere")
    with refused("exclusion_scope_names_its_place"):
        insert(bar, campaign_id=desk.campaign.pk)
    with refused("exclusion_number_e164"):
        insert(bar, number="0199000000")


def test_the_sponsor_of_an_exclusion_is_filled_in_never_trusted(desk: Desk) -> None:
    bar = Exclusion(scope="campaign", campaign=desk.campaign, number=desk.number, reason="other", since=NOW)

    pk = insert(bar, sponsor_id=make_sponsor().pk, programme_id=make_programme().pk)

    stored = Exclusion.objects.get(pk=pk)
    assert (stored.programme, stored.sponsor) == (desk.programme, desk.programme.sponsor)


def erase(prospect: Prospect) -> None:
    execute(
        "UPDATE crm_prospect SET erased_at = now(), erased_external_id = encode(sha256(external_id::bytea), 'hex'),"
        " external_id = '', civility = '', first_name = '', last_name = '', organisation = '', email = '',"
        " address = '', attributes = '{}' WHERE id = %s",
        prospect.pk,
    )


def test_a_prospect_is_never_deleted_and_its_erasure_is_final(desk: Desk) -> None:
    with refused("prospect_never_deleted"):
        execute("DELETE FROM crm_prospect WHERE id = %s", desk.prospect.pk)
    with refused("prospect_erased_is_blank"):
        execute("UPDATE crm_prospect SET erased_at = now() WHERE id = %s", desk.prospect.pk)
    erase(desk.prospect)

    for change in ("erased_at = NULL", "erased_external_id = ''", f"source_id = {make_source().pk}"):
        with refused("prospect_erasure_is_final"):
            execute(f"UPDATE crm_prospect SET {change} WHERE id = {desk.prospect.pk}")
    with refused("prospect_erased_is_blank"):
        execute("UPDATE crm_prospect SET last_name = 'Martin' WHERE id = %s", desk.prospect.pk)


def test_an_erased_persons_bars_stay_on_its_numbers(desk: Desk) -> None:
    make_exclusion(programme=desk.programme, prospect=desk.prospect, note="M. Martin, fâché")

    erase(desk.prospect)

    assert not ProspectNumber.objects.filter(prospect=desk.prospect).exists()
    stranger = make_prospect(desk.number)
    with refused("call_not_excluded"):
        insert(desk.call(prospect=stranger, entry=None))
    with refused("call_not_excluded"):
        insert(desk.call(prospect=None, entry=None, number=desk.second))


@pytest.mark.parametrize("way", ["insert", "rename"])
def test_a_record_that_comes_back_under_its_old_id_finds_its_bars(desk: Desk, way: str) -> None:
    source, identifier = desk.prospect.source, desk.prospect.external_id
    make_exclusion(programme=desk.programme, prospect=desk.prospect)
    erase(desk.prospect)

    number = next_number()
    back = make_prospect(number, source=source, external_id=identifier if way == "insert" else "autre")
    if way == "rename":
        execute("UPDATE crm_prospect SET external_id = %s WHERE id = %s", identifier, back.pk)

    with refused("call_not_excluded"):
        insert(desk.call(prospect=back, entry=None, number=number))


def test_a_lifted_bar_does_not_come_back_with_the_record(desk: Desk) -> None:
    source, identifier = desk.prospect.source, desk.prospect.external_id
    make_exclusion(programme=desk.programme, prospect=desk.prospect)
    execute(
        "UPDATE campaigns_exclusion SET lifted_at = now(), lifted_by_id = %s, lift_reason = 'levée'",
        desk.supervisor.pk,
    )
    erase(desk.prospect)

    back = make_prospect(desk.number, source=source, external_id=identifier)

    assert insert(desk.call(prospect=back, entry=None))


def test_resetting_the_list_opens_no_way_to_an_excluded_prospect(desk: Desk) -> None:
    call = desk.mismatch()
    end(call)
    move(call, "done")

    execute("UPDATE campaigns_listentry SET state = 'ready', excluded_by_id = NULL")

    with refused("call_not_excluded"):
        insert(desk.call())


# --- 5. History is append-only ---


@pytest.fixture
def history(desk: Desk) -> dict[str, str]:
    """A row in every table of history, by table: the constraint that protects it."""
    call = desk.mismatch()
    insert(CallEvent(call_id=call, kind="note", at=NOW, by=desk.agent, data={"text": "M. Martin"}))
    insert(ProspectEvent(prospect=desk.prospect, kind="note", at=NOW, data={"text": "M. Martin"}))
    incident = insert(
        Incident(kind="other", sponsor=desk.programme.sponsor, call_id=call, summary="M. Martin crie", at=NOW)
    )
    insert(
        IncidentDecision(
            incident_id=incident,
            decision="nothing",
            reason="M. Martin était souffrant",
            at=NOW,
            by=desk.supervisor,
        )
    )
    return {
        "calls_callevent": "call_event_append_only",
        "calls_callanswer": "answer_append_only",
        "calls_calldisposition": "call_disposition_append_only",
        "calls_calleffect": "call_effect_append_only",
        "calls_incident": "incident_append_only",
        "calls_incidentdecision": "incident_decision_append_only",
        "crm_prospectevent": "prospect_event_append_only",
        "campaigns_criterionversion": "criterion_version_append_only",
        "calls_call": "call_never_deleted",
    }


def test_no_row_of_history_is_deleted_or_truncated(history: dict[str, str]) -> None:
    settle()
    for table, constraint in history.items():
        with refused(constraint):
            execute(f"DELETE FROM {table}")
        with refused(*history.values()):
            execute(f"TRUNCATE {table} CASCADE")


def test_no_row_of_history_is_changed(history: dict[str, str]) -> None:
    for table, constraint in history.items():
        if table == "calls_call":
            continue
        columns = [
            name
            for (name,) in execute(
                "SELECT column_name FROM information_schema.columns WHERE table_name = %s"
                " AND is_identity = 'NO' AND data_type <> 'boolean'",
                table,
            )
        ]
        for column in columns:
            with refused(constraint):
                execute(f"UPDATE {table} SET {column} = {column}")


BLANKED = {
    "calls_callevent": "data = '{}'",
    "calls_callanswer": "heard = '', expected = ''",
    "calls_calldisposition": "note = '', reason = ''",
    "calls_incident": "summary = ''",
    "calls_incidentdecision": "reason = ''",
    "crm_prospectevent": "data = '{}'",
}


def test_the_words_about_a_person_are_blanked_once_it_is_erased_and_not_before(
    desk: Desk, history: dict[str, str]
) -> None:
    make_exclusion(prospect=desk.prospect, note="M. Martin")

    for table, words in BLANKED.items():
        with refused(history[table]):
            execute(f"UPDATE {table} SET {words}")
    with refused("exclusion_only_lifted"):
        execute("UPDATE campaigns_exclusion SET note = ''")
    erase(desk.prospect)
    for table, words in BLANKED.items():
        execute(f"UPDATE {table} SET {words}")
    execute("UPDATE campaigns_exclusion SET note = '' WHERE note <> ''")

    dump = io.StringIO()
    for table in [*BLANKED, "campaigns_exclusion", "crm_prospect"]:
        dump.write(str(execute(f"SELECT to_jsonb(t)::text FROM {table} t")))
    assert "Martin" not in dump.getvalue()
    assert "banque" not in dump.getvalue()


def test_blanking_the_words_changes_nothing_else(desk: Desk, history: dict[str, str]) -> None:
    erase(desk.prospect)

    for table, also in {
        "calls_callevent": "data = '{}', kind = 'wish'",
        "calls_callanswer": "heard = '', expected = '', result = 'match'",
        "calls_calldisposition": "note = '', reason = '', at = now()",
        "calls_incident": "summary = '', kind = 'abuse'",
        "calls_incidentdecision": "reason = '', decision = 'ban'",
        "crm_prospectevent": "data = '{}', kind = 'lifted'",
    }.items():
        with refused(history[table]):
            execute(f"UPDATE {table} SET {also}")
    for table, words in {
        "calls_callevent": 'data = \'{"text": "autre"}\'',
        "calls_callanswer": "heard = 'autre'",
    }.items():
        with refused(history[table]):
            execute(f"UPDATE {table} SET {words}")


def test_a_disposition_is_stored_once_and_shown_as_it_is_stored(desk: Desk) -> None:
    call = desk.connect()
    row = CallDisposition(call_id=call, disposition_id=disposition("complete"), at=NOW, by=desk.agent)

    with refused("call_shows_its_disposition"):
        insert(row)
    execute("UPDATE calls_call SET disposition_id = %s WHERE id = %s", disposition("complete"), call)
    insert(row)
    settle()

    with refused("disposition_once"):
        insert(row)
    with refused("call_shows_its_disposition"):
        execute("UPDATE calls_call SET disposition_id = %s WHERE id = %s", disposition("opt_out"), call)


def test_a_correction_runs_the_effects_of_the_new_disposition(desk: Desk) -> None:
    call = desk.connect()
    execute("UPDATE calls_call SET disposition_id = %s WHERE id = %s", disposition("complete"), call)
    insert(CallDisposition(call_id=call, disposition_id=disposition("complete"), at=NOW, by=desk.agent))
    settle()

    for code in ("opt_out", "out_of_criteria"):
        with refused("disposition_runs_its_effects"):
            insert(desk.correct(call, code))
            execute("UPDATE calls_call SET disposition_id = %s WHERE id = %s", disposition(code), call)
    insert(desk.correct(call, "opt_out"))
    execute("UPDATE calls_call SET disposition_id = %s WHERE id = %s", disposition("opt_out"), call)
    make_exclusion(sponsor=desk.programme.sponsor, number=desk.number, prospect=desk.prospect)
    settle()

    assert CallDisposition.objects.filter(call=call).count() == 2


def test_every_foreign_key_to_history_and_bars_holds_on_delete(desk: Desk) -> None:
    """No cascade of the database itself removes what must stay."""
    rows = execute(
        "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype = 'f' AND confdeltype <> 'a'"
    )

    assert rows == []


# --- A clock that everybody can read ---


@pytest.mark.parametrize("table", ["crm_prospect", "campaigns_listentry"])
@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "localtime", " "])
def test_no_record_is_in_a_time_zone_that_does_not_exist(desk: Desk, table: str, zone: str) -> None:
    make_entry(campaign=desk.campaign)

    with pytest.raises(DataError, match="time zone"), transaction.atomic():
        execute(f"UPDATE {table} SET time_zone = %s", zone)

    execute(f"UPDATE {table} SET time_zone = ''")
    execute(f"UPDATE {table} SET time_zone = 'Indian/Reunion'")
