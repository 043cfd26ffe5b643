"""Accounts: who may do what to whom, taking a team on, passwords, leaving and coming back."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from calls.models import Callback
from calls.services.claim import claim_next
from calls.services.dial import dial
from calls.services.dispositions import correct_disposition, dispose, finish
from calls.services.lease import expire_leases
from calls.services.line import record_not_reached
from campaigns.enums import EntryState
from campaigns.models import ListEntry
from crm.enums import Role, UserEventKind
from crm.models import Team, User, UserEvent
from crm.rules.errors import Forbidden, Invalid, InvalidTransition
from crm.rules.people import pasted_people
from crm.selectors.people import users_of
from crm.services import account, users
from crm.services.tokens import create_token, user_of_token
from tests.factories import NOW, PASSWORD, make_sponsor, make_user
from tests.paging import signed_in, text_of
from tests.racing import race, unexpected
from tests.rawsql import execute
from tests.talking import Talk

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=1)
WORK: dict[str, Any] = {"role": Role.AGENT, "languages": ["fr"], "daily_goal": 50, "team": None}
FORM = {"last_name": "Moreau", "role": "agent", "languages": "fr", "daily_goal": "50"}


def take_on(by: User, username: str = "amoreau", sponsors: Any = (), **data: Any) -> users.Given:
    """Take somebody on."""
    values = WORK | {"first_name": "Alex", "last_name": "Moreau"} | data
    return users.create_user(username=username, data=values, sponsors=list(sponsors), by=by, at=NOW)


def change(user: User, by: User, sponsors: Any = (), **data: Any) -> User:
    """Change an account."""
    return users.edit_user(user=user, data=data, sponsors=list(sponsors), by=by, at=NOW)


# --- Taking on ---


def test_a_manager_takes_somebody_on_and_sees_the_password_once() -> None:
    client, _manager = signed_in("manager")
    form = FORM | {"first_name": "Alex", "username": "amoreau", "languages": "FR, en"}

    page = client.post(reverse("user-new"), form)
    again = client.get(reverse("user-new"))

    password = re.search(r"[a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4}", text_of(page))
    made = User.objects.get(username="amoreau")
    assert password is not None
    assert made.check_password(password[0])
    assert (made.languages, made.must_change_password, made.is_active) == (["fr", "en"], True, True)
    assert password[0] not in text_of(again)
    assert "no-store" in page["Cache-Control"]
    assert [event.kind for event in made.events.all()] == [UserEventKind.CREATED]


def test_twelve_people_are_taken_on_from_a_pasted_list() -> None:
    client, _manager = signed_in("manager")
    team = Team.objects.create(name="Matin", created_at=NOW)
    lines = "\n".join(f"Prénom{number} De La Tour agent.{number}" for number in range(12))

    page = client.post(reverse("user-batch"), {**FORM, "people": lines, "team": team.pk, "daily_goal": "40"})

    made = User.objects.filter(username__startswith="agent.")
    assert page.status_code == 200
    assert len(set(re.findall(r"\b[a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4}\b", text_of(page)))) == 12
    assert made.count() == 12
    assert {(user.last_name, user.team_id, user.daily_goal) for user in made} == {("De La Tour", team.pk, 40)}


def test_one_wrong_line_and_nobody_is_created_and_each_line_says_why() -> None:
    client, _manager = signed_in("manager")
    make_user(username="prise")
    lines = "Léa Petit lpetit\nsans identifiant\nZoé Blanc PRISE\nMax Roux mr:oux\nMia Noir LPetit"

    page = client.post(reverse("user-batch"), {**FORM, "people": lines})

    text = text_of(page)
    assert page.status_code == 422
    assert "4 lignes à corriger" in text
    assert "2 sans identifiant Trois parties sont attendues" in text
    assert "3 Zoé Blanc PRISE Cet identifiant est déjà pris." in text
    assert "5 Mia Noir LPetit Cet identifiant est déjà pris." in text
    assert "Zoé Blanc PRISE" in page.content.decode().split("<textarea")[1]
    assert not User.objects.filter(username="lpetit").exists()


def test_the_same_paste_twice_creates_nobody_twice() -> None:
    client, _manager = signed_in("manager")
    form = {**FORM, "people": "Léa Petit lpetit"}

    first, second = client.post(reverse("user-batch"), form), client.post(reverse("user-batch"), form)

    assert (first.status_code, second.status_code) == (200, 422)
    assert User.objects.filter(username="lpetit").count() == 1


@pytest.mark.parametrize(
    "text",
    [
        "Léa Petit lpetit",
        "Léa;Petit;lpetit",
        "prénom,nom,identifiant\nLéa, Petit, lpetit\n\n",
        "\ufeffPrénom\tNom\tIdentifiant\r\nLéa\tPetit\tlpetit\r\n",
    ],
)
def test_a_list_is_read_however_it_was_copied(text: str) -> None:
    (person,) = pasted_people(text)

    assert (person.first_name, person.last_name, person.username) == ("Léa", "Petit", "lpetit")


def test_an_empty_paste_is_refused() -> None:
    client, _manager = signed_in("manager")

    page = client.post(reverse("user-batch"), {**FORM, "people": " \n"})

    assert page.status_code == 422
    assert "Collez une personne par ligne." in text_of(page)


def test_two_spellings_of_a_username_are_one_person() -> None:
    take_on(make_user("manager"), "amoreau")

    with pytest.raises(Invalid):
        take_on(make_user("manager"), "AMoreau")
    with pytest.raises(IntegrityError, match="user_username_once"), transaction.atomic():
        make_user(username="AMOREAU")


@pytest.mark.parametrize(
    "data", [{"daily_goal": 0}, {"languages": ["f"]}, {"first_name": "", "last_name": " "}, {"role": "boss"}]
)
def test_what_cannot_be_right_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises((Invalid, Forbidden)):
        take_on(make_user("admin"), **data)

    assert not User.objects.filter(username="amoreau").exists()


# --- Who may do what ---


@pytest.mark.parametrize(
    ("by", "may"),
    [
        ("agent", ()),
        ("supervisor", ()),
        ("integration", ()),
        ("manager", ("agent", "supervisor", "integration")),
        ("admin", tuple(Role.values)),
    ],
)
def test_a_role_gives_only_the_roles_below_it(by: str, may: tuple[str, ...]) -> None:
    giver = make_user(by)
    made, changed = set(), set()

    for role in Role.values:
        try:
            take_on(giver, f"new.{role}", role=role)
            made.add(role)
        except Forbidden:
            pass
        try:
            change(make_user(role), giver, last_name="Autre")
            changed.add(role)
        except Forbidden:
            pass

    assert made == changed == set(may)


@pytest.mark.parametrize("act", ["edit", "password", "deactivate", "reactivate"])
@pytest.mark.parametrize("by", ["agent", "supervisor", "integration", "manager"])
def test_only_an_administrator_touches_managers_and_administrators(by: str, act: str) -> None:
    target, giver = make_user("manager", is_active=act != "reactivate"), make_user(by)
    before = User.objects.filter(pk=target.pk).values().get()

    acts: dict[str, Callable[[], object]] = {
        "edit": lambda: change(target, giver, last_name="Autre"),
        "password": lambda: users.give_password(user=target, by=giver, at=NOW),
        "deactivate": lambda: users.deactivate_user(user=target, reason="non", by=giver, at=NOW),
        "reactivate": lambda: users.reactivate_user(user=target, by=giver, at=NOW),
    }
    with pytest.raises(Forbidden):
        acts[act]()

    assert User.objects.filter(pk=target.pk).values().get() == before
    assert not UserEvent.objects.exists()


def test_nobody_changes_their_own_role_or_leaves_by_themselves() -> None:
    make_user("admin")
    admin = make_user("admin")

    acts: tuple[Callable[[], object], ...] = (
        lambda: change(admin, admin, role=Role.AGENT),
        lambda: users.deactivate_user(user=admin, reason="je pars", by=admin, at=NOW),
        lambda: users.give_password(user=admin, by=admin, at=NOW),
    )
    for act in acts:
        with pytest.raises(Forbidden):
            act()
    account.edit_account(data={"role": Role.MANAGER, "last_name": "Girard"}, by=admin, at=NOW)

    admin.refresh_from_db()
    assert (admin.role, admin.is_active, admin.last_name) == (Role.ADMIN, True, "Girard")


def test_a_manager_kept_inside_sponsors_gives_only_those_and_at_least_one() -> None:
    own, foreign = make_sponsor(), make_sponsor()
    manager = make_user("manager", sponsors=[own])

    given = take_on(manager, sponsors=[own])

    assert list(given.user.sponsors.all()) == [own]
    for sponsors in ([foreign], [own, foreign]):
        with pytest.raises(Forbidden):
            take_on(manager, "other", sponsors=sponsors)
    with pytest.raises(Invalid):
        take_on(manager, "other", sponsors=[])
    with pytest.raises(Invalid):
        change(given.user, manager, sponsors=[])
    with pytest.raises(Forbidden):
        change(given.user, manager, sponsors=[own, foreign])


def test_accounts_of_other_sponsors_do_not_exist_for_a_manager_kept_inside_hers() -> None:
    own, foreign = make_sponsor(), make_sponsor()
    client, manager = signed_in("manager", sponsors=[own])
    inside = make_user("agent", sponsors=[own])
    outside = [
        make_user("agent", sponsors=[foreign]),
        make_user("agent", sponsors=[own, foreign]),
        make_user("agent"),
    ]

    assert set(users_of(manager)) == {manager, inside}
    for other in outside:
        for name in ("user", "user-deactivation"):
            assert client.get(reverse(name, args=[other.pk])).status_code == 404
        for name in ("user-password", "user-reactivation"):
            assert client.post(reverse(name, args=[other.pk])).status_code == 404
        with pytest.raises(Forbidden):
            change(other, manager, sponsors=[own], last_name="Autre")
    page = text_of(client.get(reverse("user-list")))
    assert inside.username in page
    assert not any(other.username in page for other in outside)


def test_a_page_that_is_not_yours_to_change_shows_no_form_and_takes_none() -> None:
    client, manager = signed_in("manager")
    admin = make_user("admin")

    shown = client.get(reverse("user", args=[admin.pk]))
    sent = client.post(reverse("user", args=[admin.pk]), FORM, follow=True)

    assert "Ce compte se change par un administrateur." in text_of(shown)
    assert "user-password" not in shown.content.decode()
    assert "Ce compte n'est pas à vous de changer." in text_of(sent)
    assert "C'est votre compte." in text_of(client.get(reverse("user", args=[manager.pk])))


def test_a_role_that_is_not_offered_is_refused_by_the_form() -> None:
    client, _manager = signed_in("manager")

    page = client.post(reverse("user-new"), FORM | {"username": "x", "role": "admin"})

    assert page.status_code == 422
    assert not User.objects.filter(username="x").exists()


def test_who_loses_the_role_of_administrator_loses_the_admin_site() -> None:
    admin, other = make_user("admin"), make_user("admin", is_staff=True, is_superuser=True)

    change(other, admin, role=Role.MANAGER)

    other.refresh_from_db()
    assert (other.is_staff, other.is_superuser) == (False, False)


def test_a_program_has_no_password_and_is_no_person() -> None:
    admin = make_user("admin")

    given = take_on(admin, role=Role.INTEGRATION)

    assert given.password == ""
    assert not given.user.has_usable_password()
    with pytest.raises(InvalidTransition):
        users.give_password(user=given.user, by=admin, at=NOW)
    with pytest.raises(Invalid):
        change(given.user, admin, role=Role.AGENT)


# --- The database ---


def test_the_database_keeps_the_last_active_administrator() -> None:
    first, second = make_user("admin"), make_user("admin")
    User.objects.filter(pk=second.pk).update(is_active=False)

    for column, value in (("is_active", False), ("role", "agent")):
        with pytest.raises(IntegrityError, match="last active administrator"), transaction.atomic():
            User.objects.filter(pk=first.pk).update(**{column: value})
    with pytest.raises(IntegrityError, match="last active administrator"), transaction.atomic():
        execute("DELETE FROM crm_user WHERE id = %s", first.pk)

    User.objects.filter(pk=second.pk).update(is_active=True)
    assert User.objects.filter(pk=first.pk).update(role="agent") == 1


def test_the_service_says_why_the_last_administrator_stays() -> None:
    gone, last = make_user("admin"), make_user("admin")
    User.objects.filter(pk=gone.pk).update(is_active=False)

    # As read by a request that began before the other one was put out of service.
    with pytest.raises(InvalidTransition, match="dernier administrateur"):
        users.deactivate_user(user=last, reason="réorganisation", by=gone, at=NOW)

    last.refresh_from_db()
    assert last.is_active


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE crm_userevent SET data = '{}'",
        "UPDATE crm_userevent SET by_id = NULL",
        "DELETE FROM crm_userevent",
        "TRUNCATE crm_userevent",
    ],
)
def test_the_history_of_accounts_is_append_only(sql: str) -> None:
    take_on(make_user("manager"))

    execute("SET CONSTRAINTS ALL IMMEDIATE")
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        execute(sql)


@pytest.mark.django_db(transaction=True)
def test_two_administrators_who_put_each_other_out_leave_one() -> None:
    one, other = make_user("admin"), make_user("admin")

    results = race(
        lambda: users.deactivate_user(user=other, reason="toi", by=one, at=NOW),
        lambda: users.deactivate_user(user=one, reason="non, toi", by=other, at=NOW),
    )

    assert unexpected(results, InvalidTransition, Forbidden) == []
    assert User.objects.filter(role=Role.ADMIN, is_active=True).count() == 1


# --- The first password ---


def test_a_given_password_opens_nothing_but_the_page_that_changes_it() -> None:
    given = take_on(make_user("manager"))
    client = Client()

    client.post(reverse("login"), {"username": "amoreau", "password": given.password})

    for name in ("home", "desk"):
        assert client.get(reverse(name))["Location"] == reverse("account")
    assert client.post(reverse("desk-pause"))["Location"] == reverse("account")
    fragment = client.get(reverse("desk"), headers={"HX-Request": "true"})
    assert (fragment.status_code, fragment["HX-Redirect"]) == (204, reverse("account"))
    refused = client.get("/api/v1/campaigns/")
    assert (refused.status_code, refused["Content-Type"]) == (403, "application/problem+json")
    page = text_of(client.get(reverse("account")))
    assert "Choisissez le vôtre" in page
    assert "Mot de passe actuel" not in page
    assert client.post(reverse("account"), FORM).status_code == 200
    given.user.refresh_from_db()
    assert given.user.languages == ["fr"]


def test_a_new_password_opens_everything_and_ends_the_other_sessions() -> None:
    given = take_on(make_user("manager"))
    mine, other = Client(), Client()
    for client in (mine, other):
        client.post(reverse("login"), {"username": "amoreau", "password": given.password})
    url = reverse("account-password")

    same = mine.post(url, {"new": given.password, "again": given.password})
    weak = mine.post(url, {"new": "12345678", "again": "12345678"})
    slip = mine.post(url, {"new": "un beau jardin", "again": "un beau jardiN"})
    done = mine.post(url, {"new": "un beau jardin", "again": "un beau jardin"})

    assert [page.status_code for page in (same, weak, slip, done)] == [422, 422, 422, 302]
    assert mine.get(reverse("desk")).status_code == 200
    assert "/login/" in other.get(reverse("desk"))["Location"]
    given.user.refresh_from_db()
    assert not given.user.must_change_password
    assert given.user.events.latest("id").kind == UserEventKind.PASSWORD_CHANGED


def test_later_the_password_of_now_is_asked_for() -> None:
    client, user = signed_in("agent")
    url, new = reverse("account-password"), {"new": "un beau jardin", "again": "un beau jardin"}

    missing, wrong = client.post(url, new), client.post(url, new | {"current": "non"})
    done = client.post(url, new | {"current": PASSWORD})

    assert (missing.status_code, wrong.status_code, done.status_code) == (422, 422, 302)
    assert "Ce n'est pas votre mot de passe actuel." in text_of(wrong)
    user.refresh_from_db()
    assert user.check_password("un beau jardin")


def test_a_lost_password_is_replaced_and_the_sessions_end() -> None:
    client, agent = signed_in("agent")
    manager, _user = signed_in("manager")

    page = manager.post(reverse("user-password", args=[agent.pk]))

    assert page.status_code == 200
    assert "/login/" in client.get(reverse("desk"))["Location"]
    agent.refresh_from_db()
    assert agent.must_change_password


# --- One's own account ---


def test_an_agent_changes_their_name_and_languages_and_not_their_goal() -> None:
    client, agent = signed_in("agent")

    page = text_of(client.get(reverse("account")))
    client.post(
        reverse("account"), {"last_name": "Moreau", "languages": "fr en", "daily_goal": "5", "role": "admin"}
    )

    assert "Objectif du jour : 50 appels. Il est fixé par votre responsable." in page.replace("\xa0", " ")
    agent.refresh_from_db()
    assert (agent.last_name, agent.languages, agent.daily_goal, agent.role) == (
        "Moreau",
        ["fr", "en"],
        50,
        "agent",
    )
    with pytest.raises(Invalid):
        account.edit_account(data={"first_name": "", "last_name": ""}, by=agent, at=NOW)
    account.edit_account(data={"daily_goal": 5}, by=agent, at=NOW)
    agent.refresh_from_db()
    assert agent.daily_goal == 50


def test_the_account_page_is_for_people() -> None:
    client, _program = signed_in("integration")

    assert client.get(reverse("account")).status_code == 403


# --- Leaving and coming back ---


def promised_callback() -> tuple[Talk, Callback]:
    """An agent who promised to call back personally."""
    talk = Talk().matched()
    talk.said("thank", "goodbye").hung_up()
    talk.disposed("callback", callback_at=talk.at + timedelta(days=1), callback_agent=talk.agent)
    return talk, Callback.objects.get()


def test_who_leaves_is_out_at_once_and_nothing_assigned_is_lost() -> None:
    talk, callback = promised_callback()
    client = Client()
    client.force_login(talk.agent)
    token = create_token(user=talk.agent, name="poste", at=NOW)
    manager, _user = signed_in("manager")
    url = reverse("user-deactivation", args=[talk.agent.pk])

    before = text_of(manager.get(url))
    silent = manager.post(url, {"reason": " "})
    done = manager.post(url, {"reason": "fin de contrat"}, follow=True)

    assert "1 rappel personnel, rendu à toute l'équipe" in before
    assert "1 jeton d'API" in before
    assert silent.status_code == 422
    assert "L'histoire garde son nom." in text_of(done)
    assert "/login/" in client.get(reverse("desk"))["Location"]
    assert user_of_token(text=token, at=NOW) is None
    callback.refresh_from_db()
    entry = ListEntry.objects.get(pk=talk.entry_id)
    assert (callback.owner, callback.state, entry.owner, entry.state) == (
        None,
        "open",
        None,
        EntryState.CALLBACK,
    )
    assert entry.due_at == callback.due_at
    event = talk.agent.events.latest("id")
    assert event.data == {"reason": "fin de contrat", "given": {"callbacks": 1}, "tokens": 1}
    assert "motif : fin de contrat" in text_of(done).replace("\xa0", " ")


def test_an_open_call_of_who_leaves_is_left_to_its_lease() -> None:
    talk = Talk()
    users.deactivate_user(user=talk.agent, reason="départ", by=talk.manager, at=talk.at)

    assert talk.read().is_open
    expire_leases(at=talk.at + timedelta(minutes=5))

    assert not talk.read().is_open
    assert talk.entry.state == EntryState.READY


def test_leaving_twice_is_leaving_once() -> None:
    manager, agent = make_user("manager"), make_user("agent")

    for _time in range(2):
        users.deactivate_user(user=agent, reason="départ", by=manager, at=NOW)

    assert agent.events.count() == 1


def test_who_comes_back_gets_a_new_password_and_no_old_session() -> None:
    client, agent = signed_in("agent")
    token = create_token(user=agent, name="poste", at=NOW)
    users.deactivate_user(user=agent, reason="départ", by=make_user("manager"), at=NOW)
    manager, _user = signed_in("manager")

    page = manager.post(reverse("user-reactivation", args=[agent.pk]))
    again = manager.post(reverse("user-reactivation", args=[agent.pk]), follow=True)

    agent.refresh_from_db()
    assert page.status_code == 200
    assert (agent.is_active, agent.must_change_password) == (True, True)
    assert not agent.check_password(PASSWORD)
    assert "/login/" in client.get(reverse("desk"))["Location"]
    assert user_of_token(text=token, at=LATER) is None
    assert "Ce compte est déjà actif." in text_of(again)


def test_a_correction_gives_no_callback_back_to_who_has_left() -> None:
    talk, _callback = promised_callback()
    ListEntry.objects.filter(pk=talk.entry_id).update(due_at=talk.at)
    call = claim_next(campaign=talk.campaign, by=talk.agent, at=talk.at)
    assert call is not None
    given: dict[str, Any] = {"call": call, "by": talk.agent, "at": talk.at}
    dial(**given)
    record_not_reached(cause="no_answer", **given)
    dispose(code="no_answer", **given)
    call.refresh_from_db()
    if call.is_open:
        finish(**given)
    users.deactivate_user(user=talk.agent, reason="départ", by=talk.manager, at=talk.at)

    correct_disposition(call=call, code="busy", reason="occupé", by=talk.supervisor, at=talk.at)

    assert talk.entry.owner is None


# --- The pages ---


def test_the_list_is_searched_filtered_and_sorted() -> None:
    client, _manager = signed_in("manager", last_name="Girard")
    team = Team.objects.create(name="Matin", created_at=NOW)
    make_user("agent", "amoreau", first_name="Alex", last_name="Moreau", team=team, last_login=NOW)
    make_user("supervisor", "droux", first_name="Dominique", last_name="Roux")
    make_user("agent", "spetit", first_name="Sacha", last_name="Petit", is_active=False)

    def listed(**query: Any) -> list[str]:
        page = client.get(reverse("user-list"), query).content.decode()
        return re.findall(r'<th scope="row"><a href="[^"]+">([^<]+)</a>', page)

    assert listed(q="alex mor") == ["Alex Moreau"]
    assert listed(role="supervisor") == ["Dominique Roux"]
    assert listed(team=team.pk) == ["Alex Moreau"]
    assert listed(state="inactive") == ["Sacha Petit"]
    assert len(listed(state="all")) == 4
    assert listed(sort="-name")[0] == "Dominique Roux"
    assert listed(sort="-last_login") == ["Girard", "Alex Moreau", "Dominique Roux"]
    assert listed(sort="nonsense", role="nonsense", team="x" * 40) == listed()
    assert "Personne ne correspond" in text_of(client.get(reverse("user-list"), {"q": "zzz"}))


def test_history_tells_what_changed_and_names_no_other_sponsor() -> None:
    own, foreign = make_sponsor("Banque Une"), make_sponsor("Assureur Secret")
    admin = make_user("admin", last_name="Chef")
    agent = take_on(admin, sponsors=[own, foreign]).user
    change(agent, admin, sponsors=[own], role=Role.SUPERVISOR, daily_goal=30)
    client, _manager = signed_in("manager", sponsors=[own])

    page = text_of(client.get(reverse("user", args=[agent.pk]))).replace("\xa0", " ")

    assert "rôle : Agent → Superviseur" in page
    assert "objectif du jour : 50 → 30" in page
    assert "donneurs d'ordre : Banque Une, (autre) → Banque Une" in page
    assert "Assureur Secret" not in page


def test_nothing_changed_writes_no_history() -> None:
    admin = make_user("admin")
    agent = take_on(admin).user

    change(agent, admin, last_name="Moreau")

    assert agent.events.count() == 1


def test_an_account_is_changed_on_its_page() -> None:
    client, _manager = signed_in("manager")
    agent = make_user("agent")
    team = Team.objects.create(name="Matin", created_at=NOW)
    form = FORM | {"team": team.pk, "daily_goal": "30", "extension": "204", "role": "supervisor"}

    wrong = client.post(reverse("user", args=[agent.pk]), form | {"daily_goal": "0"})
    done = client.post(reverse("user", args=[agent.pk]), form)

    agent.refresh_from_db()
    assert (wrong.status_code, done.status_code) == (422, 302)
    assert (agent.team, agent.daily_goal, agent.extension, agent.role) == (team, 30, "204", "supervisor")


def test_the_list_costs_the_same_with_ten_or_twenty_people(django_assert_max_num_queries: Any) -> None:
    sponsor = make_sponsor()
    client, _manager = signed_in("manager")
    for _number in range(10):
        make_user("agent", sponsors=[sponsor])
    with django_assert_max_num_queries(8) as few:
        client.get(reverse("user-list"))
    for _number in range(10):
        make_user("agent", sponsors=[sponsor])

    with django_assert_max_num_queries(len(few)):
        client.get(reverse("user-list"))
