"""Small sources made by hand, and what a store says once they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from lab39.solutions.signals.readers.ingest import Summary, ingest
from lab39.solutions.signals.readers.store import Store

FAERS = {
    "DEMO": "primaryid$caseid$caseversion$i_f_code$event_dt$mfr_dt$init_fda_dt$fda_dt$rept_cod$auth_num$mfr_num$"
    ""
    "mfr_sndr$lit_ref$age$age_cod$age_grp$sex$e_sub$wt$wt_cod$rept_dt$to_mfr$occp_cod$reporter_country$occr_country",
    "DRUG": "primaryid$caseid$drug_seq$role_cod$drugname$prod_ai$val_vbm$route$dose_vbm$cum_dose_chr$cum_dose_unit$"
    "dechal$rechal$lot_num$exp_dt$nda_num$dose_amt$dose_unit$dose_form$dose_freq",
    "REAC": "primaryid$caseid$pt$drug_rec_act",
    "INDI": "primaryid$caseid$indi_drug_seq$indi_pt",
    "OUTC": "primaryid$caseid$outc_cod",
    "RPSR": "primaryid$caseid$rpsr_cod",
    "THER": "primaryid$caseid$dsg_drug_seq$start_dt$end_dt$dur$dur_cod",
}
AERS = {
    "DEMO": "ISR$CASE$I_F_COD$FOLL_SEQ$IMAGE$EVENT_DT$MFR_DT$FDA_DT$REPT_COD$MFR_NUM$MFR_SNDR$AGE$AGE_COD$GNDR_COD$"
    "E_SUB$WT$WT_COD$REPT_DT$OCCP_COD$DEATH_DT$TO_MFR$CONFID$REPORTER_COUNTRY",
    "DRUG": "ISR$DRUG_SEQ$ROLE_COD$DRUGNAME$VAL_VBM$ROUTE$DOSE_VBM$DECHAL$RECHAL$LOT_NUM$EXP_DT$NDA_NUM",
    "REAC": "ISR$PT",
    "INDI": "ISR$DRUG_SEQ$INDI_PT",
}


def row(header: str, **values: str) -> str:
    """A line of a FAERS file: the fields named, the others empty."""
    names = [name.lower() for name in header.split("$")]
    assert set(values) <= set(names), set(values) - set(names)
    return "$".join(values.get(name, "") for name in names)


Rows = dict[str, list[str]]


@pytest.fixture
def quarter(tmp_path: Path) -> Callable[..., Path]:
    """Write a quarter of the primaryid era: one good report, then what the test gives in its place."""

    def write(code: str = "17Q2", *, ending: str = "\r\n", folder: str = "", **tables: Iterable[str]) -> Path:
        place = tmp_path / (folder or f"faers_{code}") / "ascii"
        place.mkdir(parents=True)
        given: dict[str, Iterable[str]] = {
            "DEMO": [row(FAERS["DEMO"], primaryid="1001", caseid="100", caseversion="1", fda_dt="20170406")],
            "DRUG": [
                row(FAERS["DRUG"], primaryid="1001", caseid="100", drug_seq="1", role_cod="PS", drugname="ASPIRIN")
            ],
            "REAC": [row(FAERS["REAC"], primaryid="1001", caseid="100", pt="Nausea")],
        } | tables
        for table, lines in given.items():
            body = ending.join([FAERS[table], *lines]) + ending
            (place / f"{table}{code}.txt").write_bytes(body.encode("utf-8"))
        return place.parent

    return write


@pytest.fixture
def old_quarter(tmp_path: Path) -> Callable[..., Path]:
    """Write a quarter of the ISR era; each line ends with an empty field that the header does not name."""

    def write(code: str, **tables: Iterable[str]) -> Path:
        place = tmp_path / f"aers_{code}" / "ASCII"
        place.mkdir(parents=True)
        given: dict[str, Iterable[str]] = {
            "DEMO": [row(AERS["DEMO"], isr="5001", case="500", fda_dt="20120105") + "$"],
            "DRUG": [row(AERS["DRUG"], isr="5001", drug_seq="101", role_cod="PS", drugname="ASPIRIN") + "$"],
            "REAC": [row(AERS["REAC"], isr="5001", pt="NAUSEA") + "$"],
        } | tables
        for table, lines in given.items():
            (place / f"{table}{code}.TXT").write_bytes("\r\n".join([AERS[table], *lines, ""]).encode())
        return place.parent

    return write


class Shelf:
    """A store and what it holds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, *sources: Path, **options: Any) -> Summary:
        """Ingest; a source that fails fails the test, unless ``failing`` is given."""
        failing = options.pop("failing", False)
        told = ingest(sources, self.folder, **options)
        if not failing:
            assert not told.failed, [str(each) for each in told.failed]
        return told

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of a query on the tables of what counts."""
        con = Store.open(self.folder).connect()
        try:
            return con.sql(query).fetchall()
        finally:
            con.close()

    def one(self, query: str) -> Any:
        """The only value of a query."""
        [(value,)] = self.ask(query)
        return value


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """An empty store."""
    return Shelf(tmp_path / "store")
