"""A worker whose workflows end as their argument says. `python rides.py ADDRESS`."""

import asyncio
import sys
from typing import Any

from temporalio import workflow
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

QUEUE = "rides"


class _Ride:
    async def end(self, ride: dict[str, Any]) -> str:
        """Complete, fail or go on as a new run; who is told nothing of it waits for ever."""
        ending = ride.get("ending")
        if ending == "failed":
            raise ApplicationError("a flat tyre", type="FlatTyre")
        if ending == "continued_as_new":
            workflow.continue_as_new({**ride, "ending": "completed"})
        await workflow.wait_condition(lambda: ending == "completed")
        return "arrived"


@workflow.defn
class Ride(_Ride):
    @workflow.run
    async def run(self, ride: dict[str, Any]) -> str:
        return await self.end(ride)


@workflow.defn
class HurriedRide(_Ride):
    @workflow.run
    async def run(self, ride: dict[str, Any]) -> str:
        return await self.end(ride)


async def main(address: str) -> None:
    client = await Client.connect(address)
    workflows = [Ride, HurriedRide]
    await Worker(client, task_queue=QUEUE, workflows=workflows, workflow_runner=UnsandboxedWorkflowRunner()).run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
