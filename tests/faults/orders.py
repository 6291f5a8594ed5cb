"""The commands of one fault, drawn by its seed."""

import itertools
import random

from tests.acceptance import commands
from tests.acceptance.producer import Command

COMMANDS = 1000


class Orders:
    """Every command id and business id begins with `prefix`."""

    def __init__(self, prefix: str, rng: random.Random) -> None:
        self._prefix = prefix
        self._numbers = itertools.count(1)
        self.random = rng

    def number(self) -> int:
        """Return a number that was not given yet."""
        return next(self._numbers)

    def invoices(self, count: int, note: str | None = None) -> list[Command]:
        """Return starts; their runs end at once, or after as many approvals as the note says."""
        rest = {} if note is None else {"note": note}
        made = [commands.invoice(f"{self._prefix}-inv{self.number():05}", **rest) for _ in range(count)]
        return [self._named(command) for command in made]

    def scores(self, leads: int, each: int) -> list[Command]:
        """Return `each` commands for so many leads, mixed."""
        names = [f"{self._prefix}-lead{self.number():05}" for _ in range(leads)] * each
        self.random.shuffle(names)
        return [self._named(commands.lead(name)) for name in names]

    def approvals(self, number: str, count: int, **rest: str) -> list[Command]:
        return [self._named(commands.approve("invoice", number, **rest)) for _ in range(count)]

    def work(self, count: int = COMMANDS, *, invoices: int = 50, leads: int = 95) -> list[Command]:
        """Return commands of two kinds, mixed."""
        scores = self.scores(leads, -(-(count - invoices) // leads))[: count - invoices]
        mixed = [*self.invoices(invoices), *scores]
        self.random.shuffle(mixed)
        return mixed

    def _named(self, command: Command) -> Command:
        return Command(command.type, command.data, id=f"{self._prefix}-{self.number():05}")
