"""What a cell of a file becomes: numbers in E.164, repairs that are said, refusals with their reason."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.rules import phones_cells
from crm.rules.phones import normalise, region_for, search_forms, time_zone_for
from crm.rules.phones_plans import library_facts


def numbers(cell: str, region: str = "FR") -> list[str]:
    return [number.number for number in normalise(cell, region).numbers]


@pytest.mark.parametrize(
    ("cell", "repair"),
    [
        ("0199001234", ""),
        ("01 99 00 12 34", ""),
        ("01.99.00.12.34", "separators"),
        ("01-99-00-12-34", "separators"),
        ("01/99/00/12/34", "separators"),
        ("(01) 99 00 12 34", "separators"),
        ("199001234", "leading_zero"),
        ("1 99 00 12 34", "leading_zero"),
        ("199001234.0", "decimal"),
        ("1,99001234E+08", "scientific_notation"),
        ("3.3199001234E+10", "scientific_notation"),
        ("33199001234", "missing_plus"),
        ("0033199001234", "double_zero"),
        ("0033 (0)1 99 00 12 34", "trunk_zero"),
        ("+33 (0)1 99 00 12 34", "trunk_zero"),
        ("+330199001234", "trunk_zero"),
        ("01\u00a099\u00a000\u00a012\u00a034", "exotic_space"),
        ("01\u202f99\u202f00\u202f12\u202f34", "exotic_space"),
        ("\u202e0199001234\u202c", "invisible_characters"),
        ("01\u200b99001234", "invisible_characters"),
        ("'0199001234", "apostrophe"),
        ('="0199001234"', "spreadsheet_text"),
        ("０１９９００１２３４", "foreign_digits"),
        ("O1 99 00 12 34", "letter_for_digit"),
        ("Tél. : 01 99 00 12 34", "words"),
    ],
)
def test_every_spelling_of_a_number_is_the_same_number(cell: str, repair: str) -> None:
    parsed = normalise(cell)

    assert [number.number for number in parsed.numbers] == ["+33199001234"]
    assert parsed.reason == ""
    assert repair in parsed.repairs if repair else parsed.repairs == ()


@pytest.mark.parametrize(
    "cell",
    [
        "01 99 00 12 34 / 06 39 98 12 34",
        "01.99.00.12.34/06.39.98.12.34",
        "0199001234  0639981234",
        "0199001234;0639981234",
        "0199001234\n0639981234",
        "01 99 00 12 34 ou 06 39 98 12 34",
        "01990012340639981234",
        "0199001234 0639981234",
    ],
)
def test_several_numbers_in_one_cell_are_all_kept_in_their_order(cell: str) -> None:
    parsed = normalise(cell)

    assert [number.number for number in parsed.numbers] == ["+33199001234", "+33639981234"]
    assert "several_numbers" in parsed.repairs


def test_words_before_and_behind_a_number_become_its_note() -> None:
    labelled = normalise("Semaine: 0199001234 Week-end: 0353011234")
    followed = normalise("01 99 00 12 34 Mme Dupont (accueil)")
    hours = normalise("01 99 00 12 34 de 9h à 12h")

    assert [number.note for number in labelled.numbers] == ["Semaine", "Week-end"]
    assert followed.numbers[0].note == "Mme Dupont (accueil)"
    assert hours.numbers[0].note == "de 9 h à 12 h"


@pytest.mark.parametrize(
    "cell", ["01 99 00 12 34 poste 12", "0199001234 ext. 12", "0199001234 x12", "tel:+33199001234;ext=12"]
)
def test_an_extension_is_kept_beside_the_number(cell: str) -> None:
    (number,) = normalise(cell).numbers

    assert (number.number, number.extension) == ("+33199001234", "12")


def test_a_fax_is_told_from_a_telephone() -> None:
    parsed = normalise("Tél 01 99 00 12 34 Fax 01 99 00 12 35")

    assert [(number.number, number.kind) for number in parsed.numbers] == [
        ("+33199001234", "landline"),
        ("+33199001235", "fax"),
    ]


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("", "no_number"),
        ("  \u00a0", "no_number"),
        ("néant", "no_number"),
        ("contact12345678@exemple.invalid", "no_number"),
        ("0000000000", "no_number"),
        ("01 99 00 12 3", "invalid_number"),
        ("026191012", "invalid_number"),
        ("12/06/24", "invalid_number"),
        ("112", "short_number"),
        ("15", "short_number"),
        ("3949", "short_number"),
        ("118218", "short_number"),
        ("0899123456", "premium_number"),
        ("08 10 12 34 56", "premium_number"),
        ("3,3E+10", "damaged_by_spreadsheet"),
        ("2,601E+13", "damaged_by_spreadsheet"),
        ("#######", "damaged_by_spreadsheet"),
    ],
)
def test_what_cannot_be_called_is_refused_with_its_reason(cell: str, reason: str) -> None:
    parsed = normalise(cell)

    assert parsed.numbers == ()
    assert parsed.reason == reason


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("0262905050", "+262262905050"),
        ("0269665008", "+262269665008"),
        ("0590276027", "+590590276027"),
        ("0594395050", "+594594395050"),
        ("0596748677", "+596596748677"),
        ("+33 262 90 50 50", "+262262905050"),
    ],
)
def test_overseas_numbers_get_their_own_country_code(cell: str, expected: str) -> None:
    assert numbers(cell) == [expected]
    assert "overseas" in normalise(cell).repairs


def test_a_region_reads_its_own_national_numbers() -> None:
    assert numbers("(334) 793-8701", "US") == ["+13347938701"]
    assert numbers("01483 782500", "GB") == ["+441483782500"]
    assert numbers("27 27 27", "NC") == ["+687272727"]
    assert numbers("01 99 00 12 34", "GP") == ["+33199001234"]


def test_numbers_kept_for_fiction_are_only_possible() -> None:
    (mobile,) = normalise("06 39 98 12 34").numbers
    (landline,) = normalise("01 99 00 12 34").numbers

    assert (mobile.validity, mobile.kind) == ("possible", "mobile")
    assert (landline.validity, landline.kind) == ("valid", "landline")


def test_the_uncertain_second_half_of_a_shared_beginning_is_not_guessed() -> None:
    parsed = normalise("01 99 00 12 34/35")

    assert [number.number for number in parsed.numbers] == ["+33199001234"]
    assert parsed.refused[0].raw == "35"


@given(st.text(max_size=60), st.sampled_from(["FR", "GP", "US", "GB", "NC", "DE", "", "??"]))
def test_no_text_whatever_makes_it_fail(text: str, region: str) -> None:
    parsed = normalise(text, region)

    assert bool(parsed.numbers) == (parsed.reason == "")


@given(st.text(alphabet="0123456789+ ()./-OoeE,", max_size=30), st.sampled_from(["FR", "RE", "US", "GB"]))
@settings(max_examples=300)
def test_a_result_reads_as_itself(text: str, region: str) -> None:
    for number in normalise(text, region).numbers:
        assert numbers(number.number, region) == [number.number]
        assert numbers(number.number, "FR") == [number.number]


@given(
    st.sampled_from(["0", "", "+33", "+33 "]),
    st.from_regex(r"[1-9]( ?\d\d){4}|[1-9](\.\d\d){4}|[1-9](\u00a0\d\d){4}|[1-9](-\d\d){4}", fullmatch=True),
)
@settings(max_examples=500)
def test_the_quick_way_says_what_the_library_says(prefix: str, rest: str) -> None:
    quick = normalise(prefix + rest)
    slow = phones_cells.read_cell(prefix + rest, "FR", library_facts)

    assert [(number.number, number.kind, number.validity) for number in quick.numbers] == [
        (number.number, number.kind, number.validity) for number in slow.numbers
    ]
    assert (set(quick.repairs), quick.reason) == (set(slow.repairs), slow.reason)


@pytest.mark.parametrize(
    ("number", "postal_code", "country", "zone"),
    [
        ("+33199001234", "", "", "Europe/Paris"),
        ("+33639981234", "97410", "", "Indian/Reunion"),
        ("+33639981234", "98800", "FR", "Pacific/Noumea"),
        ("+262262905050", "", "", "Indian/Reunion"),
        ("+262269665008", "", "", "Indian/Mayotte"),
        ("+262639012345", "", "", "Indian/Mayotte"),
        ("+590590276027", "", "", "America/Guadeloupe"),
        ("+594594395050", "35000", "", "America/Cayenne"),
        ("+596596748677", "", "", "America/Martinique"),
        ("+508410000", "", "", "America/Miquelon"),
        ("+687272727", "", "", "Pacific/Noumea"),
        ("+68940412345", "", "", "Pacific/Tahiti"),
        ("+681721234", "", "", "Pacific/Wallis"),
        ("+442079460958", "", "GB", "Europe/London"),
        ("+12125550123", "10001", "US", "America/New_York"),
        ("+18005550123", "", "US", ""),
        ("", "75001", "FR", "Europe/Paris"),
        ("", "", "", ""),
        ("nonsense", "", "", ""),
    ],
)
def test_the_time_zone_is_the_called_party_s(number: str, postal_code: str, country: str, zone: str) -> None:
    assert time_zone_for(number, postal_code, country) == zone


def test_the_postal_code_says_in_which_region_a_number_was_written() -> None:
    assert region_for("97410", "FR") == "RE"
    assert region_for("98800") == "NC"
    assert region_for("35000", "FR") == "FR"
    assert region_for("97201", "US") == "US"
    assert region_for("", "", "GB") == "GB"


@pytest.mark.parametrize(
    "typed",
    ["01 99 00 12 34", "199001234", "+33199001234", "0033 1 99 00 12 34", "33199001234", "01.99.00.12.34"],
)
def test_a_search_finds_a_number_in_any_spelling(typed: str) -> None:
    assert "+33199001234" in search_forms(typed)


def test_a_search_for_a_name_is_no_search_for_a_number() -> None:
    assert search_forms("Dupont 12") == ()
