"""Pages of the company's site for a question, from the search that the site has."""

from __future__ import annotations

from typing import Any

from pydantic import Field, SecretStr
from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.interfaces import ActionExecutionRejection

from bot import messages
from connectors.base import ConnectorSettings
from connectors.rasa.tool import language_of, look_up, plain, text_of

PAGES = 3


class SiteSearchSettings(ConnectorSettings):
    """Entries with the action `action_site_search` show pages of your site."""

    url: str = Field(
        pattern=r"^https?://.*\{question\}",
        description="Your site's search, such as https://www.example.com/search.json?q={question}; "
        "answers a JSON list of objects with title and url, or an object with such a list as `results`.",
    )
    authorization: SecretStr = Field(SecretStr(""), description="Sent as the header Authorization.")


class SiteSearch(Action):
    """Shows up to three pages."""

    Settings = SiteSearchSettings

    def __init__(self, settings: SiteSearchSettings) -> None:
        """Search as the settings say."""
        self._settings = settings

    def name(self) -> str:
        """Return the name that entries give."""
        return "action_site_search"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Show what was found; declines if that is nothing."""
        del domain
        text = text_of(tracker)
        response = await look_up(self._settings.url, tracker, self._settings.authorization, question=text)
        found = response.raise_for_status().json()
        pages = [plain(page) for page in (found.get("results", []) if isinstance(found, dict) else found)[:PAGES]]
        links = [
            f"- [{page['title']}]({page['url']})"
            for page in pages
            if page.get("title") and page.get("url", "").startswith(("http://", "https://"))
        ]
        if not links:
            raise ActionExecutionRejection(self.name(), "nothing was found")
        dispatcher.utter_message(text="\n".join([messages.pages_found(language_of(tracker)), "", *links]))
        return []
