"""Many names in few requests."""

from __future__ import annotations

from itertools import pairwise
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from provisioner.batches import LONGEST, batches


def test_names_of_thousands_of_indices_fit_into_urls() -> None:
    names = [f".ds-logs-authentication-default-{number:06}" for number in range(5_000)]
    made = list(batches(names))
    assert [name for batch in made for name in batch] == names
    assert len(made) == 66
    assert all(len(",".join(batch)) < LONGEST for batch in made)


@given(st.lists(st.text(min_size=1, max_size=30)), st.integers(1, 60))
def test_nothing_is_lost_and_only_a_single_name_is_too_long(names: list[str], longest: int) -> None:
    made = list(batches(names, longest))
    assert [name for batch in made for name in batch] == names
    assert all(batch and (len(batch) == 1 or len(quote(",".join(batch), safe=",")) < longest) for batch in made)
    for batch, following in pairwise(made):
        assert len(quote(",".join([*batch, following[0]]), safe=",")) + 1 > longest
