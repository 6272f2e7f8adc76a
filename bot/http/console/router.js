/** Addresses: `#/faq/shop/RET-1?search=x` names a page, its parameters and its query. */

/** Return the address of a page; each part is written so that any text may stand in it. */
export function href(...parts) {
  return `#/${parts.map(encodeURIComponent).join("/")}`;
}

/** Return {path, query} of the present address; `query` is a URLSearchParams. */
export function here() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  return { path: path.split("/").filter(Boolean).map(decode), query: new URLSearchParams(query) };
}

/** Return the parameters if `path` is of the pattern, such as "faq/:knowledgeBase/:key?", else null. */
export function match(pattern, path) {
  const names = pattern.split("/");
  if (path.length > names.length) return null;
  const parameters = {};
  for (const [at, name] of names.entries()) {
    const [, variable, optional] = /^:(\w+)(\?)?$/.exec(name) ?? [];
    if (variable === undefined ? path[at] !== name : path[at] === undefined && !optional) return null;
    if (variable !== undefined && path[at] !== undefined) parameters[variable] = path[at];
  }
  return parameters;
}

/** Go to an address; whatever it is, it names a page of the console. */
export function go(address) {
  location.hash = address;
}

/** The same instead of the present address, which is not one to come back to. */
export function redirect(address) {
  location.replace(`#${address.replace(/^#/, "")}`);
}

/** Note what a page shows in its own address, without leaving it: {search: "x"} becomes ?search=x. */
export function setQuery(query) {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const [path] = location.hash.split("?");
  history.replaceState(null, "", given.length ? `${path}?${new URLSearchParams(given)}` : path);
}

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
