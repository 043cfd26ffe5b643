"""Codes of the calls app, with their French labels, and sets of members named by meaning."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class CallState(models.TextChoices):
    """The life of a call (contract, section 4)."""

    CLAIMED = "claimed", _("Fiche présentée")
    DIALLING = "dialling", _("Numérotation")
    CONNECTED = "connected", _("En ligne")
    CLOSING = "closing", _("Clôture")
    ENDED = "ended", _("Communication terminée")
    NOT_REACHED = "not_reached", _("Pas joint")
    DONE = "done", _("Qualifié")
    RELEASED = "released", _("Rendu")


#: States in which a call is over for its agent.
CLOSED_STATES = frozenset({CallState.DONE, CallState.RELEASED})
#: States in which somebody may be on the line.
ON_LINE = frozenset({CallState.CONNECTED, CallState.CLOSING})


class Mode(models.TextChoices):
    """How the call came to be."""

    QUEUE = "queue", _("Liste")
    MANUAL = "manual", _("Manuel")
    EXTERNAL = "external", _("Autre système")
    INBOUND = "inbound", _("La personne nous appelle")


#: Calls that we did not place: they begin on the line, whatever stands in the way of a call of ours.
FROM_OUTSIDE = frozenset({Mode.EXTERNAL, Mode.INBOUND})


class NoteCategory(models.TextChoices):
    """What a note should not keep of a person; each has its lists of words."""

    INSULT = "insult", _("Insulte")
    HEALTH = "health", _("Santé")
    RELIGION = "religion", _("Religion")
    OPINION = "opinion", _("Opinion politique ou syndicale")
    SEXUALITY = "sexuality", _("Vie intime")
    ORIGIN = "origin", _("Origine")


class NotePlace(models.TextChoices):
    """Where on a call words about a person are written."""

    NOTE = "note", _("Note")
    DISPOSITION = "disposition", _("Note de qualification")
    HEARD = "heard", _("Ce qui a été entendu")
    WISH = "wish", _("Souhait")
    HAND_OVER = "hand_over", _("Transmission")


class FollowUpState(models.TextChoices):
    """How far a follow-up by e-mail is."""

    QUEUED = "queued", _("En attente")
    SENDING = "sending", _("Envoi en cours")
    SENT = "sent", _("Envoyé")
    FAILED = "failed", _("Échec")
    CANCELLED = "cancelled", _("Annulé")


class AnsweredBy(models.TextChoices):
    """Who speaks at the other end."""

    INTENDED = "intended", _("La personne voulue")
    COLLEAGUE = "colleague", _("Un collègue")
    OTHER = "other", _("Une autre organisation ou personne")
    UNKNOWN = "unknown", _("Inconnu")


class HungUpBy(models.TextChoices):
    """Who ended the communication."""

    PROSPECT = "prospect", _("Le prospect")
    AGENT = "agent", _("L'agent")
    NETWORK = "network", _("Le réseau")
    SUPERVISOR = "supervisor", _("Le superviseur")
    UNKNOWN = "unknown", _("Inconnu")


class Evidence(models.TextChoices):
    """How we know who ended the communication."""

    SOFTPHONE = "softphone", _("Téléphone logiciel")
    PBX = "pbx", _("Autocommutateur")
    DECLARED = "declared", _("Déclaré par l'agent")


#: Which evidence outranks which: the exchange holds both legs of a call, the softphone one, the agent hears.
WEIGHT: dict[str, int] = {"": 0, Evidence.DECLARED: 1, Evidence.SOFTPHONE: 2, Evidence.PBX: 3}


class ReportStanding(models.TextChoices):
    """What became of a report of an exchange."""

    DONE = "done", _("Suivi d'effet")
    ALREADY = "already", _("Déjà connu")
    CONFIRMS = "confirms", _("Confirme l'agent")
    COMPLETES = "completes", _("Complète ce qui manquait")
    LATE = "late", _("Arrivé après coup")
    CONTRADICTS = "contradicts", _("Contredit ce qui était dit")


class Cause(models.TextChoices):
    """Why nobody was reached."""

    BUSY = "busy", _("Occupé")
    NO_ANSWER = "no_answer", _("Pas de réponse")
    VOICEMAIL = "voicemail", _("Messagerie")
    INVALID_NUMBER = "invalid_number", _("Numéro invalide")
    NUMBER_CHANGED = "number_changed", _("Numéro changé")
    REJECTED = "rejected", _("Appel rejeté")
    UNREACHABLE = "unreachable", _("Injoignable")
    FAX = "fax", _("Fax")
    ANNOUNCEMENT = "announcement", _("Annonce enregistrée")
    TECHNICAL = "technical", _("Incident technique")
    CANCELLED = "cancelled", _("Appel annulé")


#: The disposition that each cause proposes; `rejected` is not a refusal in law (a person may reject by reflex).
DISPOSITION_OF_CAUSE: dict[str, str] = {
    Cause.BUSY: "busy",
    Cause.NO_ANSWER: "no_answer",
    Cause.VOICEMAIL: "voicemail",
    Cause.INVALID_NUMBER: "invalid_number",
    Cause.NUMBER_CHANGED: "number_changed",
    Cause.REJECTED: "no_answer",
    Cause.UNREACHABLE: "unreachable",
    Cause.FAX: "fax",
    Cause.ANNOUNCEMENT: "unreachable",
    Cause.TECHNICAL: "technical",
    Cause.CANCELLED: "technical",
}


class Result(models.TextChoices):
    """What an answer says of a criterion."""

    MATCH = "match", _("Oui")
    MISMATCH = "mismatch", _("Non")
    UNKNOWN = "unknown", _("Ne sait pas")


class CallEventKind(models.TextChoices):
    """What a line of a call's history tells."""

    CLAIMED = "claimed", _("Fiche présentée")
    RELEASED = "released", _("Fiche rendue")
    EXPIRED = "expired", _("Réservation échue")
    DIALLED = "dialled", _("Numéro composé")
    RINGING = "ringing", _("Sonnerie")
    ANSWERED = "answered", _("Décroché")
    NOT_REACHED = "not_reached", _("Pas joint")
    GREETED = "greeted", _("Accueil dit")
    HANDOVER = "handover", _("Passé à une autre personne")
    CRITERION = "criterion", _("Critère répondu")
    CLOSING_STARTED = "closing_started", _("Clôture commencée")
    CLOSING_STEP = "closing_step", _("Phrase de clôture dite")
    CLOSING_INTERRUPTED = "closing_interrupted", _("Clôture interrompue")
    LINE_DEAD = "line_dead", _("Ligne silencieuse")
    SITUATION = "situation", _("Étape d'une situation délicate")
    SITUATION_EFFECT = "situation_effect", _("Suite donnée à une situation")
    HUNG_UP = "hung_up", _("Fin de la communication")
    HANG_UP_EXPLAINED = "hang_up_explained", _("Fin expliquée par l'agent")
    DISPOSITION = "disposition", _("Qualifié")
    CORRECTED = "corrected", _("Qualification corrigée")
    CORRECTION_ASKED = "correction_asked", _("Correction demandée")
    SUPERVISOR_ASKED = "supervisor_asked", _("Superviseur appelé")
    SUPERVISOR_ANSWERED = "supervisor_answered", _("Réponse du superviseur")
    SUPERVISOR_RELEASED = "supervisor_released", _("Libéré par le superviseur")
    TRANSFER_OFFERED = "transfer_offered", _("Proposé à un collègue")
    TRANSFERRED = "transferred", _("Passé à un collègue")
    BAN_ASKED = "ban_asked", _("Bannissement demandé")
    NOTE = "note", _("Note")
    WISH = "wish", _("Souhait noté")
    FOLLOW_UP = "follow_up", _("E-mail de suivi")
    LINE_REPORT = "line_report", _("L'autocommutateur signale")


class SituationEffect(models.TextChoices):
    """What a delicate situation does beside its words. Data says which; the code says how."""

    ABUSE = "abuse", _("Incident, pause proposée, bannissement possible")
    POLICY = "policy", _("Objection transmise au responsable")
    LEARNER = "learner", _("Pause proposée après l'appel")
    ANGER = "anger", _("Pause proposée après un appel éprouvant")
    COMPLAINT = "complaint", _("Superviseur prévenu, paroles notées")
    BOSS = "boss", _("Transmission au superviseur")
    LANGUAGE = "language", _("Langue notée, rappel par qui la parle")
    CHANNEL = "channel", _("Canal préféré noté")
    LOST = "lost", _("Compté par fichier")
    CONFIDENTIAL = "confidential", _("Fiche confidentielle")
    DANGER = "danger", _("Superviseur alerté aussitôt, pause proposée")
    VULNERABLE = "vulnerable", _("Vente arrêtée, superviseur informé")
    MINOR = "minor", _("Rappel, aucune donnée")
    BEREAVEMENT = "bereavement", _("Plus aucun appel, nulle part")
    DRIVING = "driving", _("Rendez-vous, fin en quelques secondes")
    ORIGIN = "origin", _("Origine des données, demande de droits")
    OPT_OUT = "opt_out", _("Exclusion pour le donneur d'ordre, clôture")


class IncidentKind(models.TextChoices):
    """What a supervisor is told or asked."""

    HELP = "help", _("Un agent vous appelle")
    HANG_UP_REVIEW = "hang_up_review", _("Fin d'appel à revoir")
    SHARED_NUMBER = "shared_number", _("Numéro partagé : peut-on appeler les autres ?")
    ENTRY_ERROR = "entry_error", _("Erreur de saisie à corriger")
    EXPIRED_CALL = "expired_call", _("Appel resté ouvert")
    RESOURCING = "resourcing", _("Fiche à pourvoir d'un autre numéro")
    ABUSE = "abuse", _("Propos abusifs")
    DANGER = "danger", _("Une personne parle de mourir")
    COMPLAINT = "complaint", _("Plainte ou menace de procédure")
    VULNERABLE = "vulnerable", _("Personne vulnérable")
    POLICY = "policy", _("Objection fondée à notre règle")
    RIGHTS = "rights", _("Demande sur ses données")
    LIST_LANGUAGE = "list_language", _("Liste où l'on parle une autre langue")
    LIST_LOST = "list_lost", _("Liste de personnes qui ne savent pas pourquoi on les appelle")
    BARRED_CALL = "barred_call", _("Un autre système a appelé un numéro exclu")
    OTHER = "other", _("Autre")


#: What a list is suspected of, by the situation met on too many of its calls.
OF_LISTS: dict[str, IncidentKind] = {
    SituationEffect.LANGUAGE: IncidentKind.LIST_LANGUAGE,
    SituationEffect.LOST: IncidentKind.LIST_LOST,
}
#: Once one of them is reported nothing is sold, agreed or surveyed on that call any more.
STOPS_SALE = frozenset({IncidentKind.VULNERABLE, IncidentKind.DANGER})
#: Kinds that wait for an answer, beside those that report something.
QUESTIONS = frozenset(
    {IncidentKind.HELP, IncidentKind.SHARED_NUMBER, IncidentKind.ENTRY_ERROR, IncidentKind.EXPIRED_CALL}
)


#: Kinds on which somebody is on the line and waits for a supervisor now.
LIVE = frozenset({IncidentKind.HELP, IncidentKind.DANGER})


class AnswerKind(models.TextChoices):
    """What a supervisor answers an agent who calls; it decides nothing yet."""

    SEEN = "seen", _("Vu")
    ACCEPTED = "accepted", _("Vient en ligne")
    LATER = "later", _("Rappellera la personne")
    DECLINED = "declined", _("Ne peut pas venir")


#: Answers by which a supervisor takes the request on: one of them per request.
TAKING = frozenset({AnswerKind.ACCEPTED, AnswerKind.LATER})


class TransferAnswerKind(models.TextChoices):
    """How the offer of a call to a colleague ended."""

    ACCEPTED = "accepted", _("Accepté")
    DECLINED = "declined", _("Décliné")
    WITHDRAWN = "withdrawn", _("Repris")
    EXPIRED = "expired", _("Sans réponse")


class StartedBy(models.TextChoices):
    """Who was rude first, as far as the call tells."""

    PROSPECT = "prospect", _("La personne appelée")
    AGENT = "agent", _("L'agent")
    UNCLEAR = "unclear", _("On ne peut pas le dire")


class BanVerdict(models.TextChoices):
    """What a manager decided on the request for a ban."""

    GRANTED = "granted", _("Accordé")
    REFUSED = "refused", _("Refusé")


class BanState(models.TextChoices):
    """How a ban stands; the last two come from its exclusion."""

    REQUESTED = "requested", _("Demandé")
    GRANTED = "granted", _("En vigueur")
    REFUSED = "refused", _("Refusé")
    LIFTED = "lifted", _("Levé")
    EXPIRED = "expired", _("Échu")


class Decision(models.TextChoices):
    """What a supervisor can decide on an incident."""

    NOTHING = "nothing", _("Sans suite")
    SUPPORT_AGENT = "support_agent", _("Soutenir l'agent")
    CALMER_TALK = "calmer_talk", _("Reparler plus tard, au calme")
    TALK_TO_AGENT = "talk_to_agent", _("En parler avec l'agent")
    BAN = "ban", _("Bannir")
    POLICE = "police", _("Porter plainte")
    ALLOW_OTHERS = "allow_others", _("Autoriser les autres fiches")
    KEEP_BAR = "keep_bar", _("Garder l'exclusion")
    CORRECT = "correct", _("Corriger")
    REFUSE = "refuse", _("Refuser la correction")
    CLOSE_CALL = "close_call", _("Clore l'appel")
    REOPEN = "reopen", _("Rouvrir avec un autre numéro")
    EMERGENCY = "emergency", _("Secours prévenus")
    ANSWERED = "answered", _("Réponse donnée à la personne")
    ADOPTED = "adopted", _("Prise en compte")
    EXPLAINED = "explained", _("Règle maintenue, expliquée")


class EffectKind(models.TextChoices):
    """What a call changed elsewhere."""

    EXCLUSION = "exclusion", _("Exclusion")
    ENTRY = "entry", _("Fiche en liste")
    CALLBACK = "callback", _("Rappel")


class CallbackState(models.TextChoices):
    """Whether an agreed callback still stands."""

    OPEN = "open", _("Prévu")
    DONE = "done", _("Fait")
    CANCELLED = "cancelled", _("Annulé")
    EXCLUDED = "excluded", _("Exclu")


class PauseKind(models.TextChoices):
    """What a break is for."""

    SHORT = "short", _("Pause courte")
    LUNCH = "lunch", _("Repas")
    TRAINING = "training", _("Formation")
    MEETING = "meeting", _("Réunion")
    TECHNICAL = "technical", _("Souci technique")
    HARD_CALL = "hard_call", _("Après un appel éprouvant")


#: Situations after which a break is offered that does not count against the day's goal.
HARD_EFFECTS = frozenset(
    {
        SituationEffect.ABUSE,
        SituationEffect.DANGER,
        SituationEffect.ANGER,
        SituationEffect.LEARNER,
        SituationEffect.BEREAVEMENT,
    }
)
