"""The tour: every step says its login, and its link goes somewhere that this reader may go."""

import re
from datetime import timedelta

import pytest
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from calls.enums import IncidentKind, Result
from calls.models import Incident
from calls.rules.demo_past import AUTUMN, TREASURY
from calls.rules.tour import STEPS
from calls.services.dial import dial_manually
from calls.services.dispositions import finish
from calls.services.incidents import decide
from calls.services.line import record_answer
from calls.services.talk import answer_criterion, greet
from campaigns.models import Campaign
from crm.enums import Role
from crm.rules.demo import DEMO_LOGINS, DEMO_PASSWORD
from crm.rules.errors import ProspectExcluded
from tests.factories import make_campaign, make_entry, make_user
from tests.paging import signed_in, text_of
from tests.talking import Talk

pytestmark = pytest.mark.django_db
TOUR = "/tour/"


@pytest.fixture
def story() -> Talk:
    """A call of the autumn wave that a mismatch ended, made now; the treasury's campaign beside it."""
    talk = Talk(slug=AUTUMN)
    make_entry(make_campaign(slug=TREASURY))
    Campaign.objects.filter(slug=AUTUMN).update(created_at=talk.at - timedelta(hours=1))
    return talk


def done(client: Client) -> list[str]:
    """Return the codes of the steps that the page calls done."""
    steps = re.findall(r'<li class="panel tour__step" id="(\w+)">(.*?)</li>', page(client), re.S)
    return [code for code, html in steps if "tour__done" in html]


def page(client: Client) -> str:
    response = client.get(TOUR)
    assert response.status_code == 200
    return response.content.decode()


def links_of(html: str) -> list[str]:
    """Return the addresses of the links of its steps."""
    steps = html[html.index('<ol class="tour">') :]
    return [link.replace("&amp;", "&") for link in re.findall(r'<a class="btn" href="([^"]+)"', steps)]


@pytest.mark.parametrize("role", [Role.AGENT, Role.SUPERVISOR, Role.MANAGER, Role.ADMIN])
def test_every_link_goes_where_its_reader_may_go(role: str, story: Talk) -> None:
    client, _user = signed_in(role)

    html = page(client)
    links = links_of(html)

    assert len(links) == (5 if role == Role.AGENT else 7)
    assert [link for link in links if client.get(link).status_code != 200] == []
    for step in STEPS:
        assert f"<strong>{step.login}</strong>" in html
    assert html.count("Cette étape est celle de") == len(STEPS) - len(links)


def test_at_ones_desk_one_click_comes_in_and_goes_there(story: Talk) -> None:
    for login in DEMO_LOGINS:
        user = make_user(login.role, login.username)
        user.set_password(DEMO_PASSWORD)
        user.save()

    with override_settings(DEBUG=True):
        html = page(Client())
        forms = re.findall(
            r'name="next" value="([^"]+)">\s*<button class="btn" name="demo" value="(\w+)"', html
        )

        assert len(forms) == len(STEPS)
        for url, login_name in forms:
            client = Client()
            posted = {"demo": login_name, "next": url.replace("&amp;", "&")}
            assert client.post(reverse("login"), posted, follow=True).status_code == 200


def test_a_server_asks_strangers_to_sign_in(story: Talk) -> None:
    response = Client().get(TOUR)

    assert response.status_code == 302
    assert response["Location"] == f"{reverse('login')}?next={TOUR}"


def test_without_the_demo_it_reads_and_leads_nowhere() -> None:
    client, _user = signed_in(Role.MANAGER)

    html = page(client)

    assert links_of(html) == [reverse("inbox")]
    assert "n'est pas en cours ici" in text_of(client.get(TOUR))


def test_a_step_is_done_once_it_was_done(story: Talk) -> None:
    client, _user = signed_in(Role.MANAGER)
    stages = [done(client)]

    story.dialled()
    stages.append(done(client))
    story.call = story.read()
    mismatch_and_close(story)
    stages.append(done(client))
    with pytest.raises(ProspectExcluded):
        dial_manually(campaign=story.campaign, number=story.call.number, by=story.agent, at=story.at)
    stages.append(done(client))
    incident = Incident.objects.create(
        kind=IncidentKind.OTHER, sponsor=story.programme.sponsor, call=story.call, at=story.at
    )
    decide(incident=incident, decision="nothing", reason="", by=story.supervisor, at=story.at)
    stages.append(done(client))

    assert stages == [
        [],
        ["call"],
        ["call", "wrong", "close"],
        ["call", "wrong", "close", "refused"],
        ["call", "wrong", "close", "refused", "decide"],
    ]


def mismatch_and_close(talk: Talk) -> None:
    """Go on from the dialled call to its courteous end."""
    record_answer(**talk.by())
    greet(answered_by="intended", **talk.by())
    answer_criterion(criterion=talk.criterion, result=Result.MISMATCH, heard="un garage", **talk.by())
    talk.said("apologise", "thank", "goodbye").hung_up()
    finish(**talk.by())
    talk.read()


def test_what_the_demos_own_past_did_is_not_done(story: Talk) -> None:
    story.mismatched().said("apologise", "thank", "goodbye").hung_up()
    Campaign.objects.filter(slug=AUTUMN).update(created_at=timezone.now() + timedelta(days=3650))
    client, _user = signed_in(Role.MANAGER)

    assert done(client) == []


def test_it_asks_few_questions(story: Talk, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    client, _user = signed_in(Role.MANAGER)
    story.mismatched()
    page(client)

    with django_assert_num_queries(6):
        page(client)
