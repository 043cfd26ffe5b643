"""Forms of the crm pages: what people type, read into the values that the services take."""

import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, ClassVar

from django import forms
from django.core.validators import MinValueValidator
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.enums import ProspectKind, Resource, Role
from crm.models import Prospect, ProspectNumber, Source, Sponsor, Team, User
from crm.rules.errors import DomainError
from crm.rules.people import PastedPerson, is_language, languages_of, pasted_people, roles_given_by
from crm.rules.token_scopes import READ, WRITE
from crm.selectors.prospects import IDENTITY, ProspectFilters
from crm.services.users import WORK

#: Columns of a fiche that its page edits, in the order of the page.
PROSPECT_FIELDS = (*(name for name in IDENTITY if name != "external_id"), "confidential")


#: A day, as browsers send it.
DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
#: No row is older; an earlier day is a slip of the keyboard.
RECENT = MinValueValidator(date(1970, 1, 1))


def show_refusal(form: forms.BaseForm, error: DomainError) -> None:
    """Put a refusal of the domain beside the fields that it names, or above the form."""
    for name, messages in error.fields.items():
        form.add_error(name if name in form.fields else None, [str(message) for message in messages])
    if not error.fields:
        form.add_error(None, str(error.message))


class ReasonForm(forms.Form):
    """The reason of a change that reaches far, obligatory."""

    reason = forms.CharField(
        label=_("Motif"),
        max_length=300,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_("Il est gardé dans l'historique."),
    )


class SponsorForm(forms.Form):
    """A sponsor's name."""

    name = forms.CharField(
        label=_("Nom"),
        max_length=200,
        help_text=_(
            "L'entreprise ou l'organisme pour qui vous appelez. Rien de lui n'est montré aux autres."
        ),
    )


class SourceForm(forms.ModelForm):  # type: ignore[type-arg]
    """Who delivered records, and what an agent answers to "who gave you my number?"."""

    class Meta:
        model = Source
        fields: ClassVar[list[str]] = [
            "name",
            "slug",
            "sponsor",
            "spoken_origin",
            "obtained_at",
            "rights_contact",
        ]
        widgets: ClassVar[dict[str, forms.Widget]] = {
            "spoken_origin": forms.Textarea(attrs={"rows": 2}),
            "obtained_at": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        }
        help_texts: ClassVar[dict[str, Any]] = {
            "name": _("Comme on le dit dans l'équipe : l'annuaire, le fichier du salon."),
            "slug": _("Sert aux imports et à l'API. Laissé vide, il est tiré du nom."),
            "sponsor": _(
                "Les fiches d'un fournisseur rattaché à un donneur d'ordre ne sont montrées qu'à celui-ci."
            ),
            "spoken_origin": _(
                "Ce que l'agent répond à « qui vous a donné mon numéro ? », en une phrase à lire à voix haute."
            ),
            "obtained_at": _("Le jour où le fichier a été reçu ou acheté."),
            "rights_contact": _(
                "À qui la personne écrit pour ses droits : une adresse, un e-mail ou une page."
            ),
        }

    def __init__(self, *args: Any, sponsors: Any, **kwargs: Any) -> None:
        """Offer the `sponsors` (queryset) that the user sees."""
        super().__init__(*args, **kwargs)
        self.fields["slug"].required = False
        choice = self.fields["sponsor"]
        assert isinstance(choice, forms.ModelChoiceField)
        choice.queryset = sponsors
        choice.empty_label = _("Aucun : commun à tous")

    def values(self) -> dict[str, Any]:
        """Return the cleaned fields, as the service takes them."""
        return {name: self.cleaned_data[name] for name in self.Meta.fields}

    def _post_clean(self) -> None:
        """Leave the instance and its unique constraints to the service, which words the refusals."""


class TypedField(forms.CharField):
    """A line that somebody typed or pasted into a search: characters that cannot be seen are blanks, no error."""

    def to_python(self, value: Any) -> str:
        """Read it; control characters become blanks."""
        text = str(super().to_python(value) or "")
        return "".join(" " if unicodedata.category(one) in ("Cc", "Cs") else one for one in text).strip()


YES_NO = (("yes", _("Oui")), ("no", _("Non")))
#: The longest text that is searched for: nobody says more of a company.
MAX_SEARCH = 200


class ProspectSearchForm(forms.Form):
    """What the list of prospects is narrowed by; everything is in the address."""

    q = TypedField(
        label=_("Chercher"),
        max_length=MAX_SEARCH,
        required=False,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
        help_text=_("Un nom, une organisation, le début d'un numéro, un identifiant, un e-mail, un secteur."),
        error_messages={"max_length": _("C'est trop long pour une recherche : quelques mots suffisent.")},
    )
    source = forms.ChoiceField(label=_("Fournisseur"), required=False)
    place = TypedField(label=_("Ville ou code postal"), max_length=60, required=False)
    sector = TypedField(label=_("Le secteur commence par"), max_length=20, required=False)
    kind = forms.ChoiceField(
        label=_("Genre"), required=False, choices=[("", _("Tous")), *ProspectKind.choices]
    )
    language = TypedField(
        label=_("Langue"), max_length=8, required=False, widget=forms.TextInput(attrs={"placeholder": "fr"})
    )
    numbered = forms.ChoiceField(
        label=_("A un numéro valide"), required=False, choices=[("", _("Peu importe")), *YES_NO]
    )
    barred = forms.ChoiceField(
        label=_("Exclue des appels"), required=False, choices=[("", _("Peu importe")), *YES_NO]
    )
    confidential = forms.ChoiceField(
        label=_("Confidentielle"), required=False, choices=[("", _("Peu importe")), *YES_NO]
    )
    created_since = forms.DateField(
        label=_("Créée depuis le"), required=False, widget=DAY, validators=[RECENT]
    )
    updated_since = forms.DateField(
        label=_("Modifiée depuis le"), required=False, widget=DAY, validators=[RECENT]
    )

    def __init__(self, *args: Any, sources: Iterable[Source], **kwargs: Any) -> None:
        """Offer the `sources` that the user sees."""
        super().__init__(*args, **kwargs)
        choice = self.fields["source"]
        assert isinstance(choice, forms.ChoiceField)
        choice.choices = [("", _("Tous")), *((source.slug, source.name) for source in sources)]

    @property
    def more(self) -> list[forms.BoundField]:
        """Return the fields below the search box."""
        return [self[name] for name in self.fields if name != "q"]

    @property
    def narrows_more(self) -> bool:
        """Whether one of those below the search box narrows the list, or is wrong."""
        return any(self[name].value() for name in self.fields if name != "q")

    def values(self) -> ProspectFilters:
        """Return the filters that hold; a value that means nothing filters nothing."""
        self.is_valid()
        return ProspectFilters(**{name: value for name, value in self.cleaned_data.items() if value})


class ProspectForm(forms.ModelForm):  # type: ignore[type-arg]
    """A fiche with its numbers in any spelling, one a line, and its other fields as `clé = valeur` lines."""

    phones = forms.CharField(
        label=_("Numéros, un par ligne"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Dans n'importe quelle écriture ; le premier est composé d'abord."),
    )
    attributes_text = forms.CharField(
        label=_("Autres champs"),
        required=False,
        max_length=20000,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("Un par ligne : clé = valeur."),
    )
    version = forms.IntegerField(widget=forms.HiddenInput)

    class Meta:
        model = Prospect
        fields: ClassVar[tuple[str, ...]] = PROSPECT_FIELDS

    def __init__(self, data: Any = None, *, instance: Prospect) -> None:
        """Start from the fiche as it stands, with its version: a later save of somebody else is noticed."""
        self.known = {_line_of(phone): phone for phone in instance.phones.all()}
        initial = {
            "phones": "\n".join(self.known),
            "attributes_text": "\n".join(f"{key} = {value}" for key, value in instance.attributes.items()),
            "version": instance.version,
        }
        super().__init__(data, instance=instance, initial=initial)

    def clean_attributes_text(self) -> dict[str, str]:
        """Read the `clé = valeur` lines; refuses a line without `=` and a key given twice."""
        found: dict[str, str] = {}
        for line in self.cleaned_data["attributes_text"].splitlines():
            if not line.strip():
                continue
            key, equals, value = line.partition("=")
            key = key.strip()
            if not equals or not key:
                raise forms.ValidationError(
                    _("Ligne à écrire « clé = valeur » : %(line)s"), params={"line": line[:80]}
                )
            if key in found:
                raise forms.ValidationError(_("Le champ %(key)s est donné deux fois."), params={"key": key})
            found[key] = value.strip()
        return found

    def values(self) -> dict[str, Any]:
        """Return the columns and attributes, as the service takes them."""
        columns = {name: self.cleaned_data[name] for name in PROSPECT_FIELDS}
        return columns | {"attributes": self._attributes()}

    def numbers(self) -> list[tuple[str, str]]:
        """Return the lines of the numbers, as written, each with the note that its number has."""
        lines = (line.strip() for line in self.cleaned_data["phones"].splitlines())
        return [(line, self.known[line].note if line in self.known else "") for line in lines if line]

    def _attributes(self) -> dict[str, Any]:
        """Keep the JSON value of an attribute that was not touched: a number stays a number."""
        kept = self.instance.attributes
        read: dict[str, str] = self.cleaned_data["attributes_text"]
        return {
            key: kept[key] if key in kept and str(kept[key]) == value else value
            for key, value in read.items()
        }

    def _post_clean(self) -> None:
        """Leave the instance as it is in the database: the service compares and writes."""


def _line_of(phone: ProspectNumber) -> str:
    """Return a number as its line: E.164, which reads the same in every country, with its extension."""
    return f"{phone.number} poste {phone.extension}" if phone.extension else phone.number


class LanguagesField(forms.CharField):
    """Codes of languages in one line, read as a list."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "unknown": _("Langue à écrire en deux lettres : %(codes)s")
    }

    def prepare_value(self, value: Any) -> Any:
        """Show a list as it would be typed."""
        return ", ".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        """Read the codes; refuses what is none."""
        codes = languages_of(super().clean(value))
        if unknown := [code for code in codes if not is_language(code)]:
            raise forms.ValidationError(
                self.error_messages["unknown"], code="unknown", params={"codes": ", ".join(unknown)}
            )
        return codes


class UserFilterForm(forms.Form):
    """What narrows the list of accounts."""

    q = forms.CharField(
        label=_("Nom ou identifiant"),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )
    role = forms.ChoiceField(label=_("Rôle"), required=False)
    team = forms.ChoiceField(label=_("Équipe"), required=False)
    state = forms.ChoiceField(
        label=_("État"),
        required=False,
        choices=[("", _("actifs")), ("inactive", _("désactivés")), ("all", _("tous"))],
    )

    def __init__(self, data: Any, *, teams: Iterable[Team]) -> None:
        """Offer the `teams` that the user sees."""
        super().__init__(data)
        role, team = self.fields["role"], self.fields["team"]
        assert isinstance(role, forms.ChoiceField)
        assert isinstance(team, forms.ChoiceField)
        role.choices = [("", _("tous")), *Role.choices]
        team.choices = [("", _("toutes")), ("none", _("sans équipe")), *((str(t.pk), t.name) for t in teams)]

    def values(self) -> dict[str, str]:
        """Return what was chosen; what cannot be chosen is as if it were not there."""
        self.is_valid()
        return {name: self.cleaned_data.get(name, "") for name in self.fields}


class WorkForm(forms.Form):
    """What somebody works as, for whom, and in which languages."""

    role = forms.ChoiceField(label=_("Rôle"), initial=Role.AGENT)
    team = forms.ModelChoiceField(
        label=_("Équipe"), queryset=Team.objects.none(), required=False, empty_label=_("Aucune")
    )
    languages = LanguagesField(
        label=_("Langues"),
        max_length=100,
        required=False,
        initial=["fr"],
        help_text=_("Celles dans lesquelles on peut tenir un appel, en deux lettres : fr, en, de."),
    )
    daily_goal = forms.IntegerField(
        label=_("Objectif du jour, en appels"), min_value=1, max_value=500, initial=50
    )
    sponsors = forms.ModelMultipleChoiceField(
        label=_("Donneurs d'ordre"),
        queryset=Sponsor.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(
        self, *args: Any, by: User, sponsors: QuerySet[Sponsor], teams: QuerySet[Team], **kwargs: Any
    ) -> None:
        """Offer the roles that `by` gives, and the `sponsors` and `teams` that they see."""
        super().__init__(*args, **kwargs)
        role, team, choice = self.fields["role"], self.fields["team"], self.fields["sponsors"]
        assert isinstance(role, forms.ChoiceField)
        assert isinstance(team, forms.ModelChoiceField)
        assert isinstance(choice, forms.ModelMultipleChoiceField)
        given = roles_given_by(by.role)
        role.choices = [(value, label) for value, label in Role.choices if value in given]
        team.queryset = teams
        choice.queryset = sponsors
        choice.help_text = (
            _("Au moins un : vous ne donnez accès qu'aux vôtres.")
            if by.is_narrowed
            else _("Aucun de coché : tous. Une intégration, elle, ne voit que ceux qui sont cochés.")
        )

    def work(self) -> dict[str, Any]:
        """Return the fields of `crm.services.users.WORK` that the form has, as the service takes them."""
        names = [name for name in self.fields if name in WORK]
        return {name: self.cleaned_data[name] for name in names}


class UserForm(WorkForm):
    """One account. The username is typed once: people sign in with it, and history shows it."""

    first_name = forms.CharField(label=_("Prénom"), max_length=150, required=False)
    last_name = forms.CharField(label=_("Nom"), max_length=150)
    username = forms.CharField(
        label=_("Identifiant"),
        max_length=150,
        help_text=_("Pour se connecter. Lettres, chiffres et @ . + - _ ; il ne change plus."),
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    extension = forms.CharField(
        label=_("Poste téléphonique"),
        max_length=20,
        required=False,
        help_text=_("Le numéro interne, s'il y en a."),
    )
    field_order = (
        "first_name",
        "last_name",
        "username",
        "role",
        "team",
        "languages",
        "daily_goal",
        "extension",
    )

    def __init__(self, *args: Any, instance: User | None = None, **kwargs: Any) -> None:
        """Start from an account, or from nothing."""
        if instance is not None:
            names = ("first_name", "last_name", "role", "team", "languages", "daily_goal", "extension")
            kwargs["initial"] = {name: getattr(instance, name) for name in names} | {
                "sponsors": list(instance.sponsors.all())
            }
        super().__init__(*args, **kwargs)
        if instance is not None:
            del self.fields["username"]

    def person(self) -> dict[str, Any]:
        """Return the names and the work, as the service takes them."""
        names = {name: self.cleaned_data[name] for name in ("first_name", "last_name")}
        return names | self.work()


class UserBatchForm(WorkForm):
    """Several people taken on alike: a pasted list, or a file of it."""

    people = forms.CharField(
        label=_("Une personne par ligne : prénom nom identifiant"),
        max_length=20_000,
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "autocomplete": "off"}),
        help_text=_(
            "Séparés par des blancs, ou collés d'un tableur (tabulation, point-virgule, virgule). Cent au plus."
        ),
    )
    file = forms.FileField(label=_("Ou un fichier CSV de ces trois colonnes"), required=False)

    def clean_file(self) -> str:
        """Read the file as text, UTF-8 or else Windows-1252; at most 100 kB."""
        file = self.cleaned_data["file"]
        if not file:
            return ""
        if file.size > 100_000:
            raise forms.ValidationError(_("Ce fichier est trop grand pour cent personnes."))
        content = file.read()
        try:
            return str(content.decode("utf-8-sig"))
        except UnicodeDecodeError:
            return str(content.decode("cp1252", errors="replace"))

    def pasted(self) -> list[PastedPerson]:
        """Return the lines of the file, or else of the text."""
        return pasted_people(self.cleaned_data["file"] or self.cleaned_data["people"])


class ProgramField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A program among those that the user may give a token to, with those for whom it works."""

    def label_from_instance(self, obj: Any) -> str:
        """Return its name, and its sponsors."""
        names = ", ".join(sponsor.name for sponsor in obj.sponsors.all())
        return f"{obj.get_full_name() or obj.get_username()} : {names or _('aucun')}"


@dataclass(frozen=True, slots=True)
class RightsRow:
    """A line of the table of rights: the resource, and its boxes; None where there is nothing to write."""

    resource: Resource
    read: forms.boundfield.BoundWidget
    write: forms.boundfield.BoundWidget | None


class TokenForm(forms.Form):
    """A token for a program: for whom, what it may do, and until when."""

    name = forms.CharField(
        label=_("Nom"),
        max_length=100,
        help_text=_("Le logiciel et à qui il est, pour s'y retrouver : CRM de la Banque du Port."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    account = ProgramField(
        label=_("Compte"),
        queryset=User.objects.none(),
        required=False,
        empty_label=_("Un nouveau compte, de ce nom"),
        help_text=_("Ce que fait le programme est écrit sous ce compte dans l'histoire."),
    )
    sponsors = forms.ModelMultipleChoiceField(
        label=_("Donneurs d'ordre"),
        queryset=Sponsor.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        help_text=_(
            "Il ne voit que leurs démarches, campagnes, fiches et appels, et ce qui est commun à tous."
        ),
        error_messages={"required": _("Cochez au moins un donneur d'ordre.")},
    )
    scopes = forms.MultipleChoiceField(
        label=_("Ce qu'il peut faire"),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Écrire, c'est lire aussi. Rien d'autre que ce qui est coché ne lui est ouvert."),
        error_messages={"required": _("Cochez au moins un droit.")},
    )
    expires = forms.DateField(
        label=_("Dernier jour"),
        widget=DAY,
        help_text=_("Ensuite il n'ouvre plus rien : on en crée un autre."),
    )

    def __init__(
        self,
        *args: Any,
        programs: QuerySet[User],
        sponsors: QuerySet[Sponsor],
        offered: Collection[tuple[str, str]],
        today: date,
        **kwargs: Any,
    ) -> None:
        """Offer these programs and sponsors, and the rights that the API gives to a program."""
        kwargs["initial"] = {"expires": today + timedelta(days=365)} | (kwargs.get("initial") or {})
        super().__init__(*args, **kwargs)
        account, choice, scopes = self.fields["account"], self.fields["sponsors"], self.fields["scopes"]
        assert isinstance(account, forms.ModelChoiceField)
        assert isinstance(choice, forms.ModelMultipleChoiceField)
        assert isinstance(scopes, forms.MultipleChoiceField)
        account.queryset, choice.queryset = programs, sponsors
        acts = {READ: _("Lire"), WRITE: _("Écrire")}
        scopes.choices = [
            (f"{resource}:{act}", f"{label} : {acts[act]}")
            for resource, label in Resource.choices
            for act in (READ, WRITE)
            # What may be written may be read, if only in the answer.
            if (resource, act) in offered or (act == READ and (resource, WRITE) in offered)
        ]
        fewest = sponsors[:2]
        if len(fewest) == 1:
            self.initial.setdefault("sponsors", list(fewest))

    def rights(self) -> list[RightsRow]:
        """Return the boxes of the rights as a table, a line for each resource."""
        boxes = {str(box.data["value"]): box for box in self["scopes"]}
        return [
            RightsRow(resource, boxes[f"{resource}:{READ}"], boxes.get(f"{resource}:{WRITE}"))
            for resource in Resource
            if f"{resource}:{READ}" in boxes
        ]

    def values(self) -> dict[str, Any]:
        """Return what the service takes, but the account. The last day ends at midnight, here."""
        data = self.cleaned_data
        after = data["expires"] + timedelta(days=1)
        return {
            "name": data["name"],
            "sponsors": list(data["sponsors"]),
            "scopes": data["scopes"],
            "expires_at": timezone.make_aware(datetime.combine(after, time.min)),
        }

    def clean_expires(self) -> date:
        """Refuse a day that is over before it is stored, and those that no calendar holds."""
        day: date = self.cleaned_data["expires"]
        if not RECENT.limit_value <= day <= date(2200, 1, 1):
            raise forms.ValidationError(_("Une date à venir, à cinq ans au plus."))
        return day


class NamedPeople(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """People to choose among, by their names."""

    def label_from_instance(self, obj: Any) -> str:
        """Return somebody's name, and what they sign in with."""
        name = obj.get_full_name()
        return f"{name} ({obj.get_username()})" if name else obj.get_username()


class TeamForm(forms.Form):
    """A team's name and who looks after it."""

    name = forms.CharField(label=_("Nom"), max_length=120)
    supervisors = NamedPeople(
        label=_("Qui s'en occupe"),
        queryset=User.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, people: QuerySet[User], **kwargs: Any) -> None:
        """Offer the `people` who may look after a team."""
        super().__init__(*args, **kwargs)
        choice = self.fields["supervisors"]
        assert isinstance(choice, NamedPeople)
        choice.queryset = people


class AccountForm(forms.Form):
    """What everybody changes of their own account; an agent's goal is set by whoever takes them on."""

    first_name = forms.CharField(
        label=_("Prénom"),
        max_length=150,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "given-name"}),
    )
    last_name = forms.CharField(
        label=_("Nom"), max_length=150, widget=forms.TextInput(attrs={"autocomplete": "family-name"})
    )
    languages = LanguagesField(
        label=_("Langues"),
        max_length=100,
        required=False,
        help_text=_("Celles dans lesquelles vous pouvez tenir un appel, en deux lettres : fr, en, de."),
    )
    daily_goal = forms.IntegerField(label=_("Objectif du jour, en appels"), min_value=1, max_value=500)

    def __init__(self, data: Any = None, *, user: User) -> None:
        """Start from the user's own account."""
        names = ("first_name", "last_name", "languages", "daily_goal")
        super().__init__(data, initial={name: getattr(user, name) for name in names})
        if user.role == Role.AGENT:
            del self.fields["daily_goal"]


class PasswordForm(forms.Form):
    """One's new password, typed twice; the one of now first, unless it was given by somebody else."""

    current = forms.CharField(
        label=_("Mot de passe actuel"),
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    new = forms.CharField(
        label=_("Nouveau mot de passe"),
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_(
            "Huit caractères au moins ; ni votre nom, ni un mot de passe courant, ni seulement des chiffres."
        ),
    )
    again = forms.CharField(
        label=_("Le nouveau, encore une fois"),
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, data: Any = None, *, user: User) -> None:
        """Leave out the password of now for whoever has just signed in with one that was given."""
        super().__init__(data)
        if user.must_change_password:
            del self.fields["current"]

    def clean(self) -> dict[str, Any]:
        """Refuse two spellings."""
        found = super().clean() or {}
        if found.get("new") and found.get("again") and found["new"] != found["again"]:
            self.add_error("again", _("Les deux ne sont pas les mêmes."))
        return found
