/** The inbox: who waits for a person, and the conversation with them. */

import { element } from "/page/dom.js";
import { get } from "../api.js";
import { checkbox } from "../forms.js";
import { toast } from "../layers.js";
import { badge, emptyState, errorPanel, pageHead, tabs } from "../parts.js";
import { href } from "../router.js";
import { noteWaiting, notifications } from "../waiting.js";
import { buildConversation } from "./inbox/conversation.js";
import { followChanges } from "./inbox/follow.js";
import { drawList } from "./inbox/list.js";
import { t } from "./inbox/words.js";

const VIEWS = { open: ["waiting", "human"], closed: ["closed"] };

/** Show the page. */
export async function render(place, { parameters, query, session, go }) {
  place.classList.add("wide");
  const view = query.get("view") === "closed" ? "closed" : "open";
  const chosen = parameters.conversation ?? null;
  const list = element("div", { class: "inbox-list" });
  const area = element("div", { class: "inbox-conversation" });
  const lost = element("p", { class: "note warn", role: "status", hidden: true }, t.lost);
  const hours = element("span");
  place.append(
    pageHead(t.title, t.sentence, hours, ...(notifications.possible ? [notifyMe()] : [])),
    tabs(t.title, views(view)),
    lost,
    element("div", { class: `inbox ${chosen ? "chosen" : ""}` }, list, area),
  );
  const conversation = chosen ? buildConversation(area, chosen, { session, leave: () => go(href("inbox")) }) : null;
  if (conversation === null) area.append(emptyState("inbox", t.choose, t.chooseSentence));
  const stop = followChanges({ changed: load, lost: (isLost) => (lost.hidden = !isLost) });
  const clock = setInterval(() => list.redraw?.(), 30_000);
  list.setAttribute("aria-busy", "true");
  await load();
  list.removeAttribute("aria-busy");
  return () => {
    stop();
    clearInterval(clock);
    conversation?.leave();
  };

  async function load() {
    try {
      const states = new URLSearchParams(VIEWS[view].map((state) => ["state", state]));
      const found = await get(`/inbox?${states}`);
      hours.replaceChildren(found.hours.open ? badge(t.open, "good") : badge(t.shut(found.hours.text), "warn"));
      if (view === "open") noteWaiting(found.conversations);
      drawList(list, found.conversations, { chosen, me: session.user.name });
    } catch (error) {
      if (error.type !== "network") list.replaceChildren(errorPanel(error, load));
    }
    await conversation?.load();
  }
}

/** A customer is told to everybody who wants it, also while they look at something else. */
function notifyMe() {
  const node = checkbox("notify", t.notify, { checked: notifications.wanted });
  const box = node.querySelector("input");
  box.addEventListener("change", async () => {
    const wanted = box.checked;
    box.checked = await notifications.want(wanted);
    if (wanted && !box.checked) toast(t.notifyRefused, { kind: "bad" });
  });
  return node;
}

function views(view) {
  return Object.keys(VIEWS).map((name) => ({
    label: t.views[name],
    address: name === "open" ? href("inbox") : `${href("inbox")}?view=${name}`,
    current: name === view,
  }));
}
