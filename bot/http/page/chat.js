/** A chat: ties the conversation, the server and the screen together, on a page of its own or inside the widget. */

import { answer, newTurn, resetTurn } from "./answering.js";
import { callHuman, getBot } from "./api.js";
import { answerBubble, notice, personBubble, questionBubble, welcomeBubble } from "./bubbles.js";
import { runComposer } from "./composer.js";
import { icon } from "./dom.js";
import { buildLayout } from "./layout.js";
import { followPeople } from "./live.js";
import {
  conversationKey,
  emptyConversation,
  heardConversation,
  interruptedTurn,
  isOfPeople,
  loadConversation,
  saveConversation,
} from "./memory.js";
import { followEnd } from "./scrolling.js";
import { browserLanguage, TEXTS } from "./texts.js";

const BOT_POLL_MS = 4_000;

/**
 * Put a chat into `place` and return its handle. `onName` is told the bot's name, `onLanguage` the language, `onAnswer`
 * of each answer that is complete; an `inspector` shows how answers came about.
 */
export function mountChat(place, { onName = ignore, onLanguage = ignore, onAnswer = ignore, locale, inspector } = {}) {
  const page = buildLayout();
  const { keepAtEnd, jumpToEnd } = followEnd(page);
  const composer = runComposer(page, ask, () => running !== null);
  let language = Object.hasOwn(TEXTS, locale ?? "") ? locale : browserLanguage();
  let texts = TEXTS[language];
  let bot = null;
  let botStatus = "connecting";
  let conversation = loadConversation();
  let running = null;
  let waiting = [];
  let following = null;
  let bubbles = new Map();

  place.append(page.app);
  start();
  return { page, ask, setLanguage, startNewChat, transcript, focus };

  function start() {
    listen();
    showEverything();
    void watchBot();
    void finishInterruptedTurn();
    hearPeople();
  }

  function listen() {
    page.stop.addEventListener("click", () => running?.controller.abort());
    page.newChat.addEventListener("click", () => (startNewChat(), page.question.focus()));
    page.handoff.addEventListener("click", () => void handOff());
    window.addEventListener("pagehide", () => save());
    window.addEventListener("storage", (event) => event.key === conversationKey() && hearTabs());
  }

  /* The bot */

  async function watchBot() {
    for (;;) {
      botStatus = await askBot();
      showBot();
      if (botStatus === "ready" || botStatus === "retrieval") return;
      await new Promise((resolve) => setTimeout(resolve, BOT_POLL_MS));
    }
  }

  async function askBot() {
    try {
      const known = bot !== null;
      bot = await getBot();
      if (!known) showLog();
      if (!bot.ready) return "starting";
      return bot.chat_model === null ? "retrieval" : "ready";
    } catch {
      return "offline";
    }
  }

  function showBot() {
    const name = bot?.name ?? "FrontDesk";
    onName(name);
    page.name.textContent = name;
    page.logo.replaceChildren(bot?.avatar || icon("bot"));
    page.status.dataset.status = botStatus;
    page.statusText.textContent = status();
    page.status.title = bot && inspector ? inspector.explain(bot, texts) : "";
  }

  /** A person comes before the bot; who it is, an answer alone does not tell. */
  function status() {
    const { handoff, agent } = conversation;
    if (botStatus === "offline") return texts.status.offline;
    if (handoff === "waiting") return texts.people.waiting;
    if (handoff === "human") return agent ? texts.people.serving(agent) : texts.handoff.human;
    return texts.status[botStatus];
  }

  /* Asking */

  /** One question after the other: what is asked during an answer waits for its end. */
  function ask(question) {
    if (running !== null) {
      waiting.push(question);
      return;
    }
    const turn = newTurn(question, conversation.handoff === "human");
    jumpToEnd();
    addEntry(turn);
    void run(turn);
  }

  function retry(turn) {
    if (running !== null) return;
    resetTurn(turn);
    void run(turn);
  }

  async function run(turn) {
    const mine = { turn, controller: new AbortController() };
    running = mine;
    composer.show(texts);
    showTurn(turn);
    save();
    await answer(turn, conversation, askedIn(), mine.controller.signal, () => showTurn(turn));
    if (running !== mine) return; // another conversation has begun meanwhile
    running = null;
    if (turn.handoff !== null && following === null) conversation.handoff = turn.handoff;
    composer.show(texts);
    showHandoff();
    save(turn);
    hearPeople();
    if (turn.state === "done" && turn.text !== "") onAnswer(turn);
    if (waiting.length > 0) ask(waiting.shift());
  }

  /** A reload in mid-answer goes on where it was; asking again with the same message id is safe as well. */
  async function finishInterruptedTurn() {
    const turn = interruptedTurn(conversation);
    if (turn) await run(turn);
  }

  /* A human */

  async function handOff() {
    if (conversation.id === null) return ask(texts.handoffRequest);
    page.handoff.disabled = true;
    try {
      const called = await callHuman(conversation.id, askedIn());
      conversation.handoff = called.handoff;
      addNotice(called.message);
    } catch (error) {
      if (error.status === 404) loseConversation();
      else addNotice(texts.handoffFailed);
    }
    hearPeople();
    return showHandoff();
  }

  /** Two tabs that hear of the same give their notices the same `id`. */
  function addNotice(text) {
    const before = conversation.entries.filter((entry) => entry.kind === "notice" && entry.text === text);
    addEntry({ kind: "notice", id: `${before.length} ${text}`, text });
  }

  function addEntry(entry) {
    entry.addedAt = Date.now();
    conversation.entries.push(entry);
    if (conversation.entries.length === 1) showLog();
    else appendEntry(entry);
    keepAtEnd();
    save(entry);
  }

  /**
   * While a person has the conversation, or is waited for, what they write appears by itself. Once begun, only the
   * stream says when it ends, for an answer of the bot may overtake a person's last words.
   */
  function hearPeople() {
    if (following?.conversationId === conversation.id) return;
    following?.stop();
    following = isOfPeople(conversation) ? followPeople(conversation.id, () => conversation.lastMessage, hear) : null;
  }

  function hear(type, data) {
    if (type === "message") hearMessage(data);
    else if (type === "handoff") hearHandoff(data);
    else if (type === "gone") loseConversation();
  }

  /** Another tab may have taken the same message down. */
  function hearMessage(message) {
    if (message.id <= conversation.lastMessage) return;
    conversation.lastMessage = message.id;
    addEntry({ kind: "person", ...message });
    onAnswer(message);
  }

  function hearHandoff({ state, agent }) {
    const before = { ...conversation };
    Object.assign(conversation, { handoff: state, agent });
    const ended = !isOfPeople(conversation);
    if (agent && agent !== before.agent) addNotice(texts.people.joined(agent));
    else if (ended && state !== before.handoff) addNotice(texts.people[state]);
    else save();
    showHandoff();
    if (!ended) return;
    following.stop();
    following = null;
  }

  /** The server has it no more, or not for this visitor. */
  function loseConversation() {
    const isNews = following === null || isOfPeople(conversation); // another tab may have said so
    following?.stop();
    following = null;
    Object.assign(conversation, { id: null, handoff: "bot", agent: null });
    if (isNews) addNotice(texts.people.gone);
    showHandoff();
  }

  function showHandoff() {
    const called = isOfPeople(conversation);
    const label = texts.handoff[conversation.handoff] ?? texts.handoff.bot;
    page.handoff.disabled = called || (running !== null && conversation.id === null);
    page.handoff.dataset.handoff = conversation.handoff;
    page.handoffLabel.textContent = label;
    page.handoff.title = label;
    page.handoff.setAttribute("aria-label", label);
    showBot();
    page.question.placeholder = called ? texts.placeholderWaiting : texts.placeholder;
  }

  /* The conversation */

  function startNewChat() {
    goOnWith(emptyConversation(Date.now()));
    save();
  }

  function goOnWith(another) {
    running?.controller.abort();
    running = null;
    waiting = [];
    conversation = another;
    hearPeople();
    showEverything();
  }

  /** Keep the conversation; `changed` is what this tab is at work on. */
  function save(changed = running?.turn ?? null) {
    saveConversation(conversation, changed);
  }

  /** Show what another tab of this browser has added, or that it has begun anew. */
  function hearTabs() {
    const { startedAt } = loadConversation();
    if (startedAt > conversation.startedAt) goOnWith(loadConversation());
    if (startedAt < conversation.startedAt) save();
    Object.assign(conversation, heardConversation(conversation, running?.turn ?? null));
    showLog();
    showHandoff();
    hearPeople();
  }

  /** Return the conversation as text. */
  function transcript() {
    return conversation.entries.map((entry) => lineOf(entry, texts)).join("\n\n");
  }

  function showLog() {
    bubbles = new Map();
    const starters = conversation.entries.length === 0 ? (bot?.starters ?? []) : [];
    page.log.replaceChildren(welcomeBubble(bot?.welcome?.[language] ?? texts.welcome, starters, texts, ask));
    conversation.entries.forEach(appendEntry);
    keepAtEnd();
  }

  function appendEntry(entry) {
    if (entry.kind === "notice") {
      page.log.append(notice(entry.text));
      return;
    }
    if (entry.kind === "person") {
      page.log.append(personBubble(entry, texts));
      return;
    }
    const bubble = answerBubble(entry, texts, { ask, retry, save: () => save(entry) }, inspector);
    bubbles.set(entry.messageId, bubble);
    page.log.append(questionBubble(entry, texts), bubble.node);
  }

  function showTurn(turn) {
    bubbles.get(turn.messageId)?.update();
  }

  function focus() {
    composer.grow();
    page.question.focus();
  }

  /* The language */

  /** The server writes in two languages; in another one it goes by the question. */
  function askedIn() {
    return texts.translated ? undefined : language;
  }

  /** Speak one of the languages of TEXTS. */
  function setLanguage(name) {
    language = name;
    texts = TEXTS[name];
    showEverything();
  }

  function showEverything() {
    onLanguage(language, texts.htmlLanguage);
    page.app.lang = texts.htmlLanguage;
    page.app.querySelectorAll("[data-text]").forEach((node) => (node.textContent = texts[node.dataset.text]));
    page.app.querySelectorAll("[data-title]").forEach((node) => {
      node.setAttribute("aria-label", texts[node.dataset.title]);
      if (node.localName === "button") node.title = texts[node.dataset.title];
    });
    showBot();
    showLog();
    showHandoff();
    composer.show(texts);
  }
}

function ignore() {}

function lineOf(entry, texts) {
  if (entry.kind === "notice") return `* ${entry.text}`;
  if (entry.kind === "person") return `${entry.agent}: ${entry.text}`;
  return `${texts.you}: ${entry.question}` + (entry.text && `\n${texts.assistant}: ${entry.text}`);
}
