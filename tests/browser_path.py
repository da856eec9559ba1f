"""Find the Chromium that browser tests drive; with `--provide`, try to install one on this machine."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Error, sync_playwright

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
DEBIAN_PACKAGES = ("chromium", "fonts-noto-cjk")
DOWNLOAD_SECONDS_MAX = 900


def browser_path() -> Path | None:
    """TIMEBANK_TEST_CHROMIUM, else the system's Chromium or Chrome, else the one that Playwright downloaded."""
    named = os.environ.get("TIMEBANK_TEST_CHROMIUM")
    if named:
        return Path(named) if Path(named).is_file() else None
    for program in PROGRAMS:
        found = shutil.which(program, path=os.environ.get("PATH", os.defpath) + os.pathsep + "/usr/bin")
        if found:
            return Path(found)
    return _of_playwright()


def why_not() -> str:
    """The reason that pytest shows for skipped browser tests."""
    named = os.environ.get("TIMEBANK_TEST_CHROMIUM")
    if named:
        return f"TIMEBANK_TEST_CHROMIUM names {named}, which is no file"
    return "no Chromium here: install one, or name it in TIMEBANK_TEST_CHROMIUM, and run `make browser`"


def _of_playwright() -> Path | None:
    try:
        with sync_playwright() as playwright:
            path = Path(playwright.chromium.executable_path)
    except Error:
        return None
    return path if path.is_file() else None


def _provide() -> None:
    wanted = "TIMEBANK_TEST_CHROMIUM" not in os.environ and browser_path() is None
    if os.geteuid() == 0 and shutil.which("apt-get"):
        if wanted or not _has_chinese_letters():
            _try("apt-get", "-qq", "update")
            _try("apt-get", "-qq", "install", "-y", "--no-install-recommends", *DEBIAN_PACKAGES)
    elif wanted:
        _try(sys.executable, "-m", "playwright", "install", "chromium")
    found = browser_path()
    print(f"Browser tests use {found}." if found else f"Browser tests will be skipped: {why_not()}.")
    if found and not _has_chinese_letters():
        print("No Chinese font here: pages will show empty boxes; install one such as fonts-noto-cjk.")


def _has_chinese_letters() -> bool:
    fc_list = shutil.which("fc-list")
    return fc_list is not None and subprocess.check_output([fc_list, ":lang=zh"]) != b""


def _try(*command: str) -> None:
    try:
        done = subprocess.run(
            command,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            capture_output=True,
            text=True,
            timeout=DOWNLOAD_SECONDS_MAX,
            check=False,
        )
    except subprocess.TimeoutExpired:
        print(f"`{' '.join(command)}` did not end within {DOWNLOAD_SECONDS_MAX} seconds.")
        return
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        why = next((line.strip() for line in lines if "rror" in line or line.startswith("E:")), "it gave no reason")
        print(f"`{' '.join(command)}` failed: {why}")


if __name__ == "__main__":
    _provide() if "--provide" in sys.argv else print(browser_path() or why_not())
