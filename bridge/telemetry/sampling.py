"""Which traces are recorded, as the standard variables say: OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG.

OpenTelemetry, SDK environment variables, "General SDK Configuration". Decided on text: the SDK's samplers want objects
that cost more than all else that is done for a command which is not sampled.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from bridge import errors, tracecontext

VARIABLE, ARGUMENT = "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"
DEFAULT = "parentbased_always_on"

_PARENT = "parentbased_"
_ALL, _RATIO = 1 << 64, "traceidratio"
_RATIOS = {"always_on": 1.0, "always_off": 0.0, _RATIO: None}


@dataclass(frozen=True, slots=True)
class Sampling:
    """`follows_parent`: a trace that somebody else began is recorded if they record it; of the rest, `ratio`."""

    follows_parent: bool = True
    ratio: float = 1.0

    def takes(self, traceparent: str) -> bool:
        """Return whether a trace that somebody else began is recorded here."""
        if self.follows_parent:
            return tracecontext.is_sampled(traceparent)
        # The SDKs' own rule, so that all who have the same ratio record the same traces.
        return int(traceparent[19:35], 16) < round(self.ratio * _ALL)

    def takes_new(self, trace_id: str) -> bool:
        """Return whether a trace that begins here is recorded.

        Its id is a UUID's digits, which are not even where the SDKs look; at the beginning they are.
        """
        return int(trace_id[:12], 16) < self.ratio * (1 << 48)


def read(environment: Mapping[str, str]) -> Sampling:
    """Return what the variables say; raises `ConfigurationError` for a sampler or a ratio that is none."""
    name = environment.get(VARIABLE, "").strip().lower() or DEFAULT
    root = name.removeprefix(_PARENT)
    if root not in _RATIOS:
        known = ", ".join([*_RATIOS, *(_PARENT + known for known in _RATIOS)])
        raise errors.ConfigurationError(f"{VARIABLE}: {name} is no sampler that the bridge has: give one of {known}.")
    fixed = _RATIOS[root]
    ratio = _ratio(environment.get(ARGUMENT, "").strip()) if fixed is None else fixed
    return Sampling(follows_parent=name.startswith(_PARENT), ratio=ratio)


def _ratio(text: str) -> float:
    try:
        ratio = float(text or 1)
    except ValueError:
        ratio = -1
    if not 0 <= ratio <= 1:
        raise errors.ConfigurationError(f"{ARGUMENT}: give a number from 0 to 1.")
    return ratio
