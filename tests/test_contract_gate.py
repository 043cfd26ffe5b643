"""One gate for everybody: what the queue serves, contactability and the manual dial allow, and the other way round."""

from datetime import datetime, timedelta

import pytest

from calls.services.claim import claim_next
from calls.services.dial import dial_manually
from calls.services.errors import Invalid, NotCallable
from campaigns.enums import Gate
from campaigns.selectors.gate import verdict
from tests.factories import NOW
from tests.talking import Talk

pytestmark = pytest.mark.django_db

LATE = NOW.replace(hour=21, minute=30)


def _promised(due: datetime, *, exact: bool) -> Talk:
    """A person of a campaign with office hours who was called, and shall be called back at `due`."""
    talk = Talk(calling_rule="default").greeted()
    talk.disposed("callback", callback_at=due, exact=exact).said("thank", "goodbye").hung_up()
    return talk.disposed("callback")


def test_the_exact_time_that_a_person_gave_lifts_the_window_for_whoever_asks() -> None:
    talk = _promised(LATE, exact=True)

    early = verdict(campaign=talk.campaign, prospect=talk.prospect, at=LATE - timedelta(minutes=1))
    found = verdict(campaign=talk.campaign, prospect=talk.prospect, at=LATE)

    assert (early.allowed, early.gate) == (False, Gate.WINDOW)
    assert (found.allowed, found.gate) == (True, Gate.OPEN)
    call = dial_manually(campaign=talk.campaign, prospect=talk.prospect, by=talk.supervisor, at=LATE)
    assert call.prospect == talk.prospect


def test_a_time_that_was_only_agreed_lifts_nothing() -> None:
    due = NOW + timedelta(hours=1)
    talk = _promised(due, exact=False)
    # The campaign calls in the evening only, since then.
    talk.campaign.hours = [{"days": [1, 2, 3, 4, 5], "from": "18:00", "to": "19:00"}]
    talk.campaign.save()

    assert verdict(campaign=talk.campaign, prospect=talk.prospect, at=due).gate == Gate.WINDOW
    assert claim_next(campaign=talk.campaign, by=talk.agent, at=due) is None
    with pytest.raises(NotCallable):
        dial_manually(campaign=talk.campaign, prospect=talk.prospect, by=talk.supervisor, at=due)


def test_a_time_outside_the_rules_that_the_person_did_not_give_is_not_agreed() -> None:
    with pytest.raises(Invalid) as refused:
        _promised(LATE, exact=False)

    assert "callback_at" in refused.value.fields
