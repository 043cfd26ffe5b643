"""Follow-ups by e-mail: written on a call, sent once by a worker, kept in the timeline, never to who said no."""

from collections.abc import Iterator
from datetime import timedelta
from socket import socket
from typing import Any
from uuid import uuid4

import pytest
from aiosmtpd.controller import Controller
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from calls.enums import FollowUpState
from calls.models import FollowUp
from calls.rules.sending import MAX_ATTEMPTS, retry_after
from calls.services.erasure import erase_prospect
from calls.services.follow_ups import PersonOpposed, send_due, send_follow_up, write_follow_up
from campaigns.enums import ExclusionReason
from campaigns.models import Change, FollowUpTemplate
from campaigns.services.follow_ups import save_follow_up_template
from crm.enums import Role
from crm.models import Prospect
from crm.rules.errors import Forbidden, Invalid, InvalidTransition
from tests.factories import NOW, make_exclusion, make_user
from tests.talking import Talk
from tests.test_call_screen import HTMX, Story

pytestmark = pytest.mark.django_db

ADDRESS = "contact@banque.example"


@pytest.fixture(autouse=True)
def offered(settings: Settings) -> None:
    settings.EMAIL_OFFERED = True


def make_template(campaign: Any, **fields: Any) -> FollowUpTemplate:
    return FollowUpTemplate.objects.create(
        **{
            "campaign": campaign,
            "name": "Suite",
            "subject": "Suite à notre appel, {organisation}",
            "body": "Bonjour,\n\nvoici {subject}.",
            **fields,
        }
    )


def talking(**fields: Any) -> Talk:
    talk = Talk().greeted()
    source = talk.prospect.source
    source.spoken_origin, source.rights_contact = "l'annuaire public", "droits@donneur.example"
    source.save()
    Prospect.objects.filter(pk=talk.prospect.pk).update(**{"email": ADDRESS, **fields})
    return talk


def written(talk: Talk, **fields: Any) -> FollowUp:
    template = talk.campaign.follow_up_templates.first() or make_template(talk.campaign)
    told = {"template_id": template.pk, "to": ADDRESS, "key": uuid4(), **fields}
    return write_follow_up(**told, **talk.by())


def test_a_message_is_written_with_its_signature_and_sent_once() -> None:
    talk = talking()
    row = written(talk)

    assert send_due(at=talk.at) == 1
    assert send_due(at=talk.at + timedelta(days=1)) == 0

    (sent,) = mail.outbox
    assert sent.to == [ADDRESS]
    assert sent.subject == "Suite à notre appel, Banque de l'Ouest"
    assert "voici une enquête sur les services bancaires." in sent.body
    assert f"pour {talk.programme.sponsor.name}" in sent.body
    assert "Nous avons eu vos coordonnées par l'annuaire public" in sent.body
    assert "Répondez « stop » à cet e-mail, ou écrivez à droits@donneur.example." in sent.body
    assert sent.extra_headers["Message-ID"].startswith(f"<follow-up-{row.key}@")
    row.refresh_from_db()
    assert row.state == FollowUpState.SENT
    assert talk.timeline().count("follow_up") == 1


def test_an_address_that_differs_corrects_the_fiche() -> None:
    talk = talking(email="")

    written(talk, to="direction@banque.example")

    assert Prospect.objects.get(pk=talk.prospect.pk).email == "direction@banque.example"
    assert "edited" in talk.timeline()


def test_the_same_form_sent_twice_writes_once() -> None:
    talk, key = talking(), uuid4()

    assert written(talk, key=key) == written(talk, key=key)
    assert FollowUp.objects.count() == 1


@pytest.mark.parametrize("reason", ["opposition", "refusal", "ban", "deceased", "minor"])
def test_nobody_writes_to_a_person_who_said_no(reason: str) -> None:
    talk = talking()
    make_exclusion(sponsor=talk.programme.sponsor, prospect=talk.prospect, reason=reason)

    with pytest.raises(PersonOpposed):
        written(talk)


def test_an_opposition_to_another_sponsor_does_not_count() -> None:
    talk, other = talking(), Talk()
    make_exclusion(sponsor=other.programme.sponsor, prospect=talk.prospect)

    assert written(talk).state == FollowUpState.QUEUED


def test_who_says_no_before_it_left_gets_nothing() -> None:
    talk = talking()
    row = written(talk)
    make_exclusion(sponsor=talk.programme.sponsor, number=talk.call.number, reason=ExclusionReason.OPPOSITION)

    assert send_due(at=talk.at) == 0

    row.refresh_from_db()
    assert row.state == FollowUpState.CANCELLED
    assert mail.outbox == []
    assert talk.timeline().count("follow_up") == 2


def test_an_erased_person_is_forgotten_here_too_and_gets_nothing() -> None:
    talk = talking()
    row = written(talk)
    talk.disposed("not_interested").said("thank", "goodbye").hung_up()
    talk.disposed("not_interested")
    talk.read()

    erase_prospect(prospect=talk.prospect, by=talk.manager, at=talk.at)

    row.refresh_from_db()
    assert (row.to, row.subject, row.body, row.state) == ("", "", "", FollowUpState.CANCELLED)
    assert send_due(at=talk.at + timedelta(days=1)) == 0
    assert mail.outbox == []


@pytest.mark.parametrize("address", ["", "personne", "a@b", "a@b.example\nBcc: c@d.example"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(Invalid):
        written(talking(), to=address)


def test_nothing_is_written_before_somebody_answered_nor_without_a_server(settings: Settings) -> None:
    early = Talk()
    Prospect.objects.filter(pk=early.prospect.pk).update(email=ADDRESS)
    with pytest.raises(InvalidTransition):
        written(early)

    settings.EMAIL_OFFERED = False
    with pytest.raises(InvalidTransition):
        written(talking())


def test_a_template_of_another_campaign_or_out_of_use_is_refused() -> None:
    talk = talking()

    with pytest.raises(Invalid):
        written(talk, template_id=make_template(Talk().campaign).pk)
    with pytest.raises(Invalid):
        written(talk, template_id=make_template(talk.campaign, name="Vieux", active=False).pk)


class Sink:
    """A mail server that keeps what it is given, or answers `code` to it."""

    def __init__(self) -> None:
        self.code = "250 OK"
        self.received: list[bytes] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.code.startswith("250"):
            self.received.append(envelope.content)
        return self.code


@pytest.fixture
def sink(settings: Settings) -> Iterator[Sink]:
    handler = Sink()
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    yield handler
    controller.stop()


def test_a_server_that_is_busy_gets_it_later_and_one_that_refuses_for_good_ends_it(sink: Sink) -> None:
    talk = talking()
    row = written(talk)
    sink.code = "451 plus tard"
    assert not send_follow_up(follow_up_id=row.pk, at=talk.at)
    row.refresh_from_db()
    assert (row.state, row.attempts) == (FollowUpState.QUEUED, 1)
    assert row.next_at > timezone.now()

    assert not send_follow_up(follow_up_id=row.pk, at=row.next_at - timedelta(seconds=1))
    sink.code = "250 OK"
    assert send_follow_up(follow_up_id=row.pk, at=row.next_at)
    assert len(sink.received) == 1

    other = written(talk)
    sink.code = "550 inconnu"
    assert not send_follow_up(follow_up_id=other.pk, at=talk.at)
    other.refresh_from_db()
    assert other.state == FollowUpState.FAILED
    assert "550" in other.error


def test_a_server_that_is_down_is_tried_again_and_given_up_in_the_end(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", 9, False
    row = written(talking())

    for _attempt in range(MAX_ATTEMPTS):
        row.refresh_from_db()
        send_follow_up(follow_up_id=row.pk, at=row.next_at)

    row.refresh_from_db()
    assert (row.state, row.attempts) == (FollowUpState.FAILED, MAX_ATTEMPTS)


def test_a_message_whose_worker_died_is_taken_again_under_the_same_name(sink: Sink) -> None:
    talk = talking()
    row = written(talk)
    FollowUp.objects.filter(pk=row.pk).update(state=FollowUpState.SENDING, claimed_at=talk.at, attempts=1)

    assert send_due(at=talk.at + timedelta(minutes=1)) == 0
    assert send_due(at=talk.at + timedelta(minutes=11)) == 1

    assert f"<follow-up-{row.key}@".encode() in sink.received[0]


def test_the_delays_grow_to_six_hours() -> None:
    delays = [retry_after(attempt) for attempt in range(1, MAX_ATTEMPTS + 1)]

    assert delays == sorted(delays)
    assert delays[0] == timedelta(minutes=1)
    assert delays[-1] <= timedelta(hours=6)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE calls_followup SET \"to\" = 'x@y.example'",
        "UPDATE calls_followup SET body = ''",
        "UPDATE calls_followup SET state = 'sent', sent_at = now()",
        "UPDATE calls_followup SET state = 'sending', sent_at = now()",
        "DELETE FROM calls_followup",
        "SET CONSTRAINTS ALL IMMEDIATE; TRUNCATE calls_followup",
    ],
)
def test_the_database_keeps_what_was_written_and_how_it_went(statement: str) -> None:
    written(talking())

    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


# ---- pages


def test_the_form_shows_the_message_and_sends_it(client: Client) -> None:
    story = Story()
    story.go("asked")
    template = make_template(story.campaign)
    client.force_login(story.agent)

    page = client.get(f"{story.url()}?follow=1").content.decode()
    sent = client.post(
        story.url("follow-ups"), {"template": template.pk, "email": ADDRESS, "key": uuid4()}, headers=HTMX
    )

    assert "Suite à notre appel" in page
    assert sent.status_code == 200
    assert f"part à {ADDRESS}" in sent.content.decode()
    assert FollowUp.objects.get().to == ADDRESS


def test_the_form_says_why_nothing_can_be_sent(client: Client) -> None:
    story = Story()
    story.go("asked")
    client.force_login(story.agent)

    without = client.get(f"{story.url()}?follow=1").content.decode()
    make_template(story.campaign)
    make_exclusion(sponsor=story.programme.sponsor, prospect=story.prospect)
    opposed = client.get(f"{story.url()}?follow=1").content.decode()

    assert "Aucun modèle d" in without
    assert "opposée à être recontactée" in opposed
    assert 'id="follow-up"' not in without + opposed


def test_an_address_that_is_refused_comes_back_with_the_form(client: Client) -> None:
    story = Story()
    story.go("asked")
    template = make_template(story.campaign)
    client.force_login(story.agent)

    page = client.post(
        story.url("follow-ups"), {"template": template.pk, "email": "personne", "key": uuid4()}, headers=HTMX
    )

    assert page.status_code == 400
    assert 'value="personne"' in page.content.decode()


def test_managers_write_templates_with_their_history(client: Client) -> None:
    talk = Talk()
    client.force_login(talk.manager)
    address = reverse("follow-up-new", args=[talk.campaign.slug])
    form = {"name": "Suite", "language": "fr", "subject": "Suite", "body": "Bonjour {person}", "active": "on"}

    wrong = client.post(address, {**form, "body": "Bonjour {toi}"})
    right = client.post(address, form)
    again = client.post(address, form)

    assert (wrong.status_code, right.status_code, again.status_code) == (422, 302, 422)
    assert Change.objects.get().after["body"] == "Bonjour {person}"
    with pytest.raises(Forbidden):
        save_follow_up_template(campaign=talk.campaign, data=form, by=make_user(Role.SUPERVISOR), at=NOW)


def test_a_preview_reads_a_fiche_of_the_campaign(client: Client) -> None:
    talk = Talk()
    client.force_login(talk.manager)

    answer = client.post(
        reverse("follow-up-preview", args=[talk.campaign.slug]),
        {"language": "fr", "subject": "Pour {organisation}", "body": "Bonjour"},
    )

    assert "Pour Banque de l" in answer.content.decode()
