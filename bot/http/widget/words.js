/** What only the widget says, in Chinese and English. */

export const WORDS = {
  zh: {
    open: "打开在线客服",
    close: "收起",
    unread: (count) => `打开在线客服，${count} 条未读`,
    panel: "在线客服",
    download: "下载对话记录",
    file: "对话记录.txt",
  },
  en: {
    open: "Open the chat",
    close: "Close the chat",
    unread: (count) => `Open the chat, ${count} unread`,
    panel: "Chat",
    download: "Download the conversation",
    file: "conversation.txt",
  },
};
