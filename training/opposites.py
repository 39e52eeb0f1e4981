"""Words whose exchange turns a statement round."""

from flips import both_ways

# Before numbers mostly: what is compared stays, which way turns.
COMPARATORS = both_ways([
    ("at least", "at most"), ("more than", "less than"), ("more than", "fewer than"), ("greater than", "less than"),
    ("or more", "or less"), ("or more", "or fewer"), ("or older", "or younger"), ("and older", "and younger"),
    ("and over", "and under"), ("or above", "or below"), ("or higher", "or lower"), ("older than", "younger than"),
    ("higher than", "lower than"), ("above", "below"), ("before", "after"), ("no more than", "no less than"),
    ("up to", "at least"), ("earlier than", "later than"), ("longer than", "shorter than"), ("over the age of", "under the age of"),
    ("maximum", "minimum"), ("exceeds", "falls below"), ("within", "after more than"), ("sooner", "later"),
    ("more often than", "less often than"), ("more common in", "less common in"), ("more likely to", "less likely to"),
    ("most common", "least common"), ("faster than", "slower than"), ("larger than", "smaller than"),
])

OPPOSITES = both_ways([
    ("start", "stop"), ("starts", "stops"), ("started", "stopped"), ("starting", "stopping"), ("begin", "end"), ("begins", "ends"),
    ("increase", "decrease"), ("increases", "decreases"),
    ("increased", "decreased"), ("increasing", "decreasing"), ("raise", "lower"), ("raises", "lowers"), ("raised", "lowered"),
    ("rises", "falls"), ("rise", "fall"), ("high", "low"), ("higher", "lower"), ("highest", "lowest"), ("common", "rare"),
    ("benign", "malignant"), ("mild", "severe"), ("acute", "chronic"), ("safe", "dangerous"), ("safe", "unsafe"),
    ("effective", "ineffective"), ("early", "late"), ("earlier", "later"), ("allowed", "forbidden"), 
    ("prevents", "causes"), ("improve", "worsen"), ("improves", "worsens"), ("better", "worse"), ("gain", "lose"),
    ("always", "never"), ("most people", "few people"), ("many people", "few people"), ("inside", "outside"), ("first", "last"), ("fast", "slow"),
    ("large", "small"), ("larger", "smaller"), ("thick", "thin"), ("narrow", "wide"), ("narrows", "widens"), ("weak", "strong"),
    ("weakens", "strengthens"), ("dry", "moist"), ("warm", "cold"),
    ("daily", "weekly"), ("once", "twice"), ("oral", "intravenous"), ("systolic", "diastolic"), ("arteries", "veins"),
    ("positive", "negative"), ("present", "absent"), ("internal", "external"), ("upper", "lower"), ("temporary", "permanent"),
    ("easy", "difficult"), ("easier", "harder"), ("morning", "evening"), ("men", "women"), ("male", "female"),
    ("mother", "father"), ("boys", "girls"), ("adults", "children"), ("full", "empty"), ("normal", "abnormal"), ("healthy", "sick"),
    ("good", "bad"), ("slowly", "quickly"), ("rapidly", "slowly"), ("necessary", "unnecessary"), ("needed", "not needed"),
    ("recommended", "advised against"), ("continue", "stop"), ("continued", "stopped"),
    ("reduce", "increase"), ("reduces", "increases"), ("reduced", "increased"), ("relieves", "worsens"), ("protects", "endangers"),
    ("allow", "forbid"), ("accept", "refuse"), ("young", "old"), ("younger", "older"), ("hypoglycemia", "hyperglycemia"),
    ("overactive", "underactive"), ("hyperthyroidism", "hypothyroidism"), ("inherited", "acquired"), ("contagious", "not contagious"),
    ("curable", "incurable"), ("required", "optional"), ("outpatient", "inpatient"),
])
