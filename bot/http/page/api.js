/** The server's HTTP API: requests, errors and server-sent events. */

const SILENCE_MS = 45_000;

let server = "";

/** Name the server's address; without, it is the one that this page came from. */
export function setServer(address) {
  server = address;
}

let bot = null;

/** Name the bot that is meant, where a server has several. */
export function setBot(name) {
  bot = name || null;
}

/** Return the name of the bot that is meant, or null. */
export function botName() {
  return bot;
}

let visitorToken = null;

/** Have every request of a conversation say whose it is: `source(renew)` resolves to a token, without which nothing is sent. */
export function setVisitor(source) {
  visitorToken = source;
}

/** The server said no; `retryAfter` is in seconds, or null. */
export class ApiError extends Error {
  constructor(status, { type = "unknown", message = "", request_id = null, reason = null } = {}, retryAfter = null) {
    super(message);
    this.status = status;
    this.type = type;
    this.requestId = request_id;
    this.reason = reason;
    this.retryAfter = retryAfter;
  }
}

/** Return who the bot is and what it can do. */
export async function getBot() {
  const response = await request("/api/bot", { headers: { Accept: "application/json" } }, null);
  return response.json();
}

/** Ask a question; return the stream of its answer. */
export function openStream(question, signal) {
  return eventStream("/api/chat/stream", { ...asJson(question), signal });
}

/** Go on with the answer of a turn after the last event that arrived. */
export function resumeStream(turnId, lastEventId, signal) {
  const headers = { Accept: "text/event-stream", ...(lastEventId ? { "Last-Event-ID": lastEventId } : {}) };
  return eventStream(`/api/chat/stream/${encodeURIComponent(turnId)}`, { headers, signal });
}

/** Hear what people write in a conversation, from behind a message on. */
export function followConversation(conversationId, lastMessageId, signal) {
  const headers = { Accept: "text/event-stream", ...(lastMessageId ? { "Last-Event-ID": String(lastMessageId) } : {}) };
  return eventStream(`/api/conversations/${encodeURIComponent(conversationId)}/events`, { headers, signal });
}

/** Tell whether an answer helped. */
export function sendFeedback(turnId, rating, comment) {
  return request("/api/feedback", asJson({ turn_id: turnId, rating, ...(comment ? { comment } : {}) }));
}

/** Call a human into a conversation. */
export async function callHuman(conversationId, language) {
  const response = await request("/api/handoff", asJson({ conversation_id: conversationId, language }));
  return response.json();
}

function asJson(body) {
  return { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
}

async function request(url, options, tokenOf = visitorToken) {
  let response = await send(url, options, await tokenOf?.(false));
  if (response.status === 401 && tokenOf !== null) response = await send(url, options, await tokenOf(true));
  if (!response.ok) throw await errorOf(response);
  return response;
}

/** Return the header that names the bot. */
export function botHeader() {
  return bot === null ? {} : { "X-FrontDesk-Bot": bot };
}

function send(url, options, token) {
  const headers = { ...options.headers, ...botHeader(), ...(token && { Authorization: `Bearer ${token}` }) };
  return fetch(server + url, { cache: "no-store", credentials: "same-origin", ...options, headers });
}

/** Return what a refusal says. */
export async function errorOf(response) {
  const body = await response.json().catch(() => null);
  const seconds = Number.parseInt(response.headers.get("Retry-After"), 10);
  return new ApiError(response.status, body?.error ?? {}, Number.isFinite(seconds) ? seconds : null);
}

async function eventStream(url, options) {
  const response = await request(url, options);
  return readEvents(response.body.getReader());
}

/** Yield {id, type, data} of each event. A stream that falls silent counts as cut. */
async function* readEvents(reader) {
  const decoder = new TextDecoder();
  let pending = "";
  try {
    for (;;) {
      const { value, done } = await beforeSilence(reader.read());
      if (done) return;
      pending += decoder.decode(value, { stream: true });
      const blocks = pending.split(/\r?\n\r?\n/);
      pending = blocks.pop();
      yield* blocks.map(parseEvent).filter((event) => event !== null);
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

async function beforeSilence(reading) {
  let timer;
  const silence = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new TypeError("the stream fell silent")), SILENCE_MS);
  });
  try {
    return await Promise.race([reading, silence]);
  } finally {
    clearTimeout(timer);
  }
}

function parseEvent(block) {
  const fields = { id: "", event: "message", data: [] };
  for (const line of block.split(/\r?\n/)) {
    const [, name, value] = /^([a-z]+): ?(.*)$/.exec(line) ?? [];
    if (name === "data") fields.data.push(value);
    else if (name === "id" || name === "event") fields[name] = value;
  }
  if (fields.data.length === 0) return null;
  return { id: fields.id, type: fields.event, data: JSON.parse(fields.data.join("\n")) };
}
