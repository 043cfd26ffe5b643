"""The tables of the crm app."""

from crm.models.access import ApiToken, IdempotentRequest
from crm.models.prospects import Prospect, ProspectEvent, ProspectLook, ProspectNumber
from crm.models.record_changes import FeedState, RecordChange
from crm.models.sponsors import Source, Sponsor
from crm.models.users import Team, User, UserEvent
from crm.models.webhooks import WebhookDelivery, WebhookPlace, WebhookSubscription

__all__ = [
    "ApiToken",
    "FeedState",
    "IdempotentRequest",
    "Prospect",
    "ProspectEvent",
    "ProspectLook",
    "ProspectNumber",
    "RecordChange",
    "Source",
    "Sponsor",
    "Team",
    "User",
    "UserEvent",
    "WebhookDelivery",
    "WebhookPlace",
    "WebhookSubscription",
]
