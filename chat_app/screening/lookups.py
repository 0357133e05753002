"""Rules for filters of document stores and directories (NoSQL and LDAP injection)."""

from chat_app.screening.rules import rule

_OPERATOR = r"\$(?:ne|gte?|lte?|n?in|regex|exists|eq|where|or|and|not|size|type|mod|all|nor|expr)"
_ATTRIBUTE = (
    r"(?:uid|cn|sn|ou|dc|o|mail|objectclass|objectcategory|user(?:name|password|"
    r"principalname|accountcontrol)|samaccountname|"
    r"memberof|givenname|displayname|password|pass|pwdlastset|lastlogon|whencreated|"
    r"description|homedirectory|title|telephonenumber|\w{3,20}\s{0,2}[<>~]?=\s{0,2}\*)"
)

NOSQL_RULES = (
    rule("operator_as_parameter", 0.85, "[$", rf"\w\[{_OPERATOR}\](?:\[\w{{0,9}}\])?\s{{0,3}}="),
    rule(
        "operator_matches_anything",
        0.85,
        "$",
        r"\{?\s{0,3}[\"']?\$(?:ne|gte?|n?in|lte?|exists)[\"']?\s{0,3}:\s{0,3}(?:[\"']{2}|null|"
        r"undefined|-1\b|true\b|\[\s{0,2}[\"']?\]|\{\}|[\"'](?:foo|bar|x|1|test|invalid|"
        r"nonexistent)?[\"'])",
    ),
    rule(
        "operator_in_login",
        0.8,
        "$",
        rf"[\"'](?:user(?:name)?|login|pass(?:word)?|pwd|email|"
        rf"token)[\"']\s{{0,3}}:\s{{0,3}}\{{\s{{0,3}}[\"']?{_OPERATOR}\b",
    ),
    rule(
        "where_runs_script",
        0.8,
        "$where",
        r"\$where[\"']?\s{0,3}(?::|=)\s{0,3}[\"']?[^\n]{0,60}?(?:==|sleep\s{0,2}\(|"
        r"this\.\w{1,20}\s{0,3}(?:\.match|[=!]=)|return|function|'1|while)",
    ),
    rule(
        "regex_steps_through",
        0.6,
        "$regex",
        r"\$regex[\"']?\s{0,3}[:\]]\s{0,3}=?\s{0,3}[\"']?(?:\^\w{0,20}|\.\*|\.\{\d)",
    ),
    rule(
        "script_breakout",
        0.75,
        "this sleep return mapreduce || &&& ( = &&& ' \" }",
        r"[\"'}]\s{0,3};?\s{0,3}(?:\|\||&&|;)\s{0,3}(?:this\.\w{1,20}(?:\.match|\s{0,3}[!=]=)|"
        r"sleep\(\d{3,6}\)|return\s{1,3}(?:true|1|this)|while\s{0,2}\(|(?:\d|"
        r"true)\s{0,3}==\s{0,3}(?:\d|true)|db\.)|[\"']\s{0,3};\s{0,3}sleep\(\d{3,6}\)",
    ),
    rule("map_reduce_run", 0.75, "mapreduce", r"\.mapreduce\s{0,3}\(\s{0,3}function"),
)

LDAP_RULES = (
    rule(
        "filter_reopened",
        0.85,
        ")( &&& =",
        rf"(?:[*\w\x00]|"
        rf"\\00)\s{{0,2}}\){{1,9}}\s{{0,2}}\({{1,9}}\s{{0,2}}[|&!]?\s{{0,2}}\({{0,9}}\s{{0,2}}{_ATTRIBUTE}\s{{0,2"
        rf"}}(?:[:<>~.\d]{{0,40}})?=",
    ),
    rule(
        "filter_operator_opened",
        0.75,
        ")(| )(& )(! ))(",
        r"[*\w]\s{0,2}\){1,9}\(\s{0,2}(?:[|!]\s{0,2}\(|&\s{0,2}(?:\(|\)|$)|\|\s{0,2}\(?\*)",
    ),
    rule(
        "filter_matches_all",
        0.7,
        ")(* *)(",
        r"(?:^|[\w\s=])(?<!\w\s)\w{2,20}\s{0,2}\*?\)\(\*(?!\))|(?:^|\s)\*\)\([&|!]|"
        r"\w{2,20}\)\(\*\)|(?:^|\s)\*\)\(\w{2,20}[=*]",
    ),
    rule(
        "filter_of_secrets",
        0.75,
        "(& (|",
        rf"\([&|]\s{{0,2}}\({_ATTRIBUTE}\s{{0,2}}=[^()]{{0,40}}\)\s{{0,2}}\((?:[!&|]\s{{0,2}}\("
        rf"|)(?:user)?pass(?:word)?\s{{0,2}}=[^()]{{0,30}}(?:\*|\{{|\))",
    ),
    rule(
        "empty_filter_closed",
        0.7,
        ")(",
        rf"(?:^|\s)\)\({_ATTRIBUTE}=\)|=\)\)(?:\\x00|\(\||\x00)|\\00\)|\(\*\)\)?%00",
    ),
    rule("name_compared", 0.6, "name()", r"[\"']\s{0,3}or\s{1,3}name\(\)\s{0,3}="),
    rule(
        "wildcards_encoded", 0.6, "%2a *|", r"%2a(?:%7c|%28|%29)|(?:^|\s)\*(?:\||\(\||\)\()", "raw"
    ),
)
