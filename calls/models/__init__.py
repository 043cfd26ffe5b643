"""The tables of the calls app."""

from calls.models.calls import Call, CallAnswer, CallDisposition, CallEffect, CallEvent
from calls.models.desk import Callback, Pause, Reminder, Workplace
from calls.models.guards import GuardedExclusion
from calls.models.incidents import Incident, IncidentDecision
from calls.models.lookups import Lookup
from calls.models.situations import Situation, SituationMark, SituationVersion, Stage

__all__ = [
    "Call",
    "CallAnswer",
    "CallDisposition",
    "CallEffect",
    "CallEvent",
    "Callback",
    "GuardedExclusion",
    "Incident",
    "IncidentDecision",
    "Lookup",
    "Pause",
    "Reminder",
    "Situation",
    "SituationMark",
    "SituationVersion",
    "Stage",
    "Workplace",
]
