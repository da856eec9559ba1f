"""Recognise forms of address and descriptions that are not a legal name: 王阿姨, 小李, 张三之子, 王某."""

import re
from collections.abc import Set as AbstractSet

from timebank.core import names
from timebank.imports.cells import cell_values
from timebank.imports.cells.cell_values import Cell
from timebank.imports.cells.problems import Problem, problem

HAN = r"[\u3400-\u9fff\U00020000-\U000323af]"
_SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭"
    "廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
)
_OFFICE = "组长|队长|楼长|栋长|单元长|网格[员长]|站长|班长|会长|社长"
_MASKED = re.compile(rf"{HAN}{{1,2}}(?:某{{1,2}}|[Xx×*○□]{{1,3}})|某.*")
_CALLED = re.compile(
    r"本人|自己|户主|志愿者|居民|群众|业主|住户|租户|党员|匿名|家属|先生|女士|全体.*|.+志愿者|.+的(?:[儿女孙]|母亲|父亲|妈|爸|妻|丈夫|老伴|爱人|家属|朋友|邻居).*|"
    rf"{HAN}{{1,2}}(?:先生|女士|小姐|阿姨|大妈|大爷|大娘|奶奶|爷爷|叔叔|伯伯|婶|嫂|师傅|老师|医生|主任|书记|经理|警官)|{HAN}{{2,4}}同志|"
    rf"[小老][{_SURNAMES}]|"
    rf"{HAN}{{2,4}}(?:之[子女妻父母夫]|家属|妻子|丈夫|老伴|儿子|女儿|母亲|父亲|爱人|媳妇|老婆|老公|{_OFFICE})|"
    rf"(?:{_OFFICE}|楼栋长|户主|党员){HAN}{{2,4}}|(?:{_OFFICE}|楼栋长)|"
    rf".*(?:代签|代办|代领).*|[由替]{HAN}{{2,4}}代?.*签.*|{HAN}{{2,4}}[代替]{HAN}{{2,4}}"
)
_VACANT = re.compile("空缺|暂缺|缺|待定|待选|未选|未定|无人")
_SHORT = 5


def name(cell: Cell, known: AbstractSet[str] = frozenset()) -> str | Problem | None:
    """A person's name. A masked name or a form of address is refused unless its key is in `known`."""
    found = None if _VACANT.fullmatch(cell_values.plain_text(cell)) else cell_values.name(cell)
    if not isinstance(found, str) or names.key(found) in known:
        return found
    if _MASKED.fullmatch(found):
        return problem("name_masked")
    between = re.fullmatch(rf"{HAN}{{2,4}}[代替和与及]{HAN}{{2,4}}", found) is not None
    if between and len(found) < _SHORT:
        return found  # 欧阳代红 is a name
    return problem("name_calling") if _CALLED.fullmatch(found) else found
