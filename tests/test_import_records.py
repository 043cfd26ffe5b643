"""A row of a file becomes a record: cleaned, completed, refused with its reason."""

import json
from datetime import date
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.rules.record_consent import Consent, read_moment
from campaigns.rules.records import Recipe, Record, Repairs, read_row
from campaigns.rules.tabular import Row

HEADERS = ("SIRET", "Nom", "NAF", "CP", "Tél", "Portable", "Stop", "Libellé")
TARGETS = (
    "external_id",
    "organisation",
    "sector",
    "postal_code",
    "phone",
    "phone",
    "opt_out",
    "attributes.libelle",
)


def read(*cells: str, region: str = "FR", targets: tuple[str, ...] = TARGETS) -> Record:
    return read_row(Row(2, cells), Recipe(HEADERS[: len(targets)], targets, region))


def digests(record: Record) -> dict[str, int]:
    return dict(json.loads(record.digests_json()))


def cleared(*cells: str, targets: tuple[str, ...] = TARGETS) -> Record:
    return read_row(Row(2, cells), Recipe(HEADERS[: len(targets)], targets, blank="clear"))


def test_a_row_fills_its_record() -> None:
    record = read(
        "79181687900013",
        " École  Noël\n(annexe) ",
        "64.19z",
        "1000",
        "199001234",
        "06 39 98 12 34",
        "non",
        "Banque",
    )

    assert record.reason == ""
    assert record.external_id == "79181687900013"
    assert record.columns["organisation"] == "École Noël (annexe)"
    assert (record.columns["sector"], record.columns["postal_code"]) == ("6419Z", "01000")
    assert (record.columns["country"], record.columns["kind"]) == ("FR", "organisation")
    assert record.columns["time_zone"] == "Europe/Paris"
    assert [number.number for number in record.numbers] == ["+33199001234", "+33639981234"]
    assert record.attributes == {"libelle": "Banque"}
    assert not record.opt_out


def test_accents_are_composed_and_invisible_characters_go() -> None:
    record = read(
        "1", "\u202eAme\u0301lie\u202c A\u200bl\u200dpha 👩\u200d💼", "", "", "0199001234", "", "", ""
    )

    assert record.columns["organisation"] == "Amélie Alpha 👩\u200d💼"


def test_an_overseas_postal_code_decides_region_and_time_zone() -> None:
    record = read("1", "CHU", "", "97405", "0262905050", "", "", "")

    assert record.numbers[0].number == "+262262905050"
    assert record.columns["time_zone"] == "Indian/Reunion"


def test_an_id_that_a_spreadsheet_rounded_names_nobody() -> None:
    record = read("7,75619E+13", "Alpha", "", "", "0199001234", "", "", "")

    assert record.external_id == ""
    assert record.attributes["external_id_damaged"] == "7,75619E+13"
    assert ("damaged_id", "7,75619E+13", "") in record.repairs


def test_the_reason_that_can_be_repaired_is_told_first() -> None:
    assert read("1", "A", "", "", "", "", "", "").reason == "no_number"
    assert read("1", "A", "", "", "15", "01 99 00 12 3", "", "").reason == "invalid_number"
    assert read("1", "A", "", "", "0899123456", "", "", "").reason == "premium_number"
    damaged = read("1", "A", "", "", "néant", "2,38123E+08", "", "")
    assert (damaged.reason, damaged.column, damaged.value) == (
        "damaged_by_spreadsheet",
        "Portable",
        "2,38123E+08",
    )
    assert read("1", "A", "", "", "Fax : 01 99 00 12 35", "", "", "").reason == "fax_only"


def test_one_good_number_is_enough() -> None:
    record = read("1", "A", "", "", "112", "0199001234", "", "")

    assert record.reason == ""
    assert [number.number for number in record.numbers] == ["+33199001234"]


def test_what_is_longer_than_its_column_is_kept_whole_beside_it() -> None:
    long = "é" * 300

    record = read("1", long, "", "", "0199001234", "", "", "")

    assert record.columns["organisation"] == long[:250]
    assert record.attributes["organisation_complet"] == long


def test_a_country_or_language_that_is_no_code_is_kept_as_an_attribute() -> None:
    targets = ("external_id", "organisation", "country", "language", "phone")

    known = read("1", "A", "Belgique", "Français", "+32 2 555 12 12", targets=targets)
    unknown = read("1", "A", "Atlantide", "klingon ancien", "0199001234", targets=targets)

    assert (known.columns["country"], known.columns["language"]) == ("BE", "fr")
    assert unknown.columns["country"] == "FR"
    assert unknown.attributes == {"country": "Atlantide", "language": "klingon ancien"}


def test_a_name_without_organisation_is_a_person() -> None:
    record = read("1", "Dupont", "0199001234", targets=("external_id", "last_name", "phone"))

    assert record.columns["kind"] == "person"


def test_checksums_tell_a_changed_value_and_leave_out_what_was_only_assumed() -> None:
    first, second = (
        read("1", "Alpha", "", "", "0199001234", "", "", "x"),
        read("1", "Alpha", "", "", "0199001235", "", "", "x"),
    )

    changed = {name for name in digests(first) if digests(first)[name] != digests(second)[name]}

    assert changed == {"phones"}
    assert "country" not in digests(first)
    assert "kind" not in digests(first)


def test_repairs_are_counted_with_examples_and_go_on_after_a_stop() -> None:
    repairs = Repairs()
    for cell in ("199001234", "199001235"):
        repairs.add(read("1", "A", "", "", cell, "", "", ""))

    resumed = Repairs()
    resumed.add_stored(repairs.as_json())
    resumed.add(read("1", "A", "", "", "199001236", "", "", ""))

    assert resumed.as_json()["leading_zero"]["count"] == 3
    assert resumed.as_json()["leading_zero"]["examples"] == [
        ["199001234", "+33199001234"],
        ["199001235", "+33199001235"],
        ["199001236", "+33199001236"],
    ]


def test_a_blank_cell_is_a_value_where_the_recipe_says_so() -> None:
    cells = ("1", "", "6419Z", " \u200b", "0199001234", "", "", "")

    kept, emptied = read(*cells), cleared(*cells)

    assert kept.cleared == ()
    assert 0 not in digests(kept).values()
    assert {name for name, digest in digests(emptied).items() if digest == 0} == {
        "organisation",
        "postal_code",
        "attributes.libelle",
    }
    assert digests(emptied)["sector"] == digests(kept)["sector"]
    assert emptied.columns == kept.columns


def test_notes_are_cleared_when_all_their_columns_are_blank() -> None:
    targets = ("note", "note", "phone")

    assert cleared("", "", "0199001234", targets=targets).cleared == ("attributes.note",)
    assert cleared("", "rappeler", "0199001234", targets=targets).cleared == ()


def test_a_blank_country_clears_nothing_because_it_is_worked_out() -> None:
    record = cleared("", "", "0199001234", targets=("country", "kind", "phone"))

    assert record.cleared == ()
    assert record.columns["country"] == "FR"


def test_the_checksum_of_a_text_is_never_taken_for_a_blank() -> None:
    assert crc32(b"achdptmb") == 0

    assert digests(read("1", "achdptmb", "", "", "0199001234", "", "", "achdptmb"))["organisation"] == 1


def test_a_number_that_stands_for_none_is_flagged_whether_it_can_be_called_or_not() -> None:
    def placeholder(cell: str) -> tuple[bool, str]:
        record = read("1", "A", "", "", cell, "", "", "")
        return record.placeholder, record.reason

    assert placeholder("06 11 11 11 11") == (True, "")
    assert placeholder("0000000000") == (True, "no_number")
    assert placeholder("1234567890") == (True, "invalid_number")
    assert placeholder("01 99 00 12 34") == (False, "")


def test_a_record_tells_the_quality_of_its_numbers() -> None:
    good = read("1", "A", "", "", "0199001234", "", "", "")
    guessed = read("1", "A", "", "", "639981234", "", "", "")
    fax = read("1", "A", "", "", "Fax 01 99 00 12 34", "", "", "")

    def quality(record: Record) -> tuple[bool, bool, bool]:
        return record.has_valid_number, record.has_possible_number, record.was_repaired

    assert quality(good) == (True, False, False)
    assert quality(guessed) == (False, True, True)
    assert quality(fax)[:2] == (False, False)


def test_a_row_in_another_encoding_than_its_file_is_told_with_its_first_foreign_cell() -> None:
    row = Row(2, ("1", "École", "Été", "", "0199001234", "", "", ""), foreign=True)

    record = read_row(row, Recipe(HEADERS, TARGETS))

    assert record.repairs == [("other_encoding", "École", "École")]
    assert record.reason == ""


def test_a_row_that_another_delimiter_cut_is_told_as_it_came() -> None:
    cells = ("1", "Banque, Une", "", "", "0199001234", "", "", "")

    record = read_row(Row(2, cells, recut="|"), Recipe(HEADERS, TARGETS))

    assert record.external_id == "1"
    assert record.repairs == [
        ("other_delimiter", "1|Banque, Une|||0199001234|||", "1 | Banque, Une |  |  | 0199001234 |  |  | ")
    ]


CONSENT_TARGETS = ("phone", "consent", "consent_at", "consent_until", "consent_channel", "consent_text")


def consent(*cells: str) -> tuple[Consent | None, list[str]]:
    recipe = Recipe(tuple("abcdef"), CONSENT_TARGETS, today=date(2026, 3, 1))
    record = read_row(Row(2, ("0199001234", *cells)), recipe)
    return record.consent, [code for code, _, _ in record.repairs]


def test_consent_columns_become_a_consent() -> None:
    said, repairs = consent("Oui", "03/02/2026 14:30", "2027-02-03", "formulaire", "J'accepte d'être appelé")

    assert said == {
        "given": True,
        "at": "2026-02-03T14:30:00",
        "until": "2027-02-03",
        "channel": "formulaire",
        "text": "J'accepte d'être appelé",
    }
    assert repairs == []


def test_blank_consent_columns_say_nothing() -> None:
    assert consent("", " ", "", "", "") == (None, [])


@pytest.mark.parametrize(
    ("cell", "given"),
    [
        ("oui", True),
        ("X", True),
        ("1", True),
        ("Non", False),
        ("0", False),
        ("opt-out", False),
        ("peut-être", None),
    ],
)
def test_a_cell_of_consent_says_yes_no_or_nothing(cell: str, given: bool | None) -> None:
    said, _ = consent(cell, "", "", "", "")

    assert said is not None
    assert said["given"] is given


@pytest.mark.parametrize(
    "cell", ["31/02/2025", "hier", "02/03/2026", "2031-01-01", "01/01/1900", "12", "2025-13-01"]
)
def test_a_date_of_consent_that_cannot_be_or_is_still_to_come_is_left_out_and_told(cell: str) -> None:
    said, repairs = consent("oui", cell, "", "", "")

    assert said is not None
    assert said["at"] == ""
    assert repairs == ["consent_date_unreadable"]


@pytest.mark.parametrize(
    ("cell", "iso"),
    [
        ("2025-04-03", "2025-04-03"),
        ("2025-04-03 08:05:09", "2025-04-03T08:05:09"),
        ("2025-04-03T08:05:09Z", "2025-04-03T08:05:09+00:00"),
        ("2025-04-03T00:00:00.000", "2025-04-03T00:00:00"),
        ("03/04/2025", "2025-04-03"),
        ("3/4/25", "2025-04-03"),
        ("03.04.2025 à 8h05", "2025-04-03T08:05:00"),
        ("03-04-2025 8:05:09", "2025-04-03T08:05:09"),
    ],
)
def test_dates_are_read_as_programs_and_as_people_in_france_write_them(cell: str, iso: str) -> None:
    moment = read_moment(cell)

    assert moment is not None
    assert moment.isoformat() == iso


def test_the_json_of_a_record_is_what_its_fields_hold() -> None:
    record = cleared("1", "A", "", "", "0199001234", "", "", 'dit "oui"\\\n\u2028 é\t')

    assert json.loads(record.attributes_json()) == record.attributes
    assert digests(record).keys() >= {f"attributes.{name}" for name in record.attributes}


ALL_TARGETS = (*TARGETS, "country", "language", "kind", "note", "ignore", *CONSENT_TARGETS)


@given(
    st.lists(
        st.text(max_size=40)
        | st.sampled_from(["0199001234", "FR", "6419Z", "\ud800", "e\u0301", "1E5", "٣"]),
        max_size=24,
    ),
    st.permutations(ALL_TARGETS),
    st.sampled_from(["FR", "RE", "US", "GB"]),
    st.sampled_from(["keep", "clear"]),
    st.booleans(),
)
@settings(max_examples=400, deadline=None)
def test_any_cells_whatever_give_a_record(
    cells: list[str], targets: list[str], region: str, blank: str, foreign: bool
) -> None:
    headers = tuple(f"Colonne {position}" for position in range(len(targets)))
    recipe = Recipe(
        headers, tuple(targets), region, "clear" if blank == "clear" else "keep", date(2026, 3, 1)
    )

    record = read_row(Row(2, tuple(cells), foreign=foreign), recipe)

    assert bool(record.reason) == (not record.has_valid_number and not record.has_possible_number)
    assert json.loads(record.attributes_json()) == record.attributes
    assert digests(record).keys() >= {f"attributes.{name}" for name in record.attributes}
    assert set(record.cleared).isdisjoint(name for name, value in record.columns.items() if value)


@given(st.lists(st.text(max_size=12), min_size=2, max_size=2))
@settings(max_examples=300)
def test_a_row_is_cleaned_alike_whatever_stands_beside_a_cell(cells: list[str]) -> None:
    targets = ("organisation", "city", "phone")
    beside = ("é", "  ", "\n", "a\u0301", "\u200b", "x")

    found = {
        read(cells[0], other, "0199001234", targets=targets).columns.get("organisation") for other in beside
    }

    assert len(found) == 1
