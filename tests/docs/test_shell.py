"""What a page says is printed is compared as a reader would."""

from __future__ import annotations

import pytest

from tests.docs.shell import end_of_match


@pytest.mark.parametrize(
    ("expected", "printed", "fits"),
    [
        ("one\ntwo", "one\ntwo", True),
        ("one\ntwo", "one\ntwo\nthree", False),
        ("one", "", False),
        ("... one ...", "a one b", True),
        ("a  b", "a     b", True),
        ("a b", "ab", False),
        ("...\ntwo", "one\nzero\ntwo", True),
        ("...\ntwo", "two\nthree", False),
        ("one\n...", "one\ntwo", True),
        ("one\n...", "zero\none", False),
        ("one\n...\nthree\n...", "one\ntwo\nthree\nfour", True),
        ("one\n...\nfour\n...", "one\ntwo\nthree", False),
    ],
)
def test_dots_are_anything_and_all_else_is_meant(expected: str, printed: str, fits: bool) -> None:
    """Else a page would be right whatever is printed, or wrong for a number that differs each time."""
    assert (end_of_match(expected, printed.splitlines(), whole=True) is not None) is fits


def test_what_was_seen_once_is_not_seen_again() -> None:
    """The number of lines is told, so that the next look begins after them."""
    assert end_of_match("...\ntwo", ["one", "two", "three"], whole=False) == 2
