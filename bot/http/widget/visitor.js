/** Who the visitor is to the server: a token kept in this browser, and the site's own user if the site vouches for one. */

import { botHeader, errorOf } from "../page/api.js";

const KEPT = "frontdesk.visitor";
let unkept = null;

/** Return {token, identify}. `token(renew)` resolves to a token; `identify(user)` says who the visitor is from now on. */
export function createVisitor(origin) {
  let asking = null;
  return { token, identify };

  async function token(renew) {
    const kept = recall();
    if (kept.token && !kept.isOld && !renew) return kept.token;
    asking ??= exchange().finally(() => (asking = null));
    return asking;
  }

  /** Exchange the token for one of whoever the visitor is now: the old one proves that it is the same person. */
  async function exchange() {
    const { user, token } = recall();
    const response = await apply(user, token);
    const now = recall();
    if (!isSame(now.user, user)) return exchange(); // somebody signed in or out meanwhile
    if (now.token && now.token !== token) return now.token; // another tab was faster
    if (response.status === 401 && token) {
      keep({ user });
      return exchange();
    }
    if (!response.ok) throw await refusal(response);
    keep({ user, token: (await response.json()).token });
    return recall().token;
  }

  function apply(user, token) {
    return fetch(`${origin}/api/visitor`, {
      method: "POST",
      credentials: "omit",
      headers: { "Content-Type": "application/json", ...botHeader(), ...(token && { Authorization: `Bearer ${token}` }) },
      body: JSON.stringify(user ? { user } : {}),
    });
  }

  async function refusal(response) {
    const error = await errorOf(response);
    console.warn(`FrontDesk: ${origin}/api/visitor refuses this visitor (${response.status}): ${error.message}`);
    return error;
  }

  /** Return whether this is another person than before; a stranger who signs in is still the same. */
  function identify(user) {
    const before = recall();
    if (isSame(before.user, user)) return false;
    const isOther = Boolean(before.user) && before.user.id !== user?.id;
    keep({ user: user ?? undefined, token: isOther ? undefined : before.token, isOld: true });
    return isOther;
  }
}

function isSame(one, other) {
  return one?.id === other?.id && one?.signature === other?.signature;
}

/** Another tab may have kept a newer one. */
function recall() {
  try {
    return unkept ?? JSON.parse(localStorage.getItem(KEPT)) ?? {};
  } catch {
    return {};
  }
}

function keep(visitor) {
  try {
    localStorage.setItem(KEPT, JSON.stringify(visitor));
    unkept = null;
  } catch {
    unkept = visitor; // a new one on every page
  }
}
