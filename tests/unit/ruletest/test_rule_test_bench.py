"""A bench on a cluster, as far as it needs none."""

from __future__ import annotations

from provisioner import folders, settings
from provisioner.compilecache import SWITCH
from provisioner.ruletest.bench import bench

RULE = """\
kind: severity
id: low
title: Low
level: "4"
response_time: 24h
examples: [Rate limits]
channels: []
"""


def test_what_is_compiled_for_a_bench_is_not_kept_as_no_later_one_has_its_names(make_repository, monkeypatch):
    root = make_repository({"rules/severities.yml": RULE})
    monkeypatch.delenv(SWITCH, raising=False)
    monkeypatch.setenv("PROVISIONER_CACHE", str(root / "cache"))
    with bench(root, settings.load(root, None)) as one, bench(root, settings.load(root, None)) as other:
        assert one.loaded.settings.owner != other.loaded.settings.owner
    assert not (folders.cache() / "compiled").exists()
