"""API routes of this app, below /api/v1/."""

from django.urls import URLPattern, URLResolver, path

from calls.api import bans, calls, changes, export, inbox, lines, prospects, reports

VERBS = {
    "dial": calls.CallDial,
    "greet": calls.CallGreet,
    "handover": calls.CallHandover,
    "events": calls.CallEvents,
    "criteria": calls.CallCriteria,
    "closing": calls.CallClosing,
    "situations": calls.CallSituations,
    "driving": calls.CallDriving,
    "disposition": calls.CallDisposition,
    "finish": calls.CallFinish,
    "release": calls.CallRelease,
    "lease": calls.CallLease,
    "note": calls.CallNote,
    "wishes": calls.CallWish,
    "help": calls.CallHelp,
    "correction-request": calls.CallCorrectionRequest,
    "correction": calls.CallCorrection,
    "supervisor-release": calls.CallSupervisorRelease,
}

urlpatterns: list[URLPattern | URLResolver] = [
    path("changes/", changes.ChangeFeed.as_view(), name="api-changes"),
    path("campaigns/<int:pk>/next-call/", calls.NextCall.as_view(), name="api-next-call"),
    path("calls/", calls.CallList.as_view(), name="api-calls"),
    path("calls/dial/", calls.ManualDial.as_view(), name="api-manual-dial"),
    path("calls/events/", lines.LineEvents.as_view(), name="api-line-events"),
    path("calls/<int:pk>/", calls.CallDetail.as_view(), name="api-call"),
    *(
        path(f"calls/<int:pk>/{verb}/", view.as_view(), name=f"api-call-{verb}")
        for verb, view in VERBS.items()
    ),
    path("callbacks/", inbox.CallbackList.as_view(), name="api-callbacks"),
    path("callbacks/<int:pk>/", inbox.CallbackDetail.as_view(), name="api-callback"),
    path("bans/", bans.BanList.as_view(), name="api-bans"),
    path("bans/<int:pk>/", bans.BanDetail.as_view(), name="api-ban"),
    path("bans/<int:pk>/approve/", bans.BanApprove.as_view(), name="api-ban-approve"),
    path("bans/<int:pk>/decide/", bans.BanDecide.as_view(), name="api-ban-decide"),
    path("bans/<int:pk>/lift/", bans.BanLift.as_view(), name="api-ban-lift"),
    path("bans/<int:pk>/appeal/", bans.BanAppeals.as_view(), name="api-ban-appeal"),
    path("incidents/", inbox.IncidentList.as_view(), name="api-incidents"),
    path("incidents/<int:pk>/", inbox.IncidentDetail.as_view(), name="api-incident"),
    path("incidents/<int:pk>/answers/", inbox.IncidentAnswers.as_view(), name="api-incident-answers"),
    path("incidents/<int:pk>/decide/", inbox.IncidentDecide.as_view(), name="api-incident-decide"),
    path("reports/day/", reports.DayReport.as_view(), name="api-report-day"),
    path("reports/campaigns/<int:pk>/", reports.CampaignReport.as_view(), name="api-report-campaign"),
    path("reports/courtesy/", reports.CourtesyReport.as_view(), name="api-report-courtesy"),
    path("reports/sources/", reports.SourceReports.as_view(), name="api-report-sources"),
    path("reports/sources/<int:pk>/", reports.SourceReport.as_view(), name="api-report-source"),
    path("reports/imports/", reports.ImportReports.as_view(), name="api-report-imports"),
    path("prospects/<int:pk>/", prospects.ProspectOfCalls.as_view(), name="api-prospect"),
    path("prospects/<int:pk>/export/", export.ProspectExport.as_view(), name="api-prospect-export"),
]
