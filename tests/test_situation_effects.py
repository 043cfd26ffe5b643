"""What a delicate situation does beside its words: for the supervisor, the fiche, the lists, the next call."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from calls.enums import CallbackState, CallEventKind, CallState, IncidentKind, Result, SituationEffect
from calls.models import Call, Callback, Incident, Situation, SituationMark, Stage
from calls.rules.quick_times import quick_time
from calls.rules.suspicions import is_suspect
from calls.selectors.call_screen import screen_of
from calls.selectors.listed_calls import listed_calls
from calls.selectors.situations import Met, list_standing, met_by_source, standings_of
from calls.services.claim import claim_next
from calls.services.dispositions import finish
from calls.services.line import ask_hang_up
from calls.services.notes import write_note
from calls.services.situation_effects import Asked, apply_effect
from calls.services.situations import enter_stage, leave_situation, mark_driving
from calls.services.talk import answer_criterion
from campaigns.models import CallList, Exclusion, ListEntry
from crm.enums import Role
from crm.models import Prospect, ProspectLook, Source
from crm.rules.errors import ClosingRequired, Invalid, InvalidTransition, NotFound
from tests.factories import make_campaign, make_entry, make_programme, make_prospect, make_user
from tests.talking import Talk

pytestmark = pytest.mark.django_db


def situation(effect: str, *, may_end: bool = False) -> str:
    """Make a playbook of two stages with this effect, the last of which may end the call; returns its code."""
    row = Situation.objects.create(code=f"test-{effect}", label=f"Essai {effect}", effect=effect)
    for position in (1, 2):
        Stage.objects.create(
            situation=row,
            position=position,
            say={"fr": ["Bien."], "en": ["Well."]},
            may_end=may_end and position == 2,
        )
    return row.code


def met(effect: str, talk: Talk | None = None, **more: Any) -> tuple[Talk, str]:
    """Return a call in which the situation of this effect was opened, and its code."""
    talk = talk or Talk().greeted()
    code = situation(effect, **more)
    enter_stage(situation=code, stage=1, **talk.by())
    return talk, code


def done(talk: Talk, code: str, **asked: Any) -> Call:
    """Make the gesture of the situation, and read the call anew."""
    apply_effect(situation=code, asked=Asked(**asked), **talk.by())
    return talk.read()


@pytest.mark.parametrize(
    ("effect", "kind"),
    [
        (SituationEffect.POLICY, IncidentKind.POLICY),
        (SituationEffect.COMPLAINT, IncidentKind.COMPLAINT),
        (SituationEffect.BOSS, IncidentKind.HELP),
    ],
)
def test_what_the_person_said_goes_to_who_must_know_once(effect: str, kind: str) -> None:
    talk, code = met(effect)

    done(talk, code, words="  Votre délai de quinze jours est absurde. ")
    done(talk, code, words="  Votre délai de quinze jours est absurde. ")

    incident = Incident.objects.get(call=talk.call)
    assert (incident.kind, incident.summary) == (kind, "Votre délai de quinze jours est absurde.")
    assert talk.told().count(CallEventKind.SITUATION_EFFECT) == 1


@pytest.mark.parametrize("effect", [SituationEffect.POLICY, SituationEffect.COMPLAINT])
def test_an_objection_or_a_complaint_without_words_is_asked_for_them(effect: str) -> None:
    talk, code = met(effect)

    with pytest.raises(Invalid) as refusal:
        done(talk, code, words="  ")

    assert "words" in refusal.value.fields
    assert not Incident.objects.filter(call=talk.call).exists()


def test_of_a_vulnerable_person_nothing_is_written_but_that_the_sale_stopped() -> None:
    talk, code = met(SituationEffect.VULNERABLE)

    done(talk, code, words="elle a l'air perdue et malade")

    incident = Incident.objects.get(call=talk.call)
    assert (incident.kind, incident.summary) == (IncidentKind.VULNERABLE, "")


@pytest.mark.parametrize("effect", [SituationEffect.VULNERABLE, SituationEffect.DANGER])
def test_once_the_sale_is_stopped_nothing_carries_it_through(effect: str) -> None:
    talk, code = met(effect)
    answer_criterion(criterion=talk.criterion, result=Result.MATCH, heard="", **talk.by())
    if effect == SituationEffect.VULNERABLE:
        done(talk, code)

    for disposition in ("complete", "appointment"):
        with pytest.raises(InvalidTransition, match="La vente est arrêtée"):
            talk.disposed(disposition, callback_at=talk.at + timedelta(days=1), exact=True)

    offered = {row.code for row in screen_of(talk.read(), talk.at).dispositions}
    listed = {row.code for row in listed_calls([talk.call], talk.at)[talk.call.pk].dispositions}
    assert offered == listed
    assert offered & {"complete", "appointment", "callback", "not_interested"} == {
        "callback",
        "not_interested",
    }
    talk.disposed("not_interested")
    assert talk.read().disposition_id is not None


def test_a_request_for_ones_data_is_due_within_a_month() -> None:
    talk, code = met(SituationEffect.ORIGIN)

    done(talk, code)

    incident = Incident.objects.get(call=talk.call)
    assert incident.kind == IncidentKind.RIGHTS
    assert incident.data["due"] == (talk.at + timedelta(days=30)).date().isoformat()


def test_somebody_who_speaks_of_dying_is_told_of_at_once_and_the_call_may_not_be_ended() -> None:
    talk, code = met(SituationEffect.DANGER)

    assert Incident.objects.get(call=talk.call).kind == IncidentKind.DANGER
    enter_stage(situation=code, stage=2, **talk.by())
    with pytest.raises(ClosingRequired):
        ask_hang_up(**talk.by())
    assert Incident.objects.filter(call=talk.call).count() == 1


def test_somebody_who_speaks_of_dying_is_called_by_nobody_again() -> None:
    talk = Talk().greeted()
    waiting = make_entry(make_campaign(make_programme()), talk.prospect)

    _talk, code = met(SituationEffect.DANGER, talk)
    enter_stage(situation=code, stage=2, **talk.by())
    waiting.refresh_from_db()
    talk.disposed("callback", callback_at=talk.at + timedelta(days=1), exact=True)

    bar = Exclusion.objects.get(prospect=talk.prospect)
    assert (bar.scope, bar.reason, bar.number) == ("everywhere", "other", talk.call.number)
    assert waiting.state == "excluded"
    assert talk.entry.state == "excluded"
    assert not Callback.objects.filter(state=CallbackState.OPEN).exists()


@pytest.mark.parametrize(("effect", "shown"), [(SituationEffect.BOSS, True), (SituationEffect.DANGER, False)])
def test_nothing_is_offered_beside_what_is_said_to_somebody_in_distress(
    client: Client, effect: str, shown: bool
) -> None:
    talk, _code = met(effect, Talk(may_offer="Le résumé de l'enquête.").greeted())
    client.force_login(talk.agent)

    page = client.get(reverse("call", args=[talk.call.pk])).content.decode()

    assert ("stage__mandate" in page) == shown


def test_a_stage_that_is_refused_bars_nobody() -> None:
    code = situation(SituationEffect.DANGER)
    talk = Talk().greeted()

    with pytest.raises(NotFound):
        enter_stage(situation=code, stage=1, **talk.by(make_user(Role.AGENT)))

    assert not Exclusion.objects.exists()


def test_a_driving_person_gets_a_time_and_is_let_go() -> None:
    code = situation(SituationEffect.DRIVING, may_end=True)
    talk = Talk().greeted()
    mark_driving(**talk.by())
    call = done(talk, code, when="hour")

    assert call.state == CallState.CLOSING
    due = Callback.objects.get(call=call).due_at
    assert abs(due - talk.at - timedelta(hours=1)) < timedelta(minutes=5)
    ask_hang_up(**talk.by())
    talk.hung_up("agent")
    assert not Incident.objects.filter(call=call).exists()


def test_the_language_is_kept_and_only_who_speaks_it_is_served_the_record_again() -> None:
    talk, code = met(SituationEffect.LANGUAGE)

    done(talk, code, language="ar", when="morning")
    talk.said("thank", "goodbye").hung_up()
    finish(**talk.by())

    assert Prospect.objects.get(pk=talk.prospect.pk).language == "ar"
    assert talk.entry.language == "ar"
    assert talk.entry.due_at == Callback.objects.get(call=talk.call).due_at
    due = talk.entry.due_at + timedelta(minutes=1)
    assert claim_next(campaign=talk.campaign, by=make_user(Role.AGENT, languages=["fr"]), at=due) is None
    speaker = make_user(Role.AGENT, languages=["fr", "ar"])
    served = claim_next(campaign=talk.campaign, by=speaker, at=due)
    assert served is not None
    assert served.prospect_id == talk.prospect.pk


def test_a_language_without_a_name_is_asked_for() -> None:
    talk, code = met(SituationEffect.LANGUAGE)

    with pytest.raises(Invalid):
        done(talk, code)

    assert talk.read().disposition_id is None


def test_the_preferred_channel_goes_to_the_fiche() -> None:
    talk, code = met(SituationEffect.CHANNEL)

    done(talk, code, channel="relay")

    assert Prospect.objects.get(pk=talk.prospect.pk).preferred_channel == "relay"
    with pytest.raises(Invalid):
        done(talk, code, channel="pigeon")


def test_a_well_known_person_is_masked_and_the_look_of_who_did_it_is_written_down() -> None:
    talk, code = met(SituationEffect.CONFIDENTIAL)

    done(talk, code)

    assert Prospect.objects.get(pk=talk.prospect.pk).confidential
    assert ProspectLook.objects.get(prospect=talk.prospect).by == talk.agent


def test_the_bereaved_are_never_called_again_by_anybody_and_nothing_stays_promised() -> None:
    talk = Talk().greeted()
    elsewhere = make_campaign(make_programme())
    promised = make_entry(elsewhere, talk.prospect, state="callback")
    Callback.objects.create(
        entry=promised,
        campaign=elsewhere,
        prospect=talk.prospect,
        due_at=talk.at + timedelta(days=1),
        created_by=talk.manager,
        created_at=talk.at,
    )
    _talk, code = met(SituationEffect.BEREAVEMENT, talk)

    call = done(talk, code)

    assert (call.state, call.disposition and call.disposition.code) == (CallState.CLOSING, "deceased")
    said = [step.text for step in screen_of(call, talk.at).steps]
    assert said[0] == "Je vous présente mes condoléances, et toutes mes excuses pour cet appel."
    assert not any("bonne journée" in text or "devais appeler" in text for text in said)
    assert Exclusion.objects.active().get(prospect=talk.prospect).scope == "everywhere"
    assert ListEntry.objects.get(pk=promised.pk).state == "excluded"
    assert Callback.objects.get(entry=promised).state == CallbackState.EXCLUDED


def test_do_not_call_me_again_bars_the_sponsor_and_begins_the_closing_at_once() -> None:
    talk, code = met(SituationEffect.OPT_OUT)
    waiting = make_entry(make_campaign(make_programme(talk.programme.sponsor)), talk.prospect)

    call = done(talk, code)

    assert call.state == CallState.CLOSING
    assert {row.scope for row in Exclusion.objects.active().filter(call_ref=call.pk)} == {"sponsor"}
    assert ListEntry.objects.get(pk=waiting.pk).state == "excluded"


def test_a_child_is_called_again_later_and_nothing_else() -> None:
    talk, code = met(SituationEffect.MINOR)

    call = done(talk, code, words="Léa, dix ans")

    assert call.disposition is not None
    assert call.disposition.code == "minor"
    with pytest.raises(InvalidTransition):
        write_note(text="Léa, dix ans", **talk.by())
    talk.said("thank", "goodbye").hung_up()
    assert talk.entry.state == "ready"
    assert "Léa" not in str(list(call.events.values_list("data", flat=True)))


def test_only_the_open_situation_is_acted_on() -> None:
    talk, code = met(SituationEffect.OPT_OUT)
    leave_situation(**talk.by())

    with pytest.raises(InvalidTransition):
        done(talk, code)

    assert talk.read().disposition_id is None


def test_a_situation_of_words_alone_has_nothing_to_do() -> None:
    talk, code = met(SituationEffect.ANGER)

    with pytest.raises(InvalidTransition):
        done(talk, code, words="x")


def test_a_situation_is_counted_once_a_call_for_its_list_and_source() -> None:
    talk = Talk()
    call_list = CallList.objects.create(campaign=talk.campaign, name="Novembre", created_at=talk.at)
    ListEntry.objects.filter(pk=talk.entry_id).update(call_list=call_list)
    talk.greeted()
    code = situation(SituationEffect.LOST)
    for stage in (1, 2, 1):
        enter_stage(situation=code, stage=stage, **talk.by())

    standing = list_standing(call_list.pk, SituationEffect.LOST)
    assert (standing.met, standing.talks, standing.share) == (1, 1, 100)
    assert met_by_source(Source.objects.all()) == {talk.prospect.source_id: Met(lost=1)}
    assert [row.call_list for row in standings_of(talk.campaign)] == [call_list.pk]


@pytest.mark.parametrize(
    ("count", "talks", "suspect"),
    [(4, 4, False), (5, 50, True), (5, 51, False), (6, 60, True), (0, 0, False)],
)
def test_a_list_is_suspected_from_five_calls_and_a_tenth_of_its_conversations(
    count: int, talks: int, suspect: bool
) -> None:
    assert is_suspect(count, talks) is suspect


def test_a_list_where_another_language_is_spoken_is_told_of_once_with_its_share() -> None:
    code = situation(SituationEffect.LANGUAGE)
    talk = Talk()
    call_list = CallList.objects.create(campaign=talk.campaign, name="Novembre", created_at=talk.at)
    for number in range(7):
        if number:
            entry = make_entry(talk.campaign, make_prospect())
            talk.agent = make_user(Role.AGENT, languages=["fr"])
            claimed = claim_next(campaign=talk.campaign, by=talk.agent, at=talk.at)
            assert claimed is not None
            talk.call, talk.entry_id = Call.objects.get(pk=claimed.pk), entry.pk
        ListEntry.objects.filter(calls=talk.call).update(call_list=call_list)
        talk.greeted()
        enter_stage(situation=code, stage=1, **talk.by())

    told = Incident.objects.get(kind=IncidentKind.LIST_LANGUAGE)
    assert (told.data["call_list"], told.data["met"], told.data["talks"]) == (call_list.pk, 5, 5)


def test_a_list_cannot_be_told_of_twice_even_by_hand() -> None:
    rows = [Talk().greeted().read() for _number in range(2)]
    facts = {"kind": IncidentKind.LIST_LOST, "data": {"call_list": 7}, "at": rows[0].started_at}
    sponsor = rows[0].campaign.programme.sponsor
    Incident.objects.create(call=rows[0], sponsor=sponsor, **facts)

    with pytest.raises(IntegrityError), transaction.atomic():
        Incident.objects.create(call=rows[1], sponsor=sponsor, **facts)


@pytest.mark.parametrize("table", ["calls_situationmark", "crm_prospectlook"])
@pytest.mark.parametrize("change", ["UPDATE {table} SET at = now()", "DELETE FROM {table}"])
def test_what_was_met_and_who_looked_stays_as_it_was(table: str, change: str) -> None:
    talk, code = met(SituationEffect.CONFIDENTIAL)
    done(talk, code)
    met(SituationEffect.LOST, talk)
    assert SituationMark.objects.exists()

    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change.format(table=table))


@pytest.mark.parametrize(
    ("now", "code", "then"),
    [
        ("2026-11-26T14:03:20+01:00", "hour", "2026-11-26T15:05:00+01:00"),
        ("2026-11-26T14:05:00+01:00", "hour", "2026-11-26T15:05:00+01:00"),
        ("2026-11-26T14:03:20+01:00", "evening", "2026-11-26T18:00:00+01:00"),
        ("2026-11-26T17:30:00+01:00", "evening", "2026-11-27T18:00:00+01:00"),
        ("2026-11-26T23:59:00+01:00", "morning", "2026-11-27T10:00:00+01:00"),
        # The clocks go forward in the night: ten o'clock stays ten o'clock.
        ("2027-03-27T15:00:00+01:00", "morning", "2027-03-28T10:00:00+02:00"),
    ],
)
def test_a_time_of_one_key_is_by_the_clock_of_the_person(now: str, code: str, then: str) -> None:
    assert quick_time(code, datetime.fromisoformat(now), "Europe/Paris") == datetime.fromisoformat(then)
