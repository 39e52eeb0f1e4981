"""Statements turned into false ones by one change: a number, a unit, a negation, a comparator, an opposite, a name.

Each function takes a sentence and a source of randomness and gives the changed sentence, or None where it finds nothing
that it can change with certainty. A sentence that only says what may happen is not contradicted by what else may happen,
so such sentences are left alone (`hedged`).
"""

import re

HEDGE = re.compile(r"\b(may|might|could|can|some|sometimes|often|for example|such as|e\.g\.|perhaps|possibl[ey]|likely)\b", re.I)
NUMBER = re.compile(r"(?<![\w.,/-])(\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?)(?![\w/]|[.,-]\d|-[a-z])")
# Numbers after these are names: "type 2", "step 3".
NAMING = re.compile(r"\b(type|types|stage|stages|grade|grades|step|steps|phase|table|figure|section|part|chapter|class|group|"
                    r"hepatitis|vitamin|factor|item|level|no\.|schedule|track|CYP|omega)\s+(\d+\s*(,|and|or|to)\s*)*$", re.I)
WORDS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
NUMBER_WORD = re.compile(r"\b(two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|half|twice)\b", re.I)


def hedged(text):
    return bool(HEDGE.search(text))


def numbers(text):
    """Matches of numbers that count or measure something."""
    return [match for match in NUMBER.finditer(text) if not NAMING.search(text[:match.start()])]


def replace(text, start, end, new):
    """With the new words in the case of the old ones."""
    old = text[start:end]
    if old[:1].isupper() and not old.isupper():
        new = new[:1].upper() + new[1:]
    return text[:start] + new + text[end:]


def number(text, random):
    """Another number of the same form that the sentence does not have."""
    # "1" stands before a singular, and another number would show that it was changed.
    found = [match for match in numbers(text) if match[1] != "1"]
    words = list(NUMBER_WORD.finditer(text))
    if not found and not words:
        return None
    have = {match[1] for match in found}
    if words and (not found or random.random() < 0.3):
        match = random.choice(words)
        others = {"half": ["a quarter", "a tenth"], "twice": ["five times", "ten times"]}.get(match[0].lower())
        others = others or [word for word in WORDS[1:] if word not in text.lower()]
        return replace(text, match.start(), match.end(), random.choice(others)) if others else None
    match = random.choice(found)
    for _ in range(8):
        new = another_number(match[1], random)
        if new not in have and new != match[1]:
            return replace(text, match.start(), match.end(), new)
    return None


def another_number(old, random):
    bare = old.replace(",", "")
    value = float(bare)
    if 1800 <= value <= 2100 and "." not in bare and "," not in old:
        return str(int(value) + random.choice([-20, -11, -7, -3, -2, -1, 1, 2, 3, 7, 11]))
    factor = random.choice([0.1, 0.25, 0.5, 0.7, 0.8, 1.2, 1.25, 1.5, 2, 3, 10])
    if "." in bare:
        decimals = len(bare.split(".")[1])
        return f"{max(value * factor, 10 ** -decimals):.{decimals}f}"
    new = max(1, round(value * factor)) if value >= 10 else max(1, int(value) + random.choice([-3, -2, -1, 1, 2, 3, 5]))
    # Round numbers become round ones, so that roundness tells nothing.
    if value >= 20 and value % 5 == 0:
        new = max(5, round(new / 5) * 5)
    if value <= 100 and new > 100:
        new = max(1, round(value / 2))
    return f"{new:,}" if "," in old else str(new)


def swap(text, random):
    """Two numbers change places, each then with what the other belongs to."""
    found = numbers(text)
    pairs = [(a, b) for at, a in enumerate(found) for b in found[at + 1:]
             if a[1] != b[1] and "1" not in (a[1], b[1]) and len(text[a.end():b.start()].split()) >= 4
             and _counted(text, a) == _counted(text, b)]
    if not pairs:
        return None
    a, b = random.choice(pairs)
    return text[:a.start()] + b[1] + text[a.end():b.start()] + a[1] + text[b.end():]


def _counted(text, match):
    """What a number counts, as far as the words around it tell: the word after it, or the word before it."""
    after = re.match(r"\s*(%|[A-Za-zµ/]+)", text[match.end():])
    return after[1] if after else text[:match.start()].split()[-1:]


UNITS = [["mg", "g", "micrograms"], ["milligrams", "grams", "micrograms"], ["mL", "L"], ["minutes", "hours", "days", "seconds"],
         ["minute", "hour", "day", "second"], ["days", "weeks", "months", "years", "hours"], ["day", "week", "month", "year"],
         ["months", "years", "weeks"], ["percent", "per thousand"], ["kg", "g"], ["pounds", "ounces", "kilograms"],
         ["inches", "feet", "centimetres"], ["metres", "centimetres", "kilometres"], ["miles", "yards"], ["mmol/L", "mg/dL"],
         ["million", "thousand", "billion"], ["cups", "tablespoons"], ["mmHg", "kPa"], ["cm", "mm"]]


UNIT_PATTERNS = [(re.compile(rf"(?<=\d ){re.escape(name)}(?![\w/])"), others) for others in UNITS for name in others]


def unit(text, random):
    """The same number of something else."""
    found = [(match, others) for pattern, others in UNIT_PATTERNS for match in pattern.finditer(text)]
    if not found:
        return None
    match, others = random.choice(found)
    return replace(text, match.start(), match.end(), random.choice([name for name in others if name != match[0]]))


# What is taken out to deny, and what is put in. "may not" does not deny "may", so hedged verbs are not here.
DENIALS = [
    (r"\b(is|are|was|were|should|must|will|would|does|do|did|has|have) not\b(?! only)", r"\1"),
    (r"\bcannot\b", "can"), (r"\bcan't\b", "can"), (r"\b(is|are|was|were|should|do|does|did|has|have|would)n't\b", r"\1"),
    (r"\bwon't\b", "will"), (r"\bnever\b", "always"), (r"\bDo not ([a-z]+)", lambda m: m[1].capitalize()),
    (r"\bNobody\b", "Everybody"), (r"\b[Nn]o longer\b", "still"), (r"\b(There (?:is|are)) no\b", r"\1"),
    (r"\bneed not\b", "must"), (r"\bwithout\b", "with"),
]
AFFIRMATIONS = [
    (r"\b(is|are|was|were|should|must|will) (?!not\b|no\b|never\b|n't)", r"\1 not "),
    (r"\b(can) (?!not\b|be due\b)", "cannot "),
    (r"\b(has|have) (been|shown|become|found)\b", r"\1 not \2"),
    (r"\balways\b", "never"),
    (r"\b(with) (?=a doctor|food|meals|water|treatment|care\b)", "without "),
]
IMPERATIVES = ("Give Use Take Offer Check Measure Start Stop Ask Treat Wash Keep Avoid Refer Review Repeat Consider Test Tell "
               "Continue Confirm Assess Switch Write Add Reduce Increase Screen Monitor Clean Limit Eat Drink Wear Store").split()


def negation(text, random):
    """The first verb denied, or a denial taken away."""
    if re.search(r"\b(not only|whether or not|if not|neither|nor|unless)\b", text, re.I):
        return None
    denied = [(match, new) for old, new in DENIALS for match in re.finditer(old, text)]
    if denied:
        match, new = denied[0]
        return text[:match.start()] + match.expand(new) + text[match.end():] if isinstance(new, str) else (
            text[:match.start()] + new(match) + text[match.end():])
    if re.search(r"\b(no|not|none|never|nobody|n't|cannot|hardly|rarely|seldom|without)\b|n't", text, re.I):
        return None
    first = text.split()[0]
    if first in IMPERATIVES:
        return "Do not " + first.lower() + text[len(first):]
    main = text
    # A verb of a clause that only describes something is not what the sentence says.
    if re.match(r"(If|When|While|Although|Because|Since|Unless|After|Before|Once|Until|As)\b", text):
        comma = text.find(",")
        if comma < 0:
            return None
        main = text[comma:]
    offset = len(text) - len(main)
    found = [(match, new) for old, new in AFFIRMATIONS for match in re.finditer(old, main)]
    found = [pair for pair in found if not re.search(r"\b(who|which|that|what|how|where|if|when|because)\b[^,]*$", main[:pair[0].start()])]
    if not found:
        return None
    match, new = min(found, key=lambda pair: pair[0].start())
    return text[:offset + match.start()] + match.expand(new) + text[offset + match.end():]


def pairs_of(table, text, random):
    """One of the words of a table of opposites replaced by its opposite; the longest phrase at a place counts."""
    found = [(match, new) for pattern, new in table for match in pattern.finditer(text)]
    if not found:
        return None
    match, new = random.choice(longest(found))
    return replace(text, match.start(), match.end(), new)


def whole_words(words):
    return re.compile(rf"(?<![\w-]){re.escape(words)}(?![\w-])", re.I)


def both_ways(table):
    """A table of opposites as patterns and what takes their place."""
    return [(whole_words(old), new) for pair in table for old, new in (pair, pair[::-1])]


def longest(found):
    """Of matches, paired with something, those that lie in no longer one."""
    return [pair for pair in found if not any(
        other[0].start() <= pair[0].start() and pair[0].end() <= other[0].end() and other[0].span() != pair[0].span()
        for other in found)]
