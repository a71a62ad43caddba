"""The shape of the database: where it stands, and how it is brought to that of the code.

The lab's own migrations form the branch ``lab``. A solution that owns tables names, in ``Solution.migrations``, a
package with a ``versions`` folder whose first revision carries the solution's id as its branch label.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

import sqlalchemy as sa

from lab39.core.errors import LabError
from lab39.core.text import Text
from lab39.store import modules
from lab39.store.engine import Store

if TYPE_CHECKING:
    from alembic.config import Config

LOCK = 0x1AB39
"""Key of the advisory lock that lets one process migrate at a time (PostgreSQL)."""


class SchemaError(LabError):
    """The database has another shape than this version of the lab reads and writes."""


@dataclass(frozen=True, slots=True)
class Status:
    """Where the database stands.

    Attributes:
        database: heads of the migrations that ran in it.
        code: heads of those this version brings.
        unknown: revisions in the database that this version does not know (it is newer, or a solution left).
    """

    database: tuple[str, ...]
    code: tuple[str, ...]
    unknown: tuple[str, ...]

    @property
    def behind(self) -> bool:
        """Whether migrations are to be run."""
        return not set(self.code) <= set(self.database)


def status(store: Store) -> Status:
    """Where the database stands; changes nothing.

    Raises:
        StoreUnavailableError
    """
    with store.reading() as tx:
        return _status(tx, _config())


def behind(store: Store) -> bool:
    """Whether the database must be migrated before it is used."""
    return status(store).behind


def migrate(store: Store) -> Status:
    """Run the migrations that are due, all of them or none; does nothing when there are none.

    Raises:
        SchemaError: the database was written by a newer version, or by a solution that is no longer installed.
        StoreUnavailableError
    """
    from alembic import command

    config = _config()
    with store.writing() as tx:
        if store.dialect == "postgresql":
            tx.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
        found = _status(tx, config)
        if found.unknown:
            raise unknown_revisions(found.unknown)
        if found.behind:
            config.attributes["connection"] = tx
            command.upgrade(config, "heads")
        return _status(tx, config)


def check(store: Store) -> None:
    """Refuse a database whose shape is not that of the code.

    Raises:
        SchemaError: with the command to type.
    """
    found = status(store)
    if found.unknown:
        raise unknown_revisions(found.unknown)
    if found.behind:
        raise SchemaError(
            Text(
                "la base n'a pas la forme que cette version attend\u202f: lancer «\u202flab39 db migrate\u202f»",
                "the database does not have the shape this version expects: run “lab39 db migrate”",
            ),
            "LAB39_DATABASE_URL",
        )


def unknown_here(revisions: Iterable[str]) -> tuple[str, ...]:
    """Those that this version does not know."""
    return tuple(sorted(set(revisions) - _known(_config())))


def unknown_revisions(unknown: Iterable[str]) -> SchemaError:
    """The error for a database that this version must not touch."""
    names = ", ".join(unknown)
    return SchemaError(
        Text(
            f"la base a été écrite par une version plus récente, ou par une solution désinstallée ({names})\u202f: "
            "mettre le laboratoire à jour ou réinstaller la solution",
            f"the database was written by a newer version, or by a solution since removed ({names}): "
            "update the lab or install the solution again",
        ),
        "LAB39_DATABASE_URL",
    )


def _config() -> Config:
    from alembic.config import Config

    packages = ("lab39.store.migrations", *modules.load().migrations)
    config = Config()
    config.set_main_option("script_location", str(files("lab39.store.migrations")))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", "\n".join(str(files(name) / "versions") for name in packages))
    return config


def _status(tx: sa.Connection, config: Config) -> Status:
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    database = MigrationContext.configure(tx).get_current_heads()
    return Status(
        database=tuple(sorted(database)),
        code=tuple(sorted(ScriptDirectory.from_config(config).get_heads())),
        unknown=tuple(sorted(set(database) - _known(config))),
    )


def _known(config: Config) -> set[str]:
    from alembic.script import ScriptDirectory

    return {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
