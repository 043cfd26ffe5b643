"""The lists of words that notes are checked for: delivered, and edited by managers."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from calls.models import WordList
from calls.rules.word_lists import WORD_LISTS, DeliveredList
from calls.selectors.word_lists import entries_of
from calls.services.errors import Invalid
from calls.services.held import require_manager
from crm.models import User

#: Columns that a manager fills.
LIST_FIELDS = ("words", "exceptions", "neutral", "active")


def load_word_lists(*, model: type[Any] = WordList) -> int:
    """Bring the delivered lists up to date; return how many were added or renewed.

    One that somebody edited is left as it is, so that it can be run at any time. A migration gives its own model.
    """
    return sum(_load(delivered, model) for delivered in WORD_LISTS)


def _load(delivered: DeliveredList, model: type[Any]) -> bool:
    columns = {
        "words": lines_of(delivered.words),
        "exceptions": lines_of(delivered.exceptions),
        "neutral": delivered.neutral,
    }
    row, created = model.objects.get_or_create(
        category=str(delivered.category), language=delivered.language, defaults=columns
    )
    if (
        created
        or row.edited_at is not None
        or all(getattr(row, name) == told for name, told in columns.items())
    ):
        return bool(created)
    model.objects.filter(pk=row.pk).update(**columns)
    return True


def lines_of(text: str) -> str:
    """Return entries separated by commas, a line each."""
    return "\n".join(entry.strip() for entry in text.split(",") if entry.strip())


@transaction.atomic
def edit_word_list(*, word_list: WordList, data: Mapping[str, Any], by: User, at: datetime) -> WordList:
    """Store what a manager made of a list (`LIST_FIELDS`), its entries tidied. What stays the same writes nothing.

    Raises Forbidden for anybody else, Invalid for an entry that nothing could match.
    """
    require_manager(by)
    current = WordList.objects.select_for_update().get(pk=word_list.pk)
    told = {name: data[name] for name in LIST_FIELDS if name in data}
    for name in ("words", "exceptions"):
        if name in told:
            told[name] = "\n".join(_entries(name, str(told[name])))
    if "neutral" in told:
        told["neutral"] = " ".join(str(told["neutral"]).split())[:120]
    if all(getattr(current, name) == value for name, value in told.items()):
        return current
    for name, value in told.items():
        setattr(current, name, value)
    current.edited_at, current.edited_by = at, by
    current.save()
    return current


def _entries(field: str, text: str) -> tuple[str, ...]:
    found = entries_of(text)
    for entry in found:
        if len([letter for letter in entry if letter.isalnum()]) < 2:
            raise Invalid.field(
                field, _("Deux lettres au moins par entrée : « %(entry)s ».") % {"entry": entry}
            )
        if len(entry) > 80:
            raise Invalid.field(field, _("Cette entrée est trop longue : une par ligne."))
    return found
