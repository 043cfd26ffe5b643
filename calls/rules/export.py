"""What is kept about a person, part by part, and what each part is: what answers a request for access (GDPR, art. 15).

Colleagues are told by their role: who they are is not the person's to know.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of a table that are about the person.

    `about` are the look-ups from a row to the person, any of which may hold; `inside` the one to the sponsor whose wall
    it stands behind, "" where there is none (a row without a sponsor is everybody's). `fields` are names, or look-ups
    with the name under which they are told ("by=by__role").
    """

    name: str
    model: str
    legend: Any
    fields: str
    about: tuple[str, ...] = ("prospect",)
    inside: str = ""

    @property
    def columns(self) -> dict[str, str]:
        """Return the look-up of each field by its name."""
        pairs = (field.partition("=") for field in self.fields.split())
        return {name: path or name for name, _equals, path in pairs}


#: The part that also holds what is on the person's numbers.
BARS = "exclusions"
CALL = ("call__prospect",)
OF_CALL = "call__campaign__programme__sponsor"
OF_CAMPAIGN = "campaign__programme__sponsor"

PARTS = (
    Part(
        "numbers",
        "crm.ProspectNumber",
        _("Numéros de téléphone, avec ce qui avait été saisi ou reçu."),
        "number raw kind validity extension note position",
    ),
    Part(
        "timeline",
        "crm.ProspectEvent",
        _("Histoire de la fiche : ce qui y a été fait, quand, avec anciennes et nouvelles valeurs."),
        "at kind call=call_ref sponsor=sponsor__name by=by__role data",
        inside="sponsor",
    ),
    Part(
        "looks",
        "crm.ProspectLook",
        _("Consultations de la fiche, si elle est confidentielle : quand, où, pourquoi."),
        "at place why by=by__role",
    ),
    Part(
        "look_ups",
        "calls.Lookup",
        _(
            "Recherches faites d'après un numéro et qui ont montré cette fiche, par exemple lors d'un appel reçu."
        ),
        "at number by=by__role",
        about=("found__contains",),
    ),
    Part(
        "lists",
        "campaigns.ListEntry",
        _("Campagnes dont la liste d'appels contient la fiche, et où elle en est."),
        "campaign=campaign__name sponsor=campaign__programme__sponsor__name subject=campaign__programme__subject"
        " state number due_at attempts"
        " verdict=verdict_gate reason=verdict_reason created_at updated_at",
        inside=OF_CAMPAIGN,
    ),
    Part(
        "attempts",
        "campaigns.Attempt",
        _("Tentatives d'appel comptées pour ne pas appeler trop souvent."),
        "at number counted call=call_ref sponsor=sponsor__name",
        inside="sponsor",
    ),
    Part(
        "calls",
        "calls.Call",
        _(
            "Appels : numéro composé, déroulement, qui a répondu, qui a raccroché, comment l'appel est qualifié."
        ),
        "id campaign=campaign__name sponsor=campaign__programme__sponsor__name number mode started_at dialled_at"
        " answered_at answered_by ended_at"
        " hung_up_by disposition=disposition__label by=agent__role",
        inside=OF_CAMPAIGN,
    ),
    Part(
        "call_events",
        "calls.CallEvent",
        _("Ce qui s'est passé pendant chaque appel, souhaits notés compris."),
        "call=call_id at kind data by=by__role",
        about=CALL,
        inside=OF_CALL,
    ),
    Part(
        "line_reports",
        "calls.LineReport",
        _("Ce qu'un autocommutateur a signalé de chaque appel."),
        "call=call_id at=counts_at event standing data",
        about=CALL,
        inside=OF_CALL,
    ),
    Part(
        "answers",
        "calls.CallAnswer",
        _("Réponses entendues aux questions posées."),
        "call=call_id at question=criterion__question expected heard result answered_by",
        about=CALL,
        inside=OF_CALL,
    ),
    Part(
        "notes",
        "calls.CallDisposition",
        _("Qualification et note de chaque appel, corrections comprises."),
        "call=call_id at disposition=disposition__label note reason by=by__role",
        about=CALL,
        inside=OF_CALL,
    ),
    Part(
        "note_warnings",
        "calls.NoteWarning",
        _("Notes que leur auteur a maintenues malgré une mise en garde, et pourquoi."),
        "call=call_id at place category reason",
        about=CALL,
        inside=OF_CALL,
    ),
    Part(
        "situations",
        "calls.SituationMark",
        _("Situations délicates signalées pendant un appel."),
        "call=call_id at situation=situation__label effect",
        about=CALL,
        inside=OF_CALL,
    ),
    Part(
        "transfers",
        "calls.Transfer",
        _("Appels passés à un collègue, avec ce qui lui a été dit."),
        "call=call_id at note",
        about=CALL,
        inside=OF_CALL,
    ),
    Part(
        "transfer_answers",
        "calls.TransferAnswer",
        _("Réponse du collègue."),
        "call=transfer__call_id at kind words",
        about=("transfer__call__prospect",),
        inside="transfer__call__campaign__programme__sponsor",
    ),
    Part(
        "callbacks",
        "calls.Callback",
        _("Rappels convenus."),
        "due_at exact note state created_at closed_at cancel_reason campaign=campaign__name",
        inside=OF_CAMPAIGN,
    ),
    Part(
        "reminders",
        "calls.Reminder",
        _("Échéances des souhaits notés pendant un appel."),
        "call=call_id due_at done_at",
        about=CALL,
        inside=OF_CALL,
    ),
    Part(
        "follow_ups",
        "calls.FollowUp",
        _("Messages écrits à la personne après un appel."),
        "call=call_id at to subject body state sent_at",
        inside=OF_CALL,
    ),
    Part(
        "consents",
        "campaigns.Consent",
        _("Consentements à être appelé, et leur retrait."),
        "sponsor=sponsor__name given_at period_end channel exact_text source=source__name withdrawn_at"
        " withdrawn_how created_at",
        inside="sponsor",
    ),
    Part(
        BARS,
        "campaigns.Exclusion",
        _("Interdictions d'appeler la personne ou l'un de ses numéros : portée, motif, levée."),
        "id scope sponsor=sponsor__name number reason note since until lifted_at lift_reason",
        inside="sponsor",
    ),
    Part(
        "incidents",
        "calls.Incident",
        _("Incidents signalés à un superviseur."),
        "id call=call_id at kind summary sponsor=sponsor__name by=by__role",
        about=("prospect", *CALL),
        inside="sponsor",
    ),
    Part(
        "incident_decisions",
        "calls.IncidentDecision",
        _("Ce qu'un superviseur a décidé d'un incident."),
        "incident=incident_id at decision reason",
        about=("incident__prospect", "incident__call__prospect"),
        inside="incident__sponsor",
    ),
    Part(
        "incident_answers",
        "calls.IncidentAnswer",
        _("Ce qu'un superviseur a répondu à l'agent."),
        "incident=incident_id at kind words",
        about=("incident__prospect", "incident__call__prospect"),
        inside="incident__sponsor",
    ),
    Part(
        "bans",
        "calls.Ban",
        _("Demandes de ne plus appeler la personne à cause de son comportement."),
        "id at number scope why sponsor=sponsor__name by=by__role",
        about=("prospect", *CALL),
        inside="sponsor",
    ),
    Part(
        "ban_decisions",
        "calls.BanDecision",
        _("Ce qui a été décidé de ces demandes."),
        "ban=ban_id at verdict reason expires_at",
        about=("ban__prospect", "ban__call__prospect"),
        inside="ban__sponsor",
    ),
    Part(
        "ban_appeals",
        "calls.BanAppeal",
        _("Ce que la personne a opposé à ces décisions."),
        "ban=ban_id at text",
        about=("ban__prospect", "ban__call__prospect"),
        inside="ban__sponsor",
    ),
    Part(
        "imports",
        "campaigns.ImportRow",
        _("Fichiers reçus où la personne figurait, ce qui en a été fait, et les valeurs remplacées."),
        "at=job__created_at file=job__file__name source=job__source__name campaign=job__campaign__name line outcome"
        " before",
        inside="job__campaign__programme__sponsor",
    ),
)

#: Tables that refer to a person, directly or by a call, and are not told; why.
LEFT_OUT = {
    "campaigns.SuppliedValues": "checksums, which tell whether a supplier's value changed and nothing of the person",
    "campaigns.Change": "an act of a manager: what it did to a bar is told with the bar",
    "calls.CallEffect": "which rows a call brought about, so that a correction can undo it: each is told itself",
    "calls.Pause": "the break of an agent, which says after which call it was taken",
}

#: What stands beside the tables.
LEGEND = {
    "record": _("La fiche : identité, coordonnées, autres champs."),
    "origin": _(
        "Qui a fourni la fiche, ce que l'on en dit quand on le demande, et auprès de qui exercer ses droits."
    ),
}
