"""The evidence card: a claim, its figures beside those of peers, and its limits, in both languages."""

from __future__ import annotations

import pytest

from lab39.core.evidence import EvidenceCard, Measured
from lab39.core.text import Text

CARD = """
command = "benchmarks/x.py"
measured_on = "2026-11-24"
claim = { fr = "Il range", en = "It ranks" }
intended_use = { fr = "Pour", en = "For" }
limit = [{ fr = "une limite", en = "a limit" }]

[[figure]]
n = 10
unit = "fraction"
metric = { fr = "justesse", en = "accuracy" }
dataset = { fr = "cas", en = "cases" }
label = { fr = "circulaire", en = "circular" }
ours = { value = 0.5, interval = [0.4, 0.6] }
peer = [{ name = "Peer", value = 0.25, source = "same run" }]

[[published]]
name = "Other"
text = { fr = "0,3 selon eux", en = "0.3 by their account" }
"""


def test_a_card_is_read_in_full():
    card = EvidenceCard.from_toml(CARD)
    assert card.claim == Text("Il range", "It ranks")
    assert card.limits == (Text("une limite", "a limit"),)
    assert card.published == (("Other", Text("0,3 selon eux", "0.3 by their account")),)
    (figure,) = card.figures
    assert figure.ours == Measured("Lab39", 0.5, 0.4, 0.6)
    assert figure.peers == (Measured("Peer", 0.25, source="same run"),)
    assert figure.label == Text("circulaire", "circular")
    assert (figure.n, figure.synthetic, figure.lower_is_better) == (10, False, False)


@pytest.mark.parametrize(
    ("cut", "instead"),
    [
        ('claim = { fr = "Il range", en = "It ranks" }', ""),
        ('claim = { fr = "Il range", en = "It ranks" }', 'claim = { fr = "Il range" }'),
        ('intended_use = { fr = "Pour", en = "For" }', ""),
        ('command = "benchmarks/x.py"', ""),
        ('limit = [{ fr = "une limite", en = "a limit" }]', ""),
        ('limit = [{ fr = "une limite", en = "a limit" }]', "limit = []"),
        ("n = 10", ""),
        ("n = 10", "n = 0"),
        ("interval = [0.4, 0.6]", "interval = [0.6, 0.7]"),
        ("interval = [0.4, 0.6]", "interval = [0.4]"),
        ("value = 0.25", "value = nan"),
        ("value = 0.25", 'value = "high"'),
    ],
)
def test_a_card_that_lacks_a_part_or_cannot_be_true_is_refused(cut, instead):
    assert cut in CARD
    with pytest.raises((KeyError, ValueError)):
        EvidenceCard.from_toml(CARD.replace(cut, instead))
