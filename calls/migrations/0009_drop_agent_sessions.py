"""Drop the working sessions of agents: nothing opened one and nothing read them."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("calls", "0008_ask_history_when_it_matters")]

    operations = [migrations.DeleteModel(name="AgentSession")]
