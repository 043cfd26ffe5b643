"""A call for the supervisor: a kind of incident, and a line of the history."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('calls', '0011_drop_doubled_indexes'),
    ]

    operations = [
        migrations.AlterField(
            model_name='callevent',
            name='kind',
            field=models.CharField(choices=[('claimed', 'Fiche présentée'), ('released', 'Fiche rendue'), ('expired', 'Réservation échue'), ('dialled', 'Numéro composé'), ('ringing', 'Sonnerie'), ('answered', 'Décroché'), ('not_reached', 'Pas joint'), ('greeted', 'Accueil dit'), ('handover', 'Passé à une autre personne'), ('criterion', 'Critère répondu'), ('closing_started', 'Clôture commencée'), ('closing_step', 'Phrase de clôture dite'), ('closing_interrupted', 'Clôture interrompue'), ('line_dead', 'Ligne silencieuse'), ('situation', "Étape d'une situation délicate"), ('hung_up', 'Fin de la communication'), ('hang_up_explained', "Fin expliquée par l'agent"), ('disposition', 'Qualifié'), ('corrected', 'Qualification corrigée'), ('correction_asked', 'Correction demandée'), ('supervisor_asked', 'Superviseur appelé'), ('supervisor_released', 'Libéré par le superviseur'), ('note', 'Note'), ('wish', 'Souhait noté')], max_length=20),
        ),
        migrations.AlterField(
            model_name='incident',
            name='kind',
            field=models.CharField(choices=[('help', 'Un agent vous appelle'), ('hang_up_review', "Fin d'appel à revoir"), ('shared_number', 'Numéro partagé : peut-on appeler les autres ?'), ('entry_error', 'Erreur de saisie à corriger'), ('expired_call', 'Appel resté ouvert'), ('resourcing', "Fiche à pourvoir d'un autre numéro"), ('abuse', 'Propos abusifs'), ('other', 'Autre')], max_length=16),
        ),
    ]
