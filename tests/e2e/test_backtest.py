"""Backtests on a real cluster: a real log against an independent count, small made sets for each kind of monitor."""

from __future__ import annotations

import json
import pathlib
import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from clusters import Cluster, Repository

from provisioner.backtest import jobs
from provisioner.backtest.engine import Backtest
from provisioner.backtest.tally import Tally
from provisioner.client import path
from provisioner.demo import count, shipper
from provisioner.repository import load_for
from provisioner.ruletest.bench import Bench, bench
from provisioner.settings import Settings, Target

ROOT = pathlib.Path(__file__).parents[2]
LOG = ROOT.parent / "shared" / "data" / "sshd-auth.log"
MINUTE, DAY = 60_000, 86_400_000
BEGIN = int(datetime(2026, 3, 2, tzinfo=UTC).timestamp() * 1_000)
RULES = {
    "bt-silent": {"type": "absence", "query": "action:session_opened", "absence": {"for": "30m"}, "schedule": "5m"},
    "bt-host-silent": {
        "type": "absence",
        "query": "action:session_opened",
        "group_by": ["host.name"],
        "absence": {"for": "30m", "seen_within": "6h"},
        "schedule": "5m",
    },
    "bt-new-address": {
        "type": "new_value",
        "query": "action:login_succeeded",
        "group_by": ["source.ip"],
        "new_value": {"baseline": "6h"},
        "schedule": "5m",
    },
    "bt-many": {"type": "threshold", "query": "action:login_failed", "group_by": ["actor.username"], "schedule": "1m",
             "threshold": {"count": 3, "within": "1m"}, "throttle": "2m", "remind": "2m"},
    "bt-locked": {"type": "match", "query": "action:account_lockout", "schedule": "1m", "enabled": False},
}  # fmt: skip


@pytest.fixture(scope="module")
def made(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """The starter pack's templates with the rules above; its streams hold what tests store."""
    root = tmp_path_factory.mktemp("backtest")
    for name in ("templates", "ilm", "rules", "docs/runbooks"):
        shutil.copytree(ROOT / name, root / name)
    for id_, rule in RULES.items():
        about = {"kind": "rule", "id": id_, "title": id_, "severity": "high", "log_type": "authentication"}
        about["runbook"] = "https://wiki.example/x"
        (root / "rules" / f"{id_}.yml").write_text(json.dumps(about | rule))
    with bench(root, Settings("back", Target("t", (cluster.url,), vars={"replicas": 0}))) as found:
        found.prepare(["authentication"])
        yield found


def store(made: Bench, *events: tuple[int, dict[str, str]]) -> None:
    lines = []
    for minute, fields in events:
        when = datetime.fromtimestamp((BEGIN + minute * MINUTE) / 1_000, UTC).isoformat()
        base = {"@timestamp": when, "category": "authentication", "severity": "info", "message": "m"}
        lines += [json.dumps({"create": {}}), json.dumps(base | fields)]
    stream = made.stream("authentication")
    answer = made.client.request("POST", path(stream, "_bulk"), "\n".join(lines) + "\n", {"refresh": "true"})
    assert not answer["errors"], answer


def backtest(made: Bench, rule: str, begin: int, end: int) -> Tally:
    (job,) = jobs.jobs(made.loaded, [rule], begin, end)
    found = Backtest(made.client, job)
    told: list[int] = []
    found.run(told.append)
    assert found.tally.complete
    assert told == sorted(told)
    return found.tally


def keys(tally: Tally) -> dict[str, int]:
    return {key[0][1]: times for key, times in tally.keys.items()}


@pytest.fixture(scope="module")
def filled(made: Bench) -> Bench:
    """Half a day of sessions on two hosts, with gaps; failed logins, addresses and lockouts between them."""
    sessions = [
        (minute, {"action": "session_opened", "host.name": host})
        for host, gaps in (("a", [(100, 200)]), ("b", [(150, 250), (400, 600)]))
        for minute in range(0, 720, 10)
        if not any(first < minute < last for first, last in gaps)
    ]
    failed = [
        (minute, {"action": "login_failed", "actor.username": user})
        for minute, user in [(50, "x")] * 3
        + [(60, "x")] * 3
        + [(61, "x"), (300, "x")]
        + [(400, "y")] * 4
        + [(minute, "z") for minute in range(500, 512)] * 3
    ]
    one, two = "192.0.2.1", "192.0.2.2"
    seen = [
        (minute, {"action": "login_succeeded", "source.ip": ip})
        for minute, ip in ((30, one), (200, one), (500, two), (650, one))
    ]
    locked = [(minute, {"action": "account_lockout", "actor.username": "z"}) for minute in (10, 10, 11, 700)]
    store(made, *sessions, *failed, *seen, *locked)
    return made


def test_a_threshold_fires_once_for_each_burst(filled: Bench) -> None:
    tally = backtest(filled, "bt-many", BEGIN, BEGIN + DAY)
    assert keys(tally) == {"x": 2, "y": 1, "z": 1}
    assert sorted(tally.peaks.values()) == [4, 4, 6]
    assert tally.first == BEGIN + 50 * MINUTE
    # Each is seen for 5 minutes (window, schedule, delay, throttle) after its last event, and said again no sooner than
    # a minute after that: z goes on for 16, and is said again after 6 and 12 of them.
    channels = len(filled.loaded.source.documents["severity", "high"].body["channels"])
    assert tally.messages == (1 + 1 + 1 + 3) * channels


def test_groups_and_all_together_go_silent(filled: Bench) -> None:
    end = BEGIN + 700 * MINUTE
    hosts = backtest(filled, "bt-host-silent", BEGIN, end)
    assert keys(hosts) == {"a": 1, "b": 2}
    alone = backtest(filled, "bt-silent", BEGIN - 60 * MINUTE, end)
    # Before the first event nothing has gone silent; both hosts are silent from 150 to 200 only.
    assert (alone.fired, alone.going_on) == (1, 0)
    assert alone.first == BEGIN + 185 * MINUTE  # 31 minutes after minute 150, at the next run
    after = backtest(filled, "bt-silent", BEGIN, BEGIN + DAY)
    assert after.fired == 2


def test_a_new_value_fires_once_until_it_is_known(filled: Bench) -> None:
    tally = backtest(filled, "bt-new-address", BEGIN, BEGIN + DAY)
    # 192.0.2.1 at minute 30, and at 650 again: 450 minutes after it was last seen, its baseline being 360.
    assert keys(tally) == {"192.0.2.1": 2, "192.0.2.2": 1}


def test_a_match_rule_that_is_off_counts_events_and_runs_with_messages(filled: Bench) -> None:
    tally = backtest(filled, "bt-locked", BEGIN, BEGIN + DAY)
    channels = len(filled.loaded.source.documents["severity", "high"].body["channels"])
    assert (tally.fired, tally.messages) == (4, 3 * channels)
    assert dict(tally.keys) == {(("actor.username", "z"),): 4}
    assert dict(tally.hours) == {BEGIN: 3, BEGIN + 11 * 60 * MINUTE: 1}


def test_all_pages_of_groups_are_counted(filled: Bench) -> None:
    later = 10 * 1440
    store(filled, *[(later, {"action": "login_failed", "actor.username": f"u{n % 5_500}"}) for n in range(16_500)])
    begin = BEGIN + later * MINUTE - DAY
    tally = backtest(filled, "bt-many", begin, begin + 2 * DAY)
    assert tally.fired == 5_500
    assert len(tally.keys) == 5_500


def test_what_was_counted_before_an_interrupt_is_there(filled: Bench) -> None:
    (job,) = jobs.jobs(filled.loaded, ["bt-silent"], BEGIN - 60 * MINUTE, BEGIN + DAY)
    found = Backtest(filled.client, job)
    told: list[int] = []

    def interrupt(at: int) -> None:
        told.append(at)
        if at > BEGIN + 200 * MINUTE:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        found.run(interrupt)
    channels = len(filled.loaded.source.documents["severity", "high"].body["channels"])
    tally = found.tally
    assert (tally.complete, tally.until, tally.fired, tally.messages) == (False, told[-1], 1, channels)
    assert told[-1] < BEGIN + DAY


def test_a_coarser_step_finds_the_same_bursts(filled: Bench) -> None:
    """The rule as if it ran once an hour: its look-back grows with that, so no burst is missed."""
    root = filled.loaded.root
    target = Target("t", filled.loaded.settings.target.hosts, namespace=filled.loaded.settings.target.namespace,
                    vars={"replicas": 0}, schedule="1h")  # fmt: skip
    loaded = load_for(root, Settings("back", target))
    (job,) = jobs.jobs(loaded, ["bt-many"], BEGIN, BEGIN + DAY)
    found = Backtest(filled.client, job)
    found.run()
    assert keys(found.tally) == {"x": 1, "y": 1, "z": 1}  # the two bursts of x are ten minutes apart: one alert now


def _reference(failures: list[count.Failure], begin: datetime, end: datetime) -> Counter[tuple[str, str]]:
    """Every run of every minute, by the demo's own window: who fires in a run and did not in the one before."""
    sight = timedelta(minutes=5 + 1 + 1 + 15)  # within, schedule, delay, throttle
    fired: Counter[tuple[str, str]] = Counter()
    before: set[tuple[str, str]] = set()
    at = begin
    while at <= end:
        now = {count.as_key(pair) for pair in count.bursts(f for f in failures if at - sight <= f.at <= at)}
        fired.update(now - before)
        before = now
        at += timedelta(minutes=1)
    return fired


@pytest.mark.skipif(not LOG.exists(), reason="the real log, ../shared/data/sshd-auth.log, is not here")
def test_the_real_log_fires_as_an_independent_count_says(made: Bench) -> None:
    now = datetime.now(UTC)
    lines = list(shipper.read(LOG))
    owner, stream = made.loaded.settings.owner, made.stream("authentication")
    assert shipper.ship(made.client, stream, f"{owner}-sshd", lines).stored == len(lines)
    failures = count.failures(lines, now)
    begin = min(f.at for f in failures).replace(second=0, microsecond=0) - timedelta(minutes=30)
    end = max(f.at for f in failures).replace(second=0, microsecond=0) + timedelta(hours=1)
    tally = backtest(made, "brute-force-login", int(begin.timestamp() * 1_000), int(end.timestamp() * 1_000))
    expected = _reference(failures, begin, end)
    assert {tuple(value for _, value in key): times for key, times in tally.keys.items()} == dict(expected)
    assert sum(expected.values()) == tally.fired > 5
    peaks = {count.as_key(pair): peak for pair, peak in count.bursts(failures).items()}
    assert {tuple(value for _, value in key): peak for key, peak in tally.peaks.items()} == peaks


def test_the_command_prints_a_table_json_and_a_page(filled: Bench, repository: Repository) -> None:
    repository.settings(namespace=filled.loaded.settings.target.namespace)
    times = ["--from", "2026-03-02", "--to", "2026-03-03"]
    text = repository.run("backtest", "account-lockout", "brute-force-login", *times)
    assert text.code == 0, text.err
    assert "2026-03-02T00:00:00Z to 2026-03-03T00:00:00Z (UTC)" in text.out
    assert "account-lockout: actor.username z (4)" in text.out
    page = repository.root / "page.html"
    said = repository.run("backtest", "account-*", *times, "-o", "json", "--html", str(page))
    (rule,) = json.loads(said.out)["rules"]
    assert (rule["rule"], rule["fired"], rule["days"]) == ("account-lockout", 4, {"2026-03-02": 4})
    assert "<svg" in page.read_text()
    wrong = repository.run("backtest", "account-lokout", *times)
    assert (wrong.code, "there is no rule 'account-lokout'" in wrong.err) == (2, True)
    repository.settings(namespace="nowhere")
    missing = repository.run("backtest", "account-lockout", *times)
    assert (missing.code, "there is no logs-authentication-nowhere" in missing.err) == (2, True)
