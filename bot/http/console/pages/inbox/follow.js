/** Being told at once when something happens in any conversation. */

const LEAST_MS = 250;

/** Call `changed()` whenever something may have happened, `lost(true)` while the server cannot be reached; returns a way to stop. */
export function followChanges({ changed, lost }) {
  const source = new EventSource("/api/admin/inbox/events");
  let timer = null;
  source.addEventListener("changed", () => {
    timer ??= setTimeout(() => {
      timer = null;
      changed();
    }, LEAST_MS);
  });
  source.addEventListener("open", () => lost(false));
  source.addEventListener("error", () => lost(true)); // the browser tries again by itself
  return () => {
    clearTimeout(timer);
    source.close();
  };
}
