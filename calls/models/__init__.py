"""The tables of the calls app."""

from calls.models.bans import Ban, BanAppeal, BanDecision
from calls.models.calls import Call, CallAnswer, CallDisposition, CallEffect, CallEvent
from calls.models.checked import NoteWarning, WordList
from calls.models.desk import Callback, Pause, Press, Reminder, Workplace
from calls.models.follow_ups import FollowUp
from calls.models.guards import GuardedExclusion
from calls.models.incidents import Incident, IncidentAnswer, IncidentDecision
from calls.models.line_reports import LineReport
from calls.models.lookups import Lookup
from calls.models.practice import Practice
from calls.models.situations import Situation, SituationMark, SituationVersion, Stage
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
    "FollowUp",
    "GuardedExclusion",
    "Incident",
    "IncidentAnswer",
    "IncidentDecision",
    "LineReport",
    "Lookup",
    "NoteWarning",
    "Pause",
    "Practice",
    "Press",
    "Reminder",
    "Situation",
    "SituationMark",
    "SituationVersion",
    "Stage",
    "Transfer",
    "TransferAnswer",
    "WordList",
    "Workplace",
]
