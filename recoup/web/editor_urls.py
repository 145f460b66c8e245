"""Addresses of the editor of processes."""

from django.urls import URLPattern, URLResolver, path

from recoup.web.views import (
    editor,
    editor_canvas,
    editor_examples,
    editor_files,
    editor_forms,
    editor_import,
    editor_publish,
    moving,
    process_step,
    walking,
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("processes/new/", editor_files.new, name="process_new"),
    path("processes/import/", editor_import.take_in, name="process_import"),
    path("processes/<int:process_id>/export/", editor_import.export, name="process_export"),
    path("processes/<int:process_id>/publish/", editor_publish.publish, name="process_publish"),
    path("processes/<int:process_id>/walk/", walking.try_out, name="process_walk"),
    path("processes/<int:process_id>/move/", moving.move, name="process_move"),
    path("processes/<int:process_id>/moves/<int:move_id>/", moving.moving, name="process_moving"),
    path(
        "processes/<int:process_id>/moves/<int:move_id>/cancel/", moving.cancel, name="process_moving_cancel"
    ),
    path("processes/<int:process_id>/edit/", editor.edit, name="process_edit"),
    path("processes/<int:process_id>/edit/canvas/", editor_canvas.canvas, name="process_canvas"),
    path("processes/<int:process_id>/counts/", process_step.counts, name="process_counts"),
    path("processes/<int:process_id>/inside/", process_step.inside, name="process_inside"),
    path("processes/<int:process_id>/steps/<slug:block>/", process_step.step, name="process_step"),
    path("processes/<int:process_id>/edit/name/", editor_forms.name, name="process_edit_name"),
    path("processes/<int:process_id>/edit/entry/", editor_forms.entry, name="process_edit_entry"),
    path("processes/<int:process_id>/edit/goals/", editor_forms.goals, name="process_edit_goals"),
    path("processes/<int:process_id>/edit/insert/", editor_forms.insert, name="process_edit_insert"),
    path("processes/<int:process_id>/edit/insert/<slug:kind>/", editor_forms.new, name="process_edit_new"),
    path(
        "processes/<int:process_id>/edit/steps/<slug:block>/", editor_forms.block, name="process_edit_block"
    ),
    path("processes/<int:process_id>/edit/remove/", editor.remove, name="process_edit_remove"),
    path("processes/<int:process_id>/edit/copy/", editor.copy, name="process_edit_copy"),
    path("processes/<int:process_id>/edit/examples/", editor_examples.examples, name="process_edit_examples"),
    path("processes/<int:process_id>/edit/move/", editor.move, name="process_edit_move"),
    path("processes/<int:process_id>/edit/lead/", editor.lead, name="process_edit_lead"),
    path("processes/<int:process_id>/edit/step/", editor.step, name="process_edit_step"),
    path("processes/<int:process_id>/edit/discard/", editor.discard, name="process_edit_discard"),
]
