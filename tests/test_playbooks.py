"""The playbooks of delicate situations: what is delivered, how it is renewed, and where a call may end."""

import re

import pytest
from django.utils import timezone

from calls.enums import SituationEffect
from calls.models import Situation, Stage
from calls.rules.playbooks import PLAYBOOKS, Playbook
from calls.rules.playbooks.content import MAY_END_A_CALL, SENTENCE_LENGTH, SENTENCES
from calls.rules.playbooks.words import PLACEHOLDERS, filled
from calls.selectors.call_screen import screen_of
from calls.services.reference import load_playbooks
from calls.services.situations import enter_stage
from campaigns.rules.texts import check_text
from tests.rawsql import execute, refused
from tests.talking import Talk

#: Codes and effects that programs and reports know.
EFFECTS = {
    "racist": "abuse",
    "sexist": "abuse",
    "flirting": "abuse",
    "troll": "abuse",
    "aggressive": "abuse",
    "policy": "policy",
    "not_following": "learner",
    "angry": "anger",
    "legal": "complaint",
    "boss": "boss",
    "language": "language",
    "impairment": "channel",
    "lost": "lost",
    "well_known": "confidential",
    "suicidal": "danger",
    "vulnerable": "vulnerable",
    "minor": "minor",
    "bereavement": "bereavement",
    "driving": "driving",
    "deaf_relay": "channel",
    "data_origin": "origin",
    "do_not_call": "opt_out",
}
#: Where a call may end (domain, section 2): stages by their number.
ENDS = {"racist": [6], "sexist": [4], "flirting": [5], "troll": [1, 3], "aggressive": [3], "driving": [1]}


def test_every_situation_of_the_trade_has_its_playbook_and_its_effect() -> None:
    assert {playbook.code: playbook.effect for playbook in PLAYBOOKS} == EFFECTS
    assert set(EFFECTS.values()) == set(SituationEffect.values)


@pytest.mark.parametrize("playbook", PLAYBOOKS, ids=lambda playbook: playbook.code)
def test_a_call_may_end_only_where_the_trade_allows_it(playbook: Playbook) -> None:
    ends = [number for number, stage in enumerate(playbook.stages, start=1) if stage.may_end]

    assert ends == ENDS.get(playbook.code, [])
    assert not ends or playbook.effect in MAY_END_A_CALL


@pytest.mark.parametrize("playbook", PLAYBOOKS, ids=lambda playbook: playbook.code)
def test_every_stage_can_be_said_and_done_in_both_languages(playbook: Playbook) -> None:
    assert all((playbook.label, playbook.label_en, playbook.keywords))
    for stage in playbook.stages:
        assert all((stage.title, stage.title_en, stage.do, stage.do_en))
        assert bool(stage.opens) == bool(stage.opens_en)
        assert 2 <= len(stage.fr) == len(stage.en) <= SENTENCES
        for language, sentences in stage.say.items():
            for sentence in sentences:
                check_text(sentence, maximum=SENTENCE_LENGTH, more=PLACEHOLDERS)
                nothing_known = filled(sentence, {}, language)
                assert not re.search(r"[{}]", nothing_known)
                assert nothing_known[-1] in ".?…؟"


@pytest.mark.parametrize("playbook", PLAYBOOKS, ids=lambda playbook: playbook.code)
def test_nobody_is_shouted_at_and_the_agent_has_no_gender(playbook: Playbook) -> None:
    said = " ".join(sentence for stage in playbook.stages for sentence in stage.fr)

    assert "!" not in said
    assert not re.search(r"\b(désolée?|navrée?|certaine?|sûre?|heureuse|heureux)\b", said)
    assert not re.search(r"\b(tu|toi|ton|ta|tes)\b", said, re.IGNORECASE)


def test_who_speaks_of_dying_is_given_the_helpline_and_never_hung_up_on() -> None:
    (suicidal,) = (playbook for playbook in PLAYBOOKS if playbook.code == "suicidal")
    told = " ".join(
        [*(stage.do for stage in suicidal.stages), *(text for one in suicidal.stages for text in one.fr)]
    )

    assert all(number in told for number in ("3114", "15", "112", "114"))
    assert not any(stage.may_end for stage in suicidal.stages)


def test_the_bereaved_hear_no_i_understand() -> None:
    (bereavement,) = (playbook for playbook in PLAYBOOKS if playbook.code == "bereavement")

    said = " ".join(text for stage in bereavement.stages for text in (*stage.fr, *stage.en)).lower()
    assert "comprends" not in said
    assert "understand" not in said


def test_a_missing_value_leaves_a_sentence_that_can_be_said() -> None:
    text = "Vous pouvez parler à {supervisor}. Son numéro : {supervisor_number}."

    said = filled(text, {"supervisor": "Awa Diop", "supervisor_number": ""}, "fr")

    assert said == "Vous pouvez parler à Awa Diop. Son numéro\u00a0: je vous le donne dans un instant."
    assert "{" not in filled(text, {}, "ar")


@pytest.mark.django_db
def test_loading_again_changes_nothing() -> None:
    before = list(Stage.objects.order_by("pk").values())

    assert load_playbooks() == 0
    assert list(Stage.objects.order_by("pk").values()) == before
    assert Situation.objects.count() == len(PLAYBOOKS)


@pytest.mark.django_db
def test_what_nobody_edited_is_renewed_and_what_somebody_edited_is_left_alone() -> None:
    Situation.objects.filter(code="boss").update(label="Ancien libellé")
    Stage.objects.filter(situation__code="legal", position=3).delete()
    Situation.objects.filter(code="racist").update(label="Les mots de la maison", edited_at=timezone.now())

    renewed = load_playbooks()

    assert renewed == 2
    assert Situation.objects.get(code="boss").label == "« Je veux votre responsable »"
    assert Stage.objects.filter(situation__code="legal").count() == 3
    assert Situation.objects.get(code="racist").label == "Les mots de la maison"
    assert load_playbooks() == 0


@pytest.mark.django_db
@pytest.mark.parametrize("effect", sorted(set(SituationEffect.values) - MAY_END_A_CALL))
def test_the_database_lets_no_stage_end_a_call_for_any_other_reason(effect: str) -> None:
    code = next(code for code, its in EFFECTS.items() if its == effect)

    with refused("stage_may_end_a_call"):
        execute(
            "UPDATE calls_stage SET may_end = true FROM calls_situation s"
            " WHERE s.id = situation_id AND s.code = %s",
            code,
        )
    with refused("stage_may_end_a_call"):
        execute(
            'INSERT INTO calls_stage (situation_id, position, say, "do", may_end)'
            " SELECT id, 90, '{}', '', true FROM calls_situation WHERE code = %s",
            code,
        )
    with refused("stage_may_end_a_call"):
        execute("UPDATE calls_situation SET effect = %s WHERE code = 'racist'", effect)


@pytest.mark.django_db
def test_what_may_end_a_call_may_still_be_moved_from_abuse_to_driving() -> None:
    execute("UPDATE calls_situation SET effect = 'driving' WHERE code = 'racist'")

    assert Situation.objects.get(code="racist").stages.filter(may_end=True).exists()


@pytest.mark.django_db
def test_a_stage_that_does_not_say_so_takes_the_right_to_end_back() -> None:
    talk = Talk().greeted()
    enter_stage(situation="troll", stage=1, **talk.by())
    assert talk.read().end_allowed_by == "stage:troll/1"

    enter_stage(situation="troll", stage=2, **talk.by())
    assert talk.read().end_allowed_by == ""
    enter_stage(situation="troll", stage=3, **talk.by())
    enter_stage(situation="suicidal", stage=1, **talk.by())

    assert not screen_of(talk.read(), talk.at).may_hang_up
