"""What the pages of this app accept, parsed and bounded before a service sees it."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.validators import validate_email
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from calls.enums import (
    AnsweredBy,
    AnswerKind,
    BanState,
    BanVerdict,
    Cause,
    Decision,
    Evidence,
    HungUpBy,
    IncidentKind,
    PauseKind,
    Result,
    StartedBy,
)
from calls.rules.moments import Unreadable, read_moment
from calls.selectors.callbacks import CallbackFilter
from calls.selectors.inbox import InboxFilter
from campaigns.enums import Scope, Step
from campaigns.forms.exclusions import BarForm
from campaigns.rules.criteria import ATTRIBUTE
from campaigns.rules.record_codes import language_code
from crm.forms import TypedField
from crm.models import Prospect, User
from crm.rules.errors import Invalid


class MomentField(forms.CharField):
    """A time in words or of a picker ("demain 15 h"), read by the clock of the pages; aware, or None for nothing."""

    def clean(self, value: Any) -> Any:
        """Return the moment; refuse what names none to come."""
        text = super().clean(value)
        if not text:
            return None
        try:
            return read_moment(text, timezone.now(), timezone.get_current_timezone_name()).at
        except Unreadable as unreadable:
            raise forms.ValidationError(unreadable.message) from None


def override() -> forms.CharField:
    """Return the field that says why words are kept that the check of notes warns of."""
    return forms.CharField(max_length=300, required=False)


class EventForm(forms.Form):
    """What the phone, or the agent in its place, reports about the line."""

    RINGING, ANSWERED, NOT_REACHED = "ringing", "answered", "not_reached"
    HUNG_UP, LINE_DEAD, EXPLAINED = "hung_up", "line_dead", "hang_up_explained"

    event = forms.ChoiceField(
        choices=[(name, name) for name in (RINGING, ANSWERED, NOT_REACHED, HUNG_UP, LINE_DEAD, EXPLAINED)]
    )
    cause = forms.CharField(max_length=40, required=False)
    by = forms.ChoiceField(choices=HungUpBy.choices, required=False)
    # Only an exchange may say "pbx", and it speaks through the API.
    evidence = forms.ChoiceField(
        choices=[(code.value, code.label) for code in (Evidence.SOFTPHONE, Evidence.DECLARED)], required=False
    )
    happened = forms.BooleanField(required=False)
    reason = forms.CharField(max_length=500, required=False)
    sip_status = forms.IntegerField(min_value=100, max_value=699, required=False)
    q850 = forms.IntegerField(min_value=0, max_value=127, required=False)

    def clean(self) -> dict[str, Any]:
        """Ask for what each event needs: a known cause, who hung up, why."""
        cleaned = super().clean() or {}
        event = cleaned.get("event")
        if event == self.NOT_REACHED and cleaned.get("cause") not in Cause.values:
            self.add_error("cause", _("Cause inconnue."))
        if event == self.HUNG_UP and not cleaned.get("by"):
            self.add_error("by", _("Qui a raccroché ?"))
        if event == self.EXPLAINED and not cleaned.get("reason"):
            self.add_error("reason", _("Dites pourquoi en quelques mots."))
        cleaned["evidence"] = cleaned.get("evidence") or Evidence.DECLARED
        return cleaned


class GreetForm(forms.Form):
    """Who answered. Another organisation is a mismatch, stored through the criteria with what was heard."""

    answered_by = forms.ChoiceField(
        choices=[(code.value, code.label) for code in AnsweredBy if code != AnsweredBy.OTHER],
        required=False,
    )


class CriterionForm(forms.Form):
    """An answer to a criterion; without criterion, another organisation or person answered."""

    criterion = forms.IntegerField(min_value=1, required=False)
    result = forms.ChoiceField(choices=Result.choices)
    heard = forms.CharField(max_length=500, required=False)
    override = override()

    def clean(self) -> dict[str, Any]:
        """A mismatch is stored with what was heard."""
        cleaned = super().clean() or {}
        if cleaned.get("result") == Result.MISMATCH and not cleaned.get("heard"):
            self.add_error("heard", _("Notez en quelques mots ce que vous avez entendu."))
        return cleaned


class ClosingStepForm(forms.Form):
    """The sentence that was said."""

    step = forms.ChoiceField(choices=Step.choices)


class SituationForm(forms.Form):
    """The stage of a playbook that was reached; `over` when the person calmed down; `driving` when they drive.

    The palette sends both in one: `entry` is "code/position".
    """

    entry = forms.RegexField(r"^[-\w]{1,40}/\d{1,2}$", required=False)
    situation = forms.SlugField(max_length=40, required=False)
    stage = forms.IntegerField(min_value=0, max_value=99, required=False)
    over = forms.BooleanField(required=False)
    driving = forms.BooleanField(required=False)

    def clean(self) -> dict[str, Any]:
        """Ask for a situation and its stage, unless it is over or the person drives."""
        cleaned = super().clean() or {}
        if entry := cleaned.get("entry"):
            cleaned["situation"], _slash, position = entry.partition("/")
            cleaned["stage"] = int(position)
        named = cleaned.get("situation") and cleaned.get("stage") is not None
        if not (named or cleaned.get("over") or cleaned.get("driving")):
            self.add_error("situation", _("Quelle situation ?"))
        return cleaned


class EffectForm(forms.Form):
    """What an open situation asks of the agent; `when` is a code of `calls.rules.quick_times`."""

    situation = forms.SlugField(max_length=40)
    words = forms.CharField(max_length=500, required=False)
    language = forms.CharField(max_length=8, required=False)
    channel = forms.CharField(max_length=10, required=False)
    when = forms.CharField(max_length=10, required=False)


class FactForm(forms.Form):
    """A field of the fiche, corrected on the line: a new value, or exchanged with another one that was swapped.

    The supplier's own fields are named `attributes.<key>`. `confirmed`: the agent knows that it contradicts a
    criterion.
    """

    FIELDS = (
        ("organisation", _("Organisation")),
        ("civility", _("Civilité")),
        ("first_name", _("Prénom")),
        ("last_name", _("Nom")),
        ("job_title", _("Fonction")),
        ("sector", _("Secteur (NAF)")),
        ("email", _("E-mail")),
        ("address", _("Adresse")),
        ("postal_code", _("Code postal")),
        ("city", _("Ville")),
        ("language", _("Langue")),
    )

    field = forms.ChoiceField(choices=FIELDS)
    value = forms.CharField(max_length=400, required=False)
    swap = forms.ChoiceField(choices=[("", ""), *FIELDS], required=False)
    confirmed = forms.BooleanField(required=False)

    def __init__(self, data: Any, *, attributes: Mapping[str, Any]) -> None:
        """Offer the columns and the `attributes` that this fiche has."""
        super().__init__(data)
        self.attributes = attributes
        field = self.fields["field"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = self.choices_of(attributes)

    def clean_value(self) -> str:
        """Read a language by its code or its name, and refuse an address that no message could reach."""
        value: str = self.cleaned_data["value"]
        field = self.cleaned_data.get("field")
        if not value or self.data.get("swap"):
            return value
        if field == "email":
            validate_email(value)
        if field == "language":
            code = language_code(value)
            if not code:
                raise forms.ValidationError(_("Langue inconnue : écrivez son nom, comme « espagnol »."))
            return code
        return value

    @classmethod
    def choices_of(cls, attributes: Mapping[str, Any]) -> list[tuple[str, Any]]:
        """Return the fields that can be corrected, as choices."""
        own = [(f"{ATTRIBUTE}{key}", key.replace("_", " ")) for key in sorted(attributes)]
        return [*cls.FIELDS, *own]

    def corrections(self, prospect: Prospect) -> dict[str, Any]:
        """Return what `correct_fact` takes, once the form is valid. Raises Invalid for a number that is none."""
        told = self.cleaned_data
        field, value, swap = told["field"], told["value"], told["swap"]
        if field.startswith(ATTRIBUTE):
            key = field.removeprefix(ATTRIBUTE)
            return {"attributes": {key: like(self.attributes.get(key), value)}}
        if swap and swap != field:
            return {field: getattr(prospect, swap), swap: getattr(prospect, field)}
        return {field: value}


def like(before: Any, text: str) -> Any:
    """Return what somebody typed as a value of the kind that stood there: a number stays a number.

    Raises Invalid for words in the place of a number.
    """
    if isinstance(before, bool) or not isinstance(before, (int, float)):
        return text
    try:
        number = float(text.replace(",", ".").replace(" ", ""))
    except ValueError:
        raise Invalid.field("value", _("Ici s'écrit un nombre.")) from None
    return int(number) if number.is_integer() else number


class DispositionForm(forms.Form):
    """How the call ended. `callback_at` is the clock of the called party, in words; `callback_pick` a picker's.

    `callback_exact`: the agent attests that the person gave that very time.
    """

    code = forms.SlugField(max_length=40)
    note = forms.CharField(max_length=2000, required=False)
    override = override()
    callback_at = forms.CharField(max_length=80, required=False)
    callback_pick = forms.CharField(max_length=40, required=False)
    callback_exact = forms.BooleanField(required=False)
    callback_agent = forms.IntegerField(min_value=1, required=False)
    callback_language = forms.SlugField(max_length=8, required=False)

    def clean(self) -> dict[str, Any]:
        """The words come before the picker."""
        cleaned = super().clean() or {}
        cleaned["callback_at"] = cleaned.get("callback_at") or cleaned.get("callback_pick") or ""
        return cleaned


class CallbackWordsForm(forms.Form):
    """What is typed of a callback that is about to be agreed."""

    callback_at = forms.CharField(max_length=80, required=False)
    callback_pick = forms.CharField(max_length=40, required=False)
    callback_exact = forms.BooleanField(required=False)
    callback_agent = forms.IntegerField(min_value=1, required=False)


class CallbackFilterForm(forms.Form):
    """What narrows the page of callbacks; everything is in the address."""

    owner = forms.ModelChoiceField(
        label=_("Qui rappelle"), queryset=User.objects.none(), required=False, empty_label=_("tous")
    )
    only = forms.ChoiceField(
        label=_("Lesquels"),
        required=False,
        choices=[("", _("tous")), ("late", _("en retard")), ("pool", _("à toute l'équipe"))],
    )

    def __init__(self, *args: Any, owners: QuerySet[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        owner = self.fields["owner"]
        assert isinstance(owner, forms.ModelChoiceField)
        owner.queryset = owners

    def wanted(self) -> CallbackFilter:
        """Return the filter; what cannot be read narrows nothing."""
        values = self.cleaned_data if self.is_valid() else {}
        owner = values.get("owner")
        only = values.get("only", "")
        return CallbackFilter(owner.pk if owner else None, late=only == "late", pool=only == "pool")

    @property
    def is_narrowing(self) -> bool:
        """Whether it keeps less than all."""
        return self.wanted() != CallbackFilter()


class CallbackOwnerForm(forms.Form):
    """To whom a callback is given; nobody: whoever is free."""

    owner = forms.IntegerField(min_value=1, required=False)


class WishForm(forms.Form):
    """What the person wishes to be called about, in their words; `remind_at` is the clock of the called party."""

    text = forms.CharField(
        max_length=500, error_messages={"required": _("Notez ce que la personne souhaite.")}
    )
    remind_at = forms.CharField(max_length=80, required=False)
    override = override()


class HelpForm(forms.Form):
    """What the supervisor should know beforehand; may be empty."""

    words = forms.CharField(max_length=500, required=False)


class TransferForm(forms.Form):
    """To which colleague a call is offered, with what they should know."""

    to = forms.IntegerField(min_value=1, error_messages={"required": _("Choisissez un collègue.")})
    note = forms.CharField(max_length=500, required=False)


class OfferForm(forms.Form):
    """What a colleague answers to the offer of a call, with a word or none."""

    answer = forms.ChoiceField(choices=[("accepted", ""), ("declined", "")])
    words = forms.CharField(max_length=300, required=False)


class HelpAnswerForm(forms.Form):
    """What a supervisor answers an agent who waits. Times are read in the zone of the pages."""

    kind = forms.ChoiceField(
        choices=[(kind.value, kind.label) for kind in AnswerKind if kind != AnswerKind.SEEN]
    )
    words = forms.CharField(max_length=500, required=False)
    due_at = forms.DateTimeField(required=False)


class ReasonForm(forms.Form):
    """Why: asked for whatever another person will have to understand."""

    reason = forms.CharField(
        max_length=500, error_messages={"required": _("Dites pourquoi en quelques mots.")}
    )


class FollowUpForm(forms.Form):
    """A follow-up to send: which template, to which address; `key` is this form's own."""

    template = forms.IntegerField(min_value=1)
    email = forms.CharField(
        max_length=254, error_messages={"required": _("À quelle adresse faut-il écrire ?")}
    )
    key = forms.UUIDField()


class NoteForm(forms.Form):
    """The agent's note on the call."""

    note = forms.CharField(max_length=2000, required=False)
    override = override()


class ManualCallForm(forms.Form):
    """A number that the agent types, in any spelling, or a record."""

    campaign = forms.IntegerField(min_value=1)
    number = forms.CharField(max_length=40, required=False)


class LookupForm(forms.Form):
    """One whole number, in any spelling, of somebody who calls us."""

    number = forms.CharField(
        max_length=60, error_messages={"required": _("Donnez un numéro entier, tel qu'il s'affiche.")}
    )


class InboundCallForm(forms.Form):
    """The call of somebody on the line: E.164 number, the record that carries it (none: unknown), the campaign."""

    number = forms.RegexField(r"^\+[1-9][0-9]{6,14}$")
    prospect = forms.IntegerField(min_value=1, required=False)
    campaign = forms.IntegerField(min_value=1, error_messages={"required": _("Choisissez une campagne.")})


class PopForm(forms.Form):
    """What another system says of the call that it put through: the number in any spelling, the campaign by id or
    short name, its agent by username or extension, its own name of the call (`ref`); `prospect` once chosen."""

    number = forms.CharField(max_length=60)
    campaign = forms.CharField(max_length=80, required=False)
    agent = forms.CharField(max_length=150, required=False)
    ref = forms.CharField(max_length=60, required=False)
    prospect = forms.IntegerField(min_value=1, required=False)


class PauseForm(forms.Form):
    """What the break is for, why, if they care to say, and the hard call that it follows."""

    kind = forms.ChoiceField(choices=PauseKind.choices, required=False)
    reason = forms.CharField(max_length=100, required=False)
    after_call = forms.IntegerField(min_value=1, required=False)


class DecisionForm(forms.Form):
    """What a supervisor decides on an incident. Times are read in the zone of the pages."""

    decision = forms.ChoiceField(choices=Decision.choices)
    reason = forms.CharField(max_length=500, required=False)
    code = forms.SlugField(max_length=40, required=False)
    note = forms.CharField(max_length=2000, required=False)
    callback_at = MomentField(required=False, max_length=80)
    callback_exact = forms.BooleanField(required=False)
    number = forms.CharField(max_length=60, required=False)
    started_by = forms.ChoiceField(choices=StartedBy.choices, required=False)


class InboxFilterForm(forms.Form):
    """What narrows the supervisor's inbox; everything is in the address."""

    kind = forms.ChoiceField(
        label=_("Genre"), required=False, choices=[("", _("tous")), *IncidentKind.choices]
    )
    campaign = forms.ChoiceField(label=_("Campagne"), required=False)
    agent = forms.ChoiceField(label=_("Agent"), required=False)
    team = forms.ChoiceField(label=_("Équipe"), required=False)
    age = forms.ChoiceField(
        label=_("Âge"),
        required=False,
        choices=[
            ("", _("tous")),
            ("hour", _("moins d'une heure")),
            ("day", _("moins d'un jour")),
            ("older", _("plus d'un jour")),
            ("week", _("plus d'une semaine")),
        ],
    )
    sort = forms.ChoiceField(
        label=_("Ordre"),
        required=False,
        choices=[
            ("", _("habituel")),
            ("new", _("le plus récent d'abord")),
            ("old", _("le plus ancien d'abord")),
        ],
    )
    tab = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any, *, offered: Mapping[str, Sequence[tuple[str, str]]]) -> None:
        """Offer what the incidents have, and whatever the address asks for: a filter is shown even when it is empty."""
        super().__init__(data)
        for name, everything in (("campaign", _("toutes")), ("agent", _("tous")), ("team", _("toutes"))):
            choice = self.fields[name]
            assert isinstance(choice, forms.ChoiceField)
            values = list(offered[name])
            asked = str(data.get(name, ""))
            if asked.isdecimal() and asked not in dict(values):
                values.append((asked, f"#{asked}"))
            choice.choices = [("", everything), *values]

    def values(self, *, decided: bool) -> InboxFilter:
        """Return what holds; what cannot be chosen narrows nothing."""
        self.is_valid()
        return InboxFilter(decided=decided, **{name: self.cleaned_data.get(name, "") for name in self.fields})

    @property
    def is_narrowing(self) -> bool:
        """Whether the list shows less than its tab."""
        names = ("kind", "campaign", "agent", "team", "age")
        return any(self.cleaned_data.get(name) for name in names)


class WordListForm(forms.Form):
    """A list of words that notes are checked for: an entry a line."""

    words = forms.CharField(
        label=_("Mots, un par ligne"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 14}),
        help_text=_(
            "Le féminin et le pluriel sont trouvés aussi. « =mot » ne trouve que ce mot, « mot* » toute fin, "
            "un sigle en capitales que les capitales."
        ),
    )
    exceptions = forms.CharField(
        label=_("Tournures permises, une par ligne"),
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("Là, le mot veut dire autre chose : « bonne foi », « assurance maladie »."),
    )
    neutral = forms.CharField(
        label=_("Formulation neutre"),
        required=False,
        max_length=120,
        help_text=_("Elle remplace le passage, si l'agent le veut. Vide, le passage est retiré."),
    )
    active = forms.BooleanField(label=_("Vérifier cette liste"), required=False)


class ErasureForm(forms.Form):
    """The erasure of a person: a reason, and a mark that it is meant."""

    reason = forms.CharField(label=_("Motif"), max_length=300, help_text=_("Il est gardé dans l'historique."))
    confirmed = forms.BooleanField(
        label=_("Je confirme : les données de la personne ne pourront pas être retrouvées.")
    )


class BanFilterForm(forms.Form):
    """What the list of bans is narrowed by; everything is in the address."""

    state = forms.ChoiceField(label=_("État"), required=False, choices=[("", _("tous")), *BanState.choices])
    number = TypedField(
        label=_("Numéro exact"),
        required=False,
        max_length=60,
        widget=forms.TextInput(attrs={"type": "search", "inputmode": "tel", "autocomplete": "off"}),
    )

    def values(self) -> dict[str, str]:
        """Return the filters that hold; what cannot be chosen narrows nothing."""
        self.is_valid()
        return {name: self.cleaned_data.get(name, "") for name in self.fields}


class BanForm(BarForm):
    """Who should be called no more, how far, and why."""

    why = forms.CharField(
        label=_("Motif"),
        max_length=500,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_("Ce qui s'est passé, en quelques mots : le responsable décide d'après eux."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Propose the whole house: who is banned by one sponsor insults the next."""
        super().__init__(*args, **kwargs)
        self.fields["scope"].initial = Scope.EVERYWHERE


class BanDecisionForm(forms.Form):
    """Granted until a day, or refused with a reason."""

    verdict = forms.ChoiceField(choices=BanVerdict.choices)
    expires_at = forms.DateTimeField(
        label=_("Jusqu'au"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    reason = forms.CharField(
        label=_("Motif"),
        required=False,
        max_length=500,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_("Obligatoire pour refuser : la personne qui a demandé le lit."),
    )


class AppealForm(forms.Form):
    """What came of the person's appeal against a ban."""

    text = forms.CharField(label=_("Note d'appel"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))
