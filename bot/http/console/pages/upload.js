/** Upload: a file or a page becomes entries, once it has been seen what that would change. */

import { element, icon } from "/page/dom.js";
import { get, post, remove, upload } from "../api.js";
import { field, form, input } from "../forms.js";
import { button, emptyState, linkButton, pageHead, progressBar } from "../parts.js";
import { explain } from "../problems.js";
import { href } from "../router.js";
import { refreshKnowledgeBases } from "../session.js";
import { buildPreview } from "./upload/preview.js";
import { resultList } from "./upload/results.js";
import { t } from "./upload/words.js";

const POLL_MS = 400;
const ENDINGS = ".csv,.tsv,.txt,.xlsx,.xls,.jsonl,.md,.markdown,.docx,.pdf,.html,.htm";

/** Show the page. */
export async function render(place, { parameters, session }) {
  const base = parameters.knowledgeBase ?? session.knowledgeBase;
  place.append(pageHead(t.title, base === null ? t.sentence : `${t.into(base)} ${t.sentence}`, templateLink()));
  if (base === null) {
    return place.append(emptyState("base", t.noBase, t.noBaseSentence, linkButton(t.toFaq, href("faq"), { kind: "primary" })));
  }
  const area = element("div", { class: "stack" });
  place.append(area);
  const stop = new AbortController();
  choose();
  return () => stop.abort();

  function choose(...above) {
    area.replaceChildren(...above, dropZone((files) => void takeAll([...files].map(ofFile))), addressForm());
  }

  function ofFile(file) {
    const query = new URLSearchParams({ knowledge_base: base, name: file.name });
    const read = (onProgress) => upload(`/uploads?${query}`, file, { onProgress, signal: stop.signal });
    return { name: file.name, read };
  }

  /** One after the other, since each is looked at before it is taken; what goes wrong with one is no matter of the next. */
  async function takeAll(sources) {
    const results = resultList(sources.map(({ name }) => name));
    const show = (...below) => area.replaceChildren(results.node, ...below);
    const applied = [];
    for (const [at, source] of sources.entries()) {
      try {
        const found = await take(source, show, (...said) => results.say(at, ...said));
        if (found !== null) applied.push(found);
      } catch (error) {
        if (error.name === "AbortError") return;
        results.say(at, "failed", explain(error));
      }
      if (stop.signal.aborted) return;
    }
    if (applied.length > 0) show(whatNext(applied.every(({ drafts }) => drafts)));
    else choose(results.node);
  }

  /** Return what was applied of a source, or null if nothing was. */
  async function take({ name, read }, show, say) {
    const bar = progressBar(t.sending(name));
    say("sending");
    show(element("div", { class: "card stack" }, element("h2", {}, t.sending(name)), bar));
    const found = await read(bar.set);
    say("seen");
    if (!(await isWanted(found, show))) {
      say("cancelled");
      return null;
    }
    say("applying");
    const { state, message } = await apply(found, show);
    if (state === "done") await refreshKnowledgeBases();
    say(state, { done: t.done(found.added_count, found.changed_count), failed: message }[state]);
    return state === "done" ? found : null;
  }

  function isWanted(found, show) {
    return new Promise((decide) => {
      const drop = button(t.cancel, async () => {
        await remove(`/uploads/${found.id}`);
        decide(false);
      });
      const changes = found.added_count + found.changed_count;
      const accept = button(t.apply(changes), () => decide(true), { kind: "primary" });
      show(buildPreview(found, [drop, accept]));
    });
  }

  /** Return how it ended. */
  async function apply(found, show) {
    const bar = progressBar(t.applying);
    const count = element("p", { class: "quiet" });
    const cancel = button(t.cancel, () => remove(`/uploads/${found.id}`));
    show(element("div", { class: "card stack" }, element("h2", {}, t.applying), element("p", {}, t.applyingSentence), bar, count, cancel));
    await post(`/uploads/${found.id}/apply`);
    let progress = await get(`/uploads/${found.id}`);
    while (progress.state === "applying" && !stop.signal.aborted) {
      bar.set(progress.total ? progress.done / progress.total : 0);
      count.textContent = progress.total ? t.texts(progress.done, progress.total) : "";
      await new Promise((later) => setTimeout(later, POLL_MS));
      progress = await get(`/uploads/${found.id}`);
    }
    return progress;
  }

  function whatNext(isDrafts) {
    const again = button(t.another, () => choose());
    const drafts = `${href("faq", base)}?status=draft`;
    if (isDrafts) {
      return emptyState("check", t.draftsMade, t.draftsSentence, linkButton(t.toDrafts, drafts, { kind: "primary" }), again);
    }
    return emptyState("check", t.applied, t.appliedSentence, linkButton(t.toReleases, href("releases", base), { kind: "primary" }), again);
  }

  function addressForm() {
    const address = field(t.address, input("url", { type: "url", placeholder: "https://", inputmode: "url" }), { hint: t.addressHint });
    const ask = ({ url }) => post("/uploads/url", { knowledge_base: base, url: url.trim() }).then(takeRead);
    const fetched = form([address], t.fetch, ask, { kind: "" });
    return element("section", { class: "card" }, fetched);
  }

  /** A page that was read while its address could still be put right. */
  function takeRead(found) {
    void takeAll([{ name: found.name, read: async () => found }]);
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
