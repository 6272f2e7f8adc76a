"""All channels together: opened from the settings, run in the background, and closed."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from itertools import chain, repeat
from typing import Any

import structlog
from fastapi import APIRouter
from sqlalchemy import select
from starlette.routing import Route

from bot.assembly import Parts
from bot.channels.dispatch import Dispatcher
from bot.channels.host import ChannelHost, Front
from bot.channels.opening import Channel, open_adapters, open_channels
from bot.channels.people import PeopleCaller
from bot.channels.replies import ReplyCourier
from bot.draining import Drain
from bot.errors import ChannelError
from bot.settings import Settings
from bot.store.channels import ChannelStore
from bot.store.handoffs import HandoffStore
from bot.store.inbox import InboxStore
from bot.store.memory import MemoryStore

log = structlog.get_logger()

RESTART_SECONDS = 5.0
HOLD_SECONDS = 2.0
"""So often it is looked whether this is still the replica that has a platform's one connection."""

CHECK_DELAYS_SECONDS = (5.0, 15.0, 60.0, 300.0)
"""Between two checks of a channel that does not work."""


class Switchboard:
    """Connects the channels that are set up with the desk; one that is not, or that fails, leaves the others alone."""

    def __init__(self, settings: Settings, parts: Parts, front: Front, drain: Drain) -> None:
        """Set up the channels that the settings name; `missing` says what the others lack."""
        self.channels, self.missing = open_channels(settings)
        self.adapters, lacking = open_adapters(settings)
        self.missing |= {f"people.{name}": problem for name, problem in lacking.items()}
        calling = {name: people for name, each in self.channels.items() if (people := each.connector.people())}
        self.store = ChannelStore(parts.database)
        self._dispatcher = Dispatcher(self.channels, self.store, parts.desks, front.ask, drain)
        self._courier = ReplyCourier(
            self.channels,
            self.store,
            MemoryStore(parts.database),
            InboxStore(parts.database),
            parts.desk.humans.changes,
        )
        self._caller = PeopleCaller({**self.adapters, **calling}, HandoffStore(parts.database), parts.desk.humans)
        self._hosts = {
            name: ChannelHost(channel, self._dispatcher, self.store, parts.desks[channel.bot], front)
            for name, channel in self.channels.items()
        }

    @property
    def problems(self) -> list[str]:
        """What does not work, a sentence each."""
        failing = [f"{each.name}: {each.failure}" for each in self.channels.values() if each.failure]
        return [*self.missing.values(), *failing, *([self._dispatcher.problem] if self._dispatcher.problem else [])]

    def routers(self) -> Iterator[APIRouter]:
        """Yield what the platforms call."""
        for name, channel in self.channels.items():
            router = channel.connector.routes(self._hosts[name])
            routes = (route for route in router.routes if isinstance(route, Route))
            channel.paths = sorted({route.path for route in routes if "POST" in (route.methods or ())})
            yield router

    def work(self) -> Iterator[tuple[str, Coroutine[Any, Any, None]]]:
        """Yield what goes on in the background, with its name, each until it is cancelled."""
        yield "calling people", self._caller.run()
        if self.channels:
            yield "answering channels", self._dispatcher.run()
            yield "forgetting messages", self._dispatcher.forget_old()
            yield "bringing replies", self._courier.run()
        for name, channel in self.channels.items():
            yield f"channel {name}", self._run(channel)
            yield f"check of {name}", self._check(channel)

    async def close(self) -> None:
        """Give connections back."""
        for channel in self.channels.values():
            await channel.connector.close()
        for adapter in self.adapters.values():
            await adapter.close()

    async def _run(self, channel: Channel) -> None:
        """Let a connector do what it does in the background, again if it fails."""
        while True:
            try:
                await self._run_once(channel)
            except ChannelError as error:  # it says itself that trying again is of no use
                channel.failed(str(error))
                log.exception("a channel is out of service", channel=channel.name)
                return
            except Exception as error:
                channel.failed(f"{type(error).__name__}: {error}")
                log.exception("a channel's connection broke", channel=channel.name)
                await asyncio.sleep(RESTART_SECONDS)
            else:
                return

    async def _run_once(self, channel: Channel) -> None:
        """Let a connector run; one that may be connected once only, on one replica, until that dies."""
        if not channel.connector.one_connection:
            await channel.connector.run(self._hosts[channel.name])
            return
        channel.elsewhere = True
        async with self.store.database.alone(f"channel {channel.name}") as held:
            channel.elsewhere = False
            running = asyncio.create_task(channel.connector.run(self._hosts[channel.name]))
            try:
                while not running.done():
                    await asyncio.wait([running], timeout=HOLD_SECONDS)
                    if held is not None:
                        await held.execute(select(1))
                await running
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)

    async def _check(self, channel: Channel) -> None:
        """Say what is wrong with a channel before its first customer finds out, until it is put right."""
        failure = None
        for delay in chain(CHECK_DELAYS_SECONDS, repeat(CHECK_DELAYS_SECONDS[-1])):
            try:
                await channel.connector.check()
            except Exception as error:
                failure = str(error) if isinstance(error, ChannelError) else f"{type(error).__name__}: {error}"
                channel.failed(failure)
                log.warning("a channel does not work", channel=channel.name, problem=failure)
                await asyncio.sleep(delay)
            else:
                if channel.failure == failure:  # not what was found out meanwhile
                    channel.failure = None
                return
