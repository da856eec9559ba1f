"""The one Piccolo application: its migrations folder and every table class."""

from pathlib import Path

from piccolo.conf.apps import AppConfig, table_finder

CAPABILITIES = (
    "agreements", "areas", "people", "access", "stations", "activities", "rules",
    "checkins", "deeds", "shop", "classes", "imports", "ledger", "overview",
)  # fmt: skip

APP_CONFIG = AppConfig(
    app_name="timebank",
    migrations_folder_path=str(Path(__file__).parent.parent / "migrations"),
    table_classes=table_finder([f"timebank.{name}.tables" for name in CAPABILITIES]),
)
