"""Names put for other names of the same kind."""

import re

import flips

KINDS = [
    "kidneys liver heart lungs brain stomach pancreas bladder spleen thyroid",
    "kidney liver heart lung brain stomach pancreas bladder prostate",
    "sodium potassium calcium iron zinc magnesium iodine phosphorus",
    "insulin glucagon cortisol thyroxine estrogen testosterone adrenaline",
    "bacteria viruses fungi parasites", "bacterium virus fungus parasite", "bacterial viral fungal",
    "metformin insulin aspirin warfarin amlodipine ramipril lisinopril atenolol ibuprofen paracetamol acetaminophen prednisone "
    "amoxicillin doxycycline azithromycin salbutamol budesonide formoterol simvastatin atorvastatin furosemide spironolactone "
    "naproxen clopidogrel heparin levothyroxine gliclazide sitagliptin penicillin nitrofurantoin trimethoprim varenicline bupropion",
    "diabetes asthma epilepsy arthritis osteoporosis anemia pneumonia hepatitis tuberculosis malaria",
    "fever cough headache nausea diarrhea constipation rash dizziness fatigue",
    "influenza measles mumps rubella pertussis tetanus diphtheria varicella shingles",
    "arms legs hands feet", "arm leg hand foot", "eyes ears", "eye ear", "skin bones muscles nerves joints", "protein fat fiber sugar",
    "January February March April May June July August September October November December",
    "America Europe Africa Asia Australia", "nurse pharmacist surgeon dentist dietitian",
]
GROUPS = [kind.split() for kind in KINDS]
PATTERNS = [(re.compile(rf"(?<![\w-]){name}(?![\w-])"), name, group) for group in GROUPS for name in group]
ACRONYM = re.compile(r"(?<![\w/-])[A-Z]{3,6}(?![\w/-])")


def other(text, around, acronyms, random):
    """A name that is not in the passage in place of one that the sentence has once; not its first word."""
    found = []
    low = around.lower()
    for pattern, name, group in PATTERNS:
        match = pattern.search(text)
        fresh = [new for new in group if new.lower() not in low]
        if match and match.start() > 0 and fresh and text.count(name) == 1:
            found.append((match, fresh))
    for match in ACRONYM.finditer(text):
        fresh = [new for new in acronyms if new not in around]
        if match.start() > 0 and text.count(match[0]) == 1 and fresh:
            found.append((match, fresh))
    if not found:
        return None
    match, fresh = random.choice(found)
    return flips.replace(text, match.start(), match.end(), random.choice(fresh))


def subject(text, title, titles, around, random):
    """What the sentence is about, its document's title, put for another title: the passage then says nothing of it."""
    match = flips.whole_words(title).search(text) if title else None
    other_title = another(title, titles, around, random) if match else None
    return flips.replace(text, match.start(), match.end(), other_title.lower()) if other_title else None


def another(title, titles, around, random):
    """A title that shares no word with this one and is not named in the text."""
    for new in random.sample(titles, k=min(8, len(titles))):
        if new.lower() not in around.lower() and not _share_words(new, title):
            return new
    return None


def _share_words(one, other):
    return bool(set(one.lower().split()) & set(other.lower().split()))
