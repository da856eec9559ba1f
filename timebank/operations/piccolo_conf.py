"""Piccolo's configuration: the engine and the application whose migrations it runs."""

from piccolo.conf.apps import AppRegistry

from timebank.core.database import engine as DB  # noqa: N812  # Piccolo asks for this name

APP_REGISTRY = AppRegistry(apps=["timebank.operations.piccolo_app"])

__all__ = ["APP_REGISTRY", "DB"]
