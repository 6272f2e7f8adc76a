"""The rooms on several machines: FrontDesk's parts as deployments of Ray Serve, with the extra `ray`.

Nothing else imports this package. The web application, the chat model and the embedder are each any number of
replicas; the seams between them are the protocols that they have on one machine too.
"""

from bot.errors import SettingsError

try:
    import mmh3  # noqa: F401 - the router needs it, and brings it only with serve
    import ray.serve  # noqa: F401
except ImportError as error:
    raise SettingsError("Ray Serve is not installed; run: pip install 'frontdesk-bot[ray]'") from error
