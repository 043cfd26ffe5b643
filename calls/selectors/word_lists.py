"""The lists of words that notes are checked for."""

from functools import lru_cache

from django.db.models import QuerySet

from calls.models import WordList
from calls.rules.note_check import WordRule
from crm.selectors.composed import ask


def word_rules() -> list[WordRule]:
    """Return the lists that are in use, insults first. One query."""
    return [_rule(*row) for row in ask(_in_use)]


def _in_use() -> QuerySet[WordList, tuple[str, ...]]:
    rows = WordList.objects.filter(active=True).order_by("pk")
    return rows.values_list("category", "language", "words", "exceptions", "neutral")


@lru_cache(maxsize=64)
def _rule(category: str, language: str, words: str, exceptions: str, neutral: str) -> WordRule:
    return WordRule(category, language, entries_of(words), entries_of(exceptions), neutral)


def entries_of(text: str) -> tuple[str, ...]:
    """Return the entries of a list: one a line, without blanks, each once."""
    return tuple(dict.fromkeys(entry for line in text.splitlines() if (entry := " ".join(line.split()))))


def word_lists() -> list[WordList]:
    """Return every list, in its order, with who edited it."""
    return list(WordList.objects.select_related("edited_by").order_by("pk"))
