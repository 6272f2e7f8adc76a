/** Settings: when there are people, and who is told that a customer wants one. */

import { element } from "/page/dom.js";
import { words } from "../../words.js";
import { isWebAddress } from "./addresses.js";
import { text, toggle } from "./controls.js";
import { hours } from "./hours.js";
import { option } from "./option.js";
import { optionsCard, showSection } from "./settings.js";

const ZONES = "time-zones";

const t = words({
  zh: {
    title: "人工服务",
    sentence: "客户想找人、或机器人几次答不上来时，谁来接。",
    enabled: "转人工",
    enabledLabel: "有同事可以接手会话",
    enabledHint: "关闭后，机器人会说明没有人工服务，不再转接。",
    hours: "服务时间",
    hoursHint: "时间之外，客户会看到服务时间，可以留言。",
    zone: "时区",
    zoneHint: (zone) => `服务时间按这个时区算，例如 ${zone}；留空用服务器的时区。`,
    noZone: "没有这个时区，请写成 Asia/Shanghai 这样",
    webhook: "通知地址",
    webhookHint: "有客户要找人时，把对话和摘要以 JSON 发到这个地址，可以接到群机器人或工单系统。",
    noAddress: "请写完整的地址，以 https:// 开头",
  },
  en: {
    title: "People",
    sentence: "Who takes over when customers want a person, or when the bot does not know.",
    enabled: "Handing over",
    enabledLabel: "There are colleagues who take over",
    enabledHint: "Otherwise the bot says that there is nobody, and hands nothing over.",
    hours: "Opening hours",
    hoursHint: "Outside them, customers are told the hours, and may leave a message.",
    zone: "Time zone",
    zoneHint: (zone) => `Of these hours, such as ${zone}; empty: the server's.`,
    noZone: "There is no such time zone; write it like Asia/Shanghai",
    webhook: "Notify",
    webhookHint: "Gets the conversation and a summary as JSON when a customer wants a person: a group bot, a ticket system.",
    noAddress: "Please write the whole address, beginning with https://",
  },
});

/** Show the section. */
export async function render(place) {
  await showSection(place, (settings, show) => {
    const setting = (name) => settings[`handoff.${name}`];
    const open = hours(setting("hours").value);
    const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
    return optionsCard(
      t.title,
      t.sentence,
      [
        option(setting("enabled"), t.enabled, toggle(setting("enabled").value, t.enabledLabel), { hint: t.enabledHint }),
        option(setting("hours"), t.hours, open, { hint: t.hoursHint, check: open.check }),
        option(setting("time_zone"), t.zone, text(setting("time_zone").value, { list: ZONES, placeholder: here }), {
          hint: t.zoneHint(here),
          check: (zone) => (zone === null || isZone(zone) ? null : t.noZone),
        }),
        option(setting("webhook_url"), t.webhook, text(setting("webhook_url").value, { type: "url", inputmode: "url" }), {
          hint: t.webhookHint,
          check: (address) => (address === null || isWebAddress(address) ? null : t.noAddress),
        }),
        element("datalist", { id: ZONES }, ...Intl.supportedValuesOf("timeZone").map((value) => element("option", { value }))),
      ],
      show,
    );
  });
}

function isZone(name) {
  try {
    Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
