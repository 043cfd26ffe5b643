"""Managers write the playbooks: every version is kept, nothing loosens where a call may end, calls go on."""

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from calls.models import Situation, SituationVersion, Stage
from calls.rules.playbooks.content import Content, StageContent
from calls.selectors.call_screen import screen_of
from calls.selectors.playbook_pages import content_of, versions_of
from calls.selectors.playbooks import palette, stage_of
from calls.services.playbooks import restore_version, save_playbook
from calls.services.reference import load_playbooks
from calls.services.situations import enter_stage
from crm.enums import Role
from crm.models import User
from crm.rules.errors import Forbidden, Invalid, StaleRecord
from tests.factories import NOW, make_user
from tests.rawsql import execute, refused
from tests.talking import Talk

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager() -> User:
    return make_user(Role.MANAGER, first_name="Marion", last_name="Petit")


@pytest.fixture
def boss() -> Situation:
    return Situation.objects.get(code="boss")


def save(situation: Situation | None, content: Content, by: User, version: int | None = None) -> Situation:
    expected = situation.version if situation and version is None else version
    return save_playbook(situation=situation, content=content, by=by, at=NOW, expected_version=expected)


def say(*sentences: str, **more: Any) -> StageContent:
    return StageContent(**{"title": "Une étape", "say": {"fr": list(sentences)}, **more})


# --- the service


def test_an_edition_is_a_version_and_what_was_delivered_stays_to_be_read(
    manager: User, boss: Situation
) -> None:
    before = content_of(boss)

    save(boss, replace(before, label="« Votre chef, vite »"), manager)

    boss.refresh_from_db()
    assert (boss.label, boss.version, boss.edited_at) == ("« Votre chef, vite »", 2, NOW)
    newest, oldest = versions_of(boss)
    assert (newest.version, newest.who, newest.is_now) == (2, "Marion Petit", True)
    assert newest.details == [("Libellé", before.label, "« Votre chef, vite »")]
    assert (oldest.version, oldest.who, oldest.is_now) == (1, "", False)
    assert (
        Content.of_json(SituationVersion.objects.get(situation=boss, version=1).content).label == before.label
    )


def test_the_same_content_again_is_no_version(manager: User, boss: Situation) -> None:
    save(boss, content_of(boss), manager)

    assert not SituationVersion.objects.filter(situation=boss).exists()
    assert Situation.objects.get(code="boss").edited_at is None


def test_an_edited_playbook_survives_the_loader(manager: User, boss: Situation) -> None:
    save(boss, replace(content_of(boss), stages=(say("Un instant, je vous prie."),)), manager)

    assert load_playbooks() == 0
    assert Stage.objects.get(situation=boss).say == {"fr": ["Un instant, je vous prie."]}


def test_a_restored_version_is_a_new_one_with_the_old_words(manager: User, boss: Situation) -> None:
    delivered = content_of(boss)
    save(boss, replace(delivered, stages=(say("Un instant."),)), manager)

    restore_version(situation=boss, version=1, by=manager, at=NOW, expected_version=2)

    boss.refresh_from_db()
    assert boss.version == 3
    assert content_of(boss) == delivered


def test_somebody_else_s_edition_is_not_overwritten(manager: User, boss: Situation) -> None:
    save(boss, replace(content_of(boss), keywords="chef"), manager)

    for stale in (1, None, 99):
        with pytest.raises(StaleRecord):
            save_playbook(
                situation=boss,
                content=replace(content_of(boss), label="autre"),
                by=manager,
                at=NOW,
                expected_version=stale,
            )
    assert Situation.objects.get(code="boss").version == 2


@pytest.mark.parametrize("role", [Role.AGENT, Role.SUPERVISOR, Role.INTEGRATION])
def test_nobody_but_a_manager_writes(role: str, boss: Situation) -> None:
    with pytest.raises(Forbidden):
        save(boss, replace(content_of(boss), label="x"), make_user(role))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"label": "  "}, "label"),
        ({"stages": ()}, "stages"),
        ({"stages": (say("Oui."),) * 10}, "stages"),
        ({"effect": "flattery"}, "effect"),
        ({"stages": (say("Oui."), say())}, "stages-1-say_fr"),
        ({"stages": (say("  "),)}, "stages-0-say_fr"),
        ({"stages": (say(*["Oui."] * 5),)}, "stages-0-say_fr"),
        ({"stages": (say("x" * 201),)}, "stages-0-say_fr"),
        ({"stages": (say("<b>Oui</b>."),)}, "stages-0-say_fr"),
        ({"stages": (say("Bonjour {inconnu}."),)}, "stages-0-say_fr"),
        ({"stages": (StageContent(say={"fr": ["Oui."], "en": ["{"]}),)}, "stages-0-say_en"),
        ({"stages": (StageContent(say={"fr": ["Oui."], "es": ["{"]}),)}, "stages-0-say_other"),
        ({"stages": (say("Oui."), say("Au revoir.", may_end=True))}, "stages-1-may_end"),
    ],
)
def test_what_cannot_be_said_is_refused_and_the_refusal_says_where(
    manager: User, boss: Situation, change: dict[str, Any], field: str
) -> None:
    before = content_of(boss)

    with pytest.raises(Invalid) as refusal:
        save(boss, replace(before, **change), manager)

    assert list(refusal.value.fields) == [field]
    assert content_of(Situation.objects.get(code="boss")) == before


@pytest.mark.parametrize("code", ["suicidal", "bereavement", "vulnerable", "legal", "language"])
def test_nobody_can_write_that_such_a_call_may_be_ended(manager: User, code: str) -> None:
    situation = Situation.objects.get(code=code)
    content = content_of(situation)
    ends = tuple(replace(stage, may_end=True) for stage in content.stages)

    with pytest.raises(Invalid) as refusal:
        save(situation, replace(content, stages=ends), manager)

    assert "stages-0-may_end" in refusal.value.fields
    assert not situation.stages.filter(may_end=True).exists()


def test_an_abuse_that_may_end_becomes_no_complaint_that_may_end(manager: User) -> None:
    racist = Situation.objects.get(code="racist")

    with pytest.raises(Invalid):
        save(racist, replace(content_of(racist), effect="complaint"), manager)


def test_a_new_playbook_is_offered_and_one_that_is_retired_is_not(manager: User) -> None:
    content = Content(code="voisin", label="Un voisin répond", keywords="palier", stages=(say("Bonjour."),))

    made = save(None, content, manager)

    assert (made.version, SituationVersion.objects.get(situation=made).by) == (1, manager)
    assert [entry.value for group in palette("palier") for entry in group.entries] == ["voisin/1"]
    save(made, replace(content_of(made), active=False), manager)
    assert palette("palier") == []


@pytest.mark.parametrize("code", ["", "boss", "new"])
def test_a_new_playbook_needs_a_code_of_its_own(manager: User, code: str) -> None:
    with pytest.raises(Invalid) as refusal:
        save(None, Content(code=code, label="x", stages=(say("Oui."),)), manager)

    assert "code" in refusal.value.fields


def test_the_versions_cannot_be_rewritten(manager: User, boss: Situation) -> None:
    save(boss, replace(content_of(boss), keywords="chef"), manager)

    for statement in (
        "UPDATE calls_situationversion SET content = '{}'",
        "DELETE FROM calls_situationversion",
    ):
        with refused("situation_version_append_only"):
            execute(statement)


# --- a call in the middle of an edition


def test_a_call_whose_stage_is_taken_out_is_offered_the_palette_and_goes_on(
    manager: User, client: Client
) -> None:
    talk = Talk().greeted()
    enter_stage(situation="legal", stage=3, **talk.by())
    legal = Situation.objects.get(code="legal")

    save(legal, replace(content_of(legal), stages=(say("Je note votre plainte."),)), manager)

    assert stage_of(screen_of(talk.read(), talk.at)) is None
    client.force_login(talk.agent)
    screen = client.get(reverse("call", args=[talk.call.pk])).content.decode()
    assert "étape ouverte n" in screen
    assert 'name="over"' in screen
    back = client.post(reverse("call-situations", args=[talk.call.pk]), {"over": "on"}, follow=True)
    assert "data-palette" not in back.content.decode()


def test_a_stage_that_allowed_the_end_still_does_after_it_is_written_anew(manager: User) -> None:
    talk = Talk().greeted()
    enter_stage(situation="aggressive", stage=3, **talk.by())
    aggressive = Situation.objects.get(code="aggressive")

    save(aggressive, replace(content_of(aggressive), stages=(say("Restons calmes."),)), manager)

    assert screen_of(talk.read(), talk.at).may_hang_up


# --- the pages


def posted(content: Content, version: int, **more: str) -> dict[str, str]:
    """Return what the form of a playbook sends."""
    sent = {
        "version": str(version),
        "label": content.label,
        "label_en": content.label_en,
        "keywords": content.keywords,
        "effect": content.effect,
        "position": str(content.position),
        "stages-TOTAL_FORMS": str(len(content.stages)),
        "stages-INITIAL_FORMS": "0",
    }
    if content.active:
        sent["active"] = "on"
    for number, stage in enumerate(content.stages):
        fields = {
            name: getattr(stage, name) for name in ("title", "title_en", "opens", "opens_en", "do", "do_en")
        }
        fields["say_fr"] = "\r\n".join(stage.say.get("fr", []))
        fields["say_en"] = "\r\n".join(stage.say.get("en", []))
        fields["say_other"] = "\r\n".join(
            f"{code} : {text}"
            for code, texts in stage.say.items()
            for text in texts
            if code not in ("fr", "en")
        )
        if stage.may_end:
            fields["may_end"] = "on"
        sent |= {f"stages-{number}-{name}": str(value) for name, value in fields.items()}
    return {**sent, **more}


@pytest.mark.parametrize("code", ["boss", "language", "racist"])
def test_a_form_that_is_sent_as_it_was_read_changes_nothing(client: Client, manager: User, code: str) -> None:
    client.force_login(manager)
    before = content_of(Situation.objects.get(code=code))

    answer = client.post(reverse("situation", args=[code]), posted(before, 1))

    assert answer.status_code == 302
    assert content_of(Situation.objects.get(code=code)) == before
    assert not SituationVersion.objects.exists()


def test_a_manager_adds_moves_and_removes_stages_and_nothing_is_saved_before_the_button(
    client: Client, manager: User, boss: Situation
) -> None:
    client.force_login(manager)
    url, content = reverse("situation", args=["boss"]), content_of(boss)

    for intent, first, count in (
        ("add", content.stages[0].title, 3),
        ("down-0", content.stages[1].title, 2),
        ("up-1", content.stages[1].title, 2),
        ("remove-0", content.stages[1].title, 1),
        ("up-0", content.stages[0].title, 2),
        ("remove-7", content.stages[0].title, 2),
        ("nonsense", content.stages[0].title, 2),
    ):
        answer = client.post(url, posted(content, 1, stages=intent))
        shown = answer.context["stages"]
        assert answer.status_code == 200
        assert (len(shown.forms), shown.forms[0]["title"].value()) == (count, first)

    assert content_of(boss) == content


def test_a_manager_saves_a_playbook_and_finds_who_changed_what(
    client: Client, manager: User, boss: Situation
) -> None:
    client.force_login(manager)
    content = content_of(boss)
    first, second = content.stages
    changed = replace(content, stages=(replace(first, title="Donner son nom"), second))

    answer = client.post(reverse("situation", args=["boss"]), posted(changed, 1), follow=True)

    page = answer.content.decode()
    assert "Étape 1, Titre" in page
    assert "Marion Petit" in page
    assert content_of(boss).stages[0].title == "Donner son nom"
    old = client.get(reverse("situation-version", args=["boss", 1])).content.decode()
    assert first.title in old
    assert old.index(escape(first.say["fr"][0])) < old.index(escape(first.say["en"][0]))
    client.post(reverse("situation-version", args=["boss", 1]), {"version": "2"})
    assert content_of(Situation.objects.get(code="boss")) == content


def test_a_refused_playbook_shows_the_sentence_at_its_field_with_what_was_typed(
    client: Client, manager: User, boss: Situation
) -> None:
    client.force_login(manager)
    content = content_of(boss)
    silent = replace(content.stages[1], say={}, title="Sans voix", may_end=True)

    answer = client.post(
        reverse("situation", args=["boss"]), posted(replace(content, stages=(content.stages[0], silent)), 1)
    )

    assert answer.status_code == 422
    assert set(answer.context["stages"].forms[1].errors) == {"say_fr", "may_end"}
    assert "Sans voix" in answer.content.decode()


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("es : Lo siento.\n\nar: عذرًا.", True),
        ("Lo siento.", False),
        ("fr : Bonjour.", False),
        ("es :", False),
    ],
)
def test_other_languages_are_written_with_their_code(
    client: Client, manager: User, boss: Situation, typed: str, kept: bool
) -> None:
    client.force_login(manager)
    sent = posted(content_of(boss), 1) | {"stages-0-say_other": typed}

    answer = client.post(reverse("situation", args=["boss"]), sent)

    assert (answer.status_code == 302) is kept
    assert (content_of(boss).stages[0].say.get("ar") == ["عذرًا."]) is kept


def test_a_stale_form_is_refused_with_the_words_that_say_so(
    client: Client, manager: User, boss: Situation
) -> None:
    client.force_login(manager)
    content = content_of(boss)
    save(boss, replace(content, keywords="chef"), manager)

    answer = client.post(reverse("situation", args=["boss"]), posted(replace(content, label="Autre"), 1))

    assert answer.status_code == 422
    assert "relisez-le avant d" in answer.content.decode()
    assert Situation.objects.get(code="boss").label == content.label


@pytest.mark.parametrize("sent", [{}, {"stages": "add"}, {"stages-TOTAL_FORMS": "9999", "label": "x"}])
def test_a_forged_form_is_refused_not_an_error(client: Client, manager: User, sent: dict[str, str]) -> None:
    client.force_login(manager)

    answer = client.post(reverse("situation", args=["boss"]), sent)

    assert answer.status_code in (200, 422)
    assert not SituationVersion.objects.exists()


def test_a_manager_makes_a_playbook_by_its_form(client: Client, manager: User) -> None:
    client.force_login(manager)
    content = Content(code="voisin", label="Un voisin répond", stages=(say("Bonjour."),))

    answer = client.post(reverse("situation-new"), posted(content, 0, code="voisin"))

    assert answer["Location"] == reverse("situation", args=["voisin"])
    again = client.post(reverse("situation-new"), posted(content, 0, code="voisin"))
    assert again.status_code == 422
    assert "a déjà ce code" in again.content.decode()


def test_a_supervisor_reads_and_writes_nothing(client: Client, boss: Situation) -> None:
    client.force_login(make_user(Role.SUPERVISOR))

    page = client.get(reverse("situation", args=["boss"])).content.decode()

    assert "<textarea" not in page
    assert content_of(boss).stages[0].say["fr"][1].replace("'", "&#x27;") in page
    assert client.post(reverse("situation", args=["boss"]), posted(content_of(boss), 1)).status_code == 403
