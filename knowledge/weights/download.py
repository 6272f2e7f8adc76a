"""One file over HTTP: resumed where it was cut, with progress, and never taken for complete before it is."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from knowledge.errors import DownloadError, NotEnoughSpace

Progress = Callable[[str, int, int], None]
"""Called with a label, the bytes done and the bytes in all."""

CHUNK = 1 << 20
ATTEMPTS = 4
TIMEOUT = httpx.Timeout(30, connect=5)


def ignore_progress(_label: str, _done: int, _total: int) -> None:
    """Show nothing."""


def download(client: httpx.Client, url: str, target: Path, *, size: int, progress: Progress) -> None:
    """Bring `url` to `target`, going on from what `target` already holds; `size` is in bytes.

    Raises:
        DownloadError: the server refused, or the connection was cut more often than it is worth retrying.
        NotEnoughSpace: the disk is full.
    """
    attempt = 0
    while (have := _size_of(target)) != size:
        try:
            _append(client, url, target, have=have, size=size, progress=progress)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            attempt = 1 if _size_of(target) > have else attempt + 1
            if attempt >= ATTEMPTS or _is_final(error):
                raise DownloadError(f"{_host(url)}: {_reason(error)}") from error
    progress(target.name, size, size)


def check_space(folder: Path, needed: int) -> None:
    """Raise NotEnoughSpace unless the disk of `folder` has `needed` bytes free."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise NotEnoughSpace(
            f"{folder} has {free / 1e9:.2f} GB free and {needed / 1e9:.2f} GB are needed; free some space, "
            "or set FRONTDESK_MODELS_DIR to a larger disk"
        )


@contextmanager
def full_disk_translated(folder: Path) -> Iterator[None]:
    """Turn the operating system's 'no space left' into NotEnoughSpace."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise NotEnoughSpace(f"the disk of {folder} is full; free some space and run the command again") from error


def _host(url: str) -> str:
    try:
        return httpx.URL(url).host
    except httpx.InvalidURL:
        return url


def _size_of(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _is_final(error: Exception) -> bool:
    """Say whether trying again is of no use: nobody is there, or the answer is no."""
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code < 500
    return isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.InvalidURL | httpx.UnsupportedProtocol)


def _append(client: httpx.Client, url: str, target: Path, *, have: int, size: int, progress: Progress) -> None:
    if have > size:
        target.unlink()
        have = 0
    headers = {"Range": f"bytes={have}-"} if have else {}
    with client.stream("GET", url, headers=headers, follow_redirects=True) as response:
        response.raise_for_status()
        resumed = response.status_code == httpx.codes.PARTIAL_CONTENT
        done = have if resumed else 0
        with full_disk_translated(target.parent), target.open("ab" if resumed else "wb") as file:
            for chunk in response.iter_bytes():
                file.write(chunk)
                done += len(chunk)
                progress(target.name, done, size)
                if done > size:
                    break
    if done > size:
        target.unlink()
        raise DownloadError(f"{response.url.host} gives more than the {size:,} bytes that were expected")
    if done < size:
        raise httpx.RemoteProtocolError(f"cut after {done} of {size} bytes")


def _reason(error: Exception) -> str:
    if isinstance(error, httpx.HTTPStatusError):
        return f"answered {error.response.status_code}"
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return "cannot be reached"
    return str(error) or type(error).__name__
