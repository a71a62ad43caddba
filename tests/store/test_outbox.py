"""Messages to people: with consent, once for a receiver that deduplicates, and a way out in each."""

from __future__ import annotations

import random
import urllib.parse
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.store.houses import person

from lab39.core.errors import InputError
from lab39.core.messages import Template
from lab39.settings import Settings
from lab39.store import Store, audit, consents, jobs, notify, outbox, people, unsubscribe
from lab39.store.notify import AppriseTransport, DeliveryError, Outgoing
from lab39.store.outbox import Message, State, UnknownMessageError, Why
from lab39.store.privacy import erase_person, export_person
from lab39.store.registry import Registry
from lab39.store.unsubscribe import UnsubscribeError
from lab39.store.worker import Worker

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # apprise imports it

LINK = "https://lab.example.org/desk"


class Post:
    """A transport that keeps what it is given; it may be out of order."""

    def __init__(self) -> None:
        self.sent: list[Outgoing] = []
        self.broken = False

    def send(self, outgoing: Outgoing) -> None:
        if self.broken:
            raise DeliveryError(outbox.Text("en panne", "out of order"))
        self.sent.append(outgoing)


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", public_url="https://lab.example.org")


@pytest.fixture
def at_work(store: Store, settings: Settings, post: Post) -> Worker:
    registry = Registry.of([outbox.kind(post)])
    return Worker(store, settings, registry, wait=lambda _: None, chance=random.Random(1))


@pytest.fixture
def ana(store: Store) -> str:
    """Somebody who agreed to mail."""
    made = person(store, "Ana", email="ana@example.org").id
    with store.writing() as tx:
        consents.give(tx, made, "news", wording="2026-01", channel="web", at=store.clock())
    return made


def add(store: Store, who: str, **given: object) -> Message:
    with store.writing() as tx:
        return outbox.add(tx, who, "lab.notice", {"link": LINK}, purpose="news", at=store.clock(), **given)  # type: ignore[arg-type]


def get(store: Store, message: Message) -> Message:
    with store.reading() as tx:
        return outbox.get(tx, message.id)


def test_a_message_is_sent_in_the_readers_language_and_is_in_the_audit_log(store: Store, ana: str, at_work, post):
    message = add(store, ana)
    with store.writing() as tx:
        people.change(tx, ana, lang="en")
    at_work.run_until_idle()
    (sent,) = post.sent
    assert (sent.to, sent.key, sent.subject) == (
        "ana@example.org",
        message.id,
        "There is something new for you in Lab39",
    )
    assert sent.body.startswith("Hello Ana,")
    assert LINK in sent.body
    assert sent.unsubscribe in sent.body
    assert get(store, message).state is State.SENT
    assert get(store, message).ended_at == store.clock()
    with store.reading() as tx:
        (entry,) = audit.entries(tx, action="message")
    assert (entry.subject, entry.about["message"]) == (ana, message.id)


def test_without_consent_when_it_leaves_it_does_not_leave(store: Store, ana: str, at_work, post):
    message, never = add(store, ana), add(store, person(store, "Bob", email="bob@example.org").id)
    with store.writing() as tx:
        consents.withdraw(tx, ana, "news", channel="web", at=store.clock())
    at_work.run_until_idle()
    assert post.sent == []
    for each in (message, never):
        assert (get(store, each).state, get(store, each).why) == (State.SUPPRESSED, Why.NO_CONSENT)
    with store.reading() as tx:
        assert audit.entries(tx, action="message") == ()


def test_consent_to_one_purpose_is_not_consent_to_another(store: Store, ana: str, at_work, post):
    with store.writing() as tx:
        message = outbox.add(tx, ana, "lab.notice", {"link": LINK}, purpose="research", at=store.clock())
    at_work.run_until_idle()
    assert post.sent == []
    assert get(store, message).why is Why.NO_CONSENT


def test_somebody_without_an_address_is_sent_nothing_and_it_is_told(store: Store, at_work, post):
    nobody = person(store, "Cléo").id
    with store.writing() as tx:
        consents.give(tx, nobody, "news", wording="2026-01", channel="web", at=store.clock())
    message, elsewhere = add(store, nobody), add(store, nobody, channel="webhook")
    at_work.run_until_idle()
    assert get(store, message).why is Why.NO_ADDRESS
    assert get(store, elsewhere).state is State.SENT
    assert [sent.channel for sent in post.sent] == ["webhook"]


def test_added_again_with_its_key_it_is_sent_once(store: Store, ana: str, at_work, post):
    first = add(store, ana, key="case 7 answered")
    assert add(store, ana, key="case 7 answered") == first
    at_work.run_until_idle()
    assert add(store, ana, key="case 7 answered").state is State.SENT
    at_work.run_until_idle()
    assert len(post.sent) == 1


def test_sent_again_after_a_crash_it_carries_the_same_key(store: Store, ana: str, at_work, post, monkeypatch):
    message = add(store, ana)
    real = outbox._end

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(outbox, "_end", dies)
    with pytest.raises(KeyboardInterrupt):
        at_work.run_once()
    monkeypatch.setattr(outbox, "_end", real)
    assert get(store, message).state is State.QUEUED
    store.clock.forward(minutes=2)
    at_work.run_until_idle()
    assert [sent.key for sent in post.sent] == [message.id, message.id]
    assert get(store, message).state is State.SENT


def test_what_does_not_leave_is_tried_again_then_failed_and_may_be_retried(store: Store, ana: str, at_work, post):
    message = add(store, ana)
    post.broken = True
    at_work.run_until_idle()
    assert get(store, message).state is State.QUEUED
    for _ in range(20):
        store.clock.forward(hours=2)
        at_work.run_until_idle()
    assert (get(store, message).state, get(store, message).why) == (State.FAILED, Why.REFUSED)
    post.broken = False
    with store.writing() as tx:
        (job,) = jobs.find(tx, kind=outbox.KIND)
        assert job.error == "out of order"
        jobs.retry(tx, job.id, at=store.clock())
    at_work.run_until_idle()
    assert get(store, message).state is State.SENT


def test_a_message_cannot_leave_without_an_address_of_the_lab_for_its_way_out(store: Store, ana: str, post):
    add(store, ana)
    Worker(store, Settings(), Registry.of([outbox.kind(post)]), wait=lambda _: None).run_once()
    with store.reading() as tx:
        assert "LAB39_URL" in jobs.find(tx)[0].error
    assert post.sent == []


def test_a_message_without_its_parameters_or_of_no_template_is_refused_when_it_is_added(store: Store, ana: str):
    for template, parameters in (("lab.notice", {}), ("lab.notice", {"link": LINK, "diagnosis": "x"})):
        with pytest.raises(InputError, match="link"), store.writing() as tx:
            outbox.add(tx, ana, template, parameters, purpose="news", at=store.clock())
    for template in ("lab.nothing", "nobody.notice", ""):
        with pytest.raises(UnknownMessageError), store.writing() as tx:
            outbox.add(tx, ana, template, {}, purpose="news", at=store.clock())
    with store.reading() as tx:
        assert outbox.find(tx) == ()
        assert set(outbox.counts(tx).values()) == {0}


def token_of(sent: Outgoing) -> str:
    return sent.unsubscribe.rpartition("/")[2]


def test_one_click_takes_the_consent_back_and_a_second_changes_nothing(
    store: Store, ana: str, at_work, post, settings
):
    first, second = add(store, ana), add(store, ana)
    at_work.run_once()
    token = token_of(post.sent[0])
    key = unsubscribe.key(settings.keys)
    for _ in range(2):
        with store.writing() as tx:
            done = unsubscribe.withdraw(tx, key, token, at=store.clock())
        assert (done.purpose, done.unsubscribed_at) == ("news", store.clock())
        with store.reading() as tx:
            assert not consents.has_consent(tx, ana, "news", store.clock())
            assert [c.given for c in consents.history(tx, ana)] == [True, False]
            assert len(audit.entries(tx, action="consent")) == 1
    at_work.run_until_idle()
    assert {get(store, first).state, get(store, second).state} == {State.SENT, State.SUPPRESSED}


def test_a_forged_token_does_nothing(store: Store, ana: str, at_work, post, settings):
    add(store, ana)
    add(store, ana)
    at_work.run_until_idle()
    one, two = map(token_of, post.sent)
    key = unsubscribe.key(settings.keys)
    mixed = f"{one.partition('.')[0]}.{two.partition('.')[2]}"
    signed_for_none = unsubscribe.token(key, "nothing")
    for wrong in ("", ".", one[:-1], one + "x", mixed, "é.é", "\udcff.x", signed_for_none):
        with pytest.raises(UnsubscribeError), store.writing() as tx:
            unsubscribe.withdraw(tx, key, wrong, at=store.clock())
    with pytest.raises(UnsubscribeError), store.writing() as tx:
        unsubscribe.withdraw(tx, b"another key", one, at=store.clock())
    with store.reading() as tx:
        assert consents.has_consent(tx, ana, "news", store.clock())


def test_the_key_of_the_links_is_made_once_and_read_by_its_owner_only(settings: Settings):
    first = unsubscribe.key(settings.keys)
    assert len(first) == 32
    assert unsubscribe.key(settings.keys) == first
    assert (settings.keys / unsubscribe.KEY).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in settings.keys.iterdir()] == [unsubscribe.KEY]


def test_erasing_a_person_stops_their_messages_and_forgets_what_they_said(
    store: Store, ana: str, at_work, post, tmp_path
):
    add(store, ana)
    at_work.run_until_idle()
    waiting = add(store, ana)
    assert export_person(store, ana, tmp_path / "x.zip").rows["messages"] == 2
    erase_person(store, ana)
    store.clock.forward(hours=1)
    at_work.run_until_idle()
    assert len(post.sent) == 1
    assert (get(store, waiting).state, get(store, waiting).why) == (State.SUPPRESSED, Why.ERASED)
    with store.reading() as tx:
        assert all(message.parameters is None for message in outbox.find(tx, person=ana))
        assert LINK not in str(tx.execute(sa.select(outbox.outbox)).all())


def outgoing(**given: str) -> Outgoing:
    whole = {"channel": "mail", "to": "ana+x@example.org", "subject": "s", "body": "b", "key": "k1"}
    return Outgoing(**(whole | {"unsubscribe": "https://lab.example.org/unsubscribe/t"} | given))


def test_the_url_of_a_message_carries_its_recipient_its_key_and_its_way_out():
    transport = AppriseTransport({"mail": "mailtos://u:p@smtp.example.org?to={to}", "hook": "jsons://h.example/x"})
    url = transport.url(outgoing())
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(url.replace("+", "%2B")).query)
    assert query["to"] == ["ana+x@example.org"]
    assert query["+Idempotency-Key"] == ["k1"]
    assert query["+List-Unsubscribe"] == ["<https://lab.example.org/unsubscribe/t>"]
    assert query["+List-Unsubscribe-Post"] == ["List-Unsubscribe=One-Click"]
    assert transport.url(outgoing(channel="hook")).startswith("jsons://h.example/x?+Idempotency-Key=k1&")


def test_apprise_understands_the_url_and_is_given_the_message(monkeypatch):
    import apprise
    from apprise.plugins.email.base import NotifyEmail

    given: list[tuple[NotifyEmail, dict[str, object]]] = []

    def notify_(self: NotifyEmail, **message: object) -> bool:
        given.append((self, message))
        return len(given) == 1

    monkeypatch.setattr(NotifyEmail, "notify", notify_)
    transport = AppriseTransport({"mail": "mailtos://u:p@smtp.example.org?from=lab@example.org&to={to}"})
    transport.send(outgoing())
    service, message = given[0]
    assert isinstance(service, NotifyEmail)
    assert [address for _, address in service.targets] == ["ana+x@example.org"]
    assert service.headers["Idempotency-Key"] == "k1"
    assert (message["title"], message["body"]) == ("s", "b")
    assert message["body_format"] is apprise.NotifyFormat.TEXT
    with pytest.raises(DeliveryError, match="refused"):
        transport.send(outgoing())


def test_a_channel_that_is_not_set_or_not_understood_says_what_to_set():
    for urls in ({}, {"mail": "nonsense://x"}):
        with pytest.raises(DeliveryError, match="LAB39_APPRISE"):
            AppriseTransport(urls).send(outgoing())


def test_the_settings_name_a_service_for_each_channel_and_never_show_it():
    settings = Settings.from_env({"LAB39_APPRISE": "mailtos://u:s3cret@h?to={to} hook=jsons://h/x?a=b"})
    assert dict(settings.apprise) == {"mail": "mailtos://u:s3cret@h?to={to}", "hook": "jsons://h/x?a=b"}
    assert "s3cret" not in repr(settings)
    assert isinstance(notify.of(settings), AppriseTransport)
    with pytest.raises(ValueError, match="LAB39_APPRISE") as told:
        Settings.from_env({"LAB39_APPRISE": "s3cret"})
    assert "s3cret" not in str(told.value)


@pytest.mark.parametrize(
    "toml",
    [
        '[x]\nsubject.fr = "a"\nbody.fr = "b"\nbody.en = "b"',
        '[x]\nsubject.fr = "{what}"\nsubject.en = "a"\nbody.fr = "b"\nbody.en = "b"',
        '[x]\nsubject.fr = "a"\nsubject.en = "a"\nbody.fr = "{link}"\nbody.en = "b"',
    ],
)
def test_a_template_in_one_language_or_with_a_place_in_its_subject_or_uneven_is_refused(toml: str):
    with pytest.raises(ValueError):
        Template.read_all(toml, "test")
