/** Settings: the larger model that is asked when the FAQ is not enough. */

import { element, icon } from "/page/dom.js";
import { post } from "../../api.js";
import { input } from "../../forms.js";
import { button, card } from "../../parts.js";
import { words } from "../../words.js";
import { isWebAddress } from "./addresses.js";
import { number, text } from "./controls.js";
import { option } from "./option.js";
import { optionsCard, showSection } from "./settings.js";

const MAX_SECONDS = 600;

const t = words({
  zh: {
    title: "大模型",
    sentence: "知识库没有把握时去问的远程大模型。任何兼容 OpenAI 接口的服务都可以；不填接口地址就不用。",
    url: "接口地址",
    urlHint: "例如 https://dashscope.aliyuncs.com/compatible-mode/v1。客户的问题会发到那里。",
    noUrl: "请写完整的地址，以 https:// 开头",
    model: "模型名称",
    modelHint: "服务商给这个模型起的名字，例如 qwen-plus。",
    noModel: "请填写模型名称",
    key: "密钥",
    keyHint: "只能写入：保存后谁也看不到，包括您。",
    keySet: "已设置；填写新的即可替换",
    keyNone: "还没有设置",
    keyRemove: "删除密钥",
    keyRemoved: "保存后删除密钥",
    timeout: "最多等",
    timeoutHint: "超过这么久没答完，就当没答上来。",
    seconds: "秒",
    noSeconds: `请填 1 到 ${MAX_SECONDS} 之间的数`,
    test: "试一下",
    testSentence: "现在就向大模型发出一个很短的请求；没保存的改动会先保存。",
    tryIt: "试一下",
    asking: "正在询问…",
    works: (ms, answer) => `可以用：${ms} 毫秒后回答了“${answer}”`,
    fails: (reason) => `不能用：${reason}`,
    none: "还没有填接口地址",
  },
  en: {
    title: "Larger model",
    sentence: "Asked when the FAQ is not enough: any endpoint that speaks OpenAI's API. Without an endpoint there is none.",
    url: "Endpoint",
    urlHint: "Such as https://dashscope.aliyuncs.com/compatible-mode/v1. Customers' questions are sent there.",
    noUrl: "Please write the whole address, beginning with https://",
    model: "Model",
    modelHint: "The provider's name of it, such as qwen-plus.",
    noModel: "Please name the model",
    key: "Key",
    keyHint: "It can only be written: once saved, nobody can see it, not even you.",
    keySet: "Set; write another to replace it",
    keyNone: "Not set",
    keyRemove: "Remove the key",
    keyRemoved: "Saving removes the key",
    timeout: "Wait at most",
    timeoutHint: "What is not answered by then counts as not answered.",
    seconds: "seconds",
    noSeconds: `Please write a number from 1 to ${MAX_SECONDS}`,
    test: "Try it",
    testSentence: "Sends a very short request to the model now; changes are saved first.",
    tryIt: "Try it",
    asking: "Asking…",
    works: (ms, answer) => `It works: after ${ms} ms it said “${answer}”`,
    fails: (reason) => `It does not work: ${reason}`,
    none: "no endpoint is set",
  },
});

/** Show the section. */
export async function render(place) {
  const tried = element("p", { role: "status", class: "tried-out" });
  await showSection(place, (settings, show) => {
    const setting = (name) => settings[`remote.${name}`];
    const options = [
      option(setting("base_url"), t.url, text(setting("base_url").value, { type: "url", inputmode: "url" }), {
        hint: t.urlHint,
        check: (address) => (address === null || isWebAddress(address) ? null : t.noUrl),
      }),
      option(setting("model"), t.model, text(setting("model").value, { maxlength: 200 }), {
        hint: t.modelHint,
        check: (name) => (name ? null : t.noModel),
      }),
      option(setting("api_key"), t.key, secret(setting("api_key").value), { hint: t.keyHint }),
      option(setting("timeout_seconds"), t.timeout, number(setting("timeout_seconds").value, t.seconds, { min: 1, max: MAX_SECONDS, step: "any" }), {
        hint: t.timeoutHint,
        check: (seconds) => (seconds > 0 && seconds <= MAX_SECONDS ? null : t.noSeconds),
      }),
    ];
    const made = optionsCard(t.title, t.sentence, options, show);
    const ask = async () => {
      if (made.isChanged()) {
        if (options.some((each) => !each.isValid())) return;
        await made.save();
      }
      await tryModel(tried);
    };
    return [made, card(t.test, element("p", { class: "quiet" }, t.testSentence), button(t.tryIt, ask, { icon: "tryit" }), tried)];
  });
}

/** A key that is only written. */
function secret(isSet) {
  const box = input(null, { type: "password", autocomplete: "new-password", placeholder: isSet ? t.keySet : t.keyNone });
  box.removeAttribute("name");
  const drop = button(t.keyRemove, () => mark(true), { kind: "danger", icon: "trash" });
  drop.hidden = !isSet;
  let isRemoved = false;
  const node = element("div", { class: "with-unit" }, box, drop);
  box.addEventListener("input", () => box.value && mark(false));
  return { node, focus: box, read: () => null, write: () => {}, isChanged: () => isRemoved || box.value !== "", change: () => box.value || null };

  function mark(removed) {
    isRemoved = removed;
    if (removed) box.value = "";
    box.placeholder = removed ? t.keyRemoved : isSet ? t.keySet : t.keyNone;
    if (removed) node.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

async function tryModel(tried) {
  tried.className = "tried-out";
  tried.textContent = t.asking;
  const { works, message, ms } = await post("/settings/remote/test");
  const reason = message.startsWith("remote.base_url is not set") ? t.none : message;
  tried.className = `tried-out note ${works ? "good" : "bad"}`;
  tried.replaceChildren(icon(works ? "check" : "warning"), works ? t.works(ms, message) : t.fails(reason));
}
