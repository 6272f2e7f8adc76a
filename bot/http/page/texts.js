/** Every sentence of the page, in Chinese and English. A function takes what its sentence speaks of. */

export const TEXTS = {
  zh: {
    htmlLanguage: "zh-CN",
    conversation: "对话记录",
    newChat: "新对话",
    jumpToLatest: "回到最新消息",
    yourQuestion: "您的问题",
    placeholder: "请输入您的问题…",
    placeholderWaiting: "可以继续补充说明，同事会看到…",
    send: "发送",
    stop: "停止回答",
    disclaimer: "回答由智能助手提供，重要事项请以官方说明为准",
    charactersLeft: (count) => `还可输入 ${count} 字`,
    charactersOver: (count) => `超出 ${count} 字，请精简后再发送`,
    welcome: "您好，请问有什么可以帮您？",
    starters: "大家常问",
    you: "您",
    assistant: "智能助手",
    understoodAs: (question) => `理解为：${question}`,
    status: {
      connecting: "正在连接…",
      starting: "正在准备…",
      ready: "在线",
      retrieval: "在线",
      offline: "连接不上，正在重试…",
    },
    handoff: { bot: "转人工", waiting: "等待人工", human: "人工已接入", closed: "转人工" },
    people: {
      waiting: "正在等待人工客服",
      serving: (agent) => `${agent} 正在为您服务`,
      joined: (agent) => `${agent} 已接入`,
      bot: "已转回机器人",
      closed: "会话已结束",
      gone: "这段对话已经打不开了，请重新提问",
    },
    handoffRequest: "转人工",
    handoffFailed: "暂时无法转接人工，请稍后再试。",
    searching: "正在查找答案",
    composing: (count) => (count > 0 ? `正在根据 ${count} 条资料组织回答` : "正在组织回答"),
    reconnecting: "连接中断了，正在为您重新连接…",
    stopped: "已停止回答",
    sources: "依据",
    source: (number, question) => `来源 ${number}：${question}`,
    related: "相关问题",
    copy: "复制回答",
    copied: "已复制",
    helpful: "有帮助",
    unhelpful: "没有帮助",
    thanks: "感谢您的反馈",
    thanksComment: "已收到，感谢您的意见",
    commentLabel: "哪里不对？（选填）",
    commentPlaceholder: "例如：答非所问、内容过时…",
    commentSend: "提交",
    commentSkip: "不用了",
    feedbackFailed: "没有送达，请再试一次",
    retry: "重试",
    retryIn: (seconds) => `${seconds} 秒后可重试`,
    answerAgain: "重新回答",
    problem: {
      busy: "现在咨询的人较多，请稍后再试。",
      rejected: "这条消息没有被接受。",
      connection: "网络连接不稳定，没能收到回答。请检查网络后重试。",
      gone: "这条回答没能接着收完，请重试。",
      failed: "抱歉，系统出了点问题，请稍后再试。",
    },
    requestId: (id) => `请求编号 ${id}`,
  },
  en: {
    htmlLanguage: "en",
    conversation: "Conversation",
    newChat: "New chat",
    jumpToLatest: "Jump to the latest message",
    yourQuestion: "Your question",
    placeholder: "Ask a question…",
    placeholderWaiting: "Add details while you wait…",
    send: "Send",
    stop: "Stop answering",
    disclaimer: "Automated answers; please verify what matters",
    charactersLeft: (count) => `${count} characters left`,
    charactersOver: (count) => `${count} characters too many`,
    welcome: "Hello, how can I help you?",
    starters: "Often asked",
    you: "You",
    assistant: "Assistant",
    understoodAs: (question) => `Understood as: ${question}`,
    status: {
      connecting: "Connecting…",
      starting: "Getting ready…",
      ready: "Online",
      retrieval: "Online",
      offline: "Cannot connect, trying again…",
    },
    handoff: {
      bot: "Talk to a person",
      waiting: "Waiting for a person",
      human: "A person is here",
      closed: "Talk to a person",
    },
    people: {
      waiting: "Waiting for a colleague",
      serving: (agent) => `${agent} is with you`,
      joined: (agent) => `${agent} has joined`,
      bot: "The bot is here again",
      closed: "The conversation has ended",
      gone: "This conversation is not available any more; please ask again",
    },
    handoffRequest: "Talk to a person",
    handoffFailed: "Nobody can be called right now. Please try again later.",
    searching: "Looking for the answer",
    composing: (count) => (count > 0 ? `Writing from ${count} source${count > 1 ? "s" : ""}` : "Writing"),
    reconnecting: "The connection was lost; reconnecting…",
    stopped: "Stopped",
    sources: "Sources",
    source: (number, question) => `Source ${number}: ${question}`,
    related: "Related questions",
    copy: "Copy answer",
    copied: "Copied",
    helpful: "Helpful",
    unhelpful: "Not helpful",
    thanks: "Thanks for your feedback",
    thanksComment: "Received, thank you",
    commentLabel: "What was wrong? (optional)",
    commentPlaceholder: "For example: off the point, out of date…",
    commentSend: "Send",
    commentSkip: "No thanks",
    feedbackFailed: "That did not arrive; please try again",
    retry: "Try again",
    retryIn: (seconds) => `Try again in ${seconds} s`,
    answerAgain: "Answer again",
    problem: {
      busy: "Many people are asking right now. Please try again in a moment.",
      rejected: "This message was not accepted.",
      connection: "The connection is unstable and no answer arrived. Please check it and try again.",
      gone: "The rest of this answer is gone. Please try again.",
      failed: "Sorry, something went wrong. Please try again in a moment.",
    },
    requestId: (id) => `Request ${id}`,
  },
};

/** Add a language by its words, of the keys above; what is missing stays English. */
export function addLanguage(name, words) {
  TEXTS[name] = { ...translate(TEXTS.en, words), htmlLanguage: name, translated: true };
}

/** Return `ours` with the strings that `theirs` has for it; {0}, {1}… in them are what a sentence speaks of. */
export function translate(ours, theirs) {
  const words = Object.entries(ours).map(([key, own]) => [key, inTheirs(own, theirs?.[key])]);
  return Object.fromEntries(words);
}

function inTheirs(own, given) {
  if (typeof own === "object") return translate(own, given);
  if (typeof given !== "string") return own;
  if (typeof own === "string") return given;
  return (...values) => given.replace(/\{(\d)\}/g, (_, at) => values[at] ?? "");
}

/** Return the language the browser prefers, of those we have. */
export function browserLanguage() {
  return (navigator.language || "zh").toLowerCase().startsWith("zh") ? "zh" : "en";
}
