/** Where an agent writes: to the customer, or a note for colleagues. What is written is kept for each conversation. */

import { element } from "/page/dom.js";
import { excerpt } from "../../excerpt.js";
import { textarea } from "../../forms.js";
import { button, whileBusy } from "../../parts.js";
import { explain } from "../../problems.js";
import { t } from "./words.js";

const KEPT = "frontdesk.inbox.";
const PREVIEW = 120;

/** Build it: `reply(text)` and `note(text)` send, `suggest(text)` finds answers of the FAQ. */
export function buildComposer(id, { reply, note, suggest }) {
  const box = textarea("text", { rows: 3, maxlength: 5_000, "aria-label": t.write, dir: "auto" }, recall(id));
  const problem = element("p", { class: "form-problem", role: "alert", hidden: true });
  const send = button(t.send, null, { kind: "primary", type: "submit" });
  const mode = button(t.noteMode, () => setMode(!isNote), { kind: "quiet", "aria-pressed": "false" });
  const offered = element("div", { class: "offered", hidden: true });
  const find = button(t.fromFaq, offer, { kind: "quiet", icon: "faq" });
  const hint = element("p", { class: "quiet" }, t.takeFirst);
  const buttons = element("div", { class: "form-buttons" }, find, mode, send);
  const node = element("form", { class: "composer-box" }, offered, hint, box, problem, buttons);
  let isNote = false;
  let mayReply = false;
  box.addEventListener("input", keep);
  box.addEventListener("keydown", (event) => {
    const isSending = event.key === "Enter" && !event.shiftKey && !event.isComposing; // not while Chinese is composed
    if (!isSending) return;
    event.preventDefault();
    node.requestSubmit();
  });
  node.addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy(send, submit);
  });
  return { node, allow, keep, focus: () => box.focus() };

  function allow(allowed) {
    mayReply = allowed;
    update();
  }

  function setMode(note_) {
    isNote = note_;
    update();
    box.focus();
  }

  function update() {
    node.classList.toggle("noting", isNote);
    mode.setAttribute("aria-pressed", String(isNote));
    send.textContent = isNote ? t.sendNote : t.send;
    box.placeholder = isNote ? t.notePlaceholder : t.placeholder;
    send.disabled = !isNote && !mayReply;
    hint.hidden = isNote || mayReply;
  }

  async function submit() {
    const text = box.value.trim();
    if (text === "" || send.disabled) return;
    problem.hidden = true;
    try {
      await (isNote ? note(text) : reply(text));
      box.value = "";
      keep();
      setMode(false);
    } catch (error) {
      problem.hidden = false;
      problem.textContent = explain(error, { not_yours: t.notYours });
    }
  }

  async function offer() {
    if (!offered.hidden) return (offered.hidden = true);
    const { suggestions } = await suggest(box.value.trim());
    const items = suggestions.map((each) =>
      element("button", { type: "button", click: () => take(each.answer) }, element("strong", {}, each.question), element("span", {}, excerpt(each.answer, PREVIEW))),
    );
    offered.replaceChildren(...(items.length > 0 ? items : [element("p", { class: "quiet" }, t.nothingFound)]));
    return (offered.hidden = false);
  }

  /** Into the box, to be looked at; never sent at once. */
  function take(answer) {
    box.value = answer;
    offered.hidden = true;
    keep();
    box.focus();
  }

  function keep() {
    try {
      if (box.value) sessionStorage.setItem(KEPT + id, box.value);
      else sessionStorage.removeItem(KEPT + id);
    } catch {
      // Without storage, a draft lives as long as the page.
    }
  }
}

function recall(id) {
  try {
    return sessionStorage.getItem(KEPT + id) ?? "";
  } catch {
    return "";
  }
}
