"""frontdesk actions: Rasa's action server."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from rich.markup import escape

from bot.cli.common import err, read_settings
from bot.cli.serve import listen
from bot.errors import SettingsError
from bot.logs import set_up_logging
from bot.telemetry import start_telemetry, stop_telemetry


def actions(
    host: Annotated[str | None, typer.Option(help="Where to listen.")] = None,
    port: Annotated[int, typer.Option(help="The port; Rasa expects 5055.", min=0, max=65_535)] = 5_055,
) -> None:
    """Serve action_answer_faq, and your own actions, to an assistant made with Rasa."""
    settings = read_settings()
    try:
        from bot.actions.serving import make_server, serve  # noqa: PLC0415 - rasa-sdk is an extra
    except ImportError as error:
        raise SettingsError("rasa-sdk is not installed; run: pip install 'frontdesk-bot[rasa]'") from error
    set_up_logging(settings.log_level, as_json=settings.log_json)
    listener = listen(host or settings.server.host, port)
    problems: list[str] = []
    server = make_server(settings, problems)
    for problem in problems:
        err.print(f"  [yellow]![/] {escape(problem)}")

    def tell() -> None:
        address = "{}:{}".format(*listener.getsockname()[:2])
        err.print(f"[bold green]FrontDesk[/] answers Rasa at [bold]http://{address}/webhook[/]; in endpoints.yml:")
        err.print(f'  action_endpoint:\n    url: "http://{address}/webhook"', highlight=False)

    start_telemetry(settings.telemetry)
    try:
        asyncio.run(serve(server, listener, tell))
    finally:
        stop_telemetry()
