//! Units of measurement, and how many of a smaller one they are.

/// Units of one kind: names in lower case with the factor to the smallest of them. Symbols whose case matters (`M`)
/// are not among them.
const KINDS: &[&[(&[&str], f64)]] = &[
    // Mass, in micrograms.
    &[
        (&["µg", "μg", "ug", "mcg", "microgram", "micrograms"], 1.0),
        (&["mg", "milligram", "milligrams"], 1e3),
        (&["g", "gram", "grams"], 1e6),
        (&["kg", "kilo", "kilos", "kilogram", "kilograms"], 1e9),
        (&["tonne", "tonnes"], 1e12),
    ],
    &[(&["oz", "ounce", "ounces"], 1.0), (&["lb", "lbs", "pound", "pounds"], 16.0)],
    // Volume, in microlitres.
    &[
        (&["µl", "μl", "ul", "microlitre", "microlitres", "microliter", "microliters"], 1.0),
        (&["ml", "millilitre", "millilitres", "milliliter", "milliliters"], 1e3),
        (&["dl", "decilitre", "decilitres", "deciliter", "deciliters"], 1e5),
        (&["l", "litre", "litres", "liter", "liters"], 1e6),
    ],
    // Length, in millimetres.
    &[
        (&["mm", "millimetre", "millimetres", "millimeter", "millimeters"], 1.0),
        (&["cm", "centimetre", "centimetres", "centimeter", "centimeters"], 10.0),
        (&["m", "metre", "metres", "meter", "meters"], 1e3),
        (&["km", "kilometre", "kilometres", "kilometer", "kilometers"], 1e6),
    ],
    &[
        (&["inch", "inches"], 1.0),
        (&["foot", "feet", "ft"], 12.0),
        (&["yard", "yards"], 36.0),
        (&["mile", "miles"], 63_360.0),
    ],
    // Time, in seconds.
    &[
        (&["s", "sec", "secs", "second", "seconds"], 1.0),
        (&["min", "mins", "minute", "minutes"], 60.0),
        (&["h", "hr", "hrs", "hour", "hours"], 3_600.0),
        (&["day", "days"], 86_400.0),
        (&["week", "weeks"], 604_800.0),
    ],
    // Months and years are no round number of days.
    &[(&["month", "months"], 1.0), (&["year", "years"], 12.0)],
    &[(&["%", "percent", "per cent"], 1.0)],
    &[(&["°c", "celsius"], 1.0)],
    &[(&["°f", "fahrenheit"], 1.0)],
    &[(&["mmhg"], 1.0)],
    &[(&["kpa"], 1.0)],
    &[(&["kcal", "calorie", "calories"], 1.0)],
    &[(&["µmol", "μmol", "umol"], 1.0), (&["mmol"], 1e3), (&["mol"], 1e6)],
    &[(&["iu", "unit", "units"], 1.0)],
    &[(&["ms"], 1.0)],
    &[(&["kb"], 1.0), (&["mb"], 1e3), (&["gb"], 1e6)],
    &[(&["hz"], 1.0), (&["khz"], 1e3), (&["mhz"], 1e6)],
    &[(&["v", "volt", "volts"], 1.0)],
    &[(&["w", "watt", "watts"], 1.0), (&["kw", "kilowatt", "kilowatts"], 1e3)],
];

/// Unit of measurement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Unit {
    /// Number of its kind: units of one kind can be compared.
    pub(crate) kind: usize,
    /// How many of the smallest unit of its kind it is.
    pub(crate) factor: f64,
}

/// The unit with this name, if it is one: `mg`, `weeks`, `%`. Case does not matter.
pub(crate) fn unit(name: &str) -> Option<Unit> {
    let name = name.to_lowercase();
    let of_kind = |(kind, units): (usize, &&[(&[&str], f64)])| {
        let found = units.iter().find(|(names, _)| names.contains(&name.as_str()));
        found.map(|(_, factor)| Unit { kind, factor: *factor })
    };
    KINDS.iter().enumerate().find_map(of_kind)
}

/// Whether a text begins with a unit, also a compound one: `mmol/L`, `mg per day`.
pub(crate) fn begins_with_unit(text: &str) -> bool {
    let word: String = text.chars().take_while(|c| c.is_alphabetic() || matches!(c, '%' | '°' | 'µ' | 'μ')).collect();
    unit(&word).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_of_a_kind_can_be_compared() {
        let (gram, milligram) = (unit("g").expect("a unit"), unit("mg").expect("a unit"));
        assert_eq!((gram.kind, gram.factor), (milligram.kind, milligram.factor * 1e3));
        assert_ne!(unit("weeks").map(|unit| unit.kind), unit("mL").map(|unit| unit.kind));
        assert_eq!(unit("metformin"), None);
    }

    #[test]
    fn compound_units_begin_with_a_unit() {
        for text in ["mmol/L", "mg per day", "% of them", "°C", "years"] {
            assert!(begins_with_unit(text), "{text}");
        }
        for text in ["", "are normal", "- mg", "metres-long".strip_prefix("metres").unwrap_or_default()] {
            assert!(!begins_with_unit(text), "{text}");
        }
    }
}
