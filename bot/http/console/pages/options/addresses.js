/** Addresses on the web, as settings name them. */

/** Say whether it is a whole http(s) address. */
export function isWebAddress(text) {
  return read(text) !== null;
}

/** Return what a browser calls a site (scheme, host, port), or null; "https://shop.example/a" is "https://shop.example". */
export function siteOf(text) {
  return read(text)?.origin ?? null;
}

function read(text) {
  const address = URL.parse?.(text) ?? null;
  return address !== null && ["http:", "https:"].includes(address.protocol) && /^https?:\/\//i.test(text) ? address : null;
}
