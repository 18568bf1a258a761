import pytest

from provisioner import durations


@pytest.mark.parametrize(
    ("text", "expected"),
    [("30s", 30_000), ("5m", 300_000), ("24h", 86_400_000), ("90d", 7_776_000_000), ("2y", 63_072_000_000)],
)
def test_milliseconds(text, expected):
    assert durations.ms(text) == expected


def test_periods():
    assert durations.period("5m") == {"interval": 5, "unit": "MINUTES"}
    assert durations.period("10s") == {"interval": 10, "unit": "SECONDS"}


@pytest.mark.parametrize(
    "text", ["", "5", "m", "0m", "05m", "5 m", "5M", "-5m", "1.5h", "5m\n", "\u0665m", "9" * 5000 + "d"]
)
def test_other_forms_are_errors(text):
    with pytest.raises(ValueError, match=r"duration|digits"):
        durations.ms(text)
    with pytest.raises(ValueError, match=r"schedule|digits"):
        durations.period(text)


@pytest.mark.parametrize("text", ["1w", "1y"])
def test_schedules_have_no_weeks_and_years(text):
    with pytest.raises(ValueError, match="schedule"):
        durations.period(text)
