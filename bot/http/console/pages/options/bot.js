/** Settings: who answers, how it greets, what it does not talk about. */

import { get } from "../../api.js";
import { words } from "../../words.js";
import { choice, lines, paragraph, several, text } from "./controls.js";
import { option } from "./option.js";
import { optionsCard, showSection } from "./settings.js";

const t = words({
  zh: {
    title: "机器人",
    sentence: "客户看到的名字和问候语，以及它不谈的话题。",
    name: "名字",
    nameHint: "显示在聊天窗口的顶部。",
    noName: "请给机器人起个名字",
    language: "默认语言",
    languageHint: "看不出客户用什么语言时，就用它。",
    languages: { zh: "中文", en: "英文" },
    welcome_zh: "中文问候语",
    welcome_en: "英文问候语",
    welcomeHint: "客户打开聊天窗口时看到的第一句话。",
    welcomeDefault: (name) => ({ zh: `您好，我是${name}，请问有什么可以帮您？`, en: `Hello, I am ${name}. How can I help you?` }),
    bases: "知识库",
    basesHint: "只从勾选的知识库里回答。全部勾选时，以后新建的也算在内。",
    unpublished: (name) => `${name}（还没有发布）`,
    noBase: "至少要勾选一个",
    starters: "推荐问题",
    startersHint: "每行一个，客户点一下就能问。留空则取知识库里的几条。",
    synonyms: "同义词",
    synonymsHint: "每行一组，用逗号隔开，例如：运费，邮费，快递费。客户用了 FAQ 里没有的说法，就按 FAQ 里的说法理解。",
    sensitive: "敏感词",
    sensitiveHint: "每行一个。含有这些词的问题会被礼貌地拒绝，大模型的回答里也不会出现。",
  },
  en: {
    title: "Bot",
    sentence: "The name and the greeting that customers see, and what it does not talk about.",
    name: "Name",
    nameHint: "Shown at the top of the chat.",
    noName: "Please give the bot a name",
    language: "Default language",
    languageHint: "Used where a customer's language cannot be told.",
    languages: { zh: "Chinese", en: "English" },
    welcome_zh: "Chinese greeting",
    welcome_en: "English greeting",
    welcomeHint: "The first sentence that customers see.",
    welcomeDefault: (name) => ({ zh: `您好，我是${name}，请问有什么可以帮您？`, en: `Hello, I am ${name}. How can I help you?` }),
    bases: "Knowledge bases",
    basesHint: "Answers come from those that are ticked. With all of them, those to come are among them too.",
    unpublished: (name) => `${name} (not published yet)`,
    noBase: "Tick at least one",
    starters: "Questions to begin with",
    startersHint: "One a line; a click asks it. Empty: some of the FAQ's.",
    synonyms: "Synonyms",
    synonymsHint:
      "Words that mean the same, a group a line, separated by commas: cash machine, ATM. Words that only customers use are read as the FAQ's.",
    sensitive: "Sensitive words",
    sensitiveHint: "One a line. Questions with them are declined kindly; the larger model's answers never have them.",
  },
});

/** Show the section. */
export async function render(place) {
  await showSection(place, draw, () => get("/knowledge-bases"));

  function draw(settings, show, { knowledge_bases: bases }) {
    const value = (name) => settings[`bot.${name}`].value;
    const greeting = (tongue) =>
      option(
        settings[`bot.welcome_${tongue}`],
        t[`welcome_${tongue}`],
        paragraph(value(`welcome_${tongue}`), { maxlength: 500, placeholder: t.welcomeDefault(value("name"))[tongue], lang: tongue }),
        { hint: t.welcomeHint },
      );
    return optionsCard(
      t.title,
      t.sentence,
      [
        option(settings["bot.name"], t.name, text(value("name"), { maxlength: 60 }), {
          hint: t.nameHint,
          check: (name) => (name ? null : t.noName),
        }),
        option(settings["bot.language"], t.language, choice(value("language"), Object.entries(t.languages)), {
          hint: t.languageHint,
        }),
        greeting("zh"),
        greeting("en"),
        ...(bases.length > 1 ? [baseOption(settings["bot.knowledge_bases"], bases)] : []),
        option(settings["bot.starters"], t.starters, lines(value("starters")), { hint: t.startersHint }),
        option(settings["bot.synonyms"], t.synonyms, lines(value("synonyms")), { hint: t.synonymsHint }),
        option(settings["bot.sensitive_words"], t.sensitive, lines(value("sensitive_words")), {
          hint: t.sensitiveHint,
        }),
      ],
      show,
    );
  }
}

function baseOption(setting, bases) {
  const control = several(
    setting.value,
    bases.map(({ name, release }) => [name, release === null ? t.unpublished(name) : name]),
  );
  return option(setting, t.bases, control, { hint: t.basesHint, check: (ticked) => (ticked === null ? t.noBase : null) });
}
