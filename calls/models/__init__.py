"""The tables of the calls app."""

from calls.models.calls import Call, CallAnswer, CallDisposition, CallEffect, CallEvent
from calls.models.checked import NoteWarning, WordList
from calls.models.desk import Callback, Pause, Press
from calls.models.follow_ups import FollowUp
from calls.models.guards import GuardedExclusion
from calls.models.incidents import Incident, IncidentDecision
from calls.models.situations import Situation, SituationMark, SituationVersion, Stage

__all__ = [
    "Call",
    "CallAnswer",
    "CallDisposition",
    "CallEffect",
    "CallEvent",
    "Callback",
    "FollowUp",
    "GuardedExclusion",
    "Incident",
    "IncidentDecision",
    "NoteWarning",
    "Pause",
    "Press",
    "Situation",
    "SituationMark",
    "SituationVersion",
    "Stage",
    "WordList",
]
