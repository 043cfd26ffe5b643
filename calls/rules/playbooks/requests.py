"""Objections, complaints and rights: nothing is settled by force, and what was said reaches whoever can act on it."""

from calls.enums import SituationEffect
from calls.rules.playbooks.shape import Playbook, StageText

REQUESTS: tuple[Playbook, ...] = (
    Playbook(
        code="policy",
        label="La personne a raison, notre règle est mauvaise",
        label_en="They are right and our rule is wrong",
        keywords="objection règle politique juste injuste raison absurde rule policy unfair fair right objection",
        effect=SituationEffect.POLICY,
        stages=(
            StageText(
                title="Expliquer pourquoi la règle existe",
                title_en="Explain why the rule exists",
                fr=(
                    "Je vous explique d'où vient cette règle : elle existe parce que…",
                    "Votre remarque est juste. Voici la raison de cette règle.",
                ),
                en=(
                    "Let me explain where this rule comes from: it exists because…",
                    "That is a fair remark. Here is the reason for this rule.",
                ),
                do="Donnez la vraie raison, en une phrase. Si vous ne la savez pas, dites-le.",
                do_en="Give the true reason, in one sentence. If you do not know it, say so.",
            ),
            StageText(
                title="Donner raison et transmettre",
                title_en="Agree, and pass it on",
                fr=(
                    "Vous avez raison. Je ne peux pas changer cette règle, mais je transmets votre objection.",
                    "À votre place, je dirais la même chose. Je le fais remonter aujourd'hui.",
                ),
                en=(
                    "You are right. I cannot change this rule, but I am passing your objection on.",
                    "In your place I would say the same. I am passing it on today.",
                ),
                do="Notez l'objection avec les mots de la personne : le responsable la lira.",
                do_en="Note the objection in the person's words: the manager will read it.",
            ),
            StageText(
                title="Chercher une autre solution",
                title_en="Look for an alternative",
                fr=(
                    "Voyons ce que je peux vous proposer à la place.",
                    "Voici ce qui est en mon pouvoir aujourd'hui. Cela vous conviendrait-il ?",
                ),
                en=(
                    "Let us see what I can offer you instead.",
                    "Here is what I am able to do today. Would that suit you?",
                ),
                do="Restez dans votre mandat : ne promettez rien de plus.",
                do_en="Stay within your mandate: promise nothing beyond it.",
            ),
        ),
    ),
    Playbook(
        code="not_following",
        label="La personne ne suit pas",
        label_en="The person does not follow",
        keywords="comprend pas technique débutant perdu explication répète understand technical beginner explain lost",
        effect=SituationEffect.LEARNER,
        stages=(
            StageText(
                title="Guider simplement",
                title_en="Guide plainly",
                fr=(
                    "Je vous guide pas à pas, à votre rythme.",
                    "Reprenons ensemble. Dites-moi ce que vous voyez.",
                ),
                en=(
                    "I will guide you step by step, at your own pace.",
                    "Let us go through it together. Tell me what you see.",
                ),
                do="Une seule consigne à la fois, puis attendez.",
                do_en="One instruction at a time, then wait.",
            ),
            StageText(
                title="Expliquer comme à un débutant",
                title_en="Explain as to a beginner",
                fr=(
                    "C'est ma faute, j'ai été trop vite. Je recommence autrement.",
                    "Oublions les mots compliqués. Première chose, toute petite…",
                ),
                en=(
                    "My fault, I went too fast. Let me start again differently.",
                    "Let us forget the complicated words. First thing, a very small one…",
                ),
                do="Petites étapes, aucun mot de métier. Demandez après chacune si c'est bon.",
                do_en="Small steps, no jargon. After each one, ask whether it worked.",
            ),
            StageText(
                title="Proposer de le faire à sa place",
                title_en="Offer to do it for them",
                fr=(
                    "Voulez-vous que je le fasse pour vous ? J'ai seulement besoin de votre accord.",
                    "Je peux m'en charger, si vous êtes d'accord, et vous dire ce que je fais.",
                ),
                en=(
                    "Would you like me to do it for you? I only need your consent.",
                    "I can take care of it, if you agree, and tell you what I am doing.",
                ),
                do="Attendez un oui clair avant d'agir. Ne demandez jamais de mot de passe.",
                do_en="Wait for a clear yes before you act. Never ask for a password.",
            ),
            StageText(
                title="Conclure, puis souffler",
                title_en="Close, then take a breath",
                fr=(
                    "Merci de votre patience, nous avons bien avancé.",
                    "Le reste peut attendre. Un collègue vous rappellera si vous le souhaitez.",
                ),
                en=(
                    "Thank you for your patience, we have come a long way.",
                    "The rest can wait. A colleague will call you back if you wish.",
                ),
                do="Après l'appel, prenez une courte pause : elle ne compte pas contre votre objectif.",
                do_en="After the call take a short break: it does not count against your goal.",
            ),
        ),
    ),
    Playbook(
        code="angry",
        label="En colère contre le problème",
        label_en="Angry at the problem",
        keywords="colère énervé mécontent réclamation perte problème remboursement angry upset complaint loss refund",
        effect=SituationEffect.ANGER,
        stages=(
            StageText(
                title="Accueillir calmement",
                title_en="Welcome it calmly",
                fr=(
                    "Je comprends que cela vous mette en colère.",
                    "C'est une situation pénible, et je vous remercie de me le dire.",
                ),
                en=(
                    "I understand that this makes you angry.",
                    "This is a painful situation, and I thank you for telling me.",
                ),
                do="Laissez parler jusqu'au bout, sans couper. La colère vise le problème.",
                do_en="Let them speak to the end without cutting in. The anger is at the problem.",
            ),
            StageText(
                title="Poser des questions",
                title_en="Ask questions",
                fr=(
                    "Pouvez-vous me dire ce qui s'est passé, depuis le début ?",
                    "Qu'est-ce qui vous gêne le plus aujourd'hui ?",
                ),
                en=(
                    "Can you tell me what happened, from the beginning?",
                    "What troubles you most today?",
                ),
                do="Ni jugement, ni leçon. Reformulez ce que vous avez entendu.",
                do_en="No judging, no lecture. Put what you heard into your own words.",
            ),
            StageText(
                title="S'excuser de la situation",
                title_en="Apologise for the situation",
                fr=(
                    "Je vous présente mes excuses pour cette situation.",
                    "Vous n'auriez pas dû vivre cela. Je le regrette pour vous.",
                ),
                en=(
                    "I apologise for this situation.",
                    "You should not have had to go through that. I regret it.",
                ),
                do="Excusez-vous de la situation, sans endosser une faute qui n'est pas établie.",
                do_en="Apologise for the situation, without taking a blame that is not established.",
            ),
            StageText(
                title="Expliquer, avec « parce que »",
                title_en="Explain, with “because”",
                fr=(
                    "Voici ce qui s'est passé, et pourquoi : c'est parce que…",
                    "Je vous dis ce qui est possible maintenant, et ce qui ne l'est pas, parce que…",
                ),
                en=(
                    "Here is what happened, and why: it is because…",
                    "Let me tell you what is possible now, and what is not, because…",
                ),
                do="Des faits, dans l'ordre, puis la suite et sa date.",
                do_en="Facts, in order, then what comes next and when.",
            ),
        ),
    ),
    Playbook(
        code="legal",
        label="Menace de procédure, plainte",
        label_en="Legal threat, complaint",
        keywords="avocat tribunal plainte cnil justice procès droit lawyer court complaint authority sue legal",
        effect=SituationEffect.COMPLAINT,
        stages=(
            StageText(
                title="Ne pas discuter, noter les mots",
                title_en="Do not argue, note the words",
                fr=(
                    "J'entends votre plainte, et je la note avec vos mots.",
                    "Je prends note de ce que vous dites. Voulez-vous ajouter quelque chose ?",
                ),
                en=(
                    "I hear your complaint, and I am noting it in your words.",
                    "I am noting what you say. Would you like to add anything?",
                ),
                do="Ne contestez rien, n'admettez rien. Notez les mots exacts, sans commentaire.",
                do_en="Dispute nothing, admit nothing. Note the exact words, without comment.",
            ),
            StageText(
                title="Donner l'adresse des réclamations",
                title_en="Give the address for complaints",
                fr=(
                    "Pour une réclamation ou pour vos données, voici à qui écrire : {complaints}.",
                    "Vous pouvez l'adresser par écrit ici : {complaints}. Je vous laisse le noter.",
                ),
                en=(
                    "For a complaint or for your data, here is where to write: {complaints}.",
                    "You can send it in writing here: {complaints}. I will wait while you note it.",
                ),
                do="Épelez l'adresse, laissez le temps de l'écrire.",
                do_en="Spell the address, leave the time to write it down.",
            ),
            StageText(
                title="Transmettre au superviseur",
                title_en="Pass it to the supervisor",
                fr=(
                    "Je transmets tout de suite à {supervisor}, qui prendra la suite.",
                    "Votre demande part aujourd'hui. Une personne habilitée vous répondra.",
                ),
                en=(
                    "I am passing it on at once to {supervisor}, who will take over.",
                    "Your request leaves today. Somebody in charge will answer you.",
                ),
                do="Le superviseur est informé aussitôt. Ne promettez aucune issue.",
                do_en="The supervisor is told at once. Promise no outcome.",
            ),
        ),
    ),
    Playbook(
        code="boss",
        label="« Je veux votre responsable »",
        label_en="“I want your boss”",
        keywords="responsable chef supérieur patron directeur boss manager supervisor superior",
        effect=SituationEffect.BOSS,
        stages=(
            StageText(
                title="Donner un nom et un numéro",
                title_en="Give a name and a number",
                fr=(
                    "Bien entendu. Vous pouvez parler à {supervisor}. Son numéro : {supervisor_number}.",
                    "C'est votre droit. Je vous mets en relation avec {supervisor}.",
                ),
                en=(
                    "Of course. You can speak to {supervisor}. The number: {supervisor_number}.",
                    "That is your right. I will put you in touch with {supervisor}.",
                ),
                do="Ne tranchez pas à ce niveau, ne défendez rien. Épelez le nom.",
                do_en="Do not settle it at this level, defend nothing. Spell the name.",
            ),
            StageText(
                title="Transmettre, pour ne rien faire répéter",
                title_en="Hand over, so that nothing is repeated",
                fr=(
                    "Je transmets ce que vous m'avez dit : vous n'aurez pas à le répéter.",
                    "Voici ce que je note pour la suite. Est-ce bien cela ?",
                ),
                en=(
                    "I am passing on what you told me: you will not have to say it again.",
                    "Here is what I am noting for what follows. Is that right?",
                ),
                do="Notez les faits, relisez-les, puis appelez le superviseur.",
                do_en="Note the facts, read them back, then call the supervisor.",
            ),
        ),
    ),
    Playbook(
        code="data_origin",
        label="« Comment avez-vous eu mon numéro ? »",
        label_en="“How did you get my number?”",
        keywords="données origine numéro rgpd fichier accès droits source data origin gdpr access rights list",
        effect=SituationEffect.ORIGIN,
        stages=(
            StageText(
                title="Dire d'où viennent les coordonnées",
                title_en="Say where the details come from",
                fr=(
                    "Voici d'où viennent vos coordonnées : {origin}. Je vous appelle pour {sponsor}.",
                    "C'est une bonne question. Nous les tenons de cette source : {origin}.",
                ),
                en=(
                    "Here is where your details come from: {origin}. I am calling for {sponsor}.",
                    "That is a good question. We have them from this source: {origin}.",
                ),
                do="Dites la source telle qu'elle est écrite, sans l'embellir.",
                do_en="Say the source as it is written, without embellishing it.",
            ),
            StageText(
                title="Dire le droit de s'opposer",
                title_en="Tell the right to object",
                fr=(
                    "Vous pouvez vous opposer maintenant : je le note tout de suite.",
                    "Souhaitez-vous que nous ne vous appelions plus ? C'est fait en un instant.",
                ),
                en=(
                    "You can object now: I note it at once.",
                    "Would you like us not to call you again? It is done in a moment.",
                ),
                do="N'insistez pas. Une opposition ouvre « Ne plus appeler ».",
                do_en="Do not insist. An objection opens “Do not call again”.",
            ),
            StageText(
                title="Recevoir, corriger ou effacer ses données",
                title_en="Receive, correct or erase the data",
                fr=(
                    "Pour recevoir, corriger ou effacer vos données, voici à qui écrire : {complaints}.",
                    "Je transmets votre demande. Une réponse vous est due dans le mois.",
                ),
                en=(
                    "To receive, correct or erase your data, here is where to write: {complaints}.",
                    "I am passing your request on. An answer is due to you within a month.",
                ),
                do="Une demande ouvre un dossier, dont le délai d'un mois court dès maintenant.",
                do_en="A request opens a file, and its month begins to run now.",
            ),
        ),
    ),
    Playbook(
        code="do_not_call",
        label="« Ne m'appelez plus »",
        label_en="“Do not call me again”",
        keywords="opposition stop liste rappeler retirer désinscrire bloctel opt-out remove unsubscribe never again",
        effect=SituationEffect.OPT_OUT,
        stages=(
            StageText(
                title="Confirmer et prendre congé",
                title_en="Confirm and take leave",
                fr=(
                    "C'est noté. {sponsor} ne vous appellera plus. Toutes mes excuses pour le dérangement.",
                    "Je l'enregistre à l'instant : plus aucun appel de {sponsor}. Au revoir.",
                ),
                en=(
                    "That is noted. {sponsor} will not call you again. My apologies for the disturbance.",
                    "I am recording it now: no more calls from {sponsor}. Goodbye.",
                ),
                do="Aucune contre-proposition, aucune question. La clôture suit aussitôt.",
                do_en="No counter-offer, no question. The closing follows at once.",
            ),
        ),
    ),
)
