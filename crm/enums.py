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
