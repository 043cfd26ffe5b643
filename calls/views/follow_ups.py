"""Follow-ups by e-mail from the call's screen."""

from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext as _

from calls.forms import FollowUpForm
from calls.models import Call
from calls.services.follow_ups import write_follow_up
from calls.views.call import call_verb
from calls.views.refusals import checked
from crm.models import User


@call_verb
def follow_ups(request: HttpRequest, user: User, call: Call, at: datetime) -> Call:
    """Write to the person of the call; a worker sends it."""
    told = checked(FollowUpForm(request.POST))
    written = write_follow_up(
        call=call, template_id=told["template"], to=told["email"], key=told["key"], by=user, at=at
    )
    messages.success(request, _("L'e-mail part à %(address)s.") % {"address": written.to})
    return written.call
