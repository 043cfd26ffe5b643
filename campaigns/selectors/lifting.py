"""What lifting an exclusion would touch, counted before it is done."""

from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from campaigns.models import Exclusion
from campaigns.rules.consequences import Line, Touched, kept
from campaigns.selectors.exclusions import exclusions_seen_by, others_on_number
from campaigns.selectors.judged import contradicted
from crm.models import User

# What another active bar in the same place covers stays closed; each number of the record is looked at.
FREED = """
WITH closed AS (
    SELECT e.id, e.prospect_id, e.campaign_id, g.programme_id, p.sponsor_id
      FROM campaigns_listentry e JOIN campaigns_campaign g ON g.id = e.campaign_id
      JOIN campaigns_programme p ON p.id = g.programme_id
     WHERE e.excluded_by_id = %(lifted)s AND e.state = 'excluded'
)
SELECT c.id, c.prospect_id, c.programme_id, EXISTS (
    SELECT FROM crm_prospectnumber n
     WHERE n.prospect_id = c.prospect_id AND n.kind NOT IN ('premium', 'fax', 'short') AND n.validity <> 'invalid'
       AND NOT EXISTS (
        SELECT FROM campaigns_exclusion x
         WHERE (x.number = n.number OR x.prospect_id = c.prospect_id)
           AND x.id <> %(lifted)s AND x.lifted_at IS NULL AND (x.until IS NULL OR x.until > clock_timestamp())
           AND (x.scope = 'everywhere' OR (x.scope = 'campaign' AND x.campaign_id = c.campaign_id)
                OR (x.scope = 'programme' AND x.programme_id = c.programme_id)
                OR (x.scope = 'sponsor' AND x.sponsor_id = c.sponsor_id))))
  FROM closed c
"""


def lift_touched(exclusion: Exclusion, *, user: User) -> Touched:
    """Tell what lifting an exclusion would do: who comes back, and what still holds the others."""
    with connection.cursor() as cursor:
        cursor.execute(FREED, {"lifted": exclusion.pk})
        rows = cursor.fetchall()
    free = {(prospect, programme) for _id, prospect, programme, is_free in rows if is_free}
    out = contradicted(free)
    back = sum(is_free and (prospect, programme) not in out for _id, prospect, programme, is_free in rows)
    screened = sum(is_free and (prospect, programme) in out for _id, prospect, programme, is_free in rows)
    barred = sum(not is_free for *_row, is_free in rows)
    others = other_bars(exclusion, user)
    number = exclusion.number or ""
    prospects_url = f"{reverse('prospect-list')}?{urlencode({'q': number})}" if number else ""
    bars_url = f"{reverse('exclusion-list')}?{urlencode({'q': number})}" if number else ""
    lines = [
        Line("reopened", back, url=_closed_url(exclusion), tone="care"),
        Line("to_screen", screened),
        Line("still_barred", barred, url=bars_url),
        Line("other_bars", others.count(), url=bars_url),
        Line("carrying", others_on_number(user, exclusion), url=prospects_url, tone="care"),
    ]
    return Touched(kept(lines), _("L'exclusion reste dans l'historique, avec qui l'a levée et pourquoi."))


def _closed_url(exclusion: Exclusion) -> str:
    if exclusion.prospect_id:
        return reverse("prospect", args=[exclusion.prospect_id])
    return f"{reverse('prospect-list')}?{urlencode({'q': exclusion.number or ''})}"


def other_bars(exclusion: Exclusion, user: User) -> QuerySet[Exclusion]:
    """Return the other bars in force, inside the user's walls, on the same number or record."""
    same = Q(pk__in=[])
    if exclusion.number:
        same |= Q(number=exclusion.number)
    if exclusion.prospect_id:
        same |= Q(prospect=exclusion.prospect_id)
    in_force = Q(until__isnull=True) | Q(until__gt=Now())
    seen = exclusions_seen_by(user).filter(same, in_force, lifted_at__isnull=True)
    return seen.exclude(pk=exclusion.pk)


def exclusion_details(exclusion: Exclusion) -> list[tuple[str, str, str]]:
    """Return what a bar forbids and where it came from, as (label, "", words)."""
    call = _("appel n° %(ref)s") % {"ref": exclusion.call_ref} if exclusion.call_ref else ""
    listed = _("import n° %(ref)s") % {"ref": exclusion.import_ref} if exclusion.import_ref else ""
    place = exclusion.campaign or exclusion.programme or exclusion.sponsor
    rows = (
        (_("Motif"), exclusion.get_reason_display()),
        (_("Portée"), f"{exclusion.get_scope_display()}{f' ({place})' if place else ''}"),
        (_("Depuis"), date_format(timezone.localtime(exclusion.since), "SHORT_DATETIME_FORMAT")),
        (_("Vient de"), call or listed),
    )
    return [(str(label), "", str(words)) for label, words in rows if words]
