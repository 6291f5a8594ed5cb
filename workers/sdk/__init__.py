"""What other people's workers import: the command that led here, commands seen before, events told to Kafka.

`descent()` is what a workflow passes on to children and schedules, so that the bridge announces them too.

All of this module may be used in workflow code. `workers.sdk.plugin` puts it into a worker, `workers.sdk.kafka` has
the emitter for activities, `workers.sdk.testing` an emitter that keeps everything in memory.
"""

from workers.sdk.command import CommandReference, acting_for, current_command
from workers.sdk.descent import Descent, descent
from workers.sdk.interceptor import BridgeInterceptor
from workers.sdk.seen import Seen

__all__ = ["BridgeInterceptor", "CommandReference", "Descent", "Seen", "acting_for", "current_command", "descent"]
