/** Who is logged in, what they may do, and which knowledge base they work on. */

import { get, post, setCsrf } from "./api.js";

const CHOSEN = "frontdesk.console.knowledge-base";

/** `user` is {name, role, scopes}, or null; `knowledgeBases` are those of GET /knowledge-bases. */
export const session = {
  user: null,
  knowledgeBases: [],
  knowledgeBase: null,

  /** Say whether the user may do this. */
  can(scope) {
    return this.user !== null && this.user.scopes.includes(scope);
  },
};

/** Take up the session the browser has; throws an ApiError "unauthenticated" if it has none. */
export async function resume() {
  await begin(await get("/me"));
}

/** Start with the answer of /me, /login or /setup. */
export async function begin({ user, csrf }) {
  setCsrf(csrf);
  session.user = user;
  if (session.can("knowledge:read")) await refreshKnowledgeBases().catch(() => {}); // pages that need them will say so
}

/** Ask again which knowledge bases there are. */
export async function refreshKnowledgeBases() {
  session.knowledgeBases = (await get("/knowledge-bases")).knowledge_bases;
  const names = session.knowledgeBases.map((base) => base.name);
  session.knowledgeBase =
    [session.knowledgeBase, remembered()].find((name) => names.includes(name)) ?? names[0] ?? null;
}

/** Work on another knowledge base from now on. */
export function chooseKnowledgeBase(name) {
  session.knowledgeBase = name;
  try {
    localStorage.setItem(CHOSEN, name);
  } catch {
    // The choice holds until the page is loaded again.
  }
}

function remembered() {
  try {
    return localStorage.getItem(CHOSEN);
  } catch {
    return null;
  }
}

/** Log out. */
export async function end() {
  await post("/logout");
  forget();
}

/** Forget who was logged in. */
export function forget() {
  setCsrf(null);
  session.user = null;
}
