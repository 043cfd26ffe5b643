"""Who sees what. Not yours: 404. Not allowed: 403."""

from datetime import timedelta

import pytest
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse

from calls.models import Call, Callback
from campaigns.access import (
    campaigns_of,
    exclusions_of,
    get_campaign_or_404,
    get_exclusion_or_404,
    get_programme_or_404,
)
from campaigns.models import ClosingStep, Disposition, Exclusion
from crm.access import get_prospect_or_404, prospects_of, require, role_required, sources_of, sponsors_of
from crm.enums import Role
from crm.models import ApiToken, Source, Sponsor, User
from crm.rules.errors import Forbidden
from crm.services.tokens import create_token, user_of_token
from tests.factories import (
    NOW,
    make_campaign,
    make_entry,
    make_exclusion,
    make_programme,
    make_prospect,
    make_source,
    make_sponsor,
    make_user,
)

pytestmark = pytest.mark.django_db


def test_staff_see_every_sponsor_unless_some_are_listed_and_programs_only_those_listed() -> None:
    one, two = make_sponsor(), make_sponsor()

    for role in (Role.AGENT, Role.SUPERVISOR, Role.MANAGER, Role.ADMIN):
        assert set(sponsors_of(make_user(role))) == {one, two}
        assert set(sponsors_of(make_user(role, sponsors=[one]))) == {one}
    assert set(sponsors_of(make_user(Role.INTEGRATION))) == set()
    assert set(sponsors_of(make_user(Role.INTEGRATION, sponsors=[two]))) == {two}
    assert set(sponsors_of(make_user(Role.ADMIN, is_active=False))) == set()


def test_sponsors_are_walls_around_sources_prospects_campaigns_and_exclusions() -> None:
    mine, theirs = make_sponsor(), make_sponsor()
    user = make_user(Role.MANAGER, sponsors=[mine])
    shared, own, foreign = make_source(), make_source(mine), make_source(theirs)
    seen = [make_prospect(source=source) for source in (shared, own)]
    hidden = make_prospect(source=foreign)
    my_campaign, their_campaign = make_campaign(make_programme(mine)), make_campaign(make_programme(theirs))
    everywhere = make_exclusion(number="+33199001234")
    inside, outside = (
        make_exclusion(number="+33199001234", sponsor=mine),
        make_exclusion(prospect=hidden, sponsor=theirs),
    )

    assert set(sources_of(user)) == {shared, own}
    assert set(prospects_of(user)) == set(seen)
    assert set(campaigns_of(user)) == {my_campaign}
    assert set(exclusions_of(user)) == {everywhere, inside}
    assert (
        get_campaign_or_404(user, my_campaign.slug)
        == get_campaign_or_404(user, my_campaign.pk)
        == my_campaign
    )
    with pytest.raises(Http404):
        get_prospect_or_404(user, hidden.pk)
    with pytest.raises(Http404):
        get_campaign_or_404(user, their_campaign.slug)
    with pytest.raises(Http404):
        get_programme_or_404(user, their_campaign.programme_id)
    with pytest.raises(Http404):
        get_exclusion_or_404(user, outside.pk)


def test_an_agent_sees_the_fiche_in_hand_and_promised_ones_only() -> None:
    agent, colleague = make_user(Role.AGENT), make_user(Role.AGENT)
    campaign = make_campaign()
    entries = [make_entry(campaign) for _ in range(4)]
    in_hand, promised, others, listed = (entry.prospect for entry in entries)
    for user, entry in ((agent, entries[0]), (colleague, entries[2])):
        Call.objects.create(
            campaign=campaign,
            prospect=entry.prospect,
            entry=entry,
            number=entry.number,
            agent=user,
            lease_until=NOW + timedelta(minutes=1),
            started_at=NOW,
        )
    Callback.objects.create(
        entry=entries[1],
        campaign=campaign,
        prospect=promised,
        owner=agent,
        due_at=NOW,
        created_by=agent,
        created_at=NOW,
    )

    assert set(prospects_of(agent)) == {in_hand, promised}
    assert get_prospect_or_404(agent, in_hand.pk) == in_hand
    for hidden in (others, listed):
        with pytest.raises(Http404):
            get_prospect_or_404(agent, hidden.pk)
    Call.objects.filter(agent=agent).update(state="released", done_at=NOW)
    assert set(prospects_of(agent)) == {promised}
    assert list(exclusions_of(agent)) == list(Exclusion.objects.none())


def test_a_role_that_may_not_is_told_so() -> None:
    @role_required(Role.MANAGER, Role.ADMIN)
    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse("ok")

    for role in Role:
        request = RequestFactory().get("/")
        request.user = make_user(role)
        if role in (Role.MANAGER, Role.ADMIN):
            assert view(request).status_code == 200
            require(request.user, Role.MANAGER, Role.ADMIN)
        else:
            with pytest.raises(PermissionDenied):
                view(request)
            with pytest.raises(Forbidden):
                require(request.user, Role.MANAGER, Role.ADMIN)


def test_the_admin_holds_reference_tables_and_no_record_or_history(client: Client) -> None:
    ours = {
        model._meta.label
        for model in admin.site._registry
        if model._meta.app_label in ("crm", "campaigns", "calls")
    }
    chief = make_user(Role.ADMIN, is_staff=True, is_superuser=True)
    client.force_login(chief, backend="config.sessions.Accounts")
    make_source(make_sponsor())
    create_token(user=chief, name="nuit", at=NOW)

    assert ours == {
        "crm.User",
        "crm.ApiToken",
        "crm.Sponsor",
        "crm.Source",
        "campaigns.Disposition",
        "campaigns.ClosingStep",
    }
    for model in (User, ApiToken, Sponsor, Source, Disposition, ClosingStep):
        place = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        row = model._default_manager.first()
        assert row is not None
        for url in (reverse(f"{place}_changelist"), reverse(f"{place}_change", args=[row.pk])):
            assert client.get(url).status_code == 200
    deletion = reverse("admin:campaigns_disposition_delete", args=[Disposition.objects.all()[0].pk])
    assert client.post(deletion).status_code == 403


def test_the_admin_refuses_a_default_sentence_that_could_not_be_said(client: Client) -> None:
    chief = make_user(Role.ADMIN, is_staff=True, is_superuser=True)
    client.force_login(chief, backend="config.sessions.Accounts")
    step = ClosingStep.objects.filter(campaign=None, language="fr", step="goodbye", kind="ordinary").get()
    url = reverse("admin:campaigns_closingstep_change", args=[step.pk])
    kept = {"language": "fr", "kind": "ordinary", "step": "goodbye"}

    assert client.post(url, kept | {"text": "Au revoir {nom}"}).status_code == 200
    step.refresh_from_db()
    assert "{nom}" not in step.text
    assert client.post(url, kept | {"text": "Au revoir, {person}"}).status_code == 302
    step.refresh_from_db()
    assert step.text == "Au revoir, {person}"


def test_a_token_that_the_admin_revokes_opens_nothing_from_then_on(client: Client) -> None:
    chief = make_user(Role.ADMIN, is_staff=True, is_superuser=True)
    client.force_login(chief, backend="config.sessions.Accounts")
    text = create_token(user=chief, name="nuit", at=NOW)
    other = create_token(user=chief, name="jour", at=NOW)
    token = ApiToken.objects.get(name="nuit")
    page, asked = (
        reverse("admin:crm_apitoken_changelist"),
        {"action": "revoke", "_selected_action": [token.pk]},
    )

    client.post(page, asked)
    token.refresh_from_db()
    first = token.revoked_at
    client.post(page, asked)
    token.refresh_from_db()

    assert first is not None
    assert user_of_token(text=text, at=NOW) is None
    assert user_of_token(text=other, at=NOW) == chief
    assert token.revoked_at == first
