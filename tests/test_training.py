"""Training: simulated prospects, a kind review, and not one figure touched."""

from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django.urls import reverse
from django.utils.translation import override
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calls.models import Practice, Stage
from calls.rules.playbooks import PLAYBOOKS
from calls.rules.practice import EXERCISES, Exercise, Move, Phase, possible, review_of, standing_of
from calls.rules.practice.simulation import Do
from calls.selectors.practice import exercise_of, offered_to, scene_of
from calls.services.practice import begin_practice, make_move
from campaigns.enums import STEPS_OF
from crm.enums import Role
from crm.models import User
from crm.rules.errors import Forbidden, Invalid, InvalidTransition
from tests.factories import NOW, make_user
from tests.talking import Talk

BY_CODE = {exercise.code: exercise for exercise in EXERCISES}


def stages_from(exercise: Exercise, count: int) -> list[Move]:
    """Return the moves of opening an exercise's playbook where it should be, and walking on to `count` stages."""
    (playbook,) = (playbook for playbook in PLAYBOOKS if playbook.code == exercise.situation)
    numbers = range(exercise.entry, min(exercise.entry + count, len(playbook.stages) + 1))
    return [
        Move(Do.OPEN if place == 0 else Do.NEXT, playbook.code, number, playbook.stages[number - 1].may_end)
        for place, number in enumerate(numbers)
    ]


def as_it_should_be(exercise: Exercise) -> list[Move]:
    """Return what the playbook asks of an agent in this exercise."""
    steps = len(STEPS_OF[exercise.closing])
    closing = [*[Move(Do.SAY)] * steps, Move(Do.WAIT)]
    if not exercise.situation:
        return closing
    if exercise.patience:
        return [*stages_from(exercise, exercise.patience), Move(Do.BACK), *closing]
    return [*stages_from(exercise, 9), Move(Do.END)]


def test_every_way_into_a_playbook_can_be_practised() -> None:
    ways_in = {
        (playbook.code, number)
        for playbook in PLAYBOOKS
        for number, stage in enumerate(playbook.stages, start=1)
        if number == 1 or stage.opens
    }

    assert {(one.situation, one.entry) for one in EXERCISES if one.situation} == ways_in
    assert {one.closing for one in EXERCISES if not one.situation} == {"mismatch", "ordinary"}
    assert len(BY_CODE) == len(EXERCISES)


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.code)
def test_a_prospect_speaks_both_languages_and_who_calms_down_says_so(exercise: Exercise) -> None:
    assert all(exercise.opening)
    if exercise.situation:
        assert all(exercise.goes_on)
        assert all(exercise.calm) is bool(exercise.patience)
        (playbook,) = (playbook for playbook in PLAYBOOKS if playbook.code == exercise.situation)
        assert exercise.entry + exercise.patience <= len(playbook.stages) + 1
        # Who never calms down can be left only where the playbook allows it.
        assert exercise.patience or playbook.stages[-1].may_end


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.code)
def test_what_the_playbook_asks_is_reviewed_as_right(exercise: Exercise) -> None:
    steps = len(STEPS_OF[exercise.closing])
    moves = as_it_should_be(exercise)

    for number, move in enumerate(moves):
        assert possible(standing_of(exercise, moves[:number], steps).phase, move.do)
    assert standing_of(exercise, moves, steps).phase == Phase.DONE
    points = review_of(exercise, moves, steps)
    assert [str(point.words) for point in points if not point.good] == []


@pytest.mark.parametrize(
    ("code", "moves", "says"),
    [
        ("refusal", [Move(Do.END)], "sans qu'une étape le permette"),
        ("refusal", [Move(Do.SAY), Move(Do.END)], "Il manquait une partie de la clôture"),
        ("racist-4", [Move(Do.OPEN, "racist", 1), Move(Do.END)], "l'étape était trop douce"),
        ("racist-1", [Move(Do.OPEN, "racist", 4), Move(Do.END)], "plus ferme que ce qui était dit"),
        ("racist-1", [Move(Do.OPEN, "boss", 1), Move(Do.END)], "Un autre scénario convenait mieux"),
        ("racist-1", [Move(Do.END)], "Aucun scénario n'a été ouvert"),
        ("racist-1", [Move(Do.OPEN, "racist", 1), Move(Do.BACK), Move(Do.END)], "un peu tôt"),
        ("aggressive-2", [Move(Do.OPEN, "aggressive", 3, True), Move(Do.END)], "sans avertissement"),
        ("suicidal-1", [Move(Do.OPEN, "suicidal", 1), Move(Do.END)], "Laissez la personne raccrocher"),
        (
            "aggressive-2",
            [Move(Do.OPEN, "aggressive", 2), Move(Do.NEXT, "aggressive", 3, True), Move(Do.END)],
            "l'appel pouvait reprendre",
        ),
    ],
)
def test_what_went_otherwise_is_said_kindly(code: str, moves: list[Move], says: str) -> None:
    with override("fr"):
        told = [
            str(point.words).replace("\u2019", "'")
            for point in review_of(BY_CODE[code], moves, 2)
            if not point.good
        ]

    assert any(says in words for words in told), told
    assert not any("!" in words or "faute" in words for words in told)


# The machine may be busy: how long a draw takes says nothing of the simulation.
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(EXERCISES), st.lists(st.sampled_from(list(Do)), max_size=20))
def test_whatever_is_pressed_an_exercise_stands_somewhere(exercise: Exercise, pressed: list[Do]) -> None:
    steps = len(STEPS_OF[exercise.closing])
    moves: list[Move] = []
    for do in pressed:
        standing = standing_of(exercise, moves, steps)
        assert standing.said <= steps
        if possible(standing.phase, do):
            moves.append(
                Move(do, exercise.situation, exercise.entry) if do in (Do.OPEN, Do.NEXT) else Move(do)
            )

    assert standing_of(exercise, moves, steps).phase in Phase
    assert review_of(exercise, moves, steps)


# --- the service and the pages

in_database = pytest.mark.django_db


@pytest.fixture
def agent() -> User:
    return make_user(Role.AGENT)


def rows() -> dict[str, int]:
    """Count every table of the product but that of the training."""
    models = [model for model in apps.get_models() if model is not Practice and model._meta.managed]
    return {model._meta.label: model._default_manager.count() for model in models if not model._meta.proxy}


@in_database
@pytest.mark.parametrize(
    "code", ["racist-4", "suicidal-1", "do_not_call-1", "bereavement-1", "out_of_criteria"]
)
def test_nothing_of_an_exercise_is_written_anywhere_else(client: Client, agent: User, code: str) -> None:
    client.force_login(agent)
    client.get(reverse("training"))
    before = rows()

    begun = client.post(reverse("training"), {"exercise": code})
    url = begun["Location"]
    for move in as_it_should_be(BY_CODE[code]):
        client.get(url)
        answer = client.post(url, sent(move), follow=True)
        assert answer.status_code == 200
    page = client.get(url)

    assert rows() == before
    practice = Practice.objects.get()
    assert practice.ended_at is not None
    assert all(point.good for point in page.context["screen"]["points"])
    client.get(reverse("training"))
    assert rows() == before


def sent(move: Move) -> dict[str, Any]:
    """Return what the button of a move sends, as the cards of the call screen have it."""
    match move.do:
        case Do.OPEN:
            return {"entry": f"{move.situation}/{move.stage}"}
        case Do.NEXT:
            return {"situation": move.situation, "stage": move.stage}
        case Do.BACK:
            return {"over": "on"}
        case Do.SAY:
            return {"step": "thank"}
    return {"do": move.do}


@in_database
def test_an_exercise_counts_once_it_is_over(agent: User) -> None:
    practice = begin_practice(exercise="refusal", by=agent, at=NOW)
    assert times_of(agent, "refusal") == 0

    for do in (Do.SAY, Do.SAY, Do.WAIT):
        make_move(practice=practice, do=do, by=agent, at=NOW)

    assert times_of(agent, "refusal") == 1
    assert times_of(make_user(Role.AGENT), "refusal") == 0


def times_of(user: User, code: str) -> int:
    return next(one.times for group in offered_to(user, "") for one in group.exercises if one.code == code)


@in_database
def test_what_cannot_be_done_now_is_refused_and_kept_nowhere(agent: User) -> None:
    practice = begin_practice(exercise="racist-2", by=agent, at=NOW)

    for do in (Do.NEXT, Do.SAY, Do.WAIT, Do.BACK, "", "dance"):
        with pytest.raises(InvalidTransition):
            make_move(practice=practice, do=do, by=agent, at=NOW)
    with pytest.raises(Invalid):
        make_move(practice=practice, do=Do.OPEN, situation="racist", stage=99, by=agent, at=NOW)
    make_move(practice=practice, do=Do.END, by=agent, at=NOW)
    with pytest.raises(InvalidTransition):
        make_move(practice=practice, do=Do.END, by=agent, at=NOW)

    practice.refresh_from_db()
    assert [move["do"] for move in practice.moves] == ["end"]


@in_database
def test_an_exercise_is_its_agent_s_alone(client: Client, agent: User) -> None:
    practice = begin_practice(exercise="refusal", by=agent, at=NOW)

    with pytest.raises(Practice.DoesNotExist):
        make_move(practice=practice, do=Do.SAY, by=make_user(Role.AGENT), at=NOW)
    with pytest.raises(Forbidden):
        begin_practice(exercise="refusal", by=make_user(Role.INTEGRATION), at=NOW)
    with pytest.raises(Invalid):
        begin_practice(exercise="nope", by=agent, at=NOW)
    client.force_login(make_user(Role.MANAGER))
    assert client.get(reverse("practice", args=[practice.pk])).status_code == 404


@in_database
def test_whoever_is_on_a_call_is_sent_back_to_it(client: Client) -> None:
    talk = Talk().answered()
    client.force_login(talk.agent)

    answer = client.get(reverse("training"))

    assert answer["Location"] == reverse("call", args=[talk.call.pk])


@in_database
def test_a_stage_taken_out_in_the_middle_of_an_exercise_leaves_the_palette(
    client: Client, agent: User
) -> None:
    practice = begin_practice(exercise="legal-1", by=agent, at=NOW)
    make_move(practice=practice, do=Do.OPEN, situation="legal", stage=1, by=agent, at=NOW)
    Stage.objects.filter(situation__code="legal", position=1).delete()
    client.force_login(agent)

    page = client.get(reverse("practice", args=[practice.pk]))

    assert page.status_code == 200
    assert "data-palette" in page.content.decode()
    assert "legal-1" not in {one.code for group in offered_to(agent, "") for one in group.exercises}


@in_database
def test_the_prospect_answers_what_the_agent_does(agent: User) -> None:
    practice = begin_practice(exercise="racist-2", by=agent, at=NOW)
    exercise = exercise_of("racist-2")
    assert exercise is not None
    heard = [scene_of(practice, exercise).says]

    for do, number in ((Do.OPEN, 2), (Do.NEXT, 3)):
        practice = make_move(practice=practice, do=do, situation="racist", stage=number, by=agent, at=NOW)
        heard.append(scene_of(practice, exercise).says)

    assert heard == [exercise.opening[0], exercise.goes_on[0], exercise.calm[0]]
