"""Kidney function out of serum creatinine: Cockcroft-Gault for doses, CKD-EPI 2021 for stages. Adults only."""

from __future__ import annotations

ADULT_YEARS = 18
UMOL_L_PER_MG_DL = 88.4
"""Creatinine: 1 mg/dL is 88.4 µmol/L (molar mass 113.12 g/mol)."""


def cockcroft_gault_ml_min(*, age_years: int, sex: str, weight_kg: float, creatinine_umol_l: float) -> float | None:
    """Creatinine clearance, mL/min, not normalised to body surface.

    Cockcroft DW, Gault MH, Nephron 1976;16:31-41, in SI units: ``(140 - age) x kg x k / creatinine`` with k of 1.23
    for men and 1.04 for women.

    Returns:
        ``None`` for children, for a sex the formula has no constant for, and for values that measure nothing.
    """
    k = {"male": 1.23, "female": 1.04}.get(sex)
    if k is None or not ADULT_YEARS <= age_years < 140 or weight_kg <= 0 or creatinine_umol_l <= 0:
        return None
    return (140 - age_years) * weight_kg * k / creatinine_umol_l


def ckd_epi_2021_ml_min_173(*, age_years: int, sex: str, creatinine_umol_l: float) -> float | None:
    """Glomerular filtration rate, mL/min per 1.73 m².

    Inker LA et al., N Engl J Med 2021;385:1737-1749: ``142 x min(Scr/K, 1)^a x max(Scr/K, 1)^-1.200 x 0.9938^age``,
    ``x 1.012`` for women; K 0.7 and a -0.241 for women, 0.9 and -0.302 for men; Scr in mg/dL.

    Returns:
        ``None`` for children, for another sex, and for values that measure nothing.
    """
    constants = {"male": (0.9, -0.302, 1.0), "female": (0.7, -0.241, 1.012)}.get(sex)
    if constants is None or age_years < ADULT_YEARS or creatinine_umol_l <= 0:
        return None
    kappa, alpha, factor = constants
    ratio = creatinine_umol_l / UMOL_L_PER_MG_DL / kappa
    power = float(min(ratio, 1.0) ** alpha * max(ratio, 1.0) ** -1.2)
    return 142 * power * float(0.9938**age_years) * factor
