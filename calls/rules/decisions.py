"""What a supervisor may decide on each kind of incident. Pure."""

from calls.enums import Decision, IncidentKind

#: Possible on a report of behaviour: what follows for the people involved.
_ABOUT_PEOPLE = (
    Decision.NOTHING,
    Decision.SUPPORT_AGENT,
    Decision.CALMER_TALK,
    Decision.TALK_TO_AGENT,
    Decision.BAN,
    Decision.POLICE,
)

DECISIONS_OF: dict[str, tuple[Decision, ...]] = {
    IncidentKind.HELP: (
        Decision.SUPPORT_AGENT,
        Decision.CALMER_TALK,
        Decision.TALK_TO_AGENT,
        Decision.NOTHING,
    ),
    IncidentKind.HANG_UP_REVIEW: (
        Decision.NOTHING,
        Decision.SUPPORT_AGENT,
        Decision.CALMER_TALK,
        Decision.TALK_TO_AGENT,
    ),
    IncidentKind.SHARED_NUMBER: (Decision.ALLOW_OTHERS, Decision.KEEP_BAR),
    IncidentKind.ENTRY_ERROR: (Decision.CORRECT, Decision.REFUSE),
    IncidentKind.EXPIRED_CALL: (Decision.CLOSE_CALL, Decision.NOTHING),
    IncidentKind.RESOURCING: (Decision.REOPEN, Decision.NOTHING),
    IncidentKind.ABUSE: _ABOUT_PEOPLE,
    IncidentKind.DANGER: (
        Decision.EMERGENCY,
        Decision.SUPPORT_AGENT,
        Decision.CALMER_TALK,
        Decision.NOTHING,
    ),
    IncidentKind.COMPLAINT: (
        Decision.ANSWERED,
        Decision.CALMER_TALK,
        Decision.SUPPORT_AGENT,
        Decision.TALK_TO_AGENT,
        Decision.NOTHING,
    ),
    IncidentKind.VULNERABLE: (
        Decision.CALMER_TALK,
        Decision.SUPPORT_AGENT,
        Decision.TALK_TO_AGENT,
        Decision.NOTHING,
    ),
    # The rule is a manager's: it changes, or it is explained.
    IncidentKind.POLICY: (Decision.ADOPTED, Decision.EXPLAINED),
    IncidentKind.RIGHTS: (Decision.ANSWERED, Decision.CALMER_TALK, Decision.NOTHING),
    # A list that is probably wrong is its manager's: stopped or sent back to whoever delivered it, or kept.
    IncidentKind.LIST_LANGUAGE: (Decision.ADOPTED, Decision.NOTHING),
    IncidentKind.LIST_LOST: (Decision.ADOPTED, Decision.NOTHING),
    # The other dialler's list is put right, or it was already.
    IncidentKind.BARRED_CALL: (Decision.ADOPTED, Decision.NOTHING),
    IncidentKind.OTHER: _ABOUT_PEOPLE,
}

#: Decisions that ask for a reason in words.
NEEDS_REASON = frozenset(
    {
        Decision.ALLOW_OTHERS,
        Decision.CORRECT,
        Decision.REFUSE,
        Decision.REOPEN,
        Decision.BAN,
        Decision.CLOSE_CALL,
        Decision.ANSWERED,
        Decision.ADOPTED,
        Decision.EXPLAINED,
    }
)
#: Decisions kept to managers. A ban is not: whoever decides it asks for it, and a manager grants it.
FOR_MANAGERS = frozenset({Decision.REOPEN, Decision.ADOPTED, Decision.EXPLAINED})
#: Kinds decided by managers alone, even when nothing follows.
OF_MANAGERS = frozenset({IncidentKind.LIST_LANGUAGE, IncidentKind.LIST_LOST})
#: Kinds on which it is asked who was rude first.
ABOUT_RUDENESS = frozenset({IncidentKind.ABUSE, IncidentKind.HANG_UP_REVIEW})


def is_for_managers(kind: str, decision: str) -> bool:
    """Whether this decision on an incident of this kind is kept to managers."""
    return kind in OF_MANAGERS or decision in FOR_MANAGERS


def decisions_of(kind: str, *, managing: bool) -> tuple[Decision, ...]:
    """Return what may be decided on an incident of this kind, by a manager or by a supervisor."""
    return tuple(choice for choice in DECISIONS_OF[kind] if managing or not is_for_managers(kind, choice))
