"""Landlock rules: what may be written, and which TCP ports may be connected to.

https://docs.kernel.org/userspace-api/landlock.html; the numbers are those of linux/landlock.h. Reading stays allowed.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct

from eachonce_workbench.cloud.confinement.kernel import machine, renounce_privileges, system_call
from eachonce_workbench.cloud.confinement.limits import Limits

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every processor
_ASK_VERSION = 1
_PATH_BENEATH, _NET_PORT = 1, 2

_WRITE_FILE, _REFER, _TRUNCATE = 1 << 1, 1 << 13, 1 << 14
_CHANGE_FOLDER = sum(1 << bit for bit in range(4, 13))  # from REMOVE_DIR to MAKE_SYM
_BIND_TCP, _CONNECT_TCP = 1 << 0, 1 << 1
_ABSTRACT_UNIX_SOCKET, _SIGNAL = 1 << 0, 1 << 1

_KNOWS_REFER, _KNOWS_TRUNCATE, KNOWS_TCP, _KNOWS_SCOPES = 2, 3, 4, 6


def version() -> int:
    """Return the version of Landlock that this kernel has; 0 where it has none."""
    if machine() is None:
        return 0
    try:
        return system_call(_CREATE_RULESET, None, 0, _ASK_VERSION)
    except OSError:  # built without it, or not switched on, or forbidden by a container
        return 0


def restrict(limits: Limits, known: int) -> None:
    """Restrict this thread, and all that it starts, for good, as far as version `known` can. Raises OSError."""
    renounce_privileges()
    files = _WRITE_FILE | (_TRUNCATE if known >= _KNOWS_TRUNCATE else 0)
    folders = _CHANGE_FOLDER | (_REFER if known >= _KNOWS_REFER else 0)
    rules = _ruleset(files | folders, known)
    try:
        for path in limits.writable:
            _allow_below(rules, path, files, files | folders)
        if known >= KNOWS_TCP:
            for port in limits.ports:
                _add(rules, _NET_PORT, struct.pack("=QQ", _CONNECT_TCP, port))
        system_call(_RESTRICT_SELF, rules, 0)
    finally:
        os.close(rules)


def _ruleset(handled: int, known: int) -> int:
    """Return a set of rules that refuses everything so far; a kernel takes no more fields than it knows."""
    fields = [handled]
    if known >= KNOWS_TCP:
        fields.append(_BIND_TCP | _CONNECT_TCP)
    if known >= _KNOWS_SCOPES:
        fields.append(_ABSTRACT_UNIX_SOCKET | _SIGNAL)
    attributes = struct.pack(f"={len(fields)}Q", *fields)
    return system_call(_CREATE_RULESET, ctypes.create_string_buffer(attributes), len(attributes), 0)


def _allow_below(rules: int, path: str, files: int, anything: int) -> None:
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        allowed = anything if stat.S_ISDIR(os.fstat(place).st_mode) else files
        _add(rules, _PATH_BENEATH, struct.pack("=Qi", allowed, place))
    finally:
        os.close(place)


def _add(rules: int, kind: int, attributes: bytes) -> None:
    system_call(_ADD_RULE, rules, kind, ctypes.create_string_buffer(attributes), 0)
