"""Dictionaries of drug names that data packs bring: from a name as people write it to substances.

A pack is one when its spec says which function makes it (``names`` in ``packs.toml``). Any solution asks it here,
by the name of the pack, without knowing the solution that the pack comes from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TypeAlias

from lab39.core.datapacks import Pack, Packs
from lab39.core.errors import UnknownNameError
from lab39.core.text import Text

Meanings: TypeAlias = tuple[tuple[str, ...], ...]
"""What a name may stand for: each meaning is the substances of one product, sorted. None when the name is not
known, several when it is ambiguous."""
Find: TypeAlias = Callable[[str], Meanings]
Maker: TypeAlias = Callable[[Packs, Pack], Find]
"""What ``names`` of a pack's spec names."""


@dataclass(frozen=True, slots=True)
class DrugNames:
    """The dictionary of an installed pack.

    Attributes:
        name, version: of the pack; ``key`` names its content.
        find: what a name stands for.
    """

    name: str
    version: str
    key: str
    find: Find


def having(packs: Packs) -> tuple[str, ...]:
    """The names of the packs that are dictionaries, installed or not."""
    return tuple(sorted(name for name, spec in packs.specs.items() if spec.names))


def open_pack(packs: Packs, name: str, version: str | None = None) -> DrugNames:
    """The dictionary of a pack.

    Args:
        version: of the pack; the newest that is installed when it is not given.

    Raises:
        UnknownNameError: no such pack, or one that has no names of drugs; those that have are listed.
        PackMissingError: it is not installed, with the command that brings it.
    """
    if name not in having(packs):
        known = ", ".join(having(packs)) or "–"
        raise UnknownNameError(
            Text(
                f"pas de dictionnaire de médicaments «\u202f{name}\u202f». Packs qui en sont un\u202f: {known}",
                f"no dictionary of drugs “{name}”. Packs that are one: {known}",
            )
        )
    pack = packs.get(name, version)
    module, _, function = pack.spec.names.partition(":")
    make: Maker = getattr(import_module(module), function)
    return DrugNames(pack.name, pack.version, pack.key, make(packs, pack))
