"""Reasons: what is wrong with text from outside, in paths, types and the contract's words.

Many may read a reason, so it holds no word of the text. Nothing is erased from a message to that end: what isn't known
to be free of the text's values isn't used.
"""

from __future__ import annotations

import msgspec

from eachonce.depth import TooDeepError
from eachonce.errors import EachonceError
from eachonce.trace import code_of, place_of

# What msgspec says in the contract's words alone: types, limits, the names of fields.
_WORDS = (
    "Expected `",
    "Object missing required field `",
    "Integer value out of range",
    "Number out of range",
    "Timestamp is out of range",
    "Duration is out of range",
    "Invalid RFC3339 encoded ",
    "Invalid ISO8601 duration",
    "Invalid base64 encoded string",
    "Invalid decimal string",
    "Invalid epoch timestamp",
    "Invalid UUID",
)
# ... and what it says with a value of the text behind it, quoted: the path follows, where there is one.
_QUOTING = ("Invalid enum value", "Invalid value")
_UNKNOWN = "Object contains unknown field"
_AT = " - at `"


def reason_of(error: Exception, *, of: str = "it") -> str:
    """Return why text could not be decoded, or broke its contract, without repeating any `of` it."""
    if isinstance(error, EachonceError):
        return str(error)
    if isinstance(error, TooDeepError):
        return f"{of} nests more than {error.levels} levels deep"
    if error.__cause__ is not None or code_of(error) is not None:
        return _of_a_check(error, error.__cause__ or error)
    if isinstance(error, UnicodeError):
        return f"{of} is not valid UTF-8 ({getattr(error, 'reason', 'a lone surrogate')})"
    if isinstance(error, msgspec.ValidationError):
        return _of_the_decoder(str(error))
    if isinstance(error, msgspec.DecodeError):
        return f"{of} is not JSON: {str(error).removeprefix('JSON is malformed: ')}"
    return f"a value can't be what it is to be ({type(error).__name__})"


def _of_the_decoder(message: str) -> str:
    if message.startswith(_WORDS):
        return message
    for words in _QUOTING:
        if message.startswith(words):
            return words + (message[message.rindex(_AT) :] if message.endswith("`") else "")
    # An unknown field's name is the text's own, and what looks like a path may be part of it.
    return _UNKNOWN if message.startswith(_UNKNOWN) else "it breaks its contract"


def words_of_a_check(raised: BaseException) -> str:
    """Return what a contract's own check says: words that its code has as they are, or which exception and where."""
    code, place = code_of(raised), place_of(raised)
    words = raised.args[0] if len(raised.args) == 1 else None
    if code is None or not isinstance(words, str) or words not in code.co_consts:
        words = f"a check of its contract fails: {type(raised).__name__}" + (f" at {place}" if place else "")
    return words


def _of_a_check(error: Exception, raised: BaseException) -> str:
    path = str(error).removeprefix(str(raised))  # msgspec puts it behind the check's own message
    return words_of_a_check(raised) + (path if path.startswith(_AT) else "")
