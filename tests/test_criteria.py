"""Criteria: one predicate in three parts, however the file is written."""

from typing import Any

import pytest

from campaigns.enums import EntryState, Operator
from campaigns.models import Criterion
from campaigns.selectors import judged
from campaigns.selectors.criteria import compile_criterion, counts
from campaigns.selectors.judged import criteria_counted
from campaigns.services.entries import add_prospects
from crm.models import Prospect
from crm.rules.errors import Invalid
from tests.factories import (
    NOW,
    make_campaign,
    make_criterion,
    make_entry,
    make_programme,
    make_prospect,
    make_source,
)

pytestmark = pytest.mark.django_db


def said_of(prospect: Prospect, field: str, operator: str, value: object = None) -> str:
    """Return the one part that the prospect is in."""
    part = compile_criterion(Criterion(field=field, operator=operator, value=value))
    found = [
        name
        for name in ("matches", "contradicts", "unknown")
        if Prospect.objects.filter(getattr(part, name), pk=prospect.pk).exists()
    ]
    assert len(found) == 1
    return found[0]


SECTORS = [
    ("64.19Z", "64", "matches"),
    ("6419Z", "64.19", "matches"),
    ("64 19 z", "6419Z", "matches"),
    ("10.71C", "64", "contradicts"),
    ("06.4", "64", "contradicts"),
    ("", "64", "unknown"),
    ("  ", "64", "unknown"),
    (".-", "64", "unknown"),
]


@pytest.mark.parametrize(("stored", "value", "part"), SECTORS)
def test_a_sector_is_compared_without_its_punctuation(stored: str, value: str, part: str) -> None:
    prospect = make_prospect(sector=stored)

    assert said_of(prospect, "sector", Operator.STARTS_WITH, value) == part


TEXTS = [
    (Operator.EQUALS, "Crédit  Agricole", "credit agricole", "matches"),
    (Operator.EQUALS, "CRÉDIT AGRICOLE", "Crédit agricole", "matches"),
    (Operator.EQUALS, "Cre\u0301dit Agricole", "crédit\u00a0agricole", "matches"),
    (Operator.EQUALS, "Crédit Agricole Bretagne", "crédit agricole", "contradicts"),
    (Operator.EQUALS, "", "crédit agricole", "unknown"),
    (Operator.IN, "Société générale", ["BNP", "societe generale"], "matches"),
    (Operator.IN, "La Banque postale", ["BNP", "societe generale"], "contradicts"),
    (Operator.STARTS_WITH, "Banque de l'Ouest", "banque ", "matches"),
    (Operator.CONTAINS, "La banque 100% locale", "100%", "matches"),
    (Operator.CONTAINS, "La banque 1000 locale", "100%", "contradicts"),
    (Operator.CONTAINS, "a_b", "a_b", "matches"),
    (Operator.CONTAINS, "axb", "a_b", "contradicts"),
    (Operator.CONTAINS, "banque", "b.*e", "contradicts"),
    (Operator.CONTAINS, "b.*e (x|y)", ".*e (x|y)", "matches"),
    (Operator.CONTAINS, "L'Épargne", "'; DROP TABLE crm_prospect; --", "contradicts"),
    (Operator.CONTAINS, "{0} %s %(x)s \\u0041", "%s %(x)s \\u0041", "matches"),
    (Operator.IS_SET, "x", None, "matches"),
    (Operator.IS_SET, "   ", None, "unknown"),
    (Operator.BETWEEN, "Martin", ["Abel", "Nora"], "matches"),
    (Operator.BETWEEN, "Zoé", ["Abel", "Nora"], "contradicts"),
]


@pytest.mark.parametrize(("operator", "stored", "value", "part"), TEXTS)
def test_words_are_compared_as_people_read_them_and_never_as_patterns(
    operator: str, stored: str, value: object, part: str
) -> None:
    prospect = make_prospect(organisation=stored)

    assert said_of(prospect, "organisation", operator, value) == part


ATTRIBUTES = [
    ({"effectif": 12}, Operator.BETWEEN, ["10", "250"], "matches"),
    ({"effectif": "9"}, Operator.BETWEEN, ["10", "250"], "contradicts"),
    ({"effectif": "1 200"}, Operator.BETWEEN, ["10", None], "matches"),
    ({"effectif": "12,5"}, Operator.BETWEEN, [None, "12.4"], "contradicts"),
    ({"effectif": "une dizaine"}, Operator.BETWEEN, ["10", "250"], "unknown"),
    ({"effectif": ""}, Operator.BETWEEN, ["10", "250"], "unknown"),
    ({"effectif": None}, Operator.EQUALS, "12", "unknown"),
    ({}, Operator.BETWEEN, ["10", "250"], "unknown"),
    ({"effectif": "1" * 40}, Operator.BETWEEN, ["10", "250"], "unknown"),
    ({"effectif": 12}, Operator.EQUALS, "12", "matches"),
    ({"effectif": True}, Operator.EQUALS, "true", "matches"),
    ({"effectif": "2024-03-01"}, Operator.BETWEEN, ["2024-01-01", "31/12/2024"], "matches"),
    ({"effectif": "15/06/2023"}, Operator.BETWEEN, ["2024-01-01", "2024-12-31"], "contradicts"),
    ({"effectif": "mars"}, Operator.BETWEEN, ["2024-01-01", "2024-12-31"], "unknown"),
]


@pytest.mark.parametrize(("attributes", "operator", "value", "part"), ATTRIBUTES)
def test_attributes_are_read_as_numbers_dates_or_words(
    attributes: dict[str, object], operator: str, value: object, part: str
) -> None:
    prospect = make_prospect(attributes=attributes)

    assert said_of(prospect, "attributes.effectif", operator, value) == part


@pytest.mark.parametrize("key", ["2024", "a.b", "l'effectif", 'a"b', "%s", "é è", "{x}"])
def test_any_key_of_a_file_can_be_asked(key: str) -> None:
    prospect = make_prospect(attributes={key: "oui"})

    assert said_of(prospect, f"attributes.{key}", Operator.EQUALS, "OUI") == "matches"


POSTAL_CODES = [
    ("35 000", "matches"),
    ("37999", "matches"),
    ("38000", "contradicts"),
    ("34999", "contradicts"),
]


@pytest.mark.parametrize(("stored", "part"), POSTAL_CODES)
def test_a_code_is_between_its_beginnings(stored: str, part: str) -> None:
    prospect = make_prospect(postal_code=stored)

    assert said_of(prospect, "postal_code", Operator.BETWEEN, ["35", "37"]) == part


IMPOSSIBLE: list[tuple[str, str, Any, str]] = [
    ("siren", Operator.EQUALS, "1", "field"),
    ("attributes", Operator.EQUALS, "1", "field"),
    ("attributes.", Operator.EQUALS, "1", "field"),
    ("attributes.\x00", Operator.EQUALS, "1", "field"),
    ("phones__number", Operator.EQUALS, "1", "field"),
    ("id", Operator.EQUALS, "1", "field"),
    ("city", "regex", ".*", "operator"),
    ("city", Operator.EQUALS, "", "value"),
    ("city", Operator.EQUALS, ["a"], "value"),
    ("city", Operator.EQUALS, None, "value"),
    ("city", Operator.EQUALS, "a\x00", "value"),
    ("city", Operator.IN, [], "value"),
    ("city", Operator.IN, [[]], "value"),
    ("city", Operator.BETWEEN, ["1"], "value"),
    ("city", Operator.BETWEEN, [None, None], "value"),
    ("city", Operator.BETWEEN, ["250", "10"], "value"),
    ("city", Operator.IS_SET, "oui", "value"),
    ("sector", Operator.STARTS_WITH, ".*", "value"),
    ("postal_code", Operator.IN, ["35000", "-"], "value"),
    ("postal_code", Operator.BETWEEN, ["35", "."], "value"),
]


@pytest.mark.parametrize(("field", "operator", "value", "wrong"), IMPOSSIBLE)
def test_an_impossible_criterion_is_refused_with_the_field_at_fault(
    field: str, operator: str, value: object, wrong: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        compile_criterion(Criterion(field=field, operator=operator, value=value))

    assert list(refusal.value.fields) == [wrong]


def test_only_blocking_criteria_that_trust_the_file_screen_out() -> None:
    programme = make_programme()
    make_criterion(programme)
    make_criterion(programme, field="city", operator=Operator.EQUALS, value="Rennes", blocking=False)
    make_criterion(programme, field="kind", operator=Operator.EQUALS, value="person", trust_file=False)
    bakery, bank = make_prospect(sector="10.71C", city="Rennes"), make_prospect(sector="64.19Z", city="Brest")
    campaign = make_campaign(programme)

    add_prospects(campaign=campaign, prospects=[bakery, bank], by=None, at=NOW)

    assert campaign.entries.get(state=EntryState.SCREENED_OUT).prospect == bakery
    assert campaign.entries.get(state=EntryState.READY).prospect == bank


def test_counts_are_live_over_the_lists_of_the_programme() -> None:
    programme = make_programme()
    campaign = make_campaign(programme)
    criterion = make_criterion(programme)
    source = make_source()
    for sector in ("64.19Z", "64.92Z", "10.71C", ""):
        make_entry(campaign, make_prospect(sector=sector, source=source))
    make_prospect(sector="64.19Z", source=source)

    for counted in (
        counts(programme),
        counts(programme, criterion),
        criteria_counted(programme, [criterion])[0][criterion.pk],
    ):
        assert (counted.total, counted.matching, counted.contradicting, counted.unknown) == (4, 2, 1, 1)
    assert counts(Prospect.objects.filter(source=source), criterion).matching == 3


def test_the_counts_of_long_lists_are_estimated_on_a_share_of_their_records(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    programme = make_programme()
    campaign = make_campaign(programme)
    criterion = make_criterion(programme)
    for _turn in range(12):
        make_entry(campaign, make_prospect(sector="64.19Z"))
    monkeypatch.setattr(judged, "SAMPLE", 6)

    found, estimated = criteria_counted(programme, [criterion])

    assert estimated
    assert found[criterion.pk].total == found[criterion.pk].matching == 12
