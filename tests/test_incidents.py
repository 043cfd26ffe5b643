"""What a supervisor decides on an incident, once, and what follows."""

import pytest

from calls.enums import CallEventKind, CallState, Decision, IncidentKind
from calls.models import Call, Incident, IncidentDecision
from calls.rules.decisions import DECISIONS_OF, decisions_of
from calls.selectors.call_screen import screen_of
from calls.selectors.inbox import InboxFilter, incidents_found, item_of
from calls.services.claim import claim_next
from calls.services.dispositions import ask_correction
from calls.services.errors import Forbidden, Invalid, InvalidTransition, ProspectExcluded
from calls.services.incidents import close_call, decide, resource
from calls.services.lease import expire_leases
from calls.services.situations import enter_stage
from calls.services.supervisor import ask_supervisor
from calls.services.talk import greet
from campaigns.enums import EntryState
from campaigns.models import Exclusion
from crm.enums import EventKind
from crm.models import Sponsor
from tests.factories import NOW, make_entry, make_exclusion, make_prospect, make_user, next_number
from tests.rawsql import execute, refused
from tests.talking import Talk

WHY = "vérifié avec le standard"


def other_organisation(talk: Talk) -> Talk:
    """Go on to a call that another organisation answered."""
    talk.answered()
    greet(answered_by="other", heard="boulangerie Martin", **talk.by())
    return talk.said("apologise", "thank", "goodbye").hung_up().disposed("out_of_criteria")


@pytest.mark.parametrize("kind", IncidentKind.values)
def test_every_kind_of_incident_can_be_decided(kind: str) -> None:
    assert DECISIONS_OF[kind]
    assert Decision.REOPEN not in decisions_of(kind, managing=False)


@pytest.mark.django_db
def test_an_agent_calls_the_supervisor_once_and_comes_first_in_the_inbox() -> None:
    earlier = Talk().mismatched().hung_up("agent")
    talk = Talk().greeted()

    ask_supervisor(**talk.by(), words="Elle demande un responsable")
    ask_supervisor(**talk.by())

    waiting = incidents_found(Sponsor.objects.all(), InboxFilter(), at=NOW)
    assert [incident.call for incident in waiting] == [talk.call, earlier.call]
    assert waiting[0].summary == "Elle demande un responsable"
    assert talk.told().count(CallEventKind.SUPERVISOR_ASKED) == 1
    assert screen_of(talk.read(), talk.at).help_asked_at is not None


@pytest.mark.django_db
def test_what_is_told_after_the_supervisor_was_called_reaches_the_same_request_once() -> None:
    talk = Talk().greeted()
    ask_supervisor(**talk.by())

    for words in ("Facture 12 contestée", " Facture 12 contestée ", ""):
        ask_supervisor(**talk.by(), words=words)

    incident = Incident.objects.get(call=talk.call)
    item = item_of(Sponsor.objects.all(), incident.pk, reader=talk.supervisor)
    assert item is not None
    assert item.added == ["Facture 12 contestée"]


@pytest.mark.django_db
def test_nobody_calls_the_supervisor_before_somebody_answered_or_after_the_call() -> None:
    early, late = Talk().dialled(), Talk().matched().disposed("complete").said("thank", "goodbye")
    late.hung_up().disposed("complete")

    for talk in (early, late):
        with pytest.raises(InvalidTransition):
            ask_supervisor(**talk.by())

    assert not Incident.objects.exists()


@pytest.mark.django_db
def test_the_others_on_a_switchboard_may_be_called_once_the_supervisor_says_so() -> None:
    number = next_number()
    talk = Talk(prospect=make_prospect(number))
    neighbour = make_entry(talk.campaign, make_prospect(number))
    talk.mismatched()
    question = Incident.objects.get(kind=IncidentKind.SHARED_NUMBER)

    decide(incident=question, decision=Decision.ALLOW_OTHERS, reason=WHY, by=talk.supervisor, at=talk.at)

    neighbour.refresh_from_db()
    assert neighbour.state == EntryState.READY
    assert talk.entry.state == EntryState.EXCLUDED
    assert list(Exclusion.objects.active().values_list("prospect", "number")) == [(talk.prospect.pk, None)]
    assert not Incident.objects.waiting().exists()


@pytest.mark.django_db
def test_keeping_the_bar_changes_nothing_and_answers_the_question() -> None:
    number = next_number()
    talk = Talk(prospect=make_prospect(number))
    neighbour = make_entry(talk.campaign, make_prospect(number))
    talk.mismatched()

    decide(
        incident=Incident.objects.get(), decision=Decision.KEEP_BAR, reason="", by=talk.supervisor, at=talk.at
    )

    neighbour.refresh_from_db()
    assert neighbour.state == EntryState.EXCLUDED
    assert EventKind.INCIDENT in talk.timeline()


@pytest.mark.django_db
def test_the_same_decision_twice_is_one_and_another_is_refused() -> None:
    talk = Talk().mismatched().hung_up("agent")
    review = Incident.objects.get()

    for _press in range(2):
        decide(incident=review, decision=Decision.SUPPORT_AGENT, reason="", by=talk.supervisor, at=talk.at)
    with pytest.raises(InvalidTransition, match="déjà"):
        decide(incident=review, decision=Decision.NOTHING, reason="", by=talk.supervisor, at=talk.at)

    assert IncidentDecision.objects.get().decision == Decision.SUPPORT_AGENT


@pytest.mark.django_db
def test_agents_decide_nothing() -> None:
    talk = Talk().mismatched().hung_up("agent")

    with pytest.raises(Forbidden):
        decide(
            incident=Incident.objects.get(), decision=Decision.NOTHING, reason="", by=talk.agent, at=talk.at
        )


@pytest.mark.django_db
@pytest.mark.parametrize("decision", ["allow_others", "nonsense", "ban"])
def test_a_decision_that_does_not_fit_the_incident_is_refused(decision: str) -> None:
    talk = Talk().mismatched().hung_up("agent")

    with pytest.raises(Invalid) as refused:
        decide(incident=Incident.objects.get(), decision=decision, reason=WHY, by=talk.manager, at=talk.at)

    assert "decision" in refused.value.fields


@pytest.mark.django_db
def test_another_correction_of_what_was_corrected_is_refused_and_not_passed_over() -> None:
    talk = Talk().mismatched().hung_up().disposed("out_of_criteria")
    ask_correction(reason="mauvaise touche", **talk.by())
    asked = Incident.objects.get(kind=IncidentKind.ENTRY_ERROR)
    correct, by = Decision.CORRECT, talk.supervisor

    for _press in range(2):
        decide(incident=asked, decision=correct, reason=WHY, code="no_answer", by=by, at=talk.at)
    with pytest.raises(InvalidTransition, match="déjà"):
        decide(incident=asked, decision=correct, reason=WHY, code="refusal", by=by, at=talk.at)

    assert Call.objects.get(pk=talk.call.pk, disposition__code="no_answer")


@pytest.mark.django_db
def test_an_entry_error_is_corrected_from_the_inbox() -> None:
    talk = Talk().mismatched().hung_up()
    ask_correction(reason="mauvaise touche", **talk.by())
    asked = Incident.objects.get(kind=IncidentKind.ENTRY_ERROR)

    with pytest.raises(Invalid) as refused:
        decide(incident=asked, decision=Decision.CORRECT, reason=WHY, by=talk.supervisor, at=talk.at)
    decide(
        incident=asked,
        decision=Decision.CORRECT,
        reason=WHY,
        code="not_interested",
        by=talk.supervisor,
        at=talk.at,
    )

    assert "code" in refused.value.fields
    assert talk.read().disposition is not None
    assert talk.call.disposition.code == "not_interested"  # type: ignore[union-attr]
    assert not Exclusion.objects.active().exists()


@pytest.mark.django_db
def test_a_refused_correction_leaves_the_mismatch() -> None:
    talk = Talk().mismatched().hung_up()
    ask_correction(reason="mauvaise touche", **talk.by())

    decide(
        incident=Incident.objects.get(),
        decision=Decision.REFUSE,
        reason="non",
        by=talk.supervisor,
        at=talk.at,
    )

    assert Exclusion.objects.active().exists()


@pytest.mark.django_db
@pytest.mark.parametrize("stage", ["dialled", "answered", "greeted", "mismatched"])
def test_a_call_left_open_is_closed_by_the_supervisor_and_frees_its_agent(stage: str) -> None:
    talk: Talk = getattr(Talk(), stage)()
    expire_leases(at=talk.read().lease_until.replace(year=talk.at.year + 1))
    left = Incident.objects.get(kind=IncidentKind.EXPIRED_CALL)

    decide(
        incident=left, decision=Decision.CLOSE_CALL, reason="poste en panne", by=talk.supervisor, at=talk.at
    )

    assert talk.read().state == CallState.DONE
    assert talk.call.disposition is not None
    expected = "out_of_criteria" if stage == "mismatched" else "technical"
    assert talk.call.disposition.code == expected
    claim_next(campaign=talk.campaign, by=talk.agent, at=talk.at)


@pytest.mark.django_db
def test_a_call_left_open_takes_the_disposition_that_the_supervisor_knows() -> None:
    talk = Talk().greeted()

    close_call(code="not_interested", reason="l'agent l'a dit", **talk.by(talk.supervisor))
    close_call(code="not_interested", reason="l'agent l'a dit", **talk.by(talk.supervisor))

    assert talk.read().state == CallState.DONE
    assert talk.call.hung_up_by == "unknown"
    assert talk.entry.state == EntryState.DONE


@pytest.mark.django_db
def test_an_abusive_number_is_banned_everywhere_by_the_only_manager() -> None:
    talk = Talk().greeted()
    enter_stage(situation="aggressive", stage=3, **talk.by())
    abuse = Incident.objects.get(kind=IncidentKind.ABUSE)

    decide(incident=abuse, decision=Decision.BAN, reason="menaces", by=talk.manager, at=talk.at)

    ban = Exclusion.objects.get(reason="ban")
    assert (ban.scope, ban.number) == ("everywhere", talk.call.number)


@pytest.mark.django_db
def test_a_fiche_whose_number_reached_somebody_else_is_reopened_on_another_number() -> None:
    talk = other_organisation(Talk())
    asked = Incident.objects.get(kind=IncidentKind.RESOURCING)

    with pytest.raises(Forbidden):
        decide(
            incident=asked,
            decision=Decision.REOPEN,
            reason=WHY,
            number="0261910042",
            by=talk.supervisor,
            at=talk.at,
        )
    decide(
        incident=asked,
        decision=Decision.REOPEN,
        reason=WHY,
        number="02 61 91 00 42",
        by=talk.manager,
        at=talk.at,
    )

    entry = talk.entry
    assert (entry.state, entry.number) == (EntryState.READY, "+33261910042")
    assert list(talk.prospect.phones.values_list("number", flat=True)) == ["+33261910042", talk.call.number]
    assert list(Exclusion.objects.active().values_list("number", flat=True)) == [talk.call.number]
    served = claim_next(campaign=talk.campaign, by=make_user(), at=talk.at)
    assert served is not None
    assert served.number == "+33261910042"


@pytest.mark.django_db
def test_a_fiche_is_not_reopened_on_a_number_that_is_barred_too() -> None:
    talk = other_organisation(Talk())
    make_exclusion(sponsor=talk.programme.sponsor, number="+33261910043")

    with pytest.raises(ProspectExcluded):
        resource(
            prospect=talk.prospect, campaign=talk.campaign, number="02 61 91 00 43", reason=WHY, by=talk.manager,
            at=talk.at,
        )  # fmt: skip

    assert talk.entry.state == EntryState.EXCLUDED
    assert Exclusion.objects.active().filter(prospect=talk.prospect).exists()


@pytest.mark.django_db
def test_a_fiche_is_not_reopened_on_the_number_that_reached_somebody_else() -> None:
    talk = other_organisation(Talk())

    with pytest.raises(ProspectExcluded):
        resource(
            prospect=talk.prospect, campaign=talk.campaign, number=talk.call.number, reason=WHY, by=talk.manager,
            at=talk.at,
        )  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize(("number", "reason"), [("112", WHY), ("02 61 91 00 44", " ")])
def test_reopening_needs_a_number_and_a_reason(number: str, reason: str) -> None:
    talk = other_organisation(Talk())

    with pytest.raises(Invalid):
        resource(
            prospect=talk.prospect,
            campaign=talk.campaign,
            number=number,
            reason=reason,
            by=talk.manager,
            at=talk.at,
        )


@pytest.mark.django_db
def test_somebody_who_refused_is_not_called_on_another_number() -> None:
    talk = Talk().greeted().disposed("refusal").said("thank", "goodbye").hung_up().disposed("refusal")

    with pytest.raises(ProspectExcluded):
        resource(
            prospect=talk.prospect, campaign=talk.campaign, number="02 61 91 00 45", reason=WHY, by=talk.manager,
            at=talk.at,
        )  # fmt: skip


@pytest.mark.django_db
def test_the_database_keeps_the_mark_of_what_waits_with_its_decision() -> None:
    talk = Talk().mismatched().hung_up("agent")
    incident = Incident.objects.get()

    with refused("incident_append_only"):
        execute("UPDATE calls_incident SET waiting = false")
    decide(incident=incident, decision=Decision.NOTHING, reason="", by=talk.supervisor, at=talk.at)

    assert not Incident.objects.get().waiting
    for sql in (
        "UPDATE calls_incident SET waiting = true",
        "UPDATE calls_incident SET summary = 'autre', waiting = false",
    ):
        with refused("incident_append_only"):
            execute(sql)
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    columns = "kind, sponsor_id, prospect_id, summary, data, at, waiting"
    execute(
        f"INSERT INTO calls_incident ({columns}) SELECT 'other', sponsor_id, prospect_id, '', '{{}}', at, false"
        " FROM calls_incident"
    )
    assert Incident.objects.get(kind="other").waiting
