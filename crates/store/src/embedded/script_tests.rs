//! Words of many scripts: each is found by a question that has it, in an index and before there is one.

use std::fmt::Write as _;

use qanda_core::ports::{Mode, SearchQuery};
use qanda_core::{Documents, language};
use qanda_core::{Filter, RequestContext, Search, Source, Upkeep};
use tempfile::TempDir;

use super::tests::{document, open_in, vector};
use super::*;

/// A small collection in one script: what each of its sentences says is said by all of them but for one word.
struct Script {
    name: &'static str,
    /// A sentence about `{}`.
    sentence: &'static str,
    /// A question about `{}`, in the words of the sentence.
    question: &'static str,
    /// Words that stand in one sentence alone.
    words: [&'static str; 8],
}

const SCRIPTS: [Script; 13] = [
    Script {
        name: "Latin, German",
        sentence: "Die {} im Heizungskeller wird jeden Oktober geprüft und in das blaue Buch eingetragen.",
        question: "Wann werden {} geprüft?",
        words: ["Umwälzpumpe", "Größe", "Tür", "Absperrklappe", "Lüftung", "Messuhr", "Brücke", "Säge"],
    },
    Script {
        name: "Latin, Vietnamese",
        sentence: "Nhân viên trực kiểm tra {} vào tháng mười hàng năm và ghi vào sổ màu xanh.",
        question: "Khi nào kiểm tra {}?",
        words: ["bơm", "ống", "bể", "đèn", "thang", "quạt", "khóa", "cầu"],
    },
    Script {
        name: "Cyrillic",
        sentence: "В октябре дежурный инженер проверяет {} и записывает результат в синюю тетрадь.",
        question: "Когда проверяют {}?",
        words: ["задвижку", "насос", "котёл", "лестницу", "вентилятор", "весы", "сирену", "фильтр"],
    },
    Script {
        name: "Greek",
        sentence: "Κάθε Οκτώβριο ο μηχανικός ελέγχει {} και γράφει το αποτέλεσμα στο μπλε βιβλίο.",
        question: "Πότε ελέγχεται {};",
        words: ["αντλία", "βαλβίδα", "λέβητας", "σκάλα", "ανεμιστήρας", "ζυγαριά", "σειρήνα", "φίλτρο"],
    },
    Script {
        name: "Arabic",
        sentence: "يفحص المهندس المناوب {} في شهر أكتوبر ويكتب النتيجة في الدفتر الأزرق.",
        question: "متى يفحص المهندس {}؟",
        words: ["المضخة", "الصمام", "الغلاية", "السلم", "المروحة", "الميزان", "الصفارة", "المرشح"],
    },
    Script {
        name: "Hebrew",
        sentence: "המהנדס התורן בודק את {} בכל אוקטובר ורושם את התוצאה במחברת הכחולה.",
        question: "מתי בודקים את {}?",
        words: ["המשאבה", "השסתום", "הדוד", "הסולם", "המאוורר", "המאזניים", "הצופר", "המסנן"],
    },
    Script {
        name: "Devanagari",
        sentence: "हर अक्टूबर में इंजीनियर {} की जाँच करता है और परिणाम नीली पुस्तक में लिखता है।",
        question: "{} की जाँच कब होती है?",
        words: ["पंप", "वाल्व", "बॉयलर", "सीढ़ी", "पंखे", "तराज़ू", "भोंपू", "छन्नी"],
    },
    Script {
        name: "Hangul",
        sentence: "당직 기사가 매년 시월에 {} 점검하고 결과를 파란 공책에 적는다.",
        question: "{} 언제 점검합니까?",
        words: ["펌프를", "밸브를", "보일러를", "사다리를", "선풍기를", "저울을", "경적을", "여과기를"],
    },
    Script {
        name: "Han",
        sentence: "锅炉房的{}每年十月由值班工程师检查一次，检查结果写入蓝色登记簿。",
        question: "{}什么时候检查？",
        words: ["水泵", "阀门", "水箱", "扶梯", "风扇", "天平", "警报器", "过滤网"],
    },
    Script {
        name: "Kana and Han",
        sentence: "当直の技師が毎年十月に{}を点検し、結果を青い帳簿に書きます。",
        question: "{}はいつ点検しますか。",
        words: ["ポンプ", "換気窓", "ボイラー", "はしご", "扇風機", "はかり", "サイレン", "濾過器"],
    },
    Script {
        name: "Thai",
        sentence: "วิศวกรเวรตรวจ{}ในเดือนตุลาคมของทุกปีและบันทึกผลลงในสมุดสีน้ำเงิน",
        question: "{}ตรวจเมื่อไหร่",
        words: ["ปั๊มน้ำ", "วาล์ว", "หม้อไอน้ำ", "บันได", "พัดลม", "ตาชั่ง", "ไซเรน", "ตะแกรง"],
    },
    Script {
        name: "Khmer",
        sentence: "វិស្វករពិនិត្យ{}រៀងរាល់ខែតុលា ហើយសរសេរលទ្ធផលក្នុងសៀវភៅពណ៌ខៀវ។",
        question: "ពេលណាពិនិត្យ{}?",
        words: ["ទូទឹកកក", "ជណ្តើរ", "កង្ហារ", "ជញ្ជីង", "ចង្ក្រាន", "ទ្វារ", "បង្អួច", "ភ្លើង"],
    },
    Script {
        name: "Burmese",
        sentence: "အင်ဂျင်နီယာက {} ကို အောက်တိုဘာလတိုင်း စစ်ဆေးပြီး အပြာရောင်စာအုပ်တွင် ရေးမှတ်သည်။",
        question: "{} ကို ဘယ်အချိန် စစ်ဆေးသလဲ။",
        words: ["ရေခဲသေတ္တာ", "လှေကား", "ပန်ကာ", "ချိန်ခွင်", "မီးဖို", "တံခါး", "ပြတင်းပေါက်", "မီးခွက်"],
    },
];

/// Mean of nDCG@10 where each question has one right sentence.
async fn ndcg(store: &EmbeddedStore, script: &Script, spelt: impl Fn(&str) -> String) -> f64 {
    let mut sum = 0.0;
    for (place, word) in script.words.iter().enumerate() {
        let query = SearchQuery {
            text: spelt(&script.question.replace("{}", word)),
            vector: vector(0),
            mode: Mode::Lexical,
            source: Source::Context,
            filter: Filter::new(),
            limit: 10,
            as_of: None,
        };
        let hits = store.search(&RequestContext::local(), query).await.expect("searches");
        let rank = hits.iter().position(|hit| hit.passage.document == format!("{} {place}", script.name));
        sum += rank.map_or(0.0, |rank| 1.0 / (rank as f64 + 2.0).log2());
    }
    sum / script.words.len() as f64
}

/// Stores the sentences of all scripts in one store, some of them with their accents apart.
async fn fill(store: &EmbeddedStore, apart: impl Fn(&str) -> String) {
    for script in &SCRIPTS {
        for (place, word) in script.words.iter().enumerate() {
            let text = script.sentence.replace("{}", word);
            let mut new = document(&format!("{} {place}", script.name), &[&apart(&text)], 1);
            new.document.title = "Notes".to_owned();
            new.document.details.language = language::language_of_document(&text).map(|found| found.tag().to_owned());
            store.put(&RequestContext::local(), vec![new]).await.expect("stores");
        }
    }
}

async fn worst(store: &EmbeddedStore, spelt: impl Fn(&str) -> String + Copy) -> (f64, String) {
    let (mut worst, mut all) = (1.0_f64, String::new());
    for script in &SCRIPTS {
        let found = ndcg(store, script, spelt).await;
        worst = worst.min(found);
        write!(all, "{}: {found:.3}; ", script.name).expect("is written");
    }
    (worst, all)
}

#[tokio::test]
async fn a_word_of_one_document_alone_is_found_in_every_script() {
    let directory = TempDir::new().expect("a directory");
    let store = open_in(directory.path());
    fill(&store, str::to_owned).await;
    let (before, all) = worst(&store, str::to_owned).await;
    assert!(before >= 0.95, "scanned: {all}");
    store.optimise().await.expect("catches up");
    let store = open_in(directory.path());
    let (indexed, all) = worst(&store, str::to_owned).await;
    assert!(indexed >= 0.95, "indexed: {all}");
}

#[tokio::test]
async fn composed_accents_and_those_apart_meet() {
    use unicode_normalization::UnicodeNormalization;
    let apart = |text: &str| text.nfd().collect::<String>();
    for is_apart in [true, false] {
        let directory = TempDir::new().expect("a directory");
        let store = open_in(directory.path());
        fill(&store, |text| if is_apart { apart(text) } else { text.to_owned() }).await;
        let (found, all) = worst(&store, |text: &str| if is_apart { text.to_owned() } else { apart(text) }).await;
        assert!(found >= 0.95, "{is_apart}: {all}");
    }
}

/// An index that an earlier version made is made anew, and until then the store answers without it.
#[tokio::test]
async fn an_index_of_other_terms_is_made_anew() {
    let directory = TempDir::new().expect("a directory");
    let store = open_in(directory.path());
    fill(&store, str::to_owned).await;
    store.optimise().await.expect("catches up");
    drop(store);
    lexical::make_as_before(directory.path());
    let store = open_in(directory.path());
    assert_eq!(lexical_status(&store).await.0, 0);
    assert!(worst(&store, str::to_owned).await.0 >= 0.95);
    store.optimise().await.expect("catches up");
    drop(store);
    let store = open_in(directory.path());
    assert_eq!(lexical_status(&store).await, (8 * SCRIPTS.len() as u64, 0));
}

/// Entries in the lexical index, and entries that it is behind.
async fn lexical_status(store: &EmbeddedStore) -> (u64, u64) {
    let status = store.status().await.expect("counts");
    let lexical = status.indexes.iter().find(|index| index.name == "lexical").expect("there is one");
    (lexical.indexed, lexical.behind)
}
