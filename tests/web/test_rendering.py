"""Templates: what a page imports is made once for it, of its own variables alone, and icons are drawn once."""

import inspect
from pathlib import Path
from typing import Any

import pytest
from jinja2 import DictLoader, Environment, meta, nodes

from timebank.core.locale import translator
from timebank.http import preferences
from timebank.web import pages
from timebank.web.rendering import Pages, template_engine

OF_EVERY_PAGE = {"_", "lang", "view", "csrf", "me", "path", "now", "typed", "refusal", "keeper"}
"""The variables of `page`; `keeper` is asked for by `is defined`."""


@pytest.fixture(scope="module")
def templates() -> Environment:
    engine: Environment = template_engine().engine
    return engine


def parsed(templates: Environment) -> dict[str, nodes.Template]:
    assert templates.loader is not None
    names = [name for name in templates.list_templates() if name.endswith(".html")]
    return {name: templates.parse(templates.loader.get_source(templates, name)[0]) for name in names}


def test_the_parts_use_the_variables_of_every_page_alone(templates: Environment) -> None:
    """They are made once for a page, so a variable of the template that imports them would be that of the first."""
    given = inspect.getsource(preferences.page_context) + inspect.getsource(pages)
    assert all(f'"{name}":' in given for name in OF_EVERY_PAGE)
    used = {
        name: meta.find_undeclared_variables(tree) - set(templates.globals)
        for name, tree in parsed(templates).items()
        if name.startswith("parts/")
    }
    assert len(used) > 8
    assert {name: sorted(needs - OF_EVERY_PAGE) for name, needs in used.items() if needs - OF_EVERY_PAGE} == {}


def test_no_template_gives_a_variable_of_every_page_another_value(templates: Environment) -> None:
    found = []
    for name, tree in parsed(templates).items():
        within_macros = {id(each) for macro in tree.find_all(nodes.Macro) for each in macro.find_all(nodes.Name)}
        found += [
            f"{name}:{each.lineno} {each.name}"
            for each in tree.find_all(nodes.Name)
            if each.ctx == "store" and each.name in OF_EVERY_PAGE and id(each) not in within_macros
        ]
    assert found == []


PAGES = {
    "parts/who.html": "{% macro who() %}{{ _('首页') }} {{ csrf }}{% endmacro %}",
    "layout.html": "{% from 'parts/who.html' import who with context %}{{ who() }}|{% block main %}{% endblock %}",
    "page.html": "{% extends 'layout.html' %}{% from 'parts/who.html' import who with context %}"
    "{% block main %}{% for n in range(2) %}{% include 'inner.html' %}{% endfor %}{{ who() }}{% endblock %}",
    "inner.html": "{% from 'parts/who.html' import who with context %}{{ n }} {{ who() }}|",
}


def test_each_page_has_macros_of_its_own_variables() -> None:
    templates = Pages(loader=DictLoader(PAGES), autoescape=True)
    page = templates.get_template("page.html")
    chinese = page.render(_=translator("zh"), csrf="<one>")
    assert chinese == "首页 &lt;one&gt;|0 首页 &lt;one&gt;|1 首页 &lt;one&gt;|首页 &lt;one&gt;"
    assert page.render({"_": translator("en"), "csrf": "two"}) == "Home two|0 Home two|1 Home two|Home two"


def test_what_a_page_imports_is_made_once_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    templates = Pages(loader=DictLoader(PAGES), autoescape=True)
    made: list[Any] = []
    root = templates.get_template("parts/who.html").root_render_func
    who = templates.get_template("parts/who.html")

    def counted(context: Any) -> Any:
        made.append(context)
        return root(context)

    monkeypatch.setattr(who, "root_render_func", counted)
    page = templates.get_template("page.html")
    for times in (1, 2):
        page.render(_=translator("zh"), csrf="")
        assert len(made) == times


def test_icons_are_remembered_by_name_label_and_class(templates: Environment) -> None:
    icon: Any = templates.globals["icon"]
    assert icon("check") is icon("check")
    markup = templates.from_string("{{ icon('check', label=kind | safe) }}")
    text = templates.from_string("{{ icon('check', label=kind) }}")
    assert 'aria-label="<i>"' in markup.render(kind="<i>")
    assert 'aria-label="&lt;i&gt;"' in text.render(kind="<i>"), "equal, but no markup"
    drawn = templates.from_string("{{ icon('check') }}{{ icon('check', label=kind) }}{{ icon('check', class='big') }}")
    html = drawn.render(kind="<b>")
    assert html.count("<svg") == 3
    assert 'aria-label="&lt;b&gt;"' in html
    assert 'class="icon big"' in html


def test_every_icon_that_a_template_names_is_drawn(templates: Environment) -> None:
    drawings = (Path(__file__).parents[2] / "static" / "icons.svg").read_text(encoding="utf-8")
    named = {
        call.args[0].value
        for tree in parsed(templates).values()
        for call in tree.find_all(nodes.Call)
        if isinstance(call.node, nodes.Name) and call.node.name == "icon" and isinstance(call.args[0], nodes.Const)
    }
    assert len(named) > 10
    assert [name for name in sorted(named) if f'id="{name}"' not in drawings] == []
