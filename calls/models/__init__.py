"""The tables of the calls app."""

from calls.models.bans import Ban, BanAppeal, BanDecision
from calls.models.calls import Call, CallAnswer, CallDisposition, CallEffect, CallEvent
from calls.models.desk import Callback, Pause
from calls.models.guards import GuardedExclusion
from calls.models.incidents import Incident, IncidentAnswer, IncidentDecision
from calls.models.situations import Situation, SituationVersion, Stage
from calls.models.transfers import Transfer, TransferAnswer

__all__ = [
    "Ban",
    "BanAppeal",
    "BanDecision",
    "Call",
    "CallAnswer",
    "CallDisposition",
    "CallEffect",
    "CallEvent",
    "Callback",
    "GuardedExclusion",
    "Incident",
    "IncidentAnswer",
    "IncidentDecision",
    "Pause",
    "Situation",
    "SituationVersion",
    "Stage",
    "Transfer",
    "TransferAnswer",
]
