"""Pages of API tokens: a key for the program of a customer, which opens its own records and nothing else."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crm.models import ApiToken, Sponsor, User
from crm.services.tokens import give_token, user_of_token
from tests.factories import make_sponsor, make_user

pytestmark = pytest.mark.django_db

LIST, NEW = "/tokens/", "/tokens/new/"


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def form(sponsor: Sponsor, **changed: Any) -> dict[str, Any]:
    """Return what a manager sends for the CRM of a customer."""
    end = timezone.localdate() + timedelta(days=365)
    told = {
        "name": "CRM de la banque",
        "account": "",
        "sponsors": [sponsor.pk],
        "scopes": ["prospects:write", "calls:read"],
        "expires": end.isoformat(),
    }
    return told | changed


def text_in(answer: Any) -> str:
    found = re.search(r'value="(ctw_[^"]+)"', answer.content.decode())
    assert found, answer.content.decode()[:4000]
    return found[1]


def test_a_manager_gives_the_crm_of_a_customer_its_own_records_and_sees_the_text_once() -> None:
    bank = make_sponsor("Banque")
    client = signed_in(make_user("manager", sponsors=[bank]))

    answer = client.post(NEW, form(bank))

    program = user_of_token(text=text_in(answer), at=timezone.now())
    token = ApiToken.objects.get()
    assert program is not None
    assert (program.role, program.username, list(program.sponsors.all())) == (
        "integration",
        "crm-de-la-banque",
        [bank],
    )
    assert (token.scopes, list(token.sponsors.all())) == (["prospects:write", "calls:read"], [bank])
    assert timezone.localtime(token.expires_at).date() == timezone.localdate() + timedelta(days=366)
    assert "no-store" in answer.headers["Cache-Control"]
    listed = client.get(LIST).content.decode()
    assert "CRM de la banque" in listed
    assert token.prefix in listed
    assert text_in(answer) not in listed


def test_a_second_token_of_an_account_is_chosen_from_the_list() -> None:
    bank = make_sponsor("Banque")
    program = make_user("integration", sponsors=[bank])
    client = signed_in(make_user("admin"))

    offered = client.get(f"{NEW}?account={program.pk}").content.decode()
    answer = client.post(NEW, form(bank, account=program.pk))

    assert f'<option value="{program.pk}" selected>' in offered
    assert user_of_token(text=text_in(answer), at=timezone.now()) == program


def test_what_cannot_be_right_is_said_beside_its_field_and_nothing_is_made() -> None:
    bank, other = make_sponsor("Banque"), make_sponsor("Mairie")
    program = make_user("integration", sponsors=[bank])
    manager = signed_in(make_user("manager", sponsors=[bank]))
    admin = signed_in(make_user("admin"))
    yesterday = (timezone.localdate() - timedelta(days=2)).isoformat()
    wrong: list[tuple[Client, dict[str, Any], str]] = [
        (manager, {}, "Cochez au moins un donneur"),
        (manager, form(bank, scopes=[]), "Cochez au moins un droit"),
        (manager, form(bank, scopes=["*"]), 'class="field field--wrong"'),
        # A program decides on no incident: this right is not offered.
        (manager, form(bank, scopes=["bans:write"]), 'class="field field--wrong"'),
        (manager, form(other), 'class="field field--wrong"'),
        (manager, form(bank, expires=yesterday), "Une date à venir"),
        (manager, form(bank, expires="9999-12-31"), "Une date à venir"),
        (manager, form(bank, name="!!!"), "Donnez un nom"),
        (admin, form(other, account=program.pk), "ne travaille pas pour"),
        (admin, form(bank, name=program.username), "existe déjà"),
        (admin, form(bank, account=make_user("agent").pk), 'class="field field--wrong"'),
    ]

    for client, sent, said in wrong:
        answer = client.post(NEW, sent)
        assert answer.status_code == 422, sent
        assert said in answer.content.decode().replace("&#x27;", "'"), sent

    assert not ApiToken.objects.exists()
    assert User.objects.filter(role="integration").count() == 1


def test_a_manager_sees_and_ends_the_tokens_inside_her_walls_alone() -> None:
    bank, other = make_sponsor("Banque"), make_sponsor("Mairie")
    manager = make_user("manager", sponsors=[bank])
    own, strange, both = (
        give_token(user=make_user("integration", sponsors=sponsors), name=name, at=timezone.now()).token
        for name, sponsors in (("nôtre", [bank]), ("de la mairie", [other]), ("des deux", [bank, other]))
    )
    client = signed_in(manager)

    listed = client.get(f"{LIST}?all=1").content.decode()

    assert "nôtre" in listed
    assert "de la mairie" not in listed
    assert "des deux" not in listed
    for token in (strange, both):
        assert client.post(reverse("token-revocation", args=[token.pk])).status_code == 404
    assert client.get(reverse("token-revocation", args=[own.pk])).status_code == 200
    for _ in range(2):
        assert client.post(reverse("token-revocation", args=[own.pk])).status_code == 302
    assert ApiToken.objects.filter(revoked_at=None).count() == 2
    client.get(LIST)  # It says what was done, once.
    assert "nôtre" not in client.get(LIST).content.decode()
    assert "Révoqué" in client.get(f"{LIST}?all=1").content.decode()


def test_the_list_says_which_tokens_end_soon_and_is_read_in_as_many_queries_as_it_has_kinds(
    django_assert_max_num_queries: Any,
) -> None:
    bank, at = make_sponsor("Banque"), timezone.now()
    for days in range(1, 61, 3):
        program = make_user("integration", sponsors=[bank])
        end = at + timedelta(days=days)
        give_token(
            user=program, name=f"n{days}", at=at, expires_at=end, sponsors=[bank], scopes=["calls:read"]
        )
    client = signed_in(make_user("admin"))
    client.get(LIST)

    with django_assert_max_num_queries(10):
        listed = client.get(LIST).content.decode()

    assert listed.count("Bientôt périmé") == 10
    assert listed.count("En service") == 10


def test_nothing_that_is_looked_for_breaks_the_pages() -> None:
    client = signed_in(make_user("manager"))

    for query in ("?q=%00", "?q=" + "x" * 500, "?page=99", "?all=x"):
        assert client.get(LIST + query).status_code == 200
    assert client.get(f"{NEW}?account=x").status_code == 200
