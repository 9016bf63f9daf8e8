"""The simulator: the whole bundle in one thread and on one virtual clock, with every fault that AWS has."""
