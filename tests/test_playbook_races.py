"""An effect that changes at the same instant as a stage never leaves an end of the call where none is allowed."""

from dataclasses import replace

import pytest
from django.db import Error, transaction

from calls.models import Situation, SituationVersion, Stage
from calls.selectors.playbook_pages import content_of
from calls.services.playbooks import save_playbook
from crm.enums import Role
from crm.rules.errors import DomainError
from tests.factories import NOW, make_user
from tests.racing import race, stuck, unexpected
from tests.rawsql import execute

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 8


def test_a_stage_and_an_effect_that_meet_never_let_such_a_call_be_ended() -> None:
    for _round in range(ROUNDS):
        execute(
            "UPDATE calls_stage SET may_end = false FROM calls_situation s"
            " WHERE s.id = situation_id AND s.code = 'troll'"
        )
        execute("UPDATE calls_situation SET effect = 'abuse' WHERE code = 'troll'")

        def allow() -> None:
            with transaction.atomic():
                execute(
                    "UPDATE calls_stage SET may_end = true FROM calls_situation s"
                    " WHERE s.id = situation_id AND s.code = 'troll' AND calls_stage.position = 3"
                )

        def change() -> None:
            with transaction.atomic():
                execute("UPDATE calls_situation SET effect = 'danger' WHERE code = 'troll'")

        results = race(allow, change)

        assert not any(stuck(result) for result in results)
        assert not Stage.objects.filter(situation__effect="danger", may_end=True).exists()
        assert sum(isinstance(result, Error) for result in results) == 1


def test_two_managers_who_save_at_once_are_one_edition_and_one_refusal() -> None:
    boss = Situation.objects.get(code="boss")
    content, managers = content_of(boss), [make_user(Role.MANAGER) for _manager in range(2)]

    def save(who: int) -> Situation:
        written = replace(content, label=f"Version de {who}")
        return save_playbook(situation=boss, content=written, by=managers[who], at=NOW, expected_version=1)

    results = race(lambda: save(0), lambda: save(1))

    assert unexpected(results, DomainError) == []
    assert sum(isinstance(result, DomainError) for result in results) == 1
    assert list(SituationVersion.objects.filter(situation=boss).values_list("version", flat=True)) == [2, 1]
