"""The known headings of columns in imported sheets, and the shapes of their values."""

from timebank.imports.cells import addresses
from timebank.imports.sheets.meanings import is_clock, is_day, is_identity, is_name, is_phone, is_span, is_whole, means

NAME = means(
    "name",
    "姓名 名字 居民 居民姓名 成员姓名 家庭成员 家庭成员姓名 人员姓名 志愿者 志愿者姓名 参与人 参加人员 服务人员 "
    "申报人 name fullname residentname volunteer volunteername membername",
    r"^(?!.*(户主|证明|见证|监护|家长|紧急|活动|项目|网格)).*姓名|^(full|resident|volunteer|member)name"
    r"|^(楼栋长|楼长|栋长|幢长|单元长|网格员|网格长)$",
    weak="人员 成员 本人",
    shape=is_name,
)
PHONE = means(
    "phone",
    "联系电话 电话 手机 手机号 手机号码 联系方式 电话号码 联系号码 本人电话 移动电话 phone mobile tel telephone "
    "contact cell phonenumber mobilenumber contactnumber cellphone",
    r"^(?!.*(紧急|监护|家长|户主)).*(电话|手机|联系方式)|phone|mobile",
    weak="号码 联系 number",
    shape=is_phone,
)
NOTE = means("note", "备注 说明 备注说明 注 remark remarks note notes comment comments", r"备注|remark|^notes?$")
OUTCOME = means(
    "state",
    "出勤 出勤情况 考勤 考勤情况 到岗情况 到场情况 参与情况 参加情况 是否到场 是否到岗 是否参加 是否参与 状态 "
    "审核结果 审核情况 审核意见 认定情况 认定结果 是否认定 是否通过 是否有效 attendance status",
)
DATE = means(
    "date",
    "日期 服务日期 活动日期 签到日期 登记日期 date day servicedate",
    r"日期|date$",
    weak="时间 服务时间 活动时间 time",
    shape=is_day,
)
UNIT_NUMBER = means(
    "unit", "单元 单元号 门洞 unit unitno unitnumber entrance stairwell", r"单元号|^(责任|负责|所在|所属)单元$"
)
POST = means("post", "身份 职务 社区职务 角色 岗位 人员类别 类别 role position duty post", r"职务|角色")

ESTATE = means(
    "estate",
    "小区 小区名称 小区名 所属小区 所在小区 居住小区 楼盘 楼盘名称 estate",
    r"^(所属|所在|居住)?(小区|楼盘)(名称?)?$",
)

ROSTER = (
    means("grid", "网格 所属网格 所在网格 网格名称 网格号 片区 grid gridname gridno", r"网格(?!员|长)"),
    ESTATE,
    means(
        "building",
        "楼栋 楼号 栋号 栋 幢 幢号 楼幢 楼 楼栋号 楼宇 座 building buildingno buildingnumber block",
        r"^(?!.*(长|房|室|单元)).*(楼栋|楼号|栋号|幢)",
    ),
    UNIT_NUMBER,
    means(
        "room",
        "房号 室 门牌 门牌号 房间号 房间 户号 室号 房屋号 房 room roomno roomnumber apartment flat door",
        r"房号|室号|门牌",
    ),
    means(
        "address",
        (
            "地址 住址 家庭住址 详细地址 居住地址 现住址 现居住地 家庭地址 楼栋房号 楼栋单元 楼栋单元房号 address "
            "homeaddress"
        ),
        r"^(?!.*(户籍|籍贯|身份证|单位|紧急)).*(住址|地址|[楼栋幢].*[房室]|address)",
        weak="房号 门牌号 门牌 室 楼栋 房屋 room",
        shape=addresses.looks_like_address,
    ),
    means(
        "head",
        "户主 户主姓名 户主名字 head householder householdhead headofhousehold",
        r"户主(?!.*(关系|电话|身份))",
        shape=is_name,
    ),
    NAME,
    means("relation", "与户主关系 关系 家庭关系 户主关系 称谓 relation relationship relationtohead", r"关系|^relation"),
    means("sex", "性别 男女 sex gender"),
    means(
        "identity",
        "身份证号码 身份证 身份证号 证件号 证件号码 公民身份号码 公民身份证号码 居民身份证号 身份号码 idnumber "
        "idno idcard id idcardnumber identitynumber nationalid citizenid identity",
        r"^(?!.*(户主|监护|家长)).*(身份证|证件号|身份号码)|idcard|idnumber|identity(no|number)",
        weak="号码 编号 number",
        shape=is_identity,
    ),
    means("document", "证件类型 证件种类 证件名称 证件类别 documenttype idtype typeofid"),
    means(
        "born_on",
        "出生日期 出生年月 出生年月日 生日 出生 dateofbirth birthdate birthday birth dob born",
        r"出生|birth|生日",
        shape=is_day,
    ),
    PHONE,
    NOTE,
    POST,
    means("state", "状态 人员状态 居住状态 住户状态 在住情况 居住情况 变动情况 人口状态 人户状态"),
    means(
        "left_on", "迁出日期 迁出时间 搬走日期 搬离日期 搬出日期 离开日期", r"^(迁出|搬[走离出]|转出)(日期|时间|年月)$"
    ),
    means("died_on", "死亡日期 死亡时间 去世日期 去世时间", r"^(死亡|去世|病故|身故)(日期|时间|年月)$"),
)

_SECOND = r"^(下午|晚上|傍晚|夜间|第二[次班段]|二次)[^日期地点]*"
_IN, _OUT = "(签到|开始|起始|到岗|上岗|到达)", "(签退|结束|截止|离岗|下岗|离开)"

TIMES = means("times", "次数 服务次数 参加次数 件数 times", shape=is_whole)

HOURS = (
    DATE,
    means(
        "activity",
        (
            "活动名称 活动 项目 服务项目 活动内容 服务内容 志愿活动 志愿服务 项目名称 事项 内容 activity event "
            "project service task activityname"
        ),
        r"^(?!.*(日期|时间|时长|地点)).*(活动|项目|内容)|^activity",
    ),
    means(
        "place",
        "地点 服务地点 活动地点 场所 站点 服务站点 位置 服务点 驿站 place location venue site station",
        r"地点|站点|场所|location",
    ),
    NAME,
    PHONE,
    means(
        "in",
        "签到时间 签到 到岗时间 上岗时间 开始时间 开始 起始时间 到达时间 起 checkin checkintime start starttime "
        "timein in signin signintime begin from arrival",
        r"^(?!.*(日期|地点|签退|结束|表)).*(签到|开始|起始|到岗|上岗|到达)|^(check|sign)in|^start",
        shape=is_clock,
    ),
    means(
        "out",
        "签退时间 签退 离岗时间 下岗时间 结束时间 结束 截止时间 离开时间 止 checkout checkouttime end endtime timeout "
        "out signout signouttime finish to departure",
        r"^(?!.*(日期|地点|签到|开始|表)).*(签退|结束|截止|离岗|下岗|离开)|^(check|sign)out|^end",
        shape=is_clock,
    ),
    means("in2", "下午签到 下午签到时间 下午开始 第二次签到 签到2 晚上签到", f"{_SECOND}{_IN}|{_IN}.*[2二]$"),
    means("out2", "下午签退 下午签退时间 下午结束 第二次签退 签退2 晚上签退", f"{_SECOND}{_OUT}|{_OUT}.*[2二]$"),
    means(
        "span2",
        "下午起止时间 下午时段 第二次时段 时段2",
        f"{_SECOND}(起止|时间段|时段|时间)$",
        weak="下午",
        shape=is_span,
    ),
    means(
        "span",
        "起止时间 起止 上午时段 上午起止时间 时间段 时段 服务时段 签到签退 签到签退时间 period timerange",
        r"起止|时间段|时段|签到.*签退|开始.*结束",
        weak="时间 服务时间 活动时间 签到时间 上午 time hours",
        shape=is_span,
    ),
    means(
        "length",
        "时长 服务时长 小时 小时数 时数 服务小时 志愿时长 分钟 分钟数 服务时数 duration hours minutes length",
        r"^(?!.*(每次|单次|平均|累计)).*(时长|小时|时数|分钟|hours|minutes|duration)",
    ),
    means("people", "人数 参加人数 服务人数 参与人数 志愿者人数 people headcount", shape=is_whole),
    TIMES,
    NOTE,
    OUTCOME,
)

DEEDS = (
    DATE,
    NAME,
    POST,
    means(
        "place",
        "楼栋单元 楼栋 区域 责任区域 范围 所在楼栋 所属楼栋 责任楼栋 楼号 幢 building area place",
        r"^(?!.*长).*(楼栋|区域)|^building",
    ),
    ESTATE,
    UNIT_NUMBER,
    means(
        "item",
        "事项 项目 事由 行为 善行 积分事项 积分项目 内容 善举 服务事项 事项名称 item deed what action",
        r"事项|项目|善行|^deed",
    ),
    means(
        "points", "分值 积分 得分 分数 加分 积分值 points score point", r"分值|积分$|得分|加分|^points", shape=is_whole
    ),
    TIMES,
    means(
        "witness",
        "证明人 见证人 证人 核实人 证明 见证 witness witnessedby confirmedby",
        r"证明|见证|witness",
        shape=is_name,
    ),
    NOTE,
    OUTCOME,
)

GOODS = (
    means(
        "name",
        (
            "物品 物品名称 商品 商品名称 品名 名称 兑换物品 礼品 礼品名称 奖品 item itemname goods good product "
            "productname name"
        ),
        r"(物品|商品|礼品|奖品)(名称)?$|^(item|product|goods?)(name)?$",
    ),
    means("unit", "单位 计量单位 规格单位 unit uom", r"单位"),
    means("spec", "规格 规格型号 型号 规格尺寸 specification spec size"),
    means(
        "points",
        "所需积分 积分 兑换积分 分值 兑换分值 积分价 所需分值 需要积分 points price cost pointsneeded",
        r"积分|分值|^points",
        shape=is_whole,
    ),
    means(
        "stock",
        "库存 库存数量 数量 现有数量 余量 库存量 结存 结余 现存 实存 剩余 剩余数量 结存数量 期末结存 "
        "stock quantity qty inventory instock",
        r"库存|数量|stock|quantity",
        shape=is_whole,
    ),
    means(
        "station",
        "兑换站点 站点 兑换点 兑换地点 驿站 领取地点 兑换站 地点 station location place",
        r"站点|兑换点|地点|station",
    ),
    means(
        "limit",
        (
            "每户每月限兑 限兑 每月限兑 每户限兑 限购 限额 月限 限兑数量 monthlylimit limit perhousehold "
            "limitperhousehold"
        ),
        r"限|limit",
    ),
    NOTE,
)
