"""How long a command takes from its sender to the server, at a steady load."""

from tests.bench.arena import Arena
from tests.bench.contestant import Contestant


def p99_ms(arena: Arena, contestant: Contestant, count: int, rate: float) -> float:
    """Return the 99th percentile over `count` commands at `rate` a second."""
    arena.stub.reset()
    orders = arena.starts(contestant, count)
    sent = arena.sender.send_at(contestant.entry.topic, orders, rate)
    arena.wait(contestant, lambda: arena.stub.counts().effects >= count)
    reached = arena.stub.effects()
    took = sorted(reached[name].arrived_us - sent_us for name, sent_us in sent.items())
    arena.settle(contestant)
    return took[int(len(took) * 0.99)] / 1000
