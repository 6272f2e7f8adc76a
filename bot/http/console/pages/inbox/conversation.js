/** One conversation: what was said, and what an agent can do. */

import { element, iconButton } from "/page/dom.js";
import { get, post } from "../../api.js";
import { confirm, toast } from "../../layers.js";
import { badge, button, errorPanel } from "../../parts.js";
import { buildComposer } from "./composer.js";
import { keepEnd } from "./ending.js";
import { drawItem } from "./items.js";
import { t } from "./words.js";

/** Build it into `place`; `load()` shows what is new, `leave()` keeps what is being written. */
export function buildConversation(place, id, { session, leave }) {
  const path = `/inbox/${encodeURIComponent(id)}`;
  const mayWrite = session.can("conversations:write");
  const me = session.user.name;
  const head = element("header", { class: "conversation-head" });
  const log = element("div", { class: "transcript", role: "log", "aria-live": "polite", "aria-label": t.transcript, tabindex: "0" });
  const composer = buildComposer(id, {
    reply: (text) => act("reply", { text }),
    note: (text) => act("note", { text }),
    suggest: (text) => get(`${path}/suggestions`, { text }),
  });
  let shown = 0;
  place.append(head, log, composer.node);
  composer.node.hidden = true;
  const end = keepEnd(log);
  return { load, leave: composer.keep };

  async function load() {
    try {
      const { conversation, items } = await get(path);
      drawHead(conversation);
      composer.node.hidden = !mayWrite;
      composer.allow(conversation.handoff === "human" && conversation.agent === me);
      draw(items);
    } catch (error) {
      if (error.type !== "network") log.replaceChildren(errorPanel(error, load));
    }
  }

  function draw(items) {
    if (items.length < shown) {
      log.replaceChildren();
      shown = 0;
    }
    log.append(...items.slice(shown).map((item) => drawItem(item, me)));
    shown = items.length;
    end.keep();
  }

  function drawHead(conversation) {
    const { handoff, agent } = conversation;
    const isMine = handoff === "human" && agent === me;
    const title = element("div", {}, badge(stateOf(conversation), isMine ? "accent" : handoff === "waiting" ? "warn" : ""), " ", t.channels[conversation.channel] ?? conversation.channel);
    const actions = [];
    if (mayWrite && !isMine && handoff !== "closed") {
      actions.push(button(agent ? t.stepIn(agent) : t.take, () => take(agent), { kind: "primary" }));
    }
    if (mayWrite && (isMine || handoff === "waiting")) {
      actions.push(button(t.toBot, () => release("bot"), { icon: "bot" }), button(t.close, close, { kind: "quiet" }));
    }
    const back = iconButton("back", t.back, { class: "icon-button only-phone", click: leave });
    head.replaceChildren(back, title, element("div", { class: "actions" }, ...actions));
  }

  function stateOf({ handoff, agent }) {
    if (handoff === "human") return agent === me ? t.mine : t.has(agent);
    return t.states[handoff];
  }

  async function take(agent) {
    try {
      await post(`${path}/take`, { instead_of: agent });
    } catch (error) {
      if (error.type !== "not_yours") throw error;
      toast(t.faster, { kind: "bad" });
    }
    await load();
    composer.focus();
  }

  async function release(to) {
    await post(`${path}/release`, { to });
    toast(to === "bot" ? t.givenBack : t.closed);
    await load();
  }

  function close() {
    return confirm(t.closeTitle, t.closeSentence, t.close, () => release("closed"), { kind: "primary" });
  }

  async function act(what, body) {
    await post(`${path}/${what}`, body);
    end.seek();
    await load();
  }
}
