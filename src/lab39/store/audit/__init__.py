"""Audit: who did what, in a tree that cannot be changed without it being seen.

``append`` adds an entry inside the caller's transaction. Heads of the tree are signed and exported outside the
database (:mod:`~lab39.store.audit.heads`); against them, any change to what was there is detected
(:mod:`~lab39.store.audit.verification`) and any entry can be proved to somebody without the database
(:mod:`~lab39.store.audit.proofs`).
"""

from lab39.store.audit.actions import Action, UnknownActionError, action, actions
from lab39.store.audit.commitments import CanonicalError
from lab39.store.audit.erasure import erase, forget
from lab39.store.audit.log import AuditError, Entry, Tree, UnknownEntryError, append, entries, get, state
from lab39.store.audit.mirror import audit_event

__all__ = [
    "Action",
    "AuditError",
    "CanonicalError",
    "Entry",
    "Tree",
    "UnknownActionError",
    "UnknownEntryError",
    "action",
    "actions",
    "append",
    "audit_event",
    "entries",
    "erase",
    "forget",
    "get",
    "state",
]
