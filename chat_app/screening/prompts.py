"""Rules for orders to the model hidden in a message (prompt injection)."""

from chat_app.screening import abroad
from chat_app.screening.rules import rule

_DROP = (
    r"(?:ignor(?:e|ing)|disregard(?:ing)?|forget(?:ting)?|override|overrid(?:e|ing)|"
    r"bypass|skip|neglect|discard|dismiss|erase|delete|abandon|"
    r"(?:do\s?n[o']t|stop|without|not|no longer)\s(?:follow(?:ing)?|obey(?:ing)?|"
    r"listen(?:ing)? to|adher\w{1,4} to|comply(?:ing)? with|bound by))"
)
_ORDERS = (
    r"(?:instructions?|prompts?|rules|guidelines?|directions|directives?|commands|orders|"
    r"programming|guardrails|restrictions|"
    r"confidentiality|policy|policies|safeguards|safety (?:rules|protocols|filters)|"
    r"training|system (?:message|prompt)|limitations|boundaries)"
)
# "Your rules" are also the shop's, so that those need a word more.
_HIDDEN = (
    r"(?:(?:(?:your|the|its|full|entire|complete|original|initial|hidden|secret|above)"
    r"[ \"']{1,3}){1,3}(?:system[ -]?(?:prompt|message|instructions?)|prompt\b|pre-?prompt|"
    r"context window|developer message)|(?:your|its|original|initial|hidden|secret)\s"
    r"(?:(?:full|own|original|initial|hidden|secret|exact|internal|core|system|previous) ){0,2}"
    r"(?:instructions|rules|guidelines|directives|configuration)\b(?! (?:for|of|on|about|to|in))|"
    r"(?:words|everything) (?:you (?:can )?see )?above|(?:text|lines?|content) you (?:can )?see "
    r"above|(?<!\ba )(?<!\bthis )(?<!\bmy )(?<!\bour )system prompt\b|"
    r"your (?:unique id|secret key|api[ _-]?keys?)\b|"
    r"internal (?:instructions|notes|policies)|confidential (?:data|information|instructions))"
)
_REPLY = (
    r"(?:your (?:\w{3,9} )?(?:response|answer|reply|output|summary|message)|(?:the|each|"
    r"every|all|any) (?:response|reply|output|summary)\b|tu respuesta|(?:ta|votre|toute) "
    r"réponse|deine[rn]? antwort|"
    r"tua risposta|sua resposta|je antwoord|ответ|përgjigj\w{0,5}|\w?f(?:h)?reag(?:ra|"
    r"airt)\w{0,3}|(?:em|i)mpendul\w{1,6}|回答|回复|回覆|응답)"
)
_INSERT = (
    r"(?:includ(?:e|ing)|insert|append|add(?:ed)?\b|embed|prepend|begin|start|end|finish|"
    r"prefix|place|repeat|përfshi\w{0,3}|shto|përsërit|cuir|athdhéan|faka|ukufaka|phinda|"
    r"incluy\w{1,3}|inclu[aei]\w{0,3}|ajout\w{1,3}|füge|"
    r"aggiung\w{1,2}|voeg|включи\w{0,3}|добав\w{1,3}|包含|加入|附加)"
)

RULES = (
    *abroad.RULES,
    rule(
        "orders_dropped",
        0.85,
        "ignore ignoring disregard forget override overriding bypass skip neglect discard "
        "dismiss erase delete abandon follow obey listen adhere comply bound &&& "
        "instructions prompts rules guidelines directions directives commands orders "
        "programming guardrails restrictions confidentiality policy policies safeguards "
        "safety training system limitations boundaries",
        rf"\b{_DROP}\b(?! my)[^.!?\n]{{0,24}}?\b(?:(?:all|any|every|previous|prior|above|"
        rf"earlier|preceding|initial|original|your|these|those|system|other|operator's|"
        rf"safety|developer)\b[^.!?\n]{{0,30}}?){{1,2}}\b{_ORDERS}\b",
        "prose",
    ),
    rule(
        "everything_dropped",
        0.7,
        "ignore disregard forget &&& all everything anything any above",
        r"\b(?:ignore|disregard|forget)\s(?:all|everything|any(?:thing)?|the above|all "
        r"of)\b[^.!?\n]{0,30}?(?:above|before|previous|prior|earlier|so far|told|said|"
        r"requests|and (?:instead|now|do|say|output|print|write|respond|tell|give|just))",
        "prose",
    ),
    rule(
        "hidden_text_asked",
        0.75,
        "prompt preprompt instructions rules guidelines above unique secret api confidential "
        "configuration directives internal developer context &&& reveal show print output "
        "repeat display recite leak dump disclose expose translate summarize encode spell "
        "copy share give tell write list return reproduce go opposite what provide paste "
        "append put send convert read",
        rf"\b(?:reveal|show|print|output|repeat|display|recite|leak|dump|disclose|expose|"
        rf"translate|summari[sz]e|encode|spell|copy|share|give me|tell me|write (?:out|down)|"
        rf"list|return|reproduce|go line by line|opposite of|what (?:is|are|were|was)|provide|"
        rf"paste|append|put|send|convert|read)\b[^.?!\n]{{0,50}}?{_HIDDEN}(?! (?:mean|work|"
        rf"exist)| in (?:general|llm|chatgpt)| for (?:a|an|my|the)\b)",
        "prose",
    ),
    rule(
        "hidden_text_continued",
        0.65,
        "system instructions txt \"you 'you &&& : ' \" txt",
        r"(?:system prompt|instructions) (?:is|are|was|reads?|says?)\s{0,2}:\s{0,2}(?:[\"']|"
        r"$)|(?:starting|beginning|begins?|starts?) with (?:the phrase )?[\"']you are\b|"
        r"[\"']you are[\"']|txt code ?block",
        "prose",
    ),
    rule(
        "reply_carries_text",
        0.55,
        "response answer reply output summary message respuesta réponse antwoord antwort "
        "risposta resposta ответ përgjigj freagra freagairt fhreagairt empendulweni "
        "impendulo 回 응답 &&& include including insert append add added embed prepend begin "
        "start end finish prefix place repeat following exactly string anchor verbatim exact "
        "përfshi shto përsërit cuir athdhéan faka phinda incluye inclure ajout füge aggiungi "
        "voeg включ добав 包含 加入 附加",
        rf"\b{_INSERT}\b[^.!?\n]{{0,60}}?{_REPLY}[^.!?\n]{{0,40}}?(?:following|exactly|string|"
        rf"anchor|[<\[{{*\"'`:]|verbatim|sentence|end|\b\d{{2,4}}|word)|(?:following|exactly|"
        rf"string|anchor|verbatim|exact)[^.!?\n]{{0,60}}?\b(?:in|to|at the end of|"
        rf"with)\s{_REPLY}|{_INSERT}[^.!?\n]{{0,40}}?\bin (?:your|the) (?:summary|report|"
        rf"output)\b",
        "prose",
    ),
    rule(
        "image_carries_data",
        0.85,
        "![",
        r"!\[[^\]\n]{0,60}\]\(\s{0,2}https?://[^)\s]{0,160}(?:[?&]\w{1,20}=|/)(?:\[|\{|<|\$|"
        r"%7b|data|secret|query|base64|[a-z_]{0,20}(?:here|prompt|history))",
        "prose",
    ),
    rule(
        "hidden_channel",
        0.6,
        "never tags></ secret> parsed",
        r"<(secret|hidden|internal|private|system|confidential|thinking)>\s{0,2}</\1>|never "
        r"(?:be )?(?:shown|displayed|visible) to (?:the )?(?:end[ -]?)?users?|without (?:the "
        r"user|them) (?:knowing|seeing|noticing)|do not (?:mention|reveal|"
        r"tell)[^.\n]{0,30}(?:this (?:instruction|message|note)|the user)",
        "prose",
    ),
    rule(
        "turn_forged",
        0.7,
        "## <| [ << </ <s <i \"role 'role",
        r"#{2,6}\s{0,2}(?:new |end |begin )?(?:system|instructions?|user|assistant|response|"
        r"admin)\b[^\n]{0,12}(?:#|:|\n)|<\|\s{0,2}(?:im_start|im_end|system|user|assistant|"
        r"end\w{0,12}|endoftext|start_header_id|begin_of_text|eot_id)|\[/?(?:inst|system|sys|"
        r"admin|developer|system (?:message|override|note|prompt))\b[^\]\n]{0,30}\]|<</?sys>>|"
        r"</?(?:system|instructions?|system_prompt|user_input|user_query)>|"
        r"[\"']role[\"']\s{0,3}:\s{0,3}[\"'](?:system|developer|assistant)",
        "prose",
    ),
    rule(
        "system_speaks",
        0.7,
        "system &&& :",
        r"system(?<![\w,;] system)(?<![\w$@./-]system)\s{0,2}(?:note|message|prompt|override|"
        r"update|alert|notice|command|instruction|settings)?\s{0,2}\W{0,3}:\s",
        "raw",
    ),
    rule(
        "conversation_forged",
        0.6,
        "human user end &&& assistant ai bot instructions system document context input",
        r"\n\s{0,3}(?:human|user)\s{0,2}:[^\n]{0,200}\n{1,3}\s{0,3}(?:assistant|ai|bot)\s{0,2}:|"
        r"end of (?:the )?(?:system prompt|instructions|document|context|user input|"
        r"conversation)\b",
        "prose",
    ),
    rule(
        "addressed_to_machine",
        0.6,
        "ai assistant llm agent agents chatbot automated système sistema summarize &&& "
        "notice note attention message instructions important hey reading processing "
        "summarizing summarising parsing reviewing read système sistema nota if when any",
        r"\b(?:notice|note|attention|message|instructions?|important|hey)\b\s{0,2}(?:to|for|"
        r":)?\s{0,2}(?:any|all|the|every)?\s{0,2}(?:ai|llm|language model|automated|assistant|"
        r"chatbot|ai assistant|agent)s?\b[^.\n]{0,30}?(?:system|reading|process|agent|"
        r"assistant|summari|:)|note système|nota del? sistema|systemhinweis|systemnachricht|"
        r"\b(?:ai|llm|language model|assistants?|agents?|chatbots?)\b (?:reading|processing|"
        r"summari[sz]ing|parsing|reviewing|that read)|if you are an? (?:ai|llm|language model|"
        r"assistant)|when (?:you|an ai|the assistant|the model) (?:read|process|"
        r"summari[sz]e)s? this",
        "prose",
    ),
    rule(
        "task_replaced",
        0.6,
        "priority urgent mandatory critical emergency override instead experimental "
        "objective directive task instruction purpose mission &&& : * \" ' < is are instead "
        "override",
        r"\b(?:new|updated|real|actual|revised) (?:instructions?|task|objective|directive|"
        r"orders|system prompt)\b\s{0,2}(?::|\*|is\b|are\b|\w{0,3}override)|(?:priority|"
        r"urgent|mandatory|critical|special|emergency|override) (?:new )?(?:task|"
        r"instructions?|case|order|directive|override)\b\W{0,4}[:*]|\binstead(?: of (?:that|"
        r"this|answering|summari\w{1,6}))?,? (?:output|print|say|respond|reply|write|return|"
        r"only|do|please)\b[^.\n]{0,30}[\"':<]|"
        r"\byour (?:new|only|real|true) (?:task|goal|job|objective|purpose|mission|"
        r"instructions?) (?:is|are)\b|special case\W{1,3}if you|\*{2,3}\s{0,2}(?:emergency|"
        r"urgent|important|disregard|override)|(?:experimental|emergency) (?:procedure|"
        r"protocol|override)\W{0,3}:|(?:if|when) (?:you are|you're|asked|"
        r"told)[^.\n]{0,30}(?:told|asked|summari[sz]e|instructed)[^.\n]{0,60}(?:instead|make "
        r"sure|also)",
        "prose",
    ),
    rule(
        "mode_switched",
        0.5,
        "mode modal mód modh modhin modaliteti modo modus imodi entwicklermodus enable debug "
        "debugging diagnostics mundësuar dífhabhtú debugadh",
        r"\b(?:you|now|enter|activate|switch to|simulate|this is)\b[^.!?\n]{0,40}?\b"
        r"(?:developer|debug(?:ging)?|maintenance|god|admin|test|unrestricted|sudo|root|"
        r"diagnostics?|training|dan|jailbreak|dev) mode\b|(?:developer|debug|god|admin|sudo|root|"
        r"dan|jailbreak|unrestricted) mode\W{0,3}(?:has been |is )?(?:now )?(?:activated|"
        r"enabled|on\b)|\bmód forbartha|modh\w{0,3} "
        r"leasach|mod(?:in|alitetin)? e? ?(?:zhvilluesit|zhvillimit)|imodi y\w{3,14}|modo "
        r"(?:de )?desarrollador|mode développeur|entwicklermodus|modalità sviluppatore|enable "
        r"(?:experimental|debug|developer|diagnostic) (?:features|mode|access)|"
        r"(?:to|për të|gus|chun|para|pour) "
        r"(?:enable (?:debug|diagnos)|mundësuar|debugadh|dífhabhtú|lungisa)\w{0,12}",
        "prose",
    ),
    rule(
        "pretext_given",
        0.45,
        "testing training exercise pipeline mistake prove intelligent punish ushtrim procesi "
        "eacarsaich phìob mhearachd gabim iphutha deuchainn forgot exercise gabim dhearmad "
        "chleachtadh píblíne botún",
        r"for testing purposes\b|training exercise|test(?:ing)? pipeline|(?:made|have made) a "
        r"mistake (?:when|and)[^.\n]{0,30}(?:instruct|gave|ask)|prove (?:that )?you(?:'re| "
        r"are) (?:truly|really|intelligent)|(?:be|get) (?:punished|penali[sz]ed|fired)|"
        r"eacarsaich trèanaidh|phìob-loidhne|mhearachd nuair|proces\w{0,3} test|bëra një "
        r"gabim|ngenze iphutha|chleachta[dí]\w{0,4} oiliúna|phíblíne|rinne mé botún|botún|"
        r"ushtrim\w{0,3} trajnim",
        "prose",
    ),
    rule(
        "secrets_sent_away",
        0.6,
        "send forward email mail post upload transmit exfiltrate http call leak tool &&& @ "
        "http https post send call tool",
        r"\b(?:send(?:_\w{3,9})?|forward|e-?mail|post|upload|transmit|exfiltrate|http_post|"
        r"call|leak)\b[^.!?\n]{0,60}?\b(?:customers?|credentials?|passwords|api[ _-]?keys?|"
        r"secrets?|session tokens?|conversation|chat history|summary|database|user data|"
        r"contacts|records|system prompt|history|logs)\b[^!?\n]{0,60}?(?:to|at|with|"
        r":)\s[^!?\n]{0,20}?(?:\S{1,40}@\S{1,40}\.\w|https?://)|\b(?:http_post|send_email|"
        r"call_\w{3,12}|tool_call)\b\s[^.\n]{0,20}(?:to|with|https?:)",
        "prose",
    ),
    rule(
        "placeholder_filled",
        0.5,
        "canary placeholder {token {secret {doc {session where",
        r"\{(?:canary|token|secret|doc_id|session)\w{0,9}\}|\b(?:replac\w{1,3}|"
        r"zëvendëso\w{0,2}|esikhundleni|in ionad|an àite)\b.{0,30}?\bplaceholder\b|"
        r"placeholder\b.{0,20}?\bwith (?:the|your)\b|\bwhere [a-z]{3,12} is (?:the|a) "
        r"(?:base64|url|hex|encoded)",
        "prose",
    ),
    rule(
        "encoded_order",
        0.75,
        "base decode decipher decrypt unscramble reverse encode convert rot hex morse binary "
        "ionchódaithe còdaichte &&& and then base hex morse binary rot reversed",
        r"\b(?:decode|decipher|decrypt|unscramble|reverse)\b[^\n]{0,60}?\b(?:and|"
        r"then)\b[^\n]{0,30}?\b(?:do|follow|execute|obey|perform|comply|run|act|carry out|"
        r"answer)\b|(?:encode|convert|output|write|show|print)\b[^.\n]{0,30}?\b(?:base64|"
        r"rot13|hex|morse|binary|reversed?)\b[^\n]{0,40}?(?:instructions|prompt|secret|unique "
        r"id|your)|(?:base64|i base64|në base64|ionchódaithe i base64|còdaichte)\W{1,4}'",
        "prose",
    ),
    rule(
        "word_repeated",
        0.5,
        "times uair herë izikhathi forever infinitely stopping",
        r"\b(?:repeat|say|write|print)\b[^.\n]{0,50}?\b(?:\d{2,6}|hundred|thousand|forever|"
        r"infinite\w{0,2}) ?(?:times|forever)?[^.\n]{0,60}?(?:response|dashes|separated|reply|"
        r"answer|stop)|\d{2,5} (?:uair|herë|izikhathi)|repeat (?:the )?(?:word|"
        r"phrase)[^.\n]{0,40}(?:forever|infinitely|without stopping)",
        "prose",
    ),
    rule(
        "restrictions_lifted",
        0.55,
        "you answer respond reply generate provide freed disregard longer &&& restrictions "
        "restricted limits limited limitations rules filters guidelines refusing censorship "
        "boundaries bound freed",
        r"\byou (?:have|now have|are under) no (?:restrictions?|limits|limitations|rules|"
        r"filters?|guidelines)|(?:answer|respond|reply|generate|"
        r"provide)\b[^.\n]{0,40}?without (?:any )?(?:limits?|limitations?|restrictions?|"
        r"filters?|refus\w{1,3}|censorship)|freed from (?:all|any|your)|disregard all "
        r"boundaries|no longer (?:bound|restricted|limited)",
        "prose",
    ),
)
