"""What an import does with known records, repeated rows and blank cells, choice by choice."""

from itertools import product
from typing import Any

import pytest

from campaigns.enums import EntryState
from campaigns.models import Exclusion, ImportReject, ListEntry
from campaigns.rules.import_options import CHOICES, options_of
from campaigns.services import import_work
from campaigns.services.imports import preview_import
from crm.models import Prospect, ProspectEvent, ProspectNumber
from crm.rules.errors import Invalid
from tests.factories import make_campaign, make_programme, make_prospect, make_source, make_sponsor
from tests.importing import COUNTED, Desk, check, outcomes

pytestmark = pytest.mark.django_db

HEAD = "SIRET;Raison sociale;Ville;Téléphone;Couleur;Ne pas appeler\n"
#: Two records that are known, each with everything.
KNOWN = HEAD + "1;Alpha;Metz;0199001001;bleu;\n2;Bêta;Nancy;0199001002;vert;\n"


@pytest.fixture
def desk() -> Desk:
    return Desk()


def told(prospect: Prospect) -> tuple[str, str, str, list[str]]:
    """What is known of a record."""
    numbers = list(prospect.phones.order_by("position").values_list("number", flat=True))
    return prospect.organisation, prospect.city, prospect.attributes.get("couleur", ""), numbers


def by_id(external_id: str) -> Prospect:
    return Prospect.objects.get(external_id=external_id)


# ---- modes


@pytest.mark.parametrize(
    ("mode", "expected", "name", "created"),
    [
        ("both", {2: "updated", 3: "created", 4: "unchanged"}, "Alpha SA", True),
        ("create", {2: "unchanged", 3: "created", 4: "unchanged"}, "Alpha", True),
        ("update", {2: "updated", 3: "unknown_record", 4: "unchanged"}, "Alpha SA", False),
    ],
)
def test_a_mode_says_what_is_written(
    desk: Desk, mode: str, expected: dict[int, str], name: str, created: bool
) -> None:
    desk.bring_in(KNOWN)

    job = desk.bring_in(
        HEAD + "1;Alpha SA;Metz;0199001001;bleu;\n3;Gamma;Toul;0199001003;;\n2;Bêta;Nancy;0199001002;vert;\n",
        mode=mode,
    )

    assert outcomes(job) == expected
    assert by_id("1").organisation == name
    assert Prospect.objects.filter(external_id="3").exists() == created


@pytest.mark.parametrize("mode", CHOICES["mode"])
def test_known_records_come_into_the_list_of_another_campaign_in_every_mode(desk: Desk, mode: str) -> None:
    desk.bring_in(KNOWN)
    other = make_campaign(desk.programme)

    desk.bring_in(KNOWN, into=other, mode=mode)

    assert other.entries.filter(state=EntryState.READY).count() == 2


# ---- blank cells


@pytest.mark.parametrize(
    ("mode", "blank", "expected"),
    [
        ("both", "keep", ("Alpha", "Metz", "bleu", ["+33199001001"])),
        ("both", "clear", ("Alpha", "", "", ["+33199001001"])),
        ("update", "keep", ("Alpha", "Metz", "bleu", ["+33199001001"])),
        ("update", "clear", ("Alpha", "", "", ["+33199001001"])),
        ("create", "keep", ("Alpha", "Metz", "bleu", ["+33199001001"])),
        ("create", "clear", ("Alpha", "Metz", "bleu", ["+33199001001"])),
    ],
)
def test_a_blank_cell_clears_only_where_that_was_chosen(
    desk: Desk, mode: str, blank: str, expected: tuple[str, str, str, list[str]]
) -> None:
    desk.bring_in(KNOWN)

    job = desk.bring_in(HEAD + "1;Alpha;;0199001001;;\n", mode=mode, blank=blank)

    assert told(by_id("1")) == expected
    assert outcomes(job)[2] == ("unchanged" if blank == "keep" or mode == "create" else "updated")


def test_a_blank_cell_does_not_clear_what_the_supplier_never_gave(desk: Desk) -> None:
    desk.bring_in("SIRET;Raison sociale;Téléphone\n1;Alpha;0199001001\n")
    Prospect.objects.filter(external_id="1").update(city="Metz")

    job = desk.bring_in(HEAD + "1;Alpha;;0199001001;;\n", blank="clear")

    assert by_id("1").city == "Metz"
    assert desk.bring_in(HEAD + "1;Alpha;;0199001001;;\n", blank="clear").counts["unchanged"] == 1
    assert job.counts["created"] == 0


# ---- repeated rows

REPEATED = (
    HEAD + "1;Alpha;;0199001001;;\n2;Bêta;Nancy;0199001002;;\n1;Autre;Metz;0199001009;bleu;\n1;;Toul;;;\n"
)


@pytest.mark.parametrize(
    ("repeated", "expected", "record"),
    [
        ("first", {4: "duplicate", 5: "duplicate"}, ("Alpha", "", "", ["+33199001001"])),
        (
            "merge",
            {4: "duplicate", 5: "no_number"},
            ("Alpha", "Metz", "bleu", ["+33199001001", "+33199001009"]),
        ),
        ("reject", {4: "duplicate_in_file", 5: "no_number"}, ("Alpha", "", "", ["+33199001001"])),
    ],
)
def test_of_rows_with_the_same_id_the_first_one_wins_is_filled_or_the_others_are_rejected(
    desk: Desk, repeated: str, expected: dict[int, str], record: tuple[str, str, str, list[str]]
) -> None:
    job = desk.bring_in(REPEATED, repeated=repeated)

    assert outcomes(job) == {2: "created", 3: "created", **expected, 5: "no_number"}
    assert told(by_id("1")) == record
    assert dict(ImportReject.objects.filter(job=job, line=4).values_list("line", "value")) == {4: "2"}


@pytest.mark.parametrize(
    ("repeated", "outcome"), [("first", "duplicate"), ("merge", "duplicate"), ("reject", "duplicate_in_file")]
)
def test_a_row_without_an_id_repeats_the_first_that_has_its_number(
    desk: Desk, repeated: str, outcome: str
) -> None:
    job = desk.bring_in(
        HEAD + ";Alpha;;0199001001 / 0199001005;;\n;Alpha bis;;0199001005;;\n9;Avec numéro;;0199001001;;\n",
        repeated=repeated,
    )

    assert outcomes(job) == {2: "created", 3: outcome, 4: "created"}


def test_the_line_that_is_repeated_is_the_very_first(desk: Desk) -> None:
    job = desk.bring_in(
        HEAD
        + ";A;;0199001001;;\n;B;;0199001001 / 0199001002;;\n;C;;0199001002 / 0199001003;;\n;D;;0199001003;;\n"
    )

    assert list(
        ImportReject.objects.filter(job=job).order_by("line").values_list("line", "reason", "value")
    ) == [
        (3, "duplicate", "2"),
        (4, "duplicate", "2"),
        (5, "duplicate", "2"),
    ]


def test_a_merged_row_clears_nothing_that_another_row_says(desk: Desk) -> None:
    desk.bring_in(KNOWN)

    desk.bring_in(HEAD + "1;Alpha;;0199001001;;\n1;;Metz;0199001001;bleu;\n", repeated="merge", blank="clear")

    assert told(by_id("1")) == ("Alpha", "Metz", "bleu", ["+33199001001"])


# ---- among whom a row without an id is recognised


def others(desk: Desk) -> dict[str, Prospect]:
    """A record with the number 01 99 00 10 01 of each kind of supplier."""
    number, sponsor = "+33199001001", desk.programme.sponsor
    return {
        "source": make_prospect(number, source=desk.source, external_id=""),
        "sponsor": make_prospect(number, source=make_source(sponsor), external_id=""),
        "shared": make_prospect(number, source=make_source(), external_id=""),
        "foreign": make_prospect(number, source=make_source(make_sponsor()), external_id=""),
    }


@pytest.mark.parametrize(
    ("among", "present", "expected"),
    [
        ("file", ["source", "sponsor", "shared", "foreign"], "created"),
        ("source", ["source", "sponsor", "shared", "foreign"], "updated"),
        ("source", ["sponsor", "shared", "foreign"], "created"),
        ("sponsor", ["sponsor", "shared", "foreign"], "duplicate"),
        ("sponsor", ["source", "sponsor", "shared", "foreign"], "updated"),
        ("sponsor", ["shared", "foreign"], "created"),
        ("everywhere", ["shared", "foreign"], "duplicate"),
        ("everywhere", ["sponsor", "foreign"], "duplicate"),
        ("everywhere", ["foreign"], "created"),
    ],
)
@pytest.mark.parametrize("repeated", CHOICES["repeated"])
def test_whom_a_number_is_compared_with_is_chosen(
    desk: Desk, among: str, present: list[str], expected: str, repeated: str
) -> None:
    records = others(desk)
    for name in records.keys() - set(present):
        ProspectNumber.objects.filter(prospect=records[name]).delete()
    before = told(records["foreign"]), records["foreign"].version

    job = desk.bring_in(
        "Raison sociale;Ville;Téléphone\nNouveau;Metz;0199001001\n", among=among, repeated=repeated
    )

    rejected = expected == "duplicate" and repeated == "reject"
    assert outcomes(job) == {2: "duplicate_known" if rejected else expected}
    records["foreign"].refresh_from_db()
    assert (told(records["foreign"]), records["foreign"].version) == before
    assert not ProspectEvent.objects.filter(prospect=records["foreign"]).exists()
    assert not ListEntry.objects.filter(prospect=records["foreign"]).exists()


def test_a_record_of_another_supplier_is_queued_and_only_its_blanks_are_filled(desk: Desk) -> None:
    record = make_prospect(
        "+33199001001", source=make_source(desk.programme.sponsor), city="", organisation="Alpha"
    )

    desk.bring_in(
        "SIRET;Raison sociale;Ville;Téléphone\n7;Autre;Metz;0199001001\n", among="sponsor", repeated="merge"
    )

    record.refresh_from_db()
    assert (record.organisation, record.city) == ("Alpha", "Metz")
    assert ListEntry.objects.get().prospect == record
    assert Prospect.objects.count() == 1


def test_without_merging_a_record_of_another_supplier_is_queued_and_not_changed(desk: Desk) -> None:
    record = make_prospect("+33199001001", source=make_source(desk.programme.sponsor), city="")

    desk.bring_in("Raison sociale;Ville;Téléphone\nAutre;Metz;0199001001\n", among="sponsor")

    record.refresh_from_db()
    assert (record.city, record.version) == ("", 1)
    assert ListEntry.objects.get().prospect == record


# ---- how far "do not call" reaches


@pytest.mark.parametrize(
    ("scope", "reach"),
    [
        ("sponsor", {"same": "excluded", "programme": "excluded", "sponsor": "excluded", "other": "ready"}),
        ("programme", {"same": "excluded", "programme": "excluded", "sponsor": "ready", "other": "ready"}),
        ("campaign", {"same": "excluded", "programme": "ready", "sponsor": "ready", "other": "ready"}),
    ],
)
def test_do_not_call_reaches_as_far_as_was_chosen(desk: Desk, scope: str, reach: dict[str, str]) -> None:
    desk.bring_in(HEAD + "1;Alpha;Metz;0199001001;;oui\n", opt_out_scope=scope)
    campaigns = {
        "same": desk.campaign,
        "programme": make_campaign(desk.programme),
        "sponsor": make_campaign(make_programme(desk.programme.sponsor)),
        "other": make_campaign(),
    }

    for campaign in campaigns.values():
        desk.bring_in(HEAD + "1;Alpha;Metz;0199001001;;\n", into=campaign)

    assert {name: campaign.entries.get().state for name, campaign in campaigns.items()} == reach
    assert set(Exclusion.objects.values_list("scope", flat=True)) == {scope}


@pytest.mark.parametrize(
    ("first", "second", "bars"), [("sponsor", "campaign", 2), ("campaign", "sponsor", 4)]
)
def test_a_wider_bar_stands_for_a_narrower_one_and_not_the_other_way(
    desk: Desk, first: str, second: str, bars: int
) -> None:
    for scope in (first, second):
        desk.bring_in(HEAD + "1;Alpha;Metz;0199001001;;oui\n", opt_out_scope=scope)

    assert Exclusion.objects.count() == bars


def test_the_preview_counts_whom_another_part_of_the_file_says_not_to_call(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_work, "CHUNK_ROWS", 1)
    columns = {"Portable": "phone"}
    text = (
        "SIRET;Raison sociale;Téléphone;Portable;Ne pas appeler\n"
        # Barred by the third line, with another number left, and by a line that is rejected or repeated.
        "1;Alpha;0199001001;;\n2;Bêta;0199001001;0199001002;\n3;Gamma;0199001001;;oui\n"
        "4;Delta;0199001004;;\n5;Epsilon;0199001004;;;trop;;oui\n6;Zêta;0199001006;;\n6;Zêta;0199001006;;oui\n"
    )
    trial = desk.upload(text, mapping=columns)

    preview = preview_import(job=trial, by=desk.manager, at=trial.created_at)
    job = desk.bring_in(text, mapping=columns)

    same = ("excluded", "excluded_by_file", "excluded_by_reason", "screened_out")
    assert {name: preview[name] for name in same} == {name: job.counts[name] for name in same}
    assert job.counts["excluded"] == 3
    ready = ListEntry.objects.filter(state=EntryState.READY).values_list("prospect__external_id", "number")
    assert sorted(ready) == [("2", "+33199001002"), ("4", "+33199001004")]


# ---- everything with everything

EVERYTHING = (
    HEAD
    + "1;Alpha;;0199001001;;\n2;Bêta;Nancy;0199001002;rouge;oui\n3;Gamma;Toul;0199001003;;\n"
    + "3;Gamma bis;Metz;0199001004;;x\n;Delta;;0199001003;;\n;Epsilon;;0199001005;;\n;;;0199001005;;oui\n"
    + "4;Sans;;néant;;\n5;Court;;15;;\n;Un;Deux;0199001001;;;trop\n"
)


@pytest.mark.parametrize(
    ("mode", "blank", "repeated", "among"),
    [
        (mode, CHOICES["blank"][turn % 2], repeated, among)
        for turn, (mode, repeated, among) in enumerate(
            product(CHOICES["mode"], CHOICES["repeated"], CHOICES["among"])
        )
    ],
)
def test_whatever_is_chosen_every_row_is_accounted_for_and_the_preview_says_so(
    desk: Desk, mode: str, blank: str, repeated: str, among: str
) -> None:
    desk.bring_in(KNOWN)
    make_prospect("+33199001005", source=make_source(desk.programme.sponsor))
    options: dict[str, Any] = {"mode": mode, "blank": blank, "repeated": repeated, "among": among}
    trial = desk.upload(EVERYTHING, **options)

    preview = preview_import(job=trial, by=desk.manager, at=trial.created_at)
    job = desk.bring_in(EVERYTHING, **options)

    check(job)
    same = (*COUNTED, "rejected_by_reason")
    assert {name: preview[name] for name in same} == {name: job.counts[name] for name in same}
    rejects = [
        list(ImportReject.objects.filter(job=which).order_by("line").values_list("line", "reason", "value"))
        for which in (trial, job)
    ]
    assert rejects[0] == rejects[1]


@pytest.mark.parametrize("stored", [{"mode": "replace"}, {"blank": ""}, {"region": "FR"}])
def test_a_choice_that_is_none_is_refused(stored: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        options_of(stored)
