"""Playbooks of delicate situations, as data: what to say and to do, stage by stage, and where the call may end.

Sentences are our own. A playbook opens at the severity that is heard: every stage with `opens` is a way in.
"""

from calls.rules.playbooks.abuse import ABUSE
from calls.rules.playbooks.care import CARE
from calls.rules.playbooks.requests import REQUESTS
from calls.rules.playbooks.shape import Playbook, StageText
from calls.rules.playbooks.understanding import UNDERSTANDING

__all__ = ["PLAYBOOKS", "Playbook", "StageText"]

#: As delivered, in the order of the palette inside its groups (`calls.rules.palette`).
PLAYBOOKS: tuple[Playbook, ...] = (*CARE, *ABUSE, *REQUESTS, *UNDERSTANDING)
