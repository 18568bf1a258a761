"""The story itself, step by step. Each step is a function that takes what stands already and says what it did."""

from __future__ import annotations

import contextlib
import pathlib
import shutil
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provisioner.client import Client
from provisioner.demo import alerts, closing, log, shipper, stage, watch
from provisioner.demo.errors import DemoError
from provisioner.demo.receivers import Receivers
from provisioner.demo.teller import Teller
from provisioner.devcluster import cluster as dev

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from provisioner.demo.log import Shipment
    from provisioner.demo.sshdlog import Pair
    from provisioner.demo.watch import Watcher
    from provisioner.model import Plan
    from provisioner.repository import Repository

STEPS = 8
RULE = f"{stage.OWNER}-brute-force-login"
_OTHERS = ("account-lockout", "privilege-escalation", "login-after-brute-force", "password-spraying")
OTHER_RULES = tuple(f"{stage.OWNER}-{rule}" for rule in _OTHERS)
"""What the demo's own log surely gives cause for besides the brute force; more rules may fire."""
PIPELINE = f"{stage.OWNER}-sshd"
_LIVE_SCHEDULE, _LOG_SCHEDULE = "2s", f"{log.STEP}s"


@dataclass(frozen=True, slots=True)
class Options:
    """What the command was asked for. `log_file` None: the demo makes its own log."""

    log_file: pathlib.Path | None
    name: str
    port: int
    http_port: int
    smtp_port: int
    keep: bool


def tell(options: Options, console: Console) -> None:
    """The whole story. Ends with a stopped cluster, unless all went well and it is to be kept.

    Raises ProvisionerError, DevClusterError.
    """
    teller = Teller(console, STEPS)
    shipment = log.of_user(options.log_file, log.now()) if options.log_file else None
    if shipment and not shipment.lines:
        raise DemoError(f"{options.log_file} holds no line", "name another log")
    with contextlib.ExitStack() as stack:
        cluster = stack.enter_context(_cluster(options, teller))
        receivers = stack.enter_context(_receivers(options, teller))
        folder = stack.enter_context(_folder(options))
        _repository(folder, cluster, receivers, options, teller)
        with teller.part("Push the whole setup and prove it: provisioner bootstrap"):
            stage.bootstrap(folder, console.width)
        loaded = stage.load(folder)
        client = Client(loaded.settings.target)
        shipment = _ship(client, loaded, shipment, teller)
        watcher = watch.Watcher(client, stage.monitor_id(loaded, RULE), receivers)
        peaks = _find(watcher, loaded, shipment, teller)
        plan = _again(loaded, teller)
        _close(watcher, loaded, shipment, peaks=peaks, plan=plan, teller=teller)
        _go_on(cluster, folder, options, teller)
    console.print()
    teller.say(f"The whole story took {teller.seconds:.0f} s.", style="bold green")


@contextlib.contextmanager
def _cluster(options: Options, teller: Teller) -> Iterator[dev.Cluster]:
    with contextlib.ExitStack() as stack:
        with teller.part("Start a real OpenSearch on this machine"):
            stage.claim(options.name, teller)
            stack.callback(dev.down, options.name, progress=teller)
            cluster = stage.start(options.name, options.port, teller)
            teller.say(f"OpenSearch {cluster.version} answers at {cluster.url}, on Java {cluster.java.split()[0]}")
            if cluster.stands_in_for:
                names = ", ".join(cluster.stands_in_for)
                teller.say(f"A stand-in answers for {names}, whose plugins can't be had by pip.")
        yield cluster
        if options.keep:
            stack.pop_all()


@contextlib.contextmanager
def _receivers(options: Options, teller: Teller) -> Iterator[Receivers]:
    with teller.part("Listen for notifications"):
        receivers = Receivers(options.http_port, options.smtp_port)
        receivers.open()
        stage.note_port("the web server", options.http_port, receivers.http_port, teller)
        stage.note_port("the mail server", options.smtp_port, receivers.smtp_port, teller)
        teller.say(f"A web server at {receivers.http} and a mail server at {receivers.smtp} keep what they get.")
    with contextlib.closing(receivers):
        yield receivers


@contextlib.contextmanager
def _folder(options: Options) -> Iterator[pathlib.Path]:
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"provisioner-{options.name}-"))
    kept = False
    try:
        yield folder
        kept = options.keep
    finally:
        if not kept:
            shutil.rmtree(folder, ignore_errors=True)


def _repository(
    folder: pathlib.Path, cluster: dev.Cluster, receivers: Receivers, options: Options, teller: Teller
) -> None:
    with teller.part("Write a repository with the starter pack: provisioner init"):
        schedule = _LOG_SCHEDULE if options.log_file else _LIVE_SCHEDULE
        written = stage.write_repository(folder, cluster.url, receivers, schedule)
        teller.say(f"{len(written)} files in {folder}")
        teller.say(f"Its dev target runs every rule each {schedule} and sends every notification to the two servers.")


def _ship(client: Client, loaded: Repository, own: Shipment | None, teller: Teller) -> Shipment:
    with teller.part("Ship a log of sshd through parsing and redaction"):
        shipment = own or log.made(log.now())
        stream = _stream(loaded)
        if shipment.left_out:
            teller.say(f"{shipment.left_out} older lines are left out: so many can't be judged in a demo.", "yellow")
        with teller.counting("shipping", len(shipment.lines)) as progress:
            done = shipper.ship(client, stream, PIPELINE, shipment.lines, progress)
        rate = done.stored / max(done.seconds, 0.001)
        source = "of your log" if shipment.own else "made by the demo, of the last quarter of an hour,"
        teller.say(
            f"{done.stored} of {len(shipment.lines)} lines {source} are stored in {stream} ({rate:.0f} a second)"
        )
        for reason, number in done.refused.most_common(5):
            teller.say(f"{number} refused: {reason}", style="red")
        if not shipment.own and done.refused:
            raise DemoError("the cluster refused lines of the demo's own log", "see the reasons above")
        if shipment.secrets:
            teller.say(
                f"{len(shipment.secrets)} made-up secrets are hidden in it: passwords, tokens, cards and the like."
            )
    return shipment


def _find(watcher: Watcher, loaded: Repository, shipment: Shipment, teller: Teller) -> dict[Pair, int]:
    """The pairs that the cluster found, with the largest count of each."""
    with teller.part("Wait for the native monitor to find the brute force"):
        own = watch.words(list(shipment.expected))
        teller.say(f"Our own sliding-window count (5 failures in 300 s) says: {own or 'nobody'}.")
        peaks = _run_over(watcher, loaded, teller) if shipment.own else {}
        if shipment.expected:
            with teller.waiting("waiting for alerts and notifications") as tell:
                watcher.wait(shipment.expected, tell, () if shipment.own else OTHER_RULES)
        found = watcher.compare(shipment.expected, peaks)
        if found:
            teller.say(f"The cluster's own monitor found the same {len(found)}: none missing, none extra.", "green")
            posts, mails = watcher.receivers.posts, watcher.receivers.mails
            teller.say(f"{len(posts)} posts and {len(mails)} e-mails arrived.")
        else:
            teller.say("No alert is due, and the cluster's own monitor raised none.", style="green")
    return found | peaks


def _run_over(watcher: Watcher, loaded: Repository, teller: Teller) -> dict[Pair, int]:
    """A log of hours gone by: run the stored monitor as if it were then."""
    times = alerts.run_times(watcher.client, _stream(loaded), "action:login_failed", log.STEP * 1000)
    if not times:
        teller.say("It holds no failed login: the monitor has nothing to run over.")
        return {}
    teller.say(
        f"The log's hours are gone by: the monitor runs as of each of its {len(times)} minutes with failed logins."
    )
    with teller.counting("running", len(times)) as progress:
        runs = alerts.run_over(watcher.client, watcher.monitor_id, times, progress)
    if runs.errors:
        raise DemoError(f"a run of {RULE} failed: {runs.errors[0]} ({len(runs.errors)} in all)", "see the server's log")
    return runs.peaks


def _again(loaded: Repository, teller: Teller) -> Plan:
    with teller.part("Apply once more"):
        plan, written = stage.plan_again(loaded)
        if plan.pending or written:
            names = ", ".join(f"{change.kind} {change.key}" for change in plan.pending[:5])
            raise DemoError(
                f"the second apply made {len(plan.pending)} changes ({names}) and {len(written)} writes",
                "this is a fault in the pack or in a kind: please report it",
            )
        teller.say(f"No changes: {len(plan.changes)} objects are as the repository says.", style="green")
        teller.say(f"{len(written)} requests that write were sent to the cluster.")
    return plan


def _close(
    watcher: Watcher, loaded: Repository, shipment: Shipment, *, peaks: dict[Pair, int], plan: Plan, teller: Teller
) -> None:
    with teller.part("What stands now"):
        stream, receivers = _stream(loaded), watcher.receivers
        if leaks := watch.leaked(watcher.client, stream, receivers, shipment.secrets):
            raise DemoError(
                f"a secret got through redaction: {', '.join(leaks)}", "this is a fault in the pack: please report it"
            )
        teller.show(closing.summary(plan, closing.stored(watcher.client, stream)))
        if shipment.secrets:
            secrets = len(shipment.secrets)
            teller.say(f"None of the {secrets} secrets is in a stored event or a notification.", style="green")
        watcher.compare(shipment.expected, peaks)
        if raised := alerts.alerts(watcher.client):
            teller.say("")
            teller.show(closing.alerts(raised, RULE, peaks, shipment.expected))
        if shipment.expected:
            teller.say("")
            closing.notification(teller, receivers, min(shipment.expected))


def _go_on(cluster: dev.Cluster, folder: pathlib.Path, options: Options, teller: Teller) -> None:
    """Where to go from here."""
    down = f"provisioner dev down --name {options.name}"
    kept = (
        f"The cluster stays at {cluster.url}, the repository in {folder}. Change a rule, and see what that would do:",
        f"  provisioner plan -C {folder}",
        f"  provisioner apply -C {folder}",
        "Notifications fail from now on, for the two servers end: set `catch` in its provisioner.yml to others.",
        f"Stop the cluster:  {down}    and remove its data:  {down} --delete",
    )
    ended = (
        "To go on playing:  provisioner demo --keep    with your own log:  provisioner demo --log /var/log/auth.log",
        "A repository of your own:  provisioner init my-logging, provisioner dev up, provisioner bootstrap",
    )
    teller.say("")
    for line in kept if options.keep else ended:
        teller.say(line)


def _stream(loaded: Repository) -> str:
    return f"logs-authentication-{loaded.settings.target.namespace}"
