"""Whatever is chosen for an import, it opens nothing that was closed: bars, entries, withdrawals, corrections."""

from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from calls.enums import CallbackState, Result
from calls.models import Callback
from calls.services.talk import answer_criterion
from campaigns.enums import EntryState, Scope, Withdrawal
from campaigns.models import Consent, Exclusion, ListEntry
from campaigns.rules.import_options import CHOICES
from campaigns.services.consents import record_consent, withdraw_consent
from campaigns.services.entries import reset_list
from campaigns.services.exclusions import exclude
from campaigns.services.import_undo import undo_import
from crm.models import Prospect
from crm.services.prospects import PhoneInput, edit_prospect
from tests.factories import NOW
from tests.importing import Desk
from tests.talking import Talk

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
LATER = NOW + 2 * DAY

#: Every mode with every choice for blank and repeated cells; the choices of whom to compare with take turns.
ALL = [
    {"mode": mode, "blank": blank, "repeated": repeated, "among": CHOICES["among"][turn % 4]}
    for turn, (mode, blank, repeated) in enumerate(
        product(CHOICES["mode"], CHOICES["blank"], CHOICES["repeated"])
    )
]
every_way = pytest.mark.parametrize("options", ALL, ids=["-".join(options.values()) for options in ALL])
CLEARING = [options for options in ALL if options["blank"] == "clear"]
every_clearing_way = pytest.mark.parametrize(
    "options", CLEARING, ids=["-".join(options.values()) for options in CLEARING]
)

HEAD = "SIRET;Raison sociale;NAF;Ville;Téléphone;Ne pas appeler\n"


def rows(*ids: int, name: str = "Banque", city: str = "Metz", opt_out: str = "non", end: str = "") -> str:
    """Rows of a list; `end`: the last digits of their numbers, when they have other ones."""
    return "".join(f"{n};{name} {n};6419Z;{city};01 99 00 {end or '10'} {n:02d};{opt_out}\n" for n in ids)


def again(*ids: int) -> str:
    """The list as the supplier sends it again: said to be callable, with other names, blanks and repeated rows."""
    return HEAD + rows(*ids) + rows(*ids, name="Autre nom", city="") + rows(*ids, name="", city="")


def by_id(external_id: int) -> Prospect:
    return Prospect.objects.get(external_id=str(external_id), erased_at=None)


def standing(desk: Desk) -> dict[str, Any]:
    """Where every entry of the campaign stands, and by which bar."""
    entries = ListEntry.objects.filter(campaign=desk.campaign).order_by("prospect__external_id")
    found = entries.values_list("prospect__external_id", "state", "excluded_by", "outcome", "due_at", "owner")
    return {external_id: rest for external_id, *rest in found}


def bars() -> list[tuple[Any, ...]]:
    return list(Exclusion.objects.order_by("pk").values_list("pk", "lifted_at", "until", "reason"))


def scoped(desk: Desk, scope: str) -> dict[str, Any]:
    given = {"sponsor": desk.programme.sponsor, "programme": desk.programme, "campaign": desk.campaign}
    return {"scope": scope, **{name: value for name, value in given.items() if name == scope}}


@every_way
def test_bars_of_every_scope_stand(options: dict[str, str]) -> None:
    desk = Desk()
    ids = range(1, 11)
    desk.bring_in(HEAD + rows(*ids))
    for n, (scope, what) in enumerate(product(Scope.values, ("number", "prospect")), 1):
        target: dict[str, Any] = (
            {"number": f"+331990010{n:02d}"} if what == "number" else {"prospect": by_id(n)}
        )
        exclude(**scoped(desk, scope), **target, reason="out_of_criteria", by=desk.manager, at=NOW)
    desk.bring_in(HEAD + rows(9, opt_out="oui"))
    before, barred = standing(desk), bars()

    desk.bring_in(again(*ids), at=LATER, **options)

    assert standing(desk) == before
    assert [state for state, *_rest in before.values()].count(EntryState.EXCLUDED) == 9
    assert bars() == barred
    reset_list(campaign=desk.campaign, by=desk.manager, at=LATER, reason="Reprise", include_done=True)
    assert standing(desk) == before


@every_clearing_way
def test_a_person_who_is_barred_stays_so_with_another_number(options: dict[str, str]) -> None:
    desk = Desk()
    desk.bring_in(HEAD + rows(1, 2))
    exclude(**scoped(desk, "programme"), prospect=by_id(1), reason="opposition", by=desk.manager, at=NOW)

    desk.bring_in(HEAD + rows(1, 2, end="20"), at=LATER, **options)

    assert [state for state, *_rest in standing(desk).values()] == [EntryState.EXCLUDED, EntryState.READY]


@every_clearing_way
def test_closed_entries_stay_closed(options: dict[str, str]) -> None:
    desk = Desk()
    desk.bring_in(HEAD + rows(1, 2, 3))
    for n, state in ((1, EntryState.DONE), (2, EntryState.EXHAUSTED)):
        ListEntry.objects.filter(prospect=by_id(n)).update(state=state, attempts=3, verdict_gate="cap")
    before = standing(desk)

    desk.bring_in(again(1, 2, 3), at=LATER, **options)

    assert standing(desk) == before


@every_clearing_way
def test_out_of_criteria_on_a_call_stays_so_and_no_reset_reopens_it(options: dict[str, str]) -> None:
    desk = Desk()
    desk.bring_in(HEAD + rows(1))
    talk = Talk(programme=desk.programme, prospect=by_id(1)).greeted()
    talk.disposed("callback", callback_at=talk.at + DAY)
    heard: dict[str, Any] = {"criterion": talk.criterion, "result": Result.MISMATCH, "heard": "un garage"}
    answer_criterion(**heard, **talk.by())
    talk.hung_up().disposed("out_of_criteria")
    desk.campaign, before = talk.campaign, bars()
    assert Callback.objects.get().state == CallbackState.EXCLUDED

    desk.bring_in(again(1), at=LATER, **options)
    desk.bring_in(again(1).replace("01 99 00 10 01", "01 99 00 30 01"), at=LATER, **options)
    reset_list(campaign=talk.campaign, by=desk.manager, at=LATER, reason="Reprise", include_done=True)

    assert talk.entry.state == EntryState.EXCLUDED
    assert Callback.objects.get().state == CallbackState.EXCLUDED
    assert bars()[: len(before)] == before


@every_clearing_way
def test_a_withdrawal_stands_against_a_file_that_says_yes(options: dict[str, str]) -> None:
    desk = Desk()
    desk.bring_in(HEAD + rows(1, 2))
    sponsor, person = desk.programme.sponsor, by_id(1)
    given: dict[str, Any] = {"sponsor": sponsor, "by": desk.manager}
    record_consent(
        prospect=person, given_at=NOW - DAY, exact_text="D'accord.", channel="papier", at=NOW, **given
    )
    withdraw_consent(prospect=person, how=Withdrawal.ORAL, at=NOW, **given)
    before = list(Consent.objects.filter(prospect=person).order_by("pk").values())
    head = "SIRET;Raison sociale;Téléphone;Consentement;Date du consentement\n"

    told = "".join(f"{n};Banque {n};01 99 00 10 {n:02d};oui;24/11/2026\n" for n in (1, 2, 1))
    columns = {"Consentement": "consent", "Date du consentement": "consent_at"}
    desk.bring_in(head + told, at=LATER, mapping=columns, **options)

    assert list(Consent.objects.filter(prospect=person).order_by("pk").values()) == before
    valid = Consent.objects.valid(LATER).filter(sponsor=sponsor)
    assert set(valid.values_list("prospect", flat=True)) == {by_id(2).pk}


def test_a_refused_consent_is_an_objection() -> None:
    desk = Desk()
    head = "SIRET;Raison sociale;Téléphone;Consentement téléphonique\n"
    told = ("oui", "non", "refuse tout appel", "", "non renseigné")

    job = desk.bring_in(
        head + "".join(f"{n};Banque {n};01 99 00 10 {n:02d};{cell}\n" for n, cell in enumerate(told, 1))
    )

    assert job.mapping["Consentement téléphonique"] == "consent"
    assert (job.counts["excluded_by_file"], job.counts["consents"]["withdrawn"]) == (2, 2)
    barred = ListEntry.objects.filter(state=EntryState.EXCLUDED).order_by("prospect__external_id")
    assert list(barred.values_list("prospect__external_id", flat=True)) == ["2", "3"]


@every_way
def test_what_was_corrected_on_a_call_outranks_the_same_file(options: dict[str, str]) -> None:
    desk = Desk()
    text = HEAD + rows(1) + rows(2, city="")
    desk.bring_in(text)
    for n in (1, 2):
        corrected = {"organisation": "Banque Noël", "city": "Nancy", "sector": "6420Z"}
        phones = [PhoneInput("01 99 00 77 77")]
        edit_prospect(prospect=by_id(n), data=corrected, phones=phones, by=desk.manager, at=NOW)

    desk.bring_in(text, at=LATER, **options)

    for n in (1, 2):
        person = by_id(n)
        assert (person.organisation, person.city, person.sector) == ("Banque Noël", "Nancy", "6420Z")
        assert list(person.phones.values_list("number", flat=True)) == ["+33199007777"]


@every_clearing_way
def test_undoing_an_import_lifts_no_bar_that_was_there_before(options: dict[str, str]) -> None:
    desk = Desk()
    desk.bring_in(HEAD + rows(1, 2))
    exclude(**scoped(desk, "sponsor"), prospect=by_id(1), reason="opposition", by=desk.manager, at=NOW)
    before, barred = standing(desk), bars()

    job = desk.bring_in(again(1, 2), at=LATER, **options)
    undo_import(job=job, by=desk.manager, at=LATER)

    assert standing(desk) == before
    assert bars() == barred
