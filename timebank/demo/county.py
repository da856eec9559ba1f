"""The data of the invented county: places, activities, rules and goods."""

from dataclasses import dataclass
from datetime import time

from timebank.rules.schemas import CapPeriod, Trigger

COUNTY = "清江县"
OPENS, CLOSES = "00:00", "23:59"  # stations of the demo are always open
LESSON_AT = time(16, 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommunityPlan:
    """One community: the number of people and children, the buildings by grid, the stations."""

    name: str
    street: str
    people: int
    children: int
    buildings: tuple[int, int, int, int]
    stations: tuple[tuple[str, str], ...]


COMMUNITIES = (
    CommunityPlan(
        name="凤凰社区", street="城关街道", people=667, children=67, buildings=(4, 4, 3, 3),
        stations=(("暖蜂驿站", "凤凰路 18 号"), ("米邻驿站", "凤凰路 96 号"), ("慈善超市", "凤凰路 102 号")),
    ),
    CommunityPlan(
        name="龙泉社区", street="城关街道", people=667, children=67, buildings=(4, 3, 3, 3),
        stations=(("龙泉驿站", "龙泉巷 5 号"), ("邻里之家", "龙泉巷 41 号"))
    ),
    CommunityPlan(
        name="青溪社区", street="河东街道", people=666, children=66, buildings=(4, 3, 3, 3),
        stations=(("青溪驿站", "青溪大道 7 号"),),
    ),
)  # fmt: skip
GRIDS = ("第一网格", "第二网格", "第三网格", "第四网格")
UNITS = ("1单元", "2单元", "3单元")
ROOMS = tuple(f"{floor}0{door}" for floor in range(1, 7) for door in (1, 2))

ACTIVITIES = (
    ("站点值守", "在驿站接待居民、整理物品、答问", False),
    ("清洁家园", "楼道、绿地、河边的清洁", False),
    ("助餐送餐", "给行动不便的长辈送午餐", False),
    ("四点半辅导", "放学后陪孩子做作业，要先报名", True),
)
DEED_RULES: tuple[tuple[str, str, int, str, CapPeriod, int, int], ...] = (
    ("mediation", "调解邻里纠纷", 10, "每件", "week", 3, 5),
    ("patrol", "楼道卫生巡查", 2, "每周一次", "week", 1, 5),
    ("elder-visit", "探访独居长辈", 4, "每次", "week", 2, 6),
    ("hazard", "发现并上报隐患", 5, "每件", "month", 4, 8),
    ("opinion", "收集居民意见", 3, "每次", "month", 4, 8),
)
REPORT_RULES: tuple[tuple[str, str, int, str, CapPeriod, int, int], ...] = (
    ("report", "反映问题经核实", 2, "每件", "week", 5, 8),
    ("courier-report", "骑手反映问题经核实", 2, "每件", "week", 3, 8),
)
TRIGGERS: dict[str, Trigger] = {
    "report": "report_confirmed", "hazard": "head_report_confirmed", "courier-report": "courier_report_confirmed",
}  # fmt: skip
"""What is filed as a deed by itself once it is confirmed, by the code of its rule."""
USES = ("units", "teams", "matters")
"""The capabilities that the communities have switched on."""
DEED_NOTES = {
    "mediation": (
        "楼上漏水，两家谈妥一起请人修",
        "楼道堆物起了争执，劝说后自行搬走",
        "夜里跳舞音乐太响，约好九点前结束",
    ),
    "patrol": ("楼道全部走了一遍，清走两处杂物", "电动车推出楼道充电，提醒了三户"),
    "elder-visit": ("帮独居的长辈量血压、换灯泡", "给长辈送去热饭，陪聊半小时", "帮长辈在手机上交了水费"),
    "hazard": ("三楼窗台花盆松动，已请物业固定", "单元门口井盖破损，上报当天更换"),
    "opinion": ("收集到停车意见七条，已交网格员", "走访十二户，汇总加装扶手的意见"),
}
GOODS = (
    ("食用油 5L", 120, "桶", 1), ("大米 5kg", 90, "袋", 2), ("抽纸", 30, "提", 2), ("香皂", 8, "块", 3),
    ("洗衣液 2kg", 45, "瓶", 2), ("牙膏", 12, "支", 3), ("雨伞", 40, "把", 1), ("垃圾袋", 6, "卷", None),
)  # fmt: skip
# On the shelves as well; nobody redeems them in the demo's year, so that its stories stay as they are.
MORE_GOODS = (
    ("毛巾", 15, "条", 2), ("保温杯", 60, "个", 1), ("鸡蛋", 36, "板", 1), ("食盐", 5, "袋", 2),
)  # fmt: skip
COURSES = (("少儿书法", "林老师", 6, 13, 20), ("少儿美术", "苏老师", 5, 12, 16))
SERVICE_RULE = ("service", "志愿服务")
MINUTES_PER_POINT = (10, 6)  # at first, and from the second month on
