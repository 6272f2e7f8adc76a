/** The bubbles of the conversation. Each shows one entry and knows nothing of the others. */

import { sendFeedback } from "./api.js";
import { copyText } from "./clipboard.js";
import { element, icon, iconButton } from "./dom.js";
import { renderMarkdown, renderPlain } from "./markdown.js";

const THANKS_MS = 4_000;
const COPIED_MS = 1_800;
const MAX_COMMENT = 1_000;

/** Return the greeting, with questions to begin with. */
export function welcomeBubble(text, starters, texts, ask) {
  const body = element("div", { class: "body", dir: "auto" }, renderMarkdown(text));
  const chips = starters.map((question) => questionButton("starter", question, ask));
  return row(texts, element("div", { class: "bubble bot", "data-testid": "welcome" }, body), starterList(chips, texts));
}

function questionButton(kind, question, ask) {
  const attributes = { type: "button", class: kind, "data-testid": kind, click: () => ask(question) };
  return element("button", attributes, element("span", { dir: "auto" }, question), icon("arrow"));
}

function starterList(chips, texts) {
  if (chips.length === 0) return null;
  const title = element("h2", { dir: "auto" }, texts.starters);
  return element(
    "section",
    { class: "starters", "aria-label": texts.starters },
    title,
    element("div", { class: "starter-list" }, ...chips),
  );
}

/** Return a line of the system's own, such as that a human has been called. */
export function notice(text) {
  return element("p", { class: "notice", dir: "auto", "data-testid": "notice" }, text);
}

/** Return the bubble of what a person of the company wrote. */
export function personBubble({ agent, text, at }, texts) {
  const avatar = element("span", { class: "avatar person", "aria-hidden": "true" }, icon("person"));
  const name = element("span", { class: "agent", dir: "auto" }, agent);
  const attributes = { class: "bubble bot person", "data-testid": "bubble-person", title: clock(Date.parse(at), texts) };
  const words = element("article", { ...attributes, dir: "auto" }, renderPlain(text));
  return element("div", { class: "row" }, avatar, element("div", { class: "column" }, name, words));
}

/** Return the bubble of a customer's question. */
export function questionBubble(turn, texts) {
  const attributes = { class: "bubble user", dir: "auto", "data-testid": "bubble-user", title: clock(turn.askedAt, texts) };
  return element("div", { class: "row user" }, speaker(texts.you), element("div", attributes, turn.question));
}

/**
 * Return {node, update} of an answer's bubble; `update` shows what has become of the turn since. An `inspector` shows how
 * the answer came about as well.
 */
export function answerBubble(turn, texts, actions, inspector) {
  const body = element("div", { class: "body", dir: "auto" });
  const note = element("div", { class: "note", role: "status" });
  const extras = element("div", { class: "extras" });
  const bubble = element(
    "article",
    { class: "bubble bot", "data-testid": "bubble-bot" },
    understoodAs(turn, texts),
    body,
    note,
    extras,
  );
  const foot = element("div", { class: "foot" });
  const node = row(texts, bubble, foot);
  let shownText = null;
  let shownState = null;

  function update() {
    node.hidden = turn.text === "" && (turn.silent ? turn.problem === null : turn.state === "done");
    bubble.dataset.state = turn.state;
    bubble.dataset.outcome = turn.outcome ?? "";
    bubble.setAttribute("aria-busy", String(turn.state === "streaming"));
    if (turn.text !== shownText) showText();
    note.replaceChildren(...noteParts(turn, texts));
    if (turn.state !== shownState) showState();
  }

  function showText() {
    shownText = turn.text;
    body.replaceChildren(renderMarkdown(turn.text, (number) => citationMark(turn, number, extras, texts, inspector)));
  }

  function showState() {
    shownState = turn.state;
    bubble.querySelector(".understood")?.remove();
    const understood = understoodAs(turn, texts);
    if (understood !== null) bubble.prepend(understood);
    extras.replaceChildren(...(turn.state === "streaming" ? [] : endParts(turn, texts, actions, inspector)));
    foot.replaceChildren(
      ...(turn.state === "done" && turn.text !== ""
        ? [...(inspector?.facts(turn, texts) ?? []), time(turn, texts), ...feedbackParts(turn, texts, actions)]
        : []),
    );
  }

  update();
  return { node, update };
}

/** Says to a screen reader what side and colour say to the eye. */
function speaker(name) {
  return element("span", { class: "visually-hidden", dir: "auto" }, name);
}

function row(texts, bubble, ...below) {
  const avatar = element("span", { class: "avatar", "aria-hidden": "true" }, icon("bot"));
  return element(
    "div",
    { class: "row" },
    avatar,
    speaker(texts.assistant),
    element("div", { class: "column" }, bubble, ...below.filter(Boolean)),
  );
}

function understoodAs(turn, texts) {
  if (!turn.standalone || turn.standalone === turn.question || turn.outcome === "handoff") return null;
  return element("p", { class: "understood", dir: "auto" }, texts.understoodAs(turn.standalone));
}

function noteParts(turn, texts) {
  if (turn.reconnecting) return [element("p", { class: "reconnecting" }, spinner(), sentence(texts.reconnecting))];
  if (turn.state === "streaming" && turn.text === "") return [typing(turn, texts)];
  if (turn.stopped) return [element("p", { class: "stopped" }, sentence(texts.stopped))];
  return turn.problem === null ? [] : problemParts(turn.problem, texts);
}

function typing(turn, texts) {
  const stage = turn.outcome === null ? texts.searching : texts.composing(turn.citations.length);
  const dots = element("span", { class: "dots", "aria-hidden": "true" }, element("i"), element("i"), element("i"));
  return element("p", { class: "typing", "data-testid": "typing" }, dots, sentence(stage));
}

/** On a mirrored page, words keep the direction of their own language. */
function sentence(words) {
  return element("span", { dir: "auto" }, words);
}

function spinner() {
  return element("span", { class: "spinner", "aria-hidden": "true" });
}

function problemParts(problem, texts) {
  return [
    element("p", { class: "problem", dir: "auto" }, texts.problem[problem.kind]),
    problem.detail ? element("p", { class: "small", dir: "auto" }, problem.detail) : null,
    problem.requestId ? element("p", { class: "small", dir: "auto" }, texts.requestId(problem.requestId)) : null,
  ].filter(Boolean);
}

function endParts(turn, texts, actions, inspector) {
  if (turn.state === "error")
    return turn.problem.kind === "rejected" ? [] : [retryButton(turn, texts.retry, texts, actions)];
  if (turn.stopped) return [retryButton(turn, texts.answerAgain, texts, actions)];
  return [citationList(turn, texts, inspector), suggestionList(turn, texts, actions)].filter(Boolean);
}

function retryButton(turn, label, texts, actions) {
  const caption = sentence(label);
  const button = element(
    "button",
    { type: "button", class: "retry", "data-testid": "retry", click: () => actions.retry(turn) },
    icon("retry"),
    caption,
  );
  countDown(button, caption, turn.problem?.retryAt ?? null, label, texts);
  return button;
}

/** A server that says when to come back is not asked before. */
function countDown(button, caption, retryAt, label, texts) {
  const seconds = retryAt === null ? 0 : Math.ceil((retryAt - Date.now()) / 1_000);
  button.disabled = seconds > 0;
  caption.textContent = seconds > 0 ? texts.retryIn(seconds) : label;
  if (seconds > 0) setTimeout(() => countDown(button, caption, retryAt, label, texts), 1_000);
}

/** A source that says the same as the answer itself is worth its place only where answers are inspected. */
function offeredSources(turn, inspector) {
  const answer = withoutMarks(turn).trim();
  return turn.citations.filter((citation) => inspector || citation.answer.trim() !== answer);
}

function citationList(turn, texts, inspector) {
  const entries = offeredSources(turn, inspector).map((citation) => citationEntry(citation, texts, inspector));
  if (entries.length === 0) return null;
  return element("div", { class: "citations", role: "group", "aria-label": texts.sources }, ...entries);
}

function citationEntry(citation, texts, inspector) {
  const chip = element(
    "summary",
    { title: texts.source(citation.number, citation.question) },
    element("span", { class: "number" }, String(citation.number)),
    element("span", { class: "citation-question", dir: "auto" }, citation.question),
  );
  const answer = element("div", { class: "body", dir: "auto" }, renderMarkdown(citation.answer));
  const source = element("div", { class: "source" }, answer, inspector?.origin(citation));
  return element("details", { class: "citation", "data-testid": "citation", "data-number": citation.number }, chip, source);
}

function citationMark(turn, number, extras, texts, inspector) {
  const citation = turn.citations.find((candidate) => candidate.number === number);
  if (citation === undefined) return null;
  if (!offeredSources(turn, inspector).includes(citation)) return "";
  const label = texts.source(number, citation.question);
  return element(
    "button",
    {
      type: "button",
      class: "number mark",
      title: label,
      "aria-label": label,
      "data-testid": "citation-mark",
      click: () => unfold(extras, number),
    },
    String(number),
  );
}

function unfold(extras, number) {
  const entry = extras.querySelector(`[data-number="${number}"]`);
  if (entry === null) return;
  entry.open = true;
  entry.querySelector("summary").focus({ preventScroll: true });
  entry.scrollIntoView({ block: "nearest" });
}

function suggestionList(turn, texts, actions) {
  if (turn.suggestions.length === 0) return null;
  const buttons = turn.suggestions.map(({ question }) => questionButton("suggestion", question, actions.ask));
  const heading = turn.outcome === "clarify" ? null : element("p", { class: "title", dir: "auto" }, texts.related);
  return element("div", { class: "suggestions", role: "group", "aria-label": texts.related }, heading, ...buttons);
}

function time(turn, texts) {
  return element("span", { class: "time" }, clock(turn.answeredAt, texts));
}

function clock(milliseconds, texts) {
  return new Date(milliseconds).toLocaleTimeString(texts.htmlLanguage, {
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
}

function feedbackParts(turn, texts, actions) {
  const said = element("span", { class: "said", dir: "auto", role: "status" });
  const drawer = element("div", { class: "drawer" });
  const up = thumb("up", texts.helpful);
  const down = thumb("down", texts.unhelpful);
  const buttons = element(
    "div",
    { class: "tools" },
    copyButton(turn, texts),
    ...(turn.turnId && !turn.stopped ? [up, down] : []),
    said,
  );

  function thumb(rating, label) {
    return iconButton(`thumb-${rating}`, label, { "data-testid": `thumb-${rating}`, click: () => rate(rating) });
  }

  function showRating() {
    up.setAttribute("aria-pressed", String(turn.rating === "up"));
    down.setAttribute("aria-pressed", String(turn.rating === "down"));
  }

  async function rate(rating) {
    const before = turn.rating;
    if (rating === before) return;
    turn.rating = rating;
    showRating();
    drawer.replaceChildren();
    if (!(await tell(rating, null, texts.thanks))) turn.rating = before;
    else if (rating === "down" && !turn.commented)
      drawer.replaceChildren(commentForm(texts, comment, () => drawer.replaceChildren()));
    showRating();
    actions.save();
  }

  async function comment(words) {
    if (words === "") return drawer.replaceChildren();
    if (!(await tell("down", words, texts.thanksComment))) return undefined;
    turn.commented = true;
    actions.save();
    return drawer.replaceChildren();
  }

  async function tell(rating, words, thanks) {
    try {
      await sendFeedback(turn.turnId, rating, words);
      say(thanks);
      return true;
    } catch {
      say(texts.feedbackFailed);
      return false;
    }
  }

  function say(words) {
    said.textContent = words;
    setTimeout(() => {
      if (said.textContent === words) said.textContent = "";
    }, THANKS_MS);
  }

  showRating();
  return [buttons, drawer];
}

function commentForm(texts, send, close) {
  const words = element("textarea", {
    rows: 2,
    dir: "auto",
    maxlength: MAX_COMMENT,
    placeholder: texts.commentPlaceholder,
    "data-testid": "comment-input",
  });
  return element(
    "form",
    { class: "comment", submit: (event) => (event.preventDefault(), send(words.value.trim())) },
    element("label", {}, sentence(texts.commentLabel), words),
    element(
      "div",
      { class: "comment-buttons" },
      element("button", { type: "button", class: "plain", click: close }, sentence(texts.commentSkip)),
      element("button", { type: "submit", class: "primary", "data-testid": "comment-send" }, sentence(texts.commentSend)),
    ),
  );
}

function copyButton(turn, texts) {
  const button = iconButton("copy", texts.copy, { "data-testid": "copy" });
  button.addEventListener("click", async () => {
    await copyText(withoutMarks(turn), button);
    showCopied(button, texts);
  });
  return button;
}

function showCopied(button, texts) {
  button.replaceChildren(icon("check"));
  button.setAttribute("aria-label", texts.copied);
  setTimeout(() => {
    button.replaceChildren(icon("copy"));
    button.setAttribute("aria-label", texts.copy);
  }, COPIED_MS);
}

function withoutMarks(turn) {
  const numbers = new Set(turn.citations.map((citation) => String(citation.number)));
  return turn.text.replace(/\s?\[(\d{1,2})\]/g, (mark, number) => (numbers.has(number) ? "" : mark));
}
