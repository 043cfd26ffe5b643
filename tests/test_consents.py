"""Consents to be called: when they hold, that a withdrawal stands whatever is written, what a file may add."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection, connections, transaction
from hypothesis import given
from hypothesis import settings as trying
from hypothesis import strategies as st

from calls.services.erasure import erase_prospect
from campaigns.enums import Withdrawal
from campaigns.models import Consent, Exclusion, ImportJob, Programme
from campaigns.rules.consent import LONGEST, consent_ends_at, is_consent_valid
from campaigns.services.consents import (
    ConsentWithdrawn,
    ImportedConsents,
    annul_consents,
    import_consents,
    record_consent,
    withdraw_consent,
)
from campaigns.services.import_undo import undo_import
from campaigns.services.imports import run_import, start_import, upload_import
from crm.enums import Role
from crm.models import Prospect, Source, Sponsor, User
from crm.rules.errors import Invalid
from tests.factories import (
    NOW,
    make_campaign,
    make_programme,
    make_prospect,
    make_source,
    make_sponsor,
    make_user,
)
from tests.rawsql import execute, insert, refused, settle

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


class Desk:
    """A principal, a supplier, somebody who imports, and a person."""

    def __init__(self) -> None:
        self.sponsor: Sponsor = make_sponsor()
        self.source: Source = make_source()
        self.manager: User = make_user(Role.MANAGER)
        self.prospect: Prospect = make_prospect()

    def consent(self, **fields: Any) -> Consent:
        """An unsaved consent of the person, given a month ago."""
        return Consent(
            **{
                "prospect": self.prospect,
                "sponsor": self.sponsor,
                "given_at": NOW - 30 * DAY,
                "created_at": NOW,
                **fields,
            }
        )

    def withdrawal(self, **fields: Any) -> Consent:
        """An unsaved withdrawal of ten days ago."""
        return self.consent(withdrawn_at=NOW - 10 * DAY, withdrawn_how="oral", **fields)

    def tell(self, *consents: dict[str, Any], at: datetime = NOW, ref: int = 7) -> ImportedConsents:
        """Import what a file says of the person, or of the "prospect" that a consent names."""
        rows = [[said.pop("prospect", self.prospect.pk), said] for said in map(dict, consents)]
        told = "SELECT (r ->> 0)::bigint, r -> 1 FROM jsonb_array_elements(%(rows)s::jsonb) r"
        with transaction.atomic(), connection.cursor() as cursor:
            return import_consents(
                cursor,
                told=told,
                params={"rows": json.dumps(rows)},
                sponsor_id=self.sponsor.pk,
                source_id=self.source.pk,
                import_ref=ref,
                by_id=self.manager.pk,
                at=at,
            )

    def rows(self) -> list[tuple[Any, ...]]:
        """Everything that is stored of the person, oldest first."""
        theirs = Consent.objects.filter(prospect=self.prospect, sponsor=self.sponsor)
        return list(theirs.order_by("pk").values_list())

    def holds(self, at: datetime = NOW) -> bool:
        """Whether a consent of the person holds."""
        theirs = Consent.objects.filter(prospect=self.prospect, sponsor=self.sponsor)
        return theirs.valid(at).exists()

    def record(self, given_at: datetime) -> Consent:
        """Enter a consent by hand."""
        return record_consent(
            prospect=self.prospect,
            sponsor=self.sponsor,
            given_at=given_at,
            exact_text="J'accepte d'être appelé.",
            channel="formulaire",
            by=self.manager,
            at=NOW,
        )

    def withdraw(self, at: datetime = NOW) -> Consent | None:
        """Say that the person withdraws."""
        return withdraw_consent(
            prospect=self.prospect, sponsor=self.sponsor, how=Withdrawal.ORAL, by=self.manager, at=at
        )


YES = {"given": True, "at": "2026-06-03T14:05", "until": "", "channel": "web", "text": "J'accepte."}
NO = {"given": False, "at": "", "until": "", "channel": "", "text": ""}

# ---- when a consent holds

moments = st.one_of(
    st.none(),
    st.sampled_from([NOW, NOW - LONGEST, NOW - DAY, NOW + DAY, NOW - LONGEST + timedelta(microseconds=1)]),
    st.timedeltas(-800 * DAY, 400 * DAY).map(NOW.__add__),
)


@trying(max_examples=30, deadline=None)
@given(st.lists(st.tuples(moments, moments, moments), min_size=1, max_size=20))
def test_the_rule_and_the_query_agree(cases: list[tuple[datetime | None, ...]]) -> None:
    expected = [is_consent_valid(given_at=g, period_end=e, withdrawn_at=w, at=NOW) for g, e, w in cases]
    with transaction.atomic():
        desk = Desk()
        written = [
            insert(
                desk.consent(
                    prospect=make_prospect(),
                    given_at=given_at,
                    period_end=period_end,
                    withdrawn_at=withdrawn_at,
                    withdrawn_how="oral" if withdrawn_at else "",
                    created_at=datetime(2030, 1, 1, tzinfo=UTC),
                )
            )
            for given_at, period_end, withdrawn_at in cases
        ]
        holding = set(Consent.objects.valid(NOW).values_list("pk", flat=True))
        transaction.set_rollback(True)

    assert [pk in holding for pk in written] == expected


@pytest.mark.parametrize(
    ("given_at", "period_end", "withdrawn_at", "holds"),
    [
        (NOW, None, None, True),
        (NOW - LONGEST, None, None, False),
        (NOW - LONGEST + timedelta(seconds=1), None, None, True),
        (NOW - DAY, NOW, None, False),
        (NOW - DAY, NOW + timedelta(seconds=1), None, True),
        (NOW + timedelta(seconds=1), None, None, False),
        (None, NOW + DAY, None, False),
        (NOW - DAY, None, NOW + DAY, False),
    ],
)
def test_a_consent_holds_from_its_moment_to_the_end_agreed_or_a_year(
    given_at: datetime | None, period_end: datetime | None, withdrawn_at: datetime | None, holds: bool
) -> None:
    held = is_consent_valid(given_at=given_at, period_end=period_end, withdrawn_at=withdrawn_at, at=NOW)

    assert held is holds


def test_no_consent_lasts_longer_than_a_year() -> None:
    assert consent_ends_at(NOW, NOW + 1_000 * DAY) == NOW + timedelta(days=365)


# ---- what the database refuses, whoever writes


def test_a_withdrawal_is_never_undone() -> None:
    pk = insert(Desk().withdrawal())

    for change in (
        "withdrawn_at = NULL, withdrawn_how = ''",
        "withdrawn_at = withdrawn_at - interval '1 year'",
        "withdrawn_how = 'undone', import_ref = 1",
        "prospect_id = prospect_id + 1",
    ):
        with refused("consent_only_withdrawn"):
            execute(f"UPDATE campaigns_consent SET {change} WHERE id = %s", pk)


def test_a_consent_does_not_change_but_by_its_withdrawal() -> None:
    pk = insert(Desk().consent(exact_text="J'accepte.", period_end=NOW))

    for change in (
        "period_end = NULL",
        "given_at = now()",
        "exact_text = ''",
        "period_end = NULL, withdrawn_at = now(), withdrawn_how = 'oral'",
    ):
        with refused("consent_only_withdrawn"):
            execute(f"UPDATE campaigns_consent SET {change} WHERE id = %s", pk)
    execute("UPDATE campaigns_consent SET withdrawn_at = now(), withdrawn_how = 'oral' WHERE id = %s", pk)

    assert Consent.objects.get(pk=pk).withdrawn_how == "oral"


def test_consents_are_never_deleted() -> None:
    insert(Desk().withdrawal())

    with refused("consent_never_deleted"):
        execute("DELETE FROM campaigns_consent")
    settle()
    with refused("consent_never_deleted"):
        execute("TRUNCATE campaigns_consent")


@pytest.mark.parametrize(
    ("given_at", "import_ref"),
    [(NOW - 11 * DAY, None), (NOW - 10 * DAY, None), (None, None), (NOW - DAY, 7), (NOW - 11 * DAY, 7)],
)
def test_behind_a_withdrawal_no_earlier_consent_and_none_of_an_import_is_written(
    given_at: datetime | None, import_ref: int | None
) -> None:
    desk = Desk()
    insert(desk.withdrawal())

    with refused("consent_stays_withdrawn"):
        insert(desk.consent(given_at=given_at, import_ref=import_ref))


def test_a_later_consent_entered_by_hand_counts_again() -> None:
    desk = Desk()
    insert(desk.withdrawal())

    insert(desk.consent(given_at=NOW - 9 * DAY))

    assert desk.holds()


def test_a_withdrawal_reaches_every_earlier_consent_of_that_principal_only() -> None:
    desk, other = Desk(), make_sponsor()
    first, second = insert(desk.consent()), insert(desk.consent(given_at=NOW - 20 * DAY))
    later = insert(desk.consent(given_at=NOW - 5 * DAY))
    elsewhere = insert(desk.consent(sponsor=other))

    insert(desk.withdrawal(given_at=None))

    standing = set(Consent.objects.filter(withdrawn_at=None).values_list("pk", flat=True))
    assert standing == {later, elsewhere}
    assert set(Consent.objects.filter(pk__in=[first, second]).values_list("withdrawn_how", flat=True)) == {
        "oral"
    }


def test_a_withdrawal_of_one_row_by_update_reaches_its_elder_too() -> None:
    desk = Desk()
    elder, pk = insert(desk.consent(given_at=None)), insert(desk.consent())

    execute("UPDATE campaigns_consent SET withdrawn_at = now(), withdrawn_how = 'oral' WHERE id = %s", pk)

    assert Consent.objects.get(pk=elder).withdrawn_at is not None


def test_a_date_to_come_is_refused() -> None:
    with refused("consent_not_from_the_future"):
        insert(Desk().consent(given_at=NOW + DAY))


def test_a_withdrawal_says_how_and_only_an_import_s_row_can_be_undone() -> None:
    desk = Desk()

    with refused("consent_withdrawal_whole"):
        insert(desk.consent(withdrawn_at=NOW, withdrawn_how=""))
    with refused("consent_withdrawal_whole"):
        insert(desk.consent(withdrawn_how="oral"))
    with refused("consent_undone_is_imported"):
        insert(desk.consent(withdrawn_at=NOW, withdrawn_how="undone"))


def test_an_erasure_blanks_the_text_and_keeps_the_withdrawal() -> None:
    desk = Desk()
    insert(desk.withdrawal(exact_text="J'accepte d'être appelé à la boulangerie."))

    erase_prospect(prospect=desk.prospect, by=desk.manager, at=NOW)

    consent = Consent.objects.get()
    assert (consent.exact_text, consent.withdrawn_how) == ("", "oral")
    assert consent.withdrawn_at == NOW - 10 * DAY


# ---- entered by hand


def test_a_consent_is_entered_once_and_holds() -> None:
    desk = Desk()

    first, again = desk.record(NOW - DAY), desk.record(NOW - DAY)

    assert first == again
    assert desk.holds()
    assert not desk.holds(NOW + LONGEST)


def test_a_consent_without_its_text_or_of_tomorrow_is_refused() -> None:
    desk = Desk()

    with pytest.raises(Invalid):
        desk.record(NOW + DAY)
    with pytest.raises(Invalid):
        record_consent(
            prospect=desk.prospect,
            sponsor=desk.sponsor,
            given_at=NOW,
            exact_text="  ",
            channel="",
            by=desk.manager,
            at=NOW,
        )


def test_a_spoken_withdrawal_ends_every_consent_and_is_noted_once() -> None:
    desk = Desk()
    desk.record(NOW - 2 * DAY)
    desk.record(NOW - DAY)

    first, again = desk.withdraw(), desk.withdraw()

    assert first is not None
    assert again is None
    assert not desk.holds()
    with pytest.raises(ConsentWithdrawn):
        desk.record(NOW - DAY)


def test_who_never_consented_can_withdraw_all_the_same() -> None:
    desk = Desk()

    desk.withdraw()

    assert Consent.objects.get().withdrawn_at == NOW
    assert desk.tell(YES) == ImportedConsents(kept_withdrawn=1)


# ---- told by a file


def test_a_file_s_consent_is_written_with_where_it_came_from() -> None:
    desk = Desk()

    counts = desk.tell({**YES, "until": "2026-12-31"})

    consent = Consent.objects.get()
    assert counts == ImportedConsents(given=1)
    assert consent.given_at == datetime(2026, 6, 3, 12, 5, tzinfo=UTC)
    assert consent.period_end == datetime(2026, 12, 30, 23, 0, tzinfo=UTC)
    assert (consent.channel, consent.exact_text) == ("web", "J'accepte.")
    assert (consent.source, consent.import_ref, consent.created_by) == (desk.source, 7, desk.manager)
    assert desk.holds()


def test_moments_without_an_offset_are_those_of_the_installation() -> None:
    assert settings.TIME_ZONE == "Europe/Paris"
    for said, given_at in (
        ("2026-06-03", datetime(2026, 6, 2, 22, 0, tzinfo=UTC)),
        ("2026-06-03 14:05:30", datetime(2026, 6, 3, 12, 5, 30, tzinfo=UTC)),
        ("2026-06-03T14:05Z", datetime(2026, 6, 3, 14, 5, tzinfo=UTC)),
        ("2026-06-03T14:05+02:00", datetime(2026, 6, 3, 12, 5, tzinfo=UTC)),
        ("2026-01-03T14:05", datetime(2026, 1, 3, 13, 5, tzinfo=UTC)),
    ):
        desk = Desk()
        desk.tell({**YES, "at": said})
        assert Consent.objects.get(prospect=desk.prospect).given_at == given_at


@pytest.mark.parametrize(
    "said",
    ["", "hier", "03/06/2026", "2026-02-31", "2026-13-45T99:99", "now", "infinity", "2027-01-01", "2026-99"],
)
def test_a_missing_unreadable_or_future_date_proves_nothing(said: str) -> None:
    desk = Desk()

    counts = desk.tell({**YES, "at": said})

    assert counts == ImportedConsents(unproved=1)
    assert Consent.objects.get().given_at is None
    assert not desk.holds()
    assert not desk.holds(NOW + 100 * DAY)


def test_a_no_withdraws_what_was_given_and_what_was_not() -> None:
    desk, never_told = Desk(), make_prospect()
    desk.record(NOW - DAY)

    counts = desk.tell(NO, {**NO, "prospect": never_told.pk})

    assert counts == ImportedConsents(withdrawn=2)
    assert not desk.holds()
    assert set(Consent.objects.values_list("withdrawn_how", flat=True)) == {"import"}


def test_a_blank_says_nothing() -> None:
    desk = Desk()
    desk.record(NOW - DAY)
    before = desk.rows()

    assert desk.tell({**YES, "given": None}) == ImportedConsents()
    assert desk.rows() == before


@pytest.mark.parametrize("at", ["2026-01-03", "2026-11-24", ""])
def test_a_file_never_opens_again_what_was_withdrawn(at: str) -> None:
    desk = Desk()
    insert(desk.withdrawal(given_at=None))
    before = desk.rows()

    counts = desk.tell({**YES, "at": at})

    assert counts == ImportedConsents(kept_withdrawn=1)
    assert desk.rows() == before
    assert not desk.holds()


def test_a_withdrawal_towards_another_principal_is_no_concern_of_this_one() -> None:
    desk = Desk()
    insert(desk.withdrawal(sponsor=make_sponsor(), given_at=None))

    assert desk.tell(YES) == ImportedConsents(given=1)


def test_the_same_file_again_writes_nothing() -> None:
    desk = Desk()
    others = [make_prospect().pk for _ in range(3)]
    file = [
        {**YES, "until": "2026-12-31"},
        {**YES, "at": "2026-07-01"},
        {**YES, "prospect": others[0], "at": ""},
        {**NO, "prospect": others[1]},
        {**YES, "prospect": others[2]},
        {**NO, "prospect": others[2]},
    ]
    first = desk.tell(*file)
    before = list(Consent.objects.order_by("pk").values_list())

    again = desk.tell(*file, at=NOW + DAY, ref=8)

    assert first == ImportedConsents(given=2, withdrawn=2, unproved=1)
    assert again == ImportedConsents()
    assert list(Consent.objects.order_by("pk").values_list()) == before


def test_where_a_file_contradicts_itself_no_wins() -> None:
    desk = Desk()

    counts = desk.tell(YES, NO, {**YES, "at": "2026-07-01"})

    assert counts == ImportedConsents(withdrawn=1)
    assert not desk.holds()


def test_an_earlier_end_replaces_and_a_later_one_does_not() -> None:
    desk = Desk()
    desk.tell({**YES, "until": "2026-12-31"})

    later = desk.tell({**YES, "until": "2027-03-31"})
    none = desk.tell({**YES, "until": ""})
    earlier = desk.tell({**YES, "until": "2026-10-01"})

    assert (later, none, earlier) == (ImportedConsents(), ImportedConsents(), ImportedConsents(given=1))
    assert not desk.holds()
    assert Consent.objects.filter(withdrawn_how="replaced").count() == 1


def test_a_text_that_lacked_is_added_and_another_one_is_not() -> None:
    desk = Desk()
    desk.tell({**YES, "text": ""})

    desk.tell(YES)
    desk.tell({**YES, "text": "J'accepte tout."})

    assert Consent.objects.get(withdrawn_at=None).exact_text == "J'accepte."


def test_a_file_does_not_touch_what_was_entered_by_hand() -> None:
    desk = Desk()
    desk.record(datetime(2026, 6, 3, 12, 5, tzinfo=UTC))
    before = desk.rows()

    assert desk.tell({**YES, "until": "2026-07-01"}) == ImportedConsents()
    assert desk.rows() == before


def test_the_consents_of_an_undone_import_end_and_may_be_told_again() -> None:
    desk, objecting = Desk(), make_prospect()
    file = [YES, {**NO, "prospect": objecting.pk}]
    desk.tell(*file)

    with connection.cursor() as cursor:
        undone = annul_consents(cursor, import_ref=7, by_id=desk.manager.pk, at=NOW)
        again = annul_consents(cursor, import_ref=7, by_id=desk.manager.pk, at=NOW)
    held = desk.holds()

    assert (undone, again, held) == (1, 0, False)
    assert desk.tell(*file, ref=8) == ImportedConsents(given=1)
    assert desk.holds()
    assert Consent.objects.filter(prospect=objecting).withdrawn_by_the_person().count() == 1


def test_an_erased_person_gets_no_consent() -> None:
    desk = Desk()
    erase_prospect(prospect=desk.prospect, by=desk.manager, at=NOW)

    assert desk.tell(YES, NO) == ImportedConsents()
    assert not Consent.objects.exists()


answers = st.fixed_dictionaries(
    {
        "given": st.sampled_from([True, False, None]),
        "at": st.sampled_from(["", "2026-06-03T14:05", "2026-11-24", "2027-01-01", "?"]),
        "until": st.sampled_from(["", "2026-12-31", "2026-07-01", "demain"]),
        "channel": st.sampled_from(["", "web"]),
        "text": st.sampled_from(["", "Oui."]),
    }
)


@trying(max_examples=40, deadline=None)
@given(
    st.sampled_from(["nothing", "given", "withdrawn", "withdrawn and given again"]),
    st.lists(st.lists(answers, max_size=4), max_size=4),
)
def test_no_series_of_files_loosens_a_withdrawal_and_each_is_idempotent(
    begin: str, files: list[list[dict[str, Any]]]
) -> None:
    with transaction.atomic():
        desk = Desk()
        if "withdrawn" in begin:
            insert(desk.withdrawal())
        if "given" in begin:
            desk.record(NOW - 5 * DAY)
        held = desk.holds()
        withdrawn = "withdrawn" in begin
        for ref, file in enumerate(files, start=1):
            desk.tell(*file, ref=ref)
            stored = desk.rows()
            desk.tell(*file, ref=ref + 100)
            assert desk.rows() == stored
            assert not (withdrawn and desk.holds() and not held)
            held = desk.holds()
            withdrawn = withdrawn or any(said["given"] is False for said in file)
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
def test_a_withdrawal_waits_for_the_import_that_gives_and_ends_what_it_gave() -> None:
    desk = Desk()
    url = connection.get_connection_params()
    url.pop("cursor_factory", None)
    url.pop("context", None)
    other = psycopg.connect(
        **{k: v for k, v in url.items() if k in ("dbname", "user", "host", "port", "password")}
    )
    try:
        with transaction.atomic():
            desk.tell(YES)
            other.execute("SET lock_timeout = '200ms'")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                other.execute(
                    "INSERT INTO campaigns_consent (prospect_id, sponsor_id, channel, exact_text, withdrawn_at,"
                    " withdrawn_how, created_at) VALUES (%s, %s, '', '', now(), 'oral', now())",
                    (desk.prospect.pk, desk.sponsor.pk),
                )
            other.rollback()
        other.execute(
            "INSERT INTO campaigns_consent (prospect_id, sponsor_id, channel, exact_text, withdrawn_at,"
            " withdrawn_how, created_at) VALUES (%s, %s, '', '', now(), 'oral', now())",
            (desk.prospect.pk, desk.sponsor.pk),
        )
        other.commit()
    finally:
        other.close()

    assert Consent.objects.filter(withdrawn_at=None).count() == 0
    connections.close_all()


FILE = """Id;Téléphone;Consentement;Date du consentement;Fin du consentement;Canal du consentement;Peut être appelé
1;01 99 00 12 34;oui;03/06/2026 14:05;31/12/2026;site;oui
2;01 99 00 12 35;non;;;;oui
3;01 99 00 12 36;oui;bientôt;;;
4;01 99 00 12 37;;;;;non
"""


def bring_in(desk: Desk, text: str, programme: Programme) -> dict[str, Any]:
    """Import a text with the guessed columns; returns the counts of the job."""
    job = upload_import(
        campaign=make_campaign(programme),
        source=desk.source,
        name="liste.csv",
        content=text.encode(),
        by=desk.manager,
        at=NOW,
    )
    start_import(job=job, by=desk.manager, at=NOW)
    return run_import(job_id=job.pk, at=NOW) or {}


def test_the_consent_columns_of_a_file_become_consents_and_a_second_import_writes_none() -> None:
    desk = Desk()
    programme = make_programme(desk.sponsor)

    first = bring_in(desk, FILE, programme)
    stored = list(Consent.objects.order_by("pk").values_list())
    again = bring_in(desk, FILE, programme)

    found = Consent.objects.order_by("prospect__external_id").values_list(
        "prospect__external_id", "given_at", "channel", "withdrawn_how"
    )
    assert list(found) == [
        ("1", datetime(2026, 6, 3, 12, 5, tzinfo=UTC), "site", ""),
        ("2", None, "", "import"),
        ("3", None, "", ""),
    ]
    assert first["consents"] == {"given": 1, "withdrawn": 1, "kept_withdrawn": 0, "unproved": 1}
    assert set(again["consents"].values()) == {0}
    assert list(Consent.objects.order_by("pk").values_list()) == stored


def test_no_bars_as_an_objection_does_in_a_column_of_consent_too() -> None:
    desk = Desk()

    bring_in(desk, FILE, make_programme(desk.sponsor))

    assert set(Exclusion.objects.exclude(number=None).values_list("number", "reason")) == {
        ("+33199001235", "opposition"),
        ("+33199001237", "opposition"),
    }


def test_the_same_columns_turned_to_yes_open_nothing_again() -> None:
    desk = Desk()
    programme = make_programme(desk.sponsor)
    bring_in(desk, FILE, programme)

    turned = FILE.replace("35;non;;", "35;oui;24/11/2026;").replace(";;;;;non", ";oui;24/11/2026;;;oui")
    counts = bring_in(desk, turned, programme)

    assert counts["consents"]["kept_withdrawn"] == 1
    assert not Consent.objects.valid(NOW).filter(prospect__external_id="2").exists()
    assert Exclusion.objects.active().filter(number="+33199001237").exists()


def test_an_import_that_is_undone_takes_its_consents_back_and_leaves_the_withdrawals() -> None:
    desk = Desk()
    bring_in(desk, FILE, make_programme(desk.sponsor))
    job = ImportJob.objects.get()

    undo_import(job=job, by=desk.manager, at=NOW)

    assert not Consent.objects.filter(withdrawn_at=None).exists()
    assert Consent.objects.withdrawn_by_the_person().count() == 1
