/** The REST API below /api/admin: every call answers with the parsed body, or throws an ApiError. */

import { ApiError, errorOf } from "/page/api.js";

export { ApiError };

const ROOT = "/api/admin";

/** Tells of "signed-out", "lost" (the network) and "reached". */
export const connection = new EventTarget();

let csrf = null;
let logInAgain = async () => false;
let loggingIn = null;

/** Remember what the server wants to see along with every change. */
export function setCsrf(token) {
  csrf = token;
}

/** `ask()` is called when a session has ended while it was used, and says whether its user has logged in again. */
export function whenSessionEnds(ask) {
  logInAgain = ask;
}

/** Read something; `query` values that are null, undefined or empty are left out. */
export function get(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return request("GET", given.length ? `${path}?${new URLSearchParams(given)}` : path);
}

/** Add something, or have something done. */
export function post(path, body) {
  return request("POST", path, body);
}

/** Put something in the place of what is there. */
export function put(path, body, headers = {}) {
  return request("PUT", path, body, headers);
}

/** Change the given fields of something. */
export function patch(path, body) {
  return request("PATCH", path, body);
}

/** Delete something. */
export function remove(path) {
  return request("DELETE", path);
}

async function request(method, path, body, headers = {}) {
  const options = body === undefined ? {} : { body: JSON.stringify(body) };
  const type = body === undefined ? {} : { "Content-Type": "application/json" };
  const send = () =>
    reach(fetch(ROOT + path, { method, cache: "no-store", ...options, headers: { ...type, ...proof(), ...headers } }));
  return answered(send);
}

/** Return what the server says, asked again where it only missed a login or the token of a newer one. */
async function answered(send) {
  const old = csrf;
  try {
    return await read(await send());
  } catch (error) {
    if (error.type === "csrf") setCsrf((await get("/me")).csrf); // another tab has logged in anew
    else if (error.type !== "unauthenticated" || !(await isBack(old))) throw error;
    return read(await send());
  }
}

/** Say whether there is a newer session than the `old` one; however many requests are refused, their user is asked once. */
async function isBack(old) {
  if (csrf !== null && csrf === old) {
    loggingIn ??= logInAgain().finally(() => (loggingIn = null));
    await loggingIn;
  }
  if (csrf !== null && csrf !== old) return true;
  connection.dispatchEvent(new Event("signed-out"));
  return false;
}

function proof() {
  return csrf === null ? {} : { "X-CSRF-Token": csrf };
}

async function reach(sending) {
  let response;
  try {
    response = await sending;
  } catch (error) {
    if (error.name === "AbortError") throw error;
    connection.dispatchEvent(new Event("lost"));
    throw new ApiError(0, { type: "network" });
  }
  connection.dispatchEvent(new Event("reached"));
  return response;
}

async function read(response) {
  if (response.ok) return response.status === 204 ? null : response.json();
  throw await errorOf(response);
}

/** Send a file's bytes as the body; `onProgress` is told the part that has gone out, from 0 to 1. */
export function upload(path, file, watching = {}) {
  return answered(() => reach(sendFile(path, file, watching)));
}

function sendFile(path, file, { onProgress, signal }) {
  const xhr = new XMLHttpRequest();
  const answer = new Promise((resolve, reject) => {
    xhr.addEventListener("load", () =>
      resolve(new Response(xhr.response, { status: xhr.status, headers: retryAfter(xhr) })),
    );
    xhr.addEventListener("error", () => reject(new TypeError("network")));
    xhr.addEventListener("abort", () => reject(new DOMException("cancelled", "AbortError")));
  });
  xhr.upload.addEventListener(
    "progress",
    (event) => event.lengthComputable && onProgress?.(event.loaded / event.total),
  );
  signal?.addEventListener("abort", () => xhr.abort());
  xhr.open("POST", ROOT + path);
  for (const [name, value] of Object.entries(proof())) xhr.setRequestHeader(name, value);
  xhr.setRequestHeader("Content-Type", "application/octet-stream");
  xhr.send(file);
  return answer;
}

function retryAfter(xhr) {
  const seconds = xhr.getResponseHeader("Retry-After");
  return seconds === null ? {} : { "Retry-After": seconds };
}
