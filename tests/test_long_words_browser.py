"""Whatever people wrote, a page is never wider than its window."""

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from calls.enums import IncidentKind
from calls.models import Incident
from calls.services.bans import request_ban
from campaigns.enums import Scope
from tests.talking import Talk
from tests.test_every_page_browser import DESK, TELEPHONE, Visitor

pytestmark = pytest.mark.django_db(transaction=True)

LONG = "Anticonstitutionnellement" * 18


def test_a_word_without_end_does_not_widen_the_page(page: Page, live_server: LiveServer) -> None:
    talk = Talk().greeted()
    incident = Incident.objects.create(
        call=talk.call,
        prospect=talk.prospect,
        sponsor=talk.read().campaign.programme.sponsor,
        kind=IncidentKind.POLICY,
        summary=LONG,
        at=talk.at,
        by=talk.agent,
    )
    ban = request_ban(number="0199004444", scope=Scope.EVERYWHERE, why=LONG, by=talk.supervisor, at=talk.at)
    visitor = Visitor(page, live_server.url).sign_in(talk.manager)
    addresses = [
        reverse("inbox"),
        reverse("incident", args=[incident.pk]),
        reverse("ban", args=[ban.pk]),
        reverse("ban-list"),
    ]

    for address in addresses:
        page.goto(visitor.url + address)
        expect(page.get_by_text(LONG[:60]).first).to_be_visible(timeout=30_000)
        for size in (DESK, TELEPHONE):
            page.set_viewport_size(size)
            assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], address
