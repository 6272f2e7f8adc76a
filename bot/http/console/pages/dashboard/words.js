/** What the dashboard says. */

import { locale, words } from "../../words.js";

const NUMBER = new Intl.NumberFormat(locale);
const PERCENT = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 });

/** Return a number as people write it. */
export function wholeNumber(value) {
  return NUMBER.format(value);
}

/** Return a share as people write it, a dash for none. */
export function percent(value) {
  return value === null || value === undefined ? "–" : PERCENT.format(value);
}

export const t = words({
  zh: {
    title: "数据",
    sentence: "机器人帮客户解决了多少问题，哪里还不够好。",
    span: "时间范围",
    spans: { 1: "今天", 7: "最近 7 天", 30: "最近 30 天", 90: "最近 90 天" },
    channel: "渠道",
    everywhere: "全部渠道",
    csv: "导出 CSV",
    empty: "还没有客户提问",
    emptySentence: "把聊天窗口放到网站上，或者打开首页自己问几个问题，这里就会有数据。",
    conversations: "会话",
    questions: "提问",
    selfService: "自助解决率",
    selfServiceExplained: "得到回答、没有转人工、最后也没有碰壁的会话。",
    handoffs: "转人工",
    satisfied: "好评率",
    rated: (count) => `共 ${count} 个评价`,
    speed: "回答用时",
    ms: (ms) => (ms >= 1_000 ? `${(ms / 1_000).toFixed(1)} 秒` : `${Math.round(ms)} 毫秒`),
    slowest: (ms) => `九成在 ${(ms / 1_000).toFixed(2)} 秒以内`,
    beforeThat: "与之前同样长的时间相比",
    outcomesTitle: "每天的回答方式",
    latencyTitle: "回答用时",
    p50: "一半在此以内",
    p90: "九成在此以内",
    conversationsTitle: "咨询量",
    topTitle: "问得最多",
    unansweredTitle: "没答上来的",
    costTitle: "远程大模型",
    escalated: (count, tokens) => `问了 ${count} 次，共 ${tokens} 个词元。`,
    price: "每百万词元价格",
    together: "合计",
    question: "问题",
    times: "次数",
    nothing: "这段时间没有。",
    toReview: "去处理",
    date: "日期",
    asTable: "看数字",
    chart: (title, from, to) => `${title}，${from} 到 ${to} 的图表；下面可以展开成表格`,
  },
  en: {
    title: "Dashboard",
    sentence: "How much the bot solves by itself, and where it falls short.",
    span: "Days",
    spans: { 1: "Today", 7: "Last 7 days", 30: "Last 30 days", 90: "Last 90 days" },
    channel: "Channel",
    everywhere: "All channels",
    csv: "Export CSV",
    empty: "Nobody has asked yet",
    emptySentence: "Put the widget on your site, or ask something on the chat page, and numbers appear here.",
    conversations: "Conversations",
    questions: "Questions",
    selfService: "Self-service rate",
    selfServiceExplained: "Conversations with an answer, without a person, and not refused at last.",
    handoffs: "Handed to people",
    satisfied: "Thumbs up",
    rated: (count) => `of ${count} ratings`,
    speed: "Time to answer",
    ms: (ms) => (ms >= 1_000 ? `${(ms / 1_000).toFixed(1)} s` : `${Math.round(ms)} ms`),
    slowest: (ms) => `nine in ten within ${(ms / 1_000).toFixed(2)} s`,
    beforeThat: "Against as many days before",
    outcomesTitle: "How questions were answered",
    latencyTitle: "Time to answer",
    p50: "half within",
    p90: "nine in ten within",
    conversationsTitle: "Volume",
    topTitle: "Asked most",
    unansweredTitle: "Not answered",
    costTitle: "The larger model",
    escalated: (count, tokens) => `Asked ${count} times, ${tokens} tokens.`,
    price: "Price per million tokens",
    together: "Together",
    question: "Question",
    times: "Times",
    nothing: "Nothing in this time.",
    toReview: "Deal with them",
    date: "Date",
    asTable: "As numbers",
    chart: (title, from, to) => `${title}: a chart from ${from} to ${to}; below it unfolds as a table`,
  },
});
