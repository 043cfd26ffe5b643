"""What is known of a person's consents."""

from datetime import datetime

from campaigns.models import Consent
from campaigns.models.consents import ConsentQuerySet
from crm.models import Prospect, Sponsor


def consents_of(prospect: Prospect, sponsor: Sponsor) -> ConsentQuerySet:
    """The consents and withdrawals of a person towards a principal, newest first."""
    return Consent.objects.filter(prospect=prospect, sponsor=sponsor).order_by("-created_at", "-pk")


def has_valid_consent(prospect: Prospect, sponsor: Sponsor, at: datetime) -> bool:
    """Whether the person's consent to be called by this principal holds at `at`."""
    return Consent.objects.valid(at).filter(prospect=prospect, sponsor=sponsor).exists()
