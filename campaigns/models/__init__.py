"""The tables of the campaigns app."""

from campaigns.models.campaigns import Campaign, ClosingStep, Disposition, DispositionRule, Script
from campaigns.models.changes import Change
from campaigns.models.consents import Consent
from campaigns.models.exclusions import Exclusion
from campaigns.models.follow_ups import FollowUpTemplate
from campaigns.models.imports import (
    ImportChunk,
    ImportFile,
    ImportJob,
    ImportPiece,
    ImportReject,
    ImportRow,
    SuppliedValues,
)
from campaigns.models.lists import Attempt, CallList, ListEntry
from campaigns.models.mappings import MappingTemplate
from campaigns.models.programmes import Criterion, CriterionVersion, Programme

__all__ = [
    "Attempt",
    "CallList",
    "Campaign",
    "Change",
    "ClosingStep",
    "Consent",
    "Criterion",
    "CriterionVersion",
    "Disposition",
    "DispositionRule",
    "Exclusion",
    "FollowUpTemplate",
    "ImportChunk",
    "ImportFile",
    "ImportJob",
    "ImportPiece",
    "ImportReject",
    "ImportRow",
    "ListEntry",
    "MappingTemplate",
    "Programme",
    "Script",
    "SuppliedValues",
]
