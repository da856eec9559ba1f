"""Invented names, identity numbers and phones."""

from datetime import date
from random import Random

from timebank.people.identity.citizen_number import check_character

SURNAMES = (
    *("王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗" * 3),
    *"梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆",
    "欧阳", "司马", "诸葛", "上官",
)  # fmt: skip
MIDDLE = "建国志明文春秋玉桂秀淑丽晓小海永庆德世家俊思雨子梓浩宇欣佳美雪冬红卫新月云正大光和清福长荣"
WOMEN = "兰英芳敏静丽萍娟霞玲燕红梅琴华珍香莲凤洁慧颖婷雪怡琳瑶菲倩蓉"
MEN = "国强军伟勇杰涛明超刚平辉鹏斌波飞龙林峰海生祥宏亮凯宁东文武康"
CHILDREN = (
    "梓涵",
    "子轩",
    "欣怡",
    "浩然",
    "一诺",
    "宇辰",
    "思雨",
    "沐阳",
    "语桐",
    "嘉懿",
    "可馨",
    "俊熙",
    "若曦",
    "天佑",
)
# Names with characters that fonts and input methods often lack, or of more than three characters.
RARE = (
    ("王䶮", "男"), ("李㛃", "女"), ("陈𬭎", "男"), ("龢文骉", "男"), ("欧阳㑇", "女"), ("阿依古丽·买买提", "女"),
    ("迪丽努尔·艾合买提", "女"), ("诸葛建军", "男"), ("司马文静", "女"), ("张伟", "男"), ("张伟", "男"),
)  # fmt: skip
REGION = "522699"


def grown_up(rng: Random, sex: str) -> str:
    middle = rng.choice(MIDDLE) if rng.random() < 0.85 else ""
    return f"{rng.choice(SURNAMES)}{middle}{rng.choice(WOMEN if sex == '女' else MEN)}"


def child_of(rng: Random, parent: str) -> str:
    """A child's name with the parent's surname."""
    own = parent[:2] if parent[:2] in SURNAMES else parent[:1]
    return own + (rng.choice(CHILDREN) if rng.random() < 0.6 else rng.choice(MIDDLE) + rng.choice(WOMEN + MEN))


# The phones of those who sign in are fixed, because they are printed; nobody else gets one of these.
SIGN_IN_PHONES = range(6880, 6894)


def phone(number: int) -> str:
    return f"1990000{number:04}"


class Numbers:
    """Makes invented identity numbers and phones, each only once."""

    def __init__(self) -> None:
        self._orders: dict[date, int] = {}
        self._phone = 0

    def identity(self, born_on: date, sex: str) -> str:
        order = self._orders[born_on] = self._orders.get(born_on, 0) + 1
        first = f"{REGION}{born_on:%Y%m%d}{order * 2 - (sex == '男'):03}"  # odd for men
        return first + check_character(first)

    def phone(self) -> str:
        self._phone += 1
        if self._phone in SIGN_IN_PHONES:
            self._phone = SIGN_IN_PHONES.stop
        return phone(self._phone)
