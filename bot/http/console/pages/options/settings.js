/** What the sections of settings share: loading them, and a form that saves those that were changed. */

import { element } from "/page/dom.js";
import { get, patch } from "../../api.js";
import { form } from "../../forms.js";
import { toast } from "../../layers.js";
import { guard } from "../../leaving.js";
import { card, fill } from "../../parts.js";
import { words } from "../../words.js";

const t = words({
  zh: { save: "保存", saved: "已保存，马上生效", unsaved: "有改动还没保存" },
  en: { save: "Save", saved: "Saved; it holds from now on", unsaved: "There are changes to save" },
});

/** Return the settings by their full names, such as "bot.name". */
export async function loadSettings() {
  return byName(await get("/settings"));
}

function byName({ settings }) {
  return Object.fromEntries(settings.map((each) => [`${each.section}.${each.name}`, each]));
}

/** Fill `place` with what `draw(settings, show, loaded)` makes; `show(settings)` draws it anew once they are saved. */
export async function showSection(place, draw, loadMore = async () => null) {
  const area = element("div", { class: "stack" });
  place.append(area);
  await fill(
    area,
    () => Promise.all([loadSettings(), loadMore()]),
    ([settings, more]) => {
      const show = (changed) => fill(area, async () => changed, (latest) => draw(latest, show, more));
      return draw(settings, show, more);
    },
  );
}

/**
 * Make a card with a form of options; other children may stand among them. `saved(settings)` is called afterwards.
 * The card's `isChanged()` says whether there is something to save, `save()` saves it.
 */
export function optionsCard(title, sentence, children, saved) {
  const options = children.filter((child) => child.setting);
  const open = options.some((each) => !each.setting.fixed);
  const unsaved = element("p", { class: "unsaved", role: "status" });
  const node = card(title, element("p", { class: "quiet" }, sentence));
  const made = form(children, t.save, save, { beside: [unsaved] });
  const changed = () => options.filter((each) => each.isChanged());
  made.addEventListener("input", look);
  look();
  guard(() => node.isConnected && changed().length > 0); // what was saved is drawn anew
  made.querySelector(".form-buttons").hidden = !open;
  node.append(made);
  return Object.assign(node, { save, isChanged: () => changed().length > 0 });

  function look() {
    const isChanged = changed().length > 0;
    made.allow(isChanged);
    unsaved.textContent = isChanged ? t.unsaved : "";
  }

  async function save() {
    const values = Object.fromEntries(changed().map((each) => [each.full, each.change()]));
    try {
      const settings = byName(await patch("/settings", { values }));
      toast(t.saved);
      saved(settings);
    } catch (error) {
      const named = options.find((each) => error.message.startsWith(`${each.full}:`));
      if (error.type !== "invalid_setting" || !named) throw error;
      named.refuse(error.message.slice(named.full.length + 1).trim());
    }
  }
}
