"""Every sentence of our own that a customer reads, in Chinese and English."""

from __future__ import annotations

from collections.abc import Sequence

from knowledge.text import Language


def _pick(language: str, zh: str, en: str) -> str:
    return zh if language == "zh" else en


def _spaced(name: str) -> str:
    """Return a name as it follows a Chinese character: a Latin one after a space."""
    return f" {name}" if name[:1].isascii() else name


def as_language(language: str) -> Language:
    """Return the one of our languages that serves a customer best."""
    return "zh" if language.lower().startswith("zh") else "en"


def welcome(language: str, name: str, chosen: str = "") -> str:
    """Greet on an empty chat page, with the company's own words if it has any."""
    return chosen or _pick(
        language, f"您好，我是{_spaced(name)}，请问有什么可以帮您？", f"Hello, I am {name}. How can I help you?"
    )


def clarify(language: str) -> str:
    """Introduce the entries to choose from."""
    return _pick(language, "您是不是想问：", "Did you mean one of these?")


def reply_with_number(language: str) -> str:
    """Say how to choose where nothing can be clicked."""
    return _pick(language, "（回复序号即可）", "(Reply with a number.)")


def based_on(language: str, questions: Sequence[str]) -> str:
    """Name the entries that an answer rests on, where they cannot be unfolded."""
    return _pick(language, f"（依据：{'；'.join(questions)}）", f"(Based on: {'; '.join(questions)})")


def out_of_scope(language: str, *, can_hand_off: bool) -> str:
    """Say kindly that the FAQ has no answer."""
    if can_hand_off:
        return _pick(
            language,
            "抱歉，我暂时没有找到这个问题的答案。您可以换个说法再问一次，或者回复“转人工”，由同事为您解答。",
            "Sorry, I could not find an answer to that. Please try other words, or reply “talk to a person”.",
        )
    return _pick(
        language,
        "抱歉，我暂时没有找到这个问题的答案。您可以换个说法再问一次。",
        "Sorry, I could not find an answer to that. Please try other words.",
    )


def too_often(language: str, seconds: int) -> str:
    """Ask for patience."""
    return _pick(
        language, f"您问得有点快，请 {seconds} 秒后再试。", f"That was a little fast; please try again in {seconds} s."
    )


def no_words(language: str) -> str:
    """Answer a message that holds no words."""
    return _pick(
        language,
        "请用文字描述您的问题，我会尽力帮您。",
        "Please describe your question in words and I will do my best.",
    )


def text_only(language: str) -> str:
    """Decline what is no text: an image, a voice message, a file."""
    return _pick(
        language,
        "抱歉，我目前只能看懂文字。请用文字描述您的问题，或者回复“转人工”。",
        "Sorry, I can read text only. Please describe your question in words, or reply “talk to a person”.",
    )


def too_long(language: str) -> str:
    """Ask for a shorter question."""
    return _pick(
        language,
        "抱歉，您的消息太长了。请用一两句话描述问题。",
        "Sorry, that message is too long. Please put your question in a sentence or two.",
    )


def not_discussed(language: str) -> str:
    """Decline a question with a sensitive word."""
    return _pick(
        language,
        "抱歉，这个话题我不便回答。如有其他问题，欢迎随时问我。",
        "Sorry, that is not something I can talk about. I am happy to help with anything else.",
    )


def talk_to_a_person(language: str) -> str:
    """Name the button that calls a human; sent as a message, it does."""
    return _pick(language, "转人工", "Talk to a person")


def thanks(language: str) -> str:
    """Thank for a thumb."""
    return _pick(language, "谢谢您的反馈！", "Thank you for the feedback!")


def handed_off(language: str, *, asked: bool = True) -> str:
    """Say that a human has been called, as the customer `asked` or because the bot did not help."""
    if asked:
        return _pick(
            language,
            "好的，已为您转接人工客服，请稍候。您可以继续补充说明，同事会看到完整的对话。",
            "All right, I have called a colleague. You can add details meanwhile; they will see the whole "
            "conversation.",
        )
    return _pick(
        language,
        "抱歉没能答上您的问题，已请人工客服来处理，请稍候。您可以继续补充说明，同事会看到完整的对话。",
        "Sorry that I could not answer, so I have called a colleague. You can add details meanwhile; they will see the "
        "whole conversation.",
    )


def still_waiting(language: str) -> str:
    """Say that the human is on the way; what was written is kept."""
    return _pick(language, "已收到，人工客服会尽快回复您。", "Received. A colleague will reply as soon as possible.")


def way_back(language: str) -> str:
    """Say how to go on with the bot instead of waiting for a human; `guards.calls_off_human` understands it."""
    return _pick(
        language,
        "想继续问机器人，请回复“不用人工”。",
        "To go on with the bot instead, write “no agent”.",
    )


def bot_again(language: str) -> str:
    """Say that nobody is waited for any more."""
    return _pick(
        language, "好的，不再等待人工客服。请问还有什么可以帮您？", "All right, no agent then. What can I do for you?"
    )


def outside_hours(language: str, hours: str) -> str:
    """Say when there are people; the call is kept."""
    return _pick(
        language,
        f"现在不是人工服务时间（{hours}）。您的问题已经记下，同事上班后会尽快回复您。",
        f"Our colleagues are here {hours}. Your question is noted; they will reply as soon as they are back.",
    )


def no_humans(language: str) -> str:
    """Say that nobody can be called."""
    return _pick(language, "抱歉，目前没有人工客服可以接入。", "Sorry, no colleague can be reached at the moment.")


def something_failed(language: str) -> str:
    """Say that something broke, without saying what."""
    return _pick(
        language,
        "抱歉，系统出了点问题，请稍后再试。",
        "Sorry, something went wrong. Please try again in a moment.",
    )


def busy(language: str) -> str:
    """Say that too many are waiting."""
    return _pick(
        language,
        "现在咨询的人较多，请稍后再试。",
        "Many people are asking right now. Please try again in a moment.",
    )


def restarting(language: str) -> str:
    """Say that this server is about to stop, and that another, or the same one again, is there soon."""
    return _pick(
        language,
        "系统正在更新，请几秒后再发一次。",
        "We are just updating our system. Please send your question again in a few seconds.",
    )


def ask_order_number(language: str, *, again: bool = False) -> str:
    """Ask which order is meant; `again` if what came was no number of one."""
    if again:
        return _pick(
            language,
            "这好像不是完整的订单号，请核对后再发一次。",
            "That does not look like a whole order number. Please check it and send it again.",
        )
    return _pick(
        language, "请发送您的订单号，我来帮您查询。", "Please send me your order number, and I will look it up."
    )


def unknown_order(language: str, number: str) -> str:
    """Say that there is no such order."""
    return _pick(
        language,
        f"没有查到订单 {number}，请核对订单号后再发一次。",
        f"I could not find the order {number}. Please check the number and send it again.",
    )


def pages_found(language: str) -> str:
    """Introduce pages of the company's site."""
    return _pick(language, "这些页面可能有您要找的内容：", "These pages may have what you are looking for:")
