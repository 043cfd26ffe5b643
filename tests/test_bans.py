"""Bans: asked, granted by another manager where there are two, refused, lifted, appealed; held by the database."""

from datetime import timedelta
from typing import Any

import pytest

from calls.enums import BanState, CallEventKind, Decision, IncidentKind
from calls.models import Ban, BanAppeal, BanDecision, Incident
from calls.services.bans import grant_ban, lift_ban, note_appeal, refuse_ban, request_ban
from calls.services.dial import dial_manually
from calls.services.errors import Forbidden, Invalid, InvalidTransition, NotFound, ProspectExcluded
from calls.services.incidents import decide
from calls.services.situations import enter_stage
from campaigns.models import Exclusion
from campaigns.services.exclusions import lift_exclusion
from crm.enums import Role
from crm.models import User
from tests.factories import NOW, make_exclusion, make_prospect, make_user, next_number
from tests.racing import race, unexpected
from tests.rawsql import execute, insert, refused
from tests.talking import Talk

db = pytest.mark.django_db
WHY = "menaces répétées"


def asked(talk: Talk, by: User | None = None) -> Ban:
    """Ask that the person of a talk is called no more."""
    return request_ban(why=WHY, **talk.by(by))


@db
def test_what_an_agent_asks_a_manager_grants_and_the_number_is_dialled_no_more() -> None:
    talk = Talk().greeted().hung_up()
    talk.disposed("refusal")
    ban = asked(talk)
    assert (ban.state, ban.number, ban.prospect) == (BanState.REQUESTED, talk.call.number, talk.prospect)
    assert asked(talk) == ban

    for _press in range(2):
        grant_ban(ban=ban, by=talk.manager, at=talk.at)

    ban = Ban.objects.get()
    bar = Exclusion.objects.get(reason="ban")
    assert ban.state == BanState.GRANTED
    assert ban.decision.exclusion == bar
    assert (bar.scope, bar.number, bar.prospect) == ("everywhere", talk.call.number, talk.prospect)
    assert bar.until == ban.decision.expires_at == talk.at + timedelta(days=365)
    assert talk.told().count(CallEventKind.BAN_ASKED) == 1
    with pytest.raises(ProspectExcluded):
        dial_manually(campaign=talk.campaign, number=talk.call.number, by=talk.agent, at=talk.at)


@db
def test_where_there_are_two_managers_nobody_grants_what_they_asked_for() -> None:
    talk = Talk().greeted()
    second = make_user(Role.ADMIN)
    ban = asked(talk, talk.manager)

    with pytest.raises(Forbidden):
        grant_ban(ban=ban, by=talk.manager, at=talk.at)
    with pytest.raises(Forbidden):
        grant_ban(ban=ban, by=talk.supervisor, at=talk.at)
    grant_ban(ban=ban, by=second, at=talk.at)

    assert Ban.objects.get().state == BanState.GRANTED


@db
def test_the_only_manager_grants_what_they_asked_for_themselves() -> None:
    talk = Talk().greeted()
    make_user(Role.ADMIN, is_active=False)

    grant_ban(ban=asked(talk, talk.manager), by=talk.manager, at=talk.at)

    assert Ban.objects.get().state == BanState.GRANTED


@db
def test_a_ban_decided_on_an_incident_is_a_request_until_a_manager_may_grant_it() -> None:
    talk = Talk().greeted()
    second = make_user(Role.MANAGER)
    enter_stage(situation="aggressive", stage=3, **talk.by())
    abuse = Incident.objects.get(kind=IncidentKind.ABUSE)

    decide(
        incident=abuse,
        decision=Decision.BAN,
        reason=WHY,
        started_by="prospect",
        by=talk.manager,
        at=talk.at,
    )

    ban = Ban.objects.get()
    assert (ban.state, ban.incident, ban.call) == (BanState.REQUESTED, abuse, talk.call)
    assert abuse.decision_row.started_by == "prospect"
    assert not Exclusion.objects.filter(reason="ban").exists()
    grant_ban(ban=ban, by=second, at=talk.at)
    assert Exclusion.objects.filter(reason="ban").count() == 1


@db
def test_a_manager_who_decides_a_ban_grants_what_the_agent_had_asked() -> None:
    talk = Talk().greeted()
    make_user(Role.MANAGER)
    enter_stage(situation="aggressive", stage=3, **talk.by())
    ban = asked(talk)

    decide(incident=Incident.objects.get(), decision=Decision.BAN, reason=WHY, by=talk.manager, at=talk.at)

    assert Ban.objects.get() == ban
    assert Ban.objects.get().state == BanState.GRANTED


@db
def test_a_refusal_has_its_reason_and_stands() -> None:
    talk = Talk().greeted()
    ban = asked(talk)

    with pytest.raises(Invalid):
        refuse_ban(ban=ban, reason=" ", by=talk.manager, at=talk.at)
    with pytest.raises(Forbidden):
        refuse_ban(ban=ban, reason="un malentendu", by=talk.supervisor, at=talk.at)
    for _press in range(2):
        refuse_ban(ban=ban, reason="un malentendu", by=talk.manager, at=talk.at)
    with pytest.raises(InvalidTransition):
        grant_ban(ban=ban, by=talk.manager, at=talk.at)

    assert Ban.objects.get().state == BanState.REFUSED
    assert not Exclusion.objects.exists()


@db
def test_a_ban_is_lifted_with_a_reason_here_or_on_the_page_of_its_exclusion() -> None:
    first, second = Talk().greeted(), Talk().greeted()
    one, two = asked(first), asked(second)
    grant_ban(ban=one, by=first.manager, at=first.at)
    grant_ban(ban=two, by=first.manager, at=first.at)

    with pytest.raises(Invalid):
        lift_ban(ban=one, reason="", by=first.manager, at=first.at)
    lift_ban(ban=one, reason="excuses reçues", by=first.manager, at=first.at)
    bar = Exclusion.objects.get(number=second.call.number)
    lift_exclusion(exclusion=bar, reason="appel reçu", by=first.supervisor, at=first.at)

    assert {ban.state for ban in Ban.objects.all()} == {BanState.LIFTED}
    assert set(Ban.objects.all().in_state("lifted")) == {one, two}
    with pytest.raises(InvalidTransition):
        lift_ban(ban=one, reason="encore", by=first.manager, at=first.at)


@db
def test_a_ban_ends_by_itself_and_each_state_finds_its_own() -> None:
    talk = Talk().greeted()
    requested = request_ban(why=WHY, number=next_number(), by=talk.supervisor, at=talk.at)
    over = request_ban(why=WHY, number=next_number(), by=talk.supervisor, at=NOW - timedelta(days=900))
    grant_ban(ban=over, by=talk.manager, at=NOW - timedelta(days=900))
    held = request_ban(why=WHY, number=next_number(), by=talk.supervisor, at=talk.at)
    grant_ban(ban=held, expires_at=talk.at + timedelta(days=9_000), by=talk.manager, at=talk.at)

    found = {state: set(Ban.objects.all().in_state(state)) for state in BanState.values}

    assert found == {
        "requested": {requested},
        "granted": {held},
        "refused": set(),
        "lifted": set(),
        "expired": {over},
    }
    for state, bans in found.items():
        assert all(ban.state == state for ban in bans)


@db
def test_an_appeal_is_noted_and_the_earlier_notes_stay() -> None:
    talk = Talk().greeted()
    ban = asked(talk)

    for text in ("a écrit le 3", "a écrit le 3", "reçue le 5"):
        note_appeal(ban=ban, text=text, by=talk.manager, at=talk.at)
    with pytest.raises(Forbidden):
        note_appeal(ban=ban, text="x", by=talk.supervisor, at=talk.at)

    assert [row.text for row in BanAppeal.objects.all()] == ["reçue le 5", "a écrit le 3"]


@db
def test_agents_ask_for_their_own_calls_alone_and_with_words() -> None:
    talk, stranger = Talk().greeted(), make_user()

    with pytest.raises(NotFound):
        asked(talk, stranger)
    with pytest.raises(Forbidden):
        request_ban(why=WHY, number=next_number(), by=talk.agent, at=talk.at)
    with pytest.raises(Invalid):
        request_ban(why="  ", **talk.by())
    with pytest.raises(Invalid):
        request_ban(why=WHY, by=talk.supervisor, at=talk.at)
    with pytest.raises(Invalid):
        request_ban(why=WHY, number="12", by=talk.supervisor, at=talk.at)

    assert not Ban.objects.exists()


@db
def test_raw_sql_grants_neither_ones_own_request_nor_by_an_agent_nor_without_its_bar() -> None:
    manager, other, agent = make_user(Role.MANAGER), make_user(Role.MANAGER), make_user()
    number, until = next_number(), NOW + timedelta(days=9_000)
    ban = insert(Ban(number=number, scope="everywhere", why=WHY, at=NOW, by=manager))
    bar = make_exclusion(scope="everywhere", number=number, reason="ban", until=until)
    elsewhere = make_exclusion(scope="everywhere", number=next_number(), reason="ban", until=until)

    def granted(by: User, **columns: Any) -> int:
        row = {"verdict": "granted", "exclusion": bar, "expires_at": until, "at": NOW}
        return insert(BanDecision(ban_id=ban, by=by, **{**row, **columns}))

    for by in (manager, agent, make_user(Role.ADMIN, is_active=False), make_user(Role.SUPERVISOR)):
        with refused("ban_granted_by_another"):
            granted(by)
    for columns in ({"exclusion": elsewhere}, {"expires_at": None}, {"exclusion": None}):
        with refused("ban_is_an_exclusion", "ban_granted_bars"):
            granted(other, **columns)
    with refused("ban_granted_bars"):
        granted(other, verdict="refused")
    granted(other)
    with refused("calls_bandecision_ban_id_key"):
        granted(other)


@db
def test_bans_their_decisions_and_appeals_are_history() -> None:
    talk = Talk().greeted()
    ban = asked(talk)
    refuse_ban(ban=ban, reason="un malentendu", by=talk.manager, at=talk.at)
    note_appeal(ban=ban, text="a écrit", by=talk.manager, at=talk.at)
    execute("SET CONSTRAINTS ALL IMMEDIATE")

    for table, guard in {
        "calls_ban": "ban_append_only",
        "calls_bandecision": "ban_decision_append_only",
        "calls_banappeal": "ban_appeal_append_only",
    }.items():
        for statement in (f"UPDATE {table} SET at = now()", f"DELETE FROM {table}"):
            with refused(guard):
                execute(statement)
        with refused("ban_append_only", "ban_decision_append_only", "ban_appeal_append_only"):
            execute(f"TRUNCATE {table} CASCADE")


@pytest.mark.django_db(transaction=True)
def test_granting_and_refusing_at_once_is_one_decision() -> None:
    talk = Talk().greeted()
    second = make_user(Role.MANAGER)
    ban = request_ban(why=WHY, prospect=make_prospect(), by=talk.supervisor, at=talk.at)

    results = race(
        lambda: grant_ban(ban=ban, by=talk.manager, at=talk.at),
        lambda: refuse_ban(ban=ban, reason="un malentendu", by=second, at=talk.at),
    )

    assert unexpected(results, InvalidTransition) == []
    assert Exclusion.objects.count() == (BanDecision.objects.get().verdict == "granted")
