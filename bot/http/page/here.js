/** Where the page is open. */

/** Whether that is the machine which the server runs on, as far as its address tells: nobody else can open it there. */
export const IS_LOCAL = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);
