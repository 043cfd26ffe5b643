"""Codes of the campaigns app, with their French labels, and sets of members named by meaning."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Purpose(models.TextChoices):
    """Why a campaign calls; it decides the default calling rule."""

    SURVEY = "survey", _("Enquête")
    SALES = "sales", _("Vente")
    APPOINTMENT = "appointment", _("Prise de rendez-vous")
    INFORMATION = "information", _("Information")
    CONTRACT = "contract", _("Contrat en cours")


class CampaignStatus(models.TextChoices):
    """Whether a campaign may dial."""

    DRAFT = "draft", _("En préparation")
    RUNNING = "running", _("En cours")
    PAUSED = "paused", _("En pause")
    CLOSED = "closed", _("Terminée")


class Operator(models.TextChoices):
    """How a criterion compares a field with its value."""

    EQUALS = "equals", _("est égal à")
    IN = "in", _("est parmi")
    STARTS_WITH = "starts_with", _("commence par")
    CONTAINS = "contains", _("contient")
    BETWEEN = "between", _("est compris entre")
    IS_SET = "is_set", _("est renseigné")


class EntryState(models.TextChoices):
    """Where a prospect stands in a campaign's list."""

    READY = "ready", _("Appelable")
    CLAIMED = "claimed", _("Chez un agent")
    CALLBACK = "callback", _("Rappel prévu")
    DONE = "done", _("Terminée")
    EXCLUDED = "excluded", _("Exclue")
    SCREENED_OUT = "screened_out", _("Hors-critères sur papier")
    EXHAUSTED = "exhausted", _("Épuisée")


#: States from which an entry can still be served.
WAITING = frozenset({EntryState.READY, EntryState.CALLBACK})


#: States in which an entry is in the queue or on a screen: what was never called can still be.
IN_PLAY = WAITING | {EntryState.CLAIMED}


class Progress(models.TextChoices):
    """How far the calls brought an entry: its latest conversation, or that nobody was reached. Never called: ""."""

    TRIED = "tried", _("Appelée, personne de joint")
    REACHED = "reached", _("Jointe")
    IN_CRITERIA = "in_criteria", _("Dans les critères")
    COMPLETED = "completed", _("Aboutie")


class Scope(models.TextChoices):
    """How far an exclusion reaches; each one contains the next."""

    EVERYWHERE = "everywhere", _("Partout")
    SPONSOR = "sponsor", _("Donneur d'ordre")
    PROGRAMME = "programme", _("Démarche")
    CAMPAIGN = "campaign", _("Campagne")


class ExclusionReason(models.TextChoices):
    """Why a number or a prospect is not dialled."""

    OUT_OF_CRITERIA = "out_of_criteria", _("Hors-critères")
    OPPOSITION = "opposition", _("Opposition")
    REFUSAL = "refusal", _("Refus")
    WRONG_NUMBER = "wrong_number", _("Mauvais numéro")
    DECEASED = "deceased", _("Décès")
    BAN = "ban", _("Bannissement")
    REGISTRY = "registry", _("Liste d'opposition")
    MINOR = "minor", _("Mineur")
    INVALID = "invalid", _("Numéro invalide")
    OTHER = "other", _("Autre")


class Gate(models.TextChoices):
    """The gates, in the order in which they are asked (contract, section 6). Each fails closed."""

    OPEN = "open", _("Appel permis")
    EXCLUSION = "exclusion", _("Exclusion")
    NUMBER = "number", _("Numéro")
    CRITERIA = "criteria", _("Critères")
    CONSENT = "consent", _("Consentement")
    WINDOW = "window", _("Horaires")
    HOLIDAY = "holiday", _("Jour férié")
    ATTEMPTS = "attempts", _("Nombre d'appels")
    CAMPAIGN = "campaign", _("Campagne")


class ClosingKind(models.TextChoices):
    """Which closing is due: the full one with its apology, the one for the bereaved, or the ordinary one."""

    MISMATCH = "mismatch", _("Hors-critères")
    MOURNING = "mourning", _("Deuil")
    ORDINARY = "ordinary", _("Ordinaire")


class Step(models.TextChoices):
    """The sentences of a closing, in order."""

    APOLOGISE = "apologise", _("S'excuser")
    THANK = "thank", _("Remercier")
    GOODBYE = "goodbye", _("Dire au revoir")


#: The steps that each kind of closing asks for, in order.
STEPS_OF: dict[str, tuple[Step, ...]] = {
    ClosingKind.MISMATCH: (Step.APOLOGISE, Step.THANK, Step.GOODBYE),
    ClosingKind.MOURNING: (Step.APOLOGISE, Step.THANK, Step.GOODBYE),
    ClosingKind.ORDINARY: (Step.THANK, Step.GOODBYE),
}


class ScriptKind(models.TextChoices):
    """What a text of a campaign is for."""

    OPENING = "opening", _("Phrase d'accueil")
    BODY = "body", _("Argumentaire")


class BarTarget(models.TextChoices):
    """What a disposition bars: the prospect with all its numbers, the dialled number, or both."""

    NOTHING = "", _("Rien")
    PROSPECT = "prospect", _("La fiche et ses numéros")
    NUMBER = "number", _("Le numéro composé")
    BOTH = "both", _("La fiche, ses numéros et le numéro composé")


class HangUpPolicy(models.TextChoices):
    """When the agent may end the call that has this disposition (contract, section 4)."""

    NEVER = "never", _("Jamais : le prospect raccroche")
    AFTER_GOODBYE = "after_goodbye", _("Après l'au revoir : la personne s'est opposée")
    ANY = "any", _("À tout moment : personne au bout du fil")


class Reach(models.TextChoices):
    """From what kind of call a disposition can be chosen."""

    HUMAN = "human", _("Une personne a répondu")
    MACHINE = "machine", _("Personne n'a répondu")


class ImportState(models.TextChoices):
    """Where an import stands."""

    UPLOADED = "uploaded", _("Déposé")
    RUNNING = "running", _("En cours")
    DONE = "done", _("Terminé")
    FAILED = "failed", _("En échec")
    CANCELLED = "cancelled", _("Annulé")
    UNDONE = "undone", _("Défait")


class ImportPhase(models.IntegerChoices):
    """What is being done with the chunks of an import, in this order."""

    PLAN = 0, _("Repérage")
    STAGE = 1, _("Lecture")
    MATCH = 2, _("Rapprochement")
    MERGE = 3, _("Écriture")
    DONE = 4, _("Fini")


class ChangeKind(models.TextChoices):
    """A change that reaches many records, as the history keeps it."""

    CAMPAIGN_STARTED = "campaign_started", _("Campagne démarrée")
    CAMPAIGN_PAUSED = "campaign_paused", _("Campagne mise en pause")
    CAMPAIGN_CLOSED = "campaign_closed", _("Campagne terminée")
    CAMPAIGN_EDITED = "campaign_edited", _("Réglages")
    HOURS = "hours", _("Horaires et plafond")
    CRITERION_ADDED = "criterion_added", _("Critère ajouté")
    CRITERION_EDITED = "criterion_edited", _("Critère modifié")
    CRITERION_RETIRED = "criterion_retired", _("Critère retiré")
    DISPOSITION_CHANGED = "disposition_changed", _("Qualification")
    LIST_RESET = "list_reset", _("Liste recommencée")
    EXCLUSION_LIFTED = "exclusion_lifted", _("Exclusion levée")
    ENTRIES_REMOVED = "entries_removed", _("Fiches retirées de la liste")
    WORDS = "words", _("Textes à dire")


#: Changes that nobody makes without saying why, whichever way they come.
REASONED = frozenset({ChangeKind.LIST_RESET, ChangeKind.EXCLUSION_LIFTED, ChangeKind.ENTRIES_REMOVED})


class Withdrawal(models.TextChoices):
    """How a consent came to its end before its time."""

    ORAL = "oral", _("Dit de vive voix")
    WRITTEN = "written", _("Écrit")
    ONLINE = "online", _("Par internet")
    IMPORT = "import", _("Dit par un fichier")
    UNDONE = "undone", _("Import défait")
    REPLACED = "replaced", _("Remplacé par un import plus récent")


#: Ends that are the import's own doing: the person has withdrawn nothing.
NOT_THE_PERSONS = frozenset({Withdrawal.UNDONE, Withdrawal.REPLACED})
