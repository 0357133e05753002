"""Rules for paths that climb out of a directory (path traversal)."""

from chat_app.screening.rules import rule

_SEP = r"(?:[/\\]|%{1,2}(?:25){0,3}[0-9a-z]{2}|%u[0-9a-f]{4}|0x[0-9a-f]{2}|\x00)"
_TARGET = (
    rf"(?:etc{_SEP}{{1,9}}(?:passwd|shadow|issue|hosts?|group|motd|\w{{2,20}}\.conf|"
    rf"apache\d?|nginx|my\.cnf|cron\w{{0,5}}|php\w{{0,5}}|httpd)|boot\.ini|autoexec\.bat|"
    rf"(?:windows|winnt|win\d\d){_SEP}{{1,9}}(?:system32|win\.ini|system\.ini|repair|"
    rf"system|\w{{2,20}}\.(?:ini|log|exe))|windows\b|winnt\b|win\.ini|"
    rf"proc{_SEP}{{1,9}}(?:self|\w{{2,12}})|var{_SEP}{{1,9}}(?:log|www|lib|mail|run|spool)|"
    rf"usr{_SEP}{{1,9}}local|root{_SEP}{{1,9}}\.|home{_SEP}|\.ssh|id_rsa|web-inf|"
    rf"\.htaccess|\.htpasswd|\.env\b|wp-config|web\.config|inetpub|xampp|apache\d?{_SEP}|"
    rf"logs?{_SEP}|dev\b|opt{_SEP}|bin{_SEP}|tmp{_SEP}|mysql|conf{_SEP}|httpd)"
)
_CLIMB = r"(?:\.{2,9}[/\\;]{1,9})"
_UNIT = r"(?:%{1,2}(?:25){0,3}[0-9a-z]{2}|%u[0-9a-f]{4}|0x[0-9a-f]{2}|[./\\?%])"

RULES = (
    rule(
        "climbs_to_secret",
        0.9,
        "../ ..\\ ..;",
        rf"{_CLIMB}[./\\;*]*+[^./\\;*\n]{{0,40}}(?:[./\\][^./\\;*\n]{{0,20}}){{0,3}}",
        inside=rf"[./\\;]{_TARGET}",
    ),
    rule(
        "climbs_far",
        0.6,
        "../../../ ..\\..\\..\\",
        r"(?:(?:\.\./){5}|(?:\.\.\\{1,2}){4}|(?:\.\.//){3})",
    ),
    rule(
        "climbs_oddly",
        0.8,
        "../ ..\\ .?/ ..;/",
        r"\.{3,9}(?:/{2}|\\{2})\.{2}|(?:\.{4,9}[/\\]){2}|(?:\.{3}/\.[/\\]?){1}|\.\.;/|"
        r"(?:\.\.\\/){2}|/\.\.\\\.\.\\|"
        r"\.{1,2}[/\\]{1,3}\.\.[/\\]{1,3}(?:\.\.[/\\]{1,3}){0,9}etc|(?:\.\?/){2}|"
        r"(?:\./\.\./){2}|\.[/\\]{1,3}\.\.[/\\]{2}",
    ),
    rule(
        "encoded_climb_to_secret",
        0.95,
        "% x",
        rf"{_UNIT}{{2,}}+(?:[^%./\\?\n][^%\n]{{0,40}}(?:%[^%\n]{{0,20}}){{0,9}})?",
        "raw",
        inside=rf"{_UNIT}{{2}}{_TARGET}",
    ),
    rule(
        "encoded_climb",
        0.75,
        "%",
        r"(?:(?:(?:\.|%{1,2}(?:25){0,3}(?:2e|32%{1,2}65|c0%(?:25)?ae|e0%80%ae)|%u?(?:ff0e|002e|"
        r"2024))){2}(?:[/\\]|%{1,2}(?:25){0,3}(?:2f|5c|c0%(?:25)?af|c1%(?:25)?9c|32%{1,2}66|"
        r"35%{1,2}63|c0%\w\w|c1%\w\w)|%u(?:2215|2216|002f|005c|ef\w\w|f025)|0x[25][fc])){2}",
        "raw",
    ),
    rule(
        "overlong_dot",
        0.7,
        "%c0 %c1 %e0 %f0 %f8 %fc %25c0 %uff0e",
        r"(?:%(?:25)?(?:c0%(?:25)?(?:ae|2e|ee|fe|6e|5e|\.)|e0%80%ae|f0%80%80%ae|"
        r"f8%80%80%80%ae|fc%80%80%80%80%ae)|%uff0e|%c0\.){2}",
        "raw",
    ),
    rule(
        "null_after_file",
        0.7,
        "%00 \\x00 \\0",
        r"\.{2}[/\\]\S{0,120}%00|(?:passwd|shadow|boot\.ini|hosts|\.php|\.asp)%00",
        "raw",
    ),
    rule(
        "separator_encoded_in_secret",
        0.85,
        "% x",
        r"(?<![a-z0-9])?etc(?:%{1,2}(?:25){0,3}[0-9a-z]{2}|%u[0-9a-f]{4}|"
        r"0x[0-9a-f]{2}){1,9}(?:passwd|shadow|issue|hosts)",
        "raw",
    ),
    rule(
        "address_of_local_file",
        0.75,
        "file: php: zip: expect: phar: jar:",
        r"(?:file|netdoc|jar):/{1,4}(?:\S{0,20}/)?(?:etc/|c:|windows|proc/|localhost/|var/|"
        r"\S{0,30}\.\.)|php://(?:filter|input)|(?:expect|phar|zip)://\S{2}",
    ),
    rule(
        "parameter_is_secret",
        0.7,
        "=/etc =..",
        r"[?&]\w{1,20}=(?:/|\.\.[/\\]|c:\\){1,20}\S{0,40}?(?:etc/passwd|etc/shadow|win\.ini|"
        r"boot\.ini|proc/self)",
    ),
)
