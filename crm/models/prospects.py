"""Prospect records, their numbers and their timeline."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.enums import Channel, EventKind, LookPlace, NumberKind, ProspectKind, Validity
from crm.models.record_changes import recording, versioned
from crm.models.sponsors import Source, Sponsor
from crm.models.triggers import REFUSE, Trigger, append_only, no_delete
from crm.models.zones import zone_known
from crm.rules.phones import national

#: Finds the erased person of a row of history that has a `prospect_id`.
ERASED_PROSPECT = "SELECT FROM crm_prospect p WHERE p.id = OLD.prospect_id AND p.erased_at IS NOT NULL"

#: Columns that people and programs fill; `attributes` is a mapping of texts, numbers and truth values.
EDITABLE = (
    "external_id",
    "kind",
    "civility",
    "first_name",
    "last_name",
    "organisation",
    "job_title",
    "sector",
    "email",
    "address",
    "postal_code",
    "city",
    "country",
    "language",
    "time_zone",
    "attributes",
    "confidential",
    "preferred_channel",
)
#: Columns whose every change is another version of the record, whoever writes it.
VERSIONED = (*EDITABLE, "source_id", "erased_at")
_OF_SOURCE = "JOIN crm_source s ON s.id = {row}.source_id"
_CREATED = f"SELECT n.id, true, s.sponsor_id FROM new_rows n {_OF_SOURCE.format(row='n')}"
_CHANGED = f"""SELECT n.id, false, s.sponsor_id FROM new_rows n JOIN old_rows o USING (id) {_OF_SOURCE.format(row="n")}
     WHERE n.version <> o.version"""
_RENUMBERED = f"""SELECT DISTINCT p.id, false, s.sponsor_id FROM {{rows}} n JOIN crm_prospect p ON p.id = n.prospect_id
      {_OF_SOURCE.format(row="p")}"""


class ProspectQuerySet(models.QuerySet["Prospect"]):
    """The vocabulary for finding prospects."""

    def known(self) -> "ProspectQuerySet":
        """Keep those that were not erased."""
        return self.filter(erased_at__isnull=True)

    def with_number(self, *numbers: str) -> "ProspectQuerySet":
        """Keep those that carry one of these E.164 numbers."""
        return self.filter(phones__number__in=numbers).distinct()


class Prospect(models.Model):
    """A person or an organisation with its numbers. Never deleted: erased (`erased_at`), which blanks it.

    The table has three columns more, that a trigger fills and no instance carries: `words` (tsvector), `sort_name` and
    `sort_city`, by which `crm.selectors.search` finds and sorts a million records.
    """

    source = models.ForeignKey(
        Source, on_delete=models.PROTECT, related_name="prospects", verbose_name=_("fournisseur")
    )
    external_id = models.CharField(_("identifiant externe"), max_length=200, blank=True)
    #: Hex SHA-256 of the external id that an erased record had, so that its bars outlive a re-import.
    erased_external_id = models.CharField(max_length=64, blank=True, editable=False)
    kind = models.CharField(
        _("genre"), max_length=12, choices=ProspectKind.choices, default=ProspectKind.ORGANISATION
    )
    civility = models.CharField(_("civilité"), max_length=20, blank=True)
    first_name = models.CharField(_("prénom"), max_length=120, blank=True)
    last_name = models.CharField(_("nom"), max_length=120, blank=True)
    organisation = models.CharField(_("organisation"), max_length=250, blank=True)
    job_title = models.CharField(_("fonction"), max_length=150, blank=True)
    sector = models.CharField(_("secteur (NAF)"), max_length=20, blank=True)
    email = models.CharField(_("e-mail"), max_length=254, blank=True)
    address = models.CharField(_("adresse"), max_length=400, blank=True)
    postal_code = models.CharField(_("code postal"), max_length=20, blank=True)
    city = models.CharField(_("ville"), max_length=120, blank=True)
    country = models.CharField(_("pays"), max_length=2, blank=True, default="FR")
    language = models.CharField(_("langue"), max_length=8, blank=True)
    time_zone = models.CharField(_("fuseau horaire"), max_length=60, blank=True)
    attributes = models.JSONField(_("autres champs"), default=dict, blank=True)
    confidential = models.BooleanField(_("confidentielle"), default=False)
    preferred_channel = models.CharField(
        _("canal préféré"), max_length=10, choices=Channel.choices, blank=True
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ProspectQuerySet.as_manager()

    class Meta:
        verbose_name = _("fiche")
        verbose_name_plural = _("fiches")
        constraints = [
            models.UniqueConstraint(
                fields=["source", "external_id"],
                condition=~models.Q(external_id=""),
                name="prospect_external_id_once_per_source",
                violation_error_message=_("Ce fournisseur a déjà une fiche avec cet identifiant."),
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=ProspectKind.values), name="prospect_kind_known"
            ),
            zone_known("prospect_time_zone_known"),
            # An erased record holds no words of the person, whatever is written to it later.
            models.CheckConstraint(
                condition=models.Q(erased_at__isnull=True)
                | models.Q(
                    external_id="",
                    civility="",
                    first_name="",
                    last_name="",
                    organisation="",
                    email="",
                    address="",
                    attributes={},
                ),
                name="prospect_erased_is_blank",
            ),
        ]
        indexes = [
            # API and pages: ?updated_since=, newest first.
            models.Index(fields=["updated_at", "id"], name="prospect_updated"),
            # A record that comes back after an erasure finds its bars.
            models.Index(
                fields=["source", "erased_external_id"],
                condition=~models.Q(erased_external_id=""),
                name="prospect_erased",
            ),
        ]
        triggers = [
            Trigger(
                name="prospect_erasure_is_final",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "OLD.erased_at IS NOT NULL AND (NEW.erased_at, NEW.erased_external_id, NEW.source_id)"
                    " IS DISTINCT FROM (OLD.erased_at, OLD.erased_external_id, OLD.source_id)"
                ),
                func=REFUSE.format(
                    name="prospect_erasure_is_final",
                    message="an erasure is final: the bars hang on what it kept",
                ),
            ),
            *no_delete(
                "prospect_never_deleted", "a prospect is erased, never deleted: its bars must survive"
            ),
            versioned("prospect_counts_its_versions", VERSIONED),
            recording("prospect_recorded_new", "prospect", _CREATED, pgtrigger.Insert),
            recording("prospect_recorded_changed", "prospect", _CHANGED, pgtrigger.Update),
        ]

    def __str__(self) -> str:
        return self.display_name

    @property
    def display_name(self) -> str:
        """The name by which people recognise the record, never empty."""
        person = " ".join(part for part in (self.civility, self.first_name, self.last_name) if part)
        return self.organisation or person or self.external_id or f"#{self.pk}"

    @property
    def person_name(self) -> str:
        """The person to ask for, or an empty string."""
        return " ".join(part for part in (self.civility, self.first_name, self.last_name) if part)


class ProspectNumber(models.Model):
    """A phone number of a prospect: E.164, with the raw input that it was read from."""

    prospect = models.ForeignKey(Prospect, on_delete=models.PROTECT, related_name="phones", db_index=False)
    number = models.CharField(_("numéro"), max_length=16)
    raw = models.CharField(_("saisie d'origine"), max_length=200, blank=True)
    kind = models.CharField(max_length=10, choices=NumberKind.choices, default=NumberKind.UNKNOWN)
    validity = models.CharField(max_length=8, choices=Validity.choices, default=Validity.VALID)
    extension = models.CharField(_("poste"), max_length=20, blank=True)
    note = models.CharField(max_length=200, blank=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = _("numéro")
        verbose_name_plural = _("numéros")
        ordering = ("position", "id")
        constraints = [
            # E.164: "+", no leading zero, 15 digits at most; 7 is the shortest national number with its code.
            models.CheckConstraint(
                condition=models.Q(number__regex=r"^\+[1-9][0-9]{6,14}$"), name="prospect_number_e164"
            ),
            models.UniqueConstraint(fields=["prospect", "number"], name="prospect_number_once"),
        ]
        indexes = [
            # Who else has this number: exclusions, look-up by number, switchboards.
            models.Index(fields=["number"], name="prospect_number_number"),
        ]
        triggers = [
            recording(
                f"prospect_number_recorded_{word}", "prospect", _RENUMBERED.format(rows=rows), operation
            )
            for word, rows, operation in (
                ("new", "new_rows", pgtrigger.Insert),
                ("changed", "new_rows", pgtrigger.Update),
                ("gone", "old_rows", pgtrigger.Delete),
            )
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def spelling(self) -> str:
        """The number as people read it."""
        return national(self.number)


class ProspectEvent(models.Model):
    """A line of a prospect's timeline. Append-only; `data` is blanked when the person is erased.

    A line with a sponsor is shown inside that sponsor only. `data` holds ids and words of the event, JSON.
    """

    prospect = models.ForeignKey(Prospect, on_delete=models.PROTECT, related_name="events", db_index=False)
    sponsor = models.ForeignKey(
        Sponsor, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    kind = models.CharField(max_length=20, choices=EventKind.choices)
    #: Id of the call that this line tells of; a plain number because calls stand above this app.
    call_ref = models.BigIntegerField(null=True, blank=True)
    data = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name = _("événement")
        verbose_name_plural = _("événements")
        indexes = [
            # The timeline of one prospect, newest first.
            models.Index(fields=["prospect", "-id"], name="prospect_event_timeline"),
        ]
        triggers = append_only(
            "prospect_event_append_only", erased=ERASED_PROSPECT, blank={"data": "'{}'::jsonb"}
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d %H:%M}"


class ProspectLook(models.Model):
    """Somebody looked at a confidential record: who, when, where (`crm.enums.LookPlace`) and why. Append-only.

    `why` is asked for outside a call, where nothing else says it.
    """

    prospect = models.ForeignKey(Prospect, on_delete=models.PROTECT, related_name="looks")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    place = models.CharField(max_length=8, choices=LookPlace.choices)
    why = models.CharField(_("motif"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("consultation d'une fiche confidentielle")
        verbose_name_plural = _("consultations de fiches confidentielles")
        ordering = ("-id",)
        triggers = append_only("prospect_look_append_only", erased=ERASED_PROSPECT, blank={"why": "''"})

    def __str__(self) -> str:
        return f"{self.prospect_id} {self.at:%Y-%m-%d %H:%M}"
