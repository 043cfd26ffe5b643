"""Words that hurt: each warns before it ends, and only the stages that say so let the agent end the call."""

from calls.enums import SituationEffect
from calls.rules.playbooks.shape import Playbook, StageText

ABUSE: tuple[Playbook, ...] = (
    Playbook(
        code="racist",
        label="Propos racistes ou discriminants",
        label_en="Racist or discriminating remarks",
        keywords="racisme race étranger origine homophobe religion accent insulte racism foreigner homophobic slur",
        effect=SituationEffect.ABUSE,
        stages=(
            StageText(
                title="Laisser passer, une fois",
                title_en="Let one pass",
                opens="remarque ambiguë",
                opens_en="ambiguous remark",
                fr=(
                    "Je reviens à ma question, si vous le voulez bien.",
                    "Reprenons là où nous en étions.",
                ),
                en=(
                    "Let me come back to my question, if I may.",
                    "Let us pick up where we were.",
                ),
                do="Ne relevez pas cette remarque. Une seule peut passer.",
                do_en="Do not take that remark up. Only one may pass.",
            ),
            StageText(
                title="Demander ce qui était voulu dire",
                title_en="Ask what was meant",
                opens="« plaisanterie »",
                opens_en="“joke”",
                fr=(
                    "Je ne vous suis pas bien : que vouliez-vous dire ?",
                    "Pardon, je n'ai pas compris cette remarque. Pouvez-vous me l'expliquer ?",
                ),
                en=(
                    "I am not quite following you: what did you mean?",
                    "Pardon me, I did not understand that remark. Could you explain it?",
                ),
                do="Posez la question comme si vous n'aviez pas compris, sans ironie, puis attendez.",
                do_en="Ask as if you had not understood, without irony, then wait.",
            ),
            StageText(
                title="Rappeler le respect mutuel",
                title_en="Recall mutual respect",
                fr=(
                    "Pour bien vous répondre, j'ai besoin que nous nous parlions avec respect.",
                    "Cet échange repose sur le respect, de votre côté comme du mien.",
                ),
                en=(
                    "To answer you well, I need us to speak to each other with respect.",
                    "This conversation rests on respect, on your side as on mine.",
                ),
                do="Dites-le une fois, posément, et revenez au sujet.",
                do_en="Say it once, calmly, and come back to the subject.",
            ),
            StageText(
                title="Dire que ces mots ne sont pas acceptés",
                title_en="Say that such words are not accepted",
                opens="insulte ouverte, refus de parler à quelqu'un",
                opens_en="open insult, refusal to speak to somebody",
                fr=(
                    "De tels mots ne sont pas acceptés ici, qui qu'ils visent. C'est la règle de la maison.",
                    "Notre règle vaut pour tout le monde : nous n'acceptons aucun propos discriminant.",
                ),
                en=(
                    "Such words are not accepted here, whoever they are aimed at. It is the rule of the house.",
                    "Our rule holds for everybody: we accept no discriminating remark.",
                ),
                do="Ne satisfaites jamais une demande discriminante : le dossier reste avec vous.",
                do_en="Never comply with a discriminating request: the matter stays with you.",
            ),
            StageText(
                title="Prévenir, une fois",
                title_en="Warn once",
                fr=(
                    "Si de tels propos reprennent, je mettrai fin à cet appel. Souhaitez-vous continuer ?",
                    "Je vous préviens une fois : à la prochaine remarque de ce genre, l'appel s'arrêtera.",
                ),
                en=(
                    "If such remarks go on, I will end this call. Would you like to continue?",
                    "I am telling you once: at the next remark of this kind, the call will stop.",
                ),
                do="Attendez la réponse. Si la personne se calme, l'appel reprend sans reproche.",
                do_en="Wait for the answer. If the person calms down, the call goes on without reproach.",
            ),
            StageText(
                title="Mettre fin à l'appel",
                title_en="End the call",
                fr=(
                    "Comme je vous l'ai dit, je mets fin à cet appel. Au revoir.",
                    "Ces propos continuent : notre échange s'arrête ici. Au revoir.",
                ),
                en=(
                    "As I told you, I am ending this call. Goodbye.",
                    "These remarks go on: our conversation ends here. Goodbye.",
                ),
                do="Dites la phrase, puis raccrochez. Le superviseur est informé, une pause vous est proposée.",
                do_en="Say the sentence, then hang up. The supervisor is told, and a break is offered to you.",
                may_end=True,
            ),
        ),
    ),
    Playbook(
        code="sexist",
        label="Propos sexistes",
        label_en="Sexist remarks",
        keywords="sexisme femme homme surnom blague physique misogyne sexism woman man pet name joke looks",
        effect=SituationEffect.ABUSE,
        stages=(
            StageText(
                title="Laisser passer, une fois",
                title_en="Let one pass",
                opens="cliché, remarque ambiguë",
                opens_en="cliché, ambiguous remark",
                fr=("Revenons à ce qui m'amène.", "Je poursuis, si vous le permettez."),
                en=("Let us come back to why I am calling.", "Let me go on, if I may."),
                do="Ne relevez pas. Une seule remarque peut passer.",
                do_en="Do not take it up. Only one remark may pass.",
            ),
            StageText(
                title="Rester froid et revenir au sujet",
                title_en="Stay cool, back to the subject",
                opens="petit nom, « plaisanterie » sur le physique",
                opens_en="pet name, “joke” on looks",
                fr=(
                    "Que voulez-vous dire par là ? Je vous appelle pour une question précise, la voici.",
                    "Je préfère que nous restions sur le sujet de mon appel. Je vous repose ma question.",
                ),
                en=(
                    "What do you mean by that? I am calling with a precise question, and here it is.",
                    "I would rather we stayed on the subject of my call. Let me ask my question again.",
                ),
                do="Gardez un ton professionnel, un peu froid. Demandez ce qui était voulu dire, puis avancez.",
                do_en="Keep a professional, rather cool tone. Ask what was meant, then move on.",
            ),
            StageText(
                title="Dire non et prévenir",
                title_en="Say no and warn",
                opens="« passez-moi un homme », propos rabaissants",
                opens_en="“let a man handle it”, belittling words",
                fr=(
                    "Cette remarque n'est pas acceptable. Si elle se répète, notre échange s'arrêtera là.",
                    "Le dossier reste avec moi. Encore une remarque de ce genre, et je mettrai fin à l'appel.",
                ),
                en=(
                    "That remark is not acceptable. If there is another one, our conversation will end there.",
                    "I am the one handling this. One more remark of that kind, and I will end the call.",
                ),
                do="Prévenez une fois. Ne passez pas l'appel pour satisfaire une telle demande.",
                do_en="Warn once. Do not pass the call on to comply with such a request.",
            ),
            StageText(
                title="Mettre fin à l'appel",
                title_en="End the call",
                fr=(
                    "Notre échange s'arrête donc ici. Au revoir.",
                    "Je l'avais annoncé : je mets fin à cet appel. Au revoir.",
                ),
                en=(
                    "Our conversation ends here, then. Goodbye.",
                    "I said so before: I am ending this call. Goodbye.",
                ),
                do="Dites la phrase, puis raccrochez. Le superviseur est informé, une pause vous est proposée.",
                do_en="Say the sentence, then hang up. The supervisor is told, and a break is offered to you.",
                may_end=True,
            ),
        ),
    ),
    Playbook(
        code="flirting",
        label="Séduction, questions personnelles",
        label_en="Flirting, personal questions",
        keywords="drague compliment invitation harcèlement rendez-vous voix flirt harassment date personal",
        effect=SituationEffect.ABUSE,
        stages=(
            StageText(
                title="Continuer comme si de rien n'était",
                title_en="Go on as if unnoticed",
                opens="compliment",
                opens_en="compliment",
                fr=("Merci. Je reprends ma question.", "C'est aimable. Je continue, si vous voulez bien."),
                en=("Thank you. Let me go on with my question.", "That is kind. Let me go on, if I may."),
                do="Ne relevez pas le compliment, ne l'encouragez pas non plus.",
                do_en="Neither take the compliment up nor encourage it.",
            ),
            StageText(
                title="Proposer de revenir au sujet",
                title_en="Suggest coming back to the subject",
                opens="question personnelle, invitation",
                opens_en="personal question, invitation",
                fr=(
                    "Je vous propose de revenir au sujet de mon appel.",
                    "Je préfère ne pas parler de moi. Revenons à ma question.",
                ),
                en=(
                    "May I suggest that we come back to the subject of my call.",
                    "I would rather not speak about myself. Let us come back to my question.",
                ),
                do="Ne donnez rien de personnel : ni âge, ni ville, ni horaires.",
                do_en="Give nothing personal: no age, no town, no working hours.",
            ),
            StageText(
                title="Rappeler que l'appel est professionnel",
                title_en="Recall that the call is professional",
                fr=(
                    "Ceci est un appel professionnel, et il le restera.",
                    "Je vous appelle pour mon travail : restons-en là sur ce point.",
                ),
                en=(
                    "This is a professional call, and it will stay one.",
                    "I am calling for my work: let us leave it at that.",
                ),
                do="Dites-le une fois, sans sourire dans la voix.",
                do_en="Say it once, without a smile in your voice.",
            ),
            StageText(
                title="Ne parler que du sujet",
                title_en="Speak about the subject only",
                opens="harcèlement",
                opens_en="harassment",
                fr=(
                    "Je ne peux parler que du sujet de mon appel. Sinon, je devrai y mettre fin.",
                    "Ces propos me mettent mal à l'aise. S'ils continuent, l'appel s'arrêtera.",
                ),
                en=(
                    "I can only speak about the subject of my call. Otherwise I shall have to end it.",
                    "These words make me uncomfortable. If they go on, the call will stop.",
                ),
                do="Prévenez clairement, puis laissez une chance de revenir au sujet.",
                do_en="Warn clearly, then leave a chance to come back to the subject.",
            ),
            StageText(
                title="Mettre fin à l'appel",
                title_en="End the call",
                fr=(
                    "Puisque nous ne pouvons pas parler du sujet, je mets fin à cet appel. Au revoir.",
                    "Je vous l'ai demandé, et cela continue : je mets fin à l'appel. Au revoir.",
                ),
                en=(
                    "Since we cannot speak about the subject, I am ending this call. Goodbye.",
                    "I asked you to stop, and it goes on: I am ending the call. Goodbye.",
                ),
                do="Seulement si cela devient du harcèlement. Le superviseur est informé, une pause vous est proposée.",
                do_en="Only if it becomes harassment. The supervisor is told, and a break is offered to you.",
                may_end=True,
            ),
        ),
    ),
    Playbook(
        code="troll",
        label="Provocateur",
        label_en="Troll",
        keywords="blague interrompt hors sujet grossier provocation canular prank interrupts off-topic crude",
        effect=SituationEffect.ABUSE,
        stages=(
            StageText(
                title="Proposer de l'aide, ou conclure",
                title_en="Offer help, or close",
                opens="interrompt, parle d'autre chose",
                opens_en="interrupts, off-topic",
                fr=(
                    "Si vous avez une question précise, j'y réponds volontiers. Sinon, je devrai conclure.",
                    "Puis-je vous aider sur le sujet de mon appel ? Sinon, je vais devoir y mettre fin.",
                ),
                en=(
                    "If you have a precise question, I will gladly answer it. If not, I shall have to close.",
                    "Can I help you with the subject of my call? If not, I shall have to end it.",
                ),
                do="Prévenez, puis laissez une chance de revenir au sujet. Sans retour, l'appel peut prendre fin.",
                do_en="Warn, then leave a chance to come back to the subject. If nothing comes, the call may end.",
                may_end=True,
            ),
            StageText(
                title="Ne montrer aucune réaction",
                title_en="Show no reaction",
                opens="grossier, cherche à faire réagir",
                opens_en="crude, wants a reaction",
                fr=("Je vous écoute.", "Je vous laisse terminer."),
                en=("I am listening.", "I will let you finish."),
                do="Voix égale, phrases courtes. Ne riez pas, ne répondez pas à la provocation.",
                do_en="Even voice, short sentences. Do not laugh, do not answer the provocation.",
            ),
            StageText(
                title="Annoncer la fin et raccrocher",
                title_en="Say that it ends, and hang up",
                fr=(
                    "Notre échange s'arrête ici. Je vous souhaite une bonne journée.",
                    "Nous n'avançons plus : je mets fin à l'appel. Bonne journée à vous.",
                ),
                en=(
                    "Our conversation ends here. I wish you a good day.",
                    "We are not getting any further: I am ending the call. Have a good day.",
                ),
                do="Dites la phrase, raccrochez. Vous pouvez demander que ce numéro ne soit plus appelé.",
                do_en="Say the sentence, hang up. You may ask that this number be called no more.",
                may_end=True,
            ),
        ),
    ),
    Playbook(
        code="aggressive",
        label="Agressivité, insultes, menaces",
        label_en="Aggression, insults, threats",
        keywords="insulte injure menace cri violence hurle insult swear threat shout violent",
        effect=SituationEffect.ABUSE,
        stages=(
            StageText(
                title="Rester calme",
                title_en="Stay calm",
                opens="ton agressif",
                opens_en="aggressive tone",
                fr=(
                    "Je vous entends, et je voudrais vous aider.",
                    "Je prends le temps de vous écouter. Dites-moi ce qui ne va pas.",
                ),
                en=(
                    "I hear you, and I would like to help.",
                    "I am taking the time to listen. Tell me what is wrong.",
                ),
                do="Respirez, parlez plus bas que la personne. Cela ne vous vise pas.",
                do_en="Breathe, speak lower than the person. It is not about you.",
            ),
            StageText(
                title="Rappeler la limite et prévenir",
                title_en="Set the limit and warn",
                opens="insultes",
                opens_en="insults",
                fr=(
                    "Je vous demande de ne pas m'insulter. Si cela continue, je mettrai fin à l'appel.",
                    "Les insultes ne sont pas acceptées. Parlons calmement, ou l'appel s'arrêtera.",
                ),
                en=(
                    "I ask you not to insult me. If it goes on, I will end the call.",
                    "Insults are not accepted. Let us speak calmly, or the call will stop.",
                ),
                do="Prévenez une fois, sans hausser le ton, puis reprenez le sujet.",
                do_en="Warn once without raising your voice, then come back to the subject.",
            ),
            StageText(
                title="Mettre fin à l'appel",
                title_en="End the call",
                opens="menaces",
                opens_en="threats",
                fr=(
                    "Je mets fin à cet appel. Au revoir.",
                    "Je ne peux pas continuer dans ces conditions. Au revoir.",
                ),
                en=(
                    "I am ending this call. Goodbye.",
                    "I cannot go on in these conditions. Goodbye.",
                ),
                do="Après l'avertissement ; tout de suite en cas de menace. Le superviseur est informé, "
                "le responsable peut bannir le numéro.",
                do_en="After the warning; at once after a threat. The supervisor is told, and the manager may ban "
                "the number.",
                may_end=True,
            ),
        ),
    ),
)
