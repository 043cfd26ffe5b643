"""How the demo is loaded: at an hour of work, where a login is taken, on a server."""

from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from calls.models import Call, CallEvent
from campaigns.models import Campaign
from crm.enums import Role
from crm.models import User
from tests.factories import make_user

#: A Monday at noon in Paris.
NOON = datetime(2026, 11, 30, 11, 0, tzinfo=UTC)


@pytest.mark.django_db
def test_a_working_day_has_begun_when_a_server_loads_it_at_noon_with_a_password_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOON)
    out = StringIO()

    call_command("demo", password="pour la formation", stdout=out)

    assert User.objects.get(username="agent").check_password("pour la formation")
    assert "pour la formation" in out.getvalue()
    today = Call.objects.filter(started_at__gte=NOON.replace(hour=0))
    assert today.filter(agent__username="agent").exists()
    assert not CallEvent.objects.filter(at__gt=NOON).exists()


@pytest.mark.django_db
def test_a_login_of_somebody_else_is_not_taken_over() -> None:
    make_user(Role.ADMIN, "Manager")

    with pytest.raises(CommandError, match="manager is somebody's login"):
        call_command("demo")

    assert not Campaign.objects.exists()
