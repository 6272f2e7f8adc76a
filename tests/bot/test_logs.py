from __future__ import annotations

import json
import logging

import pytest
import structlog

from bot.logs import in_background, set_up_logging


def crash(secret: str) -> None:
    try:
        int("broken")
    except ValueError:
        structlog.get_logger().exception("request crashed")


@pytest.mark.parametrize("as_json", [True, False])
def test_a_crash_in_the_log_shows_no_values(capsys: pytest.CaptureFixture[str], as_json: bool) -> None:
    set_up_logging("info", as_json=as_json)
    crash("hunter" + "2")
    logged = capsys.readouterr().err
    assert "ValueError" in logged
    assert "hunter2" not in logged


def test_the_log_for_machines_is_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("info", as_json=True)
    structlog.get_logger().info("退货", count=1)
    crash("x")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["event"], line["level"]) for line in lines] == [("退货", "info"), ("request crashed", "error")]


def test_what_is_below_the_level_is_not_logged(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("error", as_json=False)
    structlog.get_logger().warning("退货")
    output = capsys.readouterr()
    assert output.err + output.out == ""


@pytest.mark.parametrize("as_json", [True, False])
def test_what_libraries_say_has_the_same_form(capsys: pytest.CaptureFixture[str], as_json: bool) -> None:
    set_up_logging("info", as_json=as_json)
    set_up_logging("info", as_json=as_json)
    with structlog.contextvars.bound_contextvars(request_id="r-1"):
        logging.getLogger("uvicorn.error").error("%s request(s) cut", 2)
        logging.getLogger("uvicorn.error").info("not of interest")
    [line] = capsys.readouterr().err.splitlines()
    if as_json:
        said = json.loads(line)
        assert said.pop("timestamp")
        assert said == {
            "event": "2 request(s) cut",
            "level": "error",
            "logger": "uvicorn.error",
            "request_id": "r-1",
        }
    else:
        assert all(part in line for part in ("2 request(s) cut", "error", "r-1"))


def test_a_crash_in_a_library_is_one_line_for_machines_and_shows_no_values(
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_up_logging("info", as_json=True)
    secret = "hunter" + "2"
    try:
        int("broken")
    except ValueError:
        logging.getLogger("uvicorn.error").exception("crashed %s", secret[:0])
    [line] = capsys.readouterr().err.splitlines()
    assert "ValueError" in json.loads(line)["exception"]
    assert "hunter2" not in line


async def test_background_work_says_which_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    async def work() -> None:
        structlog.get_logger().info("done")

    set_up_logging("info", as_json=True)
    await in_background("settings", work())
    structlog.get_logger().info("after")
    first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (first["background"], "background" in second) == ("settings", False)


HOSTILE = "/x\x1b[2J\x9b2J\n2026-01-01 [info] forged\r\u2028forged\u0085forged\x7f"
"""What clears a terminal, and what would begin a line."""


@pytest.mark.parametrize("as_json", [True, False])
def test_what_others_sent_is_one_line_and_gives_a_terminal_no_orders(
    capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    set_up_logging("info", as_json=as_json)
    structlog.get_logger().info("request", path=HOSTILE)
    structlog.get_logger().info(HOSTILE, paths=[HOSTILE])
    logged = capsys.readouterr().err
    assert len(logged.splitlines()) == 2
    assert [character for character in logged if ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0] == ["\n"] * 2
    if as_json:
        assert [json.loads(line).get("path") for line in logged.splitlines()] == [HOSTILE, None]


@pytest.mark.parametrize("as_json", [True, False])
def test_no_line_of_a_crash_can_be_taken_for_another_entry(capsys: pytest.CaptureFixture[str], as_json: bool) -> None:
    set_up_logging("info", as_json=as_json)
    structlog.get_logger().error("request crashed", exc_info=ValueError(HOSTILE))
    logged = capsys.readouterr().err
    assert "ValueError" in logged
    assert "\x1b" not in logged
    assert "\x9b" not in logged
    assert [line for line in logged.splitlines()[1:] if not line.startswith("    ")] == []


def test_what_libraries_say_of_others_words_is_no_new_entry(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("info", as_json=False)
    logging.getLogger("library").warning("the host said %s", HOSTILE)
    [line] = capsys.readouterr().err.splitlines()
    assert "the host said /x\\u001b[2J" in line


def test_a_log_that_cannot_be_written_costs_nothing_but_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with open("/dev/full", "w") as full:
        monkeypatch.setattr("sys.stderr", full)
        set_up_logging("info", as_json=True)
        structlog.get_logger().info("退货", text="x" * 100_000)
        monkeypatch.undo()
        with pytest.raises(OSError):
            full.close()
