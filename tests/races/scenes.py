"""The scenes: what the layer's threads share, and what must hold of it whoever goes on when."""

from __future__ import annotations

import sys
from types import ModuleType

from aws_lambda_powertools.utilities.circuit_breaker.persistence import base as persistence
from aws_lambda_powertools.utilities.parameters import base as parameters
from eachonce import aws as aws_module
from eachonce import (
    breaker,
    circuit_store,
    circuits,
    consumer,
    execution,
    group_commit,
    keyring,
    keys,
    lanes,
    ledger,
)
from eachonce import circuit as circuit_module

from tests.races.breaker_plays import BreakerPlay, OpeningPlay, TriedPlay, UnreadableBreakerPlay
from tests.races.commit_plays import ClaimPlay, CopiesPlay, GroupPlay, ReadersPlay
from tests.races.exploration import Play, Scene
from tests.races.key_plays import ClientsPlay, KeyringPlay, SigningPlay
from tests.races.lane_plays import BrokenLanesPlay, InvocationPlay, LanesPlay


def _scene(name: str, play: type[Play], *watched: ModuleType, preemptions: int = 2) -> Scene:
    return Scene(name=name, play=play, watched=(*watched, sys.modules[play.__module__]), preemptions=preemptions)


SCENES = {
    scene.name: scene
    for scene in (
        _scene("lanes", LanesPlay, lanes),
        _scene("a lane that breaks", BrokenLanesPlay, lanes),
        _scene("group", GroupPlay, group_commit),
        _scene("readers in a group", ReadersPlay, group_commit),
        _scene("copies in a group", CopiesPlay, group_commit),
        _scene("claim", ClaimPlay, execution, ledger),
        _scene("breaker opens", BreakerPlay, circuit_module, circuit_store, persistence),
        _scene("breaker counts", OpeningPlay, circuit_module, breaker),
        _scene("breaker closes", TriedPlay, circuit_module, circuit_store, persistence),
        _scene("breaker can't be read", UnreadableBreakerPlay, circuits, circuit_module, circuit_store),
        _scene("clients", ClientsPlay, aws_module),
        _scene("keyring", KeyringPlay, keyring),
        _scene("signing key", SigningPlay, keys, parameters),
        _scene("invocation", InvocationPlay, consumer, lanes, group_commit, execution, preemptions=1),
    )
}
