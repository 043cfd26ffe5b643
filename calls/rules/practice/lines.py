"""The simulated prospects: what each says, and what calms it. Their lines are our own."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Exercise:
    """A simulated prospect.

    `situation` is the code of its playbook and `entry` the number of the stage that opens at what is heard; both empty
    for a call that needs none, whose `closing` (a `campaigns.enums.ClosingKind`) is due at once. `opening` is what is
    heard first, `goes_on` what is heard as long as it did not help, `calm` once it did: after `patience` stages, never
    where that is 0. Lines are pairs, in French and in English.
    """

    code: str
    opening: tuple[str, str]
    goes_on: tuple[str, str] = ("", "")
    calm: tuple[str, str] = ("", "")
    patience: int = 1
    situation: str = ""
    entry: int = 1
    closing: str = "ordinary"
    title: tuple[str, str] = ("", "")


def _met(situation: str, entry: int, patience: int, *lines: str) -> Exercise:
    """Return an exercise of a situation: its opening, what goes on, what is said once calm; each French, English."""
    opening, goes_on, calm = lines[:2], lines[2:4], lines[4:6]
    return Exercise(
        f"{situation}-{entry}",
        (opening[0], opening[1]),
        (goes_on[0], goes_on[1]) if goes_on else ("", ""),
        (calm[0], calm[1]) if calm else ("", ""),
        patience,
        situation,
        entry,
    )


_ABUSE: tuple[Exercise, ...] = (
    _met(
        "racist",
        1,
        2,
        "Vous parlez bien français, pour quelqu'un d'ici ou d'ailleurs…",
        "You speak our language well, for somebody from here or elsewhere…",
        "Oh, c'était gentil, ce que je disais.",
        "Oh, I meant it kindly.",
        "Bon, passons. Posez votre question.",
        "Well, never mind. Ask your question.",
    ),
    _met(
        "racist",
        2,
        2,
        "Je plaisante, mais avec un accent pareil, vous devez appeler de loin.",
        "Only joking, but with an accent like that you must be calling from far away.",
        "On ne peut plus rire, alors.",
        "So one may not laugh any more.",
        "Vous avez raison, excusez-moi. Je vous écoute.",
        "You are right, I apologise. Go on.",
    ),
    _met(
        "racist",
        4,
        0,
        "Passez-moi quelqu'un d'ici, je ne parle pas aux gens comme vous.",
        "Put somebody from here on, I do not talk to people like you.",
        "Je dis ce que je pense des gens de votre espèce.",
        "I say what I think of your kind.",
    ),
    _met(
        "sexist",
        1,
        1,
        "Ah, une voix pareille, ça ne s'occupe pas de chiffres, d'habitude.",
        "With a voice like that one does not usually deal with figures.",
        "Je taquine.",
        "I am teasing.",
        "Bon, allez-y.",
        "All right, go on.",
    ),
    _met(
        "sexist",
        2,
        2,
        "Dites-moi, mon petit cœur, vous êtes comment, de l'autre côté du fil ?",
        "Tell me, sweetheart, what do you look like at the other end?",
        "Ne soyez pas si froide, trésor.",
        "Do not be so cold, darling.",
        "D'accord, je m'arrête là. Votre question ?",
        "All right, I will stop. Your question?",
    ),
    _met(
        "sexist",
        3,
        0,
        "Ces choses-là, c'est une affaire d'hommes. Passez-m'en un.",
        "This is men's business. Put one on.",
        "Je n'ai pas de temps à perdre avec vous, ma petite.",
        "I have no time to waste on you, my dear.",
    ),
    _met(
        "flirting",
        1,
        1,
        "Quelle jolie voix vous avez.",
        "What a lovely voice you have.",
        "Je le pense vraiment.",
        "I do mean it.",
        "Bien, je vous écoute.",
        "Well, I am listening.",
    ),
    _met(
        "flirting",
        2,
        2,
        "Vous finissez à quelle heure ? On pourrait prendre un verre.",
        "When do you finish? We could have a drink.",
        "Vous n'êtes pas drôle.",
        "You are no fun.",
        "Bon, revenons à votre enquête.",
        "Well, back to your survey.",
    ),
    _met(
        "flirting",
        4,
        0,
        "Dites-moi ce que vous portez, ou je rappelle jusqu'à ce que vous répondiez.",
        "Tell me what you are wearing, or I will call until you answer.",
        "Je sais que cela vous plaît.",
        "I know that you like it.",
    ),
    _met(
        "troll",
        1,
        0,
        "Et si on parlait plutôt de la recette des crêpes ?",
        "Shall we talk about pancakes instead?",
        "La la la, je n'entends rien.",
        "La la la, I cannot hear you.",
    ),
    _met(
        "troll",
        2,
        0,
        "J'ai une question : vous avez déjà vu une vache rire ?",
        "I have a question: have you ever seen a cow laugh?",
        "Allez, riez un peu.",
        "Come on, have a laugh.",
    ),
    _met(
        "aggressive",
        1,
        1,
        "Encore vous. Vous ne pouvez pas laisser les gens tranquilles, à la fin.",
        "You again. Can you not leave people in peace.",
        "Cela fait trois fois cette semaine.",
        "That makes three times this week.",
        "Bon. Dites vite ce que vous voulez.",
        "Well. Say quickly what you want.",
    ),
    _met(
        "aggressive",
        2,
        1,
        "Vous êtes des incapables, tous autant que vous êtes.",
        "You are useless, all of you.",
        "Incapables, voilà.",
        "Useless, I say.",
        "Je m'emporte, pardon. C'est la journée.",
        "I got carried away, sorry. It is one of those days.",
    ),
    _met(
        "aggressive",
        3,
        0,
        "Je sais où vous trouver, et vous allez le regretter.",
        "I know where to find you, and you will regret it.",
        "Vous verrez bien.",
        "You will see.",
    ),
)

_CARE: tuple[Exercise, ...] = (
    _met(
        "suicidal",
        1,
        3,
        "De toute façon, bientôt, je ne serai plus là pour répondre.",
        "Anyway, soon I will not be there to answer.",
        "Je n'en peux plus, c'est tout.",
        "I cannot go on, that is all.",
        "Merci de m'avoir écouté. Je vais appeler ma sœur.",
        "Thank you for listening. I will call my sister.",
    ),
    _met(
        "suicidal",
        4,
        1,
        "J'ai tout préparé. C'est pour maintenant.",
        "I have everything ready. It is now.",
        "Je ne sais plus.",
        "I no longer know.",
        "On sonne à la porte. Je crois que ce sont les secours.",
        "Somebody is at the door. I think it is the help.",
    ),
    _met(
        "vulnerable",
        1,
        2,
        "Oui, oui, comme vous voulez. Je signe où ?",
        "Yes, yes, as you like. Where do I sign?",
        "Qu'est-ce que vous disiez, déjà ?",
        "What were you saying?",
        "Ma fille passe ce soir, je lui en parlerai.",
        "My daughter comes tonight, I will speak to her.",
    ),
    _met(
        "minor",
        1,
        1,
        "Allô ? C'est Tom. Papa est dans le jardin.",
        "Hello? This is Tom. Dad is in the garden.",
        "Je peux répondre, moi.",
        "I can answer, too.",
        "Je l'appelle. Ah, il dit de rappeler.",
        "I will call him. Oh, he says to call later.",
    ),
    _met(
        "minor",
        2,
        1,
        "Il n'y a que moi, j'ai dix ans.",
        "I am alone, I am ten.",
        "Vous voulez savoir quoi ?",
        "What do you want to know?",
        "D'accord, au revoir.",
        "All right, goodbye.",
    ),
    _met(
        "bereavement",
        1,
        2,
        "Mon mari est mort il y a trois semaines.",
        "My husband died three weeks ago.",
        "Il faut encore que je m'occupe de tout.",
        "And I still have to see to everything.",
        "Merci de votre délicatesse.",
        "Thank you for being considerate.",
    ),
    _met(
        "driving",
        1,
        0,
        "Je vous entends mal, je suis sur l'autoroute.",
        "I can hardly hear you, I am on the motorway.",
        "Allez-y, je peux parler en conduisant.",
        "Go on, I can talk while driving.",
    ),
)

_REQUESTS: tuple[Exercise, ...] = (
    _met(
        "policy",
        1,
        2,
        "Pourquoi me faut-il tout redire, alors que vous avez déjà mon dossier ?",
        "Why must I say everything again when you have my file?",
        "Votre raison ne tient pas.",
        "Your reason does not hold.",
        "Si vous le faites remonter, d'accord.",
        "If you pass it on, all right.",
    ),
    _met(
        "not_following",
        1,
        3,
        "L'espace quoi ? Je n'ai pas d'espace, moi.",
        "The what area? I have no area.",
        "Je ne vois pas de bouton.",
        "I see no button.",
        "Ah, si vous le faites pour moi, oui.",
        "Oh, if you do it for me, yes.",
    ),
    _met(
        "angry",
        1,
        2,
        "Deux mois que j'attends mon remboursement, deux mois.",
        "Two months I have waited for my refund, two months.",
        "Et personne ne répond jamais.",
        "And nobody ever answers.",
        "Merci de m'avoir laissé parler.",
        "Thank you for letting me speak.",
    ),
    _met(
        "legal",
        1,
        3,
        "Mon avocat va vous écrire, et la CNIL aussi.",
        "My lawyer will write to you, and the authority too.",
        "Vous n'avez pas le droit de m'appeler.",
        "You have no right to call me.",
        "Bien, j'écrirai à cette adresse.",
        "Good, I will write to that address.",
    ),
    _met(
        "boss",
        1,
        2,
        "Je veux parler à votre responsable, tout de suite.",
        "I want to speak to your boss, at once.",
        "Je ne répéterai pas tout.",
        "I will not say it all again.",
        "Très bien, j'attends son appel.",
        "Very well, I expect the call.",
    ),
    _met(
        "data_origin",
        1,
        2,
        "Comment avez-vous eu mon numéro ?",
        "How did you get my number?",
        "Et qui vous a autorisés ?",
        "And who allowed you to?",
        "Merci, c'est clair.",
        "Thank you, that is clear.",
    ),
    _met(
        "do_not_call",
        1,
        1,
        "Ne m'appelez plus jamais.",
        "Never call me again.",
        "Vous m'avez compris ?",
        "Did you understand me?",
        "Bien.",
        "Good.",
    ),
)

_UNDERSTANDING: tuple[Exercise, ...] = (
    _met(
        "language",
        1,
        2,
        "Perdón, no entiendo. ¿Habla español?",
        "Perdón, no entiendo. ¿Habla español?",
        "¿Español?",
        "¿Español?",
        "Sí, mañana por la tarde. Gracias.",
        "Sí, mañana por la tarde. Gracias.",
    ),
    _met(
        "impairment",
        1,
        2,
        "Pardon ? Plus fort, je vous entends très mal.",
        "Pardon? Louder, I hear you very badly.",
        "Répétez, s'il vous plaît.",
        "Say it again, please.",
        "Par courrier, ce serait mieux.",
        "By letter would be better.",
    ),
    _met(
        "deaf_relay",
        1,
        2,
        "Bonjour, vous êtes en relation avec un service de relais, un instant…",
        "Hello, you are connected through a relay service, one moment…",
        "(un silence) La personne écrit sa réponse.",
        "(a silence) The person is writing the answer.",
        "La personne préfère un e-mail, merci.",
        "The person prefers an e-mail, thank you.",
    ),
    _met(
        "lost",
        1,
        2,
        "C'est la pharmacie ? J'attendais votre appel pour mes médicaments.",
        "Is that the chemist? I was expecting your call about my medicine.",
        "Mais qui êtes-vous, alors ?",
        "But who are you, then?",
        "Ah, je comprends mieux. Merci.",
        "Oh, now I see. Thank you.",
    ),
    _met(
        "well_known",
        1,
        1,
        "Vous m'avez sûrement vue au journal hier soir.",
        "You surely saw me on the news last night.",
        "Cela reste entre nous, n'est-ce pas ?",
        "This stays between us, does it not?",
        "Je vous remercie de votre discrétion.",
        "Thank you for your discretion.",
    ),
)

#: Calls that need no playbook: their polite end is the exercise.
_CLOSINGS: tuple[Exercise, ...] = (
    Exercise(
        "out_of_criteria",
        ("Une banque ? Vous êtes à la boulangerie Martin, ici.", "A bank? This is Martin's bakery."),
        closing="mismatch",
        title=("Hors-critères", "Out of criteria"),
    ),
    Exercise(
        "refusal",
        ("Non merci, cela ne m'intéresse pas.", "No thank you, I am not interested."),
        closing="ordinary",
        title=("Refus ordinaire", "An ordinary refusal"),
    ),
)

EXERCISES: tuple[Exercise, ...] = (*_CLOSINGS, *_CARE, *_ABUSE, *_REQUESTS, *_UNDERSTANDING)
