/** The website widget: a chat in a shadow root, so that no site's styles break it and it breaks no site. */

import { getBot, setBot, setServer, setVisitor } from "../page/api.js";
import { mountChat } from "../page/chat.js";
import { element, iconButton } from "../page/dom.js";
import { emptyConversation, interruptedTurn, isOfPeople, loadConversation, saveConversation } from "../page/memory.js";
import { fitToVisibleScreen } from "../page/screen.js";
import { addLanguage, browserLanguage, TEXTS, translate } from "../page/texts.js";
import { attach } from "./attach.js";
import { paint } from "./colour.js";
import { buildLauncher } from "./launcher.js";
import { createVisitor } from "./visitor.js";
import { WORDS } from "./words.js";

const OPEN = "frontdesk.open";
const TAG = "frontdesk-widget";
const FOCUSABLE = "button:not([disabled]), textarea, summary, a[href], [tabindex='0']";
const phone = matchMedia("(max-width: 560px)");

const script = document.currentScript;
if (document.querySelector(TAG) === null) whenReady(start);

function whenReady(begin) {
  if (document.body !== null) begin();
  else document.addEventListener("DOMContentLoaded", begin, { once: true });
}

function start() {
  const { origin } = new URL(script.src);
  setServer(origin);
  setBot(script.dataset.bot);
  const host = document.createElement(TAG);
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLES);
  root.adoptedStyleSheets = [sheet];
  paint(host, script.dataset.color ?? THEME.color);
  host.dir = getComputedStyle(document.body).direction;
  host.dataset.side = side(script.dataset.position ?? THEME.position, host.dir);
  attach(host);
  const visitor = createVisitor(origin);
  setVisitor(visitor.token);
  window.FrontDesk = buildWidget(root, origin, visitor, script.dataset.locale);
  window.dispatchEvent(new CustomEvent("frontdesk:ready"));
}

/** Where text runs from right to left, what is at hand is on the left. */
function side(position, direction) {
  if (position === "left" || position === "right") return position;
  return direction === "rtl" ? "left" : "right";
}

function buildWidget(root, origin, visitor, locale) {
  let language = Object.hasOwn(TEXTS, locale ?? "") ? locale : browserLanguage();
  let unread = 0;
  let isOpen = false;
  let chat = null;
  const panel = element("section", { class: "panel", "data-testid": "panel", role: "dialog", keydown: onKey });
  const launcher = buildLauncher(() => (isOpen ? close() : open()));
  panel.hidden = true;
  root.append(panel, launcher.node);
  fitToVisibleScreen(panel, () => phone.matches);
  const conversation = loadConversation();
  if (recall()) open();
  else if (interruptedTurn(conversation) || isOfPeople(conversation)) mount();
  show();
  return { open, close, ask, setLocale, setUser };

  /** Nothing is asked of the server before a visitor wants something. */
  function mount() {
    if (chat !== null) return;
    chat = mountChat(panel, { onAnswer: count, locale: language });
    const tools = [
      iconButton("download", "", { class: "header-button", "data-testid": "download", click: download }),
      iconButton("close", "", { class: "header-button close", "data-testid": "close", click: close }),
    ];
    chat.page.actions.append(...tools);
    chat.tools = tools;
    relabel();
    if (locale && script.dataset.words) void learnWords();
    getBot().catch(() =>
      console.warn(`FrontDesk: ${origin} cannot be reached, or server.allowed_origins there lacks ${location.origin}`),
    );
  }

  /** A language that we do not have is the site's to bring. */
  async function learnWords() {
    try {
      const words = await (await fetch(script.dataset.words)).json();
      addLanguage(locale, words);
      WORDS[locale] = translate(WORDS.en, words);
      setLocale(locale);
    } catch (error) {
      console.warn(`FrontDesk: data-words cannot be used: ${error.message}`);
    }
  }

  function open() {
    mount();
    isOpen = true;
    unread = 0;
    show();
    chat.focus();
  }

  function close() {
    isOpen = false;
    show();
    launcher.node.focus();
  }

  /** Open the chat and ask a question in the visitor's name. */
  function ask(question) {
    open();
    chat.ask(String(question));
  }

  function setLocale(name) {
    if (!Object.hasOwn(TEXTS, name)) throw new RangeError(`FrontDesk speaks ${Object.keys(TEXTS).join(", ")}`);
    language = name;
    chat?.setLanguage(name);
    relabel();
  }

  /** Say who is signed in on the site, null for nobody; what another user said before is put away. */
  function setUser(user) {
    if (!visitor.identify(user)) return;
    if (chat === null) saveConversation(emptyConversation(Date.now()));
    else chat.startNewChat();
    unread = 0;
    show();
  }

  function relabel() {
    const labels = [WORDS[language].download, WORDS[language].close];
    chat?.tools.forEach((button, at) => {
      button.title = labels[at];
      button.setAttribute("aria-label", labels[at]);
    });
    show();
  }

  function count() {
    if (isOpen) return;
    unread += 1;
    show();
  }

  function show() {
    const words = WORDS[language];
    panel.hidden = !isOpen;
    panel.setAttribute("aria-label", words.panel);
    panel.setAttribute("aria-modal", String(phone.matches));
    launcher.show({ isOpen, unread, words });
    launcher.node.classList.toggle("covered", isOpen);
    remember(isOpen);
  }

  function download() {
    const url = URL.createObjectURL(new Blob([chat.transcript()], { type: "text/plain;charset=utf-8" }));
    element("a", { href: url, download: WORDS[language].file }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1_000);
  }

  function onKey(event) {
    if (event.key === "Escape") close();
    else if (event.key === "Tab" && phone.matches) keepFocusInside(event);
  }

  /** On a phone the panel covers the page, so that focus must not wander behind it. */
  function keepFocusInside(event) {
    const all = [...panel.querySelectorAll(FOCUSABLE)].filter((node) => node.checkVisibility());
    const [first, last] = [all[0], all.at(-1)];
    const [from, to] = event.shiftKey ? [first, last] : [last, first];
    if (root.activeElement !== from) return;
    event.preventDefault();
    to.focus();
  }
}

/** Whether the panel is open outlives a change of page in this tab. */
function remember(isOpen) {
  try {
    sessionStorage.setItem(OPEN, isOpen ? "yes" : "no");
  } catch {
    // Storage is forbidden here: the panel is closed on the next page.
  }
}

function recall() {
  try {
    return sessionStorage.getItem(OPEN) === "yes";
  } catch {
    return false;
  }
}
