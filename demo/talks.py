"""What is said on the telephone, by topic: questions in several wordings, their answers, and what should come of them.

Citizen and operator in turn; the citizen begins, and the last line is the citizen's goodbye. About seven seconds a
side: a day of twelve calls has to fit into two minutes. Numbers that citizens say are invented (the state gives out no
mobile numbers that begin with 0900) and written as they are spoken, so that every voice reads them digit by digit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum, unique


@unique
class PlantedKind(StrEnum):
    MY_NUMBER = "my_number"
    TELEPHONE = "telephone"
    PIN = "pin"


@dataclass(frozen=True, slots=True)
class Planted:
    """A number that is said and must not be found anywhere afterwards."""

    kind: PlantedKind
    digits: str
    line: int
    """Place of the line in which it is said."""


@dataclass(frozen=True, slots=True)
class Talk:
    """One conversation after the operator's greeting."""

    topic: str
    lines: tuple[str, ...]
    entries: frozenset[str]
    """The entries of the knowledge base that answer it; empty when none does."""
    planted: tuple[Planted, ...] = ()
    language: str = "ja"


_MY_NUMBERS = ("358162947070", "804273519647")
_TELEPHONES = ("09003724815", "09006512947")
_PINS = ("7294", "3816")

_MY_NUMBER_1 = "さんごおはちいち、ろくにいきゅうよん、ななぜろななぜろ"
_MY_NUMBER_2 = "はちぜろよんにい、ななさんごおいち、きゅうろくよんなな"
_TELEPHONE_1 = "ぜろきゅうぜろの、ぜろさんななにいの、よんはちいちごお"
_TELEPHONE_2 = "ぜろきゅうぜろの、ぜろろくごおいちの、にいきゅうよんなな"
_PIN_1 = "なな、にい、きゅう、よん"
_PIN_2 = "さん、はち、いち、ろく"


def _my_number(number: int, *lines: int) -> tuple[Planted, ...]:
    return tuple(Planted(PlantedKind.MY_NUMBER, _MY_NUMBERS[number - 1], line) for line in lines)


def _telephone(number: int, *lines: int) -> tuple[Planted, ...]:
    return tuple(Planted(PlantedKind.TELEPHONE, _TELEPHONES[number - 1], line) for line in lines)


def _pin(number: int, *lines: int) -> tuple[Planted, ...]:
    return tuple(Planted(PlantedKind.PIN, _PINS[number - 1], line) for line in lines)


def _talk(topic: str, entries: str, *lines: str, planted: tuple[Planted, ...] = ()) -> Talk:
    return Talk(topic, lines, frozenset(entries.split()), planted)


_KNOWN: Sequence[Talk] = (
    _talk(
        "book", "pickup-book",
        "マイナンバーカードの受け取りの、予約をお願いします。",
        "かしこまりました。ご希望の日時をお聞かせください。",
        "来週水曜日の、午後二時でお願いします。",
        "はい、お取りしました。通知書をお持ちください。",
        "ありがとうございました。",
    ),
    _talk(
        "book", "pickup-book",
        "カードの受け取りに、予約は必要ですか。",
        "はい、必要です。ご連絡先のお電話番号をお願いします。",
        f"電話番号は、{_TELEPHONE_1}です。",
        "ありがとうございます。木曜日の午前十時にお取りしました。",
        "はい、よろしくお願いします。",
        planted=_telephone(1, 2),
    ),
    _talk(
        "book", "pickup-book",
        "はがきが届いたので、カードを受け取る予約を取りたいです。",
        "はい。はがきの番号はおわかりですか。",
        f"マイナンバーなら、{_MY_NUMBER_1}です。",
        "マイナンバーは、お電話では結構です。金曜日の二時にお取りします。",
        "わかりました。ありがとうございます。",
        planted=_my_number(1, 2),
    ),
    _talk(
        "change", "pickup-change",
        "予約の日を、変更したいのですが。",
        "承知いたしました。いつがよろしいでしょうか。",
        "金曜日の午前中がいいです。",
        "では、金曜日の午前十時に変更いたしました。",
        "助かりました。失礼します。",
    ),
    _talk(
        "change", "pickup-change",
        "受け取りの予約を、キャンセルしたいのですが。",
        "はい。ご連絡先のお電話番号をお願いします。",
        f"電話番号は、{_TELEPHONE_2}です。",
        "確認できました。予約を取り消しました。",
        "はい、失礼します。",
        planted=_telephone(2, 2),
    ),
    _talk(
        "status", "pickup-check",
        "予約がいつだったか、確認したいのですが。",
        "ご予約は、木曜日の午後三時でございます。",
        "場所はどこですか。",
        "市役所一階の、交付窓口へお越しください。",
        "わかりました。失礼します。",
    ),
    _talk(
        "status", "pickup-check",
        "予約した時間を、忘れてしまいました。",
        "お調べします。火曜日の、午前十一時でございます。",
        "予約は、ちゃんと取れていますか。",
        "はい、お取りしております。",
        "安心しました。ありがとうございました。",
    ),
    _talk(
        "form", "card-apply-form",
        "カードの申請書を、なくしてしまいました。",
        "窓口で、新しい申請書をお渡しできます。",
        "申請書は、郵送もしてもらえますか。",
        "窓口で、本人確認のうえお渡ししております。",
        "わかりました。失礼します。",
    ),
    _talk(
        "form", "pickup-docs",
        "カードの受け取りに必要な、持ち物を教えてください。",
        "通知書と、運転免許証などの本人確認書類をお持ちください。",
        "本人確認書類は、保険証でもいいですか。",
        "顔写真のないものは、二点お願いしております。",
        "わかりました。ありがとうございました。",
    ),
    _talk(
        "certificate", "pin-forgot",
        "カードの暗証番号を、忘れてしまいました。",
        "窓口で、再設定ができます。ご本人がお越しください。",
        "カードを持っていけばいいですか。",
        "はい、マイナンバーカードをお持ちください。",
        "わかりました。失礼します。",
    ),
    _talk(
        "certificate", "pin-lock",
        "暗証番号を何回も間違えて、ロックがかかりました。",
        "窓口で、ロックを解除できます。",
        f"暗証番号は、{_PIN_1}だと思うのですが。",
        "暗証番号は、お電話ではおっしゃらないようお願いします。",
        "すみません。窓口に行きます。",
        planted=_pin(1, 2),
    ),
    _talk(
        "certificate", "cert-renew",
        "電子証明書の、更新の通知が届きました。",
        "期限の三か月前から、窓口で更新できます。",
        "電子証明書の更新に、お金はかかりますか。",
        "いいえ、無料でございます。",
        "わかりました。ありがとうございました。",
    ),
    _talk(
        "portal", "insurance-register",
        "保険証として使うには、どうすればいいですか。",
        "マイナポータルで、お申し込みをお願いします。",
        "スマートフォンがなくても、できますか。",
        "はい、市役所の窓口でもお手伝いいたします。",
        "ありがとうございました。",
    ),
    _talk(
        "portal", "portal-login",
        "マイナポータルに、ログインできないのですが。",
        "カードと、四桁の暗証番号をご用意ください。",
        f"暗証番号は、{_PIN_2}です。",
        "暗証番号は、おっしゃらずに画面に入力してください。",
        "わかりました。やってみます。",
        planted=_pin(2, 2),
    ),
    _talk(
        "portal", "account-register",
        "公金受取口座の、登録の方法を教えてください。",
        "マイナポータルから、登録できます。",
        "口座の登録には、何がいりますか。",
        "カードと、通帳などをご用意ください。",
        "わかりました。失礼します。",
    ),
    _talk(
        "system", "number-notice",
        "昔の通知カードは、まだ使えますか。",
        "住所とお名前が同じなら、番号の書類として使えます。",
        "通知カードの住所は、変えられますか。",
        "いいえ、通知カードの変更はできません。",
        "わかりました。ありがとうございました。",
    ),
    _talk(
        "system", "number-know",
        "自分のマイナンバーを、知りたいのですが。",
        "カードの裏面で、お確かめください。",
        f"書いてありました。マイナンバーは、{_MY_NUMBER_2}ですね。",
        "番号は、お電話ではおっしゃらないようお願いします。",
        "すみません。ありがとうございました。",
        planted=_my_number(2, 2),
    ),
    _talk(
        "system", "card-refuse-digital",
        "マイナンバーカードは、必ず作らないといけませんか。",
        "いいえ、申請は任意でございます。",
        "作らないと、困ることはありますか。",
        "カードがなくても、窓口の手続きはできます。",
        "安心しました。失礼します。",
    ),
    _talk(
        "insurance", "insurance-register",
        "健康保険証の利用の、登録をしたいのですが。",
        "マイナポータルか、病院の受付の機械でできます。",
        "病院でも、保険証の登録ができるんですね。",
        "はい、カードをお持ちください。",
        "わかりました。ありがとうございました。",
    ),
    _talk(
        "insurance", "insurance-without",
        "マイナンバーカードがないと、病院にかかれませんか。",
        "いいえ、資格確認書で受診できます。",
        f"電話番号は、{_TELEPHONE_1}ですが、送ってもらえますか。",
        "資格確認書は、加入している保険から届きます。",
        "わかりました。失礼します。",
        planted=_telephone(1, 2),
    ),
    _talk(
        "account", "account-register",
        "公金受取口座は、どうやって登録しますか。",
        "マイナポータルから、登録できます。",
        "口座は、どの銀行でもいいですか。",
        "はい、ご本人の名義の口座をお願いします。",
        "わかりました。ありがとうございました。",
    ),
    _talk(
        "account", "account-change",
        "登録した受取口座を、変更したいのですが。",
        "マイナポータルで、変更できます。",
        f"マイナンバーは、{_MY_NUMBER_1}です。口座を変えてください。",
        "番号は、お電話ではおっしゃらないようお願いします。",
        "わかりました。自分でやります。",
        planted=_my_number(1, 2),
    ),
    _talk(
        "apply", "card-apply",
        "マイナンバーカードを、新しく申請したいです。",
        "スマートフォンか、郵送で申請できます。",
        "申請は、スマートフォンだけでできますか。",
        "はい、顔写真を撮って送ってください。",
        "わかりました。ありがとうございました。",
    ),
    _talk(
        "apply", "card-renew card-validity",
        "カードの有効期限が近いので、更新したいです。",
        "期限の三か月前から、更新できます。",
        f"マイナンバーは、{_MY_NUMBER_2}です。",
        "番号は、お電話では結構です。通知書をお待ちください。",
        "わかりました。失礼します。",
        planted=_my_number(2, 2),
    ),
    _talk(
        "apply", "card-photo",
        "申請の写真に、決まりはありますか。",
        "六か月以内に撮った、正面の写真をお願いします。",
        "写真は、眼鏡をかけたままでもいいですか。",
        "はい、目がはっきり見えれば大丈夫です。",
        "わかりました。ありがとうございました。",
    ),
    _talk(
        "lost", "card-lost card-reissue",
        "マイナンバーカードを、なくしてしまいました。",
        "すぐに、カードの利用を一時停止してください。",
        "なくしたカードは、作り直せますか。",
        "はい、窓口で再発行の手続きができます。",
        "わかりました。ありがとうございました。",
    ),
    _talk(
        "lost", "card-lost",
        "財布を落として、カードも一緒になくしました。",
        "警察にも、届け出をお願いします。ご連絡先をお願いします。",
        f"電話番号は、{_TELEPHONE_2}です。",
        "ありがとうございます。一時停止もお願いします。",
        "はい、すぐに電話します。",
        planted=_telephone(2, 2),
    ),
    _talk(
        "other", "card-fee",
        "再発行の手数料は、いくらですか。",
        "通常、千円でございます。",
        "初めて作るときも、手数料はかかりますか。",
        "いいえ、初めての方は無料です。",
        "わかりました。失礼します。",
    ),
    _talk(
        "other", "conveni-cert",
        "コンビニで、住民票は取れますか。",
        "はい、マイナンバーカードがあれば取れます。",
        f"暗証番号は、{_PIN_1}でいいんですか。",
        "暗証番号は、おっしゃらないでください。四桁のものです。",
        "わかりました。行ってみます。",
        planted=_pin(1, 2),
    ),
    _talk(
        "paper", "certificate-resident",
        "住民票を取るには、何が必要ですか。",
        "本人確認書類をお持ちください。",
        "住民票は、家族の分も取れますか。",
        "はい、同じ世帯の方なら取れます。",
        "わかりました。ありがとうございました。",
    ),
    _talk(
        "paper", "koseki-get",
        "戸籍謄本を取りたいのですが、本籍は別の市です。",
        "ほかの市の戸籍も、窓口でお取りできます。",
        f"マイナンバーは、{_MY_NUMBER_1}です。",
        "番号は、お電話では結構です。本人確認書類をお持ちください。",
        "わかりました。失礼します。",
        planted=_my_number(1, 2),
    ),
    _talk(
        "paper", "seal-register",
        "印鑑登録を、したいのですが。",
        "印鑑と、本人確認書類をお持ちください。",
        "印鑑の登録は、今日できますか。",
        "写真付きの書類があれば、すぐにできます。",
        "ありがとうございました。",
    ),
    _talk(
        "moving", "move-in",
        "市内に引っ越してきたので、転入の手続きを教えてください。",
        "住み始めてから、十四日以内にお越しください。",
        "転入届には、何を持っていきますか。",
        "転出証明書か、カードをお持ちください。",
        "わかりました。ありがとうございました。",
    ),
    _talk(
        "moving", "move-out",
        "来月引っ越すので、転出届を出したいです。",
        "窓口か、オンラインでお届けできます。ご連絡先をお願いします。",
        f"電話番号は、{_TELEPHONE_1}です。",
        "ありがとうございます。ご案内をお電話します。",
        "お願いします。失礼します。",
        planted=_telephone(1, 2),
    ),
    _talk(
        "moving", "birth-report",
        "子どもが生まれたので、出生届を出したいです。",
        "おめでとうございます。十四日以内にお届けください。",
        "出生届は、休みの日でも出せますか。",
        "はい、休みの日もお預かりします。",
        "わかりました。ありがとうございました。",
    ),
    _talk(
        "card", "card-apply",
        "マイナンバーカードを、作りたいのですが。",
        "スマートフォンか、窓口で申請できます。",
        "カードの申請に、写真はいりますか。",
        "はい、窓口で無料でお撮りします。",
        "わかりました。ありがとうございました。",
    ),
    _talk(
        "card", "pin-lock",
        "カードの暗証番号に、ロックがかかってしまいました。",
        "窓口で、設定し直すことができます。",
        f"暗証番号は、{_PIN_2}だったと思います。",
        "暗証番号は、お電話ではおっしゃらないようお願いします。",
        "わかりました。失礼します。",
        planted=_pin(2, 2),
    ),
    _talk(
        "ask", "move-in-card move-in move-within",
        "マイナンバーカードのことで、教えてください。",
        "はい、どのようなことでしょうか。",
        "引っ越しをしたときは、カードの住所変更の手続きがいりますか。",
        "はい、カードをお持ちになって、窓口へお越しください。",
        "わかりました。失礼します。",
    ),
    Talk(
        "ask",
        (
            "Hello. I would like to pick up my card. Do I need a booking?",
            "Yes, a booking is needed. Which day would you like?",
            "Next Wednesday at two o'clock, please.",
            "It is booked. Please bring your notification letter and your passport.",
            "Thank you very much. Goodbye.",
        ),
        frozenset({"en-pickup", "pickup-book", "pickup-docs"}),
        language="en",
    ),
)  # fmt: skip

_UNKNOWN: Sequence[Talk] = (
    _talk(
        "bulky", "",
        "粗大ごみの収集を、申し込みたいのですが。",
        "申し訳ありません。清掃の担当課におつなぎします。",
        "古いソファーを、粗大ごみに出したいです。",
        "はい、担当の者からご案内します。",
        "お願いします。",
    ),
    _talk(
        "bulky", "",
        "たんすを捨てたいのですが、粗大ごみの出し方を教えてください。",
        "清掃の担当課から、折り返しご案内します。",
        "粗大ごみは、家まで収集に来てくれますか。",
        "担当の者が、お答えいたします。",
        "わかりました。",
    ),
    _talk(
        "bulky", "",
        "粗大ごみを、家まで収集に来てほしいのですが。",
        "清掃の担当課におつなぎします。",
        "粗大ごみの収集は、何曜日ですか。",
        "担当の者が、お答えいたします。",
        "お願いします。",
    ),
    _talk(
        "dog", "",
        "飼い犬の登録を、したいのですが。",
        "環境の担当課におつなぎします。",
        "犬の予防注射も、そこで聞けますか。",
        "はい、担当の者がお答えします。",
        "お願いします。",
    ),
    _talk(
        "dog", "",
        "犬を飼い始めたので、犬の登録と予防注射のことを聞きたいです。",
        "環境の担当課から、ご案内いたします。",
        "狂犬病の注射は、どこの動物病院でもいいですか。",
        "担当の者が、お答えいたします。",
        "わかりました。",
    ),
    _talk(
        "dog", "",
        "犬の予防注射の、お知らせが来ないのですが。",
        "環境の担当課におつなぎします。",
        "犬の登録は、してあります。",
        "担当の者が、お調べいたします。",
        "お願いします。",
    ),
)  # fmt: skip


def _named(talks: Sequence[Talk]) -> dict[tuple[str, str], Talk]:
    """By name and language: the first of a topic has its name, the second is `topic_2`."""
    found: dict[tuple[str, str], Talk] = {}
    for talk in talks:
        alike = sum((each.topic, each.language) == (talk.topic, talk.language) for each in found.values())
        found[f"{talk.topic}_{alike + 1}" if alike else talk.topic, talk.language] = talk
    return found


TALKS: Mapping[tuple[str, str], Talk] = _named((*_KNOWN, *_UNKNOWN))
"""Name and language to the talk."""

UNKNOWN_TOPICS = tuple(dict.fromkeys(talk.topic for talk in _UNKNOWN))
"""What nothing in the knowledge base answers."""


def talks_about(topic: str, language: str = "ja") -> tuple[str, ...]:
    """Names of the talks about a topic; the general ones for a topic without a script."""
    found = tuple(name for (name, said), talk in TALKS.items() if (talk.topic, said) == (topic, language))
    return found or ("ask",)
