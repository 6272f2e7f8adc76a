/** Being told at once when something happens in any conversation. */

const LEAST_MS = 250;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

/** Call `changed()` whenever something may have happened, `lost(true)` while the server cannot be reached; returns a way to stop. */
export function followChanges({ changed, lost }) {
  let source = null;
  let timer = null;
  let reopening = null;
  let wait = FIRST_WAIT_MS;
  let isLost = false;
  open();
  return () => {
    clearTimeout(timer);
    clearTimeout(reopening);
    source.close();
  };

  function open() {
    source = new EventSource("/api/admin/inbox/events");
    source.addEventListener("changed", tell);
    source.addEventListener("open", found);
    source.addEventListener("error", lose);
  }

  function tell() {
    timer ??= setTimeout(() => {
      timer = null;
      changed();
    }, LEAST_MS);
  }

  /** What happened meanwhile was told to nobody. */
  function found() {
    if (isLost) tell();
    isLost = false;
    wait = FIRST_WAIT_MS;
    lost(false);
  }

  /** The browser tries again by itself unless it got an answer that is no stream, such as a proxy's. */
  function lose() {
    isLost = true;
    lost(true);
    if (source.readyState !== EventSource.CLOSED) return;
    reopening = setTimeout(open, wait);
    wait = Math.min(2 * wait, LONGEST_WAIT_MS);
  }
}
