/** Settings: from which confidence on the bot answers in which way, over what it was asked lately. */

import { element } from "/page/dom.js";
import { get } from "../../api.js";
import { card } from "../../parts.js";
import { table } from "../../table.js";
import { words } from "../../words.js";
import { percent, wholeNumber } from "../dashboard/words.js";
import { t as tried } from "../tryit/words.js";
import { number } from "./controls.js";
import { calibrationCurve } from "./curve.js";
import { option } from "./option.js";
import { thresholdScale } from "./scale.js";
import { optionsCard, showSection } from "./settings.js";

const RISING = ["clarify", "grounded", "direct"];
const BANDS = ["refused", ...RISING];

const t = words({
  zh: {
    title: "把握与回答方式",
    sentence:
      "把握是最接近的条目正好能回答问题的概率。拖动三个手柄（或用方向键），看看最近的问题会怎样回答；保存后才生效。",
    from: "把握不低于",
    hints: {
      direct: "直接给出条目的原文。越高越谨慎。",
      grounded: "由本地小模型依据条目组织语言，并逐句核对。",
      clarify: "列出几个相近的问题请客户选。低于它，就是没有把握。",
    },
    misses: "几次没答上来转人工",
    missesHint: "连续这么多个问题没答上来，就请同事来帮忙。",
    times: "次",
    percentSign: "%",
    noNumber: "请填 0 到 100 之间的数",
    noCount: "请填 1 到 20 之间的整数",
    order: "三条线要依次升高：反问 ≤ 组织语言 ≤ 原文",
    effect: "这样设置的效果",
    effectOf: (count) => `按最近 ${count} 个问题估算。`,
    nobody: "还没有客户提问。有了之后，这里会显示最近的问题按把握的分布，以及每种回答方式各占多少。",
    outcome: "回答方式",
    below: "没有把握：问大模型、转人工或说明没有答案",
    range: "把握",
    share: "问题占比",
    now: (share) => `现在 ${share}`,
    up: "好评",
    down: "差评",
    trust: "把握有多可信",
  },
  en: {
    title: "Confidence and answers",
    sentence:
      "Confidence is the probability that the nearest entry answers the question. Drag the three handles, or use the arrow keys, and see how the latest questions would be answered; nothing changes before you save.",
    from: "Confidence from",
    hints: {
      direct: "The entry's own words are given. Higher is more careful.",
      grounded: "The local model words an answer from the entries, and each sentence is checked.",
      clarify: "A few near questions are offered to choose from. Below it, the bot is not sure at all.",
    },
    misses: "Misses before a person is called",
    missesHint: "After so many unanswered questions in a row, a colleague is asked to help.",
    times: "in a row",
    percentSign: "%",
    noNumber: "Please write a number from 0 to 100",
    noCount: "Please write a whole number from 1 to 20",
    order: "The three must rise: asks back ≤ model ≤ entry's words",
    effect: "What this does",
    effectOf: (count) => `Estimated from the latest ${count} questions.`,
    nobody: "Nobody has asked yet. Later, this shows the latest questions by confidence, and how many get which answer.",
    outcome: "Answer",
    below: "Not sure: the larger model, a person, or no answer",
    range: "Confidence",
    share: "Of the questions",
    now: (share) => `now ${share}`,
    up: "Thumbs up",
    down: "Thumbs down",
    trust: "How far confidence can be trusted",
  },
});

/** Show the section. */
export async function render(place) {
  await showSection(place, draw, () => get("/settings/confidence"));
}

function draw(settings, show, { bins, curve }) {
  const saved = RISING.map((name) => settings[`routing.${name}`].value);
  const isFixed = RISING.map((name) => settings[`routing.${name}`].fixed);
  const controls = RISING.map((name) => share(settings[`routing.${name}`].value));
  const options = RISING.map((name, at) =>
    option(settings[`routing.${name}`], `${tried.outcomes[name]} · ${t.from}`, controls[at], {
      hint: t.hints[name],
      check: () => problemOf(controls.map((each) => each.read()), at),
    }),
  );
  const misses = option(
    settings["routing.handoff_after"],
    t.misses,
    number(settings["routing.handoff_after"].value, t.times, { min: 1, max: 20 }),
    { hint: t.missesHint, check: (count) => (Number.isInteger(count) && count >= 1 && count <= 20 ? null : t.noCount) },
  );
  const scale = thresholdScale(bins, isFixed, (at, value) => {
    controls[at].write(value);
    controls[at].node.dispatchEvent(new Event("input", { bubbles: true }));
  });
  const effect = element("div", { class: "stack" });
  const made = optionsCard(t.title, t.sentence, [scale.node, ...options.toReversed(), misses], show);
  made.addEventListener("input", look);
  look();
  return [made, card(t.effect, effect), card(t.trust, calibrationCurve(curve))];

  function look() {
    const borders = controls.map((each) => each.read());
    if (borders.some((_, at) => problemOf(borders, at) !== null)) return;
    scale.show(borders);
    effect.replaceChildren(...effectOf(bins, borders, saved));
  }
}

/** A confidence, shown in percent. */
function share(value) {
  const control = number(null, t.percentSign, { min: 0, max: 100, step: "any" });
  const { read, write } = control;
  control.read = () => (read() === null ? null : Math.round(read() * 100) / 10_000);
  control.write = (given) => write(Math.round(given * 10_000) / 100);
  control.write(value);
  return control;
}

function problemOf(borders, at) {
  const value = borders[at];
  if (value === null || !(value >= 0 && value <= 1)) return t.noNumber;
  const [before, after] = [borders[at - 1] ?? 0, borders[at + 1] ?? 1];
  return value < before || value > after ? t.order : null;
}

function effectOf(bins, borders, saved) {
  const total = bins.reduce((sum, bin) => sum + bin.questions, 0);
  if (total === 0) return [element("p", { class: "quiet" }, t.nobody)];
  const [then, now] = [countBands(bins, borders), countBands(bins, saved)];
  const limits = [0, ...borders, 1];
  const rows = BANDS.map((name, at) => ({ name, ...then[at], before: now[at].questions, from: limits[at], to: limits[at + 1] }));
  const columns = [
    { title: t.outcome, kind: "main", cell: ({ name }) => keyed(name) },
    { title: t.range, cell: ({ from, to }) => `${percent(from)} – ${percent(to)}` },
    { title: t.share, kind: "number", cell: ({ questions, before }) => shareOf(questions / total, before / total) },
    { title: t.up, kind: "number", cell: ({ up }) => wholeNumber(Math.round(up)) },
    { title: t.down, kind: "number", cell: ({ down }) => wholeNumber(Math.round(down)) },
  ];
  return [element("p", { class: "quiet" }, t.effectOf(wholeNumber(total))), table(t.effect, columns, rows.toReversed())];
}

function keyed(name) {
  const key = element("i", { class: `key ${name}`, "aria-hidden": "true" });
  return element("span", {}, key, name === "refused" ? t.below : tried.outcomes[name]);
}

function shareOf(then, now) {
  const [after, before] = [then, now].map((part) => percent(Math.round(part * 100) / 100));
  const note = after === before ? null : element("small", { class: "quiet" }, ` ${t.now(before)}`);
  return element("span", {}, element("strong", {}, after), note);
}

/** Add up the bins between the borders; one that a border cuts belongs in parts to both sides. */
function countBands(bins, borders) {
  const limits = [0, ...borders, 1];
  return BANDS.map((_, at) => {
    const sum = { questions: 0, up: 0, down: 0 };
    for (const bin of bins) {
      const within = Math.min(bin.end, limits[at + 1]) - Math.max(bin.start, limits[at]);
      const part = Math.max(0, within) / (bin.end - bin.start);
      for (const name of Object.keys(sum)) sum[name] += part * bin[name];
    }
    return sum;
  });
}
