/** What the dashboard says, and how it writes numbers and days. */

import { locale, words } from "../../words.js";

const NUMBER = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
const PERCENT = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 });
const DAY = new Intl.DateTimeFormat(locale, { month: "short", day: "numeric", weekday: "short", timeZone: "UTC" });
const SHORT = new Intl.DateTimeFormat(locale, { month: "numeric", day: "numeric", timeZone: "UTC" });

/** Return a number as people write it. */
export function wholeNumber(value) {
  return NUMBER.format(value);
}

/** Return a share as people write it, a dash for none. */
export function percent(value) {
  return value === null || value === undefined ? "–" : PERCENT.format(value);
}

/** Return a time in the unit that fits it. */
export function duration(ms) {
  return ms >= 1_000 ? t.seconds(NUMBER.format(ms / 1_000)) : t.milliseconds(NUMBER.format(Math.round(ms)));
}

/** Return a day such as 2026-11-23 as people write it. */
export function dayName(day) {
  return DAY.format(Date.parse(day));
}

/** The same in the least room. */
export function shortDay(day) {
  return SHORT.format(Date.parse(day));
}

export const t = words({
  zh: {
    title: "数据",
    sentence: "机器人替您解决了多少问题，花了多少，哪里还不够好。",
    period: "时间范围",
    spans: { 1: "今天", 7: "7 天", 30: "30 天", 90: "90 天" },
    own: "自定义",
    from: "从",
    to: "到",
    channel: "渠道",
    everywhere: "全部渠道",
    channels: { web: "网页", widget: "网站窗口", api: "接口", openai: "接口（兼容 OpenAI）", terminal: "命令行" },
    csv: "导出 CSV",
    tooLong: "最多看 366 天，并且开始不能晚于结束",
    empty: "还没有客户提问",
    emptySentence:
      "这里会显示每天有多少人来问、机器人答上了多少、哪些问题没答上来。现在就打开聊天网页问几个问题，或把聊天窗口放到网站上。",
    openChat: "打开聊天网页",
    toWidget: "放到网站上",
    quiet: "这段时间没有人提问",
    quietSentence: "换一段时间或渠道看看。",
    widen: "看最近 90 天",
    conversations: "会话",
    questions: "提问",
    selfService: "自助解决率",
    selfServiceExplained: "得到回答、没有转人工、最后也没碰壁的会话",
    handoffs: "转人工",
    handoffsExplained: "请了同事来接的次数",
    satisfied: "好评率",
    rated: (count) => `${count} 个评价`,
    speed: "回答用时",
    milliseconds: (count) => `${count} 毫秒`,
    seconds: (count) => `${count} 秒`,
    slowest: (time) => `九成在 ${time}以内`,
    before: (value) => `之前 ${value}`,
    noBefore: "之前没有数据",
    points: (count) => `${count} 个百分点`,
    outcomesTitle: "怎样回答的",
    volumeTitle: "咨询量",
    latencyTitle: "回答用时",
    ratingsTitle: "评价",
    p50: "一半在此以内",
    p90: "九成在此以内",
    up: "好评",
    down: "差评",
    topTitle: "问得最多",
    topEmpty: "还没有由条目回答的问题。",
    unansweredTitle: "没答上来的",
    unansweredEmpty: "都答上来了。",
    channelsTitle: "各渠道",
    costTitle: "大模型花费",
    costSentence: "只有问了远程大模型的问题才花钱，其余都在自己的服务器上回答。",
    escalated: "问大模型的次数",
    promptTokens: "读入词元",
    completionTokens: "写出词元",
    price: "每百万词元的价格",
    priceHint: "只记在这个浏览器里",
    cost: "这段时间约花费",
    perQuestion: (cost) => `平均每个提问 ${cost}`,
    noPrice: "填上价格就能算",
    question: "问题",
    times: "次数",
    toReview: "去处理",
    date: "日期",
    asTable: "看表格",
    hideTable: "收起表格",
    pointAt: (title) => `${title}：用方向键逐日查看`,
    summary: (from, to, parts) => `${from}到${to}，${parts.join("，")}`,
    total: (label, value) => `${label}共 ${value}`,
    middle: (label, value) => `${label} ${value}`,
  },
  en: {
    title: "Dashboard",
    sentence: "How much the bot solves, what it costs, and where it falls short.",
    period: "Period",
    spans: { 1: "Today", 7: "7 days", 30: "30 days", 90: "90 days" },
    own: "Own",
    from: "From",
    to: "To",
    channel: "Channel",
    everywhere: "All channels",
    channels: { web: "Web page", widget: "Widget", api: "API", openai: "API (as OpenAI's)", terminal: "Command line" },
    csv: "Export CSV",
    tooLong: "366 days at most, and the beginning not after the end",
    empty: "Nobody has asked yet",
    emptySentence:
      "Here you will see how many come each day, how many the bot answers, and which questions it does not. Ask something on the chat page now, or put the widget on your site.",
    openChat: "Open the chat page",
    toWidget: "Put it on a site",
    quiet: "Nobody asked in this time",
    quietSentence: "Take another period or channel.",
    widen: "Show 90 days",
    conversations: "Conversations",
    questions: "Questions",
    selfService: "Self-service rate",
    selfServiceExplained: "Conversations with an answer, without a person, and not refused at last",
    handoffs: "Handed over",
    handoffsExplained: "How often a colleague was asked for",
    satisfied: "Satisfaction",
    rated: (count) => `${count} ratings`,
    speed: "Time to answer",
    milliseconds: (count) => `${count} ms`,
    seconds: (count) => `${count} s`,
    slowest: (time) => `nine in ten within ${time}`,
    before: (value) => `before: ${value}`,
    noBefore: "nothing to compare with",
    points: (count) => `${count} points`,
    outcomesTitle: "How questions were answered",
    volumeTitle: "Volume",
    latencyTitle: "Time to answer",
    ratingsTitle: "Ratings",
    p50: "Half within",
    p90: "Nine in ten within",
    up: "Thumbs up",
    down: "Thumbs down",
    topTitle: "Asked most",
    topEmpty: "No entry has answered a question yet.",
    unansweredTitle: "Not answered",
    unansweredEmpty: "Everything was answered.",
    channelsTitle: "By channel",
    costTitle: "Cost of the larger model",
    costSentence: "Only questions that were passed to the larger model cost money; all others are answered on your own server.",
    escalated: "Passed on",
    promptTokens: "Tokens read",
    completionTokens: "Tokens written",
    price: "Price per million tokens",
    priceHint: "Kept in this browser only",
    cost: "About, in this period",
    perQuestion: (cost) => `${cost} for each question asked`,
    noPrice: "Type a price to know",
    question: "Question",
    times: "Times",
    toReview: "Deal with them",
    date: "Date",
    asTable: "Show as table",
    hideTable: "Hide the table",
    pointAt: (title) => `${title}: day by day with the arrow keys`,
    summary: (from, to, parts) => `${from} to ${to}, ${parts.join(", ")}`,
    total: (label, value) => `${label} ${value} in all`,
    middle: (label, value) => `${label} ${value}`,
  },
});
