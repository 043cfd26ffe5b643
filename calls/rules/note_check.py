"""What a note should not keep of a person: insults, sensitive facts, bank data. Pure: the lists are given.

Words are found whole, whatever their accents, case and endings; bank data by its check digits. The French and European
law behind it: GDPR articles 5 and 9, and the CNIL's advice on free comments ("zones de commentaires libres").
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from stdnum import iban, luhn
from stdnum.fr import nir

#: Longest and shortest account number of any country (ISO 13616), and card numbers (ISO/IEC 7812) that are read as
#: such: fourteen digits are a SIRET in France, whose check digit is the same.
IBAN_LENGTHS = range(34, 14, -1)
CARD_LENGTHS = (13, 15, 16, 17, 18, 19)


@dataclass(frozen=True, slots=True)
class WordRule:
    """A list of words: what they tell of (`category`), where they are meant otherwise, and what to write instead.

    A word is found with its feminine and plural. `=mot` is found as it is, `mot*` with any ending, an acronym only in
    capitals. `exceptions` are phrases in which the words mean something else ("bonne foi").
    """

    category: str
    language: str
    words: tuple[str, ...]
    exceptions: tuple[str, ...] = ()
    neutral: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """Words of one category in a text, as they were written, and what could be written instead."""

    category: str
    words: tuple[str, ...]
    neutral: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a text holds: `findings` to decide on, `removed` kinds of number that are never kept.

    `masked` is the text without these numbers, `neutral` the one in which the neutral wordings stand, too.
    """

    findings: tuple[Finding, ...]
    removed: tuple[str, ...]
    masked: str
    neutral: str


#: Kinds of number that are never kept, with the words that stand for them.
IBAN, CARD, RIB, SECURITY_NUMBER, CARD_CODE = "iban", "card", "rib", "nir", "card_code"


def check(
    text: str,
    rules: Sequence[WordRule],
    *,
    known: Iterable[str] = (),
    accepted: str = "",
    masks: dict[str, str] | None = None,
) -> Verdict:
    """Look through a text.

    `known` are names that the call has anyway (of the organisation, of the subject): their words mean nothing of a
    person. What stands in `accepted` already was decided on before. `masks` words each kind of removed number.
    """
    masked, removed = without_numbers(text, masks or {})
    reading = _read(masked)
    passed = {word for name in known for word in re.findall(r"\w+", _read(name).low)}
    before = _read(accepted).low
    # A phrase of one language is meant otherwise in the others, too.
    meant_otherwise: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for rule in rules:
        meant_otherwise[rule.category] += _exempt(rule, reading)
    found: dict[str, list[tuple[int, int]]] = {}
    neutral_of: dict[str, str] = {}
    for rule in rules:
        for start, end in _found(rule, reading):
            written = reading.low[start:end]
            if any(first <= start and end <= last for first, last in meant_otherwise[rule.category]):
                continue
            if set(re.findall(r"\w+", written)) <= passed or _stands(written, before):
                continue
            found.setdefault(rule.category, []).append((start, end))
            neutral_of.setdefault(rule.category, rule.neutral)
    findings = tuple(
        Finding(category, _words(masked, reading, spans), neutral_of[category])
        for category, spans in found.items()
    )
    return Verdict(findings, removed, masked, _neutral(masked, reading, found, neutral_of))


# ---- reading without accents


@dataclass(frozen=True, slots=True)
class _Reading:
    """A text without accents (`plain`), in lower case (`low`), as long as each other; `origin` leads back."""

    plain: str
    low: str
    origin: tuple[int, ...]


_LIGATURES = {"œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE", "’": "'"}


@lru_cache(maxsize=64)
def _read(text: str) -> _Reading:
    plain: list[str] = []
    origin: list[int] = []
    for place, letter in enumerate(text):
        spelled = _LIGATURES.get(letter) or unicodedata.normalize("NFKD", letter)
        for part in spelled:
            if not unicodedata.combining(part):
                plain.append(part)
                origin.append(place)
    low = [letter.lower() if len(letter.lower()) == 1 else letter for letter in plain]
    return _Reading("".join(plain), "".join(low), (*origin, len(text)))


def _words(text: str, reading: _Reading, spans: Sequence[tuple[int, int]]) -> tuple[str, ...]:
    """Return what was written at these places, each once."""
    written = [text[reading.origin[start] : reading.origin[end]] for start, end in spans]
    return tuple(dict.fromkeys(written))


def _stands(word: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) is not None


# ---- words

#: Endings of a French word by that of its masculine: the first that fits.
_FRENCH = (
    ("eux", "(?:eux|euse|euses)"),
    ("eur", "(?:eur|eurs|euse|euses)"),
    ("if", "(?:if|ifs|ive|ives)"),
    ("ien", "(?:ien|iens|ienne|iennes)"),
    ("el", "(?:el|els|elle|elles)"),
    ("al", "(?:al|als|ale|ales|aux)"),
)


def _ending(word: str, language: str) -> str:
    """Return the pattern of a word with its feminine and plural."""
    if not language.startswith("fr"):
        return f"{re.escape(word)}(?:s|es)?"
    for ending, pattern in _FRENCH:
        if word.endswith(ending):
            return re.escape(word[: -len(ending)]) + pattern
    return f"{re.escape(word)}(?:e|s|es)?"


def _pattern(word: str, language: str) -> str:
    """Return the pattern of an entry of a list, over a text in lower case."""
    low = _read(word.strip().lstrip("=").rstrip("*")).low
    *first, last = re.split(r"[\s'-]+", low)
    if word.startswith("="):
        last = re.escape(last)
    elif word.endswith("*"):
        last = rf"{re.escape(last)}\w*"
    else:
        last = _ending(last, language)
    return r"[\s'-]+".join([*map(re.escape, first), last])


def _is_acronym(word: str) -> bool:
    letters = [letter for letter in word if letter.isalpha()]
    return len(letters) > 1 and all(letter.isupper() for letter in letters)


def _whole(patterns: Iterable[str]) -> re.Pattern[str] | None:
    joined = "|".join(sorted(patterns, key=len, reverse=True))
    return re.compile(rf"(?<!\w)(?:{joined})(?!\w)") if joined else None


@lru_cache(maxsize=128)
def _compiled(
    rule: WordRule,
) -> tuple[re.Pattern[str] | None, re.Pattern[str] | None, re.Pattern[str] | None]:
    """Return the patterns of a list: its words, its acronyms, its exceptions."""
    acronyms = [word for word in rule.words if _is_acronym(word)]
    words = [
        _pattern(word, rule.language) for word in rule.words if word.strip("=* ") and not _is_acronym(word)
    ]
    phrases = [_pattern(f"={phrase}", rule.language) for phrase in rule.exceptions if phrase.strip()]
    return _whole(words), _whole(re.escape(_read(word).plain) for word in acronyms), _whole(phrases)


def _found(rule: WordRule, reading: _Reading) -> Iterator[tuple[int, int]]:
    """Yield where words of a list stand."""
    words, acronyms, _phrases = _compiled(rule)
    places = [match.span() for match in words.finditer(reading.low)] if words else []
    places += [match.span() for match in acronyms.finditer(reading.plain)] if acronyms else []
    yield from sorted(places)


def _exempt(rule: WordRule, reading: _Reading) -> list[tuple[int, int]]:
    """Return where phrases of a list stand in which its words mean something else."""
    phrases = _compiled(rule)[2]
    return [match.span() for match in phrases.finditer(reading.low)] if phrases else []


# ---- the neutral wording

_CLAUSE = re.compile(r"[^.!?;,\n]+")


def _neutral(
    text: str, reading: _Reading, found: dict[str, list[tuple[int, int]]], wordings: dict[str, str]
) -> str:
    """Return the text with each clause that holds a found word replaced by the neutral wording of its category.

    A clause, since a word taken out of one leaves what cannot be read.
    """
    places = [(reading.origin[start], category) for category, spans in found.items() for start, _end in spans]
    said: set[str] = set()
    parts: list[str] = []
    last = 0
    for clause in _CLAUSE.finditer(text):
        held = next((category for place, category in places if clause.start() <= place < clause.end()), None)
        if held is None:
            continue
        wording = wordings[held]
        parts.append(text[last : clause.start()])
        if wording and wording not in said:
            parts.append(_in_the_place_of(clause[0], wording))
        said.add(wording)
        last = clause.end()
    parts.append(text[last:])
    return _tidy("".join(parts))


def _in_the_place_of(clause: str, wording: str) -> str:
    before = clause[: len(clause) - len(clause.lstrip())]
    starts = clause.lstrip()[:1]
    return before + (wording[:1].upper() + wording[1:] if starts.isupper() else wording)


def _tidy(text: str) -> str:
    """Take away the punctuation that stood between two clauses of which one is gone."""
    text = re.sub(r"([.!?;,])(?:\s*[.!?;,])+", r"\1", text)
    text = re.sub(r"[ \t]+([.,])", r"\1", text)
    return text.strip().lstrip(".,;!? ").strip()


# ---- numbers that are never kept


def without_numbers(text: str, masks: dict[str, str]) -> tuple[str, tuple[str, ...]]:
    """Return the text with account, card and social security numbers masked, and the kinds that were there."""
    places = sorted(_numbers(text))
    parts: list[str] = []
    removed: list[str] = []
    last = 0
    for start, end, kind in places:
        if start < last:
            continue
        parts += [text[last:start], masks.get(kind, f"[{kind}]")]
        removed.append(kind)
        last = end
    return "".join([*parts, text[last:]]), tuple(dict.fromkeys(removed))


def _numbers(text: str) -> Iterator[tuple[int, int, str]]:
    for match in re.finditer(r"(?<![^\W_])[A-Za-z]{2}[ .-]?\d[ .-]?\d", text):
        if (end := _account_end(text, match.start())) is not None:
            yield match.start(), end, IBAN
    yield from _checked(text, r"(?<![\w+])\d(?:[ .-]?\d){12,18}(?!\w)", _is_card, CARD)
    yield from _checked(text, r"(?<!\w)[1-478](?:[ .-]?[0-9ABab]){14}(?!\w)", nir.is_valid, SECURITY_NUMBER)
    yield from _checked(
        text, r"(?<!\w)\d(?:[ .-]?\d){9}(?:[ .-]?[0-9A-Za-z]){11}(?:[ .-]?\d){2}(?!\w)", _is_rib, RIB
    )
    for match in re.finditer(r"(?i)\b(?:cvv|cvc|cryptogramme)\b\D{0,12}(\d{3,4})(?!\d)", text):
        yield match.start(1), match.end(1), CARD_CODE


def _checked(text: str, pattern: str, is_valid: object, kind: str) -> Iterator[tuple[int, int, str]]:
    assert callable(is_valid)
    for match in re.finditer(pattern, text):
        if is_valid(_compact(match[0])):
            yield match.start(), match.end(), kind


def _compact(number: str) -> str:
    return re.sub(r"[\s.-]", "", number).upper()


def _account_end(text: str, start: int) -> int | None:
    """Return where the account number that starts here ends, or None; words may follow it without a mark."""
    letters = [
        (place, letter) for place, letter in enumerate(text[start : start + 60], start) if letter.isalnum()
    ]
    gaps = re.compile(r"[ .-]?")
    run = [letters[0]]
    for (before, _one), (place, letter) in pairwise(letters):
        if not gaps.fullmatch(text[before + 1 : place]):
            break
        run.append((place, letter))
    for length in IBAN_LENGTHS:
        if len(run) >= length and iban.is_valid("".join(letter for _place, letter in run[:length])):
            return run[length - 1][0] + 1
    return None


def _is_card(digits: str) -> bool:
    """Whether digits are a bank card's: a network that issues such cards, and the check digit."""
    return len(digits) in CARD_LENGTHS and digits[0] in "23456" and bool(luhn.is_valid(digits))


_RIB_LETTERS = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "12345678912345678923456789")


def _is_rib(number: str) -> bool:
    """Whether 23 characters are a French account number: bank, branch, account and key (Comité français d'organisation
    et de normalisation bancaires)."""
    digits = number.translate(_RIB_LETTERS)
    if len(digits) != 23 or not digits.isdecimal():
        return False
    bank, branch, account, key = (
        int(part) for part in (digits[:5], digits[5:10], digits[10:21], digits[21:])
    )
    return key == 97 - (89 * bank + 15 * branch + 3 * account) % 97
