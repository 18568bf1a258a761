"""What the story looks like where there is no terminal, and what of a stranger's text reaches one."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from provisioner.demo.teller import Teller, printable


def teller(width: int = 40) -> tuple[Teller, io.StringIO]:
    written = io.StringIO()
    return Teller(Console(file=written, width=width), steps=2), written


def test_steps_are_numbered_and_timed_in_plain_text() -> None:
    tell, written = teller()
    with tell.part("First"):
        tell.say("a result that is longer than the forty columns of this console")
        with tell.waiting("waiting") as more:
            more("2 of 3")
        with tell.counting("counting", 10) as progress:
            progress(10)
    with tell.part("Second"):
        tell.say("one\ntwo", mark="| ")
    assert "\x1b" not in written.getvalue()
    lines = [line.rstrip() for line in written.getvalue().splitlines()]
    assert lines[:5] == [
        "",
        "1/2 First",
        "   a result that is longer than the forty columns of this console",
        "   waiting ...",
        "   counting ...",
    ]
    assert lines[-4:-1] == ["2/2 Second", "   | one", "   | two"]
    assert lines[-1].startswith("   done in 0.")


def test_a_step_that_fails_is_not_called_done() -> None:
    tell, written = teller()
    with pytest.raises(ValueError, match="broken"), tell.part("First"):
        raise ValueError("broken")
    assert "done" not in written.getvalue()


def test_no_control_character_of_a_log_reaches_the_terminal() -> None:
    assert printable("a\x1b[31mred\x07\x9b\u202e\tb\nc") == "a\ufffd[31mred\ufffd\ufffd\tb\nc"
    tell, written = teller()
    tell.say("\x1b]0;title\x07[bold]no markup[/bold]")
    assert written.getvalue().strip() == "\ufffd]0;title[bold]no markup[/bold]"
