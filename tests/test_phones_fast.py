"""The quick ways of reading numbers say what the library says, for every region and spelling."""

import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crm.rules.phones import is_placeholder, normalise
from crm.rules.phones_cells import read_cell
from crm.rules.phones_plans import facts_of, library_facts, plan_facts, plan_of

COUNTRIES = ("FR", "BE", "CH", "LU", "DE", "ES", "IT", "GB", "US", "CA")
OVERSEAS = ("GP", "MQ", "GF", "RE", "PM", "YT", "BL", "MF", "WF", "PF", "NC")
REGIONS = COUNTRIES + OVERSEAS

PREFIXES = (
    "",
    "0",
    "00",
    "+",
    "1",
    "33",
    "+33",
    "0033",
    "+330",
    "+33 (0)",
    "0262",
    "0590",
    "+262",
    "+33 262",
    "+44",
    "0049",
)
SEPARATORS = ("", " ", ".", "-", "/", "\u00a0", "\u202f", "  ", " / ")


@st.composite
def beginnings(draw: st.DrawFn) -> str:
    """The digits of an assigned number of a region, cut anywhere."""
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(draw(st.sampled_from(REGIONS)))
    assert metadata is not None
    kinds = (metadata.fixed_line, metadata.mobile, metadata.toll_free, metadata.premium_rate, metadata.voip)
    examples = [kind.example_number for kind in kinds if kind is not None and kind.example_number]
    number = draw(st.sampled_from(examples))
    return str(number)[: draw(st.integers(1, len(number)))]


@st.composite
def digits(draw: st.DrawFn) -> str:
    """Digits that may be a number: an assigned one's beginning or nothing, and others behind, in all lengths."""
    return draw(beginnings() | st.just("")) + draw(st.text("0123456789", max_size=11))


@st.composite
def cells(draw: st.DrawFn) -> str:
    """Digits behind some prefix, cut by separators, sometimes with something before or behind."""
    before = draw(st.sampled_from(("", "", "", " ", "Tél. : ", "(", "\u202a")))
    behind = draw(st.sampled_from(("", "", "", " ", ".0", " poste 12", " (accueil)", "/35", ")")))
    separator = draw(st.sampled_from(SEPARATORS))
    size = draw(st.integers(1, 5))
    text = draw(digits())
    groups = separator.join(text[start : start + size] for start in range(0, len(text), size))
    return before + draw(st.sampled_from(PREFIXES)) + groups + behind


@given(cells(), st.sampled_from(REGIONS))
@example("06 39 98 12 34", "FR")
@example("+33 639 01 23 45", "FR")
@example("0 800 12 34 56", "FR")
@example("0806 12 34 56", "FR")
@example("04937 / 8485", "DE")
@settings(max_examples=2_000, deadline=None)
def test_a_cell_reads_the_same_by_the_quick_ways_and_by_the_library(cell: str, region: str) -> None:
    assert normalise(cell, region) == read_cell(cell, region, library_facts)


@given(digits(), st.sampled_from(PREFIXES[:5]), st.sampled_from((*REGIONS, "")))
@example("49378485", "0", "DE")
@settings(max_examples=1_500, deadline=None)
def test_a_plan_knows_what_the_library_knows_or_says_nothing(text: str, prefix: str, region: str) -> None:
    dialled = prefix.strip("+") + text
    quick, slow = plan_facts(dialled, region), library_facts(dialled, region)

    if quick is None:
        return
    if quick.is_possible:
        assert quick == slow
    else:
        assert slow is None or not slow.is_possible


@given(digits(), st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS)))
@settings(max_examples=800, deadline=None)
def test_every_region_of_the_world_has_a_plan_that_agrees(text: str, region: str) -> None:
    quick, slow = facts_of(text, region), library_facts(text, region)

    assert quick == slow or (
        quick is not None and not quick.is_possible and (slow is None or not slow.is_possible)
    )


@pytest.mark.parametrize("region", COUNTRIES)
def test_the_example_of_a_region_needs_no_library(region: str) -> None:
    example_number = phonenumbers.example_number(region)
    assert example_number is not None
    national = phonenumbers.national_significant_number(example_number)
    prefix = phonenumbers.ndd_prefix_for_region(region, True) or ""

    abroad = plan_facts(f"{example_number.country_code}{national}", "")
    at_home = plan_facts(prefix + national if region not in ("US", "CA") else national, region)

    assert abroad is not None
    assert abroad == at_home
    assert abroad.is_valid
    assert abroad.national == national


def test_a_region_that_does_not_exist_has_no_plan() -> None:
    assert plan_of("??") is None
    assert plan_facts("0199001234", "??") is None
    assert facts_of("0199001234", "??") is None


@pytest.mark.parametrize(
    "cell",
    [
        "0611111111",
        "06 12 34 56 78",
        "0123456789",
        "01 02 03 04 05",
        "06 06 06 06 06",
        "+33 6 00 00 00 00",
        "01 98 76 54 32",
        "01 22 33 44 55",
    ],
)
def test_a_number_that_stands_for_none_is_known(cell: str) -> None:
    (number,) = normalise(cell).numbers

    assert is_placeholder(number.number, cell)


@pytest.mark.parametrize("cell", ["0000000000", "00000 000000", "1234567890", "9999999", "xx 000000 xx"])
def test_what_stands_for_none_and_is_no_number_is_known_too(cell: str) -> None:
    assert normalise(cell).numbers == ()
    assert is_placeholder("", cell)


@pytest.mark.parametrize("cell", ["01 99 00 12 34", "06 39 98 12 12", "02 61 91 00 01", "+44 1632 960001"])
def test_an_ordinary_number_is_no_placeholder(cell: str) -> None:
    (number,) = normalise(cell).numbers

    assert not is_placeholder(number.number, cell)


@pytest.mark.parametrize("cell", ["", "112", "12/06/24", "01 99 00 12 3", "néant"])
def test_a_cell_without_a_number_is_not_taken_for_one_that_stands_for_none(cell: str) -> None:
    assert not is_placeholder("", cell)


@pytest.mark.parametrize(
    ("cell", "region"),
    [
        ("112", "US"),
        ("911", "FR"),
        ("999", "GB"),
        ("110", "DE"),
        ("11833", "DE"),
        ("144", "CH"),
        ("118", "IT"),
        ("15", "GP"),
        ("3631", "RE"),
        ("3631", "FR"),
        ("118 218", "FR"),
    ],
)
def test_short_and_emergency_numbers_are_refused_in_every_region(cell: str, region: str) -> None:
    parsed = normalise(cell, region)

    assert (parsed.numbers, parsed.reason) == ((), "short_number")


@pytest.mark.parametrize(
    ("cell", "region"),
    [("0899 12 34 56", "FR"), ("0820 12 34 56", "FR"), ("0909 8790000", "GB"), ("900 555 1234", "US")],
)
def test_numbers_that_cost_the_caller_are_refused_in_every_region(cell: str, region: str) -> None:
    parsed = normalise(cell, region)

    assert (parsed.numbers, parsed.reason) == ((), "premium_number")


def test_a_subscriber_s_number_may_be_as_short_as_a_short_one() -> None:
    assert [number.number for number in normalise("27 27 27", "NC").numbers] == ["+687272727"]
