/** Upload: a file or a page becomes entries, once it has been seen what that would change. */

import { element, icon } from "/page/dom.js";
import { get, post, remove, upload } from "../api.js";
import { field, form, input } from "../forms.js";
import { toast } from "../layers.js";
import { button, emptyState, linkButton, pageHead, progressBar } from "../parts.js";
import { explain } from "../problems.js";
import { href } from "../router.js";
import { refreshKnowledgeBases } from "../session.js";
import { buildPreview } from "./upload/preview.js";
import { t } from "./upload/words.js";

const POLL_MS = 400;
const ENDINGS = ".csv,.tsv,.txt,.xlsx,.xls,.jsonl,.md,.markdown,.docx,.pdf,.html,.htm";

/** Show the page. */
export async function render(place, { parameters, session, go }) {
  const base = parameters.knowledgeBase ?? session.knowledgeBase;
  place.append(pageHead(t.title, t.sentence, templateLink()));
  if (base === null) {
    return place.append(emptyState("base", t.noBase, t.noBaseSentence, linkButton(t.toFaq, href("faq"), { kind: "primary" })));
  }
  const area = element("div", { class: "stack" });
  place.append(area);
  const stop = new AbortController();
  choose();
  return () => stop.abort();

  function choose(problem = null) {
    const said = element("p", { class: "note bad", role: "alert", hidden: problem === null }, icon("warning"), problem ?? "");
    area.replaceChildren(dropZone(sendAll), addressForm(), said);
  }

  /** One after the other, since each is looked at before it is taken. */
  async function sendAll(files) {
    for (const [at, file] of [...files].entries()) {
      const isLast = at === files.length - 1;
      await new Promise((next) => void send(file, isLast, next));
      if (stop.signal.aborted) return;
    }
  }

  async function send(file, isLast, next) {
    const bar = progressBar(t.sending(file.name));
    area.replaceChildren(element("div", { class: "card stack" }, element("h2", {}, t.sending(file.name)), bar));
    const query = new URLSearchParams({ knowledge_base: base, name: file.name });
    try {
      const found = await upload(`/uploads?${query}`, file, { onProgress: bar.set, signal: stop.signal });
      show(found, isLast, next);
    } catch (error) {
      if (error.name === "AbortError") return;
      choose(`${file.name}: ${explain(error)}`);
    }
  }

  function show(found, isLast, next) {
    const apply = button(t.apply(found.added_count + found.changed_count), () => run(found, isLast, next), { kind: "primary" });
    const drop = button(t.cancel, async () => {
      await remove(`/uploads/${found.id}`);
      if (isLast) choose();
      next();
    });
    area.replaceChildren(buildPreview(found, [drop, apply]));
  }

  async function run(found, isLast, next) {
    const bar = progressBar(t.applying);
    const count = element("p", { class: "quiet" });
    const cancel = button(t.cancel, () => remove(`/uploads/${found.id}`));
    area.replaceChildren(
      element("div", { class: "card stack" }, element("h2", {}, t.applying), element("p", {}, t.applyingSentence), bar, count, cancel),
    );
    await post(`/uploads/${found.id}/apply`);
    let progress = await get(`/uploads/${found.id}`);
    while (progress.state === "applying" && !stop.signal.aborted) {
      bar.set(progress.total ? progress.done / progress.total : 0);
      count.textContent = progress.total ? t.texts(progress.done, progress.total) : "";
      await new Promise((later) => setTimeout(later, POLL_MS));
      progress = await get(`/uploads/${found.id}`);
    }
    if (stop.signal.aborted) return;
    await end(found, progress, isLast);
    next();
  }

  async function end(found, { state, message }, isLast) {
    if (state === "failed") return choose(`${found.name}: ${message}`);
    if (state === "cancelled") {
      toast(t.cancelled);
      return choose();
    }
    await refreshKnowledgeBases();
    toast(t.done(found.added_count, found.changed_count));
    if (isLast) area.replaceChildren(whatNext(found));
  }

  function whatNext(found) {
    const again = button(t.another, () => choose());
    const drafts = `${href("faq", base)}?status=draft`;
    if (found.drafts) {
      return emptyState("check", t.draftsMade, t.draftsSentence, linkButton(t.toDrafts, drafts, { kind: "primary" }), again);
    }
    return emptyState("check", t.applied, t.appliedSentence, linkButton(t.toReleases, href("releases", base), { kind: "primary" }), again);
  }

  function addressForm() {
    const address = field(t.address, input("url", { type: "url", placeholder: "https://", inputmode: "url" }), { hint: t.addressHint });
    const ask = ({ url }) => post("/uploads/url", { knowledge_base: base, url: url.trim() }).then((found) => show(found, true, () => {}));
    const fetched = form([address], t.fetch, ask, { kind: "" });
    return element("section", { class: "card" }, fetched);
  }
}

function dropZone(onFiles) {
  const picker = element("input", { type: "file", multiple: true, accept: ENDINGS, class: "visually-hidden", "aria-label": t.drop });
  const zone = element("label", { class: "dropzone" }, icon("upload"), element("strong", {}, t.drop), element("span", { class: "quiet" }, t.formats), picker);
  picker.addEventListener("change", () => picker.files.length > 0 && onFiles(picker.files));
  for (const name of ["dragenter", "dragover"]) zone.addEventListener(name, (event) => (event.preventDefault(), zone.classList.add("over")));
  for (const name of ["dragleave", "drop"]) zone.addEventListener(name, (event) => (event.preventDefault(), zone.classList.remove("over")));
  zone.addEventListener("drop", (event) => event.dataTransfer.files.length > 0 && onFiles(event.dataTransfer.files));
  return zone;
}

/** A file to begin with, which the browser makes itself. */
function templateLink() {
  const file = new Blob([`\ufeff${t.template}`], { type: "text/csv" });
  const address = URL.createObjectURL(file);
  const link = linkButton(t.getTemplate, address, { icon: "download" });
  link.download = "faq.csv";
  return link;
}
