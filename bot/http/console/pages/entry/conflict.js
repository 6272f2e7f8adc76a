/** What to do when somebody else has saved the same entry meanwhile. */

import { element } from "/page/dom.js";
import { openDialog } from "../../layers.js";
import { button } from "../../parts.js";
import { changedFields } from "./difference.js";
import { t } from "./words.js";

/** Show both versions; resolves to "mine", "theirs" or null to go on writing. */
export async function showConflict(theirs, change, mine) {
  const dialog = openDialog(
    t.conflict,
    element(
      "div",
      { class: "stack" },
      element("p", {}, t.conflictSentence(change?.actor ?? "?")),
      changedFields(theirs, { ...theirs, ...mine }),
      element(
        "div",
        { class: "form-buttons" },
        button(t.goOn, () => dialog.close(null)),
        button(t.takeTheirs, () => dialog.close("theirs")),
        button(t.takeMine, () => dialog.close("mine"), { kind: "danger" }),
      ),
    ),
  );
  dialog.node.classList.add("wide");
  return dialog.closed;
}
