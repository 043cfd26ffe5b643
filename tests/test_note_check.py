"""The check of notes: insults, sensitive facts and account numbers are not kept of a person; lists are a manager's."""

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from calls.enums import NoteCategory
from calls.models import Call, CallEvent, NoteWarning, WordList
from calls.rules.note_check import WordRule, check
from calls.rules.word_lists import WORD_LISTS
from calls.services.note_check import NoteNotNeutral
from calls.services.notes import note_of, write_note
from calls.services.talk import answer_criterion, note_wish
from calls.services.word_lists import edit_word_list, lines_of, load_word_lists
from crm.enums import Role
from crm.rules.errors import Forbidden, Invalid
from tests.api_client import Api, problem_of
from tests.factories import NOW, make_user
from tests.talking import Talk
from tests.test_call_screen import HTMX, Story

DELIVERED = [
    WordRule(
        str(one.category),
        one.language,
        tuple(lines_of(one.words).splitlines()),
        tuple(lines_of(one.exceptions).splitlines()),
        one.neutral,
    )
    for one in WORD_LISTS
]


def found(text: str, *known: str) -> set[str]:
    return {finding.category for finding in check(text, DELIVERED, known=known).findings}


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("Un vrai connard.", "insult"),
        ("deux CONNARDS au téléphone", "insult"),
        ("c'est un con", "insult"),
        ("what an asshole", "insult"),
        ("une bande d'escrocs", "insult"),
        ("elle est raciste", "insult"),
        ("Elle est dépressive", "health"),
        ("il est depressif", "health"),
        ("soigné pour un cancer", "health"),
        ("en arrêt-maladie jusqu'en mars", "health"),
        ("absente, malade", "health"),
        ("Elle est enceinte de six mois", "health"),
        ("he is depressed", "health"),
        ("La comptable est juive", "religion"),
        ("homme de foi", "religion"),
        ("il fait ramadan", "religion"),
        ("délégué de la CGT", "opinion"),
        ("syndiquée", "opinion"),
        ("d'extrême-droite", "opinion"),
        ("il est homosexuel", "sexuality"),
        ("une gitane", "origin"),
        ("type  maghrébin", "origin"),
    ],
)
def test_words_are_found_whole_with_their_endings_and_without_their_accents(text: str, category: str) -> None:
    assert found(text) == {category}


@pytest.mark.parametrize(
    "text",
    [
        "Secteur de la santé, rappeler lundi",
        "De bonne foi, il pensait avoir répondu",
        "Le contrat fait foi",
        "Ligue contre le cancer : standard fermé",
        "Caisse primaire d'assurance maladie",
        "L'hôpital demande un courrier",
        "Le congrès a lieu à Confolens, salle de concert",
        "Collecte des ordures ménagères",
        "Contacter le service des pompes",
        "Il parle arabe : rappeler avec un collègue",
        "numéro invalide, société étrangère",
        "Réunion avec le député mardi",
        "Secours catholique",
        "Boulangerie Martin",
        "Le foie gras est livré",
        "Livraison en retard, épandage du fumier",
        "A tenu des propos racistes, appel terminé",
        "Vend des enceintes, magasin dans l'enceinte du stade",
        "Musée : exposition Homo sapiens",
        "",
    ],
)
def test_everyday_words_of_trades_and_names_are_no_warning(text: str) -> None:
    assert found(text) == set()


def test_the_names_of_the_call_mean_nothing_of_a_person() -> None:
    assert found("Institut Cancer Avenir rappelle", "Institut Cancer Avenir") == set()
    assert found("Madame Gay est absente", "Gay") == set()
    assert found("Madame Gay est dépressive", "Gay") == {"health"}


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("FR76 3000 6000 0112 3456 7890 189 merci", "[iban] merci"),
        ("virement sur fr7630006000011234567890189.", "virement sur [iban]."),
        ("DE89 3704 0044 0532 0130 00", "[iban]"),
        ("carte 4970-1000-0000-0154", "carte [card]"),
        ("RIB 30006 00001 12345678901 89", "RIB [rib]"),
        ("sécu 1 85 05 78 006 084 91", "sécu [nir]"),
        ("cryptogramme : 123", "cryptogramme : [card_code]"),
    ],
)
def test_account_card_and_security_numbers_are_masked(text: str, masked: str) -> None:
    verdict = check(text, [])

    assert verdict.masked == masked
    assert len(verdict.removed) == 1


@pytest.mark.parametrize(
    "text",
    [
        "FR76 3000 6000 0112 3456 7890 188",
        "carte 4970 1000 0000 0155",
        "SIRET 732 829 320 00074",
        "rappeler au 02 61 91 44 02",
        "+33 6 39 98 12 34 puis le 0033199004401",
        "RIB 30006 00001 12345678901 88",
        "référence 2026-11-25-000123",
    ],
)
def test_numbers_with_another_check_digit_and_those_of_companies_and_phones_stay(text: str) -> None:
    assert check(text, []).masked == text


def test_the_clause_that_holds_the_words_is_replaced_and_the_others_stay() -> None:
    verdict = check("Rappeler mardi. Quel connard, il veut un devis.", DELIVERED)

    assert verdict.neutral == "Rappeler mardi. Échange difficile, il veut un devis."


@pytest.mark.parametrize("delivered", DELIVERED, ids=lambda one: f"{one.category}-{one.language}")
def test_the_neutral_wordings_are_neutral(delivered: WordRule) -> None:
    assert delivered.neutral
    assert found(delivered.neutral) == set()


@given(st.text(max_size=300))
def test_the_offered_text_is_always_neutral_and_what_is_masked_stays_masked(text: str) -> None:
    verdict = check(text, DELIVERED)

    assert check(verdict.neutral, DELIVERED).findings == ()
    assert check(verdict.masked, DELIVERED).removed == ()


@given(
    st.lists(
        st.sampled_from(
            ["connard", "rappeler lundi", "dépressive", ", ", ". ", "bonne foi", "CGT", "\n", "le "]
        )
    )
)
def test_notes_made_of_such_words_come_out_neutral(words: list[str]) -> None:
    verdict = check(" ".join(words), DELIVERED)

    assert check(verdict.neutral, DELIVERED).findings == ()


# ---- on a call


@pytest.mark.django_db
class TestOnACall:
    """What the services and addresses make of it."""

    def test_a_note_with_an_insult_is_stored_once_it_is_reworded(self) -> None:
        talk = Talk().greeted()

        with pytest.raises(NoteNotNeutral) as refusal:
            write_note(text="Le patron est un connard.", **talk.by())
        write_note(text=refusal.value.neutral, **talk.by())

        assert note_of(talk.call) == "Échange difficile."
        assert not NoteWarning.objects.exists()

    def test_words_kept_with_a_reason_leave_the_reason_and_are_not_asked_about_again(self) -> None:
        talk = Talk().greeted()
        text = "Demande un rendez-vous adapté : il est handicapé"

        write_note(text=text, override_reason="il l'a demandé lui-même", **talk.by())
        write_note(text=f"{text}, rappeler lundi", **talk.by())
        with pytest.raises(NoteNotNeutral):
            write_note(text=f"{text}, et dépressif", **talk.by())

        assert note_of(talk.call) == f"{text}, rappeler lundi"
        warning = NoteWarning.objects.get()
        assert (warning.category, warning.reason) == (NoteCategory.HEALTH, "il l'a demandé lui-même")

    def test_an_account_number_is_never_kept_whatever_the_reason(self) -> None:
        talk = Talk().greeted()

        write_note(
            text="Connard. IBAN FR76 3000 6000 0112 3456 7890 189", override_reason="preuve", **talk.by()
        )

        assert "3000" not in str(list(CallEvent.objects.values_list("data", flat=True)))
        assert note_of(talk.call) == "Connard. IBAN [IBAN retiré]"

    def test_what_was_heard_and_wished_is_checked_too(self) -> None:
        talk = Talk().greeted()
        mismatch: dict[str, Any] = {"criterion": talk.criterion, "result": "mismatch"}

        with pytest.raises(NoteNotNeutral):
            note_wish(text="un salaud, rappeler", remind_at=None, **talk.by())
        with pytest.raises(NoteNotNeutral):
            answer_criterion(heard="un connard de boulanger", **mismatch, **talk.by())
        assert talk.read().out_of_criteria_at is None
        answer_criterion(heard="boulangerie", **mismatch, **talk.by())

        assert talk.read().out_of_criteria_at is not None

    def test_a_disposition_with_such_a_note_is_refused_by_field_and_a_plain_one_passes(self) -> None:
        talk = Talk().greeted()
        api = Api(talk.agent)
        path = f"calls/{talk.call.pk}/disposition/"

        problem = problem_of(api.post(path, {"code": "refusal", "note": "quel connard"}), "validation", 400)
        stored = api.post(path, {"code": "refusal", "note": "ne souhaite pas répondre"})

        assert "note" in problem["errors"]
        assert stored.status_code == 200

    def test_the_page_answers_a_warning_with_the_words_still_in_their_field(self, client: Client) -> None:
        story = Story()
        story.go("asked")
        client.force_login(story.agent)

        warned = client.post(story.url("note"), {"note": "Un connard."}, headers=HTMX)
        kept = client.post(story.url("note"), {"note": "Un connard.", "override": "ses mots"}, headers=HTMX)

        assert warned.status_code == 422
        assert warned["HX-Retarget"] == "#note-warning"
        assert 'data-neutral="Échange difficile."' in warned.content.decode()
        assert kept.status_code == 200
        assert NoteWarning.objects.get().reason == "ses mots"

    def test_a_mismatch_with_such_words_comes_back_with_its_form_and_the_neutral_words(
        self, client: Client
    ) -> None:
        story = Story()
        story.go("asked")
        client.force_login(story.agent)
        sent = {"criterion": story.criterion.pk, "result": "mismatch", "heard": "un connard"}

        page = client.post(story.url("criteria"), sent, headers=HTMX)

        assert page.status_code == 400
        assert 'value="un connard"' in page.content.decode()
        assert 'data-neutral="échange difficile"' in page.content.decode()

    def test_finishing_asks_first_what_to_do_with_a_draft(self, client: Client) -> None:
        story = Story()
        story.go("ended")
        client.force_login(story.agent)
        draft = {"draft_note": "un connard", "draft_call": story.call.pk}

        refused = client.post(
            reverse("desk-next-call"), {"campaign": story.campaign.pk, **draft}, headers=HTMX
        )
        assert refused.status_code == 409
        assert Call.objects.get(pk=story.call.pk).is_open
        client.post(story.url("completion"), {**draft, "draft_note": "échange difficile"}, headers=HTMX)

        assert not Call.objects.get(pk=story.call.pk).is_open
        assert note_of(story.call) == "échange difficile"

    def test_a_kept_warning_is_history_and_its_reason_goes_with_the_person(self) -> None:
        talk = Talk().greeted()
        write_note(text="un connard", override_reason="ses mots", **talk.by())

        for statement in (
            "UPDATE calls_notewarning SET reason = 'x'",
            "UPDATE calls_notewarning SET reason = ''",
            "DELETE FROM calls_notewarning",
        ):
            with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)


@pytest.mark.django_db
class TestLists:
    """The lists are data: delivered, edited, never overwritten."""

    def test_the_lists_are_delivered_once_and_what_a_manager_wrote_stays(self) -> None:
        manager = make_user(Role.MANAGER)
        insults = WordList.objects.get(category="insult", language="fr")

        load_word_lists()
        edit_word_list(word_list=insults, data={"words": "margoulin\n margoulin \n"}, by=manager, at=NOW)
        loaded = load_word_lists()

        insults.refresh_from_db()
        assert loaded == 0
        assert insults.words == "margoulin"
        assert insults.edited_by == manager

    def test_what_a_manager_adds_is_found_and_a_list_taken_out_of_use_is_not(self) -> None:
        talk, manager = Talk().greeted(), make_user(Role.MANAGER)
        insults = WordList.objects.get(category="insult", language="fr")

        edit_word_list(word_list=insults, data={"words": "margoulin"}, by=manager, at=NOW)
        with pytest.raises(NoteNotNeutral):
            write_note(text="deux margoulins", **talk.by())
        edit_word_list(word_list=insults, data={"active": False}, by=manager, at=NOW)
        write_note(text="deux margoulins", **talk.by())

        assert note_of(talk.call) == "deux margoulins"

    def test_only_managers_edit_and_an_entry_has_letters(self) -> None:
        insults = WordList.objects.get(category="insult", language="fr")

        with pytest.raises(Forbidden):
            edit_word_list(word_list=insults, data={"words": "x"}, by=make_user(Role.SUPERVISOR), at=NOW)
        with pytest.raises(Invalid):
            edit_word_list(word_list=insults, data={"words": "*"}, by=make_user(Role.MANAGER), at=NOW)
