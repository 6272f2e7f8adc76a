/** The console: which page an address shows, and how one gives way to the next. */

import "./icons.js";
import { ApiError, connection, whenSessionEnds } from "./api.js";
import { element } from "/page/dom.js";
import { toast } from "./layers.js";
import { endGuard, staysAt } from "./leaving.js";
import { logInAgain } from "./pages/login/again.js";
import { errorPanel, skeleton } from "./parts.js";
import { explain } from "./problems.js";
import { go, here, href, match, redirect } from "./router.js";
import { chooseKnowledgeBase, forget, resume, session } from "./session.js";
import { buildShell } from "./shell.js";
import { setTitle, watchFor } from "./waiting.js";
import { locale } from "./words.js";

/** A page with an `icon` stands in the navigation, named by the shell's words; `under` names the item it belongs to. */
const PAGES = [
  { path: "login", bare: true, load: () => import("./pages/login.js") },
  { path: "setup/:token?", bare: true, load: () => import("./pages/setup.js") },
  { path: "password", load: () => import("./pages/password.js") },
  { path: "faq/:knowledgeBase?", icon: "faq", scope: "knowledge:read", load: () => import("./pages/faq.js") },
  { path: "entry/:knowledgeBase/:key?", under: "faq", scope: "knowledge:read", load: () => import("./pages/entry.js") },
  { path: "upload/:knowledgeBase?", icon: "upload", scope: "knowledge:write", load: () => import("./pages/upload.js") },
  { path: "releases/:knowledgeBase?", icon: "releases", scope: "knowledge:read", load: () => import("./pages/releases.js") },
  { path: "testset/:knowledgeBase", under: "releases", scope: "knowledge:read", load: () => import("./pages/testset.js") },
  { path: "tryit", icon: "tryit", scope: "knowledge:read", load: () => import("./pages/tryit.js") },
  { path: "review", icon: "review", scope: "conversations:read", load: () => import("./pages/review.js") },
  { path: "inbox/:conversation?", icon: "inbox", scope: "conversations:read", load: () => import("./pages/inbox.js") },
  { path: "dashboard", icon: "dashboard", scope: "conversations:read", load: () => import("./pages/dashboard.js") },
  { path: "settings/:section?", icon: "settings", scope: "admin", load: () => import("./pages/settings.js") },
];

const shell = buildShell(PAGES, () => show());
let leave = () => {};
let showing = 0;

async function start() {
  document.documentElement.lang = locale;
  document.body.replaceChildren(...shell.nodes);
  shell.show(element("div", { class: "page" }, skeleton()), {});
  window.addEventListener("hashchange", ({ oldURL }) => staysAt(oldURL) || show());
  window.addEventListener("unhandledrejection", tell);
  whenSessionEnds(() => logInAgain(session.user.name));
  connection.addEventListener("signed-out", toLogin);
  await show();
}

/** Show the page of the present address; the last one stays until this one is there. */
async function show() {
  showing += 1;
  const mine = showing;
  const { path, query } = here();
  const page = find(path);
  const place = element("div", { class: "page" });
  try {
    if (page.bare) forget();
    else if (session.user === null) await resume();
    watchFor(session.user);
    if (page.home) return redirect(homeAddress());
    const parameters = match(page.path, path);
    if (session.knowledgeBases.some((base) => base.name === parameters.knowledgeBase)) {
      chooseKnowledgeBase(parameters.knowledgeBase);
    }
    const { render } = await page.load();
    if (mine !== showing) return;
    swap(place, page);
    const left = await render(place, { parameters, query, session, go });
    if (mine !== showing) return left?.();
    leave = left ?? leave;
  } catch (error) {
    if (error.type === "unauthenticated" || mine !== showing) return;
    swap(place, page);
    place.replaceChildren(errorPanel(error, () => show()));
  }
  announce(place);
}

function swap(place, page) {
  leave();
  leave = () => {};
  endGuard();
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
  shell.show(place, page);
}

/** What a button's work throws, and nobody else has told of. */
function tell(event) {
  if (!(event.reason instanceof ApiError)) return;
  event.preventDefault();
  if (event.reason.type !== "unauthenticated") toast(explain(event.reason), { kind: "bad" });
}

function find(path) {
  return PAGES.find((page) => match(page.path, path) !== null) ?? { path: "", home: true };
}

function homeAddress() {
  const home = PAGES.find((page) => page.icon && (!page.scope || session.can(page.scope)));
  return href((home ?? { path: "password" }).path.split("/")[0]);
}

/** Tell those who cannot see it which page is shown now. */
function announce(place) {
  const title = place.querySelector("h1");
  setTitle(title ? `${title.textContent} · FrontDesk` : "FrontDesk");
  if (!place.contains(document.activeElement)) title?.focus({ preventScroll: true });
}

function toLogin() {
  const back = location.hash;
  if (back.startsWith("#/login") || back.startsWith("#/setup")) return;
  redirect(back.length > 2 ? `#/login?back=${encodeURIComponent(back)}` : "#/login");
}

start();
