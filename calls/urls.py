"""Pages of this app. Addresses are resources; the method is the verb."""

from django.urls import path

from calls.views import call, callbacks, campaigns, desk, erasure, home, inbox, prospects, sources, tour

urlpatterns = [
    path("", home.home, name="home"),
    path("campaigns/<slug:slug>/", campaigns.campaign, name="campaign"),
    path("tour/", tour.tour, name="tour"),
    path("desk/", desk.desk, name="desk"),
    path("desk/next-call/", desk.next_call, name="desk-next-call"),
    path("desk/manual-call/", desk.manual_call, name="desk-manual-call"),
    path("desk/pause/", desk.pause, name="desk-pause"),
    path("desk/phone/", desk.phone, name="desk-phone"),
    path("logout/", desk.sign_out, name="logout"),
    path("calls/<int:pk>/", call.call, name="call"),
    path("calls/<int:pk>/dial/", call.dial_number, name="call-dial"),
    path("calls/<int:pk>/greet/", call.greet, name="call-greet"),
    path("calls/<int:pk>/handover/", call.hand_over, name="call-handover"),
    path("calls/<int:pk>/events/", call.events, name="call-events"),
    path("calls/<int:pk>/criteria/", call.criteria, name="call-criteria"),
    path("calls/<int:pk>/closing/", call.closing_step, name="call-closing"),
    path("calls/<int:pk>/situations/", call.situations, name="call-situations"),
    path("calls/<int:pk>/situation-effect/", call.situation_effect, name="call-situation-effect"),
    path("calls/<int:pk>/fiche/", call.fiche, name="call-fiche"),
    path("calls/<int:pk>/disposition/", call.disposition, name="call-disposition"),
    path("calls/<int:pk>/callback-preview/", callbacks.callback_preview, name="call-callback-preview"),
    path("calls/<int:pk>/release/", call.release, name="call-release"),
    path("calls/<int:pk>/lease/", call.renew_lease, name="call-lease"),
    path("calls/<int:pk>/note/", call.note, name="call-note"),
    path("calls/<int:pk>/wishes/", call.wishes, name="call-wishes"),
    path("calls/<int:pk>/help/", call.supervisor_help, name="call-help"),
    path("calls/<int:pk>/completion/", call.completion, name="call-completion"),
    path("calls/<int:pk>/correction-request/", call.correction_request, name="call-correction-request"),
    path("inbox/", inbox.inbox, name="inbox"),
    path("inbox/news/", inbox.inbox_news, name="inbox-news"),
    path("inbox/<int:pk>/", inbox.incident, name="incident"),
    path("inbox/<int:pk>/decision/", inbox.incident_decision, name="incident-decision"),
    path("sources/quality/", sources.source_quality, name="source-quality"),
    path("prospects/<int:pk>/", prospects.prospect, name="prospect"),
    path("prospects/<int:pk>/campaigns/", prospects.prospect_campaigns, name="prospect-campaigns"),
    path("prospects/<int:pk>/erasure/", erasure.prospect_erasure, name="prospect-erasure"),
]
