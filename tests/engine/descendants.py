"""A workflow that starts a child as the SDK for workers has it, and one that leaves the child to itself."""

import asyncio
from typing import Any

from temporalio import workflow

from workers import sdk


@workflow.defn(name="Child")
class Child:
    @workflow.run
    async def run(self, name: str) -> str:
        return name


@workflow.defn(name="Entity")
class Parent:
    @workflow.run
    async def run(self, _: dict[str, Any]) -> list[str]:
        descent = sdk.descent()
        known = workflow.execute_child_workflow(
            Child.run,
            "known",
            id=f"{workflow.info().workflow_id}-known",
            memo=descent.memo,
            search_attributes=descent.search_attributes,
        )
        own = workflow.execute_child_workflow(Child.run, "own", id=f"{workflow.info().workflow_id}-own")
        return list(await asyncio.gather(known, own))
