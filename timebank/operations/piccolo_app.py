"""The only Piccolo application: its migrations folder and every table class."""

from pathlib import Path

from piccolo.conf.apps import AppConfig, table_finder

from timebank.core.capability import capabilities

APP_CONFIG = AppConfig(
    app_name="timebank",
    migrations_folder_path=str(Path(__file__).parents[2] / "migrations"),
    table_classes=table_finder([one.tables for one in capabilities() if one.tables]),
)
