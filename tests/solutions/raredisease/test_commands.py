"""``lab39 raredisease`` on a command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.solutions.raredisease.tiny import (
    ALPHA,
    BETA,
    FEVER,
    GAMMA,
    GONE,
    LENS,
    LONG,
    OLD_SEIZURE,
    SEIZURE,
    VERY_LONG,
)


def feature(term, *, excluded=False):
    return {"type": {"id": term, "label": term}} | ({"excluded": True} if excluded else {})


@pytest.fixture
def phenopacket(tmp_path: Path) -> Path:
    path = tmp_path / "packet.json"
    features = [feature(LONG), feature("HP:9999999"), feature(SEIZURE, excluded=True)]
    path.write_text(json.dumps({"id": "p", "subject": {"id": "p"}, "phenotypicFeatures": features, "metaData": {}}))
    return path


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    path = tmp_path / "cases.jsonl"
    rows = [
        {"id": "one", "disease": ALPHA, "obs": [LONG, LENS], "exc": [SEIZURE], "pmid": "PMID:1"},
        {"id": "two", "disease": BETA, "obs": [VERY_LONG], "pmid": "PMID:77"},
        {"id": "none", "disease": GAMMA, "obs": ["HP:9999999"], "pmid": "PMID:77"},
        {"id": "far", "disease": "OMIM:999999", "obs": [LONG], "pmid": "PMID:77"},
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def test_rank_gives_the_differential_as_json(cli):
    ran = cli("rank", "--hpo", f"{LONG},{LENS}", "--hpo", OLD_SEIZURE, "--json", "--top", "2")
    assert ran.code == 0
    assert [d["rank"] for d in ran.json["candidates"]] == [1, 2]
    assert ran.json["observed"] == [LENS, LONG, SEIZURE]
    assert [m["given"] for m in ran.json["mapped"]] == [OLD_SEIZURE]
    assert ran.json["standing"] in ("one", "several", "none")
    assert ran.json["versions"]["hpoa"] == "2099-01-01"
    assert ran.err == ""


def test_rank_reads_in_french_within_eighty_columns(cli, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    ran = cli("rank", "--hpo", f"{LONG},{LENS}", "--excluded", SEIZURE, "--explain")
    assert ran.code == 0
    assert "2 signes présents, 1 absent · 3 maladies OMIM" in ran.out
    assert "Ectopie du cristallin" in ran.out
    assert "aucune de ces maladies" in ran.out
    assert "n'est pas un dispositif" in ran.out
    assert max(len(line.rstrip()) for line in ran.out.splitlines()) <= 80


def test_rank_reads_in_english(run, cli, monkeypatch):
    monkeypatch.setenv("LAB39_LANG", "en")
    ran = cli("rank", "--hpo", LONG)
    assert "none of these diseases" in ran.out
    assert "1 sign present · 3 diseases OMIM" in ran.out


def test_a_frequency_that_nobody_stated_is_not_shown_as_a_figure(cli):
    ran = cli("rank", "--hpo", SEIZURE, "--explain", "--top", 1)
    assert BETA in ran.out
    evidence = next(line for line in ran.out.splitlines() if "Seizure" in line)
    assert "fréquence non précisée" in evidence
    assert "%" not in evidence


def test_few_patients_are_counted_and_no_estimate_is_shown(cli):
    ran = cli("rank", "--hpo", LENS, "--explain", "--top", 1)
    evidence = next(line for line in ran.out.splitlines() if "Ectopie" in line)
    assert "1 malade sur 2" in evidence
    assert "50" not in evidence


def test_a_sign_without_weight_is_told_apart_and_not_drawn(cli):
    ran = cli("rank", "--hpo", LONG, "--excluded", FEVER, "--explain", "--top", 1)
    told = [line for line in ran.out.splitlines() if "Fever" in line]
    assert len(told) == 1
    assert "Sans poids" in told[0]
    assert "+" not in told[0]


def test_equal_priors_are_said_under_the_differential(cli):
    assert "la fréquence des maladies n'est pas prise en compte" in " ".join(cli("rank", "--hpo", LONG).out.split())


def test_a_sign_that_shares_only_the_root_is_shown_as_not_annotated(cli):
    ran = cli("rank", "--hpo", VERY_LONG, "--explain")
    evidence = [line for line in ran.out.splitlines() if "Very long fingers" in line]
    assert "par Doigts" in evidence[1]  # Alpha, one step up
    assert "non annoté" in evidence[2]  # Gamma
    assert "Phenotypic abnormality" not in ran.out


def test_rank_reads_a_phenopacket_and_tells_what_it_did_not_use(cli, phenopacket):
    ran = cli("rank", "--phenopacket", phenopacket)
    assert ran.code == 0
    assert "HP:9999999 n'existe pas" in ran.out
    found = cli("rank", "--phenopacket", phenopacket, "--json").json
    assert (found["observed"], found["excluded"]) == ([LONG], [SEIZURE])
    assert [i["code"] for i in found["ignored"]] == ["unknown"]


def test_the_number_shown_does_not_change_the_questions(cli):
    one, many = (cli("rank", "--hpo", LONG, "--json", "--top", n).json["questions"] for n in (1, 10))
    assert one == many != []


def test_candidates_of_another_source_may_compete(cli):
    assert [d["id"] for d in cli("rank", "--hpo", LONG, "--candidates", "orpha", "--json").json["candidates"]] == [
        "ORPHA:7"
    ]
    assert cli("rank", "--hpo", LONG, "--candidates", "all", "--json").json["n_candidates"] == 4


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("rank",), "aucun signe présent"),
        (("rank", "--hpo", "long"), "n'est pas un identifiant HPO"),
        (("rank", "--hpo", f"{LONG},HP:9999999"), "HP:9999999 n'existe pas"),
        (("rank", "--hpo", LONG, "--excluded", "HP:9999999"), "HP:9999999 n'existe pas"),
        (("rank", "--hpo", GONE), "aucun signe présent utilisable"),
        (("rank", "--hpo", LONG, "--candidates", "MONDO"), "OMIM, ORPHA, all"),
        (("rank", "--phenopacket", "absent.json"), "introuvable"),
        (("rank", "--phenopacket", "x.json", "--hpo", LONG), "pas les deux"),
        (("explain", "OMIM:42", "--hpo", LONG), "maladie absente"),
        (("evaluate", "absent.jsonl"), "absent.jsonl"),
    ],
)
def test_what_cannot_be_done_is_said_with_exit_2(cli, args, said):
    ran = cli(*args)
    assert ran.code == 2
    assert said in " ".join(ran.err.split())
    assert ran.out == ""


def test_a_phenopacket_without_features_is_refused(cli, tmp_path):
    path = tmp_path / "empty.json"
    path.write_text(json.dumps({"id": "p", "subject": {"id": "p"}, "phenotypicFeatures": [], "metaData": {}}))
    ran = cli("rank", "--phenopacket", path)
    assert (ran.code, ran.out) == (2, "")
    assert "aucun signe" in ran.err


def test_explain_says_for_against_and_what_to_expect(cli):
    ran = cli("explain", ALPHA.lower(), "--hpo", f"{LONG},{SEIZURE}")
    assert ran.code == 0
    assert "Alpha syndrome" in ran.out
    assert "Signes que les annotations disent absents" in ran.out
    assert "Ectopie du cristallin" in ran.out
    found = cli("explain", ALPHA, "--hpo", LONG, "--json").json
    assert found["disease"]["id"] == ALPHA
    assert [e["term"] for e in found["expected"]] == [LENS]


def test_signs_are_found_by_words(cli):
    assert cli("signs", "crise", "epilepsie", "--json").json["signs"][0]["term"] == SEIZURE
    assert "Doigts longs" in cli("signs", "doigt", "long").out
    nothing = cli("signs", "xqzt")
    assert nothing.code == 0
    assert "Aucun signe ressemblant" in nothing.out


def test_evaluate_counts_and_names_the_failures(cli, cases):
    ran = cli("evaluate", cases, "--json")
    assert ran.code == 0
    assert (ran.json["n"], ran.json["all"]["n"], ran.json["passed"]) == (3, 4, 2)
    assert ran.json["label"]["en"] == "circular"
    assert [f["id"] for f in ran.json["failures"]] == ["none"]
    assert {"top1", "top3", "top10", "macro_top1", "ece", "p95_ms"} <= set(ran.json)


def test_evaluate_shows_its_regime_and_the_word_circular(cli, cases):
    assert "as-is [circulaire]" in cli("evaluate", cases).out
    own = cli("evaluate", cases, "--regime", "never-cited").out
    assert "never-cited" in own
    assert "circulaire" not in own


def test_an_unknown_regime_lists_those_there_are(cli, cases):
    ran = cli("evaluate", cases, "--regime", "fair")
    assert ran.code == 2
    assert "as-is, own-paper-subtracted, never-cited" in ran.err


def test_without_the_pack_the_command_to_type_is_given(cli, monkeypatch, tmp_path):
    from lab39.core import origins

    monkeypatch.setattr(origins, "from_package", lambda _spec: None)
    monkeypatch.setenv("LAB39_HOME", str(tmp_path / "empty"))
    ran = cli("rank", "--hpo", LONG)
    assert ran.code == 2
    assert "lab39 data install hpo" in ran.err


def test_the_help_is_there_before_any_data(cli):
    ran = cli("--help")
    assert ran.code == 0
    assert all(command in ran.out for command in ("rank", "explain", "signs", "evaluate"))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc, which Linux has")
def test_a_process_with_a_compiled_index_stays_under_its_memory_limit(real_home):
    peak = "print(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0], file=sys.stderr)"
    script = (
        "import atexit, sys; from pathlib import Path; from lab39.cli import main\n"
        f"atexit.register(lambda: {peak})\n"
        "sys.argv = ['lab39', 'raredisease', 'rank', '--hpo', 'HP:0001166', '--json']\nmain()\n"
    )
    env = os.environ | {"LAB39_HOME": str(real_home)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["n_candidates"] == 8352
    assert int(done.stderr.split()[-1]) / 1024 < 200  # MiB; the limit for all is 600
