"""The end of every follow-up: who writes and for whom, where the address comes from, how to object.

The law behind it: GDPR articles 14 and 21, French code of posts and electronic communications, article L34-5.
"""

_WORDS = {
    "fr": (
        "{agent}, pour {sponsor}",
        "Vous ne voulez plus recevoir de message de {sponsor} ? Répondez « stop » à cet e-mail{contact}.",
        ", ou écrivez à {contact}",
    ),
    "en": (
        "{agent}, on behalf of {sponsor}",
        "You do not wish to hear from {sponsor} any more? Reply “stop” to this e-mail{contact}.",
        ", or write to {contact}",
    ),
}


def signed(body: str, language: str, *, agent: str, sponsor: str, origin: str, contact: str) -> str:
    """Return the text of a message with its signature. `origin` is a whole sentence, `contact` may be empty."""
    name, stop, also = _WORDS.get(language[:2].lower(), _WORDS["fr"])
    contact = " ".join(contact.split()).rstrip(".")
    end = stop.format(sponsor=sponsor, contact=also.format(contact=contact) if contact else "")
    return "\n".join(
        [body.strip(), "", "-- ", name.format(agent=agent, sponsor=sponsor), "", origin, end, ""]
    )
