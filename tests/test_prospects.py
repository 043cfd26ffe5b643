"""Fiches: created, corrected with a version, erased with their bars left in force."""

import hashlib
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from crm.models import ApiToken, Prospect, ProspectEvent, ProspectNumber, User
from crm.rules.errors import Invalid, InvalidTransition, StaleRecord
from crm.services.prospects import PhoneInput, create_prospect, edit_prospect, erase_prospect_record
from crm.services.tokens import user_of_token
from tests.factories import NOW, make_prospect, make_source, make_user

pytestmark = pytest.mark.django_db

LATER = NOW.replace(hour=15)


@pytest.fixture
def manager() -> User:
    """A manager."""
    return make_user("manager")


def create(*phones: str, by: User | None = None, **data: Any) -> Prospect:
    """Create a record of a new source from numbers as written."""
    return create_prospect(
        source=make_source(), data=data, phones=[PhoneInput(raw) for raw in phones], by=by, at=NOW
    )


def numbers_of(prospect: Prospect) -> list[str]:
    """Return the E.164 numbers in their order."""
    return list(ProspectNumber.objects.filter(prospect=prospect).values_list("number", flat=True))


def test_a_fiche_is_created_with_numbers_in_any_spelling(manager: User) -> None:
    prospect = create(
        "01 99 00 12 34 poste 12",
        "0261910001 / 0353010002",
        "+33199001234",
        by=manager,
        organisation=" Banque Éloi ",
    )

    assert prospect.organisation == "Banque Éloi"
    assert numbers_of(prospect) == ["+33199001234", "+33261910001", "+33353010002"]
    assert prospect.phones.get(number="+33199001234").extension == "12"
    assert (prospect.time_zone, prospect.version) == ("Europe/Paris", 1)
    assert ProspectEvent.objects.get(prospect=prospect).kind == "created"


def test_the_zone_follows_the_postal_code_unless_it_is_given() -> None:
    assert create("0199001234", postal_code="97400").time_zone == "Indian/Reunion"
    assert create("0199001234", postal_code="97400", time_zone="Europe/Paris").time_zone == "Europe/Paris"
    assert create("0262 12 34 56", postal_code="97400").phones.get().number == "+262262123456"


WRONG = [
    (["112"], {}, "phones"),
    (["0899123456"], {}, "phones"),
    (["3,3E+10"], {}, "phones"),
    (["0199001234"], {"kind": "robot"}, "kind"),
    (["0199001234"], {"preferred_channel": "pigeon"}, "preferred_channel"),
    (["0199001234"], {"organisation": "x" * 251}, "organisation"),
    (["0199001234"], {"organisation": "a\x00b"}, "organisation"),
    (["0199001234"], {"organisation": 7}, "organisation"),
    (["0199001234"], {"country": "FRA"}, "country"),
    (["0199001234"], {"attributes": []}, "attributes"),
    (["0199001234"], {"attributes": {"a": {"b": 1}}}, "attributes"),
    (["0199001234"], {"attributes": {"a": "\x00"}}, "attributes"),
    (["0199001234"], {"confidential": "no"}, "confidential"),
    (["0199001234"], {"version": 9}, "version"),
    (["0199001234"], {"erased_at": None}, "erased_at"),
    ([f"019900{index:04d}" for index in range(21)], {}, "phones"),
]


@pytest.mark.parametrize(("phones", "data", "field"), WRONG)
def test_a_wrong_fiche_is_refused_with_its_field_and_nothing_is_kept(
    phones: list[str], data: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        create(*phones, **data)

    assert list(refusal.value.fields) == [field]
    assert all(map(str, refusal.value.fields[field]))
    assert not Prospect.objects.exists()


def test_a_supplier_has_one_fiche_for_an_id() -> None:
    source = make_source()
    make_prospect(source=source, external_id="A1")

    with pytest.raises(Invalid) as refusal:
        create_prospect(source=source, data={"external_id": "A1"}, phones=[], by=None, at=NOW)

    assert list(refusal.value.fields) == ["external_id"]
    assert create(external_id="A1").pk


def test_a_correction_is_a_new_version_with_what_was_before(manager: User) -> None:
    prospect = create("0199001234", organisation="Banque", city="Rennes")

    edited = edit_prospect(
        prospect=prospect,
        data={"organisation": "Boulangerie", "city": "Rennes"},
        phones=[PhoneInput("0261910001", note="standard")],
        by=manager,
        at=LATER,
        expected_version=1,
    )

    assert (edited.version, edited.updated_at) == (2, LATER)
    event = ProspectEvent.objects.get(prospect=prospect, kind="edited")
    assert event.by == manager
    assert event.data["changes"] == {
        "organisation": ["Banque", "Boulangerie"],
        "phones": [["+33199001234"], ["+33261910001"]],
    }
    assert edited.phones.get().note == "standard"


def test_a_correction_that_changes_nothing_leaves_no_trace(manager: User) -> None:
    prospect = create("0199001234", organisation="Banque")

    same = edit_prospect(
        prospect=prospect,
        data={"organisation": "Banque"},
        phones=[PhoneInput("01 99 00 12 34")],
        by=manager,
        at=LATER,
    )

    assert same.version == 1
    assert not ProspectEvent.objects.filter(kind="edited").exists()


def test_the_second_of_two_corrections_of_the_same_version_is_stale(manager: User) -> None:
    prospect = create("0199001234")
    edit_prospect(
        prospect=prospect, data={"city": "Rennes"}, phones=None, by=manager, at=NOW, expected_version=1
    )

    with pytest.raises(StaleRecord):
        edit_prospect(
            prospect=prospect, data={"city": "Brest"}, phones=None, by=manager, at=NOW, expected_version=1
        )

    assert Prospect.objects.get(pk=prospect.pk).city == "Rennes"


def test_the_zone_follows_a_correction_unless_somebody_set_it(manager: User) -> None:
    derived, chosen = create("0199001234"), create("0199001234", time_zone="America/Cayenne")

    for prospect in (derived, chosen):
        edit_prospect(prospect=prospect, data={"postal_code": "97400"}, phones=None, by=manager, at=NOW)

    zones = [Prospect.objects.get(pk=prospect.pk).time_zone for prospect in (derived, chosen)]
    assert zones == ["Indian/Reunion", "America/Cayenne"]


def test_an_erasure_blanks_the_person_and_the_words_and_stays_one(manager: User) -> None:
    prospect = create(
        "0199001234",
        external_id="A1",
        first_name="Anne",
        last_name="Le Gall",
        attributes={"x": 1},
        by=manager,
    )
    edit_prospect(prospect=prospect, data={"city": "Rennes"}, phones=None, by=manager, at=NOW)

    erased = erase_prospect_record(prospect=prospect, by=manager, at=LATER)
    again = erase_prospect_record(prospect=prospect, by=manager, at=LATER.replace(hour=16))

    assert again.erased_at == erased.erased_at == LATER
    stored = Prospect.objects.get(pk=prospect.pk)
    assert (stored.first_name, stored.last_name, stored.city, stored.external_id) == ("", "", "", "")
    assert stored.attributes == {}
    assert stored.erased_external_id == hashlib.sha256(b"A1").hexdigest()
    assert numbers_of(prospect) == []
    assert (
        not ProspectEvent.objects.filter(prospect=prospect).exclude(kind="erased").exclude(data={}).exists()
    )
    assert ProspectEvent.objects.filter(prospect=prospect, kind="erased").count() == 1
    with pytest.raises(InvalidTransition):
        edit_prospect(prospect=prospect, data={"city": "Brest"}, phones=None, by=manager, at=LATER)


def test_create_token_prints_the_token_alone(capsys: pytest.CaptureFixture[str]) -> None:
    user = make_user("integration", username="crm-sync")

    call_command("create_token", "crm-sync", "--name", "CRM")

    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    assert user_of_token(text=lines[0], at=NOW) == user
    assert ApiToken.objects.get().name == "CRM"
    with pytest.raises(CommandError):
        call_command("create_token", "nobody")
