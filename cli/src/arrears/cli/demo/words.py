"""Labels of the last page, in English and Chinese. A code without a label is shown as words."""

from collections.abc import Mapping
from typing import Final, Literal

Language = Literal["en", "zh"]

LABELS: Final[Mapping[str, tuple[str, str]]] = {
    # --- Headings
    "title": ("The portfolio on {day}", "{day} 的资产组合"),
    "over": (
        "{cases} cases of {loans} loans; amounts in {currency}",
        "{loans} 笔贷款的 {cases} 件案件；金额单位：{currency}",
    ),
    "stages": ("Cases by stage", "各阶段案件"),
    "rolls": (
        "Roll rates: of the loans in a bucket at a month's end, where they stood a month later "
        "({first} to {last})",
        "迁徙率：月末处于某档的贷款，一个月后处于何档（{first} 至 {last}）",
    ),
    "attempts": ("Attempts to reach borrowers", "触达借款人"),
    "tomorrow": ("Tomorrow's list", "明日待办"),
    "endings": ("How the cases ended", "案件结局"),
    "story": ("The story of one case: {name}", "一件案件的始末：{name}"),
    "proof": ("Proof", "证明"),
    "next": ("To try next", "接下来可以试试"),
    # --- Columns
    "stage": ("stage", "阶段"),
    "cases": ("cases", "案件"),
    "in_work": ("in work", "办理中"),
    "waiting": ("waiting", "等待"),
    "overdue": ("overdue", "逾期额"),
    "balance": ("balance", "余额"),
    "paid_in": ("paid in", "回款"),
    "promises": ("promises kept / broken", "承诺兑现 / 未兑现"),
    "agreements": ("agreements kept / breached", "协议履行 / 违约"),
    "ending": ("ending", "结局"),
    "count": ("count", "件数"),
    "case": ("one case", "一例"),
    "from": ("from", "自"),
    "since": ("since", "自"),
    "loans": ("loans", "贷款"),
    "date": ("date", "日期"),
    "service": ("service", "服务"),
    "what": ("what", "事项"),
    "why": ("why", "依据"),
    # --- Stages
    "intake": ("intake", "受理"),
    "contact": ("contact", "联系"),
    "mediation": ("mediation", "调解"),
    "legal": ("legal", "法务"),
    "history": ("history", "档案"),
    "no_case": ("no open case", "无在办案件"),
    # --- Attempts
    "requested": ("requested", "申请"),
    "made": ("made", "实施"),
    "refused_by_rule": ("refused by rule", "被规则拒绝"),
    "without_permit": ("made without permit", "无许可实施"),
    "made_twice": ("made twice", "重复实施"),
    "outcomes": ("outcomes", "结果"),
    "connected": ("connected", "接通"),
    "no_answer": ("no answer", "无人接听"),
    "delivered": ("delivered", "已送达"),
    "returned": ("returned", "被退回"),
    "met": ("met in person", "见到本人"),
    "not_home": ("not at home", "不在家"),
    "unknown": ("never told", "结果不明"),
    "policy_in_force": ("no policy in force", "无有效政策"),
    "case_closed": ("case closed", "案件已结"),
    "borrower_changed": ("another borrower", "借款人变更"),
    "agreement": ("agreement kept", "协议履行中"),
    "hardship": ("hardship", "经济困难保护"),
    "hold": ("case held", "案件暂停"),
    "parked": ("parked input", "输入待处理"),
    "staff": ("stopped by staff", "人工停止"),
    "promise_pending": ("promise pending", "承诺未到期"),
    "nothing_owed": ("nothing owed", "已无应催金额"),
    "contact_point": ("no contact point", "无联系方式"),
    "quiet_hours": ("quiet hours", "静默时段"),
    "connected_per_day": ("connected contacts per day", "每日接通上限"),
    "unanswered_per_number": ("unanswered dials per number", "每号码未接上限"),
    "permit_ended": ("permit ended", "准许已过期"),
    # --- Tomorrow
    "broken_promises": ("broken promises", "未兑现的承诺"),
    "returned_notices": ("returned notices", "被退回的催告函"),
    "facts_set_aside": ("facts set aside", "搁置的数据"),
    "not_known": ("not known", "未知"),
    # --- Buckets
    "new": ("new", "新增"),
    "cured": ("cured", "已恢复"),
    # --- Endings
    "cured_in_grace": ("cured in grace", "宽限期内恢复"),
    "cured_before_any_step": ("cured before any step", "未采取措施即恢复"),
    "cured_after_reminder": ("cured after a reminder", "提醒后恢复"),
    "cured_after_call": ("cured after a call", "电话后恢复"),
    "cured_after_demand": ("cured after a demand", "催告后恢复"),
    "cured_after_visit": ("cured after a visit", "上门后恢复"),
    "cured_after_mediate": ("cured after mediation", "调解后恢复"),
    "cured_after_sue": ("cured after suit", "起诉后恢复"),
    "promise_kept": ("promise kept", "承诺兑现"),
    "hardship_then_cured": ("hardship, then cured", "经济困难后恢复"),
    "agreement_fulfilled": ("agreement fulfilled", "协议履行完毕"),
    "agreement_breached_then_sued": ("agreement breached, then sued", "协议违约后起诉"),
    "judgment_obeyed": ("judgment obeyed", "履行判决"),
    "enforced_in_full": ("enforced in full", "全部执行到位"),
    "enforced_in_part": ("enforced in part", "部分执行到位"),
    "enforced_no_assets": ("no assets", "无可供执行财产"),
    "closed_uncollectible": ("closed as uncollectible", "无法收回结案"),
    "closed_settled": ("closed as settled", "和解结案"),
    "still_open": ("still open", "未结"),
    # --- Counts
    "promises_made": ("promises made", "承诺"),
    "promises_kept": ("kept", "兑现"),
    "promises_partly_kept": ("kept in part", "部分兑现"),
    "promises_broken": ("broken", "未兑现"),
    "promises_lapsed": ("lapsed", "终止"),
    "hardships": ("hardships", "经济困难"),
    "demands_delivered": ("demands delivered", "催告送达"),
    "demands_returned": ("demands returned", "催告退回"),
    "agreements_signed": ("agreements signed", "签署协议"),
    "agreements_fulfilled": ("fulfilled", "履行完毕"),
    "agreements_breached": ("breached", "违约"),
    "claims_filed": ("claims filed", "起诉"),
    "judgments": ("judgments", "判决"),
    "judgments_obeyed": ("obeyed", "履行判决"),
    "enforcements_closed": ("enforcements closed", "执行结案"),
    "awarded": ("awarded", "判决金额"),
    "recovered": ("recovered by enforcement", "执行到位"),
    # --- Proof and speed
    "digest": (
        "digest {sha256} over {cases} cases and {events} events, up to {day}",
        "摘要 {sha256}，涵盖 {cases} 件案件、{events} 条事件，截至 {day}",
    ),
    "holds": (
        "the proof holds: {events} events read in every database and on every topic, none "
        "missing, none twice, none changed",
        "证明成立：已通读各数据库与各主题共 {events} 条事件，无缺失、无重复、无改动",
    ),
    "broken": ("THE PROOF IS BROKEN: {says}", "证明不成立：{says}"),
    "unproved": ("the proof could not be made: {says}", "无法完成证明：{says}"),
    "killed": (
        "on business day {day} contact's worker (pid {pid}) was killed without warning and "
        "started again ({seconds} s later): what it had begun was neither lost nor done twice",
        "业务日 {day}，联系服务的工作进程（pid {pid}）被强制终止并重新启动（{seconds} 秒后）："
        "其未完成的工作既无丢失，也无重复",
    ),
    "not_killed": (
        "no worker was killed: this run sent nothing new",
        "未终止任何进程：本次没有新的数据",
    ),
    "speed": (
        "{events} events and {closings} closings of a day in {seconds} s: {rate} events/s, "
        "{all_rate}/s with the closings, from {facts} facts of the bank",
        "{seconds} 秒处理 {events} 条事件与 {closings} 次日终：每秒 {rate} 条事件"
        "（含日终 {all_rate} 条），来自银行的 {facts} 条数据",
    ),
    "running": (
        "the services keep running; `make down` stops them",
        "各服务仍在运行；`make down` 可停止",
    ),
    "as_of": ("as of {day}", "截至 {day}"),
    "none": ("none", "无"),
    "and_more": ("and {count} more", "另有 {count} 件"),
}


def say(key: str, language: Language, **values: object) -> str:
    """The label of a code, with numbers grouped."""
    pair = LABELS.get(key)
    text = key.replace("_", " ") if pair is None else pair[0 if language == "en" else 1]
    if not values:
        return text
    grouped = {
        name: f"{value:,}" if isinstance(value, int) and name != "pid" else value
        for name, value in values.items()
    }
    return text.format(**grouped)
