"""Columns find their fields by their names, whatever the spelling, and by what they hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.rules.answers import consent_given, refuses_call, says_yes
from campaigns.rules.headers import KNOWN_OTHERS, SYNONYMS, TARGETS, fold
from campaigns.rules.mapping import (
    REPEATABLE,
    UnknownColumn,
    UnknownField,
    attribute_of,
    explicit_mapping,
    guess_mapping,
    is_damaged_id,
)
from campaigns.rules.records import Recipe, Record, read_row
from campaigns.rules.tabular import Row


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
        ("Consentement", "Oui", "consent"),
        ("Opt-in", "1", "consent"),
        ("Consentement", "03/06/2026", "consent_at"),
        ("Accord de prospection", "oui", "consent"),
        ("Date du consentement", "03/06/2026 14:05", "consent_at"),
        ("Consent date", "2026-06-03", "consent_at"),
        ("Consentement valable jusqu'au", "03/06/2027", "consent_until"),
        ("Canal du consentement", "formulaire", "consent_channel"),
        ("Texte du consentement", "J'accepte d'être appelé", "consent_text"),
        ("Peut être appelé(e)", "Non", "may_call"),
        ("Démarchage autorisé", "oui", "may_call"),
        ("Call allowed", "no", "may_call"),
        ("Opt-out", "False", "opt_out"),
        ("Opt-in e-mail", "oui", "attributes.opt_in_e_mail"),
        ("Consentement SMS", "oui", "attributes.consentement_sms"),
        ("Marketing consent", "yes", "attributes.marketing_consent"),
        ("Tél. du siège social", "0199001234", "phone"),
        ("Tel1", "0199001234", "phone"),
        ("Date du dernier e-mail", "03/06/2026", "attributes.date_du_dernier_e_mail"),
        ("Opérateur mobile", "Alpha Télécom", "attributes.operateur_mobile"),
        ("Code commune", "35016", "attributes.code_commune"),
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
    (guess,) = guess_mapping(["Colonne 1"], [["010000024"], ["970102018"], ["970100400"]])

    assert (guess.target, guess.confidence) == ("external_id", 0.4)
    assert targets(["Codes"], ["356000000"], ["552081317"], ["732829320"]) == ["attributes.codes"]


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


@pytest.mark.parametrize(
    ("cell", "barred"),
    [
        ("non", True),
        ("N", True),
        ("0", True),
        ("False", True),
        ("Non, plus jamais", True),
        ("refuse tout appel", True),
        ("ne pas appeler", True),
        ("Opt-out", True),
        ("", False),
        ("oui", False),
        ("1", False),
        ("à voir", False),
        ("non renseigné", False),
    ],
)
def test_of_may_be_called_only_a_clear_no_bars(cell: str, barred: bool) -> None:
    assert refuses_call(cell) is barred


@pytest.mark.parametrize(
    ("cell", "given"),
    [
        ("oui", True),
        ("Accepté", True),
        ("opt-in", True),
        ("non", False),
        ("retiré le 03/06/2026", False),
        ("", None),
        ("peut-être", None),
        ("non renseigné", None),
    ],
)
def test_a_cell_of_consent_says_yes_no_or_nothing(cell: str, given: bool | None) -> None:
    assert consent_given(cell) is given


def test_who_is_not_on_the_list_of_objections_may_be_called() -> None:
    assert not says_yes("Non inscrit")
    assert says_yes("inscrit")


def test_every_column_of_objections_is_heard() -> None:
    found = targets(["Opposition", "Bloctel", "Appel autorisé"], ["non", "oui", "non"])

    assert found == ["opt_out", "opt_out", "may_call"]


def test_a_column_of_answers_that_holds_something_else_is_kept_as_an_attribute() -> None:
    found = targets(["Opposition", "Date du consentement"], ["Beta SARL", "formulaire"], ["Alpha SA", "web"])

    assert found == ["attributes.opposition", "attributes.date_du_consentement"]


def test_what_a_supplier_s_headers_meant_before_outranks_the_guess() -> None:
    headers = ["Libellé", "TEL", "Réf."]
    remembered = {"libelle": "organisation", "tel": "ignore", "ref": "attributes.dossier"}

    guesses = guess_mapping(headers, [["Alpha", "0199001234", "12"]], "FR", remembered)

    assert [(guess.target, guess.confidence, guess.origin) for guess in guesses] == [
        ("organisation", 1.0, "remembered"),
        ("ignore", 1.0, "remembered"),
        ("attributes.dossier", 1.0, "remembered"),
    ]


def test_a_remembered_column_takes_its_field_from_a_better_name() -> None:
    guesses = guess_mapping(
        ["Raison sociale", "Enseigne"], [["Alpha", "MIFA"]], "FR", {"enseigne": "organisation"}
    )

    assert [guess.target for guess in guesses] == ["attributes.raison_sociale", "organisation"]


def test_a_chosen_template_outranks_what_is_remembered() -> None:
    (guess,) = guess_mapping(["Tel"], [["0199001234"]], "FR", {"Tel": "ignore"}, {"Tél": "phone"})

    assert (guess.target, guess.origin) == ("phone", "template")


def test_memory_of_a_column_without_a_name_gives_way_to_what_it_holds_now() -> None:
    remembered = {"Colonne 1": "phone", "Colonne 2": "organisation"}

    guesses = guess_mapping(
        ["Colonne 1", "Colonne 2"],
        [["Alpha SARL", "0199001234"], ["Beta SARL", "0261910010"]],
        "FR",
        remembered,
    )

    assert [(guess.target, guess.origin) for guess in guesses] == [
        ("organisation", "values"),
        ("phone", "values"),
    ]


def test_a_remembered_field_that_is_no_more_is_forgotten() -> None:
    (guess,) = guess_mapping(["Tel"], [["0199001234"]], "FR", {"Tel": "telegramme"})

    assert (guess.target, guess.origin) == ("phone", "header")


def test_a_guess_says_what_it_rests_on() -> None:
    guesses = guess_mapping(["Tél", "Colonne 2", "Humeur"], [["0199001234", "6419Z", "bonne"]])

    assert [guess.origin for guess in guesses] == ["header", "values", "none"]


def test_doubtful_columns_say_so() -> None:
    def confidence(header: str, *values: str) -> float:
        return guess_mapping([header], [[value] for value in values])[0].confidence

    assert confidence("Contact", "Zoé Lefèvre") < 1.0
    assert confidence("Téléphone", "voir dossier 2024", "à trouver", "0199001234") <= 0.6
    assert confidence("SIRET", "7,75619E+13", "2,601E+13") == 0.3
    assert confidence("Ville") == 0.8


def test_of_two_nameless_columns_of_numbers_the_second_is_doubtful() -> None:
    guesses = guess_mapping(["Colonne 1", "Colonne 2"], [["0199001234", "0199001235"]])

    assert [(guess.target, guess.confidence) for guess in guesses] == [("phone", 0.8), ("phone", 0.5)]


def test_a_nameless_file_is_read_by_what_stands_beside_what() -> None:
    headers = [f"Colonne {position}" for position in range(1, 6)]
    rows = [
        ["A-0042", "12 rue Haute", "57000", "Metz", "0199001234"],
        ["A-0107", "3 rue Basse", "35000", "Rennes", "0261910010"],
        ["A-0111", "8 quai Neuf", "13000", "Marseille", "0353010011"],
    ]

    assert targets(headers, *rows) == ["external_id", "address", "postal_code", "city", "phone"]


def test_the_second_line_of_a_header_names_its_columns() -> None:
    rows = [["Fixe", "Mobile", "Fax"], ["0199001234", "639980002", "0199001235"]]

    guesses = guess_mapping(["Téléphones", "Colonne 2", "Colonne 3"], rows)

    assert [(guess.target, guess.confidence) for guess in guesses[:2]] == [("phone", 1.0), ("phone", 0.6)]


def test_counting_lines_is_no_id() -> None:
    rows = [[str(10_000 + count), f"01990012{count:02d}"] for count in range(5)]

    assert targets(["Colonne 1", "Colonne 2"], *rows) == ["attributes.colonne_1", "phone"]


def test_a_lead_file_of_vicidial_is_known_by_its_order() -> None:
    row = (
        "9001|1|9|33|0199001234|M|Zoé|Q|Nuñez|1 rue A|||Metz|||57000|FRA"
        "|F|1970-01-01|0199001235|z@exemple.invalid||rien"
    )
    headers = [f"Colonne {position}" for position in range(1, 24)]

    found = targets(headers, row.split("|"))

    assert [found[index] for index in (4, 5, 6, 8, 12, 15, 19, 20, 22)] == [
        "phone",
        "civility",
        "first_name",
        "last_name",
        "city",
        "postal_code",
        "phone",
        "email",
        "note",
    ]


def read(**cells: str) -> Record:
    """A row whose columns are named by their targets, with a number that can be called."""
    targets = ("phone", *cells)
    return read_row(Row(2, ("0199001234", *cells.values())), Recipe(targets, targets))


def test_either_way_of_objecting_bars_whatever_the_other_column_says() -> None:
    assert read(opt_out="oui", may_call="oui").opt_out
    assert read(opt_out="non", may_call="non").opt_out
    assert not read(opt_out="non", may_call="oui").opt_out
    assert not read(opt_out="", may_call="").opt_out


def test_the_date_of_a_consent_tells_that_it_was_given_unless_the_file_says_so_elsewhere() -> None:
    dated, blank = read(consent_at="03/06/2026 14:05"), read(consent_at="03/06/2026", consent="")
    refused = read(consent="non", consent_at="03/06/2026")

    assert [record.consent and record.consent["given"] for record in (dated, blank, refused)] == [
        True,
        None,
        False,
    ]


def test_the_name_of_a_sector_is_not_its_code() -> None:
    assert targets(["Secteur"], ["Banque et assurance"]) == ["attributes.secteur"]
    assert targets(["Secteur"], ["64"]) == ["sector"]


def test_every_synonym_is_written_as_headers_are_compared_and_names_one_field() -> None:
    names = [name for synonyms in SYNONYMS.values() for name in synonyms] + list(KNOWN_OTHERS)

    assert [name for name in names if fold(name) != name] == []
    assert len(names) == len(set(names))
    assert set(SYNONYMS) <= set(TARGETS)


@given(
    st.lists(st.text(max_size=30), min_size=1, max_size=8, unique=True),
    st.lists(st.lists(st.text(max_size=40), min_size=8, max_size=8), max_size=6),
)
def test_any_file_gets_a_mapping_with_each_field_once(headers: list[str], rows: list[list[str]]) -> None:
    found = targets(headers, *rows)

    single = [target for target in found if target not in REPEATABLE and target != "ignore"]
    assert len(found) == len(headers)
    assert len(single) == len(set(single))
