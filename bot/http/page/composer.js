/** Where a question is written: it grows with its text, counts the characters, and sends on Enter. */

const MAX_CHARACTERS = 2_000;
const HINT_FROM = 1_800;

/** Return {show, grow} for the composer of `page`; `send(question)` gets what is written, unless an answer `isBusy()`. */
export function runComposer(page, send, isBusy) {
  page.composer.addEventListener("submit", (event) => {
    event.preventDefault();
    sendQuestion();
  });
  page.question.addEventListener("keydown", sendOnEnter);
  let texts = {};
  page.question.addEventListener("input", () => show(texts));
  return { show, grow };

  function sendQuestion() {
    const question = page.question.value.trim();
    if (isBusy() || question === "" || characters(question) > MAX_CHARACTERS) return;
    page.question.value = "";
    send(question);
  }

  function sendOnEnter(event) {
    const isComposing = event.isComposing || event.keyCode === 229; // Safari ends a composition before this event
    if (event.key !== "Enter" || event.shiftKey || isComposing) return;
    event.preventDefault();
    sendQuestion();
  }

  function show(language) {
    texts = language;
    const length = characters(page.question.value.trim());
    page.send.hidden = isBusy();
    page.stop.hidden = !isBusy();
    page.send.disabled = length === 0 || length > MAX_CHARACTERS;
    page.app.classList.toggle("busy", isBusy());
    showLimit(MAX_CHARACTERS - length);
    grow();
  }

  function showLimit(left) {
    page.limit.hidden = left > MAX_CHARACTERS - HINT_FROM;
    page.limit.textContent = left >= 0 ? texts.charactersLeft(left) : texts.charactersOver(-left);
    page.limit.classList.toggle("over", left < 0);
  }

  /** A chat that was hidden has not been measured yet. */
  function grow() {
    page.question.style.height = "auto";
    page.question.style.height = `${page.question.scrollHeight}px`;
  }
}

/** The server counts characters, not UTF-16 units. */
function characters(text) {
  return Array.from(text).length;
}
