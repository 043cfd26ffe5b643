"""Reading a JSON body: bounded in size and depth, and without the characters that PostgreSQL cannot store."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import IO, Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.parsers import BaseParser

from crm.api.problems import TooLarge

MAX_BODY = 8 * 1024 * 1024
# Deeper than any shape of the contract; beyond, Python's own recursion would be the limit.
MAX_DEPTH = 20
#: Escapes that may spell NUL or half a surrogate pair; the text itself is looked at only when one is there.
SUSPECT = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class RepeatedName(Exception):
    """An object of JSON has two values under one name."""


class StrictJSONParser(BaseParser):
    """Parse UTF-8 JSON; refuse what is malformed, larger than `max_body`, deeper than 20, names a field twice, or holds
    NUL or lone surrogates.

    The raw bytes are kept on the request as `raw_body`, for the fingerprint of an idempotent request.
    """

    media_type = "application/json"
    #: Bytes of a body. An address that takes larger ones has a parser of its own.
    max_body = MAX_BODY

    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Any = None) -> Any:
        """Return the parsed body; an empty body is an empty object."""
        if parser_context and "request" in parser_context:
            _require_plain(parser_context["request"])
        raw = stream.read(self.max_body + 1)
        if len(raw) > self.max_body:
            raise TooLarge
        if parser_context and "request" in parser_context:
            parser_context["request"].raw_body = raw
        if not raw.strip():
            return {}
        try:
            data = json.loads(
                raw.decode(), parse_constant=_no_constant, parse_float=_finite, object_pairs_hook=_each_once
            )
        except RepeatedName as error:
            raise ParseError(_("Ce JSON nomme deux fois le champ « %(name)s ».") % {"name": error}) from error
        except json.JSONDecodeError as error:
            place = {"line": error.lineno, "column": error.colno}
            raise ParseError(
                _("Ce n'est pas du JSON valide : ligne %(line)d, colonne %(column)d.") % place
            ) from error
        except (ValueError, RecursionError) as error:
            raise ParseError(_("Ce n'est pas du JSON valide (UTF-8).")) from error
        if any(depth > MAX_DEPTH for depth, _text in _texts(data)):
            raise ParseError(_("Ce JSON est trop imbriqué."))
        if SUSPECT.search(raw) and not all(is_storable(text) for _depth, text in _texts(data)):
            raise ParseError(_("Ce JSON contient un caractère nul ou incomplet."))
        return data


def _require_plain(request: HttpRequest) -> None:
    """Refuse a compressed body by its name: read as it is, it would only be "not JSON"."""
    coding = request.META.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    if coding not in ("", "identity"):
        text = _("Le corps est compressé (`Content-Encoding: %(coding)s`) : envoyez-le tel quel.")
        raise UnsupportedMediaType(coding, detail=text % {"coding": coding[:40]})


def is_storable(text: str) -> bool:
    """Whether PostgreSQL can store the text: no NUL, no half of a surrogate pair."""
    return UNSTORABLE.search(text) is None


def _texts(data: Any) -> Iterator[tuple[int, str]]:
    """Yield every text of a JSON value with its depth, and an empty text per container, without recursion."""
    waiting = [(1, data)]
    while waiting:
        depth, value = waiting.pop()
        if isinstance(value, str):
            yield depth, value
        elif isinstance(value, dict):
            yield depth, ""
            waiting.extend((depth + 1, item) for pair in value.items() for item in pair)
        elif isinstance(value, list):
            yield depth, ""
            waiting.extend((depth + 1, item) for item in value)


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; of two values under one name nobody can say which was meant."""
    found = dict(pairs)
    if len(found) < len(pairs):
        ((name, _times),) = Counter(name for name, _value in pairs).most_common(1)
        raise RepeatedName(UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", name[:60]))
    return found


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(text)
    return number
