"""The tables of the crm app."""

from crm.models.access import ApiToken, IdempotentRequest
from crm.models.prospects import Prospect, ProspectEvent, ProspectLook, ProspectNumber
from crm.models.sponsors import Source, Sponsor
from crm.models.users import Team, User, UserEvent

__all__ = [
    "ApiToken",
    "IdempotentRequest",
    "Prospect",
    "ProspectEvent",
    "ProspectLook",
    "ProspectNumber",
    "Source",
    "Sponsor",
    "Team",
    "User",
    "UserEvent",
]
