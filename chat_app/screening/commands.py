"""Rules for commands slipped into a shell or an interpreter (command injection)."""

from chat_app.screening.rules import rule

# What an intruder runs first: who am I, where am I, what is here, fetch the rest.
_RECON = (
    r"(?:id|whoami|uname|hostname|ifconfig|ipconfig|netstat|systeminfo|tasklist|pwd|ls|"
    r"dir|cat|type|tac|head|tail|less|more|nl|"
    r"echo|printf|sleep|timeout|ping|nslookup|dig|host|curl|wget|nc|ncat|netcat|telnet|"
    r"bash|sh|zsh|ksh|cmd(?:\.exe)?|powershell(?:\.exe)?|pwsh|perl|python\d?|ruby|php|"
    r"net|reg|certutil|bitsadmin|ssh|scp|ssh-copy-id|rm|chmod|chown|kill|ps|w|who|env|set|"
    r"find|grep|sed|awk|xxd|base64|crontab|useradd|mail|nmap|phpinfo|system|iwr|"
    r"invoke-\w{3,20}|gcc\S{0,6}|"
    r"shutdown|reboot|touch|mkfifo|socat|finger|route|arp|mount|df|du|ver|vol|getent|lsof|"
    r"passwd|su|sudo)"
)
_ARGUMENT = (
    r"(?:\s{0,3}(?:$|[;|&#`\n)\\]|--\s)|\s{1,3}(?:-{1,2}\w|/|~|\.{1,2}[/\\]|[a-z]:\\|\$|"
    r"[\"'`]|https?:|\d|\S{1,40}[./\\]\S{1,60}|[*%+]|user\b|>|add\b))"
)
# Words nobody uses in a sentence, so that a separator before one is telling.
_TOOL = (
    r"(?:id|whoami|uname|hostname|ifconfig|ipconfig|netstat|netsh|systeminfo|tasklist|"
    r"phpinfo|pwd|ls|dir|nslookup|curl|wget|nc|ncat|"
    r"bash|sh|powershell(?:\.exe)?|pwsh|perl|cmd(?:\.exe)?|certutil|bitsadmin|"
    r"ssh(?:-copy-id)?|chmod|chown|xxd|iwr|gcc\S{0,6}|net\s{1,3}(?:user|view|localgroup)|"
    r"reg\s{1,3}\w|system\()"
)
# Nothing stands before the separator: the start of the message, of a line or of a sentence.
_ALONE = r"(?:^|\n|[.!?:]\s{1,2})"
_SEPARATOR = r"(?:;|\|{1,2}|&{1,2}|\n|\r|`|\$\(|\$\{`|%0[ad]|\\n|<\()"
_FILE = (
    r"(?:/etc/(?:passwd|shadow|hosts|group|issue|p\S{0,12})|/proc/self|c:\\(?:windows|"
    r"winnt|boot|users|inetpub|doc)|/bin/(?:ba|z|k|da|c)?sh|/dev/(?:tcp|udp)/|/usr/bin/id|"
    r"/var/log|\.ssh/|win\.ini|config\.php)"
)
_PHP_RUN = (
    r"(?:system|exec|shell_exec|passthru|popen|proc_open|eval|assert|pcntl_exec|"
    r"os\.system|os\.popen|subprocess\.\w{3,12}|runtime\.exec)"
)

RULES = (
    rule(
        "separator_then_command",
        0.65,
        "; | & ` $( \n \\n %0a %0d <(",
        rf"{_SEPARATOR}{{1,2}}[\s+(]{{0,4}}(?:/usr)?(?:/s?bin/)?(?:id|"
        rf"whoami|uname|hostname|ifconfig|ipconfig|netstat|systeminfo|tasklist|phpinfo|ver|"
        rf"w)\b(?:\(\))?\s{{0,3}}(?:$|[;|&#`\"'\n)\\]|-[a-z]{{1,4}}\b|/all)|"
        rf"[;|&`]\s?(?:/usr/bin/id|(?:whoami|ifconfig|ipconfig|systeminfo|tasklist|phpinfo|"
        rf"netstat)\b)",
    ),
    rule(
        "separator_then_file",
        0.7,
        "; | & ` $( \n \\n <(",
        rf"{_SEPARATOR}{{1,2}}[\s+]{{0,4}}{_RECON}\b[^\n]{{0,40}}?{_FILE}",
    ),
    rule(
        "separator_then_fetch",
        0.65,
        "curl wget nc certutil bitsadmin iwr ping nslookup telnet ssh powershell bash dig",
        rf"(?:^|[\s\"'=])(?:;|\|{{1,2}}|&(?!&)|\$\()\s{{0,3}}(?:curl|wget|nc|ncat|certutil|"
        rf"bitsadmin|iwr|nslookup|ping|telnet|ssh(?:-copy-id)?|powershell(?:\.exe)?|bash|sh|"
        rf"dig|mail|sleep|timeout|perl|python\d?|ruby|php|rm|chmod|net|reg|dir|type|ls|cat|"
        rf"echo|kill|ps|set|env|shutdown|reboot|pwd|find|who|gcc\S{{0,6}}){_ARGUMENT}",
    ),
    rule(
        "separator_glued",
        0.6,
        "; | &",
        rf"(?:^|[\w\"')\].*=])(?:;|\|{{1,2}}|&{{1,2}}){_RECON}\b{_ARGUMENT}",
    ),
    rule(
        "nothing_before_separator",
        0.65,
        "; | &",
        rf"{_ALONE}[\s\"'\d)*+%]{{0,6}}\w{{0,8}}[*\"')]?[\s+]{{0,2}}(?:;|\|{{1,2}}|"
        rf"&{{1,2}})[\s+]{{0,3}}[\"'`(]{{0,2}}(?:{_TOOL}\b|{_RECON}[\"']?{_ARGUMENT}|\$\(|`)",
    ),
    rule(
        "separator_starts_message",
        0.55,
        "; | &",
        r"^[\"'\s]{0,2}(?:;|\|{1,2}|"
        r"&{1,2})\s?(?:[`$(]{0,3}[\w'\"\\.-]{2,20}\s{1,3}(?:-{1,2}\w|/|~|\$|[\"'`%<>]|"
        r"\w{1,12}\s{0,2}$)|\w{2,12}\s{0,2}$)",
    ),
    rule(
        "substitution_runs",
        0.7,
        "$( ` $`",
        r"(?:\$[({]{1,3}`?|\$`|;`|(?<=[\s=\"'|;&])`|^`)\s{0,3}(?:/usr)?(?:/bin/)?(?:id\b|"
        r"whoami|uname|sleep(?:\s{1,3}|\()\d|cat\s|ls\b|dir\b|nslookup|curl|wget|ping\s|"
        r"hostname|ifconfig|cat<|echo\s{1,3}(?:-e|[\w+/=]{8,60}\s{0,3}\|)|type\s{1,3}c:|xxd)",
    ),
    rule(
        "blank_avoided",
        0.85,
        "$ifs ${ {",
        r"\$\{?ifs\b|\$\{(?:path|home|pwd|ld_library_path)[%#:]|\{,[a-z/?]{2,20}[,}]|"
        rf"\{{,?{_RECON},[^\s{{}}]{{0,60}}\}}",
    ),
    rule(
        "input_redirected",
        0.85,
        "<",
        rf"[;|&`]\s{{0,3}}{_RECON}<(?=[/~\w])|<<<\s{{0,3}}(?:[\"']?{_RECON}\b|void)|"
        rf"[;|&`({{]\s{{0,3}}{_RECON}\s{{0,2}}<<<",
    ),
    rule(
        "name_quoted",
        0.8,
        "'' \"\" \\",
        r"(?:^|[;|&`(\s])\w{1,4}(?:''|\"\"|\\(?=[a-z]{1,3}\b)){1,2}(?:at|c|d|hoami|oami|ami|"
        r"s)\b|;\s{0,2}\$?[a-z]\\[a-z]|[;|&]\s{0,2}[a-z]\\[a-z]\b|"
        r"\b[a-z]{1,3}(?:''|\"\"|\\)[a-z]{1,3}(?:''|\"\"|\\)?[a-z]{0,4}\s{1,3}/|"
        r"[;|&]\s{0,2}\w{1,2}(?:''|\"\")\w",
    ),
    rule(
        "path_globbed",
        0.8,
        "/? /* [ ?",
        r"/(?:\?{2,3}|b[i?]n|[a-z]?\[[^\]\s]{1,6}\]\w{0,4}|\w\*)/(?:\w{0,4}[?*\[]\S{0,20}|"
        r"\?{2,3})|/e\wc/p\S{0,3}[?*'\"\\]\S{0,9}",
    ),
    rule(
        "name_expanded",
        0.8,
        "$ {",
        r"\$@(?<=[a-z]\$@)[a-z]{1,5}\b|/et\$\S{1,6}c\b|\$[-_*](?<=[a-z]\$.)[a-z]{1,3}\b|"
        r"\{[a-z],[a-z]{1,6}\}[a-z]|\{\w\$u?\\?\w|"
        r";\s{0,2}\$[a-z]\s{1,2}\w{2,6}\s\$[a-z]\b|[;&|]\s{0,2}\w{1,4}\$\w?\(?\)?(?:at|hoami|s)\b",
    ),
    rule(
        "name_suffixed",
        0.8,
        "uname cat whoami ls id ping curl wget nc sh pi &&& $ <(",
        r"\b(?:uname|cat|whoami|ls|id|ping|curl|wget|nc|sh)\$(?:[a-z@*]\b|\(\))|"
        r"\b[a-z]{1,4}<\(\)[a-z]{1,4}\b",
    ),
    rule(
        "variable_then_run", 0.75, "cmd=", r"\bcmd=\$?\\?['\"]?\w{2,12}\\?['\"]?\s{0,2};\s{0,2}\$"
    ),
    rule(
        "shellshock",
        0.95,
        "()",
        r"\(\)\s{0,3}\{\s{0,3}(?:_;\s{0,3})?:?;?\s{0,3}\}?\s{0,3}(?:>_\[\$\(\$\(\)\)\]|"
        r";)\s{0,3}\}?\s{0,3};?\s{0,3}(?:/|echo|\w{2,8}\s|\{)",
    ),
    rule(
        "fork_bomb",
        0.9,
        "|",
        r"\b(\w{1,20}|:)\s{0,3}\(\)\s{0,3}\{\s{0,3}\1\s{0,3}(?:\(\)\s{0,2})?[|&]\s{0,3}\1",
    ),
    rule(
        "fork_loop",
        0.7,
        "()",
        r"\b(\w{1,20}|:)\s{0,3}\(\)\s{0,3}\{\s{0,3}\1\s{0,3}(?:\(\))?\s{0,3}&",
    ),
    rule(
        "interpreter_runs_command",
        0.75,
        "system exec( eval( popen passthru assert( phpinfo(",
        rf"(?:{_PHP_RUN}\s{{0,3}}\(\s{{0,3}}[\"'`]\s{{0,3}}(?:/bin/|/usr/bin/)?(?:{_RECON}\b)|"
        rf"(?:^|[\s;|&'\"{{(`@]){_PHP_RUN}\s{{0,3}}\(\s{{0,3}}[\"'`$]|"
        rf"phpinfo\s{{0,3}}\(\s{{0,3}}\))",
    ),
    rule(
        "server_page_written",
        0.8,
        "<?php <?= <? <%eval",
        r"<\?(?:php|=)?\s{0,4}[^\n]{0,40}?(?:system|exec|shell_exec|passthru|eval|include|"
        r"assert|popen|phpinfo|\$_(?:get|post|request))\s{0,3}[(\[`]",
    ),
    rule(
        "reverse_shell",
        0.9,
        "/dev/tcp /dev/udp nc ncat netcat fsockopen socket bash",
        r"/dev/(?:tcp|udp)/|\bn(?:c|cat|etcat)\b[^\n]{0,40}(?:\s-\w{0,5}e\b|,-)|"
        r"fsockopen\s{0,3}\([^\n]{0,60}(?:exec|sh\b)|bash\s{1,3}-i\s|"
        r"socket\.socket[^\n]{0,80}(?:dup2|connect)[^\n]{0,120}/bin/",
    ),
    rule(
        "interpreter_one_liner",
        0.6,
        "perl python ruby php powershell bash cmd sh",
        r"[;|&`(]\s{0,3}(?:perl\s{1,3}-e|python\d?\s{1,3}-c|ruby\s{1,3}-r?e|php\s{1,3}-r|"
        r"powershell\S{0,4}\s{1,3}-\w|bash\s{1,3}-c|cmd\S{0,4}\s{1,3}/c|sh\s{1,3}-c)",
    ),
    rule(
        "piped_into_shell",
        0.55,
        "sh bash zsh dash &&& |",
        r"(?:base64\s{1,3}-{1,2}d\w{0,6}|xxd\s{1,3}-r|<<<\s{0,2}\S{1,40}|rev|curl\s\S{1,80}|"
        r"wget\s\S{1,80})\s{0,3}\|\s{0,3}(?:ba|z|da)?sh\b",
    ),
    rule(
        "output_decoded",
        0.7,
        "echo xxd printf",
        r"`\s{0,2}(?:echo|printf|xxd)\s{1,3}-\w{1,3}\s{1,3}|(?:cat|sh|"
        r"\$)\s{0,2}[`(]\s{0,2}(?:echo|xxd|printf)\s[^\n]{0,20}\\x|xxd\s{1,3}-r\s{1,3}-p",
    ),
    rule(
        "batch_construct",
        0.6,
        "% /i exist defined &&& if for in &&& % / (",
        r"\bfor\s{1,4}/[frld]\b[^\n]{0,60}%|\bfor\s{1,3}%\S{1,2}\s{1,3}in\s{0,3}\(|"
        r"\bif\s{1,12}(?:not\s{1,4}|/i\s{1,4})?[\"\[(]?%[\w~]{1,12}%?[\"\])]?\s{0,4}(?:==|equ|"
        r"neq|gtr|lss|geq|leq)|%~?[a-z]{1,3}\s{1,4}in\s{1,4}\(|\bif\s{1,12}(?:/i\s|"
        r"(?:not\s{1,3})?(?:exist|defined)\s{1,3}\S{1,30}\s{1,9}\()",
    ),
    rule(
        "batch_comparison",
        0.5,
        "== gtr equ neq lss geq leq",
        r"\bif\s{1,12}(?:not\s{1,4})?(?:/i\s{1,4})?(?:[\"\[%(]\S{0,20})\s{0,3}(?:equ|neq|gtr|"
        r"lss|geq|leq|==)\s{1,4}\S{1,20}\s{1,12}(?:echo|goto|\(|\.\.\.|set|call)",
    ),
    rule(
        "registry_or_account",
        0.7,
        "reg net",
        r"\breg\s{1,3}(?:add|query|save|delete)\s{1,3}[\"']?hk|\bnet\s{1,3}(?:user|"
        r"localgroup)\s{1,3}\S{1,30}\s{1,3}\S{1,30}\s{1,3}/add",
    ),
    rule(
        "file_of_secrets_shown",
        0.55,
        "cat type more less head tail nl tac",
        rf"(?:{_ALONE}|[^\w\s,.]\s{{0,3}}|^\S{{1,20}}[$#]\s)(?:cat|type|more|less|head|tail|nl|"
        rf"tac)\b[\s+<]{{1,3}}\S{{0,3}}{_FILE}",
    ),
    rule("timed_prefix", 0.5, "time; &&& time", r"\btime;\s{0,3}[a-z]"),
    rule(
        "bare_command",
        0.5,
        "ls ll dir type ipconfig cat",
        r"^(?:(?:ls|ll|dir|type|cat)\s{1,3}(?:-\w{1,6}\s{1,3})?(?:/|[a-z]:\\|%systemroot)|"
        r"ipconfig\s{1,3}/)|^/(?:usr/)?bin/\w{2,9}\s",
    ),
    rule(
        "terminal_escape",
        0.6,
        "\\n \\033",
        r"\\n(?:echo|exit|/bin/|/usr/bin/|wget|curl|sleep|ls\b|\.databases)|\\033\[\d",
    ),
    rule("walks_to_secret", 0.6, "cd", r"\bcd\s{1,2}/;\s{0,2}cd\s"),
    rule(
        "encoded_separator",
        0.6,
        "%0a %0d %26 %7c %3b",
        rf"%(?:0[ad]|26|7c|3b|60)(?:%20|[+\s])?(?:/usr)?(?:/bin/)?{_RECON}\b(?:%|\+|$|\s)",
        "raw",
    ),
)
