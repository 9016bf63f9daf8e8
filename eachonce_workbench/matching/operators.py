"""What a pattern's innermost arrays hold: values to equal, and operators such as `prefix`, `numeric` or `anything-but`.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html lists them.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any

from eachonce_workbench.matching import text as pattern_text
from eachonce_workbench.matching.reading import pairs_of
from eachonce_workbench.matching.text import TextTest
from eachonce_workbench.matching.values import (
    InvalidPattern,
    Test,
    address_of,
    comparable,
    is_address,
    is_in,
    is_number,
)

_Compile = Callable[[Any, str], Test]

_MASK = re.compile(r"[+]?0{0,9}[0-9]{1,3}")

_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """What one field may be: a value that passes the test or, where `absent` is true, missing from the event.

    `wanted` is that as the pattern has it.
    """

    test: Test
    absent: bool
    wanted: tuple[Any, ...] = field(default=(), compare=False)

    @classmethod
    def of(cls, wanted: Sequence[Any], path: str) -> Leaf:
        """Compile the array that stands at `path` of a pattern. Raises InvalidPattern."""
        items = _items(wanted, path)
        tests = [
            _operator(item, f"{path}[{index}]")
            for index, item in enumerate(items)
            if isinstance(item, Mapping) and not _is_absence(item)
        ]
        tests += _equality([item for item in items if not isinstance(item, Mapping)], path)
        return cls(test=_any_of(tests), absent=any(map(_is_absence, items)), wanted=tuple(items))


def _is_absence(item: Any) -> bool:
    return isinstance(item, Mapping) and len(list(pairs_of(item))) == 1 and item.get("exists") is False


def _operator(expression: Mapping[str, Any], path: str) -> Test:
    name, argument = _only_entry(expression, path)
    if name not in _OPERATORS:
        raise InvalidPattern(path, f"unrecognized match type {name}; known are {', '.join(_OPERATORS)}")
    return _OPERATORS[name](argument, f"{path}.{name}")


def _only_entry(expression: Mapping[str, Any], path: str) -> tuple[str, Any]:
    entries = list(pairs_of(expression))
    if len(entries) != 1:
        raise InvalidPattern(path, f"a match expression has one key, not {len(entries)}")
    return entries[0]


def _items(argument: Any, path: str) -> list[Any]:
    items = list(argument) if isinstance(argument, (list, tuple)) else [argument]
    if not items:
        raise InvalidPattern(path, "empty arrays are not allowed")
    return items


def _any_of(tests: Sequence[Test]) -> Test:
    if len(tests) == 1:
        return tests[0]
    return lambda value: any(test(value) for test in tests)


def _equality(values: Sequence[Any], path: str) -> list[Test]:
    for value in values:
        if not (value is None or isinstance(value, (str, bool)) or is_number(value)):
            raise InvalidPattern(
                path, f"a match value is a string, number, true, false, null or an operator, not {value!r}"
            )
    # A value that is an IP address means that address, however an event spells it (event-ruler, JsonRuleCompiler.java).
    addresses = [address for value in values if isinstance(value, str) and (address := address_of(value)) is not None]
    return [is_in(values), *map(is_address, addresses)] if values else []


# Text


def _text(build: Callable[[str], TextTest]) -> _Compile:
    return lambda argument, path: _on_text(build, argument, path)


def _text_or_any_case(build: Callable[[str], TextTest], in_any_case: Callable[[str], TextTest]) -> _Compile:
    def compile_operator(argument: Any, path: str) -> Test:
        if not isinstance(argument, Mapping):
            return _on_text(build, argument, path)
        name, inner = _only_entry(argument, path)
        if name != "equals-ignore-case":
            raise InvalidPattern(path, f"unsupported pattern {name}; only equals-ignore-case may stand here")
        return _on_text(in_any_case, inner, f"{path}.{name}")

    return compile_operator


def _on_text(build: Callable[[str], TextTest], argument: Any, path: str) -> Test:
    try:
        test = build(_string(argument, path))
    except InvalidPattern:
        raise
    except ValueError as error:
        raise InvalidPattern(path, str(error)) from error
    return lambda value: isinstance(value, str) and test(value)


def _string(argument: Any, path: str) -> str:
    if not isinstance(argument, str):
        raise InvalidPattern(path, f"the value must be a string, not {argument!r}")
    return argument


def _cidr(argument: Any, path: str) -> Test:
    text, _, bits = _string(argument, path).rstrip("/").partition("/")
    address = address_of(text)
    if address is None or not _MASK.fullmatch(bits):
        raise InvalidPattern(
            path, f"malformed CIDR {argument[:64]!r}: write an IP address, a slash and the number of mask bits"
        )
    # A block of one address is refused, too (event-ruler, CIDR.java): name the address itself.
    if int(bits) >= address.max_prefixlen:
        raise InvalidPattern(path, f"IPv{address.version} mask bits must be < {address.max_prefixlen}")
    block = ip_network((address, int(bits)), strict=False)
    return lambda value: isinstance(value, str) and (inside := address_of(value)) is not None and inside in block


# Numbers


def _numeric(argument: Any, path: str) -> Test:
    if not isinstance(argument, (list, tuple)) or len(argument) not in {2, 4}:
        raise InvalidPattern(path, 'the value must be an array such as ["=", 5] or [">", 0, "<=", 5]')
    bounds = [
        (_comparison(name, path), _number(bound, path))
        for name, bound in zip(argument[::2], argument[1::2], strict=True)
    ]
    if len(bounds) > 1:
        _check_range(argument, path)
    return lambda value: (
        (number := comparable(value)) is not None and all(fits(number, bound) for fits, bound in bounds)
    )


def _comparison(name: Any, path: str) -> Callable[[float, float], bool]:
    if not isinstance(name, str) or name not in _COMPARISONS:
        raise InvalidPattern(path, f"unrecognized numeric operator {name!r}; known are {', '.join(_COMPARISONS)}")
    return _COMPARISONS[name]


def _number(argument: Any, path: str) -> float:
    number = comparable(argument)
    if number is None:
        raise InvalidPattern(path, f"the value must be a number with the precision of a double, not {argument!r}")
    return number


def _check_range(argument: Sequence[Any], path: str) -> None:
    above, bottom, below, top = argument
    if above not in {">", ">="} or below not in {"<", "<="}:
        raise InvalidPattern(path, f"a range is > or >= and then < or <=, not {above} and then {below}")
    if _number(bottom, path) >= _number(top, path):
        raise InvalidPattern(path, f"bottom must be less than top: {bottom} is not less than {top}")


# Presence, and the opposite of the others


def _exists(argument: Any, path: str) -> Test:
    # `false` never gets here: it is what Leaf.absent says, as an absent field has no value to test.
    if argument is not True:
        raise InvalidPattern(path, f"the value must be true or false, not {argument!r}")
    return lambda _: True


def _anything_but(argument: Any, path: str) -> Test:
    refused = _refused_text(argument, path) if isinstance(argument, Mapping) else is_in(_refused_values(argument, path))
    return lambda value: not refused(value)


def _refused_text(expression: Mapping[str, Any], path: str) -> Test:
    name, argument = _only_entry(expression, path)
    if name not in _REFUSABLE:
        raise InvalidPattern(path, f"unsupported anything-but pattern {name}; known are {', '.join(_REFUSABLE)}")
    path = f"{path}.{name}"
    wanted = _items(argument, path)
    if name in {"prefix", "suffix"} and "" in wanted:
        raise InvalidPattern(path, f"an empty {name} is not allowed here")
    return _any_of([_on_text(_REFUSABLE[name], text, path) for text in wanted])


def _refused_values(argument: Any, path: str) -> list[Any]:
    values = _items(argument, path)
    if all(isinstance(value, str) for value in values):
        return values
    if any(isinstance(value, str) for value in values):
        raise InvalidPattern(path, "the values must be all strings or all numbers")
    for value in values:
        _number(value, path)
    return values


_REFUSABLE: dict[str, Callable[[str], TextTest]] = {
    "prefix": pattern_text.starts_with,
    "suffix": pattern_text.ends_with,
    "equals-ignore-case": pattern_text.equals_in_any_case,
    "wildcard": pattern_text.fits_wildcard,
}

_OPERATORS: dict[str, _Compile] = {
    "anything-but": _anything_but,
    "cidr": _cidr,
    "equals-ignore-case": _text(pattern_text.equals_in_any_case),
    "exactly": _text(pattern_text.equals),
    "exists": _exists,
    "numeric": _numeric,
    "prefix": _text_or_any_case(pattern_text.starts_with, pattern_text.starts_in_any_case),
    "suffix": _text_or_any_case(pattern_text.ends_with, pattern_text.ends_in_any_case),
    "wildcard": _text(pattern_text.fits_wildcard),
}
