"""How often a dose is given, from the words of its instruction.

Read only where no coded timing exists, and only phrases that mean one thing: counts ("three times
daily", "BID", "every 6-8 hours"), meals ("before each meal" is three), named times ("at bedtime",
"before breakfast") and their sum ("TID AC & HS" is four). Whatever else the text says (a sliding
scale, a taper, alternatives, certain days) makes it unknown: one injection too many, read into a
text, would qualify a patient for a pump.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache

from mappings.rate import AS_NEEDED, DAYS, Rate, between, exactly

_AS_NEEDED = re.compile(r"\b(as|if|when) (needed|required)\b|\bprn\b")
_ALSO_AS_NEEDED = re.compile(rf"(\band\b|\bplus\b|\balso\b|\+|&|;)[^.;]*({_AS_NEEDED.pattern})")
_SLIDING = re.compile(r"\bsliding\b|\bscale\b|\bcorrection\b|\bssi\b")
_REFUSED = {
    re.compile(
        r"titrat|taper|escalat|increas|decreas|reduc|adjust|\buntil\b|\bthen\b|cycle"
    ): "changing doses",
    re.compile(
        r"\bor\b|alternat|\bup to\b|\bmax|exceed|\bat (least|most)\b|more than"
    ): "alternatives or a limit",
    re.compile(r"\b(not|except|unless|hold|skip)\b"): "exceptions",
    re.compile(r"\b(mon|tues|wednes|thurs|fri|satur|sun)days?\b|weekday|\bdays? \d"): "certain days",
    re.compile(r"snack|between meals|biweekly|\bpump\b|\bbasal rate"): "a schedule of its own",
    re.compile(r"daily dose|total daily|divided"): "an amount per day",
}

_NUMBERS = {
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "eight": 8,
    "ten": 10,
    "twelve": 12,
}
_NUMBERS |= {"once": 1, "twice": 2, "thrice": 3}
_NUMBER = rf"\d+|{'|'.join(_NUMBERS)}"
_N_TO_M = rf"(?<![\d.])\b(?P<n>{_NUMBER})(?:\s*(?:-|to)\s*(?P<m>{_NUMBER}))?"
_UNIT = r"(?P<unit>minute|min|hour|hr|h|day|week|month)s?\b"
_SPAN = r"(?P<unit>day|daily|week|weekly|month|monthly)\b"
_CODES = {"minute": "min", "hour": "h", "hr": "h", "day": "d", "daily": "d"}
_CODES |= {"week": "wk", "weekly": "wk", "month": "mo", "monthly": "mo"}

# "three times a day", "3x/day", "once weekly"; "3 per day", but not "3 daily" (tablets, perhaps).
_TIMES = (
    re.compile(rf"{_N_TO_M}\s*(?:times?|x)\s*(?:a|per|each|every|/)?\s*{_SPAN}"),
    re.compile(rf"\b(?P<n>once|twice|thrice)(?P<m>)\s*(?:a|per|each|every|/)?\s*{_SPAN}"),
    re.compile(rf"{_N_TO_M}\s*(?:a|per|/)\s*{_SPAN}"),
)
# "every 4-6 hours", "q8h", "every day"
_INTERVALS = (
    re.compile(rf"\b(?:every|each)\s+(?:{_N_TO_M}\s*)?{_UNIT}"),
    re.compile(rf"\bq\s*(?P<n>\d+)(?:\s*(?:-|to)\s*(?P<m>\d+))?\s*{_UNIT}"),
)
_FIXED = {
    re.compile(r"\b(?:every (?:other|second) day|qod)\b"): Fraction(1, 2),
    re.compile(r"\bbid(?=\b|ac\b)"): Fraction(2),
    re.compile(r"\btid(?=\b|ac\b)"): Fraction(3),
    re.compile(r"\bqid(?=\b|ac\b)"): Fraction(4),
    re.compile(r"\bqd\b"): Fraction(1),
    re.compile(r"\bweekly\b"): Fraction(1, 7),
}
_LEFT_OVER = re.compile(r"\btimes\b|\btwice\b|\bthrice\b")

_MEALS = re.compile(
    r"\b(?:before|after|with|at|during) (?:all )?meals\b|\b(?:each|every) meal\b|\bmealtimes?\b"
    r"|\bq?ac\b|\bpc\b|\bachs\b"
)
_SLOTS = {
    "morning": re.compile(r"\bmornings?\b|\bbreakfast\b|\bqam\b|\b(?:in the|every) am\b"),
    "noon": re.compile(r"\bnoon\b|\blunch\b|\bmidday\b"),
    "afternoon": re.compile(r"\bafternoons?\b"),
    "evening": re.compile(r"\bevenings?\b|\bdinner\b|\bsupper\b|\bqpm\b|\b(?:in the|every) pm\b"),
    "bedtime": re.compile(
        r"\bbedtime\b|\bbefore bed\b|\bnightly\b|\b(?:every|each|at) night\b|\bq?hs\b|\bachs\b"
    ),
}
_ONE_EVENING = re.compile(r"\bevenings? (?:at|before) bed")
_CLOCK = re.compile(r"\b(?:1[0-2]|0?\d)(?::[0-5]\d)?\s*[ap]m\b|\b(?:[01]\d|2[0-3]):[0-5]\d\b")


@lru_cache(maxsize=4096)
def is_sliding_scale(text: str) -> bool:
    """Whether the text makes the dose, which may be none, depend on a measurement."""
    return bool(_SLIDING.search(_plain(text)))


@lru_cache(maxsize=4096)
def rate_of_text(text: str) -> Rate:
    """The doses per day that a dose instruction states, or why it states none."""
    words = _plain(text)
    if _ALSO_AS_NEEDED.search(words):
        return Rate(problem="narrative_only", says="the dose text mixes scheduled and as-needed doses")
    if _AS_NEEDED.search(words):
        return AS_NEEDED
    for pattern, what in {_SLIDING: "a sliding scale", **_REFUSED}.items():
        if pattern.search(words):
            return Rate(problem="narrative_only", says=f"the dose text speaks of {what}")
    counts, words = _counts(words)
    meals = bool(_MEALS.search(words))
    slots = {slot for slot, pattern in _SLOTS.items() if pattern.search(words)}
    clock = set(_CLOCK.findall(words))
    # "before meals, 10 units before breakfast" or "at 8 am before breakfast": which ones are the same?
    overlap = (meals and slots - {"bedtime"}) or (clock and (meals or slots)) or _ONE_EVENING.search(words)
    events = 3 * meals + len(slots) + len(clock)
    if len(counts) > 1 or (overlap and not counts) or _LEFT_OVER.search(words):
        return Rate(problem="narrative_only", says="the dose text can be read in several ways")
    if not counts and not events:
        if re.search(r"\bdaily\b", words):
            return exactly(Fraction(1))
        return Rate(problem="narrative_only", says="the dose text does not say how often")
    if not counts:
        return exactly(Fraction(events))
    return _reconciled(counts.pop(), events, meals, slots)


def _reconciled(count: tuple[Fraction, Fraction], events: int, meals: bool, slots: set[str]) -> Rate:
    """A count with the events named beside it: they say the same, or the events only say when."""
    low, high = count
    if low == high == 3 and meals and slots == {"bedtime"}:
        low = high = Fraction(4)  # "TID AC & HS": three with the meals, and one at bedtime
    elif slots and not low <= events <= high:
        return Rate(problem="narrative_only", says="count and times of the dose text do not agree")
    return between(low, high)


def _counts(words: str) -> tuple[set[tuple[Fraction, Fraction]], str]:
    """The distinct frequencies in `words`, and the words without them."""
    found: set[tuple[Fraction, Fraction]] = set()
    for pattern, rate in _FIXED.items():
        words, matches = pattern.sub(" ", words), pattern.search(words)
        if matches:
            found.add((rate, rate))
    for pattern in _TIMES:
        for n, m, days in _matches(pattern, words):
            found.add((n / days, m / days))
        words = pattern.sub(" ", words)
    for pattern in _INTERVALS:
        for n, m, days in _matches(pattern, words):
            found.add((1 / (m * days), 1 / (n * days)))
        words = pattern.sub(" ", words)
    return found, words


def _matches(pattern: re.Pattern[str], words: str) -> Iterator[tuple[Fraction, Fraction, Fraction]]:
    for match in pattern.finditer(words):
        n, m = match["n"] or "one", match["m"] or match["n"] or "one"
        low, high = (Fraction(_NUMBERS.get(word) or int(word)) for word in (n, m))
        if 0 < low <= high:
            yield low, high, DAYS[_CODES.get(match["unit"], match["unit"])]


# "3 (three) times daily", as prescriptions spell a number out.
_SPELT_OUT = re.compile(rf"(?<![\d.])\b(\d+)\s*\(({'|'.join(_NUMBERS)})\)")


def _plain(text: str) -> str:
    """Lower case, abbreviations without dots, numbers written once, single spaces, plain dashes."""
    text = re.sub(r"(?<=\b[a-z])\.(?=[a-z]\b)|(?<=\.[a-z])\.", "", text.lower())
    text = _SPELT_OUT.sub(lambda m: m[1] if int(m[1]) == _NUMBERS[m[2]] else m[0], text)
    return re.sub(r"\s+", " ", text.replace("–", "-"))
