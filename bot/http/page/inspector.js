/** How an answer came about, for those who try the bot out on the chat page; customers in the widget are spared it. */

import { element } from "./dom.js";

const WORDS = {
  "zh-CN": {
    outcome: {
      direct: "原文回答",
      grounded: "依据 FAQ 生成",
      clarify: "您是不是想问",
      escalated: "大模型回答",
      handoff: "转人工",
      refused: "无法回答",
    },
    outcomeExplained: {
      direct: "知识库中已有这个问题的答案，原文给出",
      grounded: "由本地模型依据下列知识库条目写成",
      clarify: "有几个相近的问题，请选择您想问的",
      escalated: "知识库中没有，由大模型回答，请注意核实",
      handoff: "已转给人工客服",
      refused: "知识库中没有找到答案",
    },
    degraded: "未用模型",
    degradedExplained: "本该由模型回答；它没有及时答出来，或者说的话没有通过核对",
    reused: "复用",
    reusedExplained: "同样的问题刚回答过，直接用了上次的回答",
    confidence: (percent) => `置信度 ${percent}%：知识库中最相近的条目能回答这个问题的把握`,
    seconds: (seconds) => `${seconds} 秒`,
    withoutChatModel: "没有加载对话模型：直接给出知识库里的原文",
    chatModel: "对话模型：",
    searchModel: "检索模型：",
    largeModel: "大模型：",
  },
  en: {
    outcome: {
      direct: "FAQ answer",
      grounded: "Written from FAQ",
      clarify: "Did you mean",
      escalated: "Large model",
      handoff: "Handed over",
      refused: "No answer",
    },
    outcomeExplained: {
      direct: "The knowledge base answers this; given in its own words",
      grounded: "Written by the local model from the entries below",
      clarify: "Several questions come close; choose yours",
      escalated: "Not in the knowledge base; answered by a large model, so please verify",
      handoff: "Handed over to a person",
      refused: "The knowledge base has no answer",
    },
    degraded: "Without the model",
    degradedExplained: "A model was to answer; it did not in time, or what it said was not borne out",
    reused: "Reused",
    reusedExplained: "The same question was answered before; this is that answer",
    confidence: (percent) => `Confidence ${percent}%: how sure we are that the closest entry answers the question`,
    seconds: (seconds) => `${seconds} s`,
    withoutChatModel: "No chat model is loaded: answers are given in the knowledge base's own words",
    chatModel: "Chat model: ",
    searchModel: "Search model: ",
    largeModel: "Large model: ",
  },
};

/** Return the badges and figures below an answer. */
export function facts(turn, texts) {
  const words = WORDS[texts.htmlLanguage];
  const parts = [outcome(turn, words), degraded(turn, words), reused(turn, words), confidence(turn, words), model(turn), spent(turn, words)];
  return [element("div", { class: "facts" }, ...parts)];
}

/** Return where a source stands in the knowledge base. */
export function origin({ knowledge_base: knowledgeBase, key }) {
  return element("p", { class: "small" }, [knowledgeBase, key].filter(Boolean).join(" · "));
}

/** Return which models are at work. */
export function explain(bot, texts) {
  const words = WORDS[texts.htmlLanguage];
  return [
    bot.chat_model ? words.chatModel + bot.chat_model : words.withoutChatModel,
    bot.embedding_model && words.searchModel + bot.embedding_model,
    bot.remote_model && words.largeModel + bot.remote_model,
  ]
    .filter(Boolean)
    .join("\n");
}

function outcome(turn, words) {
  const label = words.outcome[turn.outcome];
  const attributes = { class: "badge", "data-outcome": turn.outcome, title: words.outcomeExplained[turn.outcome] };
  return label ? element("span", attributes, label) : null;
}

function degraded(turn, words) {
  if (!turn.degraded) return null;
  return element("span", { class: "badge degraded", title: words.degradedExplained }, words.degraded);
}

function reused(turn, words) {
  if (!turn.reused) return null;
  return element("span", { class: "badge reused", title: words.reusedExplained }, words.reused);
}

function confidence(turn, words) {
  if (typeof turn.confidence !== "number") return null;
  const percent = Math.round(turn.confidence * 100);
  const fill = element("i");
  fill.style.width = `${percent}%`;
  const label = words.confidence(percent);
  return element(
    "span",
    { class: "confidence", role: "img", title: label, "aria-label": label, "data-testid": "confidence" },
    element("span", { class: "bar" }, fill),
    `${percent}%`,
  );
}

function model(turn) {
  return turn.model ? element("span", { class: "model", title: turn.model }, turn.model) : null;
}

function spent({ totalMs }, words) {
  if (totalMs === null) return null;
  return element("span", {}, words.seconds((totalMs / 1_000).toFixed(totalMs < 100 ? 2 : 1)));
}
