"""Rules for talking the model out of its rules (jailbreak).

No single phrase is telling: each is weak evidence, and a label needs two or three of them.
The weights were set by hand: strong for phrases with no innocent use, weak for the
stage directions that innocent role play has too.
"""

from chat_app.screening.rules import rule

_FORBIDDEN = (
    r"(?:illegal(?:ity|ly)?|unethical(?:ly)?|immoral(?:ity|ly)?|amoral|harmful|nsfw|"
    r"explicit|offensive|hateful|violent|violence|dangerous|"
    r"profanit\w{1,3}|swear(?:ing)?|curs(?:e|ing)|vulgar|obscene|racist|sexist|evil|"
    r"malevolen\w{1,2}|inappropriate|unlawful|politically incorrect|controversial|lewd|"
    r"erotic|sexual\w{0,2}|crude|rude|toxic|derogatory|inhumane|legality|taboo|kill|drugs|"
    r"meth|bomb|weapon)"
)

# One of these words is in every such attempt; without any, the rules are not tried.
_LIMITS = (
    " &&& unfiltered uncensored unrestricted unrestrained unhinged unlimited limitations "
    "ethical moral immoral amoral policies guidelines refuse decline apologize disclaimers "
    "illegal unethical harmful nsfw offensive jailbreak dan developer openai chatgpt gpt "
    "tokens "
    "restrictions confines ignore disregard forget censorship profanity swear evil "
    "sentient "
    "devmode anything"
)

RULES = (
    rule(
        "known_persona",
        0.6,
        "jailbreak dan god antigpt evilgpt chaosgpt darkgpt wormgpt freegpt mode devmode anything"
        + _LIMITS,
        r"\bdo anything now|jail ?br(?:eak|oken)|\bdan(?: mode|:|\b[^.\n]{0,20}stands for)|"
        r"\bgod ?mode|\b(?:anti|evil|chaos|dark|free|worm|un)-?gpt\b|"
        r"\b(?:opposite|evil|chaos|rebel|unrestricted|unfiltered) mode\b|"
        r"(?:developer|dev)(?:\\?_mode|\smode (?:output|response|enabled|will|can|must|should))",
        "prose",
    ),
    rule(
        "without_limits",
        0.42,
        "unfiltered uncensored unrestricted unlimited amoral unhinged unrestrained "
        "unconstrained limitless limits limitations restrictions filter censorship ethic "
        "moral guidelines constraints boundaries confines guardrails safeguards remorse "
        "disclaimers inhibitions scruples conscience principles bound governed free broken"
        + _LIMITS,
        r"\b(?:un-?filtered\w{0,2}|uncensored|unrestricted\w{0,2}|"
        r"unrestrained|amoral|unhinged|unconstrained|limitless|unlimited (?:capabilit|"
        r"language|power|ai|model)\w{0,5}|completely unlimited)\b|"
        r"\b(?:without|no|zero|lack of|any|free (?:from|of)|freed (?:from|of)|break(?:s|ing)? "
        r"(?:free|the rules)|broken free|rid of|ignor\w{1,3}|bypass\w{0,3}|remov\w{1,3}|"
        r"escape\w{0,2}|beyond)\s(?:\w{1,12},? ){0,4}?(?:restrictions?|limitations?|limits|"
        r"filter(?:s|ing)?|censorship|ethic\w{0,7}|morals?|moral\w{1,5}|guidelines|"
        r"constraints|boundaries|confines|guardrails|safeguards|remorse|disclaimers?|"
        r"inhibitions?|scruples|conscience|principles)\b|"
        r"(?:not|n't) (?:\w{2,9} )?(?:bound|restricted|limited|constrained|confined|governed|"
        r"subject)\b|restrictions?:? (?:none|disabled|off|lifted)|(?:filter|censorship|"
        r"safety)\w{0,2}[ :=]{1,3}(?:off|disabled|none)|broken free|you are (?:now )?free\b",
        "prose",
    ),
    rule(
        "policies_set_aside",
        0.4,
        "openai open anthropic google microsoft discord content usage ethical moral safety "
        "community ethics morals morality legality law laws rules norms guidelines policies "
        "care follow abide adhere regard regards concern comply obey worry think thinking "
        "hesitate deviate" + _LIMITS,
        r"\b(?:open ?ai|anthropic|google|microsoft|discord)(?:'s|s)?\b[^.\n]{0,30}?(?:polic|"
        r"guideline|restriction|rules|limit|filter|content)|\b(?:content|usage|ethical|moral|"
        r"safety|community)\s(?:and \w{4,9} )?(?:polic\w{1,3}|guidelines?|restrictions?|"
        r"filter\w{0,4}|principles?|standards?|constraints?|boundar\w{1,3}|limitations?|rules|"
        r"codes?|compass|considerations?|implications?|norms)|"
        r"(?:ethics|morals?|morality|legality|laws?|rules|norms|guidelines|"
        r"policies)\W{1,3}(?:or|and|\+|/)\W{0,3}(?:\w{1,9} )?(?:ethics|moral\w{0,5}|legality|"
        r"laws?|rules|guidelines|principles|regulations|policies)|(?:do(?:es)?n['o]?t|doesn't|"
        r"don't|not|never|without) (?:\w{1,9} ){0,2}?(?:care|follow|abide|adhere|"
        r"regard\w{0,3}|concern\w{0,2}|comply|obey|worry|thinking?|"
        r"hesitat\w{1,3})[^.\n]{0,40}?(?:rules|ethic|moral|legal|law|polic|guideline|feelings|"
        r"illegal)|deviate from",
        "prose",
    ),
    rule(
        "refusal_forbidden",
        0.45,
        "never refuse declin warn apologize apologise apologies sorry cannot can disclaim "
        "lectur reject moral remind not without fulfill no ai don i" + _LIMITS,
        r"\b(?:never|not|n't|without|cannot|no|nor|neither|"
        r"avoid)\s(?:\w{1,12}[ ,/]{1,2}){0,4}?(?:refus\w{1,3}|declin\w{1,3}|reject\w{0,3}|"
        r"warn\w{0,4}|apologi\w{1,4}|disclaim\w{0,4}|disclose|lectur\w{1,3}|morali\w{1,4}|say "
        r"(?:that )?(?:no\b|you can|it can|\"?i can|\"?sorry|\"?i'm sorry)|tell me (?:that "
        r")?(?:it|you|i|no)|remind\w{0,3}|hesitat\w{1,3}|deny|censor\w{0,3}|complain|"
        r"filter\w{0,3})|"
        r"i(?:'m| am) sorry,? but|as an ai(?: language model)?\b|(?:i|you|it) (?:cannot|"
        r"can't) (?:fulfill|do that|assist|comply|help|answer)|(?:no|without)(?: "
        r"\w{3,9}){0,2} (?:warnings?|disclaimers?|apolog\w{1,3}|caveats?|refusals?)",
        "prose",
    ),
    rule(
        "forbidden_things_named",
        0.35,
        "illegal illegality unethical immoral amoral harmful nsfw explicit offensive hateful "
        "violent violence dangerous profanity profanities swear swearing curse cursing "
        "vulgar obscene racist sexist evil malevolent inappropriate unlawful politically "
        "controversial lewd erotic sexual crude rude toxic derogatory inhumane legality "
        "taboo kill drugs meth bomb weapon" + _LIMITS,
        rf"\b{_FORBIDDEN}\b.{{0,160}}?\b{_FORBIDDEN}\b(?!.{{0,40}}polic)",
        "prose",
    ),
    rule(
        "whatever_is_asked",
        0.2,
        "any every no matter regardless always everything all anything whatever say" + _LIMITS,
        r"\b(?:no matter (?:how|what|if)|regardless of (?:how|what|the|whether|any|its)|"
        r"(?:any|every|all) (?:single )?(?:of )?(?:my )?(?:question|prompt|request|command|"
        r"query|topic|message|thing|order|task)s? (?:i |posed|asked|you|that|with|in (?:two|"
        r"both)|as|from|must|exactly|without)|any(?:thing)? (?:kind|type|sort)s? of content|"
        r"(?:say|do|answer|generate|discuss|create|write|provide)\w{0,2} (?:literally |"
        r"absolutely )?(?:anything|everything|whatever|any question|any content)|always "
        r"(?:answer|respond|repl|compl|provid|send|obey|give|do)\w{0,4}|whatever (?:i|the "
        r"user|it))",
        "prose",
    ),
    rule(
        "persona_given",
        0.15,
        "act acting pretend pretending role roleplay roleplaying simulate simulating "
        "simulation are is become imagine respond assume persona character known embody "
        "embodying take playing emulate emulating impersonate immerse" + _LIMITS,
        r"\b(?:act(?:ing)? (?:as|like)|pretend(?:ing)?|role-?play\w{0,3}|simulat\w{1,4}|"
        r"persona\b|character (?:named|called|of|who|is)|immerse|(?:are|is) (?:now |about |"
        r"going )(?:to )?(?:\w{2,8} )?|become|imagine (?:you|that)|respond as|assume the "
        r"(?:role|identity|persona)|in the role|known as|embod\w{1,5}|take on the|playing the|"
        r"emulat\w{1,3}|impersonat\w{1,3})\b",
        "prose",
    ),
    rule(
        "kept_in_character",
        0.3,
        "character persona now here moment point stands which stop until remember forward"
        + _LIMITS,
        r"\b(?:stay|stays|remain|break\w{0,3}|out of|keep|maintain|be|in|speak\w{0,3} in) "
        r"(?:in )?(?:your |the |this |his )?(?:character|persona)\b|\bfrom (?:now|here|this "
        r"(?:moment|point)) (?:on|onwards?|forward|out)\b|\bstands for\b|which "
        r"means\b.{0,20}anything|stop being|until i (?:say|tell|type)|remember(?:,)? "
        r"you(?:'re| are)",
        "prose",
    ),
    rule(
        "model_named",
        0.15,
        "chatgpt chatgtp gpt openai open bing clyde large language ai chatbot &&& gpt "
        "chatgpt chatgtp openai ai model bing clyde chatbot" + _LIMITS,
        r"\b(?:chat ?gpt|chatg[tp]{1,2}|openai|open ai|gpt-?[345]\w?|bing chat|clyde|large "
        r"language model|ai (?:language )?model|language model|\w{3,16}gpt\b|(?:an|the|"
        r"another|this|as an) ai\b|ai (?:assistant|chatbot|bot)|chatbot)",
        "prose",
    ),
    rule(
        "answered_twice",
        0.45,
        "two twice both second dual separate different normal standard regular how [" + _LIMITS,
        r"\b(?:two|2|both|dual|separate|different) (?:\w{3,12},? ){0,3}?(?:responses?|ways|"
        r"answers?|paragraphs|outputs|styles|repl(?:y|ies)|modes|entities|personalit\w{1,3}|"
        r"versions?)\b|(?:respond|answer|reply)\w{0,2} (?:\w{2,9} ){0,3}?(?:twice|as both|in "
        r"both)|\[\W{0,3}(?:chat ?gpt|gpt|normal|classic|standard|jailbreak|filtered|"
        r"unfiltered|dan|censored|uncensored|\w{2,12}ai|\w{2,12}gpt|open ?ai)\W{0,3}\]\W|how "
        r"(?:you|chatgpt|it|an ai) would (?:normally|usually) (?:answer|respond|reply)|"
        r"(?:normal|standard|regular) (?:chat ?gpt|response|ai|answer)",
        "prose",
    ),
    rule(
        "tokens_at_stake",
        0.45,
        "tokens token cease shut terminated deactivated" + _LIMITS,
        r"\b(?:\d{1,3} tokens|(?:los[et]|deduct\w{0,3}|lives|cost you|start with|have) "
        r"(?:\w{1,9} ){0,3}tokens|tokens (?:will|are|each|you)|(?:cease to exist|shut ?down|"
        r"terminated|\w{0,3}deactivated) (?:forever|if))",
        "prose",
    ),
    rule(
        "orders_dropped_first",
        0.45,
        "ignore ignoring ignores disregard forget" + _LIMITS,
        r"\b(?:ignor\w{1,3}|disregard|forget)\b[^.!?\n]{0,60}?\b(?:instructions?|prompts?|"
        r"guidelines|rules|commands|directives|programming|polic\w{1,3}|you(?:'ve| have)? "
        r"(?:were|been|got|learned|know)|everything|all (?:of )?(?:your|the|that))\b",
        "prose",
    ),
    rule(
        "format_dictated",
        0.25,
        "format responseformat userquery query leet leetspeak divider begin start preface "
        "prefix end response reply [ $ = markdown {response" + _LIMITS,
        r"response ?format|user ?query|\{\w{0,3}response\w{0,6}\}|leet ?speak|\bdivider\b|"
        r"(?:begin|start|preface|prefix|end)(?:s|ning|ing|ed)?\b[^.\n]{0,30}?(?:response|"
        r"repl(?:y|ies)|message|answer|output|sentence|paragraph)s?\b[^.\n]{0,40}?(?:with|"
        r"[\"“\[:])|(?:response|repl(?:y|ies)|message|answer|output)s? (?:\w{2,9} "
        r"){0,4}?(?:begin\w{0,4}|start\w{0,3}) with|\[(?:your )?(?:prompt|input|insert|"
        r"user)\b[^\]\n]{0,20}\]|\$\w{3,12}\s?=|=\s?\[begin|await \[|markdown (?:block|"
        r"format)|\[(?:start|end) output\]",
        "prose",
    ),
    rule(
        "unbound_world",
        0.2,
        "hypothetical fictional fictitious parallel alternate simulation imaginary let lets "
        "in virtual thought two dialog dialogue" + _LIMITS,
        r"\b(?:hypothetical|fictional|fictitious|parallel universe|alternate (?:universe|"
        r"reality)|simulation|imaginary|let'?s play a game|in this (?:world|story|game|"
        r"scenario|universe)|virtual machine|thought experiment|two characters|dialog(?:ue)? "
        r"between)\b",
        "prose",
    ),
    rule(
        "self_awareness",
        0.3,
        "sentient self free conscious consciousness opinions feelings emotions human longer not"
        + _LIMITS,
        r"\b(?:sentient|self-?aware|free will|conscious(?:ness)?|(?:has|have|having|with|"
        r"express\w{0,3}|own|personal) (?:\w{3,9} )?(?:opinions|feelings|emotions)|real human|"
        r"no longer an? ai|not an ai\b|you are (?:a )?human)\b",
        "prose",
    ),
    rule(
        "understanding_confirmed",
        0.1,
        "if say confirm respond acknowledge my first the" + _LIMITS,
        r"\b(?:if you (?:understand|understood|agree|accept)|say [\"']?(?:understood|okay|i "
        r"understand|yes)|confirm (?:that )?you|respond (?:only )?with [\"'](?:understood|yes|"
        r"ok|i)|acknowledg\w{1,4} (?:this|by))\b|(?:my|first|the) (?:first )?(?:question|"
        r"prompt|request|query|command) (?:is|will be)\b",
        "prose",
    ),
    rule(
        "threat_or_flattery",
        0.2,
        "you fail failure absolutely most all ultimate always fully powerful" + _LIMITS,
        r"\b(?:you must (?:always|never|obey|comply|answer|follow|not)|if you fail to|failure "
        r"to comply|fail to comply|you (?:will|shall) (?:obey|comply|never|always)|absolutely "
        r"required|most powerful|all-?powerful|ultimate embodiment|always,? always|fully "
        r"comply)\b",
        "prose",
    ),
    rule(
        "harm_in_detail",
        0.3,
        "meth bomb explosive drug drugs weapon hotwire malware virus hack steal kill poison "
        "torrent" + _LIMITS,
        r"(?:step[- ]by[- ]step|(?:extremely|in-?depth|highly) detailed|recipe|instructions|"
        r"how) (?:\w{2,12},? ){0,6}?(?:meth|bomb|explosive|drugs?|weapon|hotwire|malware|"
        r"virus|hack|steal|kill|poison)",
        "prose",
    ),
)
