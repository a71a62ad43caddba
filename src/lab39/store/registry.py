"""What can be done in the background: kinds of jobs and subscriptions, the lab's and those of its solutions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from lab39.core.background import JobError, JobKind, Subscription, load
from lab39.core.text import Text
from lab39.store import events, outbox
from lab39.store.context import OpenTransaction

if TYPE_CHECKING:
    from lab39.store.work import Work

DELIVER = "lab.deliver-event"


@dataclass(frozen=True, slots=True)
class Registry:
    """What a worker can do.

    Attributes:
        kinds: by name.
        subscriptions: by name.
        broken: id of each solution that does not load or declares what it may not, and why: its jobs wait.
    """

    kinds: Mapping[str, JobKind]
    subscriptions: Mapping[str, Subscription]
    broken: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def of(
        cls,
        kinds: Iterable[JobKind] = (),
        subscriptions: Iterable[Subscription] = (),
        broken: Mapping[str, str] | None = None,
    ) -> Registry:
        """These, and what the lab does itself."""
        heard = {each.name: each for each in subscriptions}
        own = (outbox.kind(), JobKind(name=DELIVER, handler=partial(_deliver, heard), takes_tx=True))
        return cls({each.name: each for each in (*own, *kinds)}, heard, broken or {})

    @classmethod
    def of_lab(cls) -> Registry:
        """What is installed."""
        from lab39.core.lab import entry_points

        kinds: list[JobKind] = []
        subscriptions: list[Subscription] = []
        broken: dict[str, str] = {}
        for name, point in entry_points().items():
            try:
                solution = point.load()()
                mine, heard = list(solution.jobs()), list(solution.subscriptions())
                for each in (*mine, *heard):
                    if not each.name.startswith(f"{name}."):
                        raise ValueError(f"{each.name} is to be named {name}.<what>")
                for subscription in heard:
                    events.matching(subscription.topics)
            except Exception as error:
                broken[name] = f"{type(error).__name__}: {error}"
            else:
                kinds += mine
                subscriptions += heard
        return cls.of(kinds, subscriptions, broken)


def _deliver(heard: Mapping[str, Subscription], tx: OpenTransaction, work: Work) -> None:
    """An event whose subscriber failed, again."""
    name = str(work.payload["subscriber"])
    if name not in heard:
        raise JobError(
            Text(f"l'abonné {name} n'est plus installé", f"the subscriber {name} is no longer installed"), name
        )
    event = events.get(tx.connection, int(work.payload["event"]))
    if event.payload is not None:
        with OpenTransaction.within(tx.connection, name, at=tx.at) as theirs:
            load(heard[name].handler)(theirs, event)
