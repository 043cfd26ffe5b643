"""Pages of this app. Resources in English; the HTTP method is the verb."""

from django.urls import path

from campaigns.views import (
    campaigns,
    changes,
    dispositions,
    entries,
    exclusions,
    imports,
    lifting,
    lists,
    programmes,
    settings,
    words,
)

urlpatterns = [
    path("programmes/", programmes.programme_list, name="programme-list"),
    path("programmes/new/", programmes.programme_new, name="programme-new"),
    path("programmes/<int:pk>/", programmes.programme, name="programme"),
    path("programmes/<int:pk>/edition/", programmes.programme_edit, name="programme-edit"),
    path("programmes/<int:pk>/criteria/", programmes.criterion_new, name="criterion-new"),
    path("programmes/<int:pk>/criteria/preview/", programmes.criterion_preview, name="criterion-preview"),
    path("programmes/<int:pk>/criteria/records/", programmes.criterion_records, name="criterion-records"),
    path("criteria/<int:pk>/", programmes.criterion, name="criterion"),
    path("criteria/<int:pk>/retirement/", programmes.criterion_retirement, name="criterion-retirement"),
    path("campaigns/", campaigns.campaign_list, name="campaign-list"),
    path("campaigns/new/", settings.campaign_new, name="campaign-new"),
    path("campaigns/<slug:slug>/edition/", settings.campaign_edit, name="campaign-edit"),
    path("campaigns/<slug:slug>/status/", settings.campaign_status, name="campaign-status"),
    path("campaigns/<slug:slug>/queue/", campaigns.campaign_queue, name="campaign-queue"),
    path("campaigns/<slug:slug>/words/", words.words, name="words"),
    path("campaigns/<slug:slug>/words/preview/", words.words_preview, name="words-preview"),
    path(
        "campaigns/<slug:slug>/closing-steps/<str:language>/<str:kind>/<str:step>/",
        words.closing_step,
        name="closing-step",
    ),
    path("campaigns/<slug:slug>/scripts/<str:language>/<str:kind>/", words.script, name="script"),
    path("campaigns/<slug:slug>/dispositions/", dispositions.dispositions, name="dispositions"),
    path(
        "campaigns/<slug:slug>/dispositions/<slug:code>/", dispositions.disposition, name="disposition-rule"
    ),
    path("campaigns/<slug:slug>/entries/", entries.entry_list, name="entry-list"),
    path("campaigns/<slug:slug>/entries/<int:pk>/removal/", entries.entry_removal, name="entry-removal"),
    path("campaigns/<slug:slug>/removal/", lists.entries_removal, name="entries-removal"),
    path("campaigns/<slug:slug>/reset/", lists.list_reset, name="list-reset"),
    path("campaigns/<slug:slug>/imports/", imports.import_new, name="import-new"),
    path("imports/<int:pk>/", imports.import_page, name="import"),
    path("imports/<int:pk>/progress/", imports.import_progress, name="import-progress"),
    path("imports/<int:pk>/rejects/", imports.import_rejects, name="import-rejects"),
    path("imports/<int:pk>/undo/", imports.import_undo, name="import-undo"),
    path("sources/<int:pk>/imports/", imports.source_imports, name="source-imports"),
    path("changes/", changes.change_list, name="change-list"),
    path("changes/<int:pk>/", changes.change, name="change"),
    path("exclusions/", exclusions.exclusion_list, name="exclusion-list"),
    path("exclusions/export/", exclusions.exclusion_export, name="exclusion-export"),
    path("exclusions/new/", exclusions.exclusion_new, name="exclusion-new"),
    path("exclusions/<int:pk>/", exclusions.exclusion, name="exclusion"),
    path("exclusions/<int:pk>/lift/", lifting.exclusion_lift, name="exclusion-lift"),
]
