/** The visible part of a phone's screen. */

/** Keep `node` inside it while it `covers` the screen: iOS lays its keyboard over the page instead of shrinking it. */
export function fitToVisibleScreen(node, covers = () => true) {
  const visible = window.visualViewport;
  if (!visible) return;
  const fit = () => {
    const isFree = !covers() || Math.abs(visible.scale - 1) > 0.01;
    node.style.height = isFree ? "" : `${visible.height}px`;
    node.style.top = isFree ? "" : `${visible.offsetTop}px`;
  };
  visible.addEventListener("resize", fit);
  visible.addEventListener("scroll", fit);
}
