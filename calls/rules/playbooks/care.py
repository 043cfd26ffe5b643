"""People who need care first: nothing is sold, nothing is rushed, and nobody in distress is left by us.

The French helpline for suicide prevention is 3114, free, day and night; emergencies are 15 and 112, 114 by SMS.
"""

from calls.enums import SituationEffect
from calls.rules.playbooks.shape import Playbook, StageText

CARE: tuple[Playbook, ...] = (
    Playbook(
        code="suicidal",
        label="Parle de mourir, de se faire du mal",
        label_en="Speaks of dying or self-harm",
        keywords="suicide mourir mort idées noires détresse désespoir 3114 15 112 die suicidal kill despair helpline",
        effect=SituationEffect.DANGER,
        stages=(
            StageText(
                title="Écouter, prendre au sérieux",
                title_en="Listen, take it seriously",
                opens="idées noires, détresse",
                opens_en="dark thoughts, distress",
                fr=(
                    "Je vous entends, et je prends ce que vous dites au sérieux.",
                    "Je reste avec vous. Nous avons tout le temps.",
                    "Voulez-vous me dire ce qui se passe ?",
                ),
                en=(
                    "I hear you, and I take what you say seriously.",
                    "I am staying with you. We have all the time we need.",
                    "Would you like to tell me what is happening?",
                ),
                do="Respirez. Oubliez le sujet de l'appel. Le superviseur est alerté ; ne raccrochez pas.",
                do_en="Breathe. Forget the subject of the call. The supervisor is alerted; do not hang up.",
            ),
            StageText(
                title="Demander simplement",
                title_en="Ask plainly",
                fr=(
                    "Pensez-vous au suicide ?",
                    "Y a-t-il quelqu'un près de vous en ce moment ?",
                    "Où êtes-vous ?",
                ),
                en=(
                    "Are you thinking of suicide?",
                    "Is there anybody near you at the moment?",
                    "Where are you?",
                ),
                do="Poser la question n'aggrave rien. Notez seulement le lieu : il peut servir aux secours.",
                do_en="Asking makes nothing worse. Note only the place: the rescue services may need it.",
            ),
            StageText(
                title="Donner le 3114 et rester présent",
                title_en="Give 3114 and stay present",
                fr=(
                    "Au 3114, on vous écoute jour et nuit, gratuitement. Ce sont des professionnels.",
                    "Voulez-vous que nous restions en ligne pendant que quelqu'un appelle le 3114 pour vous ?",
                    "Qui pourrait venir auprès de vous maintenant ?",
                ),
                en=(
                    "At 3114 somebody listens day and night, free of charge. They are professionals.",
                    "Shall we stay on the line while somebody calls 3114 for you?",
                    "Who could come and be with you now?",
                ),
                do="3114 : gratuit, 24 h sur 24. Par SMS, pour une personne sourde : 114. Ne jugez pas.",
                do_en="3114: free, round the clock. By text message, for a deaf person: 114. Do not judge.",
            ),
            StageText(
                title="Rester en ligne, faire venir les secours",
                title_en="Stay on the line, get help there",
                opens="danger immédiat",
                opens_en="immediate danger",
                fr=(
                    "Je reste avec vous. Des secours peuvent venir : dites-moi où vous êtes.",
                    "Éloignez-vous de ce qui pourrait vous blesser, et parlez-moi.",
                    "Je ne raccroche pas. Nous attendons ensemble.",
                ),
                en=(
                    "I am staying with you. Help can come: tell me where you are.",
                    "Move away from whatever could hurt you, and talk to me.",
                    "I am not hanging up. We are waiting together.",
                ),
                do="Le superviseur appelle le 15 ou le 112 avec le numéro {number} et le lieu. Restez en ligne.",
                do_en="The supervisor calls 15 or 112 with the number {number} and the place. Stay on the line.",
            ),
        ),
    ),
    Playbook(
        code="vulnerable",
        label="Personne vulnérable",
        label_en="Vulnerable person",
        keywords="fragile âgé âgée confus influence faiblesse mémoire vulnérable elderly confused pressure weak memory",
        effect=SituationEffect.VULNERABLE,
        stages=(
            StageText(
                title="Ralentir, ne rien vendre",
                title_en="Slow down, sell nothing",
                opens="hésite, oublie, dit oui à tout",
                opens_en="hesitates, forgets, agrees to anything",
                fr=(
                    "Prenez votre temps. Rien n'est urgent.",
                    "Je ne vous demande aucune décision aujourd'hui.",
                    "Voulez-vous que je reprenne plus simplement ?",
                ),
                en=(
                    "Take your time. Nothing is urgent.",
                    "I am not asking you for any decision today.",
                    "Shall I say it again more simply?",
                ),
                do="Arrêtez toute vente et tout engagement, même si la personne dit oui.",
                do_en="Stop any sale and any commitment, even if the person says yes.",
            ),
            StageText(
                title="Proposer d'en parler à un proche",
                title_en="Suggest speaking to a relative",
                fr=(
                    "Souhaitez-vous en parler d'abord à un proche ?",
                    "Nous pouvons vous envoyer cela par écrit, pour le lire tranquillement.",
                ),
                en=(
                    "Would you like to speak to a relative about it first?",
                    "We can send it to you in writing, to read in your own time.",
                ),
                do="Laissez choisir la personne. N'appelez pas le proche de vous-même.",
                do_en="Let the person choose. Do not call the relative yourself.",
            ),
            StageText(
                title="Demander l'accord de le noter, orienter",
                title_en="Ask leave to note it, point to help",
                fr=(
                    "Puis-je noter qu'il vous faut du temps, pour que chacun chez nous en tienne compte ?",
                    "De quoi auriez-vous besoin pour que ce soit plus facile ?",
                    "Merci de votre confiance. Nous en restons là, sans rien d'engagé.",
                ),
                en=(
                    "May I note that you need more time, so that each of us takes it into account?",
                    "What would make this easier for you?",
                    "Thank you for your trust. We leave it there, with nothing agreed.",
                ),
                do="Sans accord exprès, ne notez rien sur la santé. Puis concluez doucement.",
                do_en="Without explicit leave, note nothing about health. Then close gently.",
            ),
        ),
    ),
    Playbook(
        code="minor",
        label="Un enfant répond",
        label_en="A child answers",
        keywords="mineur enfant jeune ado parents adulte child minor kid teenager adult",
        effect=SituationEffect.MINOR,
        stages=(
            StageText(
                title="Demander un adulte",
                title_en="Ask for an adult",
                opens="voix d'enfant",
                opens_en="a child's voice",
                fr=(
                    "Bonjour, puis-je parler à un adulte de la maison ?",
                    "Bonjour, est-ce qu'une grande personne peut venir au téléphone ?",
                ),
                en=(
                    "Hello, may I speak to an adult of the house?",
                    "Hello, could a grown-up come to the telephone?",
                ),
                do="Ne dites pas l'objet de l'appel, ne posez aucune question, ne notez rien sur l'enfant.",
                do_en="Do not say what the call is about, ask no question, note nothing about the child.",
            ),
            StageText(
                title="Remercier et rappeler plus tard",
                title_en="Thank, and call back later",
                opens="aucun adulte n'est là",
                opens_en="no adult is there",
                fr=(
                    "Merci. Je rappellerai plus tard. Au revoir.",
                    "Merci beaucoup, ce n'est pas grave. Je rappellerai. Au revoir.",
                ),
                en=(
                    "Thank you. I will call again later. Goodbye.",
                    "Thank you very much, no harm done. I will call again. Goodbye.",
                ),
                do="Ne demandez pas quand les parents rentrent. Prévoyez un rappel et laissez raccrocher.",
                do_en="Do not ask when the parents come home. Plan a callback and let the child hang up.",
            ),
        ),
    ),
    Playbook(
        code="bereavement",
        label="Deuil, personne décédée",
        label_en="Bereavement, the person has died",
        keywords="décès mort deuil décédé veuf veuve obsèques death died dead grief widow funeral",
        effect=SituationEffect.BEREAVEMENT,
        stages=(
            StageText(
                title="Présenter ses condoléances",
                title_en="Offer condolences",
                fr=(
                    "Je vous présente toutes mes condoléances.",
                    "Je vous présente mes condoléances, et mes excuses pour cet appel.",
                ),
                en=(
                    "Please accept my condolences.",
                    "Please accept my condolences, and my apologies for this call.",
                ),
                do="Laissez un silence. Ne demandez plus la personne, ne comparez à rien, ne pressez pas.",
                do_en="Leave a silence. Do not ask for the person again, compare with nothing, do not rush.",
            ),
            StageText(
                title="Retirer le numéro, sans démarche",
                title_en="Take the number out, nothing to do",
                fr=(
                    "Je retire ce numéro de nos appels. Vous n'aurez rien à faire.",
                    "Nous ne vous appellerons plus à ce sujet. Je m'en occupe tout de suite.",
                ),
                en=(
                    "I am taking this number out of our calls. You will have nothing to do.",
                    "We will not call you about this again. I am seeing to it now.",
                ),
                do="Toutes les tâches et tous les rappels de la personne sont clos, partout.",
                do_en="Every task and callback of the person is closed, everywhere.",
            ),
            StageText(
                title="Proposer une aide, plus tard",
                title_en="Offer help, later",
                fr=(
                    "Souhaitez-vous que quelqu'un vous explique la suite, à un moment qui vous convient ?",
                    "Merci de nous l'avoir dit. Je vous souhaite beaucoup de courage. Au revoir.",
                ),
                en=(
                    "Would you like somebody to explain what follows, at a time that suits you?",
                    "Thank you for telling us. I wish you much strength. Goodbye.",
                ),
                do="Proposez une seule fois, puis prenez congé et laissez raccrocher.",
                do_en="Offer it once, then take your leave and let them hang up.",
            ),
        ),
    ),
    Playbook(
        code="driving",
        label="La personne conduit",
        label_en="The person is driving",
        keywords="volant voiture route conduire moto circulation driving car road wheel traffic",
        effect=SituationEffect.DRIVING,
        stages=(
            StageText(
                title="Rendez-vous, et fin en dix secondes",
                title_en="Appointment, and end in ten seconds",
                fr=(
                    "Je ne veux pas vous mettre en danger : je vous rappelle. Quand cela vous convient-il ?",
                    "Votre sécurité d'abord. Je vous rappelle plus tard. Bonne route.",
                ),
                en=(
                    "I do not want to put you in danger: I will call back. When would suit you?",
                    "Your safety first. I will call you back later. Drive safely.",
                ),
                do="Une heure si elle vient d'elle-même, sinon aucune. Dix secondes, puis raccrochez.",
                do_en="A time if it comes by itself, otherwise none. Ten seconds, then hang up.",
                may_end=True,
            ),
        ),
    ),
)
