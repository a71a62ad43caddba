"""The pharmacist's domain: names and products, the thesaurus and its levels, a treatment and its interactions.

Terms are those of the ANSM interaction thesaurus and of the French public medicine database (BDPM).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from lab39.core.text import NO_TEXT, Text


class Level(StrEnum):
    """Levels of constraint of the ANSM thesaurus, the gravest first."""

    CI = "CI"
    """Contre-indication."""
    AD = "AD"
    """Association déconseillée."""
    PE = "PE"
    """Précaution d'emploi."""
    APEC = "APEC"
    """À prendre en compte."""

    @property
    def rank(self) -> int:
        """0 for the gravest."""
        return list(Level).index(self)


class Route(StrEnum):
    """How a medicine enters the body, as far as interactions tell routes apart."""

    ORAL = "oral"
    SUBLINGUAL = "sublingual"
    INTRAVENOUS = "intravenous"
    INTRAMUSCULAR = "intramuscular"
    SUBCUTANEOUS = "subcutaneous"
    TRANSDERMAL = "transdermal"
    RECTAL = "rectal"
    INHALED = "inhaled"
    NASAL = "nasal"
    CUTANEOUS = "cutaneous"
    OCULAR = "ocular"
    AURICULAR = "auricular"
    VAGINAL = "vaginal"
    BUCCAL_LOCAL = "buccal-local"
    """On the mucosa of the mouth, for an effect there (a gel, a mouthwash)."""
    INTRA_ARTICULAR = "intra-articular"
    OTHER_SYSTEMIC = "other-systemic"
    OTHER_LOCAL = "other-local"

    @property
    def local(self) -> bool:
        """Whether it is meant to act where it is applied; the thesaurus leaves these out, but for exceptions."""
        return self in _LOCAL


_LOCAL = frozenset(
    {
        Route.INHALED,
        Route.NASAL,
        Route.CUTANEOUS,
        Route.OCULAR,
        Route.AURICULAR,
        Route.VAGINAL,
        Route.BUCCAL_LOCAL,
        Route.INTRA_ARTICULAR,
        Route.OTHER_LOCAL,
    }
)


# -- names and products ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Moiety:
    """The active part of a substance, without its salt: what interactions are about.

    Attributes:
        key: the French INN in lower case, without accents (``acide acetylsalicylique``).
        label: as people read it (``acide acétylsalicylique``).
        atc: the ATC codes of its single-ingredient products, where known.
    """

    key: str
    label: str
    atc: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ingredient:
    """One active ingredient of a product.

    Attributes:
        substance: as the BDPM prints it (``CHLORHYDRATE DE METFORMINE``).
        amount_mg: of what the label states, in one ``per``; ``None`` when it is not a mass or is not stated.
        per: what the amount is in (``un comprimé``, ``2 ml de suspension``).
    """

    moiety: Moiety
    substance: str
    amount_mg: Decimal | None = None
    per: str = ""


@dataclass(frozen=True, slots=True)
class Product:
    """A speciality of the BDPM.

    Attributes:
        cis: its eight-digit code.
        routes: as the BDPM lists them, translated.
        marketed: False for one that is withdrawn or not sold any more; ``None`` when not said.
    """

    cis: str
    label: str
    form: str
    routes: tuple[Route, ...]
    ingredients: tuple[Ingredient, ...]
    atc: str = ""
    marketed: bool | None = None


class Match(StrEnum):
    """What became of a name."""

    FOUND = "found"
    AMBIGUOUS = "ambiguous"
    """Several answers are possible: ask."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One possible meaning of a name.

    Attributes:
        moieties: one, or several for a combination.
        score: 0 to 1; 1 for an exact code or name.
        how: the step that found it: ``cip13``, ``cip7``, ``cis``, ``atc``, ``rxnorm``, ``choice`` (of a person),
            ``label`` (whole), ``brand``, ``reference`` (a brand that a generic group names), ``beginning`` (of a
            label), ``substance``, ``spelling``, ``fuzzy``, ``several`` (names on one line), ``homeopathic``.
        product: the one that fits; ``None`` when several do.
        atc: common to every product that fits, else empty.
        routes: those of every product that fits; several when the text does not tell which.
    """

    moieties: tuple[Moiety, ...]
    score: float
    how: str
    label: str = ""
    product: Product | None = None
    atc: str = ""
    routes: tuple[Route, ...] = ()


@dataclass(frozen=True, slots=True)
class Box:
    """What the DataMatrix of a box says beside its product.

    Attributes:
        code: CIP13.
        expiry: last day of use; the month's last day when the code gives the month only.
    """

    code: str
    lot: str = ""
    expiry: dt.date | None = None
    serial: str = ""


@dataclass(frozen=True, slots=True)
class Resolution:
    """A name and what it may mean.

    Attributes:
        candidates: best first; exactly one when found, none when unknown.
        notes: what the reader must know (withdrawn product, homeopathic, a word that was set aside, partial table).
        box: lot and expiry, when the text is the content of a DataMatrix.
    """

    text: str
    match: Match
    candidates: tuple[Candidate, ...] = ()
    notes: tuple[Text, ...] = ()
    box: Box | None = None

    @property
    def found(self) -> Candidate | None:
        """The one meaning, when there is one."""
        return self.candidates[0] if self.match is Match.FOUND else None


# -- the thesaurus --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LevelText:
    """One level of a rule with the conduct printed for it; the conduct may be empty."""

    level: Level
    conduct: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One interaction of the thesaurus, between two nodes (a substance, a class, a food, a route).

    The thesaurus prints most rules twice, once under each node; here each pair stands once, ``a`` before ``b``.

    Attributes:
        a, b: the nodes as printed, in capitals (``ANTICOAGULANTS ORAUX``).
        levels: as printed, the gravest first; several when the level depends on more than the pair.
        mechanism: the risk and its mechanism as printed, white space folded.
        page: of the official PDF where it stands, as a viewer counts them from 1 (``file.pdf#page=4`` opens it;
            the number printed at its top is one less); ``None`` when the source has no pages.
    """

    a: str
    b: str
    levels: tuple[LevelText, ...]
    mechanism: str = ""
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Printing:
    """One entry of the thesaurus where it stands: under the heading of one node, about another.

    Attributes:
        under, other: the two nodes as printed, in capitals.
        levels, mechanism, page: as in :class:`Rule`.
    """

    under: str
    other: str
    levels: tuple[LevelText, ...]
    mechanism: str = ""
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Thesaurus:
    """One edition of the thesaurus, as read.

    Attributes:
        edition: first day of the month of publication, or its day where the document gives one.
        substances: printed name of each substance -> the classes it belongs to.
        classes: printed name of each class -> the names of its members as printed in the brackets under it.
        preambles: node -> the text printed between its name and its first interaction, brackets taken out; under
            the empty name, what the document says before its first node.
        conflicts: pairs whose two printings do not tell the same levels, or not the same text, each with both; the
            rule of such a pair is the printing with the gravest level, then the one that says more.
    """

    edition: dt.date
    substances: Mapping[str, tuple[str, ...]]
    classes: Mapping[str, tuple[str, ...]]
    rules: tuple[Rule, ...]
    preambles: Mapping[str, str] = field(default_factory=dict)
    conflicts: tuple[tuple[Printing, Printing], ...] = ()


# -- a treatment ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Posology:
    """What is taken, in milligrams of each product as prescribed; ``None`` is "not known", never zero."""

    per_intake_mg: Decimal | None = None
    per_day_mg: Decimal | None = None
    per_week_mg: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a treatment, its name already understood.

    Attributes:
        text: as written.
        ref: of the record's entry; empty for a typed one.
        route: ``None`` when neither the line nor its product tells.
        routes: those of every product that the name fits, when several fit; empty when not known.
        atc: of its product, or common to every product that fits; empty when not known.
        indications: tokens of ``knowledge/facts.toml`` the line is said to be for; ``None`` when not said.
        start: first day of the treatment, when known.
    """

    text: str
    moieties: tuple[Moiety, ...]
    ref: str = ""
    route: Route | None = None
    posology: Posology = Posology()
    indications: frozenset[str] | None = None
    product: Product | None = None
    start: dt.date | None = None
    routes: tuple[Route, ...] = ()
    atc: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """What level predicates may ask about a person. Absent is ``None``: not known.

    Attributes:
        facts: token of ``knowledge/facts.toml`` (``peptic-ulcer-history``) -> present, absent, or not in the
            mapping when the record does not tell.
        creatinine_clearance_ml_min: Cockcroft-Gault.
        egfr_ml_min_173: CKD-EPI 2021, per 1.73 m².
    """

    age_years: int | None = None
    sex: str | None = None
    weight_kg: Decimal | None = None
    creatinine_clearance_ml_min: float | None = None
    egfr_ml_min_173: float | None = None
    facts: Mapping[str, bool] = field(default_factory=dict)


# -- what interacts -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Partner:
    """One side of an interaction.

    Attributes:
        line: number of the line in the treatment; ``None`` for food, drink and the like.
        name: of the moiety or of the food, as people read it.
        node: of the thesaurus through which the rule applies (the substance itself, or a class).
    """

    line: int | None
    name: str
    node: str


@dataclass(frozen=True, slots=True)
class Need:
    """Something that would settle the level: a token (``dose:acide acetylsalicylique``, ``fact:…``) to ask for."""

    token: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Interaction:
    """Two partners and the rule between them.

    Attributes:
        level: the level that holds; the gravest still possible when it is not resolved.
        resolved: whether the data at hand settles the level, and that the rule applies at all.
        possible: the levels that remain possible, the gravest first; one when resolved, also when only it may hold.
        conduct: what the thesaurus prints for ``level``.
        used: what settled it, each a token with the value used (``dose:…`` -> ``75 mg/d``).
        needs: what would settle it.
        conditional: whether it may not apply at all: the rule is about some routes, doses or indications only, and
            the data at hand does not tell which it is. ``needs`` then says what would. It is resolved all the same
            when only a form for local use, which the market has as well, could take it away.
        because: what ``level`` takes, in words; empty when the rule has one level and no condition.
    """

    a: Partner
    b: Partner
    rule: Rule
    level: Level
    resolved: bool
    possible: tuple[Level, ...]
    conduct: str = ""
    used: tuple[tuple[str, str], ...] = ()
    needs: tuple[Need, ...] = ()
    conditional: bool = False
    because: Text = NO_TEXT
