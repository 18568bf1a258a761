"""Random tampering is never missed, and random honest use never raises a false alarm."""

from collections import Counter

import campaign
import lab
import pytest


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """What is durable is another test's subject."""
    monkeypatch.setattr("os.fsync", lambda _: None)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return lab.build(tmp_path_factory.mktemp("log"), checkpoint=False)


def test_three_hundred_tamperings_are_all_found(base, tmp_path):
    found = Counter(campaign.run_tampered(tmp_path / "log", base, seed) for seed in range(300))
    assert len(found) >= 5


def test_a_hundred_honest_logs_raise_no_alarm(tmp_path):
    for seed in range(100):
        campaign.run_honest(tmp_path / "log", seed)


@pytest.mark.long
def test_two_thousand_tamperings_are_all_found(base, tmp_path):
    found = Counter(campaign.run_tampered(tmp_path / "log", base, seed) for seed in range(10_000, 12_000))
    print(f"2,000 tamperings: {dict(found)}")


@pytest.mark.long
def test_two_thousand_honest_logs_raise_no_alarm(tmp_path):
    for seed in range(10_000, 12_000):
        campaign.run_honest(tmp_path / "log", seed)
