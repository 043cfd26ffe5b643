"""Calls, their history, and the triggers that hold the invariants of the contract."""

from typing import Any

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from calls.enums import (
    CLOSED_STATES,
    AnsweredBy,
    CallEventKind,
    CallState,
    Cause,
    EffectKind,
    Evidence,
    HungUpBy,
    Mode,
    Result,
)
from campaigns.enums import ClosingKind
from campaigns.models import Campaign, Criterion, Disposition, Exclusion, ListEntry
from crm.models import Prospect
from crm.models.record_changes import RECORD, recording
from crm.models.triggers import Trigger, append_only, no_delete
from crm.rules.phones import national

OPEN = ~Q(state__in=sorted(CLOSED_STATES))

#: A call starts as `claimed`, on a number that no bar covers; only then may it be dialled. The shared locks make
#: this hold when a bar arrives at the same instant: its own, exclusive ones wait for us, or we for it.
GUARD = """
    IF current_setting('transaction_isolation') IN ('repeatable read', 'serializable') THEN
        -- This snapshot could not see a bar that was committed a moment ago.
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'call_needs_read_committed', TABLE = TG_TABLE_NAME,
            MESSAGE = 'calls are written under READ COMMITTED';
    END IF;
    IF TG_OP = 'INSERT' AND (NEW.state <> 'claimed' OR NEW.out_of_criteria_at IS NOT NULL
                             OR NEW.disposition_id IS NOT NULL) THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'call_starts_claimed', TABLE = TG_TABLE_NAME,
            MESSAGE = 'a call starts as claimed';
    END IF;
    PERFORM courtois_share_bars(NEW.number, NEW.prospect_id);
    bar := courtois_covering_exclusion(NEW.number, NEW.prospect_id, NEW.campaign_id);
    IF bar IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'call_not_excluded', TABLE = TG_TABLE_NAME,
            MESSAGE = 'an active exclusion covers this number or prospect',
            DETAIL = json_build_object('exclusion', bar)::text;
    END IF;
    RETURN NEW;
"""

#: Somebody who calls us is on the line at once: nobody is disturbed, so no bar stands in the way. Whom another system
#: called is on the line too: no bar undoes that, and the agent needs the screen to apologise. Such calls begin as
#: `connected`, and no legal move leads from there to a dial.
GUARD_INSERT = f"""
    IF NEW.mode IN ('inbound', 'external') AND NEW.state = 'connected' AND NEW.answered_at IS NOT NULL
       AND (NEW.dialled_at IS NULL) = (NEW.mode = 'inbound')
       AND NEW.out_of_criteria_at IS NULL AND NEW.disposition_id IS NULL
    THEN RETURN NEW; END IF;
    {GUARD.strip()}
"""

#: Legal moves, and what never changes on a call.
MOVES = """
    IF (NEW.id, NEW.campaign_id, NEW.prospect_id, NEW.number, NEW.mode, NEW.started_at)
       IS DISTINCT FROM
       (OLD.id, OLD.campaign_id, OLD.prospect_id, OLD.number, OLD.mode, OLD.started_at)
       OR (NEW.entry_id IS NOT NULL AND NEW.entry_id IS DISTINCT FROM OLD.entry_id)
       OR (OLD.out_of_criteria_at IS NOT NULL AND NEW.out_of_criteria_at IS DISTINCT FROM OLD.out_of_criteria_at)
    THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'call_identity_fixed', TABLE = TG_TABLE_NAME,
            MESSAGE = 'whom a call was for and a stored mismatch never change';
    END IF;
    -- A call changes hands while somebody is on the line, to the colleague who accepted its latest offer. That offer
    -- must have moved the call by the end of its transaction, so that no older one can ever do so.
    IF NEW.agent_id IS DISTINCT FROM OLD.agent_id AND (
        OLD.state NOT IN ('connected', 'closing') OR NEW.state <> OLD.state OR NOT EXISTS (
            SELECT FROM calls_transfer t JOIN calls_transferanswer a ON a.transfer_id = t.id
             WHERE t.id = (SELECT max(id) FROM calls_transfer WHERE call_id = NEW.id)
               AND a.kind = 'accepted' AND t.sender_id = OLD.agent_id AND t.recipient_id = NEW.agent_id))
    THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'call_identity_fixed', TABLE = TG_TABLE_NAME,
            MESSAGE = 'a call changes hands only by an accepted transfer, while somebody is on the line';
    END IF;
    IF NEW.state <> OLD.state AND NOT (OLD.state || '>' || NEW.state = ANY (ARRAY[
        'claimed>dialling', 'claimed>released', 'dialling>connected', 'dialling>not_reached',
        'connected>closing', 'connected>ended', 'connected>not_reached', 'closing>ended',
        'ended>done', 'not_reached>done']))
    THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'call_moves_legally', TABLE = TG_TABLE_NAME,
            MESSAGE = format('a call cannot go from %s to %s', OLD.state, NEW.state);
    END IF;
    -- Nested, so that the common move asks no question of the tables.
    IF NEW.out_of_criteria_at IS DISTINCT FROM OLD.out_of_criteria_at THEN
        IF NOT EXISTS (SELECT FROM calls_callanswer a
                        WHERE a.call_id = NEW.id AND a.result = 'mismatch' AND a.blocking)
           AND NOT EXISTS (SELECT FROM calls_calldisposition d JOIN campaigns_disposition k ON k.id = d.disposition_id
                            WHERE d.call_id = NEW.id AND k.by_mismatch_only)
        THEN
            RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'out_of_criteria_by_mismatch', TABLE = TG_TABLE_NAME,
                MESSAGE = 'a call is out of criteria by a stored mismatch or a correction, never by itself';
        END IF;
    END IF;
    IF OLD.out_of_criteria_at IS NOT NULL AND NEW.disposition_id IS DISTINCT FROM OLD.disposition_id THEN
        IF NOT EXISTS (SELECT FROM campaigns_disposition k WHERE k.id = NEW.disposition_id AND k.by_mismatch_only)
           AND NOT EXISTS (
               SELECT FROM calls_calldisposition d JOIN crm_user u ON u.id = d.by_id
                WHERE d.id = (SELECT max(id) FROM calls_calldisposition WHERE call_id = NEW.id)
                  AND d.disposition_id = NEW.disposition_id AND d.corrects_id IS NOT NULL
                  AND btrim(d.reason) <> '' AND u.role IN ('supervisor', 'manager', 'admin'))
        THEN
            RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'out_of_criteria_is_final', TABLE = TG_TABLE_NAME,
                MESSAGE = 'out of criteria is final: only a correction with a reason, by a supervisor, replaces it';
        END IF;
    END IF;
    -- What a reader of the call would see differently is another version; that a lease was renewed is not.
    IF NEW.version <= OLD.version THEN
        NEW.version := OLD.version;
        IF (NEW.agent_id, NEW.state, NEW.answered_at, NEW.greeted_at, NEW.answered_by, NEW.respondent, NEW.closing_kind,
            NEW.closing_at, NEW.goodbye_at, NEW.line_dead_at, NEW.end_allowed_by, NEW.out_of_criteria_at, NEW.ended_at,
            NEW.hung_up_by, NEW.evidence, NEW.cause, NEW.disposition_id, NEW.release_reason)
           IS DISTINCT FROM
           (OLD.agent_id, OLD.state, OLD.answered_at, OLD.greeted_at, OLD.answered_by, OLD.respondent, OLD.closing_kind,
            OLD.closing_at, OLD.goodbye_at, OLD.line_dead_at, OLD.end_allowed_by, OLD.out_of_criteria_at, OLD.ended_at,
            OLD.hung_up_by, OLD.evidence, OLD.cause, OLD.disposition_id, OLD.release_reason)
        THEN NEW.version := OLD.version + 1; END IF;
    END IF;
    RETURN NEW;
"""

#: A stored blocking mismatch is final in the same transaction: call, bars, entry. Whoever stores it.
#: Locks in the order of the house: bars, call, entries by id.
MISMATCH = """
    SELECT * INTO STRICT c FROM calls_call WHERE id = NEW.call_id;
    numbers := ARRAY(SELECT c.number
                      UNION SELECT n.number FROM crm_prospectnumber n WHERE n.prospect_id = c.prospect_id);
    PERFORM courtois_lock_bars(numbers, ARRAY[c.prospect_id]);
    SELECT * INTO STRICT c FROM calls_call WHERE id = NEW.call_id FOR UPDATE;
    IF c.state NOT IN ('connected', 'closing') THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'mismatch_needs_a_person', TABLE = TG_TABLE_NAME,
            MESSAGE = 'a criterion is answered by a person on the line';
    END IF;
    SELECT id INTO STRICT code FROM campaigns_disposition WHERE by_mismatch_only;
    IF c.out_of_criteria_at IS NOT NULL AND c.disposition_id = code THEN
        RETURN NULL;  -- Final already. After a correction it is not: the bars below are written anew.
    END IF;
    SELECT programme_id INTO STRICT prog FROM campaigns_campaign WHERE id = c.campaign_id;
    INSERT INTO calls_calldisposition (call_id, disposition_id, note, reason, at, by_id)
         VALUES (c.id, code, NEW.heard, '', NEW.at, NEW.by_id);
    UPDATE calls_call SET state = 'closing', closing_kind = 'mismatch', closing_at = coalesce(closing_at, NEW.at),
           out_of_criteria_at = coalesce(out_of_criteria_at, NEW.at), disposition_id = code,
           goodbye_at = NULL, goodbyes = 0 WHERE id = c.id;
    people := ARRAY(SELECT c.prospect_id
                     UNION SELECT n.prospect_id FROM crm_prospectnumber n WHERE n.number = ANY (numbers));
    PERFORM FROM campaigns_listentry e
      WHERE e.id = ANY (ARRAY(
            SELECT c.entry_id
             UNION SELECT w.id FROM campaigns_listentry w
                    WHERE w.prospect_id = ANY (people) AND w.state IN ('ready', 'callback')))
      ORDER BY e.id FOR UPDATE;
    -- What was heard stays with the answer, where an erasure can blank it.
    WITH bars AS (
        INSERT INTO campaigns_exclusion (scope, programme_id, number, prospect_id, reason, note, since, created_by_id,
                                         call_ref, lift_reason)
        SELECT 'programme', prog, b.number, b.prospect_id, 'out_of_criteria', '', NEW.at, NEW.by_id, c.id, ''
          FROM (SELECT NULL::text AS number, c.prospect_id AS prospect_id WHERE c.prospect_id IS NOT NULL
                UNION ALL SELECT n, NULL FROM unnest(numbers) n) b
        RETURNING id)
    INSERT INTO calls_calleffect (call_id, kind, exclusion_id, before, at)
         SELECT c.id, 'exclusion', id, '{}', NEW.at FROM bars;
    UPDATE campaigns_listentry SET state = 'excluded', verdict_gate = 'exclusion', verdict_reason = 'out_of_criteria',
           verdict_until = NULL, updated_at = NEW.at,
           excluded_by_id = (SELECT max(id) FROM campaigns_exclusion
                              WHERE call_ref = c.id AND prospect_id = c.prospect_id)
     WHERE id = c.entry_id AND state <> 'excluded';
    UPDATE calls_callback SET state = 'excluded', closed_at = NEW.at WHERE entry_id = c.entry_id AND state = 'open';
    RETURN NULL;
"""

#: Whether a mismatch bars is the criterion's business, not the writer's. No criterion: somebody else answered.
JUDGE = """
    IF NEW.criterion_id IS NULL THEN
        NEW.blocking := true;
        RETURN NEW;
    END IF;
    SELECT k.blocking OR coalesce(v.blocking, false), k.programme_id = m.programme_id INTO blocks, ours
      FROM calls_call c JOIN campaigns_campaign m ON m.id = c.campaign_id
     CROSS JOIN campaigns_criterion k
      LEFT JOIN campaigns_criterionversion v ON v.criterion_id = k.id AND v.version = NEW.version
     WHERE c.id = NEW.call_id AND k.id = NEW.criterion_id;
    IF NOT ours THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'answer_of_its_programme', TABLE = TG_TABLE_NAME,
            MESSAGE = 'a call answers the criteria of its own programme';
    END IF;
    NEW.blocking := coalesce(blocks, NEW.blocking);
    RETURN NEW;
"""

#: After a mismatch nothing else is stored on the call, but a correction by somebody who may, with a reason.
DISPOSITION_FINAL = """
    -- Two writers of one call take turns, whatever they came for.
    SELECT out_of_criteria_at IS NOT NULL INTO mismatched FROM calls_call WHERE id = NEW.call_id FOR NO KEY UPDATE;
    SELECT max(id) INTO latest FROM calls_calldisposition WHERE call_id = NEW.call_id;
    SELECT by_mismatch_only INTO final FROM campaigns_disposition WHERE id = NEW.disposition_id;
    IF NEW.corrects_id IS NULL AND mismatched AND NOT final THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'out_of_criteria_is_final', TABLE = TG_TABLE_NAME,
            MESSAGE = 'a criterion was mismatched on this call: no other disposition can be stored';
    END IF;
    IF NEW.corrects_id IS NULL AND final AND NOT EXISTS (
        SELECT FROM calls_callanswer a WHERE a.call_id = NEW.call_id AND a.result = 'mismatch' AND a.blocking)
    THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'out_of_criteria_by_mismatch', TABLE = TG_TABLE_NAME,
            MESSAGE = 'out of criteria is given by a stored mismatch or a correction, never picked';
    END IF;
    IF (NEW.corrects_id IS NULL AND latest IS NOT NULL AND NOT final)
       OR (NEW.corrects_id IS NOT NULL AND NEW.corrects_id IS DISTINCT FROM latest)
    THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'disposition_once', TABLE = TG_TABLE_NAME,
            MESSAGE = 'a call has one disposition: another one corrects the latest of the same call';
    END IF;
    IF NEW.corrects_id IS NOT NULL AND (btrim(NEW.reason) = '' OR NOT EXISTS (
        SELECT FROM crm_user u WHERE u.id = NEW.by_id AND u.role IN ('supervisor', 'manager', 'admin')))
    THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'correction_by_supervisor', TABLE = TG_TABLE_NAME,
            MESSAGE = 'a correction is made by a supervisor or manager, with a reason';
    END IF;
    RETURN NEW;
"""

#: At the end of the transaction: what the latest disposition does has been done, whoever stored it.
EFFECTS = """
    SELECT c.id, c.number, c.prospect_id, c.campaign_id, c.disposition_id INTO STRICT was
      FROM calls_call c WHERE c.id = NEW.call_id;
    IF NEW.id <> (SELECT max(id) FROM calls_calldisposition WHERE call_id = NEW.call_id) THEN RETURN NULL; END IF;
    IF was.disposition_id IS DISTINCT FROM NEW.disposition_id THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'call_shows_its_disposition', TABLE = TG_TABLE_NAME,
            MESSAGE = 'the disposition of a call is its latest row of history';
    END IF;
    SELECT d.bar_target, d.by_mismatch_only INTO STRICT target, final
      FROM campaigns_disposition d WHERE d.id = NEW.disposition_id;
    IF (target IN ('number', 'both') OR (target = 'prospect' AND was.prospect_id IS NOT NULL))
       AND courtois_covering_exclusion(was.number, was.prospect_id, was.campaign_id) IS NULL
    THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'disposition_runs_its_effects', TABLE = TG_TABLE_NAME,
            MESSAGE = 'this disposition bars: its exclusion belongs to the same transaction';
    END IF;
    IF NEW.corrects_id IS NOT NULL AND NOT final AND EXISTS (
        SELECT FROM campaigns_exclusion x WHERE x.call_ref = NEW.call_id AND x.reason = 'out_of_criteria'
           AND x.lifted_at IS NULL)
    THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'disposition_runs_its_effects', TABLE = TG_TABLE_NAME,
            MESSAGE = 'correcting a mismatch lifts the exclusions of that call in the same transaction';
    END IF;
    RETURN NULL;
"""

#: At the end of the transaction: the disposition that a call shows is the latest of its history.
SHOWN = """
    IF EXISTS (SELECT FROM calls_call WHERE id = NEW.id AND disposition_id IS NOT DISTINCT FROM (
        SELECT d.disposition_id FROM calls_calldisposition d WHERE d.call_id = NEW.id ORDER BY d.id DESC LIMIT 1))
    THEN RETURN NULL; END IF;
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'call_shows_its_disposition', TABLE = TG_TABLE_NAME,
        MESSAGE = 'the disposition of a call is its latest row of history';
"""

_OF_CAMPAIGN = """JOIN campaigns_campaign c ON c.id = {row}.campaign_id
      JOIN campaigns_programme p ON p.id = c.programme_id"""
_CREATED = f"SELECT n.id, true, p.sponsor_id FROM new_rows n {_OF_CAMPAIGN.format(row='n')}"
_CHANGED = f"""SELECT n.id, false, p.sponsor_id FROM new_rows n JOIN old_rows o USING (id)
      {_OF_CAMPAIGN.format(row="n")}
     WHERE n.version <> o.version"""
_ENDED = f"{_CHANGED} AND n.state IN ('ended', 'not_reached') AND o.state NOT IN ('ended', 'not_reached')"
_OUT_OF_CRITERIA = f"{_CHANGED} AND n.out_of_criteria_at IS NOT NULL AND o.out_of_criteria_at IS NULL"
_DISPOSED = f"""SELECT n.id, {{created}}, p.sponsor_id FROM new_rows n JOIN calls_call k ON k.id = n.call_id
      {_OF_CAMPAIGN.format(row="k")}"""

#: What is written beside a call is another version of it, unless this transaction counted one already.
TOUCH = """
    UPDATE calls_call SET version = version + 1
     WHERE id IN (SELECT call_id FROM new_rows WHERE call_id IS NOT NULL
                  EXCEPT SELECT ref FROM crm_recordchange WHERE xid = pg_current_xact_id() AND kind = 'call');
"""


def touching(name: str, operation: Any = pgtrigger.Insert) -> Trigger:
    """Return the trigger that makes rows of a table with a `call_id` another version of their call."""
    return recording(name, "", "", operation, before=TOUCH)


#: Finds the erased person of a row of history that has a `call_id`.
ERASED_CALL = """SELECT FROM calls_call c JOIN crm_prospect p ON p.id = c.prospect_id
     WHERE c.id = OLD.call_id AND p.erased_at IS NOT NULL"""


def call_history(name: str, **blank: str) -> list[pgtrigger.Trigger]:
    """Return append-only triggers for a table with a `call_id`; `blank` maps a column to its blanked SQL value."""
    return append_only(name, erased=ERASED_CALL, blank=blank)


class CallQuerySet(models.QuerySet["Call"]):
    """The vocabulary for finding calls."""

    def open(self) -> "CallQuerySet":
        """Keep those that their agent has not finished."""
        return self.filter(OPEN)


class Call(models.Model):
    """One attempt at one number. Its state is the agent's screen; its history is in `CallEvent`.

    `out_of_criteria_at` is the moment of the first stored mismatch; it is never cleared. `goodbye_at` is when
    the goodbye was last said, `goodbyes` how often. Times are UTC.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="calls", db_index=False)
    prospect = models.ForeignKey(
        Prospect, on_delete=models.PROTECT, null=True, blank=True, related_name="calls"
    )
    entry = models.ForeignKey(
        ListEntry, on_delete=models.SET_NULL, null=True, blank=True, related_name="calls", db_index=True
    )
    number = models.CharField(max_length=16)
    agent = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="calls", db_index=False
    )
    state = models.CharField(max_length=12, choices=CallState.choices, default=CallState.CLAIMED)
    mode = models.CharField(max_length=8, choices=Mode.choices, default=Mode.QUEUE)
    #: The entry's state and due time before the claim, so that a release gives back what was taken.
    entry_was = models.CharField(max_length=12, blank=True)
    language = models.CharField(max_length=8, blank=True)
    lease_until = models.DateTimeField()
    started_at = models.DateTimeField()
    dialled_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    greeted_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.CharField(max_length=10, choices=AnsweredBy.choices, blank=True)
    #: 0 for the first person on the line, one more after each handover.
    respondent = models.PositiveSmallIntegerField(default=0)
    closing_kind = models.CharField(max_length=8, choices=ClosingKind.choices, blank=True)
    closing_at = models.DateTimeField(null=True, blank=True)
    goodbye_at = models.DateTimeField(null=True, blank=True)
    goodbyes = models.PositiveSmallIntegerField(default=0)
    line_dead_at = models.DateTimeField(null=True, blank=True)
    #: A playbook stage that allows the end, the supervisor, a driving person: why the agent may hang up early.
    end_allowed_by = models.CharField(max_length=40, blank=True)
    out_of_criteria_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    hung_up_by = models.CharField(max_length=10, choices=HungUpBy.choices, blank=True)
    evidence = models.CharField(max_length=10, choices=Evidence.choices, blank=True)
    cause = models.CharField(max_length=16, choices=Cause.choices, blank=True)
    disposition = models.ForeignKey(
        Disposition, on_delete=models.PROTECT, null=True, blank=True, related_name="calls", db_index=False
    )
    release_reason = models.CharField(max_length=200, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    #: 1, and one more with each change that a reader of the call would see: the database counts.
    version = models.PositiveIntegerField(default=1, db_default=1, editable=False)

    objects = CallQuerySet.as_manager()

    class Meta:
        verbose_name = _("appel")
        verbose_name_plural = _("appels")
        constraints = [
            models.UniqueConstraint(fields=["agent"], condition=OPEN, name="call_one_open_per_agent"),
            models.UniqueConstraint(fields=["number"], condition=OPEN, name="call_one_open_per_number"),
            models.UniqueConstraint(fields=["prospect"], condition=OPEN, name="call_one_open_per_prospect"),
            models.CheckConstraint(condition=Q(state__in=CallState.values), name="call_state_known"),
            models.CheckConstraint(
                condition=Q(number__regex=r"^\+[1-9][0-9]{6,14}$"), name="call_number_e164"
            ),
            models.CheckConstraint(
                condition=~Q(state=CallState.DONE) | Q(disposition__isnull=False),
                name="call_done_is_qualified",
            ),
            models.CheckConstraint(
                condition=~Q(state=CallState.ENDED) | (Q(ended_at__isnull=False) & ~Q(hung_up_by="")),
                name="call_ended_by_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(state=CallState.CLOSING) | ~Q(closing_kind=""), name="call_closing_has_its_kind"
            ),
            models.CheckConstraint(
                condition=Q(out_of_criteria_at__isnull=True) | Q(disposition__isnull=False),
                name="call_mismatch_is_qualified",
            ),
            # Whoever calls us was answered and never dialled.
            models.CheckConstraint(
                condition=~Q(mode=Mode.INBOUND)
                | (
                    Q(answered_at__isnull=False, dialled_at__isnull=True)
                    & ~Q(state__in=[CallState.CLAIMED, CallState.DIALLING, CallState.RELEASED])
                ),
                name="call_inbound_never_dialled",
            ),
            # What another system dialled was answered before it reached us: we never dial it.
            models.CheckConstraint(
                condition=~Q(mode=Mode.EXTERNAL)
                | (
                    Q(answered_at__isnull=False, dialled_at__isnull=False)
                    & ~Q(state__in=[CallState.CLAIMED, CallState.DIALLING, CallState.RELEASED])
                ),
                name="call_external_never_dialled",
            ),
        ]
        indexes = [
            # The agent's day: calls made today, newest first.
            models.Index(fields=["agent", "-started_at"], name="call_by_agent"),
            models.Index(fields=["campaign", "-id"], name="call_by_campaign"),
            # What a campaign's calls came to, day by day.
            models.Index(
                fields=["campaign", "dialled_at"],
                condition=Q(dialled_at__isnull=False),
                name="call_by_day",
            ),
            # Expired leases, looked for by beat.
            models.Index(fields=["lease_until"], condition=OPEN, name="call_open_lease"),
            # Earlier calls to the same number, for the apology and the screen of somebody who calls back.
            models.Index(fields=["number", "-id"], name="call_by_number"),
        ]
        triggers = [
            Trigger(
                name="call_guard_insert",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                declare=[("bar", "bigint")],
                func=GUARD_INSERT,
            ),
            Trigger(
                name="call_guard_dial",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("state"),
                condition=pgtrigger.Condition("NEW.state = 'dialling' AND OLD.state <> 'dialling'"),
                declare=[("bar", "bigint")],
                func=GUARD,
            ),
            Trigger(name="call_moves", when=pgtrigger.Before, operation=pgtrigger.Update, func=MOVES),
            Trigger(
                name="call_shows_its_disposition",
                when=pgtrigger.After,
                operation=pgtrigger.Update,
                timing=pgtrigger.Deferred,
                condition=pgtrigger.Condition("NEW.disposition_id IS DISTINCT FROM OLD.disposition_id"),
                func=SHOWN,
            ),
            *no_delete("call_never_deleted", "a call is history"),
            recording("call_recorded_new", "call", _CREATED, pgtrigger.Insert),
            recording(
                "call_recorded_changed",
                "call",
                _CHANGED,
                pgtrigger.Update,
                before=RECORD.format(kind="call.ended", rows=_ENDED)
                + RECORD.format(kind="prospect.out_of_criteria", rows=_OUT_OF_CRITERIA),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.state}"

    @property
    def spelling(self) -> str:
        """The number as people read it, "" once it is erased."""
        return national(self.number) if self.number else ""

    @property
    def is_open(self) -> bool:
        """Whether the agent still has to finish it."""
        return self.state not in CLOSED_STATES


class CallEvent(models.Model):
    """A line of a call's history. Append-only. `data` is JSON; its words are blanked when the person is erased."""

    call = models.ForeignKey(Call, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=20, choices=CallEventKind.choices)
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    data = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name = _("événement d'appel")
        verbose_name_plural = _("événements d'appel")
        ordering = ("id",)
        triggers = [
            *call_history("call_event_append_only", data="'{}'::jsonb"),
            touching("call_event_touches"),
        ]

    def __str__(self) -> str:
        return self.kind


class CallAnswer(models.Model):
    """What was answered to a criterion, by which person on the line. Append-only; the last one counts.

    Without criterion: another organisation or person answered, which is a mismatch in itself.
    """

    call = models.ForeignKey(Call, on_delete=models.PROTECT, related_name="answers")
    criterion = models.ForeignKey(
        Criterion, on_delete=models.PROTECT, null=True, blank=True, related_name="answers", db_index=True
    )
    version = models.PositiveIntegerField(default=0)
    result = models.CharField(max_length=8, choices=Result.choices)
    blocking = models.BooleanField(default=True)
    expected = models.CharField(max_length=200, blank=True)
    heard = models.CharField(max_length=500, blank=True)
    answered_by = models.CharField(max_length=10, choices=AnsweredBy.choices, blank=True)
    respondent = models.PositiveSmallIntegerField(default=0)
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )

    class Meta:
        verbose_name = _("réponse")
        verbose_name_plural = _("réponses")
        ordering = ("id",)
        constraints = [
            models.CheckConstraint(condition=Q(result__in=Result.values), name="answer_result_known"),
            models.CheckConstraint(
                condition=Q(criterion__isnull=False) | Q(result=Result.MISMATCH),
                name="answer_names_its_criterion",
            ),
        ]
        triggers = [
            Trigger(
                name="answer_mismatch_is_final",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.result = 'mismatch' AND NEW.blocking"),
                declare=[
                    ("c", "calls_call%ROWTYPE"),
                    ("code", "bigint"),
                    ("prog", "bigint"),
                    ("numbers", "text[]"),
                    ("people", "bigint[]"),
                ],
                func=MISMATCH,
            ),
            Trigger(
                name="answer_judged",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                declare=[("blocks", "boolean"), ("ours", "boolean")],
                func=JUDGE,
            ),
            # `expected` is the name itself when another organisation answers; of a criterion its version keeps it.
            *call_history("answer_append_only", heard="''", expected="''"),
            touching("answer_touches_new"),
            touching("answer_touches_changed", pgtrigger.Update),
        ]

    def __str__(self) -> str:
        return f"{self.criterion_id} {self.result}"


class CallDisposition(models.Model):
    """A disposition given to a call. Append-only: a correction is a new row that names the one it corrects."""

    call = models.ForeignKey(Call, on_delete=models.PROTECT, related_name="dispositions")
    disposition = models.ForeignKey(Disposition, on_delete=models.PROTECT, related_name="+")
    note = models.CharField(max_length=2000, blank=True)
    corrects = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="corrections", db_index=False
    )
    reason = models.CharField(_("motif de la correction"), max_length=500, blank=True)
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )

    class Meta:
        verbose_name = _("qualification d'un appel")
        verbose_name_plural = _("qualifications d'appels")
        ordering = ("id",)
        triggers = [
            Trigger(
                name="disposition_final",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                declare=[("mismatched", "boolean"), ("latest", "bigint"), ("final", "boolean")],
                func=DISPOSITION_FINAL,
            ),
            Trigger(
                name="disposition_effects",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                timing=pgtrigger.Deferred,
                declare=[("was", "record"), ("target", "text"), ("final", "boolean")],
                func=EFFECTS,
            ),
            *call_history("call_disposition_append_only", note="''", reason="''"),
            recording(
                "disposition_recorded_new", "disposition", _DISPOSED.format(created="true"), pgtrigger.Insert
            ),
            recording(
                "disposition_recorded_changed",
                "disposition",
                _DISPOSED.format(created="false"),
                pgtrigger.Update,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.call_id} {self.disposition_id}"


class CallEffect(models.Model):
    """What a call changed elsewhere, and how it was before: provenance, and what a correction undoes."""

    call = models.ForeignKey(Call, on_delete=models.PROTECT, related_name="effects")
    kind = models.CharField(max_length=10, choices=EffectKind.choices)
    exclusion = models.ForeignKey(
        Exclusion, on_delete=models.PROTECT, null=True, blank=True, related_name="effects"
    )
    entry = models.ForeignKey(ListEntry, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    callback = models.ForeignKey(
        "calls.Callback", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    before = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("effet d'un appel")
        verbose_name_plural = _("effets d'appels")
        triggers = append_only("call_effect_append_only")

    def __str__(self) -> str:
        return f"{self.call_id} {self.kind}"
