# ruff: noqa: E501 (log lines stand as they are)
"""Lines of auth.log through the pipeline: every form, both kinds of time stamp, and lines that lie."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pack_cluster import Pack

NOW = datetime.now(UTC)


def parsed(pack: Pack, *said: str, program: str = "sshd[4242]") -> list[dict[str, Any]]:
    """What the programs said, each behind a header of today."""
    stamp = NOW.strftime("%b %e %H:%M:%S")
    return pack.simulate("sshd", [{"message": f"{stamp} host1 {program}: {text}"} for text in said])


def brief(event: dict[str, Any]) -> tuple[Any, ...]:
    """action, outcome, user, address, port."""
    return (
        event["action"],
        event.get("outcome", {}).get("reason") or event.get("outcome", {}).get("status"),
        event.get("actor", {}).get("username"),
        event.get("source", {}).get("ip") or event.get("source", {}).get("host"),
        event.get("source", {}).get("port"),
    )


IP = "203.0.113.42"
SSHD = {
    f"Failed password for root from {IP} port 22 ssh2": ("login_failed", "invalid_password", "root", IP, 22),
    f"Failed password for invalid user x from {IP} port 22 ssh2": ("login_failed", "invalid_user", "x", IP, 22),
    f"Failed password for illegal user x from {IP} port 22 ssh2": ("login_failed", "invalid_user", "x", IP, 22),
    f"Failed password for invalid user  0101 from {IP} port 22 ssh2": ("login_failed", "invalid_user", " 0101", IP, 22),
    f"Failed password for invalid user  from {IP} port 22 ssh2": ("login_failed", "invalid_user", "", IP, 22),
    f"Failed password for invalid user two words from {IP} port 22 ssh2": (
        "login_failed", "invalid_user", "two words", IP, 22),
    "Failed password for root from 2001:db8::1 port 22 ssh2": ("login_failed", "invalid_password", "root", "2001:db8::1", 22),
    "Failed password for root from fe80::1%eth0 port 22 ssh2": ("login_failed", "invalid_password", "root", "fe80::1", 22),
    "Failed password for root from gw.example.org port 22 ssh2": (
        "login_failed", "invalid_password", "root", "gw.example.org", 22),
    f"Failed keyboard-interactive/pam for root from {IP} port 22 ssh2": (
        "login_failed", "invalid_credentials", "root", IP, 22),
    f"Failed publickey for root from {IP} port 22 ssh2: RSA SHA256:abc": (
        "login_failed", "invalid_credentials", "root", IP, 22),
    f"Failed none for invalid user x from {IP} port 22 ssh2": ("login_probe", "invalid_user", "x", IP, 22),
    f"Accepted password for alice from {IP} port 22 ssh2": ("login_succeeded", "success", "alice", IP, 22),
    f"Accepted publickey for alice from {IP} port 22 ssh2: ED25519 SHA256:abc": (
        "login_succeeded", "success", "alice", IP, 22),
    f"Invalid user x from {IP}": ("login_unknown_user", "invalid_user", "x", IP, None),
    f"Invalid user x from {IP} port 22": ("login_unknown_user", "invalid_user", "x", IP, 22),
    "input_userauth_request: invalid user x [preauth]": ("login_unknown_user", "invalid_user", "x", None, None),
    f"User root from {IP} not allowed because not listed in AllowUsers": ("login_denied", "not_allowed", "root", IP, None),
    f"error: maximum authentication attempts exceeded for root from {IP} port 22 ssh2 [preauth]": (
        "login_attempts_exceeded", "too_many_attempts", "root", IP, 22),
    f"maximum authentication attempts exceeded for invalid user x from {IP} port 22 ssh2 [preauth]": (
        "login_attempts_exceeded", "too_many_attempts", "x", IP, 22),
    "Disconnecting: Too many authentication failures for root [preauth]": (
        "login_attempts_exceeded", "too_many_attempts", "root", None, None),
    f"Disconnecting authenticating user root {IP} port 22: Too many authentication failures [preauth]": (
        "login_attempts_exceeded", "too_many_attempts", None, IP, 22),
    "PAM service(sshd) ignoring max retries; 5 > 3": ("login_attempts_exceeded", "too_many_attempts", None, None, None),
    f"Connection closed by {IP} [preauth]": ("connection_closed", None, None, IP, None),
    f"Connection closed by invalid user x {IP} port 22 [preauth]": ("connection_closed", None, None, IP, 22),
    f"Connection reset by authenticating user root {IP} port 22 [preauth]": ("connection_closed", None, None, IP, 22),
    f"Disconnected from user alice {IP} port 22": ("connection_closed", None, None, IP, 22),
    f"Received disconnect from {IP}: 11: Bye Bye [preauth]": ("connection_closed", None, None, IP, None),
    f"Received disconnect from {IP} port 22:11: Bye Bye [preauth]": ("connection_closed", None, None, IP, 22),
    f"Did not receive identification string from {IP}": ("connection_suspicious", None, None, IP, None),
    f"reverse mapping checking getaddrinfo for x.example.org [{IP}] failed - POSSIBLE BREAK-IN ATTEMPT!": (
        "connection_suspicious", None, None, IP, None),
    "pam_unix(sshd:auth): check pass; user unknown": ("credential_check_failed", "invalid_user", None, None, None),
    f"pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost={IP}  user=root": (
        "credential_check_failed", "invalid_credentials", "root", IP, None),
    f"pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost={IP} ": (
        "credential_check_failed", "invalid_credentials", None, IP, None),
    "pam_unix(sshd:session): session opened for user alice by (uid=0)": ("session_opened", "success", "alice", None, None),
    "pam_unix(sshd:session): session opened for user alice(uid=1000) by (uid=0)": (
        "session_opened", "success", "alice", None, None),
    "pam_unix(sshd:session): session closed for user alice": ("session_closed", "success", "alice", None, None),
    "pam_faillock(sshd:auth): Consecutive login failures for user bob account temporarily locked": (
        "account_lockout", "account_locked", "bob", None, None),
    "pam_tally2(sshd:auth): user bob (1001) tally 6, deny 5": ("account_lockout", "account_locked", "bob", None, None),
    "Server listening on 0.0.0.0 port 22.": ("unclassified", None, None, None, None),
}  # fmt: skip


def test_what_sshd_says(pack: Pack) -> None:
    got = parsed(pack, *SSHD)
    assert {text: brief(event) for text, event in zip(SSHD, got, strict=True)} == SSHD
    assert not [event for event in got if "error" in event["ingest"]]
    assert {event["category"] for event in got} == {"authentication"}
    assert got[0]["host"] == {"name": "host1"}
    assert got[0]["process"] == {"name": "sshd", "pid": 4242}


def test_a_repeated_line_occurred_as_often_as_it_says(pack: Pack) -> None:
    one, pam, odd = parsed(
        pack,
        f"message repeated 5 times: [ Failed password for root from {IP} port 22 ssh2]",
        f"PAM 4 more authentication failures; logname= uid=0 euid=0 tty=ssh ruser= rhost={IP}  user=root",
        "message repeated many times: [ x]",
    )
    assert (brief(one), one["occurrences"]) == (("login_failed", "invalid_password", "root", IP, 22), 5)
    assert (brief(pam)[0], pam["occurrences"]) == ("credential_check_failed", 4)
    assert "occurrences" not in odd


FORGED = "198.51.100.7"


@pytest.mark.parametrize(
    "text",
    [
        f"Failed password for invalid user x from {FORGED} from {IP} port 1 ssh2",
        f"Failed password for invalid user x from {FORGED} port 22 ssh2 from {IP} port 1 ssh2",
        f"Failed password for invalid user root from {FORGED} port 22 ssh2: y from {IP} port 1 ssh2",
        f"Failed password for invalid user message repeated 9 times: [ x from {FORGED} port 2 from {IP} port 1 ssh2",
        f"Failed password for invalid user x] for y from {FORGED} from {IP} port 1 ssh2",
        f"Invalid user x from {FORGED} port 22 from {IP} port 1",
        f"maximum authentication attempts exceeded for invalid user x from {FORGED} port 22 ssh2 from {IP} port 1 ssh2 [preauth]",
        f"Received disconnect from {IP} port 1:11: from {FORGED} port 22 [preauth]",
    ],
)
def test_a_user_name_cannot_forge_an_address(pack: Pack, text: str) -> None:
    (event,) = parsed(pack, text)
    assert event["source"] == {"ip": IP, "port": 1}
    assert "occurrences" not in event


@pytest.mark.parametrize(
    "text",
    [
        # a certificate's id stands behind the address, a user name before it, and the client chooses both
        f"Failed publickey for invalid user x from {FORGED} port 22 ssh2: a from {IP} port 1 ssh2: RSA-CERT SHA256:abc",
        f"Failed publickey for root from {IP} port 1 ssh2: RSA-CERT SHA256:abc ID x from {FORGED} port 22 ssh2: (serial 0)",
        f"Connection closed by invalid user {FORGED} {IP} port 1 [preauth]",
    ],
)
def test_where_the_address_cannot_be_told_there_is_none(pack: Pack, text: str) -> None:
    (event,) = parsed(pack, text)
    assert "source" not in event
    assert event["ingest"]["error"] == ["the source address is ambiguous"]


def test_a_long_certificate_id_of_an_accepted_login_changes_nothing(pack: Pack) -> None:
    (event,) = parsed(
        pack,
        f"Accepted publickey for alice from {IP} port 1 ssh2: RSA-CERT ID x ssh2: from {FORGED} port 22 (serial 0)",
    )
    assert brief(event) == ("login_succeeded", "success", "alice", IP, 1)


def test_sudo_and_su(pack: Pack) -> None:
    sudo = parsed(
        pack,
        "   alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/usr/bin/id -u",
        "   alice : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/sh",
        "   alice : user NOT in sudoers ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/sh",
        "   alice : TTY=pts/0 ; PWD=/tmp/USER=nobody ; USER=root ; COMMAND=/bin/echo NOT in sudoers",
        program="sudo",
    )
    su = parsed(
        pack,
        "Successful su for root by alice",
        "FAILED su for root by alice",
        "(to root) alice on pts/0",
        "FAILED SU (to root) alice on pts/0",
        program="su[77]",
    )
    assert {event["action"] for event in (*sudo, *su)} == {"privilege_escalation"}
    assert {event["severity"] for event in (*sudo, *su)} == {"critical"}
    assert [event["outcome"]["status"] for event in sudo] == ["success", "failure", "failure", "success"]
    assert [event["outcome"]["status"] for event in su] == ["success", "failure", "success", "failure"]
    assert {(e["details"]["from_role"], e["details"]["to_role"]) for e in (*sudo, *su)} == {("alice", "root")}
    assert sudo[0]["details"]["command"] == "/usr/bin/id -u"
    assert sudo[1]["outcome"]["reason"] == "invalid_password"
    (forged,) = parsed(
        pack, "alice : TTY=pts/0 ; PWD=/tmp/ ; USER=nobody ; USER=root ; COMMAND=/bin/sh", program="sudo"
    )
    assert forged["details"]["to_role"] == ["nobody", "root"]
    assert forged["ingest"]["error"] == ["the target role is ambiguous"]


def test_a_classic_time_stamp_gets_the_newest_year_that_is_not_in_the_future(pack: Pack) -> None:
    moments = [NOW - timedelta(days=days) for days in (-0.9, 0, 1, 100, 300)]
    got = pack.simulate("sshd", [{"message": f"{m:%b %e %H:%M:%S} h sshd[1]: x"} for m in moments])
    expected = [m.replace(microsecond=0) for m in moments]
    assert [datetime.fromisoformat(event["@timestamp"]) for event in got] == expected
    (tomorrow,) = pack.simulate("sshd", [{"message": f"{NOW + timedelta(days=2):%b %e %H:%M:%S} h sshd[1]: x"}])
    assert datetime.fromisoformat(tomorrow["@timestamp"]) < NOW - timedelta(days=360)
    (leap,) = pack.simulate("sshd", [{"message": "Feb 29 12:00:00 h sshd[1]: x"}])
    assert datetime.fromisoformat(leap["@timestamp"]).strftime("%m-%d") == "02-29"


def test_rfc_3339_time_stamps_and_windows_line_ends(pack: Pack) -> None:
    lines = [
        f"2026-05-11T14:23:45.123456+02:00 h sshd-session[1]: Failed password for root from {IP} port 22 ssh2\r\n",
        f"<38>2026-05-11T12:23:45Z h sshd[1]: Failed password for root from {IP} port 22 ssh2\r",
    ]
    first, second = pack.simulate("sshd", [{"message": line} for line in lines])
    assert first["@timestamp"] == "2026-05-11T12:23:45.123456Z"
    assert second["@timestamp"] == "2026-05-11T12:23:45Z"
    assert brief(first) == brief(second) == ("login_failed", "invalid_password", "root", IP, 22)
    assert first["message"].endswith("ssh2")


def test_other_lines_are_kept_and_marked(pack: Pack) -> None:
    lines = ["", "garbage", "Dec 10", "Xyz 10 06:55:46 h sshd[1]: x", "Dec 32 06:55:46 h sshd[1]: x", "\x00\x01"]
    got = pack.simulate("sshd", [{"message": line} for line in lines])
    assert [event["message"] for event in got] == ["", "garbage", "Dec 10", lines[3], lines[4], "\x00\x01"]
    assert all("not a syslog line" in event["ingest"]["error"] for event in got)
    assert {(event["category"], event["action"]) for event in got} == {("system", "unclassified")}
    assert all(datetime.fromisoformat(event["@timestamp"][:19] + "+00:00") for event in got)


def test_no_line_is_lost(pack: Pack) -> None:
    """Lines that are cut off at every place, stored for real: the mapping takes what the pipeline makes of each."""
    pack.clear("authentication")
    whole = (
        "Dec 10 06:55:46 h sshd[1]: "
        + "message repeated 2 times: [ Failed password for invalid user x from ::1 port 22 ssh2]"
    )
    lines = [{"message": whole[:end]} for end in range(len(whole) + 1)]
    lines += [{"message": 42}, {"message": None}, {"message": ["a", "b"]}, {}]
    answers = pack.ship("authentication", lines, "sshd")
    assert [answer.get("error") for answer in answers if answer["status"] != 201] == []
    assert len(pack.search("authentication")) == len(lines)
