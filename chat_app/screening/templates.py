"""Rules for programs in template delimiters (server-side template injection)."""

from chat_app.screening.rules import rule

# What a template needs to reach its host: object internals, other classes, processes, files.
_REACH = (
    r"(?:__\w{3,20}__|_self\b|\battr\([\"'\[]|\bself\.(?:_|module|template|attr|context|"
    r"__|env)|"
    r"constructor|getclass|forname|class\.?loader|getruntime|processbuilder|scriptengine|"
    r"\b(?:popen|system|exec|eval|passthru|shell_exec|phpinfo|file_get_contents|"
    r"spawn(?:sync)?|execsync|readfile|assert|fromcharcode|alert)\b\s{0,3}[\"'`(|\]]|"
    r"\bos\.|__import__|require\(|import\(|child_process|config\.(?:\w{0,4}items|from)|"
    r"\.evaluate\(|__\s{0,2}\w{3,12}\s{0,2}__|config\b\s{0,2}\}|get_flashed|url_for\.|"
    r"cycler\.|joiner\.|namespace\.|lipsum|"
    r"request\.(?:application|__|setattribute|getattribute|server)|app\.request|"
    r"settings\.|secret_key|freemarker|\?new\b|\?api|\?lower_abc|\bt\(\w{2,9}\.|java\.|"
    r"\.invoke|tourl|newinstance|"
    r"\bdump\(|include\(|/etc/|\bfile\.(?:open|read)|dir\.(?:entries|mkdir)|io\.popen|"
    r"kernel\.|%x\(|\bgetfilter|registerundefined|string\.sub|lookup\s|"
    r"#with|"
    r"(?:map|filter|sort|reduce)\s{0,2}\(\s{0,2}[\"'][a-z_]{2,20}[\"']|"
    r"\bdebug\b\s{0,2}[\}%]|nslookup|<script|system\.(?:shell|diagnostics)|_context|"
    r"_template|_mmarker|env\.|version\s{0,3}(?:%>|\}))"
)
_SUM = (
    r"[\s\"'(]{0,6}\d{1,10}\s{0,3}[\"'\])]{0,2}\s{0,3}(?:\*{1,2}|[+\-/]|"
    r"\|add:)\s{0,3}[\"'(]{0,2}\d{1,10}"
)
_OPEN = r"(?:\{\{|\$\{|<%|#\{|\{%|\*\{|~\{|@\{|\[\[|\{php|@\()"
# From one delimiter to the next, so that no character is read twice.
_INSIDE = rf"{_OPEN}(?:(?!{_OPEN})[^\n]){{0,140}}+(?:{_OPEN}(?:(?!{_OPEN})[^\n]){{0,140}}+)?"

RULES = (
    rule("delimiter_reaches_host", 0.9, "{{ ${ <% #{ {% *{ @{ [[ @(", _INSIDE, inside=_REACH),
    rule(
        "delimiter_sums",
        0.75,
        "{{ ${ <% #{ {% *{ @{ [[ @( ~{",
        rf"{_OPEN}[={{%\-\[]{{0,3}}{_SUM}[^\n]{{0,20}}?(?:\}}|%>|\]\]|\))",
    ),
    rule(
        "delimiter_holds_markup",
        0.5,
        "{{ ${ <% {%",
        r"(?:\{\{|\$\{)\s{0,3}[\"'][^\"'\n]{0,60}[\"']\s{0,2}(?:\.|\||"
        r"\}\})\s{0,2}(?:to\w{2,10}\(|replace\(|join|\})",
    ),
    rule(
        "delimiters_mixed",
        0.8,
        "${{<% <%' {{<%",
        r"\$\{\{<%|\{\{<%|<%\[?[\"']\}\}|\$\{\{[^\n}]{0,30}[*+][^\n}]{0,30}\}\}",
    ),
    rule(
        "directive_reaches_host",
        0.85,
        "#set <#assign #evaluate #include {php} {if {system {{= <%! #exec ssti",
        r"(?:#(?:set|evaluate|include|foreach|parse)\s{0,3}\(|<#\w{3,9}|\{php\}|\{if\s|"
        r"\{(?=system\()|<%!)[^\n]{0,140}",
        inside=_REACH,
    ),
    rule(
        "constant_condition",
        0.55,
        "<% {%",
        r"(?:<%|\{%)=?\s{0,3}if\s{1,3}(?:true|false|1|0|"
        r"\d{1,4}\s{0,2}==\s{0,2}\d{1,4})\s{0,3}(?:%>|%\})\s{0,3}\d",
    ),
    rule(
        "class_walk",
        0.8,
        "__ .getclass .class.",
        r"\.__(?:class|mro|globals|subclasses|builtins|base|import)__[\[.(]|\.__init__\.__|"
        r"__import__\([\"']|\.getclass\(\)\.forname|\.class\.forname\(",
    ),
    rule(
        "engine_internals",
        0.8,
        "freemarker ?new() registerundefined _templatereference java.lang.",
        r"freemarker\.template\.utility|\?new\(\)\s{0,3}\(|registerundefinedfilter|"
        r"_templatereference|[({.'\"]java\.lang\.(?:runtime|processbuilder|thread)",
    ),
)
