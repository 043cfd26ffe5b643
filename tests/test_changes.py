"""Far-reaching changes: counted before, done with a reason, kept in a history that nobody rewrites."""

import random
from datetime import timedelta
from typing import Any

import pytest

from calls.models import Call, CallDisposition
from campaigns.enums import ChangeKind, EntryState
from campaigns.models import Attempt, Campaign, Change, Disposition, ListEntry, Programme
from campaigns.selectors import judged
from campaigns.selectors.changes import changes_found, told_of
from campaigns.selectors.judged import EFFECTS, Rewritten, criterion_touched, records_touched, reset_touched
from campaigns.selectors.lifting import lift_touched
from campaigns.selectors.queue import queue_counts
from campaigns.selectors.touched import (
    disposition_touched,
    hours_touched,
    removal_touched,
    states_of,
    status_touched,
)
from campaigns.services.campaigns import (
    close_campaign,
    draft_campaign,
    edit_campaign,
    pause_campaign,
    set_closing_step,
    set_disposition_rule,
    start_campaign,
)
from campaigns.services.changes import AlreadyDone
from campaigns.services.entries import move_due_entries, remove_entries, reset_list
from campaigns.services.exclusions import lift_exclusion
from campaigns.services.programmes import add_criterion, draft_criterion, edit_criterion, retire_criterion
from crm.enums import Role
from crm.models import User
from crm.rules.errors import Invalid
from tests.api_client import Api
from tests.factories import (
    NOW,
    make_campaign,
    make_criterion,
    make_entry,
    make_exclusion,
    make_programme,
    make_prospect,
    make_sponsor,
    make_user,
    next_number,
)
from tests.rawsql import Desk, end, execute, insert, move, refused, settle

pytestmark = pytest.mark.django_db

BANK = {
    "field": "sector",
    "operator": "starts_with",
    "value": "64",
    "question": "Êtes-vous une banque ?",
    "expected": "une banque",
}
SECTORS = ("64.19Z", "64.20Z", "10.71C", "65.11Z", "")
CITIES = ("Rennes", "Lyon", "")


@pytest.fixture
def manager() -> User:
    return make_user(Role.MANAGER, first_name="Camille", last_name="Girard")


def a_mixed_list(campaign: Campaign, seed: int, size: int = 30) -> None:
    """Queue records of every kind in every state, some of them under a bar, by a fixed draw."""
    draw = random.Random(seed)
    for _count in range(size):
        prospect = make_prospect(sector=draw.choice(SECTORS), city=draw.choice(CITIES))
        state = draw.choice(["ready", "ready", "callback", "screened_out", "claimed", "done", "exhausted"])
        entry = make_entry(
            campaign,
            prospect,
            state=state,
            exact=state == "callback" and draw.random() < 0.5,
            due_at=NOW + timedelta(hours=draw.choice([-2, 0, 1, 9, 30])),
            attempts=draw.choice([0, 2]),
            verdict_gate="criteria" if state == "screened_out" else "",
            verdict_reason="contradicted:une banque" if state == "screened_out" else "",
        )
        if draw.random() < 0.2:
            make_exclusion(programme=campaign.programme, number=entry.number)


def changes_of(kind: ChangeKind) -> Change:
    return Change.objects.get(kind=kind)


# --- what is shown before is what happens ---


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("campaigns", [1, 2])
def test_what_an_edited_criterion_touches_is_what_was_announced(
    manager: User, seed: int, campaigns: int
) -> None:
    programme = make_programme()
    criterion = make_criterion(programme)
    make_criterion(programme, field="city", operator="is_set", value=None, question="Quelle ville ?")
    for count in range(campaigns):
        a_mixed_list(make_campaign(programme), seed * 10 + count)
    data = {"operator": "in", "value": [["10.71C", "64.19Z"], ["65.11Z"], ["64.20Z"], ["1"]][seed]}
    draft = draft_criterion(programme=programme, criterion=criterion, data=data)

    announced = criterion_touched(Rewritten(programme, criterion, draft)).counts
    listed = {
        code: records_touched(Rewritten(programme, criterion, draft), code).count()
        for code in ("screened_out", "callbacks_closed", "reopened", "asked_now")
    }
    edit_criterion(criterion=criterion, data=data, by=manager, at=NOW, reason="la cible change")

    change = changes_of(ChangeKind.CRITERION_EDITED)
    for code in ("screened_out", "callbacks_closed", "reopened"):
        assert change.touched.get(code, 0) == announced.get(code, 0), code
    assert listed["screened_out"] == announced.get("screened_out", 0)
    assert listed["callbacks_closed"] == announced.get("callbacks_closed", 0)
    assert listed["reopened"] == announced.get("reopened", 0) + announced.get("barred", 0)
    assert listed["asked_now"] == announced.get("asked_now", 0)
    again = edit_criterion(criterion=criterion, data=data, by=manager, at=NOW, reason="la cible change")
    assert again.version == 2
    assert Change.objects.count() == 1


@pytest.mark.parametrize("seed", range(3))
def test_what_an_added_and_a_retired_criterion_touch_is_what_was_announced(manager: User, seed: int) -> None:
    programme = make_programme()
    a_mixed_list(make_campaign(programme), seed)
    draft = draft_criterion(programme=programme, criterion=None, data=BANK)

    announced = criterion_touched(Rewritten(programme, None, draft)).counts
    criterion = add_criterion(programme=programme, data=BANK, by=manager, at=NOW, reason="la cible")
    back = criterion_touched(Rewritten(programme, criterion, None)).counts
    retire_criterion(criterion=criterion, by=manager, at=NOW + timedelta(hours=1), reason="trop étroit")

    added, retired = changes_of(ChangeKind.CRITERION_ADDED), changes_of(ChangeKind.CRITERION_RETIRED)
    for change, promised in ((added, announced), (retired, back)):
        for code in ("screened_out", "callbacks_closed", "reopened"):
            assert change.touched.get(code, 0) == promised.get(code, 0), code
    assert added.touched["screened_out"] > 0
    assert (added.reason, added.after["value"], retired.before["value"]) == ("la cible", "64", "64")


def test_a_criterion_is_counted_by_record_whatever_the_number_of_its_lists() -> None:
    programme = make_programme()
    bank, bakery = make_prospect(sector="64.19Z"), make_prospect(sector="10.71C")
    for campaign in (make_campaign(programme), make_campaign(programme)):
        make_entry(campaign, bank)
        make_entry(campaign, bakery)
    draft = draft_criterion(programme=programme, criterion=None, data=BANK)

    touched = criterion_touched(Rewritten(programme, None, draft)).counts

    assert (touched["matching"], touched["contradicting"], touched["screened_out"]) == (1, 1, 2)


def test_what_takes_too_long_to_count_is_counted_on_a_share(monkeypatch: pytest.MonkeyPatch) -> None:
    campaign = make_campaign()
    for _count in range(12):
        make_entry(campaign)
    monkeypatch.setattr(judged, "SAMPLE", 6)
    slow_on_everything = "SELECT pg_sleep(CASE WHEN %s = 1 THEN 5 ELSE 0 END)::text"

    rows, step = judged._counted(slow_on_everything, [], [campaign.pk], patience=50)
    quick, whole = judged._counted("SELECT %s::int", [], [campaign.pk])

    assert (len(rows), step) == (1, 2)
    assert (quick, whole) == ([(1,)], 1)


def test_a_criterion_on_a_field_of_the_file_is_counted_too() -> None:
    programme = make_programme()
    campaign = make_campaign(programme)
    for size in (12, 300, None):
        make_entry(campaign, make_prospect(attributes={} if size is None else {"effectif": size}))
    data = BANK | {"field": "attributes.effectif", "operator": "between", "value": ["100", None]}
    draft = draft_criterion(programme=programme, criterion=None, data=data)

    touched = criterion_touched(Rewritten(programme, None, draft)).counts

    assert (touched["matching"], touched["contradicting"], touched["unknown"]) == (1, 1, 1)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("include_done", [False, True])
def test_what_a_reset_touches_is_what_was_announced(manager: User, seed: int, include_done: bool) -> None:
    campaign = make_campaign(calling_rule="default", max_attempts=2)
    make_criterion(campaign.programme)
    a_mixed_list(campaign, seed)
    a_capped_record(campaign)

    announced = reset_touched(campaign, include_done=include_done).counts
    back = reset_list(
        campaign=campaign, include_done=include_done, reason="deuxième vague", by=manager, at=NOW
    )

    change = changes_of(ChangeKind.LIST_RESET)
    for code in ("reopened", "reopened_done", "barred", "to_screen"):
        assert change.touched.get(code, 0) == announced.get(code, 0), code
    assert back == announced.get("reopened", 0) + announced.get("reopened_done", 0)
    assert announced["capped"] == 1
    assert change.after == {"include_done": include_done}


def a_capped_record(campaign: Campaign) -> ListEntry:
    """Queue an exhausted record whose person has had its two attempts yesterday."""
    entry = make_entry(campaign, make_prospect(sector="64.19Z"), state="exhausted", attempts=2)
    for count in range(2):
        dialled(entry, days=1, ref=count)
    return entry


def dialled(entry: ListEntry, *, days: int, ref: int) -> None:
    at = NOW - timedelta(days=days)
    Attempt.objects.create(
        campaign=entry.campaign,
        sponsor=entry.campaign.programme.sponsor,
        prospect=entry.prospect,
        number=entry.number,
        at=at,
        local_date=at.date(),
        call_ref=1_000 * entry.pk + ref,
    )


def test_hors_criteres_excluded_and_promised_records_never_move_by_a_reset(manager: User) -> None:
    campaign = make_campaign()
    make_criterion(campaign.programme)
    a_mixed_list(campaign, 7)
    bar = make_exclusion(programme=campaign.programme, number=next_number())
    make_entry(campaign, state="excluded", excluded_by=bar)
    fixed = ("screened_out", "excluded", "callback", "claimed")
    before = dict(campaign.entries.filter(state__in=fixed).values_list("pk", "state"))

    reset_list(campaign=campaign, include_done=True, reason="deuxième vague", by=manager, at=NOW)

    after = dict(campaign.entries.filter(pk__in=before).values_list("pk", "state"))
    assert after == before


def test_a_heard_hors_criteres_stays_closed_whoever_resets_the_list(manager: User) -> None:
    desk = Desk()
    call = desk.mismatch()
    end(call)
    move(call, "done")

    reset_list(campaign=desk.campaign, include_done=True, reason="deuxième vague", by=manager, at=NOW)

    desk.entry.refresh_from_db()
    assert desk.entry.state == EntryState.EXCLUDED
    assert reset_touched(desk.campaign, include_done=True).counts == {"excluded": 1}


@pytest.mark.parametrize("seed", range(3))
def test_what_other_hours_touch_is_what_was_announced(manager: User, seed: int) -> None:
    campaign = make_campaign(calling_rule="default")
    a_mixed_list(campaign, seed)
    make_entry(campaign, time_zone="")
    shorter = [{"days": [3], "from": "08:00", "to": "10:30"}]
    draft = draft_campaign(campaign=campaign, data={"hours": shorter})

    touched = hours_touched(campaign, draft, at=NOW)
    edit_campaign(campaign=campaign, data={"hours": shorter}, by=manager, at=NOW, reason="le client ferme")

    campaign.refresh_from_db()
    line = next(line for line in touched.lines if line.code == "callable")
    assert (line.before or 0) > 0
    assert queue_counts(campaign, NOW).callable == line.count
    move_due_entries(at=NOW)
    callbacks = campaign.entries.filter(state="callback", exact=False)
    assert not callbacks.filter(due_at__lte=NOW).exists()
    later = callbacks.filter(verdict_gate="").count()
    assert touched.counts["callbacks_outside"] == callbacks.filter(verdict_gate="window").count() + later
    assert touched.counts["never_open"] == 1
    change = changes_of(ChangeKind.HOURS)
    assert (change.touched, change.reason) == (touched.counts, "le client ferme")
    assert (change.before, change.after) == ({"hours": campaign_hours_before()}, {"hours": shorter})


def campaign_hours_before() -> Any:
    return Campaign().hours


def test_a_lower_cap_says_how_many_records_it_holds_back(manager: User) -> None:
    campaign = make_campaign(calling_rule="default", max_attempts=4)
    for attempts in (1, 2, 3):
        entry = make_entry(campaign)
        for count in range(attempts):
            dialled(entry, days=2, ref=count)
    draft = draft_campaign(campaign=campaign, data={"max_attempts": 2})

    line = next(line for line in hours_touched(campaign, draft, at=NOW).lines if line.code == "capped")
    edit_campaign(campaign=campaign, data={"max_attempts": 2}, by=manager, at=NOW)

    assert (line.before, line.count) == (0, 2)
    assert move_due_entries(at=NOW).capped == 2


@pytest.mark.parametrize("other", ["", "number", "prospect", "elsewhere", "file"])
def test_what_a_lift_touches_is_what_was_announced(manager: User, other: str) -> None:
    campaign = make_campaign()
    make_criterion(campaign.programme)
    prospect = make_prospect(sector="10.71C" if other == "file" else "64.19Z")
    entry = make_entry(campaign, prospect)
    bar = make_exclusion(programme=campaign.programme, number=entry.number)
    if other == "number":
        make_exclusion(number=entry.number)
    elif other == "prospect":
        make_exclusion(sponsor=campaign.programme.sponsor, prospect=prospect)
    elif other == "elsewhere":
        make_exclusion(programme=make_programme(), number=entry.number)
    entry.refresh_from_db()
    assert entry.state == EntryState.EXCLUDED

    announced = lift_touched(bar, user=manager).counts
    lift_exclusion(exclusion=bar, reason="erreur de saisie", by=manager, at=NOW)

    entry.refresh_from_db()
    change = changes_of(ChangeKind.EXCLUSION_LIFTED)
    assert announced.get("reopened", 0) == int(entry.state == EntryState.READY)
    assert announced.get("to_screen", 0) == int(entry.state == EntryState.SCREENED_OUT)
    assert announced.get("still_barred", 0) == int(entry.state == EntryState.EXCLUDED)
    assert change.touched.get("reopened", 0) == announced.get("reopened", 0)
    assert (change.exclusion, change.programme, change.reason) == (
        bar,
        campaign.programme,
        "erreur de saisie",
    )
    assert str(bar.number) not in str((change.before, change.after, change.touched))


@pytest.mark.parametrize("seed", range(2))
def test_what_a_removal_touches_is_what_was_announced(manager: User, seed: int) -> None:
    campaign = make_campaign()
    a_mixed_list(campaign, seed)

    announced = removal_touched(campaign, campaign.entries.all()).counts
    done = remove_entries(
        campaign=campaign, entries=campaign.entries.all(), reason="mauvais fichier", by=manager, at=NOW
    )
    again = remove_entries(
        campaign=campaign, entries=campaign.entries.all(), reason="mauvais fichier", by=manager, at=NOW
    )

    assert {code: count for code, count in done.items() if count} == announced
    assert set(states_of(campaign)) == {"claimed", "done", "excluded"}
    assert (again["removed"], again["kept_done"]) == (0, 0)
    assert changes_of(ChangeKind.ENTRIES_REMOVED).touched == announced


def test_a_pause_says_what_waits_and_what_goes_on(manager: User) -> None:
    campaign = make_campaign()
    make_entry(campaign)
    make_entry(campaign, state="callback", due_at=NOW + timedelta(hours=2))
    make_entry(campaign, state="callback", due_at=NOW + timedelta(days=3))
    make_entry(campaign, state="claimed")

    announced = status_touched(campaign, "paused", at=NOW).counts
    for _twice in range(2):
        pause_campaign(campaign=campaign, by=manager, at=NOW, reason="le client fait ses comptes")

    assert announced == {"waiting": 3, "callbacks_due": 1, "open_calls": 1}
    change = changes_of(ChangeKind.CAMPAIGN_PAUSED)
    assert (change.touched, change.reason) == (announced, "le client fait ses comptes")
    start_campaign(campaign=campaign, by=manager, at=NOW)
    close_campaign(campaign=campaign, by=manager, at=NOW, reason="fin de vague")
    assert changes_of(ChangeKind.CAMPAIGN_CLOSED).touched["callbacks_lost"] == 2


def test_a_disposition_says_what_it_did_and_changes_nothing_of_it(manager: User) -> None:
    desk = Desk()
    busy = Disposition.objects.get(code="busy")
    pk = desk.claim()
    move(pk, "dialling", "not_reached")
    insert(CallDisposition(call_id=pk, disposition=busy, at=NOW, by=desk.agent))
    execute("UPDATE calls_call SET state = 'done', disposition_id = %s WHERE id = %s", busy.pk, pk)
    due = NOW + timedelta(hours=1)
    execute("UPDATE campaigns_listentry SET state = 'ready', due_at = %s", due)

    announced = disposition_touched(desk.campaign, busy, at=NOW).counts
    for _twice in range(2):
        set_disposition_rule(
            campaign=desk.campaign,
            disposition=busy,
            enabled=True,
            retry_after=timedelta(hours=4),
            by=manager,
            at=NOW,
            reason="trop insistant",
        )

    assert Call.objects.get().disposition == busy
    assert announced == {"calls": 1, "retries": 1}
    change = changes_of(ChangeKind.DISPOSITION_CHANGED)
    assert (change.before["retry_after"], change.after["retry_after"]) == (None, 14_400)
    assert change.touched == announced
    desk.entry.refresh_from_db()
    assert desk.entry.due_at == due


# --- reasons, second tabs, history ---


def test_a_second_tab_does_not_reset_the_list_again(manager: User) -> None:
    campaign = make_campaign()
    make_entry(campaign, state="done")
    seen = 0

    reset_list(campaign=campaign, include_done=True, reason="vague 2", seen=seen, by=manager, at=NOW)
    campaign.entries.update(state="done")

    with pytest.raises(AlreadyDone, match="déjà"):
        reset_list(campaign=campaign, include_done=True, reason="vague 2", seen=seen, by=manager, at=NOW)
    assert states_of(campaign) == {"done": 1}


def test_nothing_is_removed_without_a_reason(manager: User) -> None:
    entry = make_entry()

    with pytest.raises(Invalid):
        remove_entries(
            campaign=entry.campaign, entries=ListEntry.objects.all(), reason=" ", by=manager, at=NOW
        )

    assert ListEntry.objects.filter(pk=entry.pk).exists()


def test_the_history_is_neither_changed_nor_deleted(manager: User) -> None:
    campaign = make_campaign()
    pause_campaign(campaign=campaign, by=manager, at=NOW, reason="pause")
    settle()

    for statement in (
        "UPDATE campaigns_change SET reason = 'autre'",
        "UPDATE campaigns_change SET touched = '{}'",
        "DELETE FROM campaigns_change",
        "TRUNCATE campaigns_change",
    ):
        with refused("change_append_only"):
            execute(statement)

    assert changes_of(ChangeKind.CAMPAIGN_PAUSED).reason == "pause"


@pytest.mark.parametrize("kind", ["list_reset", "exclusion_lifted", "entries_removed"])
def test_no_reset_lift_or_removal_is_kept_without_its_reason(kind: str) -> None:
    insert = (
        "INSERT INTO campaigns_change (at, kind, reason, before, after, touched)"
        " VALUES (now(), %s, %s, '{}', '{}', '{}')"
    )

    with refused("change_has_its_reason"):
        execute(insert, kind, " ")
    with refused("change_kind_known"):
        execute(insert, "sabotage", "oups")


def test_the_history_reads_as_sentences(manager: User) -> None:
    programme = make_programme()
    campaign = make_campaign(programme, name="Banques 2026")
    bakery = make_entry(campaign, make_prospect(sector="10.71C"))
    criterion = add_criterion(programme=programme, data=BANK, by=manager, at=NOW, reason="la cible")
    retire_criterion(criterion=criterion, by=manager, at=NOW, reason="trop étroit")
    set_closing_step(
        campaign=campaign, language="fr", kind="mismatch", step="thank", text="Merci.", by=manager, at=NOW
    )

    words, retired, added = told_of(list(changes_found(manager)))

    assert added.who == "Camille Girard"
    assert added.what == "a ajouté le critère «\N{NO-BREAK SPACE}Êtes-vous une banque ?\N{NO-BREAK SPACE}»"
    assert added.touched == "1 fiche en attente devient hors-critères sur papier"
    assert retired.touched == "1 fiche redevient appelable"
    assert "Banques 2026" in words.what
    assert ("Texte", "", "Merci.") in words.details
    assert bakery.campaign == campaign


def test_sponsors_do_not_see_each_others_changes(manager: User) -> None:
    mine, theirs = make_campaign(), make_campaign()
    for campaign in (mine, theirs):
        pause_campaign(campaign=campaign, by=manager, at=NOW, reason="pause")
    everywhere = make_exclusion(number=next_number())
    lift_exclusion(exclusion=everywhere, reason="erreur", by=manager, at=NOW)
    narrowed = make_user(Role.MANAGER, sponsors=[mine.programme.sponsor])

    seen = set(changes_found(narrowed).values_list("campaign", flat=True))

    assert seen == {mine.pk, None}


def test_every_effect_of_a_criterion_has_its_records() -> None:
    programme = make_programme()
    a_mixed_list(make_campaign(programme), 1)
    draft = draft_criterion(programme=programme, criterion=None, data=BANK)
    rewritten = Rewritten(programme, None, draft)

    counts = criterion_touched(rewritten).counts

    for code in EFFECTS:
        assert records_touched(rewritten, code).count() == counts.get(code, 0), code


@pytest.mark.parametrize("size", [10, 20])
def test_the_consequences_cost_the_same_whatever_the_list(
    size: int, django_assert_max_num_queries: Any, manager: User
) -> None:
    programme = make_programme(make_sponsor())
    campaign = make_campaign(programme)
    a_mixed_list(campaign, 3, size)
    draft = draft_criterion(programme=programme, criterion=None, data=BANK)
    later = draft_campaign(campaign=campaign, data={"max_attempts": 9})
    programme, campaign = Programme.objects.get(), Campaign.objects.select_related("programme").get()

    # Four of each only bound the time that the count may take.
    with django_assert_max_num_queries(9):
        criterion_touched(Rewritten(programme, None, draft))
    with django_assert_max_num_queries(7):
        reset_touched(campaign, include_done=True)
    with django_assert_max_num_queries(3):
        hours_touched(campaign, later, at=NOW)
    with django_assert_max_num_queries(2):
        status_touched(campaign, "paused", at=NOW)


def test_a_program_may_say_why_and_need_not(manager: User) -> None:
    api = Api(manager)
    programme = make_programme()
    campaign = make_campaign(programme)
    path = f"programmes/{programme.pk}/criteria/"

    created = api.post(path, BANK | {"reason": "la cible"})
    api.patch(created.headers["Location"], {"value": "65"})
    api.post(f"campaigns/{campaign.pk}/pause/", {"reason": "comptes"})
    api.post(f"campaigns/{campaign.pk}/start/")
    api.post(f"campaigns/{campaign.pk}/dispositions/", {"code": "busy", "enabled": False, "reason": "gêne"})
    api.patch(f"campaigns/{campaign.pk}/", {"max_attempts": 2, "reason": "moins d'appels"})

    told = list(Change.objects.order_by("id").values_list("kind", "reason"))
    assert told == [
        ("criterion_added", "la cible"),
        ("criterion_edited", ""),
        ("campaign_paused", "comptes"),
        ("campaign_started", ""),
        ("disposition_changed", "gêne"),
        ("hours", "moins d'appels"),
    ]
