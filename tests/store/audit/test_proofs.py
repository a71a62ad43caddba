"""A proof convinces somebody who has the lab's public key and no database; a false one convinces nobody."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from benchmarks.prove_audit import _disarm
from tests.store.audit.examples import AT, add, filled

from lab39.core.errors import InputError
from lab39.settings import Settings
from lab39.store import Store, audit
from lab39.store.audit import heads, keys, proofs
from lab39.store.audit.log import log
from lab39.store.audit.proofs import ProofError

Proof = dict[str, Any]


def signed(store: Store, settings: Settings, *counts: int) -> tuple[heads.Head, ...]:
    for count in counts:
        filled(store, count)
        heads.sign(store, settings)
    return heads.read(settings.heads)[0]


def inclusion(store: Store, number: int, known: tuple[heads.Head, ...]) -> Proof:
    with store.reading() as tx:
        return json.loads(json.dumps(proofs.inclusion(tx, number, known)))


def check(proof: Mapping[str, Any], settings: Settings) -> proofs.Proved:
    return proofs.verify(proof, keys.trusted(settings.keys), "proof.json")


@pytest.mark.parametrize("number", [1, 2, 128, 256, 257, 299, 300])
def test_an_entry_is_proved_against_the_first_head_that_covers_it(number: int, store: Store, settings: Settings):
    known = signed(store, settings, 260, 40)
    proved = check(inclusion(store, number, known), settings)
    assert proved.head == known[0 if number <= 260 else 1]
    assert proved.entry is not None
    assert proved.entry["number"] == proved.number == number


def test_an_erased_entry_is_proved_to_have_been_there_and_says_nothing(store: Store, settings: Settings):
    known = signed(store, settings, 10)
    with store.writing() as tx:
        audit.forget(tx, "r1", at=AT)
    proof = inclusion(store, 2, known)
    assert (proof["salt"], proof["entry"]) == (None, None)
    assert check(proof, settings).entry is None


def test_a_head_is_proved_to_continue_an_older_one(store: Store, settings: Settings):
    known = signed(store, settings, 5, 300, 7)
    with store.reading() as tx:
        for old in known:
            for new in known:
                if old.size <= new.size:
                    proved = check(proofs.consistency(tx, old, new), settings)
                    assert (proved.old, proved.head) == (old, new)
                else:
                    with pytest.raises(InputError, match="an older head"):
                        proofs.consistency(tx, old, new)


SPOILS: Mapping[str, Callable[[Proof], Any]] = {
    "the entry": lambda p: p | {"entry": p["entry"].replace("anne", "paul")},
    "its number": lambda p: p | {"number": p["number"] + 1},
    "the salt": lambda p: p | {"salt": "00" * 32},
    "the commitment": lambda p: p | {"commitment": "00" * 32, "entry": None, "salt": None},
    "the path": lambda p: p | {"path": p["path"][:-1]},
    "a node": lambda p: p | {"path": ["00" * 32, *p["path"][1:]]},
    "the root": lambda p: p | {"head": {**p["head"], "head": p["head"]["head"] | {"root": "00" * 32}}},
    "the size": lambda p: p | {"head": {**p["head"], "head": p["head"]["head"] | {"size": 7}}},
    "the signature": lambda p: p | {"head": p["head"] | {"signature": "00" * 64}},
}


@pytest.mark.parametrize("what", SPOILS)
def test_a_proof_altered_anywhere_proves_nothing(what: str, store: Store, settings: Settings):
    proof = inclusion(store, 3, signed(store, settings, 10))
    with pytest.raises(ProofError):
        check(SPOILS[what](copy.deepcopy(proof)), settings)


def test_a_consistency_proof_altered_proves_nothing(store: Store, settings: Settings):
    known = signed(store, settings, 5, 6)
    with store.reading() as tx:
        proof = dict(proofs.consistency(tx, known[0], known[1]))
    with pytest.raises(ProofError, match="does not continue"):
        check(proof | {"path": proof["path"][1:]}, settings)
    with pytest.raises(ProofError, match="does not continue"):
        check(proof | {"head": proof["old"]}, settings)


def test_the_key_of_somebody_else_proves_nothing(store: Store, settings: Settings, tmp_path):
    proof = inclusion(store, 3, signed(store, settings, 10))
    other = keys.signing_key(tmp_path / "other").public_key()
    with pytest.raises(ProofError, match="not signed by the key"):
        proofs.verify(proof, {keys.key_id(other): other})


@pytest.mark.parametrize(
    "spoil",
    [
        lambda p: [],
        lambda p: "proof",
        lambda p: p | {"type": "other"},
        lambda p: p | {"path": ["zz"]},
        lambda p: p | {"path": [5]},
        lambda p: p | {"commitment": "zz"},
        lambda p: p | {"salt": None},
        lambda p: p | {"salt": "00"},
        lambda p: p | {"entry": 5},
        lambda p: p | {"head": {}},
        lambda p: {k: v for k, v in p.items() if k != "head"},
    ],
)
def test_what_is_not_a_proof_is_refused_as_bad_input(spoil: Any, store: Store, settings: Settings):
    proof = inclusion(store, 3, signed(store, settings, 10))
    with pytest.raises(InputError, match="not an audit proof"):
        check(spoil(proof), settings)


def test_an_entry_that_no_head_covers_yet_asks_for_one(store: Store, settings: Settings):
    known = signed(store, settings, 3)
    with store.writing() as tx:
        add(tx)
    with pytest.raises(audit.AuditError, match="lab39 audit head"):
        inclusion(store, 4, known)


def test_nothing_is_proved_from_a_database_that_is_not_the_one_that_was_signed(store: Store, settings: Settings):
    known = signed(store, settings, 10)
    with store.writing() as tx:
        _disarm(tx)
        tx.execute(log.update().where(log.c.number == 3).values(commitment=b"x" * 32))
    with pytest.raises(audit.AuditError, match="not the one this head was signed on"):
        inclusion(store, 5, known)
