"""The trace context: W3C's rules for what counts, and X-Ray's form of the same."""

from __future__ import annotations

import msgspec
import pytest
from eachonce.event import Event, decode
from eachonce.trace_context import TraceContext, step_of, tracestate, x_ray_of

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"
ROOT = f"1-{TRACE[:8]}-{TRACE[8:]}"

# https://www.w3.org/TR/trace-context-2/#versioning-of-traceparent
READ = {
    "sampled": (TRACEPARENT, 1),
    "not sampled": (f"00-{TRACE}-{PARENT}-00", 0),
    "of a random id": (f"00-{TRACE}-{PARENT}-03", 3),
    "with flags that nobody knows": (f"00-{TRACE}-{PARENT}-fd", 1),
    "of a version to come": (f"cc-{TRACE}-{PARENT}-01", 1),
    "of a version to come, with more": (f"01-{TRACE}-{PARENT}-01-what-will-be", 1),
}
UNREADABLE = {
    "empty": "",
    "the forbidden version": f"ff-{TRACE}-{PARENT}-01",
    "more than this version has": f"{TRACEPARENT}-more",
    "more without a dash": f"01-{TRACE}-{PARENT}-01what",
    "a trace of zeros": f"00-{'0' * 32}-{PARENT}-01",
    "a parent of zeros": f"00-{TRACE}-{'0' * 16}-01",
    "upper case": TRACEPARENT.upper(),
    "no hexadecimal": f"00-{TRACE[:-1]}g-{PARENT}-01",
    "too short an id": f"00-{TRACE[:-1]}-{PARENT}-01",
    "too long an id": f"00-{TRACE}0-{PARENT}-01",
    "no flags": f"00-{TRACE}-{PARENT}",
    "one digit of flags": f"00-{TRACE}-{PARENT}-1",
    "blanks around": f" {TRACEPARENT} ",
    "a line after it": f"{TRACEPARENT}\n",
    "two of them": f"{TRACEPARENT},{TRACEPARENT}",
    "other digits": f"00-{TRACE[:-1]}٣-{PARENT}-01",
    "without end": f"01-{TRACE}-{PARENT}-01-{'x' * 1_000_000}",
    "half a character": "\ud800",
    "no text": 7,
    "nothing": None,
}
X_RAY = {
    "sampled": (f"Root={ROOT};Parent={PARENT};Sampled=1", TRACEPARENT),
    "not sampled": (f"Root={ROOT};Parent={PARENT};Sampled=0", f"00-{TRACE}-{PARENT}-00"),
    "not yet decided": (f"Root={ROOT};Parent={PARENT};Sampled=?", f"00-{TRACE}-{PARENT}-00"),
    "with a load balancer's part, a lineage, and blanks": (
        f"Self=1-67891234-0123456789abcdef01234567; Root={ROOT} ;Parent={PARENT};Sampled=1;Lineage=a87b:1|68fd:5",
        TRACEPARENT,
    ),
}
NO_X_RAY = {
    "empty": "",
    "no root": f"Parent={PARENT};Sampled=1",
    "a root of zeros": f"Root=1-{'0' * 8}-{'0' * 24};Parent={PARENT};Sampled=1",
    "another version of root": f"Root=2-{TRACE[:8]}-{TRACE[8:]}",
    "upper case": f"Root={ROOT.upper()};Parent={PARENT}",
    "without end": f"Root={ROOT};" + "x" * 1_000_000,
    "no text": [ROOT],
}
# https://www.w3.org/TR/trace-context-2/#list
STATES = {
    "one": "rojo=00f067aa0ba902b7",
    "several": "rojo=1,congo=t61rcWkgMzE",
    "a tenant's": "fw529a3039@dt=FfMe,0a=b",
    "blanks within a value": "a= b c",
    "thirty-two": ",".join(f"a{place}=1" for place in range(32)),
}
NO_STATES = {
    "no pair": "rojo",
    "an empty value": "rojo=",
    "a name twice": "rojo=1,rojo=2",
    "thirty-three": ",".join(f"a{place}=1" for place in range(33)),
    "upper case in a name": "Rojo=1",
    "a name that is too long": f"{'a' * 257}=1",
    "a value that is too long": f"a={'1' * 257}",
    "an equals sign in a value": "a=1=2",
    "a line in a value": "a=1\n2",
    "beyond ASCII": "a=ü",
    "without end": "a=1," * 100_000,
    "half a character": "a=\ud800",
    "no text": {"a": 1},
}


@pytest.mark.parametrize("kind", READ)
def test_a_traceparent_is_read(kind: str) -> None:
    """Of a version to come, what this one knows of it; a flag that nobody knows isn't passed on."""
    traceparent, flags = READ[kind]

    context = TraceContext.read(traceparent)

    assert context == TraceContext(trace_id=TRACE, parent_id=PARENT, flags=flags)
    assert context.traceparent == f"00-{TRACE}-{PARENT}-{flags:02x}"


@pytest.mark.parametrize("kind", UNREADABLE)
def test_what_is_no_traceparent_is_passed_over(kind: str) -> None:
    """As if there were none."""
    assert TraceContext.read(UNREADABLE[kind]) is None


@pytest.mark.parametrize("kind", X_RAY)
def test_x_rays_header_says_the_same(kind: str) -> None:
    """Both ways: its root is a trace's id with two dashes in it."""
    header, traceparent = X_RAY[kind]

    context = TraceContext.read_x_ray(header)

    assert context is not None
    assert context.traceparent == traceparent
    assert TraceContext.read_x_ray(context.x_ray) == context


def test_a_root_without_a_parent_is_a_step_of_its_own() -> None:
    """Under an id that follows from it: an API's own header names no parent."""
    once, again = (TraceContext.read_x_ray(f"Root={ROOT}") for _ in range(2))

    assert once is not None
    assert once == again
    assert TraceContext.read(once.traceparent) == once


@pytest.mark.parametrize("kind", NO_X_RAY)
def test_what_is_no_header_of_x_rays_is_passed_over(kind: str) -> None:
    """As if there were none."""
    assert TraceContext.read_x_ray(NO_X_RAY[kind]) is None


@pytest.mark.parametrize("kind", STATES)
def test_what_vendors_say_is_passed_on(kind: str) -> None:
    """As it came, but for blanks around the commas and members that are empty."""
    assert tracestate(STATES[kind]) == STATES[kind]
    assert tracestate(f" {STATES[kind].replace(',', ' ,, ')},\t") == STATES[kind]


@pytest.mark.parametrize("kind", NO_STATES)
def test_a_list_of_vendors_that_cannot_be_read_is_passed_over(kind: str) -> None:
    """The trace itself goes on."""
    assert tracestate(NO_STATES[kind]) is None


def test_what_vendors_say_is_cut_by_whole_members() -> None:
    """To 512 characters: first those go that are longer than 128, then the last ones."""
    long, short = f"long={'x' * 200}", [f"s{place}={'x' * 96}" for place in range(6)]

    kept = tracestate(",".join([long, *short]))

    assert kept == ",".join(short[:5])
    assert tracestate(",".join([long, *short[:3]])) == ",".join([long, *short[:3]])


def test_a_step_has_an_id_of_its_own_in_the_same_trace() -> None:
    """It follows from its name, so that whoever comes there again is at the same step."""
    first, other = step_of(TRACEPARENT, "a"), step_of(TRACEPARENT, "b")

    assert first == step_of(TRACEPARENT, "a")
    assert len({TRACEPARENT, first, other}) == 3
    assert [TraceContext.read(step).trace_id for step in (first, other)] == [TRACE] * 2  # type: ignore[union-attr]
    assert [step_of(None, "a"), step_of("", "a"), x_ray_of(None), x_ray_of("x")] == [None] * 4


@pytest.mark.parametrize("value", ["7", "{}", "[]", "true", "1e999", "9" * 5000, '"x"', "null", '"ff-\\u0000"'])
@pytest.mark.parametrize("name", ["traceparent", "tracestate"])
def test_no_trace_makes_an_event_malformed(name: str, value: str) -> None:
    """Whatever stands there, in whatever JSON has."""
    other = "" if name == "traceparent" else f',"traceparent":"{TRACEPARENT}"'
    text = f'{{"specversion":"1.0","id":"e","source":"s","type":"T","data":{{}}{other},"{name}":{value}}}'

    event = decode(text.encode())

    assert (event.traceparent, event.tracestate) == (None if name == "traceparent" else TRACEPARENT, None)


def test_an_event_without_a_trace_says_nothing_of_one() -> None:
    """It costs no byte, and none is made up for what follows from it."""
    event = Event(id="e", source="s", type="T", data=msgspec.Raw(b"{}"), tracestate="a=1")

    assert event.trace_id is None
    assert b"trace" not in decode(event.encode()).encode()
