"""The Chinese names of the roles."""

from collections.abc import Mapping

from timebank.core.locale import _, translate
from timebank.core.scope import Role

ROLES: dict[Role, str] = {
    Role.unit_head: _("单元长"),
    Role.building_head: _("楼栋长"),
    Role.grid_worker: _("网格员"),
    Role.station_keeper: _("站长"),
    Role.community_admin: _("社区管理员"),
    Role.street_admin: _("街道管理员"),
    Role.county_admin: _("县管理员"),
    Role.auditor: _("审计员"),
    Role.grid_head: _("网格长"),
    Role.unit_contact: _("单位联络员"),
    Role.mediator: _("调解员"),
    Role.mobile_worker: _("流动网格员"),
}


def role_in_words(values: Mapping[str, str], language: str) -> str:
    """The part `role` of a message: a role's name in the reader's language."""
    return translate(ROLES[Role(values["role"])], language)
