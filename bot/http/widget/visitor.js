/** Who the visitor is to the server: a token kept in this browser, and the site's own user if the site vouches for one. */

import { botHeader } from "../page/api.js";

const KEPT = "frontdesk.visitor";

/** Return {token, identify}. `token(renew)` resolves to a token; `identify(user)` says who the visitor is from now on. */
export function createVisitor(origin) {
  let kept = recall();
  let asking = null;
  return { token, identify };

  function token(renew) {
    if (kept?.token && !renew) return Promise.resolve(kept.token);
    asking ??= fetchToken().finally(() => (asking = null));
    return asking;
  }

  /** Return whether this is another user than before. */
  function identify({ id, signature }) {
    if (kept?.user?.id === id && kept.user.signature === signature) return false;
    const isOther = (kept?.user?.id ?? id) !== id;
    keep({ user: { id, signature } });
    return isOther;
  }

  async function fetchToken() {
    const user = kept?.user;
    const response = await fetch(`${origin}/api/visitor`, {
      method: "POST",
      credentials: "omit",
      headers: { "Content-Type": "application/json", ...botHeader() },
      body: JSON.stringify(user ? { user } : {}),
    });
    if (!response.ok) return null; // the request that wanted it tells what is wrong
    keep({ user, token: (await response.json()).token });
    return kept.token;
  }

  function keep(visitor) {
    kept = visitor;
    try {
      localStorage.setItem(KEPT, JSON.stringify(visitor));
    } catch {
      // Without storage the visitor is a new one on every page.
    }
  }
}

function recall() {
  try {
    return JSON.parse(localStorage.getItem(KEPT));
  } catch {
    return null;
  }
}
