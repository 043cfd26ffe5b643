"""The form of a playbook: its head, and a form for each stage. Adding, removing and moving a stage saves nothing."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from calls.enums import SituationEffect
from calls.rules.playbooks.content import STAGES, Content, StageContent
from crm.rules.errors import DomainError

#: Buttons that change the stages on the page: what they are called by, before their stage's number.
ADD, REMOVE, UP, DOWN = "add", "remove", "up", "down"
PREFIX = "stages"


def _sentences(rows: int, lang: str) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows, "lang": lang})


def _line(lang: str) -> forms.TextInput:
    """A line in a language of its own, so that a screen reader reads it as such."""
    return forms.TextInput(attrs={"lang": lang})


class PlaybookForm(forms.Form):
    """What a situation is called, found by and does; `version` is the one that was read."""

    code = forms.SlugField(
        label=_("Code"), max_length=40, help_text=_("En minuscules, sans espace ; il ne change plus ensuite.")
    )
    label = forms.CharField(label=_("Libellé"), max_length=120, widget=_line("fr"))
    label_en = forms.CharField(label=_("Libellé anglais"), max_length=120, required=False, widget=_line("en"))
    keywords = forms.CharField(
        label=_("Mots de recherche"),
        max_length=300,
        required=False,
        help_text=_("Ce que l'agent tape pour la trouver, séparé par des espaces, dans les deux langues."),
    )
    effect = forms.ChoiceField(
        label=_("Effet"),
        required=False,
        choices=[("", _("aucun : des phrases seulement")), *SituationEffect.choices],
        help_text=_("Seuls les propos abusifs et la conduite peuvent permettre de mettre fin à l'appel."),
    )
    position = forms.IntegerField(
        label=_("Ordre"),
        min_value=0,
        max_value=9999,
        required=False,
        help_text=_("Les plus petits viennent d'abord."),
    )
    active = forms.BooleanField(label=_("Proposée aux agents"), required=False)
    version = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0)

    def __init__(self, *args: Any, is_new: bool, **kwargs: Any) -> None:
        """Ask for the code of a new situation only."""
        super().__init__(*args, **kwargs)
        if not is_new:
            del self.fields["code"]


class StageForm(forms.Form):
    """One stage: sentences one per line."""

    title = forms.CharField(label=_("Titre"), max_length=120, required=False, widget=_line("fr"))
    title_en = forms.CharField(label=_("Titre anglais"), max_length=120, required=False, widget=_line("en"))
    opens = forms.CharField(
        widget=_line("fr"),
        label=_("S'ouvre sur"),
        max_length=120,
        required=False,
        help_text=_("Ce que l'on entend quand le scénario commence ici ; vide s'il n'y commence pas."),
    )
    opens_en = forms.CharField(
        label=_("S'ouvre sur, en anglais"), max_length=120, required=False, widget=_line("en")
    )
    say_fr = forms.CharField(
        label=_("Phrases en français, une par ligne"),
        required=False,
        widget=_sentences(4, "fr"),
        max_length=1200,
    )
    say_en = forms.CharField(
        label=_("Phrases en anglais, une par ligne"),
        required=False,
        widget=_sentences(4, "en"),
        max_length=1200,
    )
    say_other = forms.CharField(
        label=_("Dans d'autres langues"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        max_length=4000,
        help_text=_("Une par ligne, le code de la langue d'abord : « es : Lo siento. »"),
    )
    do = forms.CharField(label=_("À faire"), max_length=300, required=False, widget=_sentences(2, "fr"))
    do_en = forms.CharField(
        label=_("À faire, en anglais"), max_length=300, required=False, widget=_sentences(2, "en")
    )
    may_end = forms.BooleanField(label=_("Permet de mettre fin à l'appel"), required=False)

    def clean_say_other(self) -> dict[str, list[str]]:
        """Return the sentences by language; refuse a line without the code of one."""
        told: dict[str, list[str]] = {}
        for line in self.cleaned_data["say_other"].splitlines():
            code, colon, sentence = (part.strip() for part in line.partition(":"))
            if not line.strip():
                continue
            if not (colon and sentence and code.isascii() and code.isalpha() and len(code) in (2, 3)):
                raise forms.ValidationError(_("Commencez chaque ligne par le code de la langue : « es : … »"))
            if code.lower() in ("fr", "en"):
                raise forms.ValidationError(_("Le français et l'anglais ont leur propre champ."))
            told.setdefault(code.lower(), []).append(sentence)
        return told

    def content(self) -> StageContent:
        """Return the stage as it is written."""
        told = self.cleaned_data
        say = {"fr": told["say_fr"].splitlines(), "en": told["say_en"].splitlines(), **told["say_other"]}
        kept = ("title", "title_en", "opens", "opens_en", "do", "do_en", "may_end")
        return StageContent(say=say, **{name: told[name] for name in kept})


#: The stages, in their order.
make_stages: Any = forms.formset_factory(StageForm, extra=0, max_num=STAGES, absolute_max=STAGES + 1)


def stages_of(content: Content) -> Any:
    """Return the forms of a playbook's stages as they are written, one empty form for a new playbook."""
    return make_stages(prefix=PREFIX, initial=[_initial(stage) for stage in content.stages] or [{}])


def stages_sent(data: QueryDict) -> Any:
    """Return the forms of the stages that were sent."""
    return make_stages(data, prefix=PREFIX)


def stages_changed(data: QueryDict, intent: str) -> Any:
    """Return the forms of the stages that were sent after one button was pressed: nothing is judged nor saved."""
    sent = make_stages(data, prefix=PREFIX)
    told = [{name: form[name].value() for name in form.fields} for form in sent.forms]
    return make_stages(prefix=PREFIX, initial=_moved(told, intent))


def _moved(stages: list[dict[str, Any]], intent: str) -> list[dict[str, Any]]:
    what, _dash, text = intent.partition("-")
    place = int(text) if text.isdecimal() and int(text) < len(stages) else -1
    if what == ADD and len(stages) < STAGES:
        return [*stages, {}]
    if what == REMOVE and place >= 0:
        return [*stages[:place], *stages[place + 1 :]]
    other = place - 1 if what == UP else place + 1
    if what in (UP, DOWN) and place >= 0 and 0 <= other < len(stages):
        stages[place], stages[other] = stages[other], stages[place]
    return stages


def content_sent(head: PlaybookForm, stages: Any, code: str) -> Content:
    """Return the playbook that two valid forms describe."""
    told = head.cleaned_data
    return Content(
        code=told.get("code", code),
        label=told["label"],
        label_en=told["label_en"],
        keywords=told["keywords"],
        effect=told["effect"],
        active=told["active"],
        position=told["position"] or 0,
        stages=tuple(form.content() for form in stages),
    )


def initial_of(content: Content, version: int) -> dict[str, Any]:
    """Return the head of a playbook as its form shows it."""
    names = ("code", "label", "label_en", "keywords", "effect", "active", "position")
    return {"version": version, **{name: getattr(content, name) for name in names}}


def _initial(stage: StageContent) -> dict[str, Any]:
    kept = ("title", "title_en", "opens", "opens_en", "do", "do_en", "may_end")
    others = [
        f"{code} : {text}"
        for code, texts in sorted(stage.say.items())
        for text in texts
        if code not in ("fr", "en")
    ]
    return {
        **{name: getattr(stage, name) for name in kept},
        "say_fr": _lines(stage.say, "fr"),
        "say_en": _lines(stage.say, "en"),
        "say_other": "\n".join(others),
    }


def _lines(say: Mapping[str, Sequence[str]], language: str) -> str:
    return "\n".join(say.get(language, []))


def show_playbook_refusal(head: PlaybookForm, stages: Any, error: DomainError) -> None:
    """Put a refusal beside the fields that it names: `stages-<index>-<field>` is a field of a stage."""
    for name, messages in error.fields.items():
        form, field = _named(head, stages, name)
        form.add_error(field if field in form.fields else None, [str(message) for message in messages])
    if not error.fields:
        head.add_error(None, str(error.message))


def _named(head: PlaybookForm, stages: Any, name: str) -> tuple[forms.Form, str]:
    prefix, _dash, rest = name.partition("-")
    index, _dash, field = rest.partition("-")
    if prefix == PREFIX and index.isdecimal():
        return stages.forms[int(index)], field
    return head, name
