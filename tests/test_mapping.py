"""Columns find their fields by their names, whatever the spelling, and by what they hold."""

import pytest

from campaigns.rules.mapping import (
    UnknownColumn,
    UnknownField,
    attribute_of,
    explicit_mapping,
    guess_mapping,
    is_damaged_id,
    says_yes,
)


def targets(headers: list[str], *sample: list[str], region: str = "FR") -> list[str]:
    return [guess.target for guess in guess_mapping(headers, sample, region)]


@pytest.mark.parametrize(
    ("header", "value", "target"),
    [
        ("Téléphone", "0199001234", "phone"),
        ("TELEPHONE", "0199001234", "phone"),
        ("N° de téléphone", "0199001234", "phone"),
        ("Tél. portable", "0639981234", "phone"),
        ("Phone_Number", "0199001234", "phone"),
        ("Raison sociale", "Alpha SARL", "organisation"),
        ("Nom_etablissement", "École Alpha", "organisation"),
        ("OrganisationName", "Alpha", "organisation"),
        ("Identifiant_de_l_etablissement", "0350122T", "external_id"),
        ("SIRET", "79181687900013", "external_id"),
        ("Code postal", "35000", "postal_code"),
        ("CP", "35000", "postal_code"),
        ("Nom_commune", "Rennes", "city"),
        ("Code NAF", "6419Z", "sector"),
        ("APE", "64.19Z", "sector"),
        ("Prénom", "Zoé", "first_name"),
        ("First name", "Zoé", "first_name"),
        ("Civilité", "Mme", "civility"),
        ("E-mail", "a@exemple.invalid", "email"),
        ("Courriel", "a@exemple.invalid", "email"),
        ("Adresse_1", "1 rue A", "address"),
        ("Fonction", "Directrice", "job_title"),
        ("Ne pas appeler", "Oui", "opt_out"),
        ("Do-not-call", "yes", "opt_out"),
        ("Langue", "fr", "language"),
        ("Commentaires", "sonner deux fois", "note"),
        ("Libellé NAF", "Banques", "attributes.libelle_naf"),
        ("Fax", "0199001235", "attributes.fax"),
        ("Télécopie", "0199001235", "attributes.telecopie"),
        ("Dernier contact", "02/05/2023", "attributes.dernier_contact"),
    ],
)
def test_a_column_is_known_by_its_name(header: str, value: str, target: str) -> None:
    assert targets([header], [value]) == [target]


def test_nom_is_a_person_s_beside_a_first_name_and_else_an_organisation_s() -> None:
    assert targets(["Nom", "Prénom"], ["Dupont", "Zoé"]) == ["last_name", "first_name"]
    assert targets(["Nom", "Tél"], ["Alpha", "0199001234"]) == ["organisation", "phone"]
    assert targets(["Société", "Nom"], ["Alpha", "Dupont"]) == ["organisation", "last_name"]


def test_several_phone_columns_are_all_phones() -> None:
    assert (
        targets(["Téléphone", "Portable", "Téléphone (2)"], ["0199001234", "0639981234", ""]) == ["phone"] * 3
    )


def test_columns_without_names_are_known_by_what_they_hold() -> None:
    headers = ["Colonne 1", "Colonne 2", "Colonne 3", "Colonne 4", "Colonne 5"]

    found = targets(headers, ["Alpha SARL", "0199001234", "6419Z", "35000", "a@exemple.invalid"])

    assert found == ["organisation", "phone", "sector", "postal_code", "email"]


def test_ids_that_look_like_numbers_are_no_phones() -> None:
    assert targets(["Colonne 1"], ["010000024"], ["970102018"], ["970100400"]) == ["attributes.colonne_1"]


def test_an_id_that_many_rows_share_is_not_the_record_s_own() -> None:
    rows = [["0350122T", "21350016800025"], ["0350165P", "21350016800025"], ["0350192U", "21350016800025"]]

    assert targets(["UAI", "SIRET"], *rows) == ["external_id", "attributes.siret"]


def test_the_first_claim_to_a_field_wins_and_the_other_column_is_kept_as_an_attribute() -> None:
    assert targets(["Enseigne", "Raison sociale"], ["MIFA", "Alpha"]) == [
        "attributes.enseigne",
        "organisation",
    ]


def test_the_short_name_that_every_row_has_comes_before_the_long_one() -> None:
    found = targets(["rs", "rslongue"], ["CH FLEYRIAT", ""], ["CH RECAMIER", "CENTRE HOSPITALIER RECAMIER"])

    assert found == ["organisation", "attributes.rslongue"]


def test_a_name_does_not_make_words_out_of_coordinates() -> None:
    assert targets(["position"], ["47.98, -1.92"]) == ["attributes.position"]


def test_a_guess_says_how_sure_it_is_and_shows_samples() -> None:
    (guess,) = guess_mapping(
        ["Téléphone"], [["0199001234"], ["0199001234"], ["0261910010"], [""], ["0353010011"], ["x"]]
    )

    assert guess.confidence == 1.0
    assert guess.samples == ("0199001234", "0261910010", "0353010011")


def test_what_a_person_chose_outranks_the_guess() -> None:
    headers = ["Raison sociale", "Enseigne", "Tel", "Fax"]
    guesses = guess_mapping(headers, [["Alpha", "MIFA", "0199001234", "0199001235"]])

    chosen = explicit_mapping(headers, {"enseigne": "organisation", "FAX": "phone", "Tel": "ignore"}, guesses)

    assert chosen == ("attributes.raison_sociale", "organisation", "ignore", "phone")


def test_a_choice_of_what_does_not_exist_is_refused() -> None:
    guesses = guess_mapping(["Tel"], [["0199001234"]])

    with pytest.raises(UnknownColumn):
        explicit_mapping(["Tel"], {"Portable": "phone"}, guesses)
    with pytest.raises(UnknownField):
        explicit_mapping(["Tel"], {"Tel": "password"}, guesses)
    with pytest.raises(UnknownField):
        explicit_mapping(["Tel"], {"Tel": "attributes.x'; drop table"}, guesses)


def test_two_columns_never_write_one_attribute() -> None:
    assert targets(["Note interne!", "note_interne"], ["a", "b"]) == [
        "attributes.note_interne",
        "attributes.note_interne_2",
    ]
    assert attribute_of("%%%") == "attributes.colonne"


@pytest.mark.parametrize(
    ("cell", "barred"),
    [
        ("Oui", True),
        ("O", True),
        ("x", True),
        ("1", True),
        ("YES", True),
        ("vrai", True),
        ("appeler jamais", True),
        ("", False),
        ("non", False),
        ("N", False),
        ("0", False),
        ("false", False),
        ("  ", False),
    ],
)
def test_only_a_clear_no_or_a_blank_leaves_the_call_open(cell: str, barred: bool) -> None:
    assert says_yes(cell) is barred


def test_an_id_in_scientific_notation_is_known_as_lost() -> None:
    assert is_damaged_id("7,75619E+13")
    assert not is_damaged_id("79181687900013")
    assert not is_damaged_id("0350122E")
