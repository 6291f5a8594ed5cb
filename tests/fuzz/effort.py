"""How long generated tests look: a little and always at the same in `make test`, long and at others in `make fuzz`."""

import os

import hypothesis
from hypothesis import HealthCheck, Phase

TIMES_VARIABLE = "FUZZ_TIMES"


def settings(examples: int, *, steps: int = 50) -> hypothesis.settings:
    """Return the settings for so many examples, or for FUZZ_TIMES as many."""
    times = int(os.environ.get(TIMES_VARIABLE, "1"))
    return hypothesis.settings(
        max_examples=examples * times,
        stateful_step_count=steps,
        derandomize=times == 1,
        deadline=None,
        print_blob=times > 1,
        database=None,
        phases=(Phase.generate, Phase.shrink),  # to explain a failure as well takes minutes
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )
