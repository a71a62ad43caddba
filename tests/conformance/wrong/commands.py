"""Commands of the solutions of this folder."""

from __future__ import annotations

import typer

right = typer.Typer()
without_json = typer.Typer()


@right.command()
def one(json: bool = typer.Option(False, "--json")):
    """Does a thing."""


@without_json.command()
def first(json: bool = typer.Option(False, "--json")):
    """Does a thing."""


@without_json.command()
def second():
    """Does another."""
