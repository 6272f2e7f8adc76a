/** What is said about errors, by their type. */

import { ApiError } from "./api.js";
import { sayReason } from "./reasons.js";
import { words } from "./words.js";

const t = words({
  zh: {
    network: "连接不上服务器，请检查网络后重试。",
    unauthenticated: "登录已过期，请重新登录。",
    forbidden: "您的账号没有这项权限，请联系管理员。",
    csrf: "页面已过期，请刷新后再试。",
    not_found: "找不到这项内容，可能已被删除。",
    body_too_large: "内容太大，服务器没有接收。",
    changed_meanwhile: "这条内容刚刚被别人修改过。请刷新后再改，以免覆盖对方的修改。",
    weak_password: "密码至少需要 10 个字符。",
    last_owner: "至少要保留一位启用的所有者。",
    internal_error: "系统出了点问题，请稍后再试。",
    busy: "系统正忙，请稍后再试。",
    model_unavailable: "模型暂时不可用，请稍后再试。",
  },
  en: {
    network: "The server cannot be reached. Check your connection and try again.",
    unauthenticated: "Your session has ended. Please log in again.",
    forbidden: "Your account may not do this. Ask an owner.",
    csrf: "This page is out of date. Reload it and try again.",
    not_found: "This is not there any more; it may have been deleted.",
    body_too_large: "This is too large for the server.",
    changed_meanwhile: "Somebody has just changed this. Reload it before you edit, so that nothing of theirs is lost.",
    weak_password: "A password needs at least 10 characters.",
    last_owner: "At least one active owner must remain.",
    internal_error: "Something went wrong. Please try again in a moment.",
    busy: "The system is busy. Please try again in a moment.",
    model_unavailable: "The model is not available now. Please try again in a moment.",
  },
});

/** Return the sentence for an error: that of its reason, else the page's own for its type, the common one, the server's. */
export function explain(error, own = {}) {
  if (!(error instanceof ApiError)) {
    reportError(error); // a mistake of ours belongs into the browser's log
    return t.internal_error;
  }
  const reason = error.reason && sayReason(error.reason);
  return reason ?? own[error.type] ?? t[error.type] ?? (error.message || t.internal_error);
}
