"""Where the details of a call's person come from, in words to say or write in their language."""

from django.utils.formats import date_format
from django.utils.translation import override

from calls.models import Call
from calls.rules.origin import Origin, origin_sentence
from campaigns.rules.texts import NEUTRAL


def origin_of(call: Call, language: str = "", *, written: bool = False) -> str:
    """Return the sentence that tells where the number comes from, in `language` or in the one of the call.

    `written`: as it is read in a message.
    """
    code = language_of_origin(call, language)
    if call.prospect is None:
        return origin_sentence(Origin(), code, written=written)
    source = call.prospect.source
    with override(code):
        obtained = date_format(source.obtained_at, "j F Y") if source.obtained_at else ""
    # The source is named in the campaign's language: "from l'annuaire" cannot be said.
    same = code == call.campaign.language[:2].lower()
    spoken = source.spoken_origin if same or not source.spoken_origin else NEUTRAL[code]["origin"]
    return origin_sentence(Origin(spoken, obtained, source.rights_contact), code, written=written)


def language_of_origin(call: Call, language: str = "") -> str:
    """Return the language of that sentence: "en" where it is asked for or spoken on the call, else "fr"."""
    return "en" if (language or _spoken(call))[:2].lower() == "en" else "fr"


def _spoken(call: Call) -> str:
    return (call.prospect.language if call.prospect else "") or call.language or call.campaign.language
