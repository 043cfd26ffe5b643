"""API routes of this app, below /api/v1/."""

from django.urls import URLPattern, URLResolver, path

from campaigns.api import campaigns, dnc, entries, exclusions, imports, programmes, prospects_bulk

urlpatterns: list[URLPattern | URLResolver] = [
    path("programmes/", programmes.ProgrammeList.as_view(), name="api-programmes"),
    path("programmes/<int:pk>/", programmes.ProgrammeDetail.as_view(), name="api-programme"),
    path("programmes/<int:pk>/criteria/", programmes.CriterionList.as_view(), name="api-criteria"),
    path(
        "programmes/<int:pk>/criteria/<int:criterion_pk>/",
        programmes.CriterionDetail.as_view(),
        name="api-criterion",
    ),
    path("campaigns/", campaigns.CampaignList.as_view(), name="api-campaigns"),
    path("campaigns/<int:pk>/", campaigns.CampaignDetail.as_view(), name="api-campaign"),
    path("campaigns/<int:pk>/start/", campaigns.CampaignStart.as_view(), name="api-campaign-start"),
    path("campaigns/<int:pk>/pause/", campaigns.CampaignPause.as_view(), name="api-campaign-pause"),
    path("campaigns/<int:pk>/close/", campaigns.CampaignClose.as_view(), name="api-campaign-close"),
    path("campaigns/<int:pk>/queue/", campaigns.CampaignQueue.as_view(), name="api-campaign-queue"),
    path(
        "campaigns/<int:pk>/dispositions/",
        campaigns.CampaignDispositions.as_view(),
        name="api-campaign-dispositions",
    ),
    path(
        "campaigns/<int:pk>/closing-steps/",
        campaigns.CampaignClosingSteps.as_view(),
        name="api-campaign-closing-steps",
    ),
    path("campaigns/<int:pk>/entries/", entries.EntryList.as_view(), name="api-entries"),
    path("campaigns/<int:pk>/entries/<int:entry_pk>/", entries.EntryDetail.as_view(), name="api-entry"),
    path("campaigns/<int:pk>/imports/", imports.ImportList.as_view(), name="api-imports"),
    path("imports/<int:pk>/", imports.ImportDetail.as_view(), name="api-import"),
    path("imports/<int:pk>/rejects/", imports.ImportRejects.as_view(), name="api-import-rejects"),
    path("imports/<int:pk>/undo/", imports.ImportUndo.as_view(), name="api-import-undo"),
    path("prospects/bulk/", prospects_bulk.ProspectBulk.as_view(), name="api-prospects-bulk"),
    path("exclusions/", exclusions.ExclusionList.as_view(), name="api-exclusions"),
    path("exclusions/check/", exclusions.ExclusionCheck.as_view(), name="api-exclusions-check"),
    path("exclusions/bulk/", exclusions.ExclusionBulk.as_view(), name="api-exclusions-bulk"),
    path("exclusions/dnc/", dnc.ExclusionDnc.as_view(), name="api-exclusions-dnc"),
    path("exclusions/<int:pk>/", exclusions.ExclusionDetail.as_view(), name="api-exclusion"),
    path("exclusions/<int:pk>/lift/", exclusions.ExclusionLift.as_view(), name="api-exclusion-lift"),
    path("contactability/", exclusions.Contactability.as_view(), name="api-contactability"),
]
