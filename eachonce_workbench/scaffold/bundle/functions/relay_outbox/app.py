"""RelayOutbox: brings published events from the journal's stream to the bus."""

from eachonce import Relay

handler = Relay()
