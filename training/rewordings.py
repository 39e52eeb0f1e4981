"""Statements said in other words: what is supported though it is not copied.

Without these, every changed sentence would be a contradiction, and a model would learn to tell copies from the rest.
"""

import re

import flips

EQUAL = [
    ("at least", ["no less than", "a minimum of"]), ("more than", ["over", "in excess of"]), ("less than", ["under", "below"]),
    ("up to", ["at most", "no more than"]), ("no more than", ["at most", "up to"]), ("about", ["approximately", "around"]),
    ("approximately", ["about", "roughly"]), ("usually", ["generally", "as a rule"]), ("because", ["since", "as"]),
    ("doctor", ["physician"]), ("doctors", ["physicians"]), ("medicines", ["medications", "drugs"]), ("medicine", ["medication", "drug"]),
    ("medications", ["medicines", "drugs"]), ("high blood pressure", ["hypertension"]), ("hypertension", ["high blood pressure"]),
    ("heart attack", ["myocardial infarction"]), ("kidney disease", ["renal disease"]), ("each year", ["every year", "a year"]),
    ("every year", ["each year", "once a year"]), ("such as", ["for example", "like"]), ("should", ["ought to"]),
    ("must", ["has to"]), ("begins", ["starts"]), ("begin", ["start"]), ("starts", ["begins"]), ("stop", ["discontinue"]),
    ("given", ["administered"]), ("requires", ["needs"]), ("needs", ["requires"]), ("helps", ["assists"]),
    ("people", ["individuals", "persons"]), ("children", ["kids"]), ("illness", ["sickness"]), ("occurs", ["happens"]),
    ("occur", ["happen"]), ("called", ["known as", "named"]), ("often", ["frequently"]),
    ("or older", ["and over", "or more"]), ("and over", ["or older"]), ("twice a day", ["two times a day", "twice daily"]),
    ("once a day", ["once daily", "one time a day"]), ("immediately", ["at once", "right away"]), ("before", ["prior to"]),
    ("do not", ["don't"]), ("does not", ["doesn't"]), ("is not", ["isn't"]), ("are not", ["aren't"]), ("cannot", ["can't"]),
    ("should not", ["shouldn't", "must not"]), ("percent", ["per cent"]),
    ("mg", ["milligrams"]), ("mL", ["millilitres"]), ("kg", ["kilograms"]), ("milligrams", ["mg"]), ("12 months", ["1 year"]),
    ("24 hours", ["1 day"]), ("7 days", ["1 week"]), ("14 days", ["2 weeks"]), ("2 weeks", ["14 days"]), ("1 week", ["7 days"]),
    ("6 months", ["half a year"]), ("60 minutes", ["1 hour"]), ("48 hours", ["2 days"]), ("72 hours", ["3 days"]),
]
EQUAL_PATTERNS = [(flips.whole_words(old), others) for old, others in EQUAL]
BEFORE = ["According to the guideline, {}", "The document says that {}", "Note that {}", "It is stated that {}", "In short, {}"]
AFTER = ["{}, according to the document.", "{}, the guideline says."]
# Words that lose their capital inside a sentence: with others it is hard to tell whether they are names.
COMMON = set("The A An This These Those It They In On At For If When While Most Many Some All Each Every People Adults Children "
             "Doctors Women Men Patients Symptoms Treatment There Your You Other Several One Two Three Do After Before Your "
             "Medicines Blood Its His Her Their Another Such With Because Once By From To High Low Health Use Give Take Never Always Having Being Both Certain Severe Mild".split())


def reword(sentence, random):
    """The sentence with one to three changes that keep its sense; None where none can be made."""
    changed = sentence
    for change in random.sample(CHANGES, k=random.choice([2, 3, 4])):
        changed = change(changed, random) or changed
    return changed if changed != sentence else None


def equal_words(text, random):
    found = [(match, others) for pattern, others in EQUAL_PATTERNS for match in pattern.finditer(text)]
    found = [(match, others) for match, others in found if not _number_cut(text, match)]
    if not found:
        return None
    # "should not" goes before "should".
    match, others = random.choice(flips.longest(found))
    plural = match[0].lower() == "must" and re.search(r"\b(they|we|you|adults|people|patients|workers|\w+s)\s*$", text[:match.start()], re.I)
    return flips.replace(text, match.start(), match.end(), "have to" if plural else random.choice(others))


def _number_cut(text, match):
    """"2 weeks" inside "1.2 weeks" or "10-12 months" is another quantity."""
    return match[0][0].isdigit() and match.start() > 0 and (
        text[match.start() - 1] in ".,-/–" or re.search(r"\b(to|and|or|between)\s$", text[:match.start()]))


def number_form(text, random):
    """"3" as "three", "three" as "3"."""
    found = [(match.span(1), flips.WORDS[int(match[1]) - 1]) for match in flips.numbers(text)
             if match[1].isdigit() and 2 <= int(match[1]) <= 12 and re.match(r" [a-z]{4,}", text[match.end():])]
    found += [(match.span(), str(flips.WORDS.index(match[0].lower()) + 1)) for match in flips.NUMBER_WORD.finditer(text)
              if match[0].lower() in flips.WORDS]
    if not found:
        return None
    (start, end), new = random.choice(found)
    return flips.replace(text, start, end, new)


def clause_order(text, random):
    """"If A, B." as "B if A." and the other way round."""
    match = re.fullmatch(r"(If|When|Before|After|Once|Because) ([^,]+), ([^,;:]+)\.", text)
    if match:
        return f"{capital(match[3])} {match[1].lower()} {match[2]}."
    match = re.fullmatch(r"([^,;:]+) (if|when|because) ([^,;:]+)\.", text)
    return f"{capital(match[2])} {match[3]}, {small(match[1])}." if match else None


def leave_out(text, random):
    """Without what stands in brackets, or without a last clause that begins with "which"."""
    shorter = re.sub(r" \([^()]*\)", "", text)
    if shorter == text:
        shorter = re.sub(r", (which|because|so that) [^,]+\.$", ".", text)
    return shorter if shorter != text and len(shorter.split()) >= 5 else None


def framed(text, random):
    if text.split()[0] not in COMMON:
        return None
    if random.random() < 0.8:
        return random.choice(BEFORE).format(small(text))
    return random.choice(AFTER).format(text.rstrip("."))


def small(text):
    """With a small first letter, unless the first word may be a name."""
    first = text.split()[0].strip(",") if text.split() else ""
    return text[:1].lower() + text[1:] if first in COMMON else text


def capital(text):
    return text[:1].upper() + text[1:]


CHANGES = [equal_words, number_form, clause_order, leave_out, framed, equal_words]
