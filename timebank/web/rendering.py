"""The Jinja environment of all pages: its filters and globals, and how it makes and calls macros."""

from collections.abc import Callable, Mapping, MutableMapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, Template
from jinja2.environment import TemplateModule
from jinja2.runtime import Context
from litestar.plugins.jinja import JinjaTemplateEngine

from timebank.core import clock, names, vault, wording
from timebank.core.capability import MenuEntry, capabilities
from timebank.rules.words import rule_in_words
from timebank.stations.stations import open_hours
from timebank.web.static_files import static_address

ROOT = Path(__file__).parent.parent.parent
TEMPLATES = [ROOT / "timebank" / "web" / "templates", ROOT / "admin" / "templates"]

ICONS_MAX = 1024  # a drawing with its label and class


class PageContext(Context):
    """Calls macros and functions as they are. Jinja looks at each call whether the function asks for the context; none
    of ours does.
    """

    def call(self, called: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        kwargs.pop("_block_vars", None)
        kwargs.pop("_loop_vars", None)
        return called(*args, **kwargs)


class PageTemplate(Template):
    """A template; what its page and the layout import from parts/ is made once for the page, and not at each import.

    So the macros of parts/ see the variables that every page has, and none of the template that imports them.
    """

    def render(self, *args: Any, **kwargs: Any) -> str:
        return super().render(*args, imported={}, **kwargs)

    def make_module(
        self,
        vars: dict[str, Any] | None = None,  # noqa: A002  # the parameters of Jinja
        shared: bool = False,
        locals: Mapping[str, Any] | None = None,  # noqa: A002  # the parameters of Jinja
    ) -> TemplateModule:
        made: dict[str, TemplateModule] | None = (vars or {}).get("imported")
        if made is None or self.name is None or not self.name.startswith("parts/"):
            return super().make_module(vars, shared, locals)
        if self.name not in made:
            made[self.name] = super().make_module(vars, shared)
        return made[self.name]


class Pages(Environment):
    """Templates whose globals are complete before the first is loaded. None looks at its file again."""

    context_class = PageContext
    template_class = PageTemplate

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """The globals of a template as one dict. Jinja's ChainMap is walked in Python at each import of a macro."""
        return {**self.globals, **(d or {})}


def template_engine() -> JinjaTemplateEngine:
    own = [one.folder / "templates" for one in capabilities()]
    folders = [*TEMPLATES, *(folder for folder in own if folder.is_dir())]
    engine = JinjaTemplateEngine.from_environment(
        Pages(loader=FileSystemLoader(folders), autoescape=True, auto_reload=False)
    )
    engine.engine.filters |= {
        "when": wording.when, "until": wording.until, "day": wording.day, "minutes": wording.duration,
        "points": wording.points, "month": wording.month, "short_month": wording.short_month, "yuan": wording.yuan,
        "masked": names.masked, "earns": rule_in_words, "open_hours": open_hours,
    }  # fmt: skip
    for asks_for_the_context in ("url_for", "csrf_token", "url_for_static_asset"):  # of Litestar; see PageContext
        del engine.engine.globals[asks_for_the_context]
    engine.engine.globals["menu"] = menu
    engine.engine.globals["local"] = clock.local
    engine.engine.globals["new_key"] = vault.token
    engine.engine.globals["static"] = static_address
    draw_icons_once(engine.engine)
    return engine


def draw_icons_once(templates: Environment) -> None:
    """Make `icon` of parts/icons.html a global that remembers what it has drawn. `static` must be known.

    `typed`, because a text and the same text as markup are equal, and only one of them is escaped.
    """
    parts = templates.get_template("parts/icons.html").module
    templates.globals["icon"] = lru_cache(ICONS_MAX, typed=True)(getattr(parts, "icon"))  # noqa: B009  # the template makes it


def menu(*, reads_all: bool, uses: Callable[[str], bool]) -> list[MenuEntry]:
    """The panel's menu. `reads_all` False: for a caller who reads a part of the community, such as a grid worker.

    `uses`: whether the community has switched a capability on.
    """
    brought = (one for one in capabilities() if not one.switch or uses(one.name))
    entries = sorted((entry for one in brought for entry in one.menu), key=lambda entry: entry.place)
    return [entry for entry in entries if entry.readers in ("both", "all" if reads_all else "part")]
