"""Statistics against the figures that published packages give for the same tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from lab39.solutions.signals import disproportionality as dp
from lab39.solutions.signals import lrt, sequential

Published = Callable[[str], list[dict[str, str]]]


def test_golden_pvda_information_component_of_ten_observed_and_five_expected() -> None:
    found = dp.ic(10, 5)
    assert [round(float(x), d) for x, d in ((found.value, 3), (found.low, 4), (found.high, 2))] == [
        0.933,
        -0.0973,
        1.69,
    ]


def test_golden_pvda_reporting_odds_ratio() -> None:
    found = dp.ror(10, 10 + 20, 10 + 200, 10 + 20 + 200 + 10_000)
    assert [round(float(x), 1) for x in (found.value, found.low, found.high)] == [25.0, 11.6, 54.1]


def test_golden_pvda_proportional_reporting_ratio() -> None:
    found = dp.prr(10, 1000, 210, 11_000)
    assert [round(float(x), 3) for x in (found.value, found.low, found.high)] == [0.5, 0.266, 0.940]


def test_golden_pvda_every_pair_of_its_example(published: Published) -> None:
    rows = published("golden/pvda_drug_event_df.csv")
    column = {
        k: np.array([float(row[k]) if row[k] not in ("", "NA") else np.inf for row in rows])
        for k in rows[0]
        if k not in ("drug", "event")
    }
    tables = [column[k] for k in ("obs", "nd", "ne", "nt")]
    ic, prr, ror = dp.ic(column["obs"], column["exp"]), dp.prr(*tables), dp.ror(*tables)
    for name, ours in (("ic", ic.value), ("ic025", ic.low), ("ic975", ic.high)):
        assert np.abs(ours - column[name]).max() < 1e-9, name
    # pvda leaves out the ratios of an event that no other drug has; ours add ½ to the cells there
    told = np.isfinite(column["prr025"]) & np.isfinite(column["ror025"])
    assert told.sum() > 1000
    for name, ours in (("prr", prr.value), ("prr025", prr.low), ("ror", ror.value), ("ror025", ror.low)):
        assert np.abs(ours[told] / column[name][told] - 1).max() < 1e-9, name
    assert np.isfinite([prr.value, prr.low, prr.high, ror.value, ror.low, ror.high]).all()


def test_golden_huang_log_likelihood_ratios_of_pvlrt(published: Published) -> None:
    table = published("statin46.csv")
    golden = {
        (r["AE"], r["Drug"]): float(r["logLR_Huang2011"])
        for r in published("golden/pvLRT_statin46_logLR_Huang.csv")
    }
    drugs: Counter[str] = Counter()
    events: Counter[str] = Counter()
    for row in table:
        drugs[row["Var2"]] += int(row["Freq"])
        events[row["Var1"]] += int(row["Freq"])
    total = drugs.total()
    assert total == 63_976_610
    n = [int(row["Freq"]) for row in table]
    found = lrt.log_likelihood_ratio(
        n, [drugs[row["Var2"]] for row in table], [events[row["Var1"]] for row in table], total
    )
    expected = np.array([golden[row["Var1"], row["Var2"]] for row in table])
    assert np.abs(found - expected).max() < 1e-6
    assert found.max() == pytest.approx(8087.487221, abs=1e-6)


@pytest.mark.parametrize(
    ("upper_limit", "critical"),
    [(1, 2.853937), (2, 3.046977), (5, 3.297183), (10, 3.467952), (20, 3.628123), (50, 3.819903), (100, 3.952321)],
)
def test_golden_critical_values_of_kulldorff_2011(upper_limit: float, critical: float) -> None:
    """Table 1 of Kulldorff et al. 2011, alpha 0.05, also given by the R package Sequential."""
    assert sequential.critical_value(upper_limit) == pytest.approx(critical, abs=1e-6)
