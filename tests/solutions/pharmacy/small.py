"""A small edition: real nodes of the thesaurus, few members, rules in our own words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from lab39.solutions.pharmacy import engine
from lab39.solutions.pharmacy.engine import Engine
from lab39.solutions.pharmacy.levels import Levels, bind
from lab39.solutions.pharmacy.model import Level, LevelText, Line, Moiety, Rule, Thesaurus
from lab39.solutions.pharmacy.readings import Readings

CI, AD, PE, APEC = Level.CI, Level.AD, Level.PE, Level.APEC

CLASSES = {
    "ANTIVITAMINES K": ("warfarine", "fluindione"),
    "MÉDICAMENTS SÉDATIFS": ("tramadol", "zolpidem", "oxybate de sodium"),
    "BÊTA-BLOQUANTS (SAUF ESMOLOL) (Y COMPRIS COLLYRES)": ("timolol", "bisoprolol"),
    "BÊTA-BLOQUANTS DANS L'INSUFFISANCE CARDIAQUE": ("bisoprolol",),
    "BÊTA-2 MIMÉTIQUES": ("salbutamol",),
    "HÉPARINES (DOSES CURATIVES ET/OU SUJET ÂGÉ)": ("enoxaparine",),
    "HÉPARINES (DOSES PRÉVENTIVES)": ("enoxaparine",),
    "SYMPATHOMIMÉTIQUES ALPHA (VOIES ORALE ET/OU NASALE)": ("phenylephrine",),
    "INHIBITEURS DE PROTÉASES BOOSTÉS PAR RITONAVIR": ("darunavir", "ritonavir"),
    "SULFAMÉTHOXAZOLE + TRIMÉTHOPRIME": ("sulfamethoxazole", "trimethoprime"),
    "ANTITUSSIFS MORPHINIQUES VRAIS": ("codeine",),
    "RÉSINES CHÉLATRICES": ("colestyramine",),
    "SPERMICIDES": ("nonoxynol 9",),
    "INSULINE": ("insuline glargine",),
    "VACCINS VIVANTS ATTÉNUÉS": ("bcg",),
}
RULES = (
    ("ANTIVITAMINES K", "MICONAZOLE", CI),
    ("ANTIVITAMINES K", "IBUPROFENE", AD),
    ("MÉDICAMENTS SÉDATIFS", "AUTRES MÉDICAMENTS SÉDATIFS", APEC),
    ("MÉDICAMENTS SÉDATIFS", "ALCOOL (BOISSON OU EXCIPIENT)", AD),
    ("BÊTA-BLOQUANTS (SAUF ESMOLOL) (Y COMPRIS COLLYRES)", "IBUPROFENE", APEC),
    ("BÊTA-BLOQUANTS (SAUF ESMOLOL) (Y COMPRIS COLLYRES)", "BÊTA-2 MIMÉTIQUES", AD),
    ("BÊTA-BLOQUANTS DANS L'INSUFFISANCE CARDIAQUE", "INSULINE", PE),
    ("HÉPARINES (DOSES CURATIVES ET/OU SUJET ÂGÉ)", "IBUPROFENE", AD),
    ("HÉPARINES (DOSES PRÉVENTIVES)", "IBUPROFENE", APEC),
    ("SYMPATHOMIMÉTIQUES ALPHA (VOIES ORALE ET/OU NASALE)", "IPRONIAZIDE", CI),
    ("INHIBITEURS DE PROTÉASES BOOSTÉS PAR RITONAVIR", "SIMVASTATINE", CI),
    ("SULFAMÉTHOXAZOLE + TRIMÉTHOPRIME", "METHOTREXATE", CI),
    ("ANTITUSSIFS MORPHINIQUES VRAIS", "IPRONIAZIDE", AD),
    ("RÉSINES CHÉLATRICES", "MÉDICAMENTS ADMINISTRÉS PAR VOIE ORALE", PE),
    ("SPERMICIDES", "MÉDICAMENTS UTILISÉS PAR VOIE VAGINALE", AD),
    ("FER", "SELS DE FER PAR VOIE INJECTABLE", AD),
    ("SIMVASTATINE", "PAMPLEMOUSSE (JUS ET FRUIT)", AD),
    ("DIPYRIDAMOLE", "CAFEINE", PE),
    ("DIPYRIDAMOLE", "THÉINE", PE),
    ("VACCINS VIVANTS ATTÉNUÉS", "METHOTREXATE", CI),
    ("LITHIUM", "IBUPROFENE", AD),
    ("LITHIUM", "METHOTREXATE", (AD, PE)),
)


def thesaurus(rules: Iterable[tuple[str, str, Level | tuple[Level, ...]]] = RULES) -> Thesaurus:
    """The edition, with these rules."""
    made = []
    for number, (one, other, levels) in enumerate(rules):
        a, b = sorted((one, other))
        several = levels if isinstance(levels, tuple) else (levels,)
        texts = tuple(LevelText(level, f"conduite {level.value}") for level in several)
        made.append(Rule(a, b, texts, f"mécanisme {number}", number + 1))
    nodes = {name for rule in made for name in (rule.a, rule.b)}
    substances: dict[str, list[str]] = {
        name.lower(): [] for name in nodes if name.isalpha() and name not in CLASSES and name != "THÉINE"
    }
    for name, members in CLASSES.items():
        for member in members:
            substances.setdefault(member, []).append(name)
    return Thesaurus(
        edition=dt.date(2099, 1, 1),
        substances={name: tuple(classes) for name, classes in substances.items()} | {"paracetamol": ()},
        classes=CLASSES,
        rules=tuple(made),
    )


def levels(edition: Thesaurus) -> Levels:
    """Levels without any reading: a rule with several levels stays open."""
    return bind(edition, Readings((), (), {}))


def small_engine() -> Engine:
    """The engine of the edition."""
    edition = thesaurus()
    return engine.of(edition, levels=levels(edition))


def line(*keys: str, **known: object) -> Line:
    """A line of these substances."""
    return Line(" + ".join(keys), tuple(Moiety(key, key) for key in keys), **known)  # type: ignore[arg-type]
