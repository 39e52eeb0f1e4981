//! Words that say nothing about what a text is about, by language, in lower case. They also tell the language of a
//! question, so they hold the words that questions are asked with.

/// English. In alphabetical order.
pub(crate) const STOP_WORDS: &[&str] = &[
    "a", "about", "after", "all", "also", "an", "and", "any", "are", "as", "at", "be", "been", "before", "but", "by",
    "can", "could", "did", "do", "does", "for", "from", "had", "has", "have", "he", "her", "his", "how", "i", "if",
    "in", "into", "is", "it", "its", "may", "me", "might", "more", "most", "must", "my", "no", "not", "of", "on",
    "one", "or", "other", "our", "out", "over", "shall", "she", "should", "so", "some", "such", "than", "that", "the",
    "their", "them", "then", "there", "these", "they", "this", "those", "to", "up", "us", "was", "we", "were", "what",
    "when", "where", "which", "who", "why", "will", "with", "would", "you", "your",
];

pub(super) const GERMAN: &str = "aber alle allem allen aller alles als am an auch auf aus bei beim bin bis bist da \
    dabei damit dann darf das dass dem den denn der des die dies diese diesem diesen dieser dieses doch dort du durch \
    dürfen ein eine einem einen einer eines er es für gegen gibt hat hatte hatten haben habe ich ihm ihn ihr ihre im \
    in ins ist jede jedem jeden jeder jedes kann kein keine keinen können man mein meine mit muss müssen nach nicht \
    noch nur ob oder ohne sein seine seinem seinen seiner sich sie sind so soll sollen sollte über um und uns unter \
    vom von vor wann war waren warum was welche welchem welchen welcher welches wem wen wenn wer werden wessen wie \
    wieso wieviel wird wo wofür woher wohin womit wurde wurden zu zum zur zwischen";
pub(super) const FRENCH: &str = "a à ai ainsi alors après au aucun aussi autre aux avant avec avoir c ce cela ces cet \
    cette chaque chez ci combien comme comment d dans de des doit doivent donc du elle elles en encore est et été \
    être eu faire fait faut il ils j je l la là le les leur leurs lors lorsque lui m ma mais même mes moi mon n ne \
    nos notre nous on ont ou où par pas pendant peu peut peuvent plus pour pourquoi qu quand que quel quelle quelles \
    quels qui quoi s sa sans se selon sera ses si son sont sous sur t ta tes toi ton tous tout toute toutes très tu \
    un une vers vos votre vous y";
pub(super) const SPANISH: &str = "a al algo ante antes como cómo con contra cual cuál cuáles cuando cuándo cuánta \
    cuántas cuánto cuántos de debe deben del desde después dónde donde durante e el él ella ellas ellos en entre era \
    es esa ese eso esta está están este esto estos fue ha hace han hasta hay la las le les lo los más me mi mientras \
    muy ni no nos o otra otro para pero por porque puede pueden que qué quien quién quiénes se ser si sí sin sobre \
    son su sus también tan tiene tienen todo todos tras tu un una unas uno unos y ya";
pub(super) const ITALIAN: &str = "a ad agli ai al alla alle allo anche che chi ci come con cosa cui da dagli dai dal \
    dalla dalle dei del dell della delle dello deve devono di dopo dove due e è ed era essere fra gli ha hanno i il \
    in io l la le lei li lo loro lui ma mi nei nel nell nella nelle nello no noi non o ogni per perché perche più può \
    possono prima qual quale quali quando quanta quante quanti quanto quella quello questa queste questi questo se \
    senza si sia solo sono su sua sue sui sul sull sulla suo tra tutti un una uno viene vengono";
pub(super) const PORTUGUESE: &str = "a à ao aos após as às até cada com como da das de depois deve devem do dos e é \
    ela elas ele eles em entre era essa esse esta está este eu foi há isso já lhe mais mas me mesmo na não nas no nos \
    num numa o onde os ou para pela pelas pelo pelos pode podem por porque porquê qual quais quando quanta quantas \
    quanto quantos que quê quem são se sem ser seu sua suas também tem têm todos um uma você";
pub(super) const DUTCH: &str = "aan als bij dan dat de der deze die dit door een en er geen had hebben heeft het hij \
    hoe hoeveel hun ik in is je kan kunnen maar men met mag mijn moet moeten na naar niet nog of om onder ook op over \
    per te tegen tijdens toch tot uit van vanaf veel voor waar waarom waarmee wanneer waren was wat we welk welke wel \
    werd wie wij worden wordt ze zich zij zijn zo zonder";
pub(super) const SWEDISH: &str = "alla att av bara blev blir de del dem den denna deras dess det detta dig din du \
    efter ej eller en ett finns från för får ha hade han har hon hur i in inte jag kan man med men mot måste när och \
    om ofta på sedan sig sin ska skall som så till under upp ut utan vad var varför varje vem vid vilka vilken vilket \
    vill år är över";
pub(super) const DANISH: &str = "af alle at blev bliver da de dem den denne der deres det dette dig din du efter \
    eller en er et for fra få får ha han har havde hun hvad hvem hvilke hvilken hvilket hvis hvor hvordan hvorfor \
    hvornår i ikke ind jeg kan man med meget men mod må når og også om op over på selv sig skal som så til ud uden \
    under var ved vi vil være år";
pub(super) const NORWEGIAN: &str = "alle at av ble blir bli da de den denne der deres det dette du eller en er et \
    etter for fra før få får ha hadde han har hun hva hvem hver hvilke hvilken hvilket hvis hvor hvordan hvorfor i \
    ikke inn jeg kan man med men mot må når og også om opp over på seg sin skal som så til under ut uten var ved vi \
    være år";
pub(super) const FINNISH: &str = "ei eivät en että he hän ja joka jos jotka kanssa kenen kuin kuinka kuka kun me mikä \
    miksi milloin missä mistä miten mitä mitkä mutta myös ne niin noin nyt olla on ovat pitää saa se sen sekä siitä \
    tai tämä te tulee vai vain voi voidaan";
pub(super) const POLISH: &str = "a aby ale bez być był była było by co czy dla do gdy gdzie i ich ile im ja jak jaka \
    jaki jakie jako jest jeśli jego jej już każdy kiedy kto która które który lub ma mogą może można musi na nad nie \
    niż o od oraz po pod przed przez przy są się ta tak ten to trzeba tu tylko tym u w we więc wszystkie z za ze że";
pub(super) const CZECH: &str = "a aby aj ale ani až být by byl byla bylo co či do i jak jaká jaké jaký jako je jeho \
    její jejich jen jestli ještě již k kam kde kdo kdy kolik která které který ke má mají mezi může mohou musí na nad \
    nebo není než o od po pod podle pro proč proto před při s se si tak také tento to u v ve však z za ze že";
pub(super) const HUNGARIAN: &str = "a az azt és egy ez ezt hogy hol hogyan honnan hány is ha de ki kell kik lehet \
    már meg mely melyik melyek mennyi mert mi mikor milyen mit miért minden most nem nincs ott sem szabad vagy van \
    vannak volt után";
pub(super) const TURKISH: &str = "ama bir bu çok da daha de değil diye en gibi göre hangi hangisi her için ile ise \
    kadar kaç ki kim mı mi mu mü nasıl ne neden nedir nerede nereye o olan olarak oldu olur sonra şu tarafından var \
    ve veya ya yok";
pub(super) const ROMANIAN: &str = "a al ale am ar au ca care cât câte câți când ce cel cea cine cu cum dacă dar de \
    din după ea el este eu fi fie fost în între la le lui mai nu o ori pe pentru peste poate pot prin sau să se sunt \
    și te trebuie un una unde unei unui";
pub(super) const RUSSIAN: &str = "а без более бы был была были было быть в вам вас во вот все всех вы где да для до \
    его ее её если есть еще ещё же за и из или им их к как какая какие какой каком какую ко когда кто куда ли между \
    можно мы на над надо не него нее нет ни них но нужно о об он она они оно от по под после почему при с со сколько \
    так также там то того тоже только том ты у уже чего чем через что чтобы это этого этот эта эти я";
pub(super) const UKRAINIAN: &str = "а або але без був була було були бути в вам вас від він вона вони воно ви все всі \
    де для до є же з за і із її їх й його як яка яке який які коли хто куди між можна ми на над не ні них о об по під \
    після при про скільки слід та так також там те то того тому треба ти тільки у уже це цей ця ці чи через чого чому \
    що щоб я";
pub(super) const GREEK: &str = "από αν αυτή αυτό αυτός για δεν διότι είναι εκεί ένα ένας έχει έχουν η ή θα και κάθε \
    κατά με μετά μέχρι μη μια μία μου να ο οι όπου όπως όταν ότι πόσα πόσες πόσο πόσοι ποια ποιες ποιο ποιοι ποιος \
    ποιον πού που πότε πρέπει προς πώς πως σας σε στα στη στην στις στο στον στους τα την της τη τι τις το του τους \
    των τον";
pub(super) const ARABIC: &str = "أو أي أين أن إلى إذا إن التي الذي الذين ان بعد بين تم ثم حتى حول حين خلال ذلك على \
    عن عند غير في فيها فيه قبل قد كان كانت كل كم كما كيف لا لقد لم لماذا لن له لها ما ماذا متى مع من منه منها منذ هذا \
    هذه هل هم هو هي هناك و يتم يجب يكون يمكن";
pub(super) const PERSIAN: &str = "از است اگر او این آن آنها با باید بر برای به بود تا چرا چطور چگونه چقدر چند چه \
    چیست خود در دارد را روی شد شده شود کجا کدام که کرد کند کنند کی می نیست ها های هر هست هم و یا یک";
pub(super) const HEBREW: &str = "אבל או אותו אותה אחרי איך איפה איזה איזו אין אל אם אנחנו אני את אשר בין גם האם הוא \
    היא הם הן היה היו הייתה זאת זה זו יש כאשר כדי כי כל כמה כן לא לאן לו לה למה לפני מאין מה מי מתי מדוע עד על עם של \
    צריך רק";
pub(super) const HINDI: &str = "अगर अपना अपनी अपने आप इन इस इसका इसके इसमें उन उस उसका उसके एक और कब कर करता करती करते \
    करना करने कहाँ कहां का कि कितना कितनी कितने किन किस किसने किसे की के को कोई कौन कौनसा क्या क्यों गई गए गया चाहिए जा \
    जाता जाती जाते जाना जाने जब जिस जैसे जो तक तो था थी थे द्वारा दिया ने पर बाद भी में यह यहाँ या ये रहा रही रहे लिए \
    वह वाला वाली वाले वे सकता सकती सकते से हम ही हुआ हुई हुए है हैं हो होता होती होते होना";
pub(super) const CHINESE: &str = "的 了 是 在 和 与 及 或 也 都 就 而 但 但是 不 没 没有 有 我 你 您 他 她 它 我们 你们 他们 \
    这 那 这个 那个 这些 那些 哪 哪个 哪些 哪里 哪儿 哪种 什么 怎么 怎样 怎么样 如何 为什么 为何 为 何 何时 谁 多 多少 多久 多长 \
    多大 几 几点 吗 呢 吧 啊 着 过 把 被 给 对 从 到 向 以 于 由 由于 因为 所以 如果 可以 可 能 能够 会 要 应 应该 应当 必须 需要 \
    须 需 时候 时 时间 什么时候 请 请问 个 次 之 其 中 上 下 里 后 前 并 还 又 很 最 更 每 各 用 做 地 得 进行 哪一 一 是否 该 此 \
    的话 什麼 怎麼 為什麼 誰 嗎 這 個 們 來 時候 應該 應 請問 幾";
pub(super) const JAPANESE: &str = "の に は を た が で て と し れ さ ある いる も する から な こと として い や など なっ ない \
    この ため その あっ よう また もの という あり まで られ なる へ か だ これ によって により おり より による ず なり られる において \
    なけれ なら なく しかし について せ だっ でき それ う ので なお のみ でも せる です ます でし まし ませ ん ください いつ どこ 何 なに \
    なん 誰 だれ どの どれ どう どのよう どのくらい なぜ いくつ いくら 何時 何度 何回 ですか ますか か？ お ご 必要 場合 時 とき";
pub(super) const KOREAN: &str = "것 것은 것이 그 그리고 누가 누구 누구의 누구에게 다 더 또는 때 무슨 무엇 무엇을 무엇이 무엇인가 \
    몇 및 수 어느 어디 어디에 어디에서 어떤 어떻게 얼마 얼마나 언제 언제까지 왜 위해 이 이것 있는 있다 있습니까 있나요 저 하나요 하는 \
    한다 합니까 합니다 해야 할 됩니까 되나요 입니까 인가요";
pub(super) const THAI: &str = "ที่ ใน และ ของ เป็น การ ได้ มี ให้ จะ ไม่ ว่า กับ จาก นี้ นั้น โดย ความ ต้อง หรือ แต่ ก็ เมื่อ \
    คือ อยู่ ไป มา แล้ว ทำ ถูก ด้วย เพื่อ กี่ อะไร ใคร เมื่อไร เมื่อไหร่ ไหน ที่ไหน อย่างไร ทำไม เท่าไร เท่าไหร่ ใด ครับ ค่ะ คะ \
    ไหม บ้าง ควร สามารถ ยัง ถึง แห่ง ซึ่ง ผู้ อย่าง เวลา วัน ละ";
