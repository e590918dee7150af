"""Numbers, prices, clock times and dates: the order within a German number word is not the English one."""

from __future__ import annotations

from softalign.data.phrasebook.synchronous import Link, Pair, Word, lexical, sequence, words

UNITS = ["null", "ein", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf"]
ENGLISH_UNITS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
TENS = ["-", "zehn", "zwanzig", "dreißig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig", "neunzig"]
ENGLISH_TENS = ["-", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def german_number(number: int) -> str:
    """1 to 9999 as one word: 347 is dreihundertsiebenundvierzig."""
    for size, name in ((1000, "tausend"), (100, "hundert")):
        if number >= size:
            many, rest = divmod(number, size)
            return german_number(many) + name + ("eins" if rest == 1 else german_number(rest) if rest else "")
    if number <= 12:
        return UNITS[number]
    ten, unit = divmod(number, 10)
    if ten == 1:
        return {6: "sech", 7: "sieb"}.get(unit, UNITS[unit]) + "zehn"
    return (UNITS[unit] + "und" if unit else "") + TENS[ten]


def english_number(number: int) -> str:
    """1 to 9999: 347 is three hundred and forty-seven."""
    if number >= 1000:
        rest = number % 1000
        joint = " " if rest >= 100 else " and "
        return english_number(number // 1000) + " thousand" + (joint + english_number(rest) if rest else "")
    if number >= 100:
        rest = number % 100
        return ENGLISH_UNITS[number // 100] + " hundred" + (" and " + english_number(rest) if rest else "")
    if number < 20:
        return ENGLISH_UNITS[number]
    ten, unit = divmod(number, 10)
    return ENGLISH_TENS[ten] + ("-" + ENGLISH_UNITS[unit] if unit else "")


def count(number: int, spelled: bool = True) -> Pair:
    """A cardinal before a noun, 2 or more; digits group by "." in German and by "," in English."""
    if spelled:
        return lexical(german_number(number), english_number(number), "NUM")
    return lexical(f"{number:,}".replace(",", "."), f"{number:,}", "DIGITS")


def price(cents: int, spelled: bool = False) -> Pair:
    """12,50 Euro; whole euros can be spelled out. At least two euros."""
    if spelled:
        amount = count(cents // 100)
    else:
        amount = lexical(f"{cents // 100},{cents % 100:02d}", f"{cents // 100}.{cents % 100:02d}", "DIGITS")
    return sequence(amount, lexical("Euro", "euros"))


def clock(hour: int, quarter: int) -> Pair:
    """um acht Uhr, um Viertel nach acht, um halb neun, um Viertel vor neun: the German half is counted to the hour."""
    at, link = lexical("um", "at"), Link()
    following = hour % 12 + 1
    if quarter == 0:
        spoken = "eins" if hour == 1 else german_number(hour)
        german = Word("ein" if hour == 1 else spoken, (link,), "NUM")
        oclock = Link()
        hour_pair = Pair((german, *words("Uhr", oclock, "uhr")), words(english_number(hour), link))
        return sequence(at, hour_pair, Pair((), words("o'clock", oclock)))
    named = hour if quarter == 1 else following
    german_hour = hour if quarter == 1 else following
    hour_word = "eins" if german_hour == 1 else german_number(german_hour)
    if quarter == 2:  # halb neun is half past eight
        return sequence(at, lexical("halb", "half past", "QUARTER"), lexical(hour_word, english_number(hour), "NUM"))
    part = lexical("Viertel", "a quarter", "QUARTER")
    side = lexical("nach", "past", "QUARTER") if quarter == 1 else lexical("vor", "to", "QUARTER")
    return sequence(at, part, side, lexical(hour_word, english_number(named), "NUM"))


MONTHS = tuple(
    zip(
        [
            "Januar",
            "Februar",
            "März",
            "April",
            "Mai",
            "Juni",
            "Juli",
            "August",
            "September",
            "Oktober",
            "November",
            "Dezember",
        ],
        [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ],
        strict=True,
    )
)
WEEKDAYS = tuple(
    zip(
        ["Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"],
        ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
        strict=True,
    )
)


def date(day: int, month: int) -> Pair:
    """am 14. März, on 14 March. `month` counts from 0."""
    number = lexical(f"{day}.", str(day), "DIGITS")
    return sequence(lexical("am", "on"), number, lexical(*MONTHS[month], "MONTH"))


def year(number: int) -> Pair:
    """im Jahr 1987, in 1987."""
    link = Link()
    front = Pair((*words("im", link, "im"), *words("Jahr", link, "jahr")), words("in", link))
    return sequence(front, lexical(str(number), str(number), "DIGITS"))
