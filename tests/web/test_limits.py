"""How often one may try."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from argon2 import PasswordHasher
from starlette.testclient import TestClient
from tests.store.conftest import MovableClock, cluster  # noqa: F401 (a fixture)
from tests.web.people import fields, house_of, new_person

from lab39.store import Store, audit, credentials, throttle
from lab39.store.credentials import hash_password, set_password
from lab39.store.migrate import migrate
from lab39.store.throttle import Pace
from lab39.web.signin.limits import Window

GOOD = "correct cheval agrafe"
ANA = "ana@example.org"
PACE = Pace(free=2, first=dt.timedelta(seconds=30), longest=dt.timedelta(minutes=2), forget=dt.timedelta(hours=1))


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    monkeypatch.setattr(credentials, "_hasher", lambda: hasher)


def with_password(client: TestClient, email: str = ANA) -> None:
    person = new_person(client, "patient", email=email)
    here = house_of(client)
    with here.store.writing() as tx:
        set_password(tx, person.id, hash_password(GOOD), at=here.now())


def enter(client: TestClient, password: str = "wrong password", email: str = ANA):
    page = client.get("/sign-in")
    return client.post("/sign-in", data=fields(page.text) | {"email": email, "password": password})


def from_address(client: TestClient, host: str) -> None:
    """Whoever uses this client now comes from there."""
    client._transport.client = (host, 50_000)  # type: ignore[attr-defined]


@pytest.fixture(params=["sqlite", "postgresql"])
def any_store(request: pytest.FixtureRequest, store: Store, clock: MovableClock, tmp_path):
    """A store on each back end in turn."""
    if request.param == "sqlite":
        yield store
        return
    running = request.getfixturevalue("cluster")
    running.create("throttles")
    opened = Store(running.url("throttles"), tmp_path / "blobs", clock)
    migrate(opened)
    yield opened
    opened.close()
    running.drop("throttles")


def strike(store: Store, at: dt.datetime, key: str = "k") -> float:
    with store.writing() as tx:
        return throttle.strike(tx, key, PACE, at=at).total_seconds()


def test_failures_beyond_the_free_ones_cost_a_wait_that_doubles_to_a_limit(any_store, clock):
    assert [strike(any_store, clock()) for _ in range(6)] == [0, 0, 30, 60, 120, 120]
    with any_store.reading() as tx:
        assert throttle.wait(tx, ["k", "other"], at=clock()).total_seconds() == 120
        assert throttle.wait(tx, ["k"], at=clock.forward(seconds=120)).total_seconds() == 0


def test_they_are_forgotten_after_a_while_or_when_forgiven(any_store, clock):
    for _ in range(3):
        strike(any_store, clock())
    assert strike(any_store, clock.forward(hours=1)) == 0
    with any_store.writing() as tx:
        throttle.forgive(tx, "k")
    assert [strike(any_store, clock()) for _ in range(3)] == [0, 0, 30]


def test_one_that_is_taken_back_no_longer_counts(any_store, clock):
    strike(any_store, clock())
    strike(any_store, clock())
    with any_store.writing() as tx:
        throttle.take_back(tx, "k", at=clock())
    assert strike(any_store, clock()) == 0
    assert strike(any_store, clock()) == 30


def test_what_is_over_is_swept_away(any_store, clock):
    strike(any_store, clock())
    strike(any_store, clock.forward(hours=25), "fresh")
    with any_store.writing() as tx:
        assert throttle.sweep(tx, at=clock()) == 1


def test_workers_count_together_and_lose_no_failure(any_store, clock):
    threads = [threading.Thread(target=strike, args=(any_store, clock())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with any_store.reading() as tx:
        assert tx.execute(throttle.throttles.select()).mappings().one()["failures"] == 8


def test_after_five_wrong_passwords_the_next_waits_and_is_told_how_long(client, clock):
    with_password(client)
    answers = [enter(client) for _ in range(7)]
    assert [each.status_code for each in answers] == [401] * 6 + [429]
    assert answers[-1].headers["retry-after"] == "30"
    assert "30\u00a0s" in answers[-1].text or "30 s" in answers[-1].text
    assert enter(client, GOOD).status_code == 429, "the right one waits too"
    clock.forward(seconds=30)
    assert enter(client, GOOD).status_code == 303


def test_each_further_failure_doubles_the_wait(client, clock):
    with_password(client)
    for _ in range(6):
        enter(client)
    waits = []
    for _ in range(7):
        wait = int(enter(client).headers["retry-after"])
        waits.append(wait)
        clock.forward(seconds=wait)
        assert enter(client).status_code == 401
    assert waits == [30, 60, 120, 240, 480, 900, 900]


def test_an_address_that_nobody_has_is_slowed_down_all_the_same(client):
    with_password(client)
    known = [enter(client).status_code for _ in range(8)]
    unknown = [enter(client, email="nobody@example.org").status_code for _ in range(8)]
    assert known == unknown == [401] * 6 + [429] * 2


def test_the_case_of_the_address_makes_no_other_account_of_it(client):
    with_password(client)
    answers = [enter(client, email=email).status_code for email in (ANA, ANA.upper(), f" {ANA} ") * 3]
    assert answers[-1] == 429


def test_many_accounts_from_one_place_are_slowed_down_as_one(client):
    answers = [enter(client, email=f"a{number}@example.org").status_code for number in range(22)]
    assert answers == [401] * 21 + [429]
    from_address(client, "192.0.2.7")
    assert enter(client, email="another@example.org").status_code == 401


def test_a_sign_in_of_ones_own_does_not_clear_the_place(client):
    with_password(client, "eve@example.org")
    for number in range(21):
        if number % 5 == 0:
            client.cookies.clear()
            enter(client, GOOD, "eve@example.org")
            client.cookies.clear()
        enter(client, email=f"a{number}@example.org")
    assert enter(client, email="last@example.org").status_code == 429


def test_a_whole_network_of_version_6_is_one_place(client):
    for number in range(21):
        from_address(client, f"2001:db8:1:2::{number + 1:x}")
        enter(client, email=f"a{number}@example.org")
    assert enter(client, email="last@example.org").status_code == 429
    from_address(client, "2001:db8:1:3::1")
    assert enter(client, email="last@example.org").status_code == 401


def test_an_attack_on_an_account_does_not_close_it_to_the_browser_of_its_owner(client, open_lab):
    with_password(client)
    assert enter(client, GOOD).status_code == 303
    client.post("/sign-out", data=fields(client.get("/account").text))
    eve = open_lab()
    from_address(eve, "192.0.2.9")
    assert [enter(eve).status_code for _ in range(7)][-1] == 429
    assert enter(client, GOOD).status_code == 303


def test_that_browser_itself_has_no_more_tries_than_another(client):
    with_password(client)
    enter(client, GOOD)
    client.post("/sign-out", data=fields(client.get("/account").text))
    assert [enter(client).status_code for _ in range(7)][-1] == 429


def test_what_is_refused_for_its_pace_does_not_fill_the_log(client):
    with_password(client)
    for _ in range(12):
        enter(client)
    with house_of(client).store.reading() as tx:
        assert len(audit.entries(tx, action="sign-in-refused")) == 6


def test_neither_the_account_nor_the_place_can_be_read_from_the_table(client):
    with_password(client)
    from_address(client, "192.0.2.7")
    enter(client)
    with house_of(client).store.reading() as tx:
        rows = str(tx.execute(throttle.throttles.select()).all())
    assert "ana" not in rows
    assert "192.0.2.7" not in rows


def test_two_workers_share_the_count(open_lab):
    one, two = open_lab(), open_lab()
    with_password(one)
    answers = [enter(client).status_code for client in (one, two) * 4]
    assert answers.count(429) == 2


class Hand:
    """A clock that is moved by hand."""

    seconds = 7200.0

    def __call__(self) -> float:
        return self.seconds


def test_a_sender_may_send_so_many_in_any_window_and_others_are_not_counted_with_it():
    clock = Hand()
    window = Window("4 per minute", clock)
    assert [window.wait("a") for _ in range(4)] == [0, 0, 0, 0]
    clock.seconds += 15
    assert window.wait("a") == 45, "all were sent in this window"
    assert window.wait("b") == 0
    clock.seconds += 45 + 20  # a third of the next window: two thirds of the four, 2.67, still count as two
    assert [window.wait("a") for _ in range(3)] == [0, 0, pytest.approx(10)]
    clock.seconds += 10 + 1  # less than two of the four are left
    assert [window.wait("a") for _ in range(2)] == [0, pytest.approx(14)]


def test_what_came_two_windows_ago_is_forgotten():
    clock = Hand()
    window = Window("2 per 10 second", clock)
    assert [bool(window.wait(who)) for who in "aaa"] == [False, False, True]
    clock.seconds += 20
    assert [bool(window.wait(who)) for who in "aaa"] == [False, False, True]
    clock.seconds += 10
    window.wait("b")
    clock.seconds += 10
    window.wait("b")
    assert "a" not in window.now + window.before


def test_who_is_refused_is_told_to_wait_at_least_a_second():
    clock = Hand()
    window = Window("4 per minute", clock)
    for _ in range(4):
        window.wait("a")
    clock.seconds += 60 + 30
    assert [window.wait("a") for _ in range(3)] == [0, 0, 1], "at this moment one of the four goes out of sight"


@pytest.mark.parametrize(
    ("rate", "most", "seconds"),
    [("240 per minute", 240, 60), ("6000 per 10 second", 6000, 10), ("5 / 2 hour", 5, 7200)],
)
def test_a_rate_is_read_as_settings_write_it(rate, most, seconds):
    window = Window(rate)
    assert (window.most, window.seconds) == (most, seconds)


def test_too_many_forms_are_refused_with_the_time_to_wait(open_lab):
    client = open_lab(form_rate="3 per minute")
    answers = [client.post("/sign-in", data={}) for _ in range(5)]
    assert [each.status_code for each in answers] == [403, 403, 403, 429, 429]
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert "content-security-policy" in answers[-1].headers
    assert client.get("/").status_code == 200, "reading goes on"


def test_too_many_calls_are_refused_in_the_form_that_programs_read(open_lab):
    client = open_lab(api_rate="2 per minute")
    answers = [client.get("/api/v1/solutions") for _ in range(3)]
    assert answers[-1].status_code == 429
    assert answers[-1].headers["content-type"].startswith("application/problem+json")
