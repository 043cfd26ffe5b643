"""A row of a file becomes a record: cleaned, completed, refused with its reason."""

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

    changed = {name for name in first.digests() if first.digests()[name] != second.digests()[name]}

    assert changed == {"phones"}
    assert "country" not in first.digests()
    assert "kind" not in first.digests()


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
