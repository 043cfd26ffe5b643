"""Playbooks of delicate situations, as data: what to say and to do, stage by stage, and where the call may end.

Sentences are our own. `say` has a list of variants by language; stages are numbered from 1.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StageText:
    """One stage: its sentences in French and English, what the agent does, whether the call may be ended there.

    `opens` names what is heard when the playbook opens here, "" where it is only reached from the stage before.
    """

    fr: tuple[str, ...]
    en: tuple[str, ...]
    do: str = ""
    do_en: str = ""
    title: str = ""
    title_en: str = ""
    opens: str = ""
    opens_en: str = ""
    may_end: bool = False


@dataclass(frozen=True, slots=True)
class Playbook:
    """A delicate situation and its stages, in order.

    `keywords` are what an agent types to find it, `effect` is what it does beside the words
    (`calls.enums.SituationEffect`).
    """

    code: str
    label: str
    label_en: str
    keywords: str
    stages: tuple[StageText, ...]
    effect: str = ""


PLAYBOOKS: tuple[Playbook, ...] = (
    Playbook(
        "racist",
        "Propos racistes ou discriminants",
        "Racist or discriminating remarks",
        "racisme insulte origine homophobe religion",
        (
            StageText(
                ("Je reviens à ma question, si vous le voulez bien.",),
                ("Let me come back to my question, if I may.",),
                "Laisser passer une remarque ambiguë, une seule.",
            ),
            StageText(
                ("Je ne suis pas sûr de vous suivre : que vouliez-vous dire ?",),
                ("I am not sure I follow: what did you mean by that?",),
                "Demander ce qui était entendu par là, sans ironie.",
            ),
            StageText(
                (
                    "De tels mots ne sont pas acceptés ici, qui qu'ils visent. Poursuivons dans le respect, "
                    "ou je devrai mettre fin à l'appel.",
                ),
                (
                    "Such words are not accepted here, whoever they are aimed at. Let us go on with respect, or I "
                    "shall have to end this call.",
                ),
                "Prévenir une fois. Ne jamais satisfaire une demande discriminante.",
            ),
            StageText(
                ("Je vous ai prévenu ; je mets donc fin à notre échange. Au revoir.",),
                ("As I said, I am now ending our conversation. Goodbye.",),
                "Dire la phrase, raccrocher. Le superviseur est prévenu.",
                may_end=True,
            ),
        ),
    ),
    Playbook(
        "sexist",
        "Propos sexistes",
        "Sexist remarks",
        "sexisme femme homme surnom blague",
        (
            StageText(
                ("Revenons à ce qui m'amène.",),
                ("Let us come back to why I am calling.",),
                "Laisser passer une remarque ambiguë, une seule.",
            ),
            StageText(
                ("Que voulez-vous dire ? Je vous appelle pour une question précise, la voici.",),
                ("What do you mean? I am calling with a precise question: here it is.",),
                "Ton professionnel et froid, retour au sujet.",
            ),
            StageText(
                ("Cette remarque n'est pas acceptable. Si elle se répète, notre échange s'arrêtera là.",),
                ("That remark is not acceptable. If there is another one, our conversation will end there.",),
                "Prévenir une fois.",
            ),
            StageText(
                ("Notre échange s'arrête donc ici. Au revoir.",),
                ("Our conversation ends here, then. Goodbye.",),
                "Dire la phrase, raccrocher. Le superviseur est prévenu.",
                may_end=True,
            ),
        ),
    ),
    Playbook(
        "flirting",
        "Séduction, questions personnelles",
        "Flirting",
        "drague compliment invitation harcèlement",
        (
            StageText(
                ("Merci. Je reprends ma question.",),
                ("Thank you. Let me go on with my question.",),
                "Faire comme si de rien n'était, continuer.",
            ),
            StageText(
                ("Je vous propose de revenir au sujet de mon appel.",),
                ("May I suggest that we come back to the subject of my call.",),
            ),
            StageText(
                ("Ceci est un appel professionnel : je ne peux parler que de son sujet.",),
                ("This is a professional call: I can only speak about its subject.",),
                "Le dire une fois, calmement.",
            ),
            StageText(
                ("Puisque nous ne pouvons pas parler du sujet, je mets fin à cet appel. Au revoir.",),
                ("Since we cannot speak about the subject, I am ending this call. Goodbye.",),
                "Seulement si cela devient du harcèlement. Le superviseur est prévenu.",
                may_end=True,
            ),
        ),
    ),
    Playbook(
        "troll",
        "Provocateur",
        "Troll",
        "blague interrompt hors sujet grossier",
        (
            StageText(
                (
                    "Si vous avez une question précise, j'y réponds volontiers. Sinon, je devrai conclure cet appel.",
                ),
                (
                    "If you have a precise question I will gladly answer it. If not, I shall have to close this call.",
                ),
                "Prévenir, puis laisser une chance de revenir au sujet. Sans retour, l'appel peut prendre fin.",
                may_end=True,
            ),
            StageText(
                ("Je vous écoute.",),
                ("I am listening.",),
                "Ne montrer aucune réaction.",
            ),
            StageText(
                ("Notre échange s'arrête ici. Je vous souhaite une bonne journée.",),
                ("Our conversation ends here. I wish you a good day.",),
                "Dire la phrase, raccrocher. Le superviseur est prévenu.",
                may_end=True,
            ),
        ),
    ),
    Playbook(
        "aggressive",
        "Agressivité, insultes, menaces",
        "Aggression, insults, threats",
        "insulte menace cri violence",
        (
            StageText(
                ("Je vous entends, et je voudrais vous aider.",),
                ("I hear you, and I would like to help.",),
                "Rester calme : cela ne vous vise pas.",
            ),
            StageText(
                ("Les insultes ne sont pas acceptées. Si elles continuent, je mettrai fin à l'appel.",),
                ("Insults are not accepted. If they go on, I will end this call.",),
                "Prévenir une fois.",
            ),
            StageText(
                ("Je mets fin à cet appel. Au revoir.",),
                ("I am ending this call. Goodbye.",),
                "Après l'avertissement, ou tout de suite en cas de menace. Le superviseur est prévenu.",
                may_end=True,
            ),
        ),
    ),
    Playbook(
        "boss",
        "« Je veux votre responsable »",
        "“I want your boss”",
        "responsable chef supérieur réclamation",
        (
            StageText(
                ("Je comprends. Je vous donne le nom de ma responsable et son numéro.",),
                ("I understand. Let me give you my supervisor's name and number.",),
                "Ne pas trancher à ce niveau.",
            ),
            StageText(
                ("Je lui transmets ce que vous m'avez dit, pour que vous n'ayez pas à le répéter.",),
                ("I am passing on what you told me, so that you will not have to say it again.",),
                "Noter les faits, appeler le superviseur.",
            ),
        ),
    ),
    Playbook(
        "language",
        "Autre langue",
        "Another language",
        "langue anglais étranger comprend traduction",
        (
            StageText(
                ("Je suis désolé, je ne parle pas bien votre langue.",),
                ("I am sorry, I do not speak your language well.",),
                "Le dire dans la langue de la personne si possible.",
            ),
            StageText(
                ("Un collègue qui parle votre langue peut vous rappeler. Quand cela vous conviendrait-il ?",),
                ("A colleague who speaks your language can call you back. When would suit you?",),
                "Noter la langue sur la fiche, promettre un rappel.",
            ),
        ),
    ),
    Playbook(
        "lost",
        "Personne perdue",
        "Lost person",
        "perdu confus trompé pourquoi appel",
        (
            StageText(
                ("C'est moi qui vous appelle, et voici pourquoi.",),
                ("It is I who am calling you, and here is why.",),
                "Dire qui appelle et pourquoi, sans moquerie.",
            ),
            StageText(
                ("Je peux vous indiquer à qui vous adresser.",),
                ("I can tell you whom to turn to.",),
                "Aider, nommer le bon contact.",
            ),
        ),
    ),
)
