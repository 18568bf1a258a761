"""Numbers as people read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner import quantities
from provisioner.model import Index


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 KB"),
        (1234, "1.2 KB"),
        (9_949, "9.9 KB"),
        (9_960, "10 KB"),
        (999_499, "999 KB"),
        (999_600, "1.0 MB"),
        (1_230_000_000, "1.2 GB"),
        (123_456_789_012, "123 GB"),
        (5 * 10**21, "5,000 EB"),
    ],
)
def test_sizes(number, said):
    assert quantities.size(number) == said


@given(st.integers(0, 10**21))
def test_a_size_is_near_the_truth_and_short(number):
    value, unit = quantities.size(number).split()
    factor = 1000 ** ["byte", "KB", "MB", "GB", "TB", "PB", "EB"].index(unit.replace("bytes", "byte"))
    assert float(value.replace(",", "")) * factor == pytest.approx(number, rel=0.06)
    assert len(value) <= 5


def test_counts():
    assert quantities.count(12345) == "12,345"
    assert quantities.count(1, "index", "indices") == "1 index"
    assert quantities.count(0, "index", "indices") == "0 indices"
    assert quantities.count(2000, "document") == "2,000 documents"


def test_data():
    indices = (Index("a", 12_000, 1_200_000_000, 0), Index("b", 345, 30_000_000, 0), Index("c", 0, 208, 0))
    assert quantities.data(indices) == "12,345 documents, 1.2 GB in 3 indices"
    assert quantities.data(indices[1:2]) == "345 documents, 30 MB in 1 index"


def test_an_index_that_tells_nothing_is_not_empty():
    known, closed = Index("a", 345, 30_000_000, 0), Index("b", quantities.UNKNOWN, quantities.UNKNOWN, 0)
    assert quantities.content(known) == "345 documents, 30 MB"
    assert quantities.content(closed) == "closed or unavailable, size unknown"
    assert quantities.data([closed]) == "1 index (closed or unavailable, size unknown)"
    both = "345 documents, 30 MB in 1 index and 2 indices (closed or unavailable, size unknown)"
    assert quantities.data([known, closed, closed]) == both
    assert quantities.volume([known, closed]) == "30 MB and 1 closed or unavailable, size unknown"
    assert quantities.volume([closed]) == "closed or unavailable, size unknown"
    assert quantities.volume([known]) == "30 MB"
