"""The log that the demo makes."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from provisioner.demo import count, sshdlog

END = datetime(2026, 11, 23, 16, 0, 30, 999_999, tzinfo=UTC)
ADDRESS = r"[0-9a-f.:]+"
PAM = "logname= uid=0 euid=0 tty=ssh ruser= rhost="
FORMS = [
    rf"Failed password for (invalid user )?\S+ from {ADDRESS} port \d+ ssh2",
    rf"message repeated \d+ times: \[ Failed password for \S+ from {ADDRESS} port \d+ ssh2\]",
    rf"Accepted password for \S+ from {ADDRESS} port \d+ ssh2",
    rf"Accepted publickey for \S+ from {ADDRESS} port \d+ ssh2: ED25519 SHA256:[A-Za-z0-9+/]{{43}}",
    rf"Invalid user \S+ from {ADDRESS} port \d+",
    r"pam_unix\(sshd:auth\): check pass; user unknown",
    rf"pam_unix\(sshd:auth\): authentication failure; {PAM}{ADDRESS} ( user=\S+)?",
    rf"PAM \d more authentication failures; {PAM}{ADDRESS}  user=\S+",
    r"PAM service\(sshd\) ignoring max retries; \d > 3",
    r"pam_unix\((sshd|cron|sudo):session\): session (opened|closed) for user \S+( by \S*\(uid=\d+\))?",
    r"pam_faillock\(sshd:auth\): Consecutive login failures for user \S+ account temporarily locked",
    rf"error: maximum authentication attempts exceeded for \S+ from {ADDRESS} port \d+ ssh2 \[preauth\]",
    rf"Disconnecting authenticating user \S+ {ADDRESS} port \d+: Too many authentication failures \[preauth\]",
    rf"Received disconnect from {ADDRESS} port \d+:11: (Bye Bye \[preauth\]|disconnected by user)",
    rf"Disconnected from (invalid|authenticating) user \S+ {ADDRESS} port \d+ \[preauth\]",
    rf"Disconnected from user \S+ {ADDRESS} port \d+",
    rf"Connection (closed|reset) by ((invalid|authenticating) user \S+ )?{ADDRESS} port \d+( \[preauth\])?",
    rf"Did not receive identification string from {ADDRESS} port \d+",
    rf"banner exchange: Connection from {ADDRESS} port \d+: invalid format",
    rf"Unable to negotiate with {ADDRESS} port \d+: no matching host key type found\. Their offer: ssh-rsa \[preauth\]",
    r"error: kex_exchange_identification: Connection closed by remote host",
    r"   \S+ : TTY=pts/\d ; PWD=/home/\S+ ; USER=root ; COMMAND=/.+",
]
"""Every message form that the log may hold, as OpenSSH, PAM and sudo write it."""


def text(line: str) -> str:
    return re.sub(r"^.{15} \S+ \S+: |^\S+ \S+ \S+: ", "", line, count=1)


@pytest.mark.parametrize("style", ["classic", "rfc3339"])
def test_every_line_has_a_time_a_host_a_program_and_a_known_form(style: sshdlog.Style) -> None:
    lines = sshdlog.generate(END, style=style).lines
    seen: Counter[int] = Counter()
    for line in lines:
        assert count.occurred(line, END) is not None, line
        assert re.match(r"(\S+|\w{3} [ \d]\d \d\d:\d\d:\d\d) web-1 (sshd\[\d+\]|CRON\[\d+\]|sudo): ", line), line
        forms = [number for number, form in enumerate(FORMS) if re.fullmatch(form, text(line))]
        assert len(forms) == 1, line
        seen.update(forms)
    assert set(seen) == set(range(len(FORMS))), "a form of the list never occurs"


def test_the_lines_are_in_order_and_none_is_in_the_future() -> None:
    times = [count.occurred(line, END) for line in sshdlog.generate(END).lines]
    assert times == sorted(times)
    assert END - timedelta(minutes=16) < times[0]
    assert times[-1] <= END.replace(microsecond=0)


def test_the_same_seed_gives_the_same_log_and_another_seed_another() -> None:
    assert sshdlog.generate(END, seed=3) == sshdlog.generate(END, seed=3)
    assert sshdlog.generate(END, seed=3).lines != sshdlog.generate(END, seed=4).lines


def test_both_styles_tell_the_same() -> None:
    classic, rfc = (sshdlog.generate(END, style=style) for style in ("classic", "rfc3339"))
    assert [text(line) for line in classic.lines] == [text(line) for line in rfc.lines]
    assert [count.occurred(line, END) for line in classic.lines] == [count.occurred(line, END) for line in rfc.lines]


@pytest.mark.parametrize("seed", range(40))
def test_our_own_count_finds_the_planted_pairs_and_nobody_else(seed: int) -> None:
    log = sshdlog.generate(END, seed=seed)
    assert count.bursts(count.failures(log.lines, END)).keys() == log.planted


def test_the_bursts_touch_the_edges_of_the_rule() -> None:
    """One pair stands exactly on the window's edge, one a second outside, one a failure short."""
    failed = count.failures(sshdlog.generate(END).lines, END)
    on_the_edge, outside = ("198.51.100.23", "admin"), ("203.0.113.5", "backup")
    assert on_the_edge in count.bursts(failed)
    assert on_the_edge not in count.bursts(failed, within=299)
    assert outside not in count.bursts(failed)
    assert outside in count.bursts(failed, within=301)
    assert ("198.51.100.4", "carol") in count.bursts(failed, threshold=4)


def test_most_lines_come_from_failing_strangers() -> None:
    lines = [text(line) for line in sshdlog.generate(END).lines]
    failed = sum(line.startswith(("Failed", "message repeated")) for line in lines)
    accepted = sum(line.startswith("Accepted") for line in lines)
    assert 500 < len(lines) < 700
    assert 0.1 < failed / len(lines) < 0.3
    assert accepted < failed / 5


def test_every_secret_stands_in_one_line_and_is_valid_by_checksum() -> None:
    log = sshdlog.generate(END)
    assert Counter(secret.detector for secret in log.secrets).keys() == {
        "password", "access_token", "credit_card", "ssn", "api_key",
    }  # fmt: skip
    for secret in log.secrets:
        assert sum(secret.value in line for line in log.lines) == 1, secret.detector
    cards = [secret.value.replace(" ", "") for secret in log.secrets if secret.detector == "credit_card"]
    assert sorted(map(len, cards)) == [15, 16]
    for card in cards:
        digits = [int(digit) for digit in reversed(card)]
        assert (sum(digits[::2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])) % 10 == 0
