"""What a change will touch, as lines of a page: a count, what becomes of those, and where they can be seen."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext


@dataclass(frozen=True, slots=True)
class Line:
    """One consequence. `before`: the same count as it stands now; `url`: the page of those records, "" when none.

    `tone` is "" for a plain fact, else what it asks of the reader: care, danger or done.
    """

    code: str
    count: int
    before: int | None = None
    url: str = ""
    tone: str = ""

    @property
    def text(self) -> str:
        """Return what becomes of them, without the count."""
        return words(self.code, self.count)


@dataclass(frozen=True, slots=True)
class Touched:
    """All that a change touches, in the order of the page, and what it leaves alone, in sentences.

    `estimated`: the counts stand for a part of the records that was looked at, so a zero may still be a few.
    """

    lines: tuple[Line, ...]
    note: str = ""
    estimated: bool = False

    @property
    def counts(self) -> dict[str, int]:
        """Return the counts by code, without those that are zero."""
        return {line.code: line.count for line in self.lines if line.count}

    def linked(self, url: Callable[[str], str]) -> "Touched":
        """Return it with the address that `url` gives for each code that has none."""
        lines = (
            line if line.url or not line.count else replace(line, url=url(line.code)) for line in self.lines
        )
        return replace(self, lines=tuple(lines))


def kept(lines: Iterable[Line], *, always: str = "") -> tuple[Line, ...]:
    """Return the lines that say something: those with a count, now or then, and the one whose zero is an answer."""
    return tuple(line for line in lines if line.count or line.before or line.code == always)


def words(code: str, n: int) -> str:
    """Return a consequence as words that follow its count; "" for a code of a later version."""
    known = {
        "matching": ngettext("fiche remplit ce critère", "fiches remplissent ce critère", n),
        "contradicting": ngettext("fiche le contredit", "fiches le contredisent", n),
        "unknown": ngettext("fiche inconnue : à demander", "fiches inconnues : à demander", n),
        "screened_out": ngettext(
            "fiche en attente devient hors-critères sur papier",
            "fiches en attente deviennent hors-critères sur papier",
            n,
        ),
        "callbacks_closed": ngettext(
            "rappel promis est fermé avec sa fiche", "rappels promis sont fermés avec leurs fiches", n
        ),
        "reopened": ngettext("fiche redevient appelable", "fiches redeviennent appelables", n),
        "reopened_done": ngettext(
            "fiche terminée redevient appelable", "fiches terminées redeviennent appelables", n
        ),
        "still_barred": ngettext(
            "fiche reste fermée par une autre exclusion", "fiches restent fermées par une autre exclusion", n
        ),
        "barred": ngettext(
            "fiche reste fermée par une exclusion", "fiches restent fermées par une exclusion", n
        ),
        "to_screen": ngettext(
            "fiche devient hors-critères sur papier", "fiches deviennent hors-critères sur papier", n
        ),
        "without_number": ngettext(
            "fiche reste épuisée : aucun numéro à composer",
            "fiches restent épuisées : aucun numéro à composer",
            n,
        ),
        "capped": ngettext(
            "fiche attend que ses appels vieillissent (plafond sur 30 jours)",
            "fiches attendent que leurs appels vieillissent (plafond sur 30 jours)",
            n,
        ),
        "callable": ngettext("fiche appelable maintenant", "fiches appelables maintenant", n),
        "callbacks_outside": ngettext(
            "rappel tombe hors des horaires : il attendra l'ouverture suivante",
            "rappels tombent hors des horaires : ils attendront l'ouverture suivante",
            n,
        ),
        "exact_kept": ngettext(
            "rappel à heure convenue reste à son heure", "rappels à heure convenue restent à leur heure", n
        ),
        "never_open": ngettext(
            "fiche n'est jamais dans les horaires", "fiches ne sont jamais dans les horaires", n
        ),
        "waiting": ngettext(
            "fiche en attente n'est plus servie", "fiches en attente ne sont plus servies", n
        ),
        "served": ngettext("fiche en attente peut être servie", "fiches en attente peuvent être servies", n),
        "callbacks": ngettext("rappel promis ne bouge pas", "rappels promis ne bougent pas", n),
        "callbacks_due": ngettext(
            "rappel promis dans les 24 heures ne sera pas servi",
            "rappels promis dans les 24 heures ne seront pas servis",
            n,
        ),
        "callbacks_lost": ngettext(
            "rappel promis ne sera jamais servi", "rappels promis ne seront jamais servis", n
        ),
        "open_calls": ngettext(
            "appel en cours ira normalement à sa fin", "appels en cours iront normalement à leur fin", n
        ),
        "asked_now": ngettext(
            "appel en cours suit la nouvelle version dès l'écran suivant",
            "appels en cours suivent la nouvelle version dès l'écran suivant",
            n,
        ),
        "bars": ngettext(
            "exclusion hors-critères née d'un appel reste en vigueur",
            "exclusions hors-critères nées d'appels restent en vigueur",
            n,
        ),
        "out_of_criteria": ngettext(
            "fiche hors-critères ne bouge pas", "fiches hors-critères ne bougent pas", n
        ),
        "excluded": ngettext("fiche exclue ne bouge pas", "fiches exclues ne bougent pas", n),
        "calls": ngettext(
            "appel a déjà reçu cette qualification", "appels ont déjà reçu cette qualification", n
        ),
        "retries": ngettext(
            "fiche attend déjà sa nouvelle tentative : son heure ne change pas",
            "fiches attendent déjà leur nouvelle tentative : leur heure ne change pas",
            n,
        ),
        "done_by_it": ngettext("fiche terminée par elle le reste", "fiches terminées par elle le restent", n),
        "bars_by_it": ngettext(
            "exclusion qu'elle a faite reste en vigueur", "exclusions qu'elle a faites restent en vigueur", n
        ),
        "carrying": ngettext(
            "fiche porte ce numéro : cette exclusion-ci ne l'y retient plus",
            "fiches portent ce numéro : cette exclusion-ci ne les y retient plus",
            n,
        ),
        "other_bars": ngettext(
            "autre exclusion en vigueur vise ce numéro ou cette fiche",
            "autres exclusions en vigueur visent ce numéro ou cette fiche",
            n,
        ),
        "removed": ngettext("fiche sort de la liste", "fiches sortent de la liste", n),
        "removed_callbacks": ngettext(
            "rappel promis est perdu avec sa fiche", "rappels promis sont perdus avec leurs fiches", n
        ),
        "kept_done": ngettext(
            "fiche déjà appelée reste dans la liste, terminée",
            "fiches déjà appelées restent dans la liste, terminées",
            n,
        ),
        "kept_claimed": ngettext(
            "fiche est chez un agent : elle reste", "fiches sont chez des agents : elles restent", n
        ),
        "exclusions": ngettext("exclusion levée", "exclusions levées", n),
    }
    return known.get(code, "")


def counted_words(code: str, n: int) -> str:
    """Return a count and its words: "41 fiches redeviennent appelables"."""
    text = words(code, n)
    return _("%(n)s %(words)s") % {"n": number_format(n), "words": text} if text else ""
