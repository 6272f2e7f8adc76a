/** Hearing at once what a person writes in a conversation, and who has it. Knows nothing of the screen. */

import { followConversation } from "./api.js";
import { isOfPeople } from "./memory.js";

const DELAYS_MS = [1_000, 2_000, 5_000, 10_000];
const LAST_WORDS_MS = 1_000;

/**
 * Follow a conversation until `stop` is called: `onEvent(type, data)` is told of each "handoff" and "message" behind
 * the message `lastId()`, or that it is "gone".
 */
export function followPeople(conversationId, lastId, onEvent) {
  const controller = new AbortController();
  const { signal } = controller;
  let ending = null;
  void follow();
  return { conversationId, stop };

  function stop() {
    controller.abort();
    clearTimeout(ending);
  }

  async function follow() {
    for (let failures = 0; !signal.aborted; failures += 1) {
      try {
        for await (const event of await followConversation(conversationId, lastId(), signal)) {
          if (signal.aborted) return;
          failures = 0;
          tell(event);
        }
      } catch (error) {
        if (signal.aborted) return;
        if (error.status === 404) return onEvent("gone");
      }
      await new Promise((later) => setTimeout(later, DELAYS_MS[Math.min(failures, DELAYS_MS.length - 1)]));
    }
  }

  /** The server says who has it before what was written until then: a person's last words come before their leave. */
  function tell({ type, data }) {
    if (type === "handoff") clearTimeout(ending);
    if (type === "handoff" && !isOfPeople({ handoff: data.state })) ending = setTimeout(onEvent, LAST_WORDS_MS, type, data);
    else onEvent(type, data);
  }
}
