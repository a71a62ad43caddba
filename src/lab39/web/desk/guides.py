"""The documentation of a solution, as a page: shipped in the wheel, or beside the source."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

from markupsafe import Markup

from lab39.core.errors import UnknownNameError
from lab39.core.solution import ID_FORM
from lab39.core.text import Text


def exists(name: str) -> bool:
    """Whether a solution has a page of documentation here."""
    return bool(ID_FORM.fullmatch(name)) and (_folder() / f"{name}.md").is_file()


@cache
def html(name: str) -> Markup:
    """The page; HTML inside it is shown as text, and links to files of the source are only words.

    Raises:
        UnknownNameError: there is none.
    """
    if not exists(name):
        raise UnknownNameError(Text("pas de documentation ici", "no documentation here"))
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse((_folder() / f"{name}.md").read_text("utf-8"))

    def mend(rows: list[Token]) -> None:
        for token in rows:
            if token.children:
                mend(token.children)
            if token.type == "link_open" and not str(token.attrs.get("href", "")).startswith("https://"):
                token.type, token.tag, token.attrs = "link_open", "span", {}
                close = rows[rows.index(token) :]
                next(t for t in close if t.type == "link_close").tag = "span"
            if token.type in ("th_open", "td_open"):  # alignment comes as an inline style, which the pages refuse
                token.attrs = {}

    mend(tokens)
    return Markup(parser.renderer.render(tokens, parser.options, {}))  # noqa: S704  its own text, HTML escaped


@cache
def _folder() -> Path:
    package = Path(str(files("lab39")))
    shipped = package / "guides"
    return shipped if shipped.is_dir() else package.parents[1] / "docs" / "solutions"
