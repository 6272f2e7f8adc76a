/** Hearing at once what a person writes in a conversation, and who has it. Knows nothing of the screen. */

import { followConversation } from "./api.js";

const DELAYS_MS = [1_000, 2_000, 5_000, 10_000];

/**
 * Follow a conversation until `stop` is called or it is gone: `onEvent(type, data)` is told of each "handoff" and
 * "message" behind the message `lastId()`.
 */
export function followPeople(conversationId, lastId, onEvent) {
  const controller = new AbortController();
  void follow();
  return { conversationId, stop: () => controller.abort() };

  async function follow() {
    for (let failures = 0; !controller.signal.aborted; failures += 1) {
      try {
        for await (const event of await followConversation(conversationId, lastId(), controller.signal)) {
          if (controller.signal.aborted) return;
          failures = 0;
          onEvent(event.type, event.data);
        }
      } catch (error) {
        if (error.status >= 400 && error.status < 500 && error.status !== 429) return;
      }
      await new Promise((later) => setTimeout(later, DELAYS_MS[Math.min(failures, DELAYS_MS.length - 1)]));
    }
  }
}
