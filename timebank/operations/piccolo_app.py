"""The only Piccolo application: its migrations folder and every table class."""

from pathlib import Path

from piccolo.conf.apps import AppConfig, table_finder

from timebank.core.capability import capabilities

OF_NO_CAPABILITY = ("timebank.core.audit",)

APP_CONFIG = AppConfig(
    app_name="timebank",
    migrations_folder_path=str(Path(__file__).parents[2] / "migrations"),
    table_classes=table_finder([*OF_NO_CAPABILITY, *(one.tables for one in capabilities() if one.tables)]),
)
