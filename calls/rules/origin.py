"""« Qui vous a donné mon numéro ? »: where a person's details come from, to say aloud in their language.

The law behind it: GDPR article 14 (the source, and from whom rights are asked) and article 12 (an answer within a
month).
"""

from dataclasses import dataclass

#: Sentences by language: a phrase as the source gives it ("l'annuaire public"), a date, whom to ask, nothing known.
_SENTENCES = {
    "fr": {
        "from": "Nous avons eu vos coordonnées par {origin}{date}.",
        "date": ", le {date}",
        "dated": "Nous avons eu vos coordonnées le {date}.",
        "ask": "Pour consulter, corriger ou faire supprimer vos données, adressez-vous à {contact}.",
        "ask_us": "Si vous voulez consulter, corriger ou faire supprimer vos données, dites-le-moi : je le transmets.",
        "write_us": "Pour consulter, corriger ou faire supprimer vos données, répondez à ce message.",
        "unknown": "Je n'ai pas l'origine de vos coordonnées sous les yeux. Je transmets votre question, "
        "et vous aurez une réponse sous un mois.",
    },
    "en": {
        "from": "We got your details from {origin}{date}.",
        "date": ", on {date}",
        "dated": "We got your details on {date}.",
        "ask": "To see, correct or delete your data, please contact {contact}.",
        "ask_us": "If you wish to see, correct or delete your data, just tell me and I will pass it on.",
        "write_us": "To see, correct or delete your data, reply to this message.",
        "unknown": "I cannot see here where your details come from. I will pass your question on, "
        "and you will have an answer within a month.",
    },
}


@dataclass(frozen=True, slots=True)
class Origin:
    """What a source says of itself: how it is named aloud, when it was obtained (in words), whom to ask."""

    spoken: str = ""
    obtained: str = ""
    contact: str = ""


def origin_sentence(origin: Origin, language: str, *, written: bool = False) -> str:
    """Return what an agent says when asked where the number comes from. A source without words has its sentence, too.

    A phrase ("l'annuaire public") is put into a sentence; a sentence ("Vous étiez au salon.") stands as it is.
    `written`: it is read in a message that can be answered, where a source without words says nothing of itself.
    """
    words = _SENTENCES.get(language[:2].lower(), _SENTENCES["fr"])
    spoken = " ".join(origin.spoken.split())
    parts = []
    if not spoken and not written:
        parts.append(words["unknown"])
    elif spoken and spoken[0].isupper():
        parts.append(spoken if spoken.endswith((".", "!", "?")) else f"{spoken}.")
        if origin.obtained:
            parts.append(words["dated"].format(date=origin.obtained))
    elif spoken:
        date = words["date"].format(date=origin.obtained) if origin.obtained else ""
        parts.append(words["from"].format(origin=spoken.rstrip("."), date=date))
    contact = " ".join(origin.contact.split()).rstrip(".")
    if contact:
        parts.append(words["ask"].format(contact=contact))
    elif written:
        parts.append(words["write_us"])
    elif spoken:
        parts.append(words["ask_us"])
    return " ".join(parts)
