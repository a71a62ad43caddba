"""Routes of administration: as the BDPM, records and prescribers write them."""

from __future__ import annotations

from lab39.solutions.pharmacy.model import Route
from lab39.solutions.pharmacy.normal import fold

_BDPM = {
    "orale": Route.ORAL,
    "sublinguale": Route.SUBLINGUAL,
    "intraveineuse": Route.INTRAVENOUS,
    "intramusculaire": Route.INTRAMUSCULAR,
    "sous-cutanée": Route.SUBCUTANEOUS,
    "transdermique": Route.TRANSDERMAL,
    "rectale": Route.RECTAL,
    "inhalée": Route.INHALED,
    "nasale": Route.NASAL,
    "cutanée": Route.CUTANEOUS,
    "ophtalmique": Route.OCULAR,
    "auriculaire": Route.AURICULAR,
    "vaginale": Route.VAGINAL,
    "voie buccale autre": Route.BUCCAL_LOCAL,
    "buccogingivale": Route.BUCCAL_LOCAL,
    "gingivale": Route.BUCCAL_LOCAL,
    "dentaire": Route.BUCCAL_LOCAL,
    "laryngopharyngée": Route.BUCCAL_LOCAL,
    "intraarticulaire": Route.INTRA_ARTICULAR,
    "périarticulaire": Route.INTRA_ARTICULAR,
    "gastro-entérale": Route.ORAL,
    "gastrique": Route.ORAL,
    "intestinale": Route.ORAL,
    "intraartérielle": Route.OTHER_SYSTEMIC,
    "intraosseuse": Route.OTHER_SYSTEMIC,
    "intracoronaire": Route.OTHER_SYSTEMIC,
    "voie parentérale autre": Route.OTHER_SYSTEMIC,
    "implantation": Route.OTHER_SYSTEMIC,
    "intrapéritonéale": Route.OTHER_SYSTEMIC,
    "péridurale": Route.OTHER_SYSTEMIC,
    "intrathécale": Route.OTHER_SYSTEMIC,
    "intracérébroventriculaire": Route.OTHER_SYSTEMIC,
    "intradermique": Route.OTHER_SYSTEMIC,
    "hémodialyse": Route.OTHER_SYSTEMIC,
    "hémofiltration": Route.OTHER_SYSTEMIC,
    "voie extracorporelle autre": Route.OTHER_SYSTEMIC,
}
_FOLDED = {fold(name): route for name, route in _BDPM.items()}


def of_bdpm(name: str) -> Route:
    """The route that the BDPM prints; one that is not in the list acts where it is given (``endosinusale``…)."""
    return _FOLDED.get(fold(name), Route.OTHER_LOCAL)
