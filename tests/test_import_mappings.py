"""What headers meant is remembered per supplier, and can be saved as a template of one principal."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from campaigns.models import ImportFile, ImportJob, MappingTemplate
from campaigns.rules.mapping import UnknownField, guess_mapping
from campaigns.selectors.mappings import fitting_template, remembered_mapping, templates_of
from campaigns.services.mappings import delete_template, save_template
from crm.enums import Role
from crm.models import Source, Sponsor
from crm.rules.errors import Invalid
from tests.factories import NOW, make_campaign, make_source, make_sponsor, make_user

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def imported(source: Source, mapping: dict[str, str], started_at: datetime | None) -> ImportJob:
    """A job of this supplier with this mapping, as an earlier import left it."""
    file = ImportFile.objects.create(name="liste.csv", size=0, sha256="")
    return ImportJob.objects.create(
        campaign=make_campaign(),
        source=source,
        file=file,
        by=make_user(Role.MANAGER),
        mapping=mapping,
        created_at=NOW,
        started_at=started_at,
    )


def save(sponsor: Sponsor, name: str = "Annuaire", at: datetime = NOW, **mapping: str) -> MappingTemplate:
    """Save a template."""
    return save_template(sponsor=sponsor, name=name, mapping=mapping, by=make_user(Role.MANAGER), at=at)


def test_the_newest_import_that_was_started_says_what_a_header_means() -> None:
    source = make_source()
    imported(source, {"Tél": "phone", "Réf": "external_id"}, NOW - 2 * DAY)
    imported(source, {"TEL": "ignore", "Nom": "last_name"}, NOW - DAY)
    imported(source, {"Tél": "note"}, None)
    imported(make_source(), {"Ville": "city"}, NOW)

    assert remembered_mapping(source) == {"tel": "ignore", "ref": "external_id", "nom": "last_name"}


def test_a_supplier_without_imports_is_remembered_for_nothing() -> None:
    assert remembered_mapping(make_source()) == {}


def test_what_is_remembered_outranks_the_guess() -> None:
    source = make_source()
    imported(source, {"Humeur": "note", "Téléphone": "ignore"}, NOW)

    guesses = guess_mapping(
        ["HUMEUR", "telephone"], [["bonne", "0199001234"]], "FR", remembered_mapping(source)
    )

    assert [(guess.target, guess.origin) for guess in guesses] == [
        ("note", "remembered"),
        ("ignore", "remembered"),
    ]


def test_a_template_is_saved_and_saved_again_under_its_name() -> None:
    sponsor = make_sponsor()
    first = save(sponsor, "  Annuaire   2026 ", Tel="phone", Humeur="attribute", Vide="")

    again = save_template(
        sponsor=sponsor,
        name="Annuaire 2026",
        mapping={"Tel": "phone"},
        options={"blank": "clear"},
        region="be",
        by=make_user(Role.MANAGER),
        at=NOW + DAY,
    )

    assert first.mapping == {"Tel": "phone", "Humeur": "attributes.humeur", "Vide": "ignore"}
    assert first.pk == again.pk
    assert (again.mapping, again.options, again.region) == ({"Tel": "phone"}, {"blank": "clear"}, "BE")
    again.refresh_from_db()
    assert (again.created_at, again.updated_at, again.created_by) == (NOW, NOW + DAY, first.created_by)


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"name": "  "}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"mapping": {}}, "mapping"),
        ({"mapping": {"Tel": "password"}}, "mapping"),
        ({"region": "XX"}, "region"),
    ],
)
def test_a_template_that_cannot_be_is_refused(fields: dict[str, Any], wrong: str) -> None:
    values = {"name": "Annuaire", "mapping": {"Tel": "phone"}, **fields}

    with pytest.raises(Invalid) as refusal:
        save_template(sponsor=make_sponsor(), by=make_user(Role.MANAGER), at=NOW, **values)

    assert set(refusal.value.fields) == {wrong}
    assert not MappingTemplate.objects.exists()


def test_an_unknown_field_is_named() -> None:
    with pytest.raises(UnknownField):
        save(make_sponsor(), Tel="password")


def test_a_template_is_removed_once() -> None:
    template = save(make_sponsor(), Tel="phone")
    manager = make_user(Role.MANAGER)

    delete_template(template=template, by=manager, at=NOW)
    delete_template(template=template, by=manager, at=NOW)

    assert not MappingTemplate.objects.exists()


def test_principals_never_see_each_other_s_templates() -> None:
    mine, theirs = make_sponsor(), make_sponsor()
    template = save(mine, Tel="phone")
    save(theirs, Tel="phone", Nom="last_name")

    assert list(templates_of(mine)) == [template]
    assert fitting_template(mine, ["Tel", "Nom"]) == template
    assert fitting_template(make_sponsor(), ["Tel", "Nom"]) is None


def test_the_template_that_knows_most_headers_of_the_file_fits_best() -> None:
    sponsor = make_sponsor()
    small = save(sponsor, "petit", Tel="phone")
    large = save(sponsor, "grand", Tel="phone", Nom="last_name")
    save(sponsor, "autre", Tel="phone", Nom="last_name", Fax="ignore")

    assert fitting_template(sponsor, ["TÉL", "nom", "Ville"]) == large
    assert fitting_template(sponsor, ["Tél", "Ville"]) == small
    assert fitting_template(sponsor, ["Ville"]) is None


def test_of_templates_that_fit_alike_the_last_saved_is_taken() -> None:
    sponsor = make_sponsor()
    save(sponsor, "b", at=NOW, Tel="phone")
    newer = save(sponsor, "a", at=NOW + DAY, TEL="ignore")

    assert fitting_template(sponsor, ["tel"]) == newer


def test_a_template_of_columns_without_names_fits_a_file_of_just_as_many() -> None:
    sponsor = make_sponsor()
    template = save_template(
        sponsor=sponsor,
        name="sans noms",
        mapping={"Colonne 1": "organisation", "Colonne 2": "phone"},
        by=make_user(Role.MANAGER),
        at=NOW,
    )

    assert fitting_template(sponsor, ["Colonne 1", "Colonne 2"]) == template
    assert fitting_template(sponsor, ["Colonne 1", "Colonne 2", "Colonne 3"]) is None
