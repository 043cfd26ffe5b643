"""The delivered lists of words that a note is checked for: ours, French and English. Managers edit them.

An entry is found with its feminine and plural; `=mot` as it is, `mot*` with any ending, an acronym only in capitals.
Words that trades and names use every day ("santé", "hôpital", "étranger") are left out: a check that cries at each call
is no longer read.
"""

from dataclasses import dataclass

from calls.enums import NoteCategory


@dataclass(frozen=True, slots=True)
class DeliveredList:
    """A list as it is delivered: entries and exceptions separated by commas, and the wording that is offered."""

    category: NoteCategory
    language: str
    neutral: str
    words: str
    exceptions: str = ""


WORD_LISTS = (
    DeliveredList(
        NoteCategory.INSULT,
        "fr",
        "échange difficile",
        "connard, connasse, =con, =cons, =conne, =connes, sale con, gros con, pute, putain, salope, salaud, "
        "salopard, enculé, enfoiré, abruti, crétin, débile, imbécile, idiot, bouffon, pétasse, grognasse, "
        "casse-couilles, chieur, emmerdeur, mongolien, attardé, dégénéré, raclure, ordure, crevard, "
        "boloss, bâtard, grosse vache, vieille peau, sale type, gros lard, =cinglé, =cinglée, mégère, escroc, raciste, "
        "misogyne, xénophobe",
        "ordures ménagères, ordure ménagère, collecte des ordures, =con call, pain bâtard, propos racistes, propos "
        "raciste, insultes racistes, insulte raciste, remarque raciste, remarques racistes, propos misogynes, propos "
        "xénophobes",
    ),
    DeliveredList(
        NoteCategory.INSULT,
        "en",
        "a difficult exchange",
        "asshole, arsehole, bastard, bitch, bullshit, cretin, cunt, dickhead, douchebag, dumbass, fucker, fucking, "
        "idiot, imbecile, jackass, moron, motherfucker, prick, scumbag, shithead, slut, =twat, wanker, whore",
    ),
    DeliveredList(
        NoteCategory.HEALTH,
        "fr",
        "la personne n'est pas disponible en ce moment",
        "cancer, cancéreux, tumeur, leucémie, chimiothérapie, chimio, dépression, dépressif, bipolaire, "
        "schizophrène, schizophrénie, paranoïaque, suicidaire, anorexique, boulimique, autiste, trisomique, "
        "alcoolique, alcoolisme, toxicomane, drogué, séropositif, VIH, =sida, hépatite, diabète, diabétique, "
        "épileptique, épilepsie, AVC, infarctus, dialyse, sclérose en plaques, fibromyalgie, =Alzheimer, "
        "=Parkinson, démence, sénile, handicapé, malade, maladie, arrêt maladie, grossesse, fausse couche, "
        "ménopause, est enceinte, suis enceinte, femme enceinte, épouse enceinte, tombée enceinte, hospitalisé, en "
        "psychiatrie, suit un traitement, tumoral, burn-out, burnout",
        "assurance maladie, caisse primaire d'assurance maladie, ligue contre le cancer, lutte contre le cancer, "
        "recherche contre le cancer, institut du cancer, centre du cancer, france alzheimer, france parkinson, "
        "association des diabétiques, tropique du cancer, ligue nationale contre le cancer, personnes handicapées, "
        "travailleurs handicapés, maladie de la vigne, maladie professionnelle",
    ),
    DeliveredList(
        NoteCategory.HEALTH,
        "en",
        "the person is not available at the moment",
        "=depressed, =bipolar, schizophrenic, schizophrenia, suicidal, anorexic, autistic, alcoholic, drug addict, "
        "HIV, =AIDS, hepatitis, diabetic, epileptic, chemotherapy, dementia, =pregnant, pregnancy, miscarriage, "
        "=disabled, mentally ill, heart attack, on sick leave",
        "cancer research, cancer charity, number disabled, account disabled",
    ),
    DeliveredList(
        NoteCategory.RELIGION,
        "fr",
        "préférence personnelle à respecter",
        "juif, musulman, catholique, =protestant, =protestante, chrétien, évangélique, bouddhiste, hindouiste, "
        "athée, islam, islamique, islamiste, judaïsme, ramadan, shabbat, kippa, voilé, rabbin, =imam, =foi, "
        "circoncis, témoin de Jéhovah, très croyant, fait sa prière, va à la messe, va à la mosquée, va à la "
        "synagogue",
        "bonne foi, mauvaise foi, ma foi, fait foi, faisant foi, faire foi, font foi, en protestant, école "
        "catholique, lycée catholique, enseignement catholique, institut catholique, secours catholique, presse "
        "catholique, première foi, acier voilé, roue voilée, disque voilé",
    ),
    DeliveredList(
        NoteCategory.RELIGION,
        "en",
        "a personal preference to be respected",
        "jew, jewish, muslim, islamic, catholic, =protestant, buddhist, hindu, atheist, evangelical, jehovah's "
        "witness, very religious",
        "catholic school, catholic university",
    ),
    DeliveredList(
        NoteCategory.OPINION,
        "fr",
        "ne souhaite pas aborder ce sujet",
        "CGT, =cgt, CFDT, =cfdt, CFTC, =cftc, CFE-CGC, UNSA, =FO, FSU, syndiqué, syndicaliste, délégué syndical, "
        "militant syndical, communiste, socialiste, gaulliste, macroniste, lepéniste, mélenchoniste, zemmouriste, "
        "trotskiste, anarchiste, royaliste, fasciste, =facho, =fachos, gauchiste, =gaucho, =gauchos, extrême "
        "droite, extrême gauche, franc-maçon, gilet jaune, vote à gauche, vote à droite, vote Le Pen, vote Macron, "
        "vote Mélenchon, électeur du Front national",
        "parti socialiste, parti communiste, bourse du travail CGT, =gilet jaune de sécurité",
    ),
    DeliveredList(
        NoteCategory.OPINION,
        "en",
        "does not wish to discuss this",
        "trade unionist, union member, union rep, communist, fascist, far right, far left, votes labour, votes "
        "tory, labour voter, tory voter, freemason",
    ),
    DeliveredList(
        NoteCategory.SEXUALITY,
        "fr",
        "détail personnel non noté",
        "homosexuel, lesbienne, =gay, =gays, bisexuel, transsexuel, transgenre, pédé, gouine, tapette, =homo, "
        "=homos, infidèle, adultère, nymphomane, libertin, échangiste, orientation sexuelle, vie sexuelle, sa "
        "maîtresse, son amant, travelo",
        "tapette à mouches, tapette à souris, homo sapiens",
    ),
    DeliveredList(
        NoteCategory.SEXUALITY,
        "en",
        "a personal detail, not noted",
        "homosexual, lesbian, =gay, =gays, bisexual, transgender, transsexual, faggot, dyke, sex life, sexual "
        "orientation, adulterer, having an affair",
    ),
    DeliveredList(
        NoteCategory.ORIGIN,
        "fr",
        "détail personnel non noté",
        "nègre, négro, bougnoule, youpin, bicot, chinetoque, niakoué, bamboula, romanichel, gitan, manouche, "
        "tzigane, maghrébin, =arabe, =arabes, immigré, sans-papiers, clandestin, métis, type africain, type "
        "asiatique, accent africain, accent maghrébin, accent arabe, origine africaine, origine maghrébine, "
        "origine arabe, origine asiatique, origine turque, personne de couleur, =un noir, =une noire",
        "parle arabe, parler arabe, en arabe, langue arabe, l'arabe, ligue arabe, institut du monde arabe, émirats "
        "arabes, passager clandestin, jazz manouche",
    ),
    DeliveredList(
        NoteCategory.ORIGIN,
        "en",
        "a personal detail, not noted",
        "nigger, negro, chink, paki, =gypsy, =gypsies, illegal immigrant, foreign accent, african accent, arab "
        "accent, asian-looking",
    ),
)
