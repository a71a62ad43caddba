"""``lab39 new``: a whole solution in a package of its own, that passes the conformance suite at once.

The files are the templates of ``templates/`` (Jinja, the suffix ``.jinja`` removed); ``__package__`` in a path
becomes the name of the import package.
"""

from __future__ import annotations

import keyword
import re
import shutil
import tempfile
import unicodedata
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath

from lab39 import __version__
from lab39.core.errors import InputError
from lab39.core.lab import entry_points
from lab39.core.solution import ADDRESSES, COMMANDS, ID_FORM
from lab39.core.text import Text

SUFFIX = ".jinja"


def create(name: str, folder: Path | str = ".", *, author: str = "") -> Path:
    """Write the package of a new solution.

    Args:
        name: the id of the solution; also the name of the folder that is made.
        folder: where to make it.
        author: for the package's metadata; left out when empty.

    Returns:
        The folder that was made; it appears only when it is whole.

    Raises:
        InputError: the name cannot be one, is taken, or the folder is there already or cannot be written to.
    """
    _check_name(name)
    target = Path(folder) / name
    if target.exists():
        raise InputError(
            Text(
                "existe déjà\u202f: choisir un autre nom, ou un autre dossier avec --in",
                "is there already: choose another name, or another folder with --in",
            ),
            str(target),
        )
    values = _values(name, author.strip())
    staging = None
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(dir=folder, prefix=f".{name}-"))
        made = staging / name
        made.mkdir()
        for path, text in _rendered(values):
            file = made / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "utf-8")
        made.rename(target)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(
            Text(f"écriture impossible\u202f: {reason}", f"cannot write: {reason}"), str(target)
        ) from error
    finally:
        if staging is not None:
            shutil.rmtree(staging, ignore_errors=True)
    return target


def _check_name(name: str) -> None:
    if not ID_FORM.fullmatch(name):
        close = _close_to(name)
        hint = Text(f", par exemple «\u202f{close}\u202f»", f", for instance “{close}”") if close else Text("", "")
        raise InputError(
            Text(
                f"un nom est fait de lettres minuscules sans accent, de chiffres et de traits d'union{hint.fr}",
                f"a name is made of lower-case letters without accents, digits and hyphens{hint.en}",
            ),
            name or "NAME",
        )
    if keyword.iskeyword(name) or keyword.issoftkeyword(name):
        raise InputError(Text("est un mot du langage Python", "is a word of the Python language"), name)
    if name in COMMANDS:
        raise InputError(Text("est une commande du laboratoire", "is a command of the lab"), name)
    if name in ADDRESSES:
        raise InputError(Text("est une adresse du laboratoire", "is an address of the lab"), name)
    if name in entry_points():
        raise InputError(Text("est une solution déjà installée", "is a solution that is installed already"), name)


def _close_to(name: str) -> str:
    """The name as it could be written, or nothing."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    close = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    return close if ID_FORM.fullmatch(close) and not keyword.iskeyword(close) else ""


def _values(name: str, author: str) -> Mapping[str, str]:
    words = name.split("-")
    return {
        "id": name,
        "name": " ".join(words).capitalize(),
        "package": f"lab39_{name.replace('-', '_')}",
        "class": "".join(word.capitalize() for word in words) + "Solution",
        "author": author,
        "lab39": __version__,
    }


def _rendered(values: Mapping[str, str]) -> Iterator[tuple[PurePosixPath, str]]:
    from jinja2 import Environment, StrictUndefined

    # Python and TOML are written, not HTML: what comes from the user is quoted by ``tojson`` where it stands.
    environment = Environment(
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701
    )
    for path, template in _templates(files("lab39.scaffold").joinpath("templates"), PurePosixPath()):
        where = PurePosixPath(str(path).removesuffix(SUFFIX).replace("__package__", values["package"]))
        yield where, environment.from_string(template.read_text("utf-8")).render(values)


def _templates(folder: Traversable, at: PurePosixPath) -> Iterator[tuple[PurePosixPath, Traversable]]:
    for item in sorted(folder.iterdir(), key=lambda each: each.name):
        if item.is_dir():
            yield from _templates(item, at / item.name)
        elif item.name.endswith(SUFFIX):
            yield at / item.name, item
