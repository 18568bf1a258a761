"""Fault campaigns: one case is one apply that meets one fault; what it must have led to; the table of all cases.

Two campaigns. `FIRST`: everything is created from nothing. `UPDATE`: one of each sort of object changes, one rule goes,
another comes, while one alert is active and another one acknowledged.
"""

from __future__ import annotations

import pathlib
import queue
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from clusters import Cluster, Done
from faulteffects import sigkill
from faultlab import IMPATIENT, LOG_TYPES, PATIENT, Lane, lane, receiver
from faultlook import APPLY, FIRST, UPDATE, Reference, flaws, measured, unfinished
from faultproxy import Fault
from told import SECTIONS

KILLED = ("killed before the write", "killed after the write")
REFUSED = ("429", "502", "503", "reset before the body")
UNCLEAR = (
    "502 after the write",
    "503 after the write",
    "504 after the write",
    "reset after the body",
    "reset within the answer",
    "truncated JSON",
)
STALLED = ("10 s stall before the write", "10 s stall after the write")
LATE = ("10 s stall, written all the same",)
PLAIN_500 = ("500", "500 after the write")


@dataclass(frozen=True)
class Case:
    """One apply and its fault; `after` is called when the apply has ended, before anything is looked at."""

    campaign: str
    fault: Fault
    after: Callable[[], None] | None = None

    def __str__(self) -> str:
        return f"{self.campaign}, {self.fault.among} {self.fault.at}: {self.fault.effect}"


@dataclass
class Result:
    """How a case ended: "at once" (nothing was left to do), "after a rerun", "failed", or "not reached"."""

    case: Case
    outcome: str = "failed"
    problems: list[str] = field(default_factory=list)
    seconds: float = 0.0
    rerun: float = 0.0
    hit: str = ""
    sound: bool = False
    done: Done | None = None

    def __str__(self) -> str:
        said = self.done.text[-700:] if self.done else ""
        return f"{self.case} ({self.hit}): {self.outcome}\n  " + "\n  ".join([*self.problems, said])


TALLY: list[Result] = []
"""Every case of this session: the table at its end is made of it."""

RACES: Counter[str] = Counter()
"""How races of two applies ended in this session."""


def meet(lane: Lane, case: Case) -> tuple[Done, bool]:
    """Run one apply with the fault; how it ended, and whether the fault came to pass."""
    fault, started = case.fault, threading.Event()
    pids: list[int] = []

    def strike() -> None:
        started.wait(10)
        sigkill(pids[0])

    own = fault.strike or (strike if fault.effect in KILLED else None)
    lane.proxy.arm(Fault(fault.effect, fault.at, fault.among, fault.times, own, fault.headers))
    lane.wait(IMPATIENT if fault.effect in (*STALLED, *LATE) else PATIENT)
    with lane.repository.start(*APPLY, FAULTLAB_KEY="key") as running:
        pids.append(running.pid)
        started.set()
        out, err = running.communicate(timeout=180)
    lane.proxy.settle()
    lane.wait(PATIENT)
    return Done(running.returncode, out, err), bool(lane.proxy.hits)


def expected(case: Case, done: Done, lane: Lane) -> list[str]:
    """What is wrong with how the apply itself ended."""
    effect, text = case.fault.effect, done.text
    found = ["a traceback"] if "Traceback" in text else []
    hits = lane.proxy.hits
    # Looks before the fault asked the same: only what is asked from then on is a try of it.
    tries = sum(seen.same == hits[0].same and seen.at >= hits[0].at for seen in lane.proxy.seen) if hits else 0
    if hits and hits[0].method == "DELETE" and hits[0].path.partition("?")[0].endswith("/_doc/lock"):
        return found  # all is done by then; a lock that stays is known to be a dead process's
    if effect in KILLED and case.fault.strike is None:
        return found if done.code == -9 else [*found, f"exit code {done.code} of a killed process"]
    if effect in PLAIN_500:
        found += [] if done.code in (1, 2) else [f"exit code {done.code} after a 500"]
        found += [] if "500" in text or "made this up" in text else ["no word about the 500"]
        found += [f"{tries} tries of a request that was answered with 500"] if tries > 1 else []
    elif case.fault.times is None:
        found += [] if done.code in (1, 2) else [f"exit code {done.code} though it never ended"]
    elif effect not in KILLED and done.code != 0:
        found.append(f"exit code {done.code}: not survived at once")
    asked = float(case.fault.headers.get("Retry-After", 0))
    times = [seen.at for seen in lane.proxy.seen if hits and seen.same == hits[0].same]
    if asked and (len(times) < 2 or times[1] - times[0] < asked):
        found.append(f"asked to wait {asked} s, tried again after {[at - times[0] for at in times[1:]]} s")
    return found


def tried(lane: Lane, case: Case, reference: Reference, alerts: Mapping[str, Any]) -> Result:
    """One case from its fault to the last look."""
    result, began = Result(case), time.monotonic()
    done, hit = meet(lane, case)
    result.done, result.hit = done, next((f"{seen.method} {seen.path}" for seen in lane.proxy.hits), "")
    if hit:
        result.problems += expected(case, done, lane)
    lane.proxy.arm(None)
    if case.after:
        case.after()
    result.sound = True
    left = flaws(lane, reference, alerts) if done.code == 0 else ["it did not end well"]
    if done.code == 0 and "/_doc/lock" not in result.hit:
        left += unfinished(lane.direct)
    again: Done | None = None
    if not left:
        left = [f"a plan after it would {change}" for change in lane.pending()]
    if left:
        start = time.monotonic()
        again = lane.run(*APPLY)
        result.rerun = time.monotonic() - start
        if again.code != 0:
            result.problems.append(f"the rerun ends with {again.code}: {again.text[-1500:]}")
        still = flaws(lane, reference, alerts)
        still += [f"a plan after the rerun would {change}" for change in lane.pending()]
        result.problems += still
        result.sound = again.code == 0 and not still
    if hit and again and case.fault.effect in (*REFUSED, *UNCLEAR, *STALLED) and case.fault.times is not None:
        result.problems.append(f"not survived at once: {left}")
    settled = "after a rerun" if again else "at once"
    result.outcome = "failed" if result.problems else settled if hit else "not reached"
    result.seconds = time.monotonic() - began
    return result


def prepare(lane: Lane, campaign: str, *, anew: bool) -> dict[str, tuple[str, str]]:
    """Bring a lane to where the campaign's cases begin; the alerts that must live on."""
    lane.proxy.arm(None)
    lane.proxy.settle()
    if campaign == FIRST:
        lane.empty()
        lane.turn(1)
        return {}
    if anew:
        lane.empty()
        lane.turn(1)
        done = lane.run(*APPLY)
        assert done.code == 0, done.text
        lane.bursts()
        return lane.acknowledged()
    return {}


class Campaign:
    """Lanes side by side that take case after case from one queue."""

    def __init__(self, lanes: Sequence[Lane], reference: Reference) -> None:
        self.lanes, self.reference = lanes, reference

    def run(self, cases: Iterable[Case]) -> list[Result]:
        """Run all cases; they go into the table as well."""
        waiting: queue.SimpleQueue[Case] = queue.SimpleQueue()
        for case in cases:
            waiting.put(case)
        results: list[Result] = []
        threads = [threading.Thread(target=self._work, args=(lane, waiting, results)) for lane in self.lanes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        TALLY.extend(results)
        return results

    def _work(self, lane: Lane, waiting: queue.SimpleQueue[Case], results: list[Result]) -> None:
        where, alerts = "", {}
        while True:
            try:
                case = waiting.get_nowait()
            except queue.Empty:
                return
            result = Result(case)
            try:
                began = prepare(lane, case.campaign, anew=where != case.campaign)
                alerts, where = began or (alerts if case.campaign == UPDATE else {}), case.campaign
                if case.campaign == UPDATE:
                    lane.turn(lane.other())
                result = tried(lane, case, self.reference, alerts)
            except Exception:  # noqa: BLE001  the other lanes go on, and the table tells
                result.problems.append(traceback.format_exc())
            if not result.sound:
                where = ""  # what it left behind must not trouble the next case
            results.append(result)


def check(results: Sequence[Result]) -> None:
    """Fail with all that is wrong."""
    failed = [result for result in results if result.outcome == "failed"]
    assert not failed, f"{len(failed)} of {len(results)} cases failed:\n" + "\n".join(map(str, failed[:12]))
    missed = [result for result in results if result.outcome == "not reached"]
    assert len(missed) <= max(2, len(results) // 10), f"{len(missed)} of {len(results)} cases met no fault"


@contextmanager
def campaign(cluster: Cluster, folder: pathlib.Path, lanes: int) -> Iterator[Campaign]:
    """Lanes, and what an undisturbed apply in the first of them does."""
    with ExitStack() as stack:
        hook = stack.enter_context(receiver())
        made = [stack.enter_context(lane(cluster, folder, log_type, hook)) for log_type in LOG_TYPES[:lanes]]
        yield Campaign(made, measured(made[0]))


def table(results: Sequence[Result]) -> list[str]:
    """The number of cases and their outcomes, by class of fault."""
    columns = ("at once", "after a rerun", "not reached", "failed")
    rows: dict[str, Counter[str]] = {}
    for result in results:
        rows.setdefault(f"{result.case.campaign}: {result.case.fault.effect}", Counter())[result.outcome] += 1
    rows["all"] = sum(rows.values(), Counter())
    lines = [f"{'fault':52} {'cases':>6}" + "".join(f"{name:>15}" for name in columns)]
    for name, counts in rows.items():
        lines.append(f"{name:52} {counts.total():>6}" + "".join(f"{counts[column]:>15}" for column in columns))
    reruns = sorted(result.rerun for result in results if result.rerun)
    if reruns:
        lines.append(f"reruns: median {reruns[len(reruns) // 2]:.1f} s, longest {reruns[-1]:.1f} s")
    return lines


SECTIONS["faults"] = lambda: table(TALLY) if TALLY else []
SECTIONS["two applies at once"] = lambda: [f"{number:>6} {ending}" for ending, number in sorted(RACES.items())]
