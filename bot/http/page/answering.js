/** Brings one turn from its question to its end, through cuts of the connection. Knows nothing of the screen. */

import { ApiError, openStream, resumeStream } from "./api.js";

const DELAYS_MS = [500, 1_000, 2_000, 4_000, 8_000];
const WORTH_RETRYING = new Set([502, 503, 504]);
const RESTS_ON_ENTRIES = new Set(["direct", "grounded", "escalated"]);

/**
 * Return a turn that is about to be asked; a `silent` one is for a person, and the bot says nothing. The same
 * `messageId` on every try keeps its answer from being doubled.
 */
export function newTurn(question, silent) {
  return {
    kind: "turn",
    silent,
    messageId: newId(),
    question,
    askedAt: Date.now(),
    rating: null,
    commented: false,
    ...unanswered(),
  };
}

/** Forget what has arrived, so that the turn can be asked anew. */
export function resetTurn(turn) {
  Object.assign(turn, unanswered());
}

function unanswered() {
  return {
    state: "streaming",
    stopped: false,
    reconnecting: false,
    problem: null,
    turnId: null,
    lastEventId: null,
    text: "",
    outcome: null,
    handoff: null,
    confidence: null,
    standalone: null,
    model: null,
    degraded: false,
    reused: false,
    citations: [],
    suggestions: [],
    totalMs: null,
    answeredAt: null,
  };
}

/** crypto.randomUUID exists on secure origins only, and shops do try this page over plain http in their own network. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/**
 * Ask a turn's question, or go on with its answer, until the turn is done or has failed; `changed` is called after
 * every change. Never throws.
 */
export async function answer(turn, conversation, language, signal, changed) {
  let failures = 0;
  while (turn.state === "streaming") {
    const seen = turn.lastEventId;
    try {
      await takeEvents(turn, conversation, await open(turn, conversation, language, signal), changed);
      if (turn.state !== "streaming") break;
    } catch (error) {
      if (forgetLostConversation(turn, conversation, error)) continue;
      if (signal.aborted) stop(turn);
      else if (!isCut(turn, error)) fail(turn, error);
      if (turn.state !== "streaming") break;
    }
    failures = turn.lastEventId === seen ? failures + 1 : 1;
    if (failures > DELAYS_MS.length) {
      fail(turn, null);
      break;
    }
    turn.reconnecting = true;
    changed();
    await pause(DELAYS_MS[failures - 1], signal);
  }
  turn.reconnecting = false;
  changed();
}

function open(turn, conversation, language, signal) {
  if (turn.turnId !== null) return resumeStream(turn.turnId, turn.lastEventId, signal);
  const question = { question: turn.question, message_id: turn.messageId, language };
  if (conversation.id !== null) question.conversation_id = conversation.id;
  return openStream(question, signal);
}

/** A conversation kept here may have been deleted there; the question then opens a new one. */
function forgetLostConversation(turn, conversation, error) {
  if (error.status !== 404 || turn.turnId !== null || conversation.id === null) return false;
  conversation.id = null;
  return true;
}

async function takeEvents(turn, conversation, events, changed) {
  for await (const event of events) {
    if (isRepeated(event.id, turn.lastEventId)) continue;
    turn.lastEventId = event.id || turn.lastEventId;
    turn.reconnecting = false;
    applyEvent(turn, conversation, event);
    changed();
    if (turn.state !== "streaming") return;
  }
}

function isRepeated(id, lastId) {
  return Boolean(id && lastId) && turnOf(id) === turnOf(lastId) && numberOf(id) <= numberOf(lastId);
}

function turnOf(eventId) {
  return eventId.slice(0, eventId.lastIndexOf(":"));
}

function numberOf(eventId) {
  return Number(eventId.slice(eventId.lastIndexOf(":") + 1));
}

function applyEvent(turn, conversation, { type, data }) {
  if (type === "meta") applyMeta(turn, conversation, data);
  else if (type === "citations") turn.citations = data;
  else if (type === "token") turn.text += data.text;
  else if (type === "done") applyDone(turn, data);
  else if (type === "error") fail(turn, new ApiError(500, data.error));
}

function applyMeta(turn, conversation, data) {
  conversation.id = data.conversation_id;
  turn.turnId = data.turn_id;
  turn.outcome = data.outcome;
  turn.confidence = data.confidence;
  turn.model = data.model;
  turn.standalone = data.standalone;
}

function applyDone(turn, data) {
  turn.text = data.answer;
  turn.outcome = data.outcome;
  turn.confidence = data.confidence;
  turn.suggestions = data.suggestions ?? [];
  turn.model = data.model;
  turn.degraded = data.degraded;
  turn.reused = data.reused;
  turn.totalMs = data.timings?.total_ms ?? null;
  if (!RESTS_ON_ENTRIES.has(turn.outcome)) turn.citations = [];
  turn.handoff = data.handoff;
  finish(turn, "done");
}

function finish(turn, state) {
  turn.state = state;
  turn.answeredAt = Date.now();
}

function stop(turn) {
  turn.stopped = true;
  finish(turn, "done");
}

function fail(turn, error) {
  turn.problem = problemOf(turn, error);
  finish(turn, "error");
}

/** An answer that has begun is waited for through a server's restart; a server too busy to begin is believed. */
function isCut(turn, error) {
  if (error instanceof ApiError) return turn.turnId !== null && WORTH_RETRYING.has(error.status);
  return error instanceof TypeError;
}

function problemOf(turn, error) {
  if (error === null) return { kind: "connection", detail: null, requestId: null, retryAt: null };
  return {
    kind: problemKind(turn, error),
    detail: problemKind(turn, error) === "rejected" ? error.message : null,
    requestId: error.requestId ?? null,
    retryAt: error.retryAfter ? Date.now() + Math.min(error.retryAfter, 60) * 1_000 : null,
  };
}

function problemKind(turn, error) {
  if (error.status === 429 || error.status === 503) return "busy";
  if (error.status === 404 && turn.turnId !== null) return "gone";
  if (error.status === 401 || error.status === 403) return "failed"; // not the customer's to mend
  if (error.status >= 400 && error.status < 500) return "rejected";
  return "failed";
}

function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}
