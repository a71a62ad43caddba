"""The pharmacist: the interactions of a treatment."""

from __future__ import annotations

from lab39.core.datapacks import Packs
from lab39.core.solution import Progress, Solution
from lab39.core.text import Text


class Pharmacy(Solution):
    """Understands the names of a treatment and tells its interactions, each at the level that holds."""

    id = "pharmacy"
    title = Text("Pharmacie", "Pharmacy")
    purpose = Text(
        "Cherche les interactions d'un traitement (thésaurus de l'ANSM), tranche leur niveau ou dit ce qui manque",
        "Looks for the interactions of a treatment (ANSM thesaurus), settles their level or says what is missing",
    )
    version = "1.0"
    commands = "lab39.solutions.pharmacy.cli:app"

    def prepare(self, packs: Packs, progress: Progress) -> None:
        """Compile the editions of the thesaurus and the catalogue of medicines, those that are installed."""
        from lab39.solutions.pharmacy import bdpm, catalogue, engine, sources

        for edition in sources.editions(packs):
            progress(f"{edition.pack.name} {edition.month}", 0.0)
            engine.open_engine(packs, edition.month)
        if packs.has(bdpm.PACK):
            progress(bdpm.PACK, 0.5)
            catalogue.catalogue_path(packs)
        progress("", 1.0)
