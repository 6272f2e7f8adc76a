/** The visible part of a phone's screen. */

/** Keep `app` inside it: iOS lays its keyboard over the page instead of shrinking it. */
export function fitToVisibleScreen(app) {
  const visible = window.visualViewport;
  if (!visible) return;
  const fit = () => {
    const zoomed = Math.abs(visible.scale - 1) > 0.01;
    app.style.height = zoomed ? "" : `${visible.height}px`;
    app.style.top = zoomed ? "" : `${visible.offsetTop}px`;
  };
  visible.addEventListener("resize", fit);
  visible.addEventListener("scroll", fit);
}
