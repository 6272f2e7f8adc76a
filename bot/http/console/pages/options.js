/** Settings that an owner changes while the bot answers: a section for each subject, a field for each setting. */

import { element, icon } from "/page/dom.js";
import { get, patch, post } from "../api.js";
import { field, form, input, select, textarea } from "../forms.js";
import { toast } from "../layers.js";
import { button, card, copyButton, fill } from "../parts.js";
import { drawThresholds } from "./options/thresholds.js";
import { t } from "./options/words.js";

/** Each section's settings, in the order in which they are shown. */
const SECTIONS = {
  bot: ["bot.name", "bot.language", "bot.welcome_zh", "bot.welcome_en", "bot.starters", "bot.sensitive_words"],
  widget: ["widget.color", "widget.position", "widget.avatar", "server.allowed_origins"],
  thresholds: ["routing.clarify", "routing.grounded", "routing.direct", "routing.handoff_after"],
  people: ["handoff.enabled", "handoff.hours", "handoff.time_zone", "handoff.webhook_url"],
  model: ["remote.base_url", "remote.model", "remote.api_key", "remote.timeout_seconds"],
};
const CHOICES = {
  "bot.language": ["zh", "en"],
  "widget.position": ["", "left", "right"],
  "handoff.enabled": ["true", "false"],
};
const LONG = new Set(["bot.welcome_zh", "bot.welcome_en"]);

/** Show one section. */
export async function renderSection(place, name) {
  const area = element("div", { class: "stack" });
  place.append(area);
  await load();

  function load() {
    const wanted = [get("/settings"), ...(name === "thresholds" ? [get("/settings/confidence")] : [])];
    return fill(area, () => Promise.all(wanted), ([{ settings }, confidence]) => draw(settings, confidence));
  }

  function draw(settings, confidence) {
    const known = new Map(settings.map((setting) => [`${setting.section}.${setting.name}`, setting]));
    const fields = SECTIONS[name].map((full) => settingField(full, known.get(full)));
    const open = fields.filter((each) => !each.setting.fixed);
    const made = form(fields.map((each) => each.node), t.save, () => save(open), { problems: {} });
    const extra = { thresholds: () => [drawThresholds(fields, confidence.bins)], model: tryModel, widget: script };
    return [card(t.sections[name], element("p", { class: "quiet" }, t.about[name]), made), ...(extra[name]?.() ?? [])];
  }

  async function save(fields) {
    const changed = fields.filter((each) => each.isChanged());
    if (changed.length === 0) return;
    await patch("/settings", { values: Object.fromEntries(changed.map((each) => [each.full, each.value()])) });
    toast(t.saved);
    await load();
  }
}

function settingField(full, setting) {
  const control = controlOf(full, setting);
  control.disabled = setting.fixed;
  const hint = setting.fixed ? t.fixed : (t.hints[full] ?? null);
  const node = field(t.names[full], control, { hint, optional: true, noted: false });
  const first = control.value;
  if (setting.fixed) node.append(element("span", { class: "quiet" }, icon("lock")));
  return { full, node, setting, control, isChanged: () => control.value !== first, value: () => valueOf(control.value.trim(), setting) };
}

function controlOf(full, { value, secret }) {
  if (CHOICES[full]) return select(full, CHOICES[full].map((each) => [each, t.choices[full][each]]), String(value));
  if (secret) return input(full, { type: "password", placeholder: value ? t.secretSet : "", autocomplete: "new-password" });
  if (Array.isArray(value)) return textarea(full, { rows: 3 }, value.join("\n"));
  if (LONG.has(full)) return textarea(full, { rows: 2, maxlength: 500 }, value);
  if (full === "widget.color") return input(full, { value: value ?? "", placeholder: "#0f766e", pattern: "#[0-9a-fA-F]{6}" });
  if (typeof value === "number") return input(full, { type: "number", step: "any", value });
  return input(full, { value: value ?? "" });
}

/** Nothing is the default again. */
function valueOf(text, { default: original, value, secret }) {
  if (secret) return text || null;
  if (Array.isArray(value)) return lines(text);
  if (text === "") return null;
  if (typeof original === "boolean") return text === "true";
  return typeof original === "number" ? Number(text) : text;
}

function lines(text) {
  return text.split("\n").map((line) => line.trim()).filter(Boolean);
}

/** Ask the larger model for a word. */
function tryModel() {
  const said = element("p", { role: "status" });
  const ask = async () => {
    said.textContent = t.asking;
    const { works, message, ms } = await post("/settings/remote/test");
    said.textContent = works ? t.works(ms, message) : t.fails(message);
  };
  return [card(t.tryModel, element("p", { class: "quiet" }, t.tryModelSentence), button(t.tryNow, ask, { icon: "tryit" }), said)];
}

/** The line that puts the widget on a site. */
function script() {
  const line = `<script src="${location.origin}/widget.js" defer></script>`;
  return [card(t.script, element("p", { class: "quiet" }, t.scriptSentence), element("div", { class: "secret" }, element("code", {}, line), copyButton(line)))];
}
