/** Following the end of a conversation, unless the reader has scrolled up to read. */

const NEAR_END_PX = 80;

/** Return {keepAtEnd, jumpToEnd} of `page`, whose button to jump is shown when the reader is away from the end. */
export function followEnd({ scroller, log, jump }) {
  let isFollowing = true;
  let lastTop = 0;
  jump.addEventListener("click", jumpToEnd);
  scroller.addEventListener("scroll", noteScrolling, { passive: true });
  for (const part of [log, scroller]) new ResizeObserver(keepAtEnd).observe(part);
  return { keepAtEnd, jumpToEnd };

  /** Only the reader scrolls up. A scroll event may tell of less than has arrived since, so distance is not enough. */
  function noteScrolling() {
    const { scrollHeight, scrollTop, clientHeight } = scroller;
    const isNearEnd = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
    isFollowing = isNearEnd || (isFollowing && scrollTop >= lastTop);
    lastTop = scrollTop;
    jump.hidden = isFollowing;
  }

  function keepAtEnd() {
    if (isFollowing) scroller.scrollTop = scroller.scrollHeight;
  }

  function jumpToEnd() {
    isFollowing = true;
    keepAtEnd();
  }
}
