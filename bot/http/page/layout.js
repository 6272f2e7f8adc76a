/** The frame of the chat: header, conversation, composer. Texts are filled in by `data-text` and `data-title`. */

import { element, icon } from "./dom.js";

/** Return the parts of a new frame; `app` holds all of them. */
export function buildLayout() {
  const parts = { ...header(), ...conversation(), ...composer() };
  const app = element("div", { class: "app", id: "app" }, parts.header, parts.scroller, parts.footer);
  return { ...parts, app };
}

function header() {
  const name = element("h1", { class: "name", id: "bot-name", dir: "auto" }, "FrontDesk");
  const statusText = element("span", { id: "status-text", dir: "auto" });
  const dot = element("span", { class: "dot", "aria-hidden": "true" });
  const status = element("p", { class: "status", id: "status", "data-status": "connecting", role: "status" }, dot, statusText);
  const handoffLabel = element("span", { class: "label", id: "handoff-label", dir: "auto" });
  const handoff = headerButton("handoff", {}, icon("person"), handoffLabel);
  const newChatLabel = element("span", { class: "label", dir: "auto", "data-text": "newChat" });
  const newChat = headerButton("new-chat", { "data-title": "newChat" }, icon("new"), newChatLabel);
  const logo = element("span", { class: "logo", "aria-hidden": "true" }, icon("bot"));
  const actions = element("div", { class: "header-actions" }, handoff, newChat);
  const identity = element("div", { class: "identity" }, name, status);
  const inner = element("div", { class: "header-inner" }, logo, identity, actions);
  return {
    header: element("header", { class: "header" }, inner),
    ...{ name, status, statusText, handoff, handoffLabel, newChat, actions, logo },
  };
}

function headerButton(name, attributes, ...children) {
  const all = { type: "button", class: "header-button", id: name, "data-testid": name, ...attributes };
  return element("button", all, ...children);
}

function conversation() {
  const described = { role: "log", "aria-live": "polite", "data-title": "conversation", tabindex: "-1" };
  const log = element("div", { class: "log", id: "log", ...described });
  return { log, scroller: element("main", { class: "scroller", id: "scroller" }, log) };
}

function composer() {
  const jump = element("button", { type: "button", class: "jump", "data-title": "jumpToLatest" }, icon("down"));
  jump.hidden = true;
  const question = element("textarea", {
    id: "question",
    "data-testid": "question-input",
    rows: 1,
    dir: "auto",
    autocomplete: "off",
    enterkeyhint: "send",
    "aria-describedby": "limit",
  });
  const label = element("label", { class: "visually-hidden", dir: "auto", for: "question", "data-text": "yourQuestion" });
  const send = roundButton("submit", "send", {});
  const stop = roundButton("button", "stop", { hidden: true });
  const form = element("form", { class: "composer", id: "composer" }, label, question, send, stop);
  const limit = element("p", { class: "limit", id: "limit", dir: "auto", "data-testid": "limit", "aria-live": "polite" });
  const hint = element("p", { class: "hint", dir: "auto", "data-text": "disclaimer" });
  const below = element("div", { class: "below" }, hint, limit);
  const footer = element("footer", { class: "footer" }, jump, form, below);
  return { composer: form, question, send, stop, jump, limit, footer };
}

function roundButton(type, name, attributes) {
  const kind = name === "stop" ? "round stop" : "round";
  const all = { type, class: kind, id: name, "data-testid": name, "data-title": name, ...attributes };
  return element("button", all, icon(name));
}
