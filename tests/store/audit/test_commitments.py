"""Canonical JSON as RFC 8785 has it, and commitments that tell nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab39.store.audit.commitments import CanonicalError, canonical, commit, new_salt

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def test_golden_order_of_keys_of_rfc_8785():
    """RFC 8785, 3.2.3: sorted by UTF-16 code units."""
    given = {
        "\u20ac": "Euro Sign",
        "\r": "Carriage Return",
        "\ufb33": "Hebrew Letter Dalet With Dagesh",
        "1": "One",
        "\U0001f600": "Emoji: Grinning Face",
        "\u0080": "Control",
        "\u00f6": "Latin Small Letter O With Diaeresis",
    }
    order = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
    assert list(json.loads(canonical(given))) == order


def test_golden_text_of_rfc_8785():
    """RFC 8785, 3.2.2 and 3.2.4: its example, without its floats."""
    given = {"string": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/", "literals": [None, True, False]}
    expected = r'{"literals":[null,true,false],"string":"€$\u000f\nA' + "'" + r'B\"\\\\\"/"}'
    assert canonical(given) == expected.encode()


@given(values)
def test_canonical_text_reads_back_and_is_stable(value: Any):
    text = canonical(value)
    assert json.loads(text) == value
    assert canonical(json.loads(text)) == text


@given(st.dictionaries(st.text(), st.integers(0, 9)))
def test_the_order_in_which_keys_came_does_not_matter(value: dict[str, int]):
    assert canonical(dict(reversed(value.items()))) == canonical(value)


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"a": [1, {"dose": 1.5}]}, "$.a[1].dose"),
        ({"a": float("nan")}, "$.a"),
        ([2**53], "$[0]"),
        ({1: "a"}, "$"),
        ({"a": b"x"}, "$.a"),
        ({"a": {1, 2}}, "$.a"),
        (["\ud800"], "$[0]"),
        ({"\udc00": 1}, "$"),
    ],
)
def test_a_value_without_canonical_text_is_refused_with_its_place(value: Any, place: str):
    with pytest.raises(CanonicalError) as caught:
        canonical(value)
    assert caught.value.place == place


def test_golden_commitment():
    """SHA-256 of 32 zero bytes and ``{}``, by sha256sum."""
    assert commit(bytes(32), b"{}").hex() == "fb1634c4e6cd4b1f1afe3ce2d6ef080f7ac5d1f357d723ad4dfca782733b62db"


def test_a_salt_of_another_length_is_refused():
    with pytest.raises(ValueError, match="32 bytes"):
        commit(bytes(31), b"x{}")


def test_salts_differ():
    assert len({new_salt() for _ in range(100)}) == 100
