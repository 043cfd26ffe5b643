"""Queries that are composed once: the same rows as Django's own, for other values, and never for the wrong ones."""

from typing import Any

import pytest
from django.db.models import QuerySet, Value
from django.test.utils import CaptureQueriesContext

from crm.models import Prospect
from crm.selectors.composed import ask
from tests.factories import make_prospect, make_source

pytestmark = pytest.mark.django_db


def of_source(*, source: int, names: tuple[str, ...]) -> QuerySet[Prospect]:
    return (
        Prospect.objects.select_related("source").filter(source=source, organisation__in=names).order_by("pk")
    )


def noted(share: str, *, name: str) -> QuerySet[Prospect, Any]:
    return Prospect.objects.filter(organisation=name).annotate(share=Value(share)).values_list("pk", "share")


def deaf(*, name: str) -> QuerySet[Prospect]:
    return Prospect.objects.filter(organisation=name.upper())


def test_other_values_find_other_rows_with_what_belongs_to_them() -> None:
    one, two = make_prospect(organisation="Une"), make_prospect(organisation="Deux")

    for prospect in (one, two, one):
        found = ask(of_source, source=prospect.source_id, names=("Une", "Deux"))
        assert found == [prospect]
        assert found[0].source.name == prospect.source.name


def test_a_run_is_one_query_with_everything_it_brings(django_assert_num_queries: Any) -> None:
    prospect = make_prospect(organisation="Une")

    with django_assert_num_queries(1):
        (found,) = ask(of_source, source=prospect.source_id, names=("Une",))
        assert found.source.name


@pytest.mark.parametrize(
    "name", ["O'Hara", "100 % %s", "\\", "; DROP TABLE crm_prospect; --", "\ue0c5\ue0c50"]
)
def test_a_value_is_never_part_of_the_statement(name: str) -> None:
    make_prospect(organisation="autre")
    prospect = make_prospect(organisation=name)

    assert ask(noted, "50 % d'un %s", name=name) == [(prospect.pk, "50 % d'un %s")]


def test_each_shape_and_each_number_of_values_has_its_own_statement() -> None:
    source = make_source()
    pks = [make_prospect(source=source, organisation=name).pk for name in ("a", "b", "c")]

    assert [row.pk for row in ask(of_source, source=source.pk, names=("a",))] == pks[:1]
    assert [row.pk for row in ask(of_source, source=source.pk, names=("a", "c"))] == [pks[0], pks[2]]
    assert ask(noted, "x", name="b") == [(pks[1], "x")]
    assert ask(noted, "y", name="b") == [(pks[1], "y")]


def test_a_value_that_does_not_reach_the_statement_is_refused() -> None:
    with pytest.raises(ValueError, match="name"):
        ask(deaf, name="x")


def test_its_queries_are_logged_like_others() -> None:
    from django.db import connection

    with CaptureQueriesContext(connection) as captured:
        ask(noted, "z", name="b")

    assert "organisation" in captured.captured_queries[0]["sql"]
