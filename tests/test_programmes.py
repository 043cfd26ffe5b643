"""Programmes, criteria with their versions, campaigns and their words."""

from datetime import timedelta
from typing import Any

import pytest

from campaigns.enums import EntryState
from campaigns.models import (
    Campaign,
    ClosingStep,
    Criterion,
    CriterionVersion,
    Disposition,
    ListEntry,
    Programme,
)
from campaigns.rules.hours import DEFAULT_HOURS
from campaigns.services.campaigns import (
    close_campaign,
    create_campaign,
    edit_campaign,
    pause_campaign,
    set_closing_step,
    set_disposition_rule,
    set_script,
    start_campaign,
)
from campaigns.services.programmes import (
    add_criterion,
    create_programme,
    edit_criterion,
    edit_programme,
    retire_criterion,
)
from crm.models import User
from crm.rules.errors import Invalid, InvalidTransition
from tests.factories import (
    NOW,
    make_campaign,
    make_entry,
    make_programme,
    make_prospect,
    make_sponsor,
    make_user,
)

pytestmark = pytest.mark.django_db

BANK: dict[str, Any] = {
    "field": "sector",
    "operator": "starts_with",
    "value": "64",
    "question": "Êtes-vous bien une banque ?",
    "expected": "une banque",
}


@pytest.fixture
def manager() -> User:
    """A manager."""
    return make_user("manager")


def test_a_programme_has_one_name_in_its_sponsor(manager: User) -> None:
    sponsor = make_sponsor()
    first = create_programme(name="  Banques ", sponsor=sponsor, subject="une enquête", by=manager, at=NOW)

    with pytest.raises(Invalid) as refusal:
        create_programme(name="Banques", sponsor=sponsor, by=manager, at=NOW)
    elsewhere = create_programme(name="Banques", sponsor=make_sponsor(), by=manager, at=NOW)

    assert list(refusal.value.fields) == ["name"]
    assert first.name == elsewhere.name == "Banques"
    edited = edit_programme(programme=first, name="Assurances", subject="", by=manager, at=NOW)
    assert Programme.objects.get(pk=edited.pk).name == "Assurances"
    with pytest.raises(Invalid):
        edit_programme(programme=first, name="X", subject="", sponsor=make_sponsor(), by=manager, at=NOW)


def test_a_new_criterion_is_version_one_and_screens_the_lists(manager: User) -> None:
    campaign = make_campaign()
    bakery = make_entry(campaign, make_prospect(sector="10.71C"))

    criterion = add_criterion(programme=campaign.programme, data=BANK, by=manager, at=NOW)

    bakery.refresh_from_db()
    assert criterion.version == 1
    assert bakery.state == EntryState.SCREENED_OUT
    version = CriterionVersion.objects.get(criterion=criterion)
    assert (version.version, version.value, version.by) == (1, "64", manager)


def test_a_changed_criterion_is_a_new_version_and_the_old_one_stays(manager: User) -> None:
    campaign = make_campaign()
    criterion = add_criterion(programme=campaign.programme, data=BANK, by=manager, at=NOW)
    bakery = make_entry(
        campaign, make_prospect(sector="10.71C"), state="screened_out", verdict_gate="criteria"
    )

    edited = edit_criterion(
        criterion=criterion, data={"operator": "in", "value": ["10.71C", "64.19Z"]}, by=manager, at=NOW
    )
    moved = edit_criterion(criterion=criterion, data={"position": 3}, by=manager, at=NOW)

    bakery.refresh_from_db()
    assert bakery.state == EntryState.READY
    assert (edited.version, moved.version, moved.position) == (2, 2, 3)
    stored = CriterionVersion.objects.filter(criterion=criterion).order_by("version")
    assert [row.value for row in stored] == ["64", ["10.71C", "64.19Z"]]


def test_a_programme_asks_the_same_thing_once(manager: User) -> None:
    programme = make_programme()
    bank = add_criterion(programme=programme, data=BANK, by=manager, at=NOW)
    insurer = add_criterion(
        programme=programme, data=BANK | {"value": "65", "expected": "une assurance"}, by=manager, at=NOW
    )

    with pytest.raises(Invalid, match="déjà"):
        add_criterion(
            programme=programme, data=BANK | {"question": "Une banque ?", "position": 9}, by=manager, at=NOW
        )
    with pytest.raises(Invalid, match="déjà"):
        edit_criterion(criterion=insurer, data=BANK, by=manager, at=NOW)
    retire_criterion(criterion=bank, by=manager, at=NOW)
    anew = edit_criterion(criterion=insurer, data=BANK, by=manager, at=NOW)

    assert add_criterion(programme=make_programme(), data=BANK, by=manager, at=NOW).version == 1
    assert list(programme.criteria.filter(retired_at__isnull=True)) == [anew]


def test_a_retired_criterion_is_asked_no_more(manager: User) -> None:
    campaign = make_campaign()
    criterion = add_criterion(programme=campaign.programme, data=BANK, by=manager, at=NOW)
    bakery = make_entry(
        campaign, make_prospect(sector="10.71C"), state="screened_out", verdict_gate="criteria"
    )

    retire_criterion(criterion=criterion, by=manager, at=NOW)

    bakery.refresh_from_db()
    assert bakery.state == EntryState.READY
    with pytest.raises(InvalidTransition):
        edit_criterion(criterion=criterion, data={"value": "65"}, by=manager, at=NOW)
    with pytest.raises(InvalidTransition):
        retire_criterion(criterion=criterion, by=manager, at=NOW)


WRONG_CRITERIA = [
    ({"field": "siren"}, "field"),
    ({"field": "attributes."}, "field"),
    ({"operator": "regex"}, "operator"),
    ({"operator": "between", "value": "64"}, "value"),
    ({"value": ""}, "value"),
    ({"question": "   "}, "question"),
    ({"question": "x" * 301}, "question"),
    ({"blocking": "yes"}, "blocking"),
    ({"position": -1}, "position"),
    ({"version": 7}, "version"),
    ({"programme": 7}, "programme"),
]


@pytest.mark.parametrize(("change", "field"), WRONG_CRITERIA)
def test_a_wrong_criterion_is_refused_and_nothing_changes(
    change: dict[str, Any], field: str, manager: User
) -> None:
    programme = make_programme()

    with pytest.raises(Invalid) as refusal:
        add_criterion(programme=programme, data=BANK | change, by=manager, at=NOW)

    assert list(refusal.value.fields) == [field]
    assert not Criterion.objects.exists()


def test_a_campaign_starts_in_preparation_with_the_safest_hours(manager: User) -> None:
    programme = make_programme()

    first = create_campaign(data={"name": "Vague d'été", "programme": programme}, by=manager, at=NOW)
    second = create_campaign(
        data={"name": "Vague d'été", "programme": programme, "hours": []}, by=manager, at=NOW
    )

    assert (first.slug, second.slug) == ("vague-dete", "vague-dete-2")
    assert first.status == "draft"
    assert first.hours == second.hours == DEFAULT_HOURS


WRONG_CAMPAIGNS = [
    ({"name": " "}, "name"),
    ({"programme": None}, "programme"),
    ({"purpose": "spam"}, "purpose"),
    ({"calling_rule": "whenever"}, "calling_rule"),
    ({"hours": [{"days": [1], "from": "20:00", "to": "08:00"}]}, "hours"),
    ({"hours": "always"}, "hours"),
    ({"max_attempts": 0}, "max_attempts"),
    ({"max_attempts": 51}, "max_attempts"),
    ({"lease_seconds": 1}, "lease_seconds"),
    ({"patience_seconds": 0}, "patience_seconds"),
    ({"language": "kl"}, "language"),
    ({"slug": "Pas un slug"}, "slug"),
    ({"slug": "taken"}, "slug"),
    ({"status": "running"}, "status"),
]


@pytest.mark.parametrize(("change", "field"), WRONG_CAMPAIGNS)
def test_a_wrong_campaign_is_refused_and_nothing_changes(
    change: dict[str, Any], field: str, manager: User
) -> None:
    make_campaign(slug="taken")

    with pytest.raises(Invalid) as refusal:
        create_campaign(data={"name": "Vague", "programme": make_programme()} | change, by=manager, at=NOW)

    assert list(refusal.value.fields) == [field]
    assert Campaign.objects.count() == 1


def test_a_campaign_keeps_its_programme_and_slug(manager: User) -> None:
    campaign = make_campaign(hours=DEFAULT_HOURS)

    edited = edit_campaign(
        campaign=campaign,
        data={"name": "Autre nom", "slug": campaign.slug, "max_attempts": 7},
        by=manager,
        at=NOW,
    )

    assert (edited.name, edited.max_attempts) == ("Autre nom", 7)
    for data in ({"slug": "autre"}, {"programme": make_programme()}):
        with pytest.raises(Invalid):
            edit_campaign(campaign=campaign, data=data, by=manager, at=NOW)


def test_a_campaign_starts_pauses_and_ends_once(manager: User) -> None:
    campaign = make_campaign(status="draft")

    with pytest.raises(InvalidTransition):
        pause_campaign(campaign=campaign, by=manager, at=NOW)
    for move, status in (
        (start_campaign, "running"),
        (start_campaign, "running"),
        (pause_campaign, "paused"),
        (start_campaign, "running"),
        (close_campaign, "closed"),
        (close_campaign, "closed"),
    ):
        assert move(campaign=campaign, by=manager, at=NOW).status == status
        assert Campaign.objects.get(pk=campaign.pk).status == status
    with pytest.raises(InvalidTransition):
        start_campaign(campaign=campaign, by=manager, at=NOW)


def test_a_campaigns_own_sentence_replaces_the_default_until_it_is_emptied(manager: User) -> None:
    campaign = make_campaign()
    where: dict[str, Any] = {"campaign": campaign, "language": "fr", "kind": "mismatch", "step": "apologise"}

    set_closing_step(**where, text="Pardon, {reason}.", by=manager, at=NOW)
    set_closing_step(**where, text="Toutes mes excuses, {reason}.", by=manager, at=NOW)
    assert ClosingStep.objects.get(campaign=campaign).text == "Toutes mes excuses, {reason}."
    for text in ("Bonjour {nom}", "Bonjour {", "<script>alert(1)</script>"):
        with pytest.raises(Invalid):
            set_closing_step(**where, text=text, by=manager, at=NOW)
    assert ClosingStep.objects.get(campaign=campaign).text == "Toutes mes excuses, {reason}."
    assert set_closing_step(**where, text="  ", by=manager, at=NOW) is None

    assert not ClosingStep.objects.filter(campaign=campaign).exists()
    for wrong in ({"step": "sing"}, {"kind": "rude"}, {"language": "kl"}, {"kind": "ordinary"}):
        with pytest.raises(Invalid):
            set_closing_step(**where | wrong, text="Pardon.", by=manager, at=NOW)


def test_a_script_is_stored_by_language_and_removed_when_blank(manager: User) -> None:
    campaign = make_campaign()
    where: dict[str, Any] = {
        "campaign": campaign,
        "kind": "opening",
        "language": "fr",
        "by": manager,
        "at": NOW,
    }

    assert set_script(text="Bonjour {person}", **where) is not None
    with pytest.raises(Invalid):
        set_script(text="Bonjour {person.password}", **where)
    assert campaign.scripts.get().text == "Bonjour {person}"
    assert set_script(text="", **where) is None
    assert not campaign.scripts.exists()


def test_a_campaign_changes_when_to_retry_but_not_what_is_final(manager: User) -> None:
    campaign = make_campaign()
    busy, refusal = (Disposition.objects.get(code=code) for code in ("busy", "refusal"))
    hors = Disposition.objects.get(code="out_of_criteria")
    common: dict[str, Any] = {"campaign": campaign, "by": manager, "at": NOW}

    rule = set_disposition_rule(disposition=busy, enabled=True, retry_after=timedelta(minutes=5), **common)
    again = set_disposition_rule(disposition=busy, enabled=False, retry_after=None, **common)

    assert rule.pk == again.pk
    assert (again.enabled, again.retry_after) == (False, None)
    for disposition, enabled, delay in (
        (refusal, True, timedelta(days=7)),
        (busy, True, timedelta()),
        (busy, True, timedelta(days=400)),
        (hors, False, None),
    ):
        with pytest.raises(Invalid):
            set_disposition_rule(disposition=disposition, enabled=enabled, retry_after=delay, **common)
    assert not ListEntry.objects.exists()
