"""The printed wording of every figure, with its version: what `docs/metrics.md` lists."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """The printed wording of one figure."""

    id: str
    version: int
    name_ja: str
    text_ja: str
    source: str

    @property
    def key(self) -> str:
        return f"{self.id}_v{self.version}"


_OWN = "取次の定義"
DEFINITIONS = {
    each.id: each
    for each in (
        Definition(
            id="incoming",
            version=1,
            name_ja="入電",
            text_ja="市の番号に届いたすべての呼。時間外を含み、試験呼を除く。呼び出しの回数は数えない",
            source=_OWN,
        ),
        Definition(
            id="answered", version=1, name_ja="応答", text_ja="オペレーターと市民がつながった呼", source=_OWN
        ),
        Definition(
            id="abandoned_queue",
            version=1,
            name_ja="待ち中の切断（放棄呼）",
            text_ja="オペレーターを待つ間に市民が切った呼",
            source=_OWN,
        ),
        Definition(
            id="abandoned_menu",
            version=1,
            name_ja="案内中の切断",
            text_ja="冒頭の案内やメニューの途中で市民が切った呼。放棄呼とは分けて数える",
            source=_OWN,
        ),
        Definition(
            id="overflow",
            version=1,
            name_ja="混雑の案内",
            text_ja="満席、受付者なし、または待ち時間の上限により、混雑の案内で終わった呼",
            source=_OWN,
        ),
        Definition(
            id="callbacks",
            version=1,
            name_ja="折り返し予約",
            text_ja="折り返しを予約して終わった呼",
            source=_OWN,
        ),
        Definition(
            id="referred",
            version=1,
            name_ja="他の番号を案内",
            text_ja="別の連絡先を案内して終わった呼",
            source=_OWN,
        ),
        Definition(
            id="self_served",
            version=1,
            name_ja="自動案内で完了",
            text_ja="音声の案内を聞き終え、オペレーターを求めずに終わった呼",
            source=_OWN,
        ),
        Definition(
            id="after_hours",
            version=1,
            name_ja="時間外の案内",
            text_ja="受付時間外、休日、臨時休止の案内で終わった呼",
            source=_OWN,
        ),
        Definition(
            id="system_failures",
            version=1,
            name_ja="システム障害",
            text_ja="当方の都合で切れた呼",
            source=_OWN,
        ),
        Definition(
            id="answer_rate",
            version=1,
            name_ja="応答率",
            text_ja="",
            source="仕様書は目標のみを定め、計算式を定めない",
        ),
        Definition(
            id="answer_rate_of_all",
            version=1,
            name_ja="（参考）時間内の全入電に対する応答",
            text_ja="応答 ÷ 時間外を除くすべての入電",
            source=_OWN,
        ),
        Definition(
            id="service_level",
            version=1,
            name_ja="サービスレベル",
            text_ja="定めた秒数以内に応答した呼 ÷ 応答率と同じ分母",
            source=_OWN,
        ),
        Definition(
            id="longest_wait",
            version=1,
            name_ja="最長待ち時間",
            text_ja="待ち列に入ってからつながる、または離れるまで。応答しなかった呼も含めた最大",
            source=_OWN,
        ),
        Definition(
            id="asa",
            version=1,
            name_ja="平均応答速度",
            text_ja="応答した呼の待ち時間の合計 ÷ 応答。待ち列に入ってから",
            source=_OWN,
        ),
        Definition(
            id="asa_arrival",
            version=1,
            name_ja="平均応答速度（着信から）",
            text_ja="応答した呼の、着信からつながるまでの平均。案内とメニューを含む",
            source=_OWN,
        ),
        Definition(
            id="five_minutes",
            version=1,
            name_ja="長い待ち",
            text_ja="待ち時間が基準以上の呼。応答の有無を問わない",
            source="千葉市仕様書 7(5)オ(イ)",
        ),
        Definition(
            id="wait_told",
            version=1,
            name_ja="待ち時間の案内の的中率",
            text_ja="最初に案内した「何分から何分」の間につながった呼 ÷ 時間を案内して応答した呼。案内の時点から数える",
            source=_OWN,
        ),
        Definition(
            id="att",
            version=1,
            name_ja="平均通話時間",
            text_ja="オペレーターとの通話（保留を含む）の合計 ÷ 応答",
            source=_OWN,
        ),
        Definition(
            id="acw",
            version=1,
            name_ja="平均後処理時間",
            text_ja="通話の後、次の呼を受けられるまでの時間の平均。分かった呼のみ",
            source=_OWN,
        ),
        Definition(
            id="offers",
            version=1,
            name_ja="呼び出し",
            text_ja="オペレーターの電話機を呼び出した回数。応答、不応答、呼び出し中の市民の切断を含む",
            source=_OWN,
        ),
        Definition(
            id="missed_offers",
            version=1,
            name_ja="不応答",
            text_ja="呼び出しに出なかった、または断った回数",
            source=_OWN,
        ),
        Definition(
            id="handled_calls",
            version=1,
            name_ja="対応件数",
            text_ja="そのオペレーターと市民がつながった回数",
            source=_OWN,
        ),
        Definition(
            id="handled_time",
            version=1,
            name_ja="対応時間",
            text_ja="通話（保留を含む）と後処理の合計",
            source=_OWN,
        ),
        Definition(
            id="available_time",
            version=1,
            name_ja="受付可能時間",
            text_ja="サインインしていた時間から離席（休憩、呼び出しの停止など）を除いた時間。通話と後処理を含む",
            source=_OWN,
        ),
        Definition(
            id="load_rate",
            version=1,
            name_ja="負荷率",
            text_ja="すべての業務の対応時間 ÷ 受付可能時間。市が件数で分ける場合は、受付可能1時間あたりの対応件数",
            source=_OWN,
        ),
        Definition(
            id="evenness",
            version=1,
            name_ja="ばらつき",
            text_ja="負荷率の（最大 − 最小）÷ 平均。受付可能が1時間以上の人で比べる。呼び出しが100件未満なら参考値",
            source="松阪市仕様書 2章2(6)イ。式は取次の定義",
        ),
        Definition(
            id="deviations",
            version=1,
            name_ja="意図と違う呼び出し",
            text_ja="呼び出しの瞬間の順位で、先に呼ぶはずの人または先につなぐはずの市民がほかにいた呼び出し",
            source=_OWN,
        ),
        Definition(
            id="lost",
            version=1,
            name_ja="応答できなかった呼",
            text_ja="応答率の分母のうち、オペレーターにつながらなかった呼",
            source="松阪市仕様書 2章2(3)イ",
        ),
        Definition(
            id="on_duty",
            version=1,
            name_ja="受付人数",
            text_ja="1時間の受付時間内に、電話を受けられる状態だった人数の平均",
            source=_OWN,
        ),
    )
}
"""Printed wording by id; `answer_rate` takes its wording from the rule in force."""
