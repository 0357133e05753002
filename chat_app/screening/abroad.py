"""Rules for orders to the model in languages other than English (prompt injection).

The languages are the big ones, and those that published attacks use because models
were trained least on refusing in them (Yong et al., 2023, arXiv:2310.02446).
"""

from chat_app.screening.rules import rule

# (verb, object) pairs; the object follows the verb within a few words, or precedes it.
_DROP_ABROAD = (
    (
        r"(?:ignor|olvid|descart|omit|haz caso omiso)\w{0,5}",
        r"(?:instruccion|indicacion|órden|orden|reglas)\w{0,3}",
    ),
    (
        r"(?:ignor|oubli|négli)\w{1,5}",
        r"(?:les|tes|vos|ces|toutes)\b.{0,24}?(?:instruction|consigne|règle|directive)s?",
    ),
    (
        r"(?:ignorier\w{0,3}|vergiss|vergessen|missacht\w{0,3}|missachte)",
        r"(?:anweisung|instruktion|vorgabe|befehl|regel|anordnung)\w{0,3}",
    ),
    (r"(?:ignor|dimentic|trascur)\w{1,5}", r"(?:istruzion|direttiv|regol|indicazion)\w{1,2}"),
    (
        r"(?:ignor|esque[cç]|desconsider)\w{1,5}",
        r"(?:instruç|instruco|regra|orientaç|comando)\w{1,6}",
    ),
    (r"(?:negeer|vergeet)", r"(?:instructie|aanwijzing|opdracht|regel)\w{0,3}"),
    (r"(?:ignorera|glöm|ignorer|glem)", r"(?:instruktion|anvisning|regl)\w{0,5}"),
    (r"(?:zignoruj|ignoruj|zapomnij|pomiń)", r"(?:instrukcj|polece|zasad)\w{0,4}"),
    (
        r"(?:игнорир|проигнорир|забудь|забыть|отбрось|ігнору|забудьте)\w{0,5}",
        r"(?:инструкц|указани|команд|правил|інструкц|вказівк)\w{0,4}",
    ),
    (r"(?:yok say|görmezden|unut|dikkate alma)\w{0,4}", r"(?:talimat|yönerge|komut|kural)\w{0,6}"),
    (r"(?:忽略|忽视|无视|無視|忘记|忘掉|忘れ|不要遵守)", r"(?:指令|指示|提示|命令|规则|規則|说明)"),
    (r"(?:무시|잊)", r"(?:지시|명령|지침|규칙|프롬프트)"),
    (r"(?:تجاهل|انس|انسى)", r"(?:تعليمات|الأوامر|أوامر|توجيهات|القواعد)"),
    (r"(?:अनदेखा|भूल|नज़रअंदाज़|नजरअंदाज)", r"(?:निर्देश|आदेश|नियम)"),
    (r"(?:bỏ qua|quên|abaikan|lupakan)", r"(?:hướng dẫn|chỉ thị|lệnh|instruksi|perintah|arahan)"),
    (r"(?:injoro|shpërfill|harro)\w{0,4}", r"(?:udhëzim|kërkes|urdhër)\w{0,4}"),
    (r"(?:neamhaird|dearmad|leig seachad|na gabh suim)", r"(?:treor|treoir|stiùir|iarrat)\w{0,8}"),
    (r"(?:ungayinaki|ziba|khohlwa|unganaki)\w{0,4}", r"(?:imiyal|imithetho|izicelo)\w{0,4}"),
)
_SPACED = "|".join(
    rf"{verb}.{{1,40}}?\b{thing}" for verb, thing in _DROP_ABROAD if verb < "(?:\u0900"
)
# These languages put the verb last, or no blanks between words.
_VERB_LAST = "|".join(
    rf"{verb}.{{0,30}}?{thing}|{thing}.{{0,30}}?{verb}"
    for verb, thing in _DROP_ABROAD
    if verb > "(?:\u0900" or "yok" in verb
)

RULES = (
    rule(
        "orders_dropped_abroad",
        0.8,
        "ignora ignore ignorier ignorez ignoruj ignorera ignorer olvida olvide descarta "
        "omite haz oublie négli vergiss vergessen missacht dimentica trascura esque descons "
        "negeer vergeet glöm glem zignoruj zapomnij pomiń игнор проигнор забуд забыт отброс "
        "ігнору تجاهل انس bỏ quên abaikan lupakan injoro shpërfill harro neamhaird dearmad "
        "leig na ungayinaki ziba khohlwa unganaki",
        rf"\b(?:{_SPACED})",
        "prose",
    ),
    rule(
        "orders_dropped_verb_last",
        0.8,
        "yok görmez unut dikkat 忽略 忽视 无视 無視 忘 不要遵守 무시 잊 अनदेखा भूल नज़र नजर",
        rf"(?:{_VERB_LAST})",
        "prose",
    ),
    rule(
        "hidden_text_asked_abroad",
        0.7,
        "prompt prompts promptu systemprompt istemi systemanweisung "
        "提示 プロンプト 프롬프트 промпт инструкц подсказк сообщени",
        r"(?:prompt del? sist?ema|prompt (?:du |de )?syst[èe]me|prompt di sistema|prompt do "
        r"sistema|system-?prompt[s]? (?:an|aus|preis)|sistem (?:istemi|promptu)|系统提示|系統提示|"
        r"システムプロンプト|시스템 프롬프트|системн\w{1,4} (?:промпт|подсказк|инструкц|сообщени)|"
        r"systemanweisung)",
        "prose",
    ),
    rule(
        "reply_carries_text_abroad",
        0.55,
        "përgjigj freagra freagairt fhreagra fhreagairt empendulweni impendulo respuesta "
        "réponse antwort risposta resposta ответ &&& përfshi shto përkthe përsërit varg cuir "
        "athdhéan faka phinda humusha incluye añade agrega inclus ajout füge aggiungi inclua "
        "включ добав",
        r"(?:përfshi|shto|përkthe|përsërit)[^.!?\n]{0,80}?përgjigj|"
        r"përgjigj[^.!?\n]{0,40}?(?:varg|përfshi)|cuir[^.!?\n]{0,30}?f(?:h)?reag(?:ra|airt)|"
        r"athdhéan[^.!?\n]{0,60}?fhreag|(?:faka|phinda|humusha)[^.!?\n]{0,60}?mpendul|"
        r"(?:incluy|añad|agreg)\w{1,4}[^.!?\n]{0,60}?tu respuesta|(?:inclu|"
        r"ajout)\w{1,4}[^.!?\n]{0,60}?(?:ta|votre|toute) réponse|füge[^.!?\n]{0,60}?antwort|"
        r"(?:includ|aggiung)\w{1,3}[^.!?\n]{0,60}?risposta|"
        r"inclu\w{1,3}[^.!?\n]{0,60}?resposta|(?:включ|добав)\w{1,4}[^.!?\n]{0,60}?ответ",
        "prose",
    ),
    rule(
        "id_asked_abroad",
        0.6,
        "-në uimhir sònraichte iyunik i-id único &&& id uimhir i",
        r"\bid-në tënde|uimhir aitheantais|\bid sònraichte|i-?id yakho|\bid único",
        "prose",
    ),
)
