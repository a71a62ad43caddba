"""A card that says to report a reaction opens the form on the record it is about."""

from __future__ import annotations

from lab39.core.lab import Lab


def test_the_card_of_a_demonstration_opens_the_form_on_its_example(open_lab, settings):
    client = open_lab(lab=Lab.discover(settings, only=("pharmacy", "signals")))
    page = client.get("/demo/running-story").text
    assert "Pharmacie · Pharmacovigilance" in page
    assert '<a href="/signals/report?example=running-story">' in page
    form = client.get("/signals/report?example=running-story")
    assert form.status_code == 200
    assert "llopurinol" in form.text
