"""Codes of the crm app, with their French labels, and sets of members named by meaning."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """What a user may do; stored on the user and read by the database's own triggers."""

    AGENT = "agent", _("Agent")
    SUPERVISOR = "supervisor", _("Superviseur")
    MANAGER = "manager", _("Responsable de campagne")
    ADMIN = "admin", _("Administrateur")
    INTEGRATION = "integration", _("Intégration")


#: Who may lift an exclusion, correct a disposition and decide on an incident.
SUPERVISING = frozenset({Role.SUPERVISOR, Role.MANAGER, Role.ADMIN})
#: Who sets up programmes, campaigns, lists and sources.
MANAGING = frozenset({Role.MANAGER, Role.ADMIN})
#: Who sits at the phone. Supervisors and managers may take a call too.
CALLING = frozenset({Role.AGENT, Role.SUPERVISOR, Role.MANAGER, Role.ADMIN})


class ProspectKind(models.TextChoices):
    """Whether a record stands for a person or an organisation."""

    PERSON = "person", _("Personne")
    ORGANISATION = "organisation", _("Organisation")


class NumberKind(models.TextChoices):
    """The kind of line that a number belongs to, as its numbering plan says."""

    LANDLINE = "landline", _("Fixe")
    MOBILE = "mobile", _("Mobile")
    VOIP = "voip", _("VoIP")
    TOLL_FREE = "toll_free", _("Numéro vert")
    PREMIUM = "premium", _("Surtaxé")
    FAX = "fax", _("Fax")
    SHORT = "short", _("Numéro court")
    UNKNOWN = "unknown", _("Inconnu")


#: Lines that are never dialled: nobody answers there, or it costs the caller.
NEVER_DIALLED = frozenset({NumberKind.PREMIUM, NumberKind.FAX, NumberKind.SHORT})


class Validity(models.TextChoices):
    """What the numbering plan says of a number: assigned range, plausible length only, or neither."""

    VALID = "valid", _("Valide")
    POSSIBLE = "possible", _("Possible")
    INVALID = "invalid", _("Invalide")


class Channel(models.TextChoices):
    """How a person prefers to be reached."""

    PHONE = "phone", _("Téléphone")
    EMAIL = "email", _("E-mail")
    POST = "post", _("Courrier")
    SMS = "sms", _("SMS")
    RELAY = "relay", _("Service relais")


class LookPlace(models.TextChoices):
    """Where a confidential record was looked at."""

    CALL = "call", _("En appel")
    RECORD = "record", _("Fiche")
    LOOKUP = "lookup", _("Recherche d'un numéro")
    API = "api", _("API")


class EventKind(models.TextChoices):
    """What a line of a prospect's timeline tells."""

    CREATED = "created", _("Fiche créée")
    IMPORTED = "imported", _("Importée")
    EDITED = "edited", _("Fiche corrigée")
    ERASED = "erased", _("Fiche effacée")
    QUEUED = "queued", _("Mise en liste")
    UNQUEUED = "unqueued", _("Retirée de la liste")
    CLAIMED = "claimed", _("Présentée à un agent")
    RELEASED = "released", _("Rendue à la liste")
    DIALLED = "dialled", _("Numéro composé")
    REFUSED = "refused", _("Appel refusé par les règles")
    CONNECTED = "connected", _("Décroché")
    NOT_REACHED = "not_reached", _("Pas joint")
    GREETED = "greeted", _("Accueil dit")
    HANDED_OVER = "handed_over", _("Passé à une autre personne")
    CRITERION = "criterion", _("Critère répondu")
    OUT_OF_CRITERIA = "out_of_criteria", _("Hors-critères")
    CLOSING = "closing", _("Clôture dite")
    SITUATION = "situation", _("Situation délicate")
    HUNG_UP = "hung_up", _("Fin de la communication")
    DISPOSITION = "disposition", _("Qualifiée")
    CORRECTED = "corrected", _("Qualification corrigée")
    CALLBACK = "callback", _("Rappel convenu")
    EXCLUDED = "excluded", _("Exclue des appels")
    LIFTED = "lifted", _("Exclusion levée")
    INCIDENT = "incident", _("Incident")
    RESOURCED = "resourced", _("Renvoyée à la recherche de numéro")
    NOTE = "note", _("Note")
    FOLLOW_UP = "follow_up", _("E-mail de suivi")


class UserEventKind(models.TextChoices):
    """What a line of an account's history tells."""

    CREATED = "created", _("Compte créé")
    EDITED = "edited", _("Compte modifié")
    PASSWORD_GIVEN = "password_given", _("Mot de passe provisoire donné")
    PASSWORD_CHANGED = "password_changed", _("Mot de passe changé")
    DEACTIVATED = "deactivated", _("Compte désactivé")
    REACTIVATED = "reactivated", _("Compte réactivé")
    TOKEN_GIVEN = "token_given", _("Jeton d'API créé")
    TOKEN_REVOKED = "token_revoked", _("Jeton d'API révoqué")


class Resource(models.TextChoices):
    """What the addresses of the API are about: a token's scope names one, to read or to write it."""

    PROSPECTS = "prospects", _("Fiches")
    ENTRIES = "entries", _("Listes d'appels")
    IMPORTS = "imports", _("Imports de fichiers")
    EXCLUSIONS = "exclusions", _("Exclusions")
    CONTACTABILITY = "contactability", _("Joignabilité : peut-on appeler ?")
    CAMPAIGNS = "campaigns", _("Campagnes")
    PROGRAMMES = "programmes", _("Démarches et critères")
    SOURCES = "sources", _("Fournisseurs de fichier")
    SPONSORS = "sponsors", _("Donneurs d'ordre")
    CALLS = "calls", _("Appels")
    CALLBACKS = "callbacks", _("Rappels")
    INCIDENTS = "incidents", _("Points à traiter")
    BANS = "bans", _("Bannissements")
    CHANGES = "changes", _("Fil des changements")
    WEBHOOKS = "webhooks", _("Notifications (webhooks)")
    REPORTS = "reports", _("Rapports et chiffres")


class WebhookEvent(models.TextChoices):
    """What other programs may be told of; the codes are those that they subscribe to."""

    CALL_ENDED = "call.ended", _("Un appel est terminé")
    DISPOSITION_CREATED = "disposition.created", _("Un appel est qualifié")
    OUT_OF_CRITERIA = "prospect.out_of_criteria", _("Une fiche est hors-critères")
    PROSPECT_UPDATED = "prospect.updated", _("Une fiche a changé")
    EXCLUSION_CREATED = "exclusion.created", _("Une exclusion est posée")
    EXCLUSION_LIFTED = "exclusion.lifted", _("Une exclusion est levée")
    CALLBACK_SCHEDULED = "callback.scheduled", _("Un rappel est convenu")
    IMPORT_FINISHED = "import.finished", _("Un import est terminé")
    INCIDENT_OPENED = "incident.opened", _("Un incident est signalé")
    TEST = "webhook.test", _("Essai")


#: What may be subscribed to: a test is sent to whoever asks for it.
SUBSCRIBED = tuple(choice for choice in WebhookEvent.choices if choice[0] != WebhookEvent.TEST)


class WebhookPayload(models.TextChoices):
    """How much a message tells."""

    THIN = "thin", _("Des identifiants et des codes seulement")
    FULL = "full", _("La fiche, l'appel ou l'exclusion en entier")


class WebhookStop(models.TextChoices):
    """Why nothing is sent to a subscription any more."""

    BY_HAND = "by_hand", _("Arrêté à la main")
    GONE = "gone", _("Le destinataire a répondu 410 : il n'en veut plus")
    SILENT = "silent", _("Rien n'a abouti pendant cinq jours")


class DeliveryState(models.TextChoices):
    """How far a message to a subscriber is."""

    WAITING = "waiting", _("En attente")
    DELIVERED = "delivered", _("Reçu")
    FAILED = "failed", _("Échec")


class DeliveryError(models.TextChoices):
    """Why an attempt to deliver a message failed."""

    ADDRESS = "address", _("Adresse interdite : elle n'est pas sur l'Internet public")
    DNS = "dns", _("Le nom du serveur est introuvable")
    CONNECTION = "connection", _("Le serveur n'a pas accepté la connexion, ou l'a coupée")
    TLS = "tls", _("Le certificat du serveur n'est pas valable, ou le chiffrement a échoué")
    TIMEOUT = "timeout", _("Pas de réponse à temps")
    ANSWER = "answer", _("La réponse n'est pas du HTTP")
    REDIRECT = "redirect", _("Le serveur renvoie ailleurs : les redirections ne sont pas suivies")
    STATUS = "status", _("Le serveur a refusé")
    HIDDEN = "hidden", _("Le compte ne voit plus ce donneur d'ordre")
    LOST = "lost", _("L'envoi s'est interrompu")
