"""The table of a call's life: which verb is possible in which state, and how a refusal is called."""

import pytest

from calls.enums import CallState
from calls.rules.transitions import VERBS, Facts, allowed, refusal

BEFORE = [CallState.CLAIMED, CallState.DIALLING]
LINE = [CallState.CONNECTED, CallState.CLOSING]
AFTER = [CallState.ENDED, CallState.NOT_REACHED, CallState.DONE, CallState.RELEASED]


@pytest.mark.parametrize(
    ("facts", "verbs"),
    [
        (Facts(CallState.CLAIMED), {"dial", "release", "note"}),
        (
            Facts(CallState.DIALLING, may_hang_up=True),
            {"ringing", "answered", "not_reached", "hang_up", "hung_up", "note"},
        ),
        (
            Facts(CallState.CONNECTED),
            {
                "not_reached", "greet", "situations", "driving", "line_dead", "help", "supervisor_release", "hung_up",
                "note", "wish",
            },
        ),
        (
            Facts(CallState.CONNECTED, greeted=True),
            {
                "handover", "criteria", "closing", "situations", "driving", "line_dead", "help", "supervisor_release",
                "hung_up", "disposition", "note", "wish",
            },
        ),
        (
            Facts(CallState.CLOSING, greeted=True, mismatched=True, qualified=True),
            {"closing", "situations", "driving", "line_dead", "help", "supervisor_release", "hung_up", "note", "wish"},
        ),
        (
            Facts(CallState.CLOSING, greeted=True),
            {
                "criteria", "closing", "situations", "driving", "line_dead", "help", "supervisor_release", "hung_up",
                "disposition", "note", "wish",
            },
        ),
        (Facts(CallState.ENDED, greeted=True), {"help", "disposition", "note", "wish"}),
        (Facts(CallState.ENDED, greeted=True, cut_by_agent=True), {"help", "disposition", "explain", "note", "wish"}),
        (
            Facts(CallState.ENDED, greeted=True, mismatched=True, qualified=True),
            {"help", "disposition", "finish", "note", "wish"},
        ),
        (Facts(CallState.NOT_REACHED), {"disposition", "finish", "note", "wish"}),
        (Facts(CallState.DONE, qualified=True), {"note", "wish"}),
        (Facts(CallState.DONE, qualified=True, cut_by_agent=True), {"explain", "note", "wish"}),
        (Facts(CallState.RELEASED), set()),
    ],
)  # fmt: skip
def test_each_state_allows_its_verbs_and_no_other(facts: Facts, verbs: set[str]) -> None:
    assert set(allowed(facts)) == verbs


@pytest.mark.parametrize("verb", ["release", "finish", "hang_up"])
@pytest.mark.parametrize("state", LINE)
def test_leaving_somebody_on_the_line_is_refused_because_a_closing_is_due(verb: str, state: str) -> None:
    assert refusal(verb, Facts(state, greeted=True)) == "closing-required"


@pytest.mark.parametrize("verb", ["disposition", "criteria"])
def test_after_a_mismatch_the_closing_comes_first(verb: str) -> None:
    facts = Facts(CallState.CLOSING, greeted=True, mismatched=True, qualified=True)

    assert refusal(verb, facts) == "closing-required"


@pytest.mark.parametrize("verb", list(VERBS))
def test_a_released_call_takes_no_verb(verb: str) -> None:
    assert refusal(verb, Facts(CallState.RELEASED, may_hang_up=True)) == "invalid-transition"


@pytest.mark.parametrize("state", [*BEFORE, *AFTER])
def test_nobody_is_greeted_before_an_answer_or_after_the_end(state: str) -> None:
    assert refusal("greet", Facts(state)) == "invalid-transition"


def test_a_machine_is_only_told_before_a_person_was_greeted() -> None:
    assert refusal("not_reached", Facts(CallState.CONNECTED)) is None
    assert refusal("not_reached", Facts(CallState.CONNECTED, greeted=True)) == "invalid-transition"


def test_the_hang_up_verb_follows_the_golden_rule() -> None:
    assert refusal("hang_up", Facts(CallState.CLOSING, greeted=True, may_hang_up=True)) is None
    assert refusal("hang_up", Facts(CallState.CLOSING, greeted=True)) == "closing-required"


@pytest.mark.parametrize("rule", VERBS.values())
def test_a_verb_never_leads_back_into_an_earlier_state(rule: object) -> None:
    order = [*BEFORE, *LINE, CallState.ENDED, CallState.NOT_REACHED, CallState.DONE, CallState.RELEASED]
    moves_to, states = rule.moves_to, rule.states  # type: ignore[attr-defined]

    assert moves_to is None or all(order.index(state) <= order.index(moves_to) for state in states)
