"""The problems that a cell, row or file can have: a stable code and a sentence that says what to do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from timebank.core.errors import TimebankError
from timebank.core.locale import _

SENTENCES: Mapping[str, str] = {
    "blank": _("“{column}”是空的，请补上"),
    "cell_error": _("单元格 {place} 显示的是错误 {shown}，不是内容，请改成正确的内容；确实没有的请清空"),
    "cell_formula": _("单元格 {place} 是公式，文件里没有它的结果，请在表格软件里打开、保存后再导入，或直接写上内容"),
    "cell_too_narrow": _("单元格 {place} 只有 # 号，原来的内容已经丢失，请重新填写"),
    "date_zero": _("这一格其实是 0，表格软件显示成了 1900 年左右的一天，请填上日期，没有的请清空"),
    "cell_struck": _("单元格 {place} 有划了删除线的内容，看不出还算不算数，请删掉划去的内容，或去掉删除线"),
    "row_shifted": _("这一行比表头多出内容，可能某一格里有逗号，后面的各格已经错位，请给那一格加上引号，或改存为 xlsx"),
    "row_struck": _("这一行划了删除线，没有导入；仍然有效的请去掉删除线"),
    "date_with_more": _("日期后面还有别的内容，一格只能写一天；有几天的请一天写一行"),
    "text_too_long": _("这一格有 {length} 个字，最多 {most} 个，请缩短"),
    "control_character": _("这一格里有看不见的控制字符，请删掉这一格重新输入"),
    "name_unclear": _("这不像姓名：里面有数字或符号，请只写姓名"),
    "name_masked": _("姓名隐去了一部分，认不出是哪一位，请写全名"),
    "name_calling": _("这是称呼或身份，不是姓名，请写证件上的姓名；姓名确是这样的，请到居民页添加"),
    "group_repeated": _("这一格有一个姓名写了两次，只算一次；是两位同名的人，请分开写两行并补上电话"),
    "name_private_character": _("姓名里有输入法自造的字，别的电脑上可能显示不出来，请换成标准字"),
    "sex_unclear": _("性别看不懂，请写“男”或“女”"),
    "phone_length": _("手机号有 {length} 位，应为 11 位，请核对"),
    "phone_prefix": _("手机号应以 13 至 19 开头，请核对"),
    "phone_unclear": _("电话里有看不懂的字，请只写 11 位手机号，没有就留空"),
    "phone_rounded": _("表格软件把手机号变成了科学计数，末几位已经丢失，请把这一列设为文本后重新输入"),
    "phone_landline": _("这是座机号，不能用来登录；有手机号请补上"),
    "phone_several": _("这一格有多个号码，只用了第一个 {phone}"),
    "phone_remark": _("号码旁边还写了字，只用了号码，请核对是不是本人的"),
    "identity_with_more": _("身份证号旁边还写了别的内容，一格只写一个号码，其余请写在备注里"),
    "identity_length": _("身份证号有 {length} 位，应为 18 位，请核对"),
    "identity_document": _(
        "这不是身份证号。护照、通行证请把证件名称写在号码前，如“护照 E12345678”，或加一列“证件类型”"
    ),
    "document_kind": _("证件类型看不懂，请写身份证、护照、回乡证、台胞证或外国人永久居留身份证"),
    "document_number": _("这个号码不像{kind}的号码，请对照证件核对"),
    "document_birth": _("护照和通行证上看不出年龄，请补上出生日期"),
    "identity_unclear": _("身份证号里有不该出现的字符，应为 17 位数字加 1 位数字或 X，请核对"),
    "identity_checksum": _("身份证号的校验位不对，至少有一位写错了，请对照证件核对"),
    "identity_birth": _("身份证号第 7 至 14 位不是一个真实的日期，请对照证件核对"),
    "identity_rounded": _("表格软件把身份证号变成了科学计数，末几位已经丢失，请把这一列设为文本后重新输入"),
    "birth_differs": _("出生日期与身份证号里的 {date} 不一致，已按身份证号导入，请核对"),
    "sex_differs": _("性别与身份证号不一致，已按身份证号导入，请核对"),
    "birth_impossible": _("出生日期在今天之后或早于 130 年前，请核对"),
    "not_identifiable": _("没有身份证号，也没有出生日期或电话，认不出是哪一位，请至少补一样"),
    "duplicate": _("与第 {row} 行重复，请删掉其中一行"),
    "date_unclear": _("日期看不懂，请写成“2026-07-01”这样带年份的日期"),
    "date_calendar": _("这一列写的是农历或别的历法，请改成公历的日期和列名"),
    "date_impossible": _("没有这一天，请核对日期"),
    "date_future": _("日期在今天之后，请核对"),
    "time_unclear": _("时间看不懂，请写成“15:30”"),
    "time_dotted": _("看不出是几点几分，表格软件会去掉小数末尾的 0，请写成“9:30”"),
    "impossible_time": _("没有这个时间，一天只到 24:00，请核对；过了半夜的请写“次日1:30”"),
    "missing_in": _("没有签到时间，请补上"),
    "missing_out": _("没有签退时间，请补上，或按实际情况走补录"),
    "out_before_in": _("签退时间不晚于签到时间，请核对；过了半夜的请在签退前写“次日”"),
    "too_long": _("一次服务超过 24 小时，请核对"),
    "small_hours": _("时间在凌晨 5 点以前，请审核时核对是不是下午"),
    "long_service": _("一次服务超过 12 小时，请审核时留意"),
    "overlap": _("与第 {row} 行同一人的服务时间重叠（{earlier}），一个人不能同时在两处，请核对"),
    "same_day": _("同一人当天在第 {row} 行还有一次服务（{earlier}），请审核时留意"),
    "duration_differs": _("表里写的时长与签到签退算出的 {minutes} 分钟不一致，已按签到签退计算"),
    "duration_unclear": _("时长看不懂，请写成“1.5小时”或“90分钟”"),
    "duration_unit": _("没有写是小时还是分钟，请写成“2小时”或“120分钟”"),
    "date_year_missing": _("日期没有写年份或月份，表格标题和工作表名称里也看不出，请写成“2026-07-01”这样"),
    "ditto_nothing_above": _("这一格写了“同上”，但上一行这一格是空的，请写上内容"),
    "mark_unclear": _("这一格只有符号，看不出是什么意思，请写上内容，没有内容的请清空"),
    "date_contradicts": _("这里写的是 {within}，日期一栏是 {day}，请改成一样"),
    "address_unclear": _("地址看不懂，请写成“8栋3单元502室”或“8-3-502”"),
    "estate_missing": _("几个小区都有{building}（{estates}），请把小区名写在楼栋前面"),
    "estates_differ": _(
        "表里几个小区都有{building}（{estates}），看不出已登记的{building}是哪一个，请先把已登记的改名，前面加上小区名，再导入"
    ),
    "room_unclear": _("房号看不懂，请只写房号，如“502”，其余写在备注里"),
    "place_became_date": _("表格软件把“3-2”这样的写法变成了日期，请把这一列设为文本后重新输入"),
    "address_two_ways": _("这里的数字可以是单元，也可以是房号，请写成“3栋12单元”或“3栋12室”"),
    "address_contradicts": _("同一行里一处写“{first}”，另一处写“{second}”，请改成一样"),
    "name_several": _("这一格像有 {count} 个姓名，请一人一行；是一个人的，姓名中间不要空格"),
    "group_count": _("这里写的是 {count} 人，姓名有 {named} 个，请把每个人的姓名写上，或改正人数"),
    "several_times": _("这一行写着 {count} 次，一行只记一次，请一次写一行"),
    "group_unlisted": _("这一格没有写全姓名（“等几人”），请把每个人的姓名写上"),
    "group_too_large": _("一格最多写 {most} 个姓名，请分成几行"),
    "group_phone": _("这一格有 {count} 个姓名，电话数目不同，按姓名认人"),
    "group_unknown_person": _("第 {place} 个姓名不在花名册里，请先登记，或核对姓名"),
    "group_ambiguous_person": _("第 {place} 个姓名有 {count} 位同名的人，请单独写一行，补上电话"),
    "group_points": _("几个人写在一行时，每人按目录记 {expected} 分，请把分值写成 {expected}；分值不同的请一人一行"),
    "witness_several": _("这一格有多个姓名，只记了第一位证明人"),
    "birth_day_missing": _("出生日期只有年月，请补上是哪一天，或填上身份证号"),
    "amount_money": _("这一格写的是钱，这里要填积分，请改成分值"),
    "points_unclear": _("分值看不懂，请只写一个数，如“5”或“5分”"),
    "amount_unit": _("这里的单位是“{said}”，不是“{unit}”，请按“{unit}”计数"),
    "stock_negative": _("库存不能是负数，请盘点后填写"),
    "limit_unclear": _("限兑看不懂，请写每户每月最多几件，如“2”，不限就写“不限”"),
    "limit_period": _("限兑要按每户每月写，这里写的是每{period}，请改成每户每月最多几件"),
    "limit_in_note": _("备注里写了限兑，已按每户每月 {limit} 导入，请核对"),
    "limit_in_note_unclear": _("备注里提到限兑，没有读懂，没有设限；要限请填在“每户每月限兑”一列"),
    "remark_gone": _("表里写着已搬走或迁出，没有登记为在住居民。还住在这里的请改表；已登记的请到居民页办理迁出"),
    "remark_died": _("表里写着已去世，没有登记为在住居民。写错了的请改表；已登记的请到居民页办理"),
    "remark_unclear": _("备注可能是说搬走、迁出或去世，看不出是不是本人、是不是已经办了，已按在住登记，请核对"),
    "remark_cancelled": _("表里写着作废、取消、重复或没有到，没有导入；确实有效的请改表"),
    "remark_ended": _("备注写着停兑或下架，没有导入；仍要兑换的请改备注"),
    "remark_role_unclear": _("备注提到楼栋长、单元长或网格员，看不出是不是本人现任，没有登记身份，请核对"),
    "remark_signed_by_another": _("备注写着由别人代签，请审核时核对本人有没有到场"),
    "remark_absent": _("备注提到有人请假或没有到，看不出是谁，已按到场导入，请核对"),
    "remark_shorter": _("备注写着迟到、早退或中途离开，时长按表里的时间导入，请审核时核对"),
    "remark_corrects": _("备注写着另一个时间或时长，请把对的写进时间或时长那一格，再删掉这句备注"),
    "day_only": _("只有日期和时长，没有起止时刻，看不出与当天其他服务是不是同一次，请审核时留意"),
    "day_only_same_day": _("只有日期和时长，这个人当天还登记过 {count} 次服务，请审核时核对是不是同一次"),
    "day_full": _("这个人这一天已经登记满了，放不下这段时长，请核对"),
    "note_moved_in": _("备注写着转入或迁入的有 {count} 位，已按在住登记"),
    "unknown_person": _("花名册里没有这个人，请先登记，或核对姓名和电话"),
    "unknown_phone": _("花名册里有同名的人，但电话不是这个，请核对电话"),
    "name_differs": _("这个电话登记的不是这个姓名，请核对姓名和电话"),
    "ambiguous_person": _("花名册里有 {count} 位同名的人，请补上电话或楼栋单元"),
    "head_namesake": _(
        "已有同名的人，电话不是这个，看不出是不是同一位，请核对电话；确是另一位的，请补上身份证号或房号"
    ),
    "unknown_item": _("积分目录里没有这个事项：在试导入里选它就是哪一项，或新添；也可以改成目录里的名称"),
    "item_waits": _("这个事项已经提交添加，分值高于目录里的，要等第二个人同意，同意以后再导入这一行"),
    "own_word": _("这个词是本人、同住的人或监护人定的，不能用在自己的行上，请另一位管理员试导入这份表格，再定一次"),
    "points_differ": _("目录里这个事项是 {expected} 分，请改成目录分值；确有理由的请在备注写明，由管理员审核"),
    "points_differ_reason": _("目录里这个事项是 {expected} 分，备注写了理由，请管理员审核"),
    "own_witness": _("证明人是本人，请换一位证明人"),
    "household_witness": _("证明人与本人同住一户，请换一位邻居证明"),
    "number_unclear": _("这一格应是数字，请核对"),
    "not_whole": _("这一格应是整数，请核对"),
    "number_range": _("这一格应在 {least} 到 {most} 之间，请核对"),
    "note_hidden_rows": _("工作表“{sheet}”有 {count} 行被隐藏或筛选掉，也一起读了；不要导入的请删掉这些行"),
    "note_hidden_rows_text": _("有 {count} 行被隐藏或筛选掉，也一起读了；不要导入的请删掉这些行"),
    "note_hidden_columns": _("工作表“{sheet}”有隐藏的列，也一起读了：{columns}；不要导入的请删掉这些列"),
    "note_comments": _("文件里有 {count} 处批注，没有读；批注里要导入的内容请写进格子里"),
    "note_unused_columns": _("工作表“{sheet}”有几列没有用到：{columns}"),
    "note_unused_columns_text": _("有几列没有用到：{columns}"),
    "note_sheet_not_read": _("工作表“{sheet}”没有读（{count} 行）：里面没有找到这类表的表头"),
    "note_sheet_void": _("工作表“{sheet}”没有读（{count} 行）：从名称看是作废、备份、模板或示例。要导入的请改名"),
    "note_table_not_read": _("工作表“{sheet}”第 {row} 行起的另一张表没有读（{count} 行）：里面没有这类表要的列"),
    "note_asides": _("工作表“{sheet}”有 {count} 行是标题或示例，没有当作数据：第 {rows} 行"),
    "note_catalogue_sheet": _("工作表“{sheet}”读作积分目录（{count} 项），目录里还没有的可以在下面新添"),
    "note_sheet_hidden": _("工作表“{sheet}”是隐藏的，没有读（{count} 行）；要导入的请取消隐藏"),
    "note_errors_left_out": _("有问题的共 {count} 处，只列出前 {most} 处。请改好这些再导入，其余的会接着列出"),
    "note_warnings_left_out": _("要留意的共 {count} 处，只列出前 {most} 处"),
    "identity_taken": _("这个身份证号已登记在另一位居民名下，请对照证件核对"),
    "unit_without_building": _("写了单元没有写楼栋，请补上楼栋"),
    "building_ambiguous": _("有 {count} 个网格都有{building}，请补上网格"),
    "known_phone_differs": _("这位居民已经登记，登记的电话与表里不同，没有改动；要改请到居民页"),
    "known_home_differs": _("这位居民已经登记，登记的住处与表里不同，没有改动；要改请到居民页"),
    "known_identity_missing": _("这位居民已经登记，登记时没有身份证号，没有改动；请到居民页补上"),
    "known_not_active": _("这位居民已经登记，现在是迁出或停用，没有改动；要恢复请到居民页"),
    "known_role_differs": _("这位居民已经登记，没有登记为备注里写的身份，没有改动；要授予请到居民页"),
    "role_without_place": _("备注写了楼栋长、单元长或网格员，但没有写对应的楼栋、单元或网格，身份没有登记"),
    "role_ended_before": _("这位居民以前在这里任过这个职务，后来取消了，没有重新授予；要授予请到居民页"),
    "person_not_active": _("这位居民现在是迁出或停用，请先到居民页恢复，或核对姓名和电话"),
    "overlap_known": _("与已经登记的服务时间重叠（{earlier}），一个人不能同时在两处，请核对"),
    "place_unknown": _("没有登记这个楼栋或单元：在试导入里选它就是哪一栋，或新添；写错了的请核对"),
    "place_missing": _("没有写楼栋单元，这个人也没有登记住处，请补上楼栋单元"),
    "not_head": _("这个人没有登记为这里的楼栋长或单元长，请审核时留意"),
    "same_deed": _("这个人这一天已经登记过同样的事项，请审核时留意是不是同一件"),
    "witness_unclear": _("证明人不在花名册里，或有同名的人，没有记上证明人"),
    "witness_not_active": _("证明人现在是迁出或停用，没有记上证明人"),
    "station_unknown": _("没有登记叫这个名称的驿站：在试导入里选它就是哪个驿站，或新添；写错了的请核对"),
    "station_missing": _("有库存，但没有写放在哪个驿站，请补上站点"),
    "good_differs": _("与第 {row} 行是同一种物品，单位、积分或限兑却不同，请改成一样"),
    "known_good_differs": _("已有这种物品（每{unit} {points} 分，每户每月限 {limit}），没有改动；要改请到物品页"),
    "known_good_differs_no_limit": _("已有这种物品（每{unit} {points} 分，不限兑），没有改动；要改请到物品页"),
    "known_stock_differs": _("这个驿站已有 {quantity} 件，与表里不同，没有改动；要改请在物品页盘点"),
    "good_offered_again": _("这种物品原来已停止兑换，按表里的积分重新开放"),
    "unit_not_written": _("没有写单位，表格标题里也看不出是哪个单位，请补上单位名称"),
    "unit_not_listed": _("县里的单位名单没有“{unit}”，请照名单写全称；名单里没有的，请县管理员先登记这个单位"),
    "unit_not_listed_alike": _(
        "县里的单位名单没有“{unit}”，相近的有：{alike}，请照名单写全称；确是另一个单位的，请县管理员先登记"
    ),
    "member_twice": _("这个人在表里不止一行，请只留一行"),
    "member_namesake": _("已有同名的人，电话不是这个，看不出是不是同一位，请核对电话；确是另一位的，请补上身份证号"),
    "member_phone_of_another": _("这个电话登记的是另一个姓名，请核对；确是另一位的，请补上身份证号"),
    "note_reported_today": _("{count} 行没有写报到日期，按导入当天算"),
    "note_members_new": _("新登记 {count} 位不住在社区的人，没有归入任何一户"),
    "skill_not_listed": _("技能表里没有“{skill}”，没有登记；请先到技能页添加，再导入一次这份表格"),
    "skill_not_listed_alike": _(
        "技能表里没有“{skill}”，相近的有：{alike}，没有登记；请照技能表写，或先到技能页添加，再导入一次这份表格"
    ),
    "skill_off_list": _("技能“{skill}”已经停用，没有登记；仍要用的请到技能页恢复，再导入一次这份表格"),
    "skill_withdrawn": _("本人收回过其中的技能，没有重新登记；要再登记，由本人登录后打开"),
    "team_not_joined": _("没有加入班组“{team}”：由本人申请、组长确认，或请管理员到这个班组的页面添加"),
    "team_not_listed": _("没有叫“{team}”的班组，没有登记；请核对名称，或先到班组页成立"),
    "note_skills": _("按表登记 {count} 项技能：别人查不到，愿不愿意被找到由本人登录后决定；要证件的还没有看过"),
    "note_skills_unused": _("{count} 行写了特长或班组，没有导入：社区没有使用班组和技能"),
    "matter_state_missing": _("写了办理结果，没有写办结时间，也看不出办结没有，请补上办结时间，或写明还没有办结"),
    "matter_done_missing": _("写着已经办结，没有写办结时间，算不出用了几天，请补上"),
    "matter_done_differs": _("写着还没有办结，却有办结时间，请核对"),
    "matter_state_unclear": _("看不出办结没有，请写“已办结”或“未办结”"),
    "matter_void": _("表里写着作废、撤销、不予受理或退回，没有导入；确实有效的请改表"),
    "done_before_received": _("办结时间早于受理时间，请核对"),
    "satisfied_unclear": _("满意度看不懂，请写“满意”“基本满意”或“不满意”"),
    "grid_unknown": _("没有登记这个网格，请照登记的名称写；新的网格请先到地点页添加"),
    "matter_place_missing": _("没有写网格或楼栋，看不出在哪里，请补上网格"),
    "category_blank": _("没有写类别，记为“其他”"),
    "category_as_other": _("社区没有这个类别，记为“其他”，原来的写在说明里"),
    "category_ambiguous": _("可能是几个类别：{names}，请写其中一个"),
    "category_unknown": _("社区没有这个类别，也没有“其他”，请先到事项类别页添加"),
    "reporter_not_linked": _("没有登记这个姓名和电话的居民，没有记上反映人"),
    "handler_in_words": _("县里的单位名单没有这个承办单位，只写在说明里，不计入单位的办结情况"),
    "note_days_alone": _("{count} 行只写了日期：受理按 8:30 算，办结按 17:30 算，用了几天不受影响"),
    "matter_ambiguous": _("有 {count} 件同一天、同一处、内容一样的，看不出是哪一件，请补上编号"),
    "matter_by_words": _("按日期、地点和内容，认作以前导入的那一件；确是另一件的，请写上各自的编号"),
    "matter_open_again": _("事项 {number} 已经了结，这里写着还没有办结，没有改动；要重办请到事项页"),
    "matter_entered_here": _("事项 {number} 是在这里登记的，不是从台账导入的，没有按表办结；请到事项页办结"),
    "matter_drop_unclear": _("写着作废、重复或退回，看不出事项 {number} 怎么了结，没有改动；请到事项页办理"),
    "known_matter_differs": _("这件以前已经导入，这里的{columns}与那时不同，没有改动；要改请到事项页"),
    "note_matters_known": _("{count} 件以前已经导入或登记，没有变化"),
    "note_matters_ended": _("{count} 件以前导入时还没有办结，按这份台账办结"),
    "note_matters_dropped": _("{count} 件以前导入时还没有办结，按这份台账记为不予办理或撤回"),
    "note_matters_left_alone": _("{count} 件与以前登记的不同，没有改动，原因写在各行里"),
    "note_matters_open": _("{count} 件还没有办结，导入后在“待办”里等派单，期限从受理那天算起"),
    "note_places": _("新建 {grids} 个网格、{buildings} 栋楼、{units} 个单元、{households} 户"),
    "note_building_words": _("{count} 个楼栋没有登记过，会新建：{names}。其实是已有的楼，先在试导入里选它就是哪一栋"),
    "note_no_home": _("{count} 位居民没有写楼栋，没有归入任何一户，请到居民页补上住处"),
    "note_roles": _("按备注登记身份：楼栋长 {building_heads} 位、单元长 {unit_heads} 位、网格员 {grid_workers} 位"),
    "note_guardians": _("给 {children} 位未成年人提名了监护人；要等家长到社区确认同意，才能用积分和报课"),
    "note_activities": _("新建 {count} 个活动：{names}。其实是已有活动的，先在试导入里选它就是哪一项"),
    "note_elsewhere": _("{count} 个地点不是登记的驿站，只写进补录原因：{names}。是驿站的，先在试导入里选它就是哪个"),
    "note_no_catalogue": _("积分目录里还没有善行事项：可以在试导入里新添表里的事项，也可以先到积分规则页添加"),
    "note_stayed": _(
        "撤销时留下 {count} 位居民：有撤回的服务记录或善行写着他们，要留作凭据。确要除名的，请逐位办理迁出"
    ),
    "note_reviewed_meanwhile": _("撤销进行时，有 {count} 处刚好被审核或用掉，没有撤回，请逐条更正"),
    "note_stopped": _("没有做完就停下了，还有 {count} 行没有处理。再导入一次同一份表格，会接着做剩下的"),
    "note_undo_stopped": _("撤销没有做完就停下了，还有 {count} 处没有撤回。请再撤销一次，会接着做剩下的"),
    "note_refused_late": _(
        "读表以后情况变了，有 {count} 行不能再导入。按“全部没有问题才导入”，什么都没有导入；请改好这些行再来"
    ),
    "note_incomplete": _(
        "录入到一半，有 {count} 行因为情况变了没有导入，其余的已经导入。改好再导入一次，只补这些行；"
        "不要只导入一部分的，请撤销这次导入"
    ),
    "note_phones_held": _("{count} 人的手机号已有人在用，等手机号的主人在首页同意后，才能用它看到这里的登记"),
    "note_known": _("{count} 行以前已经导入或登记，没有重复导入"),
}
"""Every kind of problem. A code never changes its meaning; a sentence may be reworded, and its text is the key of its
translation. The codes that begin with `note_` are about the whole file."""


SEVERAL: Mapping[str, str] = {
    "same_day": _("这些行的人当天还有别的服务，请审核时留意"),
    "day_only_same_day": _("这些行只有日期和时长，这些人当天还登记过别的服务，请审核时核对是不是同一次"),
    "duration_differs": _("这些行写的时长与签到签退算出的不一致，已按签到签退计算"),
    "phone_several": _("这些行一格有多个号码，只用了第一个"),
}
"""The sentence for several rows together, for problems whose own sentence names a value that differs by row."""

LEFT_OUT = _("{sentence}。没有导入这一格，其余照常")


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem: a code of SENTENCES or of a TimebankError, and the values for its sentence. Holds no personal data."""

    code: str
    values: Mapping[str, str | int] = field(default_factory=dict)

    def sentence(self, translate: Callable[[str], str] = str) -> str:
        """The problem's sentence, in the reader's language if `translate` is given."""
        refusal = TimebankError.by_code.get(self.code)
        known = (SEVERAL if self.values.get("several") else SENTENCES).get(self.code)
        sentence = translate(known or (refusal.sentence if refusal else "")).format(**self.values)
        return translate(LEFT_OUT).format(sentence=sentence) if self.values.get("left_out") else sentence


def problem(code: str, **values: str | int) -> Problem:
    """A problem with a code of SENTENCES. Raises KeyError for an unknown code, which is a programming error."""
    if code not in SENTENCES:
        raise KeyError(code)
    return Problem(code, values)


def left_out(wrong: Problem) -> Problem:
    """The same problem, worded for a cell that is left out while its row is imported."""
    return Problem(wrong.code, {**wrong.values, "left_out": 1})


def refusal(error: TimebankError) -> Problem:
    """The error of another capability's function as the problem of a row."""
    return Problem(error.code, {name: x if isinstance(x, int) else str(x) for name, x in error.values.items()})
