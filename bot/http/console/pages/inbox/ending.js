/** The end of what scrolls stays in sight, unless its reader has scrolled away from it. */

const NEAR = 60;

/** Watch a scroller; `keep()` is for when it has grown, `seek()` goes to its end wherever its reader is. */
export function keepEnd(scroller) {
  let isAtEnd = true;
  scroller.addEventListener("scroll", () => {
    isAtEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR;
  });
  new ResizeObserver(keep).observe(scroller); // what stands below it takes room as it appears and grows
  return { keep, seek };

  function keep() {
    if (isAtEnd) scroller.scrollTop = scroller.scrollHeight;
  }

  function seek() {
    isAtEnd = true;
    keep();
  }
}
