"""`import_list` refuses what it cannot do before it writes anything, and says so in a sentence."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from campaigns.models import Campaign
from crm.models import Prospect, Source
from tests.factories import make_campaign, make_source, make_sponsor

pytestmark = pytest.mark.django_db


def _import(folder: Path, *options: str, source: str = "Annuaire", campaign: Campaign | None = None) -> None:
    """Import a list of one good row, and one without number, into a campaign, a new one unless given."""
    campaign = campaign or make_campaign()
    file = folder / "liste.csv"
    file.write_text("id;tel\nA1;01 99 00 12 34\nA2;\n", encoding="utf-8")
    call_command("import_list", str(file), f"--campaign={campaign.slug}", f"--source={source}", *options)


@pytest.mark.parametrize(
    "options", [("--rejects=/nowhere/rejects.csv",), ("--region=ZZZ",), ("--region=XX",)]
)
def test_an_option_that_cannot_be_followed_is_refused_before_anything_is_written(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    with pytest.raises(CommandError, match=options[0].partition("=")[2]):
        _import(tmp_path, *options)

    assert not Prospect.objects.exists()
    assert not Source.objects.exists()


def test_a_list_for_a_closed_campaign_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="terminée"):
        _import(tmp_path, campaign=make_campaign(status="closed"))

    assert not Source.objects.exists()


def test_the_rejects_are_written_where_they_are_asked_for(tmp_path: Path) -> None:
    _import(tmp_path, f"--rejects={tmp_path / 'rejects.csv'}", "--region=fr")

    assert "A2" in (tmp_path / "rejects.csv").read_text(encoding="utf-8-sig")
    assert Prospect.objects.get().external_id == "A1"


def test_a_new_supplier_belongs_to_the_sponsor_of_the_campaign(tmp_path: Path) -> None:
    first, other = make_campaign(), make_campaign()

    for campaign in (first, first, other):
        _import(tmp_path, campaign=campaign)

    assert list(Source.objects.order_by("pk").values_list("name", "slug", "sponsor")) == [
        ("Annuaire", "annuaire", first.programme.sponsor_id),
        ("Annuaire", "annuaire-2", other.programme.sponsor_id),
    ]


def test_a_supplier_that_all_sponsors_share_stays_the_one_that_is_meant(tmp_path: Path) -> None:
    shared = make_source(name="Annuaire")

    _import(tmp_path)

    assert Source.objects.get() == shared


def test_the_supplier_of_another_sponsor_is_refused_by_its_slug(tmp_path: Path) -> None:
    make_source(make_sponsor(), name="Annuaire", slug="annuaire-de-lautre")

    with pytest.raises(CommandError, match="autre donneur d'ordre"):
        _import(tmp_path, source="annuaire-de-lautre")

    assert not Prospect.objects.exists()


def test_a_supplier_whose_name_only_resembles_another_is_made_anew(tmp_path: Path) -> None:
    first = make_source(name="Annuaire", slug="annuaire")

    _import(tmp_path, source="Annuaire !")

    assert Prospect.objects.get().source != first
    assert Source.objects.get(name="Annuaire !").slug == "annuaire-2"
