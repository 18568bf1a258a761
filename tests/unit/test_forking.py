"""Work in several processes gives what it gives in one, whatever becomes of them, and leaves none behind."""

from __future__ import annotations

import os
import pathlib
import pickle
import shutil
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from provisioner import forking, repository, settings, shares
from provisioner.model import Document, Origin, Resource

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def processes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Three, on any machine; at the end none more than before (other tests have a cluster running)."""
    monkeypatch.setattr(forking, "_processors", lambda: 3)
    before = set(psutil.Process().children())
    yield
    assert set(psutil.Process().children()) <= before


def test_results_come_in_order_from_several_processes() -> None:
    def work(number: int) -> tuple[int, int, str]:
        time.sleep(0.01)
        return number, os.getpid(), "x" * 50_000  # more than a pipe holds

    found = forking.together(work, 40)
    assert [number for number, _, _ in found] == list(range(40))
    assert len({process for _, process, _ in found}) == 3


@pytest.mark.parametrize("count", [0, 1, 2, 3, 1000])
def test_any_number_of_shares(count: int) -> None:
    assert forking.together(lambda number: number * 2, count) == shares.alone(lambda number: number * 2, count)


def test_what_a_child_could_not_do_is_done_here() -> None:
    parent = os.getpid()

    def killed(number: int) -> int:
        if os.getpid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.01)
        return number

    def failing(number: int) -> Any:
        time.sleep(0.01)
        if os.getpid() != parent:
            raise ValueError("no")
        return number

    def unfit(number: int) -> Any:
        time.sleep(0.01)
        return number if os.getpid() == parent else threading.Lock()  # no pickle takes that

    for work in (killed, failing, unfit):
        assert forking.together(work, 20) == list(range(20))


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt()])
def test_errors_and_interrupts_come_through(error: BaseException) -> None:
    def work(number: int) -> int:
        time.sleep(0.01)
        if number >= 5:
            raise error
        return number

    with pytest.raises(type(error)):
        forking.together(work, 20)


def test_no_process_is_forked_beside_threads_or_where_there_is_one_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    monkeypatch.setattr(sys, "platform", "linux")
    waiting = threading.Event()
    thread = threading.Thread(target=waiting.wait)
    threads = threading.active_count()
    assert forking._processors() == (4 if threads == 1 else 1)
    thread.start()
    assert forking._processors() == 1
    waiting.set()
    thread.join()
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    assert forking._processors() == 1


ORPHANS = """
import os, sys, time
from provisioner import forking
forking._processors = lambda: 3
parent = os.getpid()
def work(number):
    os.write(1, b"%d\\n" % os.getpid())
    time.sleep(0.2 if os.getpid() != parent else 20)
    return "x" * 1_000_000
forking.together(work, 3)
"""


@pytest.mark.parametrize("interrupt", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_children_end_with_their_parent(interrupt: signal.Signals) -> None:
    """The parent alone is killed: the children notice when nobody takes their results."""
    with subprocess.Popen([sys.executable, "-c", ORPHANS], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as parent:
        assert parent.stdout is not None
        found = {int(parent.stdout.readline()) for _ in range(3)}
        assert len(found) == 3
        parent.send_signal(interrupt)
        parent.wait(10)
    deadline = time.monotonic() + 10
    while any(pathlib.Path(f"/proc/{process}").exists() for process in found) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [process for process in found if pathlib.Path(f"/proc/{process}").exists()]


RULE = """\
# a rule
kind: rule
id: {id}
title: Somebody did {id}
severity: {severity}
log_type: {log_type}
type: match
schedule: 1m
query: {query}
attack: [T1078]
runbook: docs/runbooks/brute-force-login.md
tests: [{{name: silent, events: [{{set: {{action: other}}}}], expect: []}}]
"""
ODD = {
    "a/broken.yml": "a: [",
    "b/no-kind.yml": "id: x\n",
    "c/latin.yml": b"a: \xe9\n",
    "d/twice.yml": "kind: rule\nid: rule-7\n",
    "e/no-type.yml": "kind: rule\nid: none\ntype: unheard\n",
    "f/variable.yml": "kind: rule\nid: variable\ntitle: '{{ no_such }}'\n",
}


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The starter pack with 700 rules more: most are right, some are not, each in another way."""
    root = tmp_path_factory.mktemp("many")
    for name in ("rules", "templates", "ilm", "docs"):
        shutil.copytree(ROOT / name, root / name)
    shutil.copy(ROOT / "provisioner.yml", root)
    queries = ["action:{n}", "action:{n} AND (actor:x OR host.name:(a b*))", "nobody:{n}", "action:", "source.ip:x{n}"]
    more = root / "rules" / "more"
    for n in range(700):
        text = RULE.format(
            id=f"rule-{n}",
            severity=("high", "medium", "low", "unheard")[n % 4 if n % 90 == 3 else n % 3],
            log_type=("audit", "system", "network")[n % 3],
            query=queries[n % 5 if n % 50 < 5 else n % 2].format(n=n),
        )
        file = more / f"{n % 9}" / f"rule-{n}.yml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    for name, content in ODD.items():
        (more / name).parent.mkdir()
        (more / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def test_a_repository_is_the_same_by_one_process_and_by_several(
    many: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = settings.load(many, None)
    forked: list[int] = []
    together = forking.together

    def counted(work: Any, count: int, **more: Any) -> Any:
        forked.append(count)
        return together(work, count, **more)

    monkeypatch.setattr(forking, "together", counted)
    by_several = repository._compiled(many, chosen)
    monkeypatch.setattr(forking, "together", lambda work, count, **_: shares.alone(work, count))
    alone = repository._compiled(many, chosen)
    assert len(forked) == 2  # reading; rendering, with lints along
    assert min(forked) > 10
    assert len({finding.code for finding in alone.findings}) > 8
    assert len(alone.resources) > 130
    assert list(by_several.documents) == list(alone.documents)
    assert by_several == alone  # places and all
    assert [resource.document and resource.document.id for resource in by_several.resources] == [
        resource.document and resource.document.id for resource in alone.resources
    ]


def test_documents_and_resources_come_as_they_went() -> None:
    body = {"a": [1, 2.5, None, True, "é\ud800", {"b": "c"}], "d": {}}
    for odd in ({}, {"e": {1, 2}, "f": pathlib.PurePosixPath("g")}):  # what no YAML has is pickled
        whole = {**body, **odd}
        document = Document("rule", "x", whole, {(): Origin("a.yml", 2, 3)}, {("a",): Origin("a.yml")})
        resource = Resource("monitor", "o-x", whole, Origin("a.yml"), frozenset({("channel", "c")}), document)
        for one in (document, resource):
            assert pickle.loads(pickle.dumps(one)) == one
            assert repr(pickle.loads(pickle.dumps(one))) == repr(one)
