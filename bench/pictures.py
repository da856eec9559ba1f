"""Prints how long a report with a picture takes, and what memory the service needs for 20 pictures at once.

The report is asked of the application in this process; the memory is read in a process of its own, started as a user
starts it and asked over HTTP.
"""

import asyncio
import io
import statistics
import time
from pathlib import Path

import click
import httpx
from PIL import Image

from bench.service import serving
from tests.support.matters import BUILDING
from tests.support.town import Town
from timebank.core import clock, settings
from timebank.photos.drawing import SIDE_MAX, draw_anew

REPORTS, REPORT_TARGET = 9, 400
AT_ONCE, MEMORY_TARGET = 20, 180


async def measure_pictures(client: httpx.AsyncClient, town: Town, serving_url: str) -> None:
    await _reported(client, town)
    with serving(serving_url, settings.current().secret_key.decode(), 1) as service:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{service.port}", timeout=300) as outside:
            await _at_once(outside, town, service.process.pid)


async def _reported(client: httpx.AsyncClient, town: Town) -> None:
    """A report with a picture of about 4 MB, REPORTS times, and the drawing of the picture by itself."""
    content = noisy_picture((3000, 2000), 60, 88)
    one = await town.sign_in("张桂兰")
    await _report(client, town, one, content)
    took, drawing = [], []
    for _ in range(REPORTS):
        took.append(await _report(client, town, one, content))
        began = time.perf_counter()
        await draw_anew(content, SIDE_MAX)
        drawing.append((time.perf_counter() - began) * 1000)
    median = statistics.median(took)
    click.echo(
        f"  report with a {len(content) / 1e6:.1f} MB picture      median {median:6.0f} ms  worst {max(took):6.0f} ms  "
        f"target {REPORT_TARGET} ms{'  OVER' if median > REPORT_TARGET else ''}, "
        f"of which drawing it anew {statistics.median(drawing):.0f} ms"
    )


async def _at_once(client: httpx.AsyncClient, town: Town, process: int) -> None:
    """AT_ONCE pictures of 12 million pixels at once, twice: the second time shows what stays."""
    callers = [await town.sign_in(name) for name in sorted(town.logins)]
    content = noisy_picture((4000, 3000), 26, 76)
    await _send_picture(client, callers[0], noisy_picture((640, 480), 60, 88))
    for _ in range(2):
        before = _megabytes(process, "VmRSS")
        _clear_peak(process)
        began = time.perf_counter()
        await asyncio.gather(*(_send_picture(client, callers[n % len(callers)], content) for n in range(AT_ONCE)))
        took, peak = time.perf_counter() - began, _megabytes(process, "VmHWM")
        click.echo(
            f"  process of the service: before {before:.0f} MB, peak {peak:.0f} MB with {AT_ONCE} pictures of "
            f"{len(content) / 1e6:.1f} MB and 12 million pixels at once, in {took:.1f} s  "
            f"target {MEMORY_TARGET} MB{'  OVER' if peak > MEMORY_TARGET else ''}"
        )


def _megabytes(process: int, figure: str) -> float:
    """A figure of the memory of a process as Linux counts it: VmRSS is what it has now, VmHWM the most it had."""
    for line in Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{figure}:"):
            return int(line.split()[1]) / 1024
    raise click.ClickException(f"{figure} is not counted for process {process}")


def _clear_peak(process: int) -> None:
    Path(f"/proc/{process}/clear_refs").write_text("5", encoding="ascii")


async def _send_picture(client: httpx.AsyncClient, by: dict[str, str], content: bytes) -> str:
    answer = await client.post("/api/v1/photos", headers=by, files={"photo": ("p.jpg", content, "image/jpeg")})
    if answer.status_code != 201:
        raise click.ClickException(f"photo: {answer.status_code} {answer.text[:500]}")
    return str(answer.json()["id"])


async def _report(client: httpx.AsyncClient, town: Town, by: dict[str, str], content: bytes) -> float:
    """Send the picture and the report; return the milliseconds of both."""
    began = time.perf_counter()
    photo = await _send_picture(client, by, content)
    body = {
        "kind": "report", "category": "manhole", "area_id": str(town.areas[BUILDING]), "said": "井盖坏了",
        "photo_ids": [photo],
    }  # fmt: skip
    answer = await client.post("/api/v1/matters", headers=by | {"Idempotency-Key": str(clock.new_id())}, json=body)
    if answer.status_code != 201:
        raise click.ClickException(f"report: {answer.status_code} {answer.text[:500]}")
    return (time.perf_counter() - began) * 1000


def noisy_picture(size: tuple[int, int], noise: int, quality: int) -> bytes:
    """A photograph's size and weight, of which nothing repeats."""
    kept = io.BytesIO()
    Image.effect_noise(size, noise).convert("RGB").save(kept, "JPEG", quality=quality)
    return kept.getvalue()
