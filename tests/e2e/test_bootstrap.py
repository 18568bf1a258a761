"""A cluster from nothing, proved by canaries."""

from __future__ import annotations

from clusters import Repository

from provisioner.client import path


def test_bootstrap_proves_every_stream_and_leaves_nothing_behind(repository: Repository) -> None:
    done = repository.run("doctor")
    assert done.code == 0, done.text
    assert done.out.count("✓") >= 7
    assert repository.objects() == {}

    for _ in range(2):  # the second one has nothing to apply and proves the same
        done = repository.run("bootstrap", "--yes")
        assert done.code == 0, done.text
        assert "5 data streams take events, redact, keep and watch them" in done.out
    assert "No changes" in done.out
    counted = path(f"logs-*-{repository.namespace}", "_count")
    repository.client.request("POST", path(f"logs-*-{repository.namespace}", "_refresh"))
    others = {"q": "NOT context.application:provisioner"}
    assert repository.client.request("GET", counted, params=others)["count"] == 0
    assert repository.client.request("GET", counted)["count"] == 7  # our own audit of two bootstraps and two applies


def test_a_canary_tells_what_someone_switched_off(small: Repository) -> None:
    assert small.run("apply").code == 0
    stream = f"logs-authentication-{small.namespace}"
    off = {"index.final_pipeline": "_none"}
    small.client.request("PUT", path(stream, "_settings"), off)
    done = small.run("bootstrap", "--yes")
    assert done.code == 1
    assert "Not everything is as it should be" in done.out
    assert "planted" in done.out  # the table folds the words: the planted card number was stored
    assert small.client.request("GET", path(stream, "_count"))["count"] == 0
