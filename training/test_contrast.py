"""Run with: python -m unittest discover training"""

import json
import re
import tempfile
import unittest
from pathlib import Path
from random import Random

import contrast
import flips
import names
import opposites
import rewordings
import sentences

DOCUMENT = """---
title: "Pumps"
---

# Pumps

This page is about pumps for gardens. They are sold in two sizes.

## Care

Clean the filter every 4 weeks, and at least 3 times in the season. Do not run the pump dry. When the pump is stored,
it must be emptied before the first frost.

- Small pumps need 200 mL of oil.
- Large pumps need 500 mL of oil.

## Storage

A garden pump must be stored where it is dry, and the filter of the pump is stored beside it.

The usual intervals are:

- seals: 2 years,
- hoses: 5 years.
"""


def tries(function, text, count=60):
    """What a random change makes of a text, over many seeds."""
    return {function(text, Random(seed)) for seed in range(count)}


class Flips(unittest.TestCase):
    def test_a_number_becomes_one_that_the_sentence_has_not(self):
        for changed in tries(flips.number, "Give 5 mg every 12 hours for 21 days."):
            before, after = {"5", "12", "21"}, set(re.findall(r"\d+", changed))
            self.assertEqual(len(after), 3)
            self.assertEqual(len(after & before), 2)

    def test_numbers_that_are_names_stay(self):
        self.assertEqual(tries(flips.number, "Type 2 diabetes and hepatitis B are named; see COVID-19 and vitamin B12."), {None})

    def test_numbers_change_places_only_where_they_count_the_same(self):
        self.assertEqual(tries(flips.swap, "Men need 10 mg a day, and women need 8 mg a day."),
                         {"Men need 8 mg a day, and women need 10 mg a day."})
        self.assertEqual(tries(flips.swap, "In 2013 there were about 500 of them."), {None})

    def test_a_unit_is_exchanged_and_its_number_stays(self):
        for changed in tries(flips.unit, "Wait 30 minutes before the next dose."):
            self.assertRegex(changed, r"^Wait 30 (hours|days|seconds) before the next dose\.$")

    def test_the_main_verb_is_denied_and_a_denial_taken_away(self):
        cases = {
            "The vaccine is given at birth.": "The vaccine is not given at birth.",
            "Do not stop metformin.": "Stop metformin.",
            "Stop metformin when eGFR is below 30.": "Do not stop metformin when eGFR is below 30.",
            "You cannot catch it.": "You can catch it.",
            "If it is cold, the pump should be emptied.": "If it is cold, the pump should not be emptied.",
        }
        for text, expected in cases.items():
            self.assertEqual(flips.negation(text, Random(1)), expected)

    def test_a_clause_that_describes_is_not_denied(self):
        self.assertIsNone(flips.negation("Anyone who is ill stays home.", Random(1)))

    def test_comparators_turn(self):
        turned = tries(lambda text, random: flips.pairs_of(opposites.COMPARATORS, text, random), "Take at least 5 before noon.")
        self.assertEqual(turned, {"Take at most 5 before noon.", "Take up to 5 before noon.", "Take at least 5 after noon."})

    def test_the_longest_phrase_counts(self):
        turned = tries(lambda text, random: flips.pairs_of(opposites.COMPARATORS, text, random), "Give no more than 5 of them.")
        self.assertEqual(turned, {"Give no less than 5 of them."})

    def test_a_name_is_replaced_by_one_that_the_passage_has_not(self):
        text = "It harms the kidneys more than the liver does."
        for changed in tries(lambda text, random: names.other(text, text + " heart", [], random), text):
            self.assertNotIn("heart", changed)
            self.assertNotEqual(changed, text)

    def test_what_may_happen_is_not_contradicted_by_what_else_may(self):
        sentence = sentences.Sentence("It may harm the kidneys and is safe.", "", "", "", "", "d")
        self.assertEqual(contrast.flipped(sentence, [], Random(1)), [])


class Rewordings(unittest.TestCase):
    def test_quantities_keep_their_value(self):
        for changed in tries(rewordings.reword, "Wait at least 2 weeks before the next dose.", 200) - {None}:
            self.assertRegex(changed, r"\b(2|two|14|fourteen)\b")
            self.assertNotRegex(changed, r"at most|after")

    def test_a_range_is_no_quantity_of_its_own(self):
        for changed in tries(rewordings.equal_words, "It takes 1 to 2 weeks.", 50) - {None}:
            self.assertIn("2 weeks", changed)

    def test_clauses_change_places(self):
        self.assertEqual(rewordings.clause_order("If it rains, the match ends.", Random(1)), "The match ends if it rains.")
        self.assertEqual(rewordings.clause_order("The match ends when it rains.", Random(1)), "When it rains, the match ends.")


class Documents(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "pumps.md"
        self.path.write_text(DOCUMENT, encoding="utf-8")

    def test_sentences_come_with_headings_neighbours_and_the_lead_of_their_list(self):
        found = {sentence.text: sentence for sentence in sentences.of_file(self.path)}
        clean = found["Clean the filter every 4 weeks, and at least 3 times in the season."]
        self.assertEqual((clean.title, clean.heading), ("Pumps", "Care"))
        self.assertEqual(clean.after, "Do not run the pump dry.")
        self.assertIn("The usual intervals are: hoses: 5 years.", found)
        self.assertIn("Small pumps need 200 mL of oil.", found)
        self.assertNotIn("title", " ".join(found))

    def test_pairs_are_the_same_each_time_and_hold_what_they_say(self):
        first, second = (list(contrast.of_documents([self.path], "test", 100, 1)) for _ in range(2))
        self.assertEqual(first, second)
        self.assertEqual({pair["label"] for pair in first}, {"supports", "contradicts", "neither"})
        truth = {sentence.text for sentence in sentences.of_file(self.path)}
        for pair in first:
            self.assertEqual(pair["split"], contrast.split_of("pumps.md"))
            if pair["kind"] == "copy":
                self.assertIn(pair["claim"], pair["evidence"])
            if pair["label"] == "contradicts" and "passage" not in pair["kind"]:
                self.assertNotIn(pair["claim"], pair["evidence"])
                self.assertTrue(any(text in pair["evidence"] for text in truth), pair)
            if pair["kind"] == "elsewhere":
                self.assertNotIn(pair["claim"], pair["evidence"])

    def test_a_pair_with_two_labels_is_left_out(self):
        pair = {"claim": "a", "evidence": "b", "label": "supports"}
        kept = list(contrast.without_conflicts([pair, {**pair, "label": "neither"}, {**pair, "claim": "c"}, {**pair, "claim": "c"}]))
        self.assertEqual(kept, [{**pair, "claim": "c"}])

    def test_claims_of_one_group_stay_together_and_half_of_the_groups_is_kept_back(self):
        path = self.path.with_name("claims.jsonl")
        rows = [{"id": f"{group}-{at}", "claim": "a", "evidence": "b", "label": "refutes", "source": "s", "group": str(group)}
                for group in range(400) for at in range(2)]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        pairs = list(contrast.of_claims(path))
        groups = {pair["group"] for pair in pairs}
        self.assertEqual(len(pairs), 2 * len(groups))
        self.assertTrue(150 < len(groups) < 250)
        self.assertEqual({pair["label"] for pair in pairs}, {"contradicts"})


if __name__ == "__main__":
    unittest.main()
