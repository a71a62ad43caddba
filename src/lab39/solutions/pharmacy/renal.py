"""Kidney function: clearance of creatinine and estimated filtration rate."""

from __future__ import annotations

from typing import Literal

Sex = Literal["female", "male"]


def cockcroft_gault_ml_min(*, age_years: int, weight_kg: float, creatinine_umol_l: float, sex: Sex) -> float:
    """Creatinine clearance (mL/min).

    Cockcroft DW, Gault MH. Nephron 1976;16:31-41, with creatinine in µmol/L: (140 - age) x kg x k / creatinine, k 1.23
    for men and 1.04 for women.
    """
    return (140 - age_years) * weight_kg * (1.04 if sex == "female" else 1.23) / creatinine_umol_l


def ckd_epi_2021_ml_min_173(*, age_years: int, creatinine_umol_l: float, sex: Sex) -> float:
    """Estimated glomerular filtration rate (mL/min/1.73 m²).

    CKD-EPI creatinine equation of 2021, without race: Inker LA et al., N Engl J Med 2021;385:1737-49.
    """
    kappa, alpha = (0.7, -0.241) if sex == "female" else (0.9, -0.302)
    ratio = creatinine_umol_l / 88.4 / kappa
    value = 142 * min(ratio, 1) ** alpha * max(ratio, 1) ** -1.2 * 0.9938**age_years
    return float(value * (1.012 if sex == "female" else 1.0))
