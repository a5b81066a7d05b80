"""The catalogue: the printed wording of every figure, with its version; `docs/metrics.md` lists it, papers print it.

`function` names the pure function that is the definition; its docstring begins with the same id and version. A changed
formula is a new version: the old entry and its function stay as long as a delivered paper names them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, unique


@unique
class Unit(StrEnum):
    """What a figure is measured in."""

    CALLS = "calls"
    SECONDS = "seconds"
    SHARE = "share"
    """Of 1."""
    PEOPLE = "people"
    RATIO = "ratio"

    @property
    def label_ja(self) -> str:
        return {"calls": "件", "seconds": "秒", "share": "割合", "people": "人", "ratio": "比"}[self.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """The printed wording of one figure."""

    id: str
    version: int
    name_ja: str
    text_ja: str
    """The formula in words; empty for `answer_rate`, which takes the wording of the rule in force."""
    unit: Unit
    edge_ja: str
    """What happens at the edges; empty where nothing is to be said."""
    function: str
    """`module.function`."""
    source: str

    @property
    def key(self) -> str:
        return f"{self.id}_v{self.version}"


_OWN = "取次の定義"
_M = "reports.metrics."
_A = "reports.answer_rates."
_R = "reports.resolution."
_NONE = "分母が0件なら「–」"
_NO_ANSWER = "応答が0件なら「–」"
_OPEN = "通話中の電話は入れない"
_KNOWN = "番号の分からない電話（非通知など）は分母にも分子にも入れない。推定値"

_ROWS: tuple[tuple[str, str, str, Unit, str, str, str], ...] = (
    # id, name, formula, unit, edges, function, source
    (
        "incoming", "入電",
        "市の番号に届いたすべての電話。時間外を含み、試験の電話を除く。呼び出しの回数は数えない",
        Unit.CALLS, "通話中の電話を含む", _M + "incoming", _OWN,
    ),
    ("answered", "応答", "オペレーターと市民がつながった電話", Unit.CALLS, _OPEN, _M + "answered", _OWN),
    (
        "abandoned_queue", "待ち中の切断（放棄呼）", "オペレーターを待つ間に市民が切った電話",
        Unit.CALLS, "混雑の案内で終わった電話は入れない", _M + "abandoned_queue", _OWN,
    ),
    (
        "abandoned_menu", "案内中の切断", "冒頭の案内やメニューの途中で市民が切った電話。放棄呼とは分けて数える",
        Unit.CALLS, _OPEN, _M + "abandoned_menu", _OWN,
    ),
    (
        "overflow", "混雑の案内", "満席、受付者なし、または待ち時間の上限により、混雑の案内で終わった電話",
        Unit.CALLS, "次の待ち列へ移った電話は、まだ待っている電話とする", _M + "overflow", _OWN,
    ),
    ("callbacks", "折り返し予約", "折り返しを予約して終わった電話", Unit.CALLS, _OPEN, _M + "callbacks", _OWN),
    ("referred", "他の番号を案内", "別の連絡先を案内して終わった電話", Unit.CALLS, _OPEN, _M + "referred", _OWN),
    (
        "self_served", "自動案内で完了", "音声の案内を聞き終え、オペレーターを求めずに終わった電話",
        Unit.CALLS, _OPEN, _M + "self_served", _OWN,
    ),
    (
        "after_hours", "時間外の案内", "受付時間外、休日、臨時休止の案内で終わった電話",
        Unit.CALLS, _OPEN, _M + "after_hours", _OWN,
    ),
    ("system_failures", "システム障害", "当方の都合で切れた電話", Unit.CALLS, _OPEN, _M + "system_failures", _OWN),
    (
        "short_abandons", "早切れ", "待ち列に入り、定めた秒数より前に市民が切った電話",
        Unit.CALLS, "ちょうどその秒数の電話は入れない", _M + "short_abandons", "Dialpad、RingCentral（秒数は選べる）",
    ),
    (
        "offered", "分母", "応答率の分母に立つ電話。市の選んだ数え方による",
        Unit.CALLS, "時間外の電話を入れる数え方は all_incoming だけ", _A + "offered", _OWN,
    ),
    (
        "answer_rate", "応答率", "", Unit.SHARE, _NONE, _A + "answer_rate",
        "仕様書は目標のみを定め、計算式を定めない",
    ),
    (
        "answers_needed", "目標までに必要な応答", "目標 ×（これまでの分母 ＋ これから見込む分母）− 応答、切り上げ",
        Unit.CALLS, "届いていれば0件。残りすべてに応答しても届かなければ「届かない」", _A + "answers_needed", _OWN,
    ),
    (
        "answer_rate_of_all", "（参考）時間内の全入電に対する応答", "応答 ÷ 時間外を除くすべての入電",
        Unit.SHARE, _NONE, _M + "answer_rate_of_all", _OWN,
    ),
    (
        "abandon_rate", "放棄呼率", "待ち中の切断 ÷ 待ち列に入った電話",
        Unit.SHARE, _NONE, _M + "abandon_rate", "Amazon Connect、プロシード（案内中の切断は分ける）",
    ),
    (
        "menu_abandon_rate", "案内中の切断率", "案内中の切断 ÷ 時間外を除くすべての入電",
        Unit.SHARE, _NONE, _M + "menu_abandon_rate", "プロシード",
    ),
    (
        "line_loss", "呼損率", "話し中で届かなかった電話 ÷（話し中で届かなかった電話 ＋ 入電）",
        Unit.SHARE, "通信事業者の数値がなければ「–」。交換機からは見えない", _M + "line_loss",
        "callcenter-dojo、bewith（ビジー返し）",
    ),
    (
        "service_level", "サービスレベル", "定めた秒数以内に応答した電話 ÷ 応答率と同じ分母",
        Unit.SHARE, _NONE + "。ちょうどその秒数を含む", _M + "service_level", _OWN,
    ),
    (
        "service_level_asterisk", "サービスレベル（応答だけ）", "定めた秒数以内に応答した電話 ÷ 応答",
        Unit.SHARE, _NO_ANSWER, _M + "service_level_asterisk", "Asterisk app_queue SL",
    ),
    (
        "service_level_asterisk2", "サービスレベル（早い切断も達成とする）",
        "（秒数以内の応答 ＋ 秒数以内の待ち中の切断）÷（応答 ＋ 待ち中の切断）",
        Unit.SHARE, _NONE, _M + "service_level_asterisk2", "Asterisk app_queue SL2",
    ),
    (
        "service_level_genesys", "サービスレベル（早切れを除く）",
        "秒数以内の応答 ÷（応答 ＋ 待ち中の切断 ＋ 混雑の案内 − 早切れ）",
        Unit.SHARE, _NONE, _M + "service_level_genesys", "Genesys Cloud",
    ),
    (
        "service_level_xcally", "サービスレベル（遅い切断だけ数える）",
        "秒数以内の応答 ÷（応答 ＋ 秒数を過ぎた待ち中の切断）",
        Unit.SHARE, _NONE, _M + "service_level_xcally", "XCALLY",
    ),
    (
        "service_level_breakouts", "サービスレベル（折り返しを含む）",
        "秒数以内の応答 ÷（応答 ＋ 待ち中の切断 ＋ 折り返し予約）",
        Unit.SHARE, _NONE, _M + "service_level_breakouts", "NewVoiceMedia",
    ),
    (
        "longest_wait", "最長待ち時間", "待ち列に入ってからつながる、または離れるまで。応答しなかった電話も含めた最大",
        Unit.SECONDS, "待った電話がなければ「–」", _M + "longest_wait", _OWN,
    ),
    (
        "asa", "平均応答速度", "応答した電話の待ち時間の合計 ÷ 応答。待ち列に入ってから",
        Unit.SECONDS, _NO_ANSWER, _M + "average_speed_of_answer", _OWN,
    ),
    (
        "asa_arrival", "平均応答速度（着信から）", "応答した電話の、着信からつながるまでの平均。案内とメニューを含む",
        Unit.SECONDS, _NO_ANSWER, _M + "average_from_arrival", _OWN,
    ),
    (
        "five_minutes", "長い待ち", "待ち時間が基準以上の電話。応答の有無を問わない",
        Unit.CALLS, "ちょうど基準の電話を含む", _M + "long_waits", "千葉市仕様書 7(5)オ(イ)",
    ),
    (
        "wait_told", "待ち時間の案内の的中率",
        "最初に案内した「何分から何分」の間につながった電話 ÷ 時間を案内して応答した電話。案内の時点から数える",
        Unit.SHARE, _NONE, _M + "wait_told_true", _OWN,
    ),
    (
        "att", "平均通話時間", "オペレーターとの通話（保留を含む）の合計 ÷ 応答",
        Unit.SECONDS, _NO_ANSWER, _M + "average_talk", _OWN,
    ),
    (
        "acw", "平均後処理時間", "通話の後、次の電話を受けられるまでの時間の平均。分かった電話のみ",
        Unit.SECONDS, "分かった電話がなければ「–」", _M + "average_wrap_up", _OWN,
    ),
    (
        "aht", "平均処理時間", "（通話（保留を含む）＋ 分かった後処理）の合計 ÷ 応答",
        Unit.SECONDS, _NO_ANSWER, _M + "average_handling", "cloud-contactcenter.jp（保留は通話に含む）",
    ),
    (
        "occupancy", "占有率", "（通話 ＋ 保留 ＋ 後処理）÷ 受付可能時間。稼働率とは違う",
        Unit.SHARE, "受付可能時間がなければ「–」", _M + "occupancy", "プロシード",
    ),
    (
        "utilisation", "稼働率", "通話（保留を含む）÷ サインインしていた時間。離席を含む",
        Unit.SHARE, "サインインがなければ「–」", _M + "utilisation", "BIZTEL（事業者により違うため式を印字する）",
    ),
    (
        "transfer_rate", "転送率", "転送先が応答した転送が1回以上ある電話（応答したもの） ÷ 応答",
        Unit.SHARE, _NO_ANSWER, _M + "transfer_rate", _OWN,
    ),
    (
        "second_line_rate", "二次対応率", "市の転送先一覧へつなごうとした電話（応答したもの） ÷ 応答",
        Unit.SHARE, _NO_ANSWER, _M + "second_line_rate", "宇部市仕様書 10(1)",
    ),
    (
        "second_line_reached", "二次対応の応答率",
        "転送先の職員と市民が話した電話 ÷ 転送先へつなごうとした電話（応答したもの）",
        Unit.SHARE, _NONE, _M + "second_line_reached", "宇部市仕様書 10(3)イ",
    ),
    (
        "first_contact", "一次完了率",
        "一人のオペレーターで終わり、転送も折り返しもなく、"
        "7日以内に同じ番号から同じ用件の電話がない電話（応答したもの） ÷ 応答",
        Unit.SHARE, _KNOWN, _R + "first_contact", "印西市仕様書 5④。日数は取次の想定",
    ),
    (
        "self_resolved", "自己解決率", "24時間以内に同じ番号から電話がない、自動案内で完了した電話 ÷ 自動案内で完了",
        Unit.SHARE, _KNOWN, _R + "self_resolved", "印西市仕様書 2③。時間は取次の想定",
    ),
    (
        "repeat_callers", "再入電発生率", "期間中に2回以上かけた番号 ÷ かけた番号",
        Unit.SHARE, _KNOWN, _R + "repeat_callers", "MiiTel",
    ),
    (
        "offers", "呼び出し", "オペレーターの電話機を呼び出した回数。応答、不応答、呼び出し中の市民の切断を含む",
        Unit.CALLS, "電話の数ではない", "reports.evenness.evenness_report", _OWN,
    ),
    (
        "missed_offers", "不応答", "呼び出しに出なかった、または断った回数",
        Unit.CALLS, "電話の数ではない", "reports.evenness.evenness_report", _OWN,
    ),
    (
        "handled_calls", "対応件数", "そのオペレーターと市民がつながった回数",
        Unit.CALLS, "", "reports.evenness.evenness_report", _OWN,
    ),
    (
        "handled_time", "対応時間", "通話（保留を含む）と後処理の合計",
        Unit.SECONDS, "分からない後処理は0とし、件数を示す", "reports.evenness.evenness_report", _OWN,
    ),
    (
        "available_time", "受付可能時間",
        "サインインしていた時間から離席（休憩、呼び出しの停止など）を除いた時間。通話と後処理を含む",
        Unit.SECONDS, "", "ledger.presence.available_s", _OWN,
    ),
    (
        "load_rate", "負荷率",
        "すべての業務の対応時間 ÷ 受付可能時間。市が件数で分ける場合は、受付可能1時間あたりの対応件数",
        Unit.SHARE, "受付可能時間がなければ「–」", "reports.evenness.evenness_report", _OWN,
    ),
    (
        "evenness", "ばらつき",
        "負荷率の（最大 − 最小）÷ 平均。受付可能が1時間以上の人で比べる。呼び出しが100件未満なら参考値",
        Unit.RATIO, "比べる人が2人に満たなければ「–」", "reports.evenness.evenness",
        "松阪市仕様書 2章2(6)イ。式は取次の定義",
    ),
    (
        "deviations", "意図と違う呼び出し",
        "呼び出しの瞬間の順位で、先に呼ぶはずの人または先につなぐはずの市民がほかにいた呼び出し",
        Unit.CALLS, "理由が記録された呼び出しだけを数える", "reports.evenness.evenness_report", _OWN,
    ),
    (
        "lost", "応答できなかった電話", "応答率の分母のうち、オペレーターにつながらなかった電話",
        Unit.CALLS, _OPEN, "reports.shortfall.shortfall_report", "松阪市仕様書 2章2(3)イ",
    ),
    (
        "availability", "稼働率", "外から利用して応答のあった分 ÷ 測った分",
        Unit.SHARE, "測れなかった分は分母にも分子にも入れず、別に示す", "reports.availability.availability",
        "印西市仕様書 13①(シ)。1分ごとに測るのは取次の定義",
    ),
    (
        "on_duty", "受付人数", "1時間の受付時間内に、電話を受けられる状態だった人数の平均",
        Unit.PEOPLE, "受付時間がなければ0", "reports.shortfall.shortfall_report", _OWN,
    ),
)  # fmt: skip

DEFINITIONS = {
    row[0]: Definition(
        id=row[0],
        version=1,
        name_ja=row[1],
        text_ja=row[2],
        unit=row[3],
        edge_ja=row[4],
        function=row[5],
        source=row[6],
    )
    for row in _ROWS
}
"""Printed wording by id."""
