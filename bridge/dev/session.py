"""One `bridge dev` from its start to its end."""

import asyncio
import os
import time
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

import rich.console

from bridge import errors, settings
from bridge.dev import (
    announce,
    folder,
    kafka,
    keeper,
    mail,
    ports,
    processes,
    programs,
    rehearsal,
    screen,
    signals,
    temporal,
)
from bridge.dev.options import Options
from bridge.dev.outcomes import Outcomes
from bridge.dev.publisher import Publisher
from bridge.dev.samples import fresh
from bridge.dev.stack import Stack
from bridge.errors import ExitCode
from topics import tables
from topics.spec import TopicKind

SEEN_WITHIN = timedelta(seconds=1)  # that a part has ended; what talks to it may notice before
FOLLOWED = frozenset({TopicKind.EVENTS, TopicKind.LIFECYCLE, TopicKind.DEAD_LETTERS})


async def run(options: Options, console: rich.console.Console) -> ExitCode:
    """Run the stack until it is stopped, or with `--once` until every sample has ended."""
    shown = screen.Screen(console, options.ui_url)
    with folder.opened(options.data, fresh=options.fresh) as opened:
        spans = f"{ports.HOST}:{ports.free()}"
        loaded = settings.load(programs.environment(options, opened, os.environ, spans))
        check(options)
        if options.fresh:
            opened.empty()
        shown.say(f"Data and logs are in {opened.root}")
        with processes.Guard(keep=(opened.lock,)) as guard, signals.stopping(insist=guard.kill_all) as stopped:
            stack = Stack(options, opened, guard, loaded, shown.say)
            try:
                async with keeper.opened(spans, os.environ):
                    ended = await until_stopped(stopped, stack.watch(), play(options, opened, loaded, stack, shown))
            finally:
                shown.say("Stopping. A second Ctrl-C kills everything at once.")
                await stack.stop()
    if ended is not None:
        return ended
    return ExitCode.CRASH if options.once else ExitCode.DONE  # stopped before the samples had their outcomes


def check(options: Options) -> None:
    """Raise ConfigurationError with everything that is taken or missing."""
    looks: tuple[Callable[[], object], ...] = (
        lambda: ports.check(options.ports), kafka.find, temporal.find, mail.find,
    )  # fmt: skip
    problems: list[str] = []
    for look in looks:
        try:
            look()
        except errors.ConfigurationError as error:
            problems += error.problems
    if problems:
        raise errors.ConfigurationError(*problems)


async def play(
    options: Options, opened: folder.Folder, loaded: settings.Settings, stack: Stack, shown: screen.Screen
) -> ExitCode:
    """Bring the stack up, publish the samples, and go on to show what becomes of others' commands."""
    began = time.monotonic()
    await stack.start()
    shown.say(f"Everything is ready ({time.monotonic() - began:.1f} s).", *announce.addresses(options, opened))
    async with (
        Outcomes(options.bootstrap, followed(loaded)) as outcomes,
        Publisher(options.bootstrap) as publisher,
    ):
        progresses = rehearsal.begin(fresh.samples(loaded.domains, loaded.workers.invoice_approval_over))
        with shown.following(progresses) as news:
            await rehearsal.rehearse(progresses, publisher, outcomes, news)
        shown.say(*announce.summary(progresses, options.ui_url))
        if options.once:
            return ExitCode.DONE if all(progress.is_done for progress in progresses) else ExitCode.CRASH
        shown.say(*announce.invitation(options))
        async for outcome in outcomes:
            shown.say(announce.line_of(outcome))
    return ExitCode.DONE


def followed(loaded: settings.Settings) -> tuple[str, ...]:
    """Return the topics that tell what becomes of the commands of our domains."""
    domains = [domain for domain in tables.DOMAINS if domain.name in loaded.domains]
    topics = [topic.name for domain in domains for topic in tables.domain_topics(domain) if topic.kind in FOLLOWED]
    return (*topics, *loaded.bridge.reply_topics)


async def until_stopped(
    stopped: asyncio.Event, watching: Coroutine[Any, Any, None], playing: Coroutine[Any, Any, ExitCode]
) -> ExitCode | None:
    """Return what `playing` returns, None if stopped before; raise what either raises, the watch's first."""
    watch, play = asyncio.create_task(watching), asyncio.create_task(playing)
    tasks: tuple[asyncio.Task[Any], ...] = (watch, play, asyncio.create_task(stopped.wait()))
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if play.done() and (play.cancelled() or play.exception()):
            await asyncio.wait((watch,), timeout=SEEN_WITHIN.total_seconds())
        if watch.done():
            await watch
        if play.done():
            return await play
        return None
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
