/** Staying in the page. */

/** Keep `host` beside <body>, which sites transform and single-page applications replace, and put it back if it is removed. */
export function attach(host) {
  const watch = new MutationObserver(stay);
  stay();

  function stay() {
    if (!host.isConnected) document.documentElement.append(host);
    for (const place of [document, document.documentElement]) watch.observe(place, { childList: true });
  }
}
