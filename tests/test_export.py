"""All that is kept about a person goes out on request: every table, in words, and nothing of anybody else."""

import json
from typing import Any

import pytest
from django.apps import apps
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from calls.models import Call, Lookup
from calls.rules.export import LEFT_OUT, LEGEND, PARTS
from calls.services.dispositions import dispose
from calls.services.erasure import erase_prospect
from crm.models import Prospect, ProspectLook
from crm.services.tokens import create_token
from tests.api_client import Api, problem_of
from tests.factories import (
    NOW,
    make_exclusion,
    make_number,
    make_prospect,
    make_source,
    make_sponsor,
    make_user,
)
from tests.importing import Desk
from tests.talking import Talk


def refer_to_a_person() -> set[str]:
    """The tables that refer to a prospect, directly or by way of another table."""
    reached: list[type[Model]] = [Prospect]
    for model in reached:
        for other in apps.get_models():
            for field in other._meta.concrete_fields:
                related = field.related_model if field.is_relation else None
                if related is model and other not in reached and not other._meta.proxy:
                    reached.append(other)
    return {model._meta.label for model in reached[1:]}


def test_every_table_that_refers_to_a_person_is_told_or_left_out_for_a_reason() -> None:
    told = {part.model for part in PARTS}

    assert refer_to_a_person() <= told | set(LEFT_OUT)
    assert not told & set(LEFT_OUT)
    assert all(LEFT_OUT.values())


@pytest.mark.django_db
def test_what_was_said_and_done_goes_out_in_words_with_what_each_part_is() -> None:
    desk = Desk()
    desk.bring_in("SIRET;Raison sociale;NAF;Téléphone\n12;Banque de l'Ouest;6419Z;01.99.00.12 34\n")
    prospect = Prospect.objects.get()
    talk = Talk(prospect=prospect).matched()
    dispose(**talk.by(), code="not_interested", note="Rappelle une mauvaise expérience.")
    Lookup.objects.create(number="+33199001234", found=[prospect.pk], at=NOW, by=talk.agent)

    answer = Api(talk.manager).get(f"prospects/{prospect.pk}/export/")

    kept = answer.json()
    assert answer.headers["Content-Disposition"] == f'attachment; filename="fiche-{prospect.pk}.json"'
    assert (
        set(kept["legend"])
        == {*LEGEND, *(part.name for part in PARTS)}
        == set(kept) - {"exported_at", "legend"}
    )
    assert kept["record"]["organisation"] == "Banque de l'Ouest"
    assert (kept["numbers"][0]["number"], kept["numbers"][0]["raw"]) == ("+33199001234", "01.99.00.12 34")
    assert kept["imports"][0]["file"] == "liste.csv"
    assert kept["origin"]["name"] == desk.source.name
    assert kept["answers"][0]["question"] == "Êtes-vous bien une banque ?"
    assert "Rappelle une mauvaise expérience." in [row["note"] for row in kept["notes"]]
    assert kept["calls"][0]["by"] == "Agent"
    assert kept["look_ups"][0]["number"] == "+33199001234"
    assert {"imported", "queued"} & {row["kind"] for row in kept["timeline"]} == set()
    assert talk.agent.username not in answer.content.decode()


@pytest.mark.django_db
def test_who_shares_a_number_is_not_told() -> None:
    mine, other = make_prospect("+33199001234"), make_prospect("+33199001234", organisation="Cabinet Voisin")
    make_number(mine, "+33199001235", position=1)
    talk = Talk(prospect=other)
    make_exclusion(prospect=other, number="+33199001234", note="le voisin s'oppose")
    make_exclusion(number="+33199001234", call_ref=Call.objects.get().pk, note="dit par le voisin")
    make_exclusion(number="+33199001235", note="numéro d'essai")

    text = Api(talk.manager).get(f"prospects/{mine.pk}/export/").content.decode()

    assert "oisin" not in text
    assert [bar["note"] for bar in json.loads(text)["exclusions"]] == ["", "numéro d'essai"]


@pytest.mark.django_db
def test_a_sponsors_wall_and_a_role_hold_here_too() -> None:
    talk = Talk(prospect=make_prospect(source=make_source())).greeted()
    narrowed = Api(make_user("manager", sponsors=[make_sponsor()]))
    path = f"prospects/{talk.prospect.pk}/export/"

    seen = narrowed.get(path).json()

    assert (seen["calls"], seen["call_events"], seen["lists"]) == ([], [], [])
    assert len(Api(talk.manager).get(path).json()["calls"]) == 1
    problem_of(Api(talk.supervisor).get(path), "forbidden", 403)


@pytest.mark.django_db
def test_a_token_that_reads_records_alone_does_not_get_what_was_said_on_calls() -> None:
    prospect, manager = make_prospect(), make_user("manager")
    narrow = Api(manager)
    token = create_token(user=manager, name="narrow", at=NOW, scopes=["prospects:read"])
    narrow.headers["Authorization"] = f"Bearer {token}"

    refused = problem_of(narrow.get(f"prospects/{prospect.pk}/export/"), "forbidden", 403)

    assert refused["scope"] == "entries:read"


@pytest.mark.django_db
def test_of_somebody_erased_goes_out_what_remains() -> None:
    talk = Talk().greeted()
    other = make_prospect(organisation="Madame Secrète")
    make_exclusion(prospect=other, note="dit en secret")
    erase_prospect(prospect=other, by=talk.manager, at=NOW)

    kept = Api(talk.manager).get(f"prospects/{other.pk}/export/").json()

    assert kept["record"]["erased_at"]
    assert len(kept["exclusions"]) == 1
    assert "secr" not in json.dumps(kept).lower()


@pytest.mark.django_db
def test_a_confidential_record_is_looked_at_for_a_reason(client: Client) -> None:
    prospect = make_prospect(organisation="Banque Discrète", confidential=True)
    manager = make_user("manager")
    client.force_login(manager)
    url = reverse("prospect-data", args=[prospect.pk])

    masked = client.get(url)
    client.post(reverse("prospect-look", args=[prospect.pk]), {"why": "Demande d'accès du 3 mai"})
    opened: Any = client.get(url)
    Api(manager).get(f"prospects/{prospect.pk}/export/")

    assert "Discrète" not in masked.content.decode()
    assert opened.json()["record"]["organisation"] == "Banque Discrète"
    assert opened.json()["looks"][0]["why"] == "Demande d'accès du 3 mai"
    assert sorted(ProspectLook.objects.values_list("place", flat=True)) == ["api", "record"]


@pytest.mark.django_db
def test_only_who_may_finds_it_on_the_page(client: Client) -> None:
    prospect = make_prospect()
    found = {}
    for role in ("supervisor", "manager"):
        client.force_login(make_user(role))
        page = client.get(reverse("prospect", args=[prospect.pk])).content.decode()
        found[role] = reverse("prospect-data", args=[prospect.pk]) in page

    assert found == {"supervisor": False, "manager": True}
