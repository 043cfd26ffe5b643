"""Understanding each other: another language, an impairment, a person who is lost, a person who is well known."""

from calls.enums import SituationEffect
from calls.rules.playbooks.shape import Playbook, StageText

UNDERSTANDING: tuple[Playbook, ...] = (
    Playbook(
        code="language",
        label="Autre langue",
        label_en="Another language",
        keywords="langue anglais étranger traduction interprète espagnol arabe language english foreign interpreter",
        effect=SituationEffect.LANGUAGE,
        stages=(
            StageText(
                title="Le dire dans la langue de la personne",
                title_en="Say so in the person's language",
                fr=(
                    "Excusez-moi, je parle mal votre langue.",
                    "Quelle langue préférez-vous ?",
                ),
                en=(
                    "I am sorry, I do not speak your language well.",
                    "Which language do you prefer?",
                ),
                say_other={
                    "es": ("Lo siento, no hablo bien su idioma.",),
                    "de": ("Es tut mir leid, ich spreche Ihre Sprache nicht gut.",),
                    "it": ("Mi scusi, non parlo bene la sua lingua.",),
                    "pt": ("Peço desculpa, não falo bem a sua língua.",),
                    "ar": ("عذرًا، لا أتكلم لغتكم جيدًا.",),
                },
                do="Phrases courtes, voix normale : parler plus fort n'aide pas.",
                do_en="Short sentences, normal voice: speaking louder does not help.",
            ),
            StageText(
                title="Proposer quelqu'un qui parle la langue",
                title_en="Offer somebody who speaks it",
                fr=(
                    "Nous vous rappelons dans votre langue. À quel moment ?",
                    "Je vous fais rappeler dans votre langue. Préférez-vous le matin ou l'après-midi ?",
                ),
                en=(
                    "We will call you in your language. When would suit you?",
                    "I will have you called back in your language. Do you prefer mornings or afternoons?",
                ),
                say_other={
                    "es": ("Le llamamos en español. ¿Cuándo le viene bien?",),
                    "de": ("Wir rufen Sie auf Deutsch an. Wann passt es Ihnen?",),
                    "it": ("La richiamiamo in italiano. Quando preferisce?",),
                    "pt": ("Ligamos-lhe em português. Quando lhe convém?",),
                    "ar": ("نتصل بكم بالعربية. متى يناسبكم؟",),
                },
                do="Ne passez jamais par un enfant, et ne faites rien signer par un proche.",
                do_en="Never go through a child, and let no relative agree to anything.",
            ),
            StageText(
                title="Noter la langue, promettre un rappel",
                title_en="Note the language, promise a callback",
                fr=(
                    "C'est noté : la prochaine fois, nous parlerons votre langue. Merci, et au revoir.",
                    "Merci de votre patience. À bientôt.",
                ),
                en=(
                    "That is noted: next time we will speak your language. Thank you, and goodbye.",
                    "Thank you for your patience. Goodbye for now.",
                ),
                do="La langue va sur la fiche, le rappel à une personne qui la parle.",
                do_en="The language goes on the record, the callback to somebody who speaks it.",
            ),
        ),
    ),
    Playbook(
        code="impairment",
        label="Difficulté d'audition, de parole, de vue ou de compréhension",
        label_en="Hearing, speech, sight or mental impairment",
        keywords="sourd malentendant bégaie handicap aveugle entend deaf hearing speech blind disability",
        effect=SituationEffect.CHANNEL,
        stages=(
            StageText(
                title="Ralentir et reformuler",
                title_en="Slow down and rephrase",
                fr=(
                    "Je parle plus lentement. M'entendez-vous bien ainsi ?",
                    "Prenez votre temps, je vous écoute jusqu'au bout.",
                    "Je redis l'essentiel en une phrase.",
                ),
                en=(
                    "I will speak more slowly. Can you hear me well like this?",
                    "Take your time, I will listen to the end.",
                    "Let me say the main point again in one sentence.",
                ),
                do="Ne finissez pas ses phrases, ne pressez jamais. Faites confirmer chaque point.",
                do_en="Do not finish their sentences, never press. Have each point confirmed.",
            ),
            StageText(
                title="Proposer un autre moyen",
                title_en="Offer another way",
                fr=(
                    "Préférez-vous que nous échangions par e-mail, par SMS ou par courrier ?",
                    "Utilisez-vous un service de relais ? Nous pouvons passer par lui.",
                ),
                en=(
                    "Would you rather we wrote by e-mail, text message or letter?",
                    "Do you use a relay service? We can go through it.",
                ),
                do="C'est la personne qui choisit. Un proche n'aide que si elle le demande.",
                do_en="The person chooses. A relative helps only if they ask for it.",
            ),
            StageText(
                title="Noter le moyen préféré",
                title_en="Note the preferred way",
                fr=(
                    "C'est noté : nous vous contacterons ainsi désormais. Merci de me l'avoir dit.",
                    "Je l'inscris, et je vous confirme : c'est bien cela ?",
                ),
                en=(
                    "That is noted: this is how we will contact you from now on. Thank you for telling me.",
                    "I am writing it down. Let me confirm: is that right?",
                ),
                do="Notez le moyen préféré, jamais la raison de santé.",
                do_en="Note the preferred way, never the health reason.",
            ),
        ),
    ),
    Playbook(
        code="deaf_relay",
        label="Appel par un relais pour personnes sourdes",
        label_en="Call through a relay for deaf people",
        keywords="relais sourd interprète rogervoice tadeo acceo elioz relay deaf interpreter text",
        effect=SituationEffect.CHANNEL,
        stages=(
            StageText(
                title="Saluer, et attendre",
                title_en="Greet, and wait",
                fr=(
                    "Bonjour, je vous écoute.",
                    "Bonjour, très bien : prenons le temps qu'il faut.",
                ),
                en=(
                    "Hello, I am listening.",
                    "Hello, very well: let us take the time it needs.",
                ),
                do="Ne raccrochez pas : l'annonce du relais n'est pas un répondeur. Un délai est normal.",
                do_en="Do not hang up: the relay's announcement is no machine. A delay is normal.",
            ),
            StageText(
                title="Parler à la personne, phrase par phrase",
                title_en="Speak to the person, sentence by sentence",
                fr=(
                    "Je m'adresse à vous directement. Dites-moi si je vais trop vite.",
                    "J'épelle les noms, et j'attends votre réponse après chaque phrase.",
                ),
                en=(
                    "I am speaking to you directly. Tell me if I go too fast.",
                    "I spell names, and I wait for your answer after each sentence.",
                ),
                do="Dites « vous », jamais « dites-lui que ». Phrases courtes, noms épelés.",
                do_en="Say “you”, never “tell them that”. Short sentences, names spelt.",
            ),
            StageText(
                title="Proposer d'écrire",
                title_en="Offer to write",
                fr=(
                    "Préférez-vous la suite par e-mail, par SMS ou en visio ?",
                    "Je peux aussi vous rappeler par ce même relais. Que préférez-vous ?",
                ),
                en=(
                    "Would you rather go on by e-mail, text message or video?",
                    "I can also call you back through this relay. What do you prefer?",
                ),
                do="Notez le moyen choisi : il s'affichera au prochain appel.",
                do_en="Note the way they chose: it will be shown at the next call.",
            ),
        ),
    ),
    Playbook(
        code="lost",
        label="Personne perdue",
        label_en="Lost person",
        keywords="perdu confus trompé pourquoi appel erreur qui êtes-vous lost confused mistaken why who wrong",
        effect=SituationEffect.LOST,
        stages=(
            StageText(
                title="Dire qui appelle, et pourquoi",
                title_en="Say who is calling, and why",
                fr=(
                    "C'est moi qui vous appelle : {agent}, pour {sponsor}. Voici pourquoi.",
                    "Il n'y a pas de mal. Je m'appelle {agent}, et je vous appelle pour {sponsor}.",
                ),
                en=(
                    "It is I who am calling you: {agent}, for {sponsor}. Here is why.",
                    "No harm done. My name is {agent}, and I am calling for {sponsor}.",
                ),
                do="Sans moquerie ni impatience. Une seule information à la fois.",
                do_en="No mockery, no impatience. One piece of information at a time.",
            ),
            StageText(
                title="Aider, indiquer le bon contact",
                title_en="Help, name the right contact",
                fr=(
                    "Qui cherchiez-vous à joindre ? Je peux peut-être vous indiquer le bon numéro.",
                    "Cet appel ne vous engage à rien. Voulez-vous que je reprenne du début ?",
                ),
                en=(
                    "Whom did you want to reach? I may be able to tell you the right number.",
                    "This call commits you to nothing. Shall I start again from the beginning?",
                ),
                do="Aidez si vous savez, sans chercher longtemps.",
                do_en="Help if you know, without searching for long.",
            ),
            StageText(
                title="Signaler l'origine du trouble",
                title_en="Report where the confusion comes from",
                fr=(
                    "Merci de me l'avoir dit : je le signale, pour que cela n'arrive plus.",
                    "Je note que vous n'attendiez pas cet appel. Toutes mes excuses.",
                ),
                en=(
                    "Thank you for telling me: I am reporting it, so that it does not happen again.",
                    "I am noting that you did not expect this call. My apologies.",
                ),
                do="C'est compté pour ce fichier. Si cela se répète, le responsable en cherche l'origine.",
                do_en="It is counted for this list. If it recurs, the manager looks into where it comes from.",
            ),
        ),
    ),
    Playbook(
        code="well_known",
        label="Personne connue",
        label_en="Well-known person",
        keywords="célébrité célèbre politique élu vedette artiste confidentiel celebrity famous politician",
        effect=SituationEffect.CONFIDENTIAL,
        stages=(
            StageText(
                title="Parler comme à tout le monde",
                title_en="Speak as to anyone",
                fr=(
                    "Merci de prendre cet appel. Ma question est la suivante.",
                    "Je vous pose les mêmes questions qu'à chacun, si vous le voulez bien.",
                ),
                en=(
                    "Thank you for taking this call. My question is this.",
                    "I am asking you the same questions as everybody, if I may.",
                ),
                do="Ni compliment, ni question personnelle, ni mot à un collègue.",
                do_en="No compliment, no personal question, no word to a colleague.",
            ),
            StageText(
                title="Rendre la fiche confidentielle",
                title_en="Make the record confidential",
                fr=(
                    "Vos réponses et vos coordonnées restent confidentielles.",
                    "Seules les personnes qui en ont besoin verront votre fiche.",
                ),
                en=(
                    "Your answers and your details stay confidential.",
                    "Only those who need it will see your record.",
                ),
                do="La fiche est masquée hors de l'appel, et chaque consultation est notée.",
                do_en="The record is masked outside the call, and every look at it is logged.",
            ),
        ),
    ),
)
