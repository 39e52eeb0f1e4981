#!/usr/bin/env python3
"""Writes questions-LANGUAGE.jsonl: each question with the place of its answer, found by the words that stand there."""

import json
from pathlib import Path

HERE = Path(__file__).parent

# Question, accepted answer, words of the document that say it, document.
ASKED = {
    "de": [
        ("Wo steht der Impfstoffkühlschrank?", "im Vorraum des Labors", "station.md"),
        ("Wie oft wird die Temperatur des Kühlschranks abgelesen?", "zweimal täglich", "station.md"),
        ("Zwischen welchen Temperaturen muss der Kühlschrank liegen?", "zwischen 2 und 8 Grad", "station.md"),
        ("Wen ruft man bei einer Abweichung der Temperatur an?", "die Apotheke", "station.md"),
        ("Wohin kommen verfallene Impfstoffe?", "in den roten Behälter", "station.md"),
        ("Wann sind Besuche möglich?", "von 14 bis 19 Uhr", "station.md"),
        ("Dürfen kleine Kinder allein auf die Station?", "in Begleitung eines Erwachsenen", "station.md"),
        ("Wo klingeln Gäste nach 22 Uhr?", "am Tor der Notaufnahme", "station.md"),
        ("Wer hat den Schlüssel zum Medikamentenschrank?", "die Schichtleitung", "station.md"),
        ("Was geschieht, wenn ein Schlüssel verloren geht?", "wird das Schloss noch am selben Tag ausgetauscht", "station.md"),
        ("Wann wird die Umwälzpumpe geprüft?", "jeden Oktober", "heizung.md"),
        ("Wie oft wird der Filter der Pumpe gereinigt?", "alle drei Monate", "heizung.md"),
        ("Ab welchem Druck füllt man Wasser nach?", "unter 1,5 bar", "heizung.md"),
        ("Was bedeutet der Fehler E17?", "der Fühler am Rücklauf defekt ist", "heizung.md"),
        ("Welche Leistung hat der Kessel?", "80 Kilowatt", "heizung.md"),
        ("Wo ist der Notschalter?", "links neben der Kellertür", "heizung.md"),
        ("Wie viele Urlaubstage gibt es im Jahr?", "30 Urlaubstage", "urlaub.md"),
        ("Wann verfällt der Resturlaub?", "am 31. März des folgenden Jahres", "urlaub.md"),
        ("Wie viel wird für Fahrten mit dem eigenen Auto erstattet?", "35 Cent je Kilometer", "urlaub.md"),
        ("Wer genehmigt Dienstreisen?", "die Abteilungsleitung", "urlaub.md"),
    ],
    "fr": [
        ("Où se trouve le réfrigérateur des vaccins ?", "dans l'entrée du laboratoire", "service.md"),
        ("Combien de fois par jour relève-t-on la température ?", "deux fois par jour", "service.md"),
        ("Entre quelles températures doit rester le réfrigérateur ?", "entre 2 et 8 degrés", "service.md"),
        ("Qui faut-il appeler en cas d'écart de température ?", "la pharmacie", "service.md"),
        ("Où met-on les vaccins périmés ?", "dans le bac rouge", "service.md"),
        ("Quelles sont les heures de visite ?", "de 14 heures à 19 heures", "service.md"),
        ("Les jeunes enfants peuvent-ils venir seuls ?", "accompagnés d'un adulte", "service.md"),
        ("Où les visiteurs sonnent-ils après 22 heures ?", "à la porte des urgences", "service.md"),
        ("Qui garde la clé de l'armoire à médicaments ?", "le cadre de santé", "service.md"),
        ("Que fait-on si une clé est perdue ?", "la serrure est changée le jour même", "service.md"),
        ("Quand contrôle-t-on la pompe de circulation ?", "chaque octobre", "chaufferie.md"),
        ("À quelle fréquence le filtre de la pompe est-il nettoyé ?", "tous les trois mois", "chaufferie.md"),
        ("Sous quelle pression ajoute-t-on de l'eau ?", "sous 1,5 bar", "chaufferie.md"),
        ("Que signifie l'erreur E17 ?", "la sonde de retour est défectueuse", "chaufferie.md"),
        ("Quelle est la puissance de la chaudière ?", "80 kilowatts", "chaufferie.md"),
        ("Où est le bouton d'arrêt d'urgence ?", "à gauche de la porte de la cave", "chaufferie.md"),
        ("Combien de jours de congé a-t-on par an ?", "30 jours de congé", "conges.md"),
        ("Quand perd-on les jours restants ?", "le 31 mars de l'année suivante", "conges.md"),
        ("Combien rembourse-t-on pour un trajet en voiture ?", "35 centimes par kilomètre", "conges.md"),
        ("Qui autorise les déplacements ?", "le chef de service", "conges.md"),
    ],
    "zh": [
        ("疫苗冰箱放在哪里？", "实验室的前厅", "bingqu.md"),
        ("冰箱的温度每天读几次？", "每天读取两次", "bingqu.md"),
        ("冰箱温度应该是多少度？", "2到8度之间", "bingqu.md"),
        ("温度有偏差时通知谁？", "药房", "bingqu.md"),
        ("过期疫苗放到哪里？", "红色箱子", "bingqu.md"),
        ("什么时候可以探视？", "下午两点到七点", "bingqu.md"),
        ("儿童可以自己来探视吗？", "必须由成年人陪同", "bingqu.md"),
        ("晚上十点以后访客按哪里的门铃？", "急诊室的门铃", "bingqu.md"),
        ("谁保管药柜钥匙？", "值班组长", "bingqu.md"),
        ("钥匙丢了怎么办？", "当天必须更换门锁", "bingqu.md"),
        ("循环泵什么时候检查？", "每年十月", "guolu.md"),
        ("过滤网多久清洗一次？", "每三个月", "guolu.md"),
        ("压力低于多少需要补水？", "低于1.5巴", "guolu.md"),
        ("E17是什么故障？", "回水传感器损坏", "guolu.md"),
        ("锅炉的功率是多少？", "80千瓦", "guolu.md"),
        ("紧急开关在哪里？", "地下室门的左侧", "guolu.md"),
        ("每年有多少天年假？", "30天年假", "xiujia.md"),
        ("剩余假期什么时候失效？", "3月31日", "xiujia.md"),
        ("使用私家车每公里报销多少？", "3角5分", "xiujia.md"),
        ("谁批准出差？", "部门主管", "xiujia.md"),
    ],
}

# On subjects of the documents, and of others, that the documents do not speak of.
NOT_SAID = {
    "de": [
        "Wie heißt der Hersteller der Umwälzpumpe?",
        "Wie viele Betten hat die Intensivstation?",
        "Wer hat den Roman Faust geschrieben?",
        "Welche Impfungen brauchen Reisende nach Kenia?",
        "Wie hoch ist das Gehalt einer Pflegekraft?",
        "Wie lange dauert die Elternzeit?",
        "Welche Farbe hat das Dach der Kantine?",
        "Was kostet das Mittagessen in der Kantine?",
        "Wann fährt der letzte Bus in die Stadt?",
        "Wie wird ein Blutdruckmessgerät geeicht?",
    ],
    "fr": [
        "Qui a fabriqué la pompe de circulation ?",
        "Combien de lits compte la réanimation ?",
        "Qui a écrit Les Misérables ?",
        "Quels vaccins faut-il pour voyager au Kenya ?",
        "Quel est le salaire d'une infirmière ?",
        "Combien de temps dure le congé parental ?",
        "De quelle couleur est le toit de la cantine ?",
        "Combien coûte un repas à la cantine ?",
        "À quelle heure part le dernier bus ?",
        "Comment étalonne-t-on un tensiomètre ?",
    ],
    "zh": [
        "循环泵是哪个厂家生产的？",
        "重症监护室有多少张床？",
        "红楼梦的作者是谁？",
        "去肯尼亚旅行要打哪些针？",
        "护士的工资是多少？",
        "产假有多长？",
        "食堂的屋顶是什么颜色？",
        "食堂的午饭多少钱？",
        "最后一班公交车几点开？",
        "血压计怎么校准？",
    ],
}


def flat(text: str) -> str:
    return " ".join(text.split())


def place(text: str, answer: str) -> tuple[int, int]:
    """Bytes of the answer, however its line is broken."""
    for start in range(len(text)):
        for end in range(start + len(answer), min(len(text), start + len(answer) + 4) + 1):
            if flat(text[start:end]) == answer and not text[start].isspace():
                return len(text[:start].encode()), len(text[:end].encode())
    raise SystemExit(f"not in the document: {answer}")


for language, asked in ASKED.items():
    lines = []
    for number, (question, answer, document) in enumerate(asked, 1):
        text = (HERE / language / document).read_text(encoding="utf-8")
        start, end = place(text, answer)
        lines.append({"id": f"{language}-{number:02}", "kind": "fact", "question": question, "answerable": True,
                      "answers": [answer], "document": document, "start": start, "end": end, "text": answer})
    for number, question in enumerate(NOT_SAID[language], 1):
        lines.append({"id": f"{language}-no-{number:02}", "kind": "absent", "question": question, "answerable": False,
                      "answers": []})
    with open(HERE / f"questions-{language}.jsonl", "w", encoding="utf-8") as file:
        for line in lines:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
