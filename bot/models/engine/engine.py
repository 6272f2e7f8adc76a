"""The engine: one thread that answers many requests at once on one llama.cpp context.

Each step is one llama_decode: a token of every answer that is being written, guesses at what comes after it, and slices
of the prompts that are waiting for their first token (continuous batching with chunked prefill). docs/engine.md has
its rooms and figures.
"""

from __future__ import annotations

import atexit
import math
import os
import sys
import threading
import time
from bisect import insort
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING

from bot.errors import ModelBusy, OutOfCells
from bot.models.base import FinishReason
from bot.models.engine.composing import Part, compose
from bot.models.engine.context import Context
from bot.models.engine.costs import StepCosts
from bot.models.engine.counters import Counters
from bot.models.engine.forecast import TURN, Load, left_to_compute, until_first_words
from bot.models.engine.options import EngineOptions
from bot.models.engine.prefixes import to_key
from bot.models.engine.request import Request
from bot.models.engine.sampling import greedy, log_probabilities, sample
from bot.models.engine.slots import Slots
from bot.models.engine.threads import Threads
from bot.models.engine.vault import Vault
from knowledge.errors import FrontDeskError, ModelError
from knowledge.llama import LlamaModel
from knowledge.machine import available_threads

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NICENESS = 5
"""Beside others who want the processor it gets a quarter of what one of them gets; alone all of it."""

HOLD_SECONDS = 1.0
"""How long warming waits after a question has come in."""

BEHIND = 16
"""So many customers go before an answer that has had a turn; then it goes on, whoever else has come."""


class Engine:
    """Takes requests from any thread; see the module. `start` it, `stop` it once."""

    def __init__(self, model: LlamaModel, context: Context, vault: Vault, options: EngineOptions) -> None:
        """Prepare; the context belongs to the engine from now on."""
        self._model, self._context, self._vault, self._options = model, context, vault, options
        self._slots = Slots(context, vault, options.slots)
        self.counters = Counters()
        self.costs = StepCosts()
        self._threads = Threads(options.threads or available_threads())
        self._news = threading.Condition()
        self._inbox: deque[Request] = deque()
        self._waiting: list[tuple[int, Request]] = []
        self._warming: deque[Request] = deque()
        self._running: list[Request] = []
        self._order = 0
        self._held_until = 0.0
        self._stopping = self._aborting = False
        self._measured: Future[None] = Future()
        self._thread = threading.Thread(target=self._work, name="chat-model", daemon=True)

    # From any thread.

    def start(self) -> None:
        """Start the thread, which measures a step first; wait for that.

        No other thread may compute: it would bring a second team of OpenMP threads, and when there are more of them
        than cores libgomp has all of them sleep at each barrier, for good. A token took 23 instead of 13 ms. Whatever a
        first step raises is raised here; the thread has ended then.
        """
        atexit.register(self._abort)
        self._thread.start()
        try:
            self._measured.result()
        except BaseException:  # an interrupted start too: the context is freed next
            self._abort()
            raise

    def submit(self, request: Request) -> None:
        """Queue a request.

        Raises:
            ModelBusy: too many are waiting, or others would make it wait for too long.
        """
        waiting, wait = self.waiting, self.predicted_wait(request)
        is_idle = waiting + self.working == 0
        if waiting >= self._options.queue or (wait > self._options.patience and not is_idle):
            self.counters.shed += 1
            raise ModelBusy(waiting, retry_after=max(1, math.ceil(wait)))
        self.counters.requests += 1
        self._deliver(self._inbox, request)

    def warm(self, request: Request) -> None:
        """Queue a request whose state is to be there when it is needed; it is computed when nobody waits."""
        self._deliver(self._warming, request)

    def hold(self) -> None:
        """Put off warming for a moment."""
        self._held_until = time.monotonic() + HOLD_SECONDS

    def cool(self) -> None:
        """Forget what is still to be warmed."""
        self._warming.clear()

    @property
    def waiting(self) -> int:
        """How many prompts have no slot yet."""
        return len(self._inbox) + len(self._waiting)

    @property
    def working(self) -> int:
        """How many answers are being worked on; what is prepared is none."""
        return sum(request.channel is not None for request in list(self._running))

    @property
    def threads(self) -> int:
        """How many threads compute."""
        return self._threads.count

    def predicted_wait(self, request: Request | None = None) -> float:
        """Return the seconds until the first words of a new request; without one, as if its prompt were known."""
        waiting = [*self._inbox, *(request for _, request in list(self._waiting))]
        running = [request for request in list(self._running) if request.channel]
        prompts = [*waiting, *(each for each in running if not each.is_answering), *filter(None, [request])]
        load = Load(
            prompt_tokens=sum(left_to_compute(prompt, self._vault.__contains__) for prompt in prompts),
            answers=len(running) + len(waiting),
            without_slot=len(waiting) + 1 - self._slots.free,
            slots=len(self._slots),
        )
        return until_first_words(load, self.costs)

    def stop(self) -> None:
        """Let what is being answered end, and end the thread."""
        with self._news:
            self._stopping = True
            self._news.notify()
        if self._thread.is_alive():
            self._thread.join()
        atexit.unregister(self._abort)

    def _abort(self) -> None:
        """End the thread at once: a process that ends must not take the library away from under it."""
        self._aborting = True
        self.stop()

    def _deliver(self, box: deque[Request], request: Request) -> None:
        with self._news:
            if self._stopping:
                raise ModelError("the local model has been stopped")
            box.append(request)
            self._news.notify()

    # Everything below runs in the engine's own thread.

    def _measure(self) -> None:
        """Learn what a step takes before anybody waits for one."""
        for rows in (1, 1, 4, 8):
            self._context.step.clear()
            self._context.step.add([0] * rows, start=0, sequence=0, outputs=1)
            begun = time.perf_counter()
            self._context.compute()
            self.costs.learn(rows, time.perf_counter() - begun)
            self._context.cut(0, 0)

    def _work(self) -> None:
        _stand_back()
        try:
            self._measure()
        except Exception as error:  # whatever it is, whoever started the thread waits for it
            self._measured.set_exception(error)
        else:
            self._measured.set_result(None)
            self._serve()

    def _serve(self) -> None:
        while self._has_work() and not self._aborting:
            begun = time.perf_counter()
            try:
                self._end_abandoned()
                self._admit()
                if parts := compose(self._running, self.costs, drafting=self._options.drafting):
                    self._compute(parts)
            except FrontDeskError as error:
                self._fail(error)
            except Exception as error:  # the thread must survive whatever one request does
                failure = ModelError(f"the local model failed: {error}")
                failure.__cause__ = error
                self._fail(failure)
            self.counters.seconds += time.perf_counter() - begun

    def _has_work(self) -> bool:
        """Take in what is new; wait when there is nothing to do; say whether to go on."""
        with self._news:
            while not (self._inbox or self._waiting or self._running or (self._warming and not self._is_held)):
                if self._stopping:
                    return False
                self._news.wait(HOLD_SECONDS if self._warming else None)
            if self._stopping:
                self._warming.clear()
            while self._inbox:
                self._wait(self._inbox.popleft())
        return True

    @property
    def _is_held(self) -> bool:
        return time.monotonic() < self._held_until

    def _wait(self, request: Request) -> None:
        insort(self._waiting, (self._place(request), request))
        self._order += 1

    def _place(self, request: Request) -> int:
        """Return a request's place in the queue if it comes to it now: the more it has said, the further behind."""
        return self._order + BEHIND * (request.given // TURN)

    def _end_abandoned(self) -> None:
        for request in list(self._running):
            if request.is_left:
                self.counters.cancelled += 1
                self._close(request)
            elif request.is_late:
                self.counters.late += 1
                self._close(request, ModelError("the local model took too long"))
        ended = [request for _, request in self._waiting if request.is_left or request.is_late]
        self._waiting = [item for item in self._waiting if item[1] not in ended]
        for request in ended:
            self.counters.cancelled += request.is_left
            self.counters.late += not request.is_left
            request.end(None if request.is_left else ModelBusy(len(self._waiting), retry_after=1))

    def _admit(self) -> None:
        """Give slots to those who wait, first to those who have least; warm when there is nobody."""
        warming = bool(self._running) and self._running[0].channel is None
        if warming and (self._waiting or self._is_held):
            self._suspend(self._running[0])
        while self._waiting:
            longest = max(self._running, key=lambda running: running.given, default=None)
            if not self._slots.free and longest and longest.turn >= TURN and self._waiting[0][0] < self._place(longest):
                self._suspend(longest)
            request = self._next() if self._slots.free else None
            if request is None:
                return
            self._open(request)
        if not self._running and not self._is_held:
            with suppress(IndexError):  # there is nothing to warm, or not any more
                request = self._warming.popleft()
                if to_key(request.tokens) not in self._vault:
                    self._open(request)

    def _next(self) -> Request | None:
        """Take the first of those who wait for whom there are cells; one that needs many is passed by a few only."""
        first = self._waiting[0][0]
        for index, (place, request) in enumerate(self._waiting):
            if place < first + BEHIND and self._fits(request):
                return self._waiting.pop(index)[1]
        return None

    def _fits(self, request: Request) -> bool:
        if not self._running:
            return True
        return sum(len(other.tokens) + TURN for other in [*self._running, request]) <= self._context.cells

    def _open(self, request: Request) -> None:
        self._running.append(request)
        self._slots.open(request)
        request.turn = 0
        if request.channel is not None and not request.admitted:
            self.counters.queue_seconds += time.monotonic() - request.arrived
            self.counters.prompt_reused += request.computed
            request.usage.cached = request.computed
            request.admitted = True

    def _close(self, request: Request, error: FrontDeskError | None = None) -> None:
        self._running.remove(request)
        self._slots.close(request)
        request.end(error)

    def _suspend(self, request: Request) -> None:
        """Take a request's slot away; its state is saved, so that it goes on from there."""
        self.counters.suspended += 1
        key, state = to_key(request.tokens[: request.computed]), self._context.save(request.slot)
        self._vault.memory.put(key, state, displacing=request.channel is not None)
        self._running.remove(request)
        self._slots.close(request)
        if request.channel is None:
            self._warming.appendleft(request)
        else:
            self._wait(request)

    def _compute(self, parts: Sequence[Part]) -> None:
        step = self._context.step
        step.clear()
        for part in parts:
            request = part.request
            known = request.tokens[request.computed : request.computed + part.count]
            step.add([*known, *part.guesses], start=request.computed, sequence=request.slot, outputs=part.outputs)
        self._context.use(self._threads.count)
        begun, ran = time.perf_counter(), time.thread_time()
        try:
            logits = self._context.compute()
        except OutOfCells:
            self._make_room()
            return
        seconds = time.perf_counter() - begun
        self._threads.learn(time.thread_time() - ran, seconds)
        self.costs.learn(step.rows, seconds)
        self.counters.note_step(rows=step.rows, requests=len(parts), seconds=seconds)
        row = 0
        for part in parts:
            self._take(part, logits[row : row + part.outputs])
            row += part.outputs

    def _make_room(self) -> None:
        """Free cells: of what is at rest, then of the longest answer."""
        if self._slots.empty_one():
            return
        if len(self._running) < 2:
            raise ModelError(f"the prompt and its answer are longer than the context of {self._context.cells} tokens")
        self._suspend(max(self._running, key=lambda request: request.given))
        self._slots.empty_one()

    def _take(self, part: Part, logits: NDArray[np.float32]) -> None:
        """Go on with what a step computed for a request."""
        request = part.request
        if request.channel is None:
            self.counters.prepared += part.count
        elif not request.is_answering:
            self.counters.prompt_computed += part.count
        request.computed += part.count
        if request.computed == request.anchor:
            self._keep(request)
        if request.scored and part.outputs:
            place = request.computed + 1
            request.logprobs += log_probabilities(logits, request.tokens[place - part.outputs : place])
        if request.computed < request.goal:
            return
        if request.scored or request.channel is None:
            self._finish(request, "stop")
        else:
            self._answer(part, logits)

    def _keep(self, request: Request) -> None:
        """Keep the state of what others are likely to begin with too."""
        key = to_key(request.tokens[: request.anchor])
        if key not in self._vault:
            keep = self._vault.prepare if request.channel is None else self._vault.put
            keep(key, self._context.save(request.slot))

    def _answer(self, part: Part, logits: NDArray[np.float32]) -> None:
        """Say the next token, and those guesses that were right."""
        request, guesses = part.request, part.guesses
        if request.random is not None:
            chosen = [sample(logits[-1], request.sampling.temperature, request.sampling.top_p, request.random)]
        else:
            chosen = greedy(logits)
        accepted = next((place for place, guess in enumerate(guesses) if guess != chosen[place]), len(guesses))
        request.guesser.learn(len(guesses), accepted)
        self.counters.drafted += len(guesses)
        self.counters.accepted += accepted
        for token in chosen[: accepted + 1]:
            if reason := self._say(request, token):
                self._finish(request, reason)
                return
        request.computed += accepted
        if guesses:
            self._context.cut(request.slot, request.computed)

    def _say(self, request: Request, token: int) -> FinishReason | None:
        """Add a token to an answer; say why it ends, if it does."""
        if self._model.ends_generation(token):
            return "stop"
        request.tokens.append(token)
        request.given += 1
        request.turn += 1
        request.usage.completion += 1
        self.counters.generated += 1
        request.say(request.text.feed(self._model.piece(token)))
        if request.text.stopped:
            return "stop"
        return "length" if request.given >= request.sampling.max_tokens else None

    def _finish(self, request: Request, reason: FinishReason) -> None:
        request.finish_reason = reason
        request.say(request.text.finish())
        self.counters.finished += 1
        self._close(request)

    def _fail(self, error: FrontDeskError) -> None:
        """End all that is running: what the context holds is not known any more."""
        failed, self._running = self._running, []
        self._slots.empty_all()
        for request in failed:
            request.end(error)


def _stand_back() -> None:
    """Let all else go before this thread and those it starts: wording takes seconds, an entry's own words do not wait.

    A priority of one thread is Linux's; elsewhere it would be that of the process.
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
