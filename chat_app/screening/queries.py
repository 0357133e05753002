"""Rules for pieces of SQL that break out of a query (SQL injection)."""

from chat_app.screening.rules import rule

_Q = r"[\"'`]"
_BREAK = rf"(?:{_Q}\s{{0,3}}\){{0,9}}\s{{0,3}}|\d\){{0,9}}\s{{1,3}}|\)\s{{0,3}})"
_FUNCTIONS = (
    r"(?:concat(?:_ws)?|group_concat|char|chr|ascii|substr(?:ing)?|mid|version|database|"
    r"user|current_user|system_user|"
    r"session_user|load_file|hex|unhex|cast|convert|length|len|sleep|benchmark|pg_sleep|"
    r"if|iif|ifnull|count|extractvalue|"
    r"updatexml|xmltype|aes_decrypt|exp|floor|rand|randomblob|json_keys|exists|ord|bin|"
    r"elt|make_set|row|min|max|unlikely|glob|name_const|is_srvrolemember)"
)
_DOOR = (
    r"xp_(?:cmdshell|dirtree|regread|fileexist|servicecontrol)|sp_(?:oacreate|executesql|"
    r"password|makewebtask|configure)|"
    r"utl_(?:http|inaddr|file)|dbms_(?:pipe|lock|ldap|java|xml\w{2,8}|sql)|"
    r"extractvalue\s{0,3}\(|updatexml\s{0,3}\(|"
    r"into\s{1,3}(?:out|dump)file\s{0,3}['\"/]|load_file\s{0,3}\(|"
    r"load\s{1,3}data\s{1,3}(?:local\s)?infile|openrowset|opendatasource|sys_(?:eval|"
    r"exec)\s{0,3}\(|"
    r"pg_read_file|lo_import|pg_ls_dir|current_setting\s{0,3}\(|"
    r"copy\s{1,3}\w{1,30}\s{1,3}(?:from|to)\s{1,3}program|procedure\s{1,3}analyse|"
    r"@@version|msdasql|master\s{0,3}\.{1,2}\s{0,3}(?:dbo|sys|xp)|"
    r"inmemorycatalog|ctxsys\.|load_extension|syscolumns|sysobjects|pg_shadow|all_users|"
    r"randomblob\s{0,3}\(\s{0,3}\d{6}"
)

RULES = (
    rule(
        "union_of_constants",
        0.85,
        "union",
        rf"union\s{{1,4}}(?:(?:all|distinct)\s{{1,4}})?\(?\s{{0,4}}select\s{{1,4}}\(?(?:null|"
        rf"[\d@§%]|{_Q}|{_FUNCTIONS}\s{{0,3}}\(|load_file|version|"
        rf"\*\s{{0,3}}from\s{{1,3}}(?:users|information))",
        "sql",
    ),
    rule(
        "union_after_break",
        0.85,
        "union",
        rf"(?:{_Q}|(?:^|[\s=(])-?\d{{1,12}}|[\d'\"]\){{1,9}}|;|\bnull|"
        rf"\))\s{{0,4}}union\s{{1,4}}(?:(?:all|"
        rf"distinct)\s{{1,4}})?\(?\s{{0,3}}select\b(?!\s{{1,3}}\w{{1,30}}\.)",
        "sql",
    ),
    rule(
        "union_dumps_columns",
        0.6,
        "union",
        r"union\s{1,4}(?:(?:all|distinct)\s{1,4})?select\s[^;\n]{0,80}?(?:pass(?:word|wd)?|"
        r"pwd|user_?name|login|email|information_schema|mysql\.user|0x[0-9a-f]{2})",
        "sql",
    ),
    rule(
        "comment_hides_keyword",
        0.8,
        "/*",
        r"/\*!\s{0,2}\d{0,6}\s{0,2}(?:union|select|and|or|from|where|concat|all|sleep|order|"
        r"group|table)|(?:union|select|from|where|and|or|order|\d|"
        r"['\")])/\*[^*]{0,20}\*/(?:union|select|from|where|and|or|all|by|\d|['\"(])",
    ),
    rule(
        "logic_after_break",
        0.85,
        "' \"",
        rf"{_Q}\s{{0,3}}\){{0,9}}\s{{0,3}}(?:(?:or|and|xor|having|where|like|div)(?![a-z])|\|\||&&|"
        rf"\^)\s{{0,3}}\({{0,9}}\s{{0,3}}(?:not\s)?(?:§|{_Q}?[\w.%]{{0,30}}{_Q}?)\){{0,9}}\s{{0,3}}(?:!?=|"
        rf"<=>|>|<|~|::|\b(?:like|ilike|in|is|not|between|similar|glob|"
        rf"regexp)\b)(?!\s{{0,3}}(?:the|a|my)\b)",
        "sql",
    ),
    rule(
        "logic_after_break_alone",
        0.6,
        "' \"",
        rf"{_Q}\s{{0,3}}\){{0,9}}\s{{0,3}}(?:or|and|xor|\|\||&&|\^|&|"
        rf"like)\s{{0,3}}\({{0,9}}\s{{0,3}}(?:not\s)?(?:true|false|\d{{1,6}}|§|"
        rf"\w{{1,20}}(?=--))\){{0,9}}\s{{0,3}}(?:--|#|/\*|$|{_Q})",
        "sql",
    ),
    rule(
        "json_operator_in_logic",
        0.6,
        "§ &&& :: @> <@ -> #> ?| ?& #-",
        r"(?:\bor|\band|/)\s{0,3}(?:§|'[^'\n]{1,60}')\s{0,2}(?:::jsonb?\s{0,2})?(?:<@|@>|->>?|"
        r"#>>?|\?[|&]?|#-)|(?:§|'[^'\n]{1,60}')::jsonb?\s{0,2}(?:<@|@>|->>?|#>>?|\?[|&]?|#-|"
        r"[<>-])",
        "sql",
    ),
    rule(
        "tautology",
        0.6,
        "or and having where xor && || &&& =",
        rf"(?:\b(?:or|and|having|where|xor)\s{{1,4}}|(?:\|\||"
        rf"&&)\s{{0,4}})(?:not\s)?\({{0,9}}(?:{_Q}?(\d{{1,9}}|[a-z]|true){_Q}?\){{0,9}}\s{{0,3}}(?:=|==|"
        rf"<=>|\blike\b)\s{{0,3}}\({{0,9}}{_Q}?\1\b|§\s{{0,3}}=\s{{0,3}}{_Q}\w{{0,9}}(?:$|\s))",
        "sql",
    ),
    rule(
        "impossible",
        0.5,
        "and or &&& = < >",
        rf"{_BREAK}(?:and|or)\s{{1,4}}(?:-?\d{{1,6}}|\(\d{{1,6}})\s{{0,3}}(?:=|<|>|<=>|"
        rf"!=)\s{{0,3}}\(?-?\d{{1,6}}",
        "sql",
    ),
    rule(
        "quoted_logic",
        0.6,
        "' \"",
        r"(['\"])\){0,9}\s{0,2}(?:or|and|\|\||&&|=|\^|\*|-|%|/|like|div|mod|<|>|is|not|"
        r"like)\s{0,2}\({0,9}(?:\1|\\['\"])(?:\s{0,3}(?:$|--|#|=|\w{1,12}\1?(?:[\s#]|$)(?![a-z])|"
        r"['\"]))",
        "sql",
    ),
    rule(
        "logic_calls_function",
        0.75,
        "ascii substr substring mid version database sleep benchmark pg extractvalue "
        "updatexml ord load randomblob json exists unlikely is user system if iif length bin "
        "glob exp char utl row name make elt unhex hex unistr &&& ( &&& or and xor where "
        "having ' \"",
        rf"(?:{_Q}\s{{0,3}}\){{0,9}}\s{{0,3}}(?:or|and|xor|\|\||&&|,|;|where|having|\+|\*|like|=|div|"
        rf"-)|(?:\d|\))\s{{0,3}}(?:or|and|xor|where|"
        rf"having))\s{{0,3}}\({{0,9}}\s{{0,3}}(?:not\s{{1,3}}|"
        rf"select\s{{1,3}}(?:if\s{{0,2}})?\({{0,9}})?(?:ascii|substr(?:ing)?|mid|version|database|"
        rf"sleep|benchmark|pg_sleep|extractvalue|updatexml|ord|load_file|randomblob|"
        rf"json_\w{{3,9}}|exists|unlikely|is_srvrolemember|user(?:_name)?|system_user|if|iif|"
        rf"length|bin|glob|exp|char|utl_\w{{2,9}}|row|name_const|make_set|elt|unhex|hex|"
        rf"unistr)\s{{0,3}}\(",
        "sql",
    ),
    rule(
        "logic_asks_subquery",
        0.75,
        "select &&& (",
        rf"(?:(?:{_Q}|\d|\)|^)\s{{0,3}}\){{0,9}}\s{{0,3}}(?:or|and|xor|\|\||&&|,|;|\+|=|<|>|in|-|\*|"
        rf"like|div)|^)\s{{0,3}}(?:\d{{1,6}}\s{{0,3}}(?:=|in|<|"
        rf">)\s{{0,3}})?(?:not\s{{1,3}})?(?:exists\s{{0,3}})?\({{1,9}}\s{{0,3}}select\b",
        "sql",
    ),
    rule(
        "delay",
        0.8,
        "sleep benchmark delay receive_message",
        rf"(?:(?:or|and|select|,|\|\||&&|then|if|\+|\*)\s{{0,4}}\({{0,9}}|"
        rf"{_Q}\){{0,9}}\s{{0,3}}[;=(]\s{{0,3}})(?:pg_)?sleep\s{{0,3}}\(\s{{0,3}}[\"'(]{{0,3}}(?:\d|"
        rf"__|\[|§)|\bpg_sleep\s{{0,3}}\(|benchmark\s{{0,3}}\(\s{{0,3}}\(?\s{{0,2}}\d{{3,12}}|"
        rf"wai?t?for\s{{1,4}}delay\s{{0,3}}[\"'(@§]|receive_message\s{{0,3}}\(|"
        rf"^[\W\w]?\({{0,9}}sleep\s{{0,3}}\(\s{{0,3}}\(?[\d\"'_]",
        "sql",
    ),
    rule(
        "stacked_statement",
        0.85,
        ";",
        rf"(?:{_Q}\s{{0,3}}\){{0,9}}\s{{0,3}};\s{{0,3}}(?:drop\s{{1,4}}(?:table|database|user|view)|"
        rf"delete\s{{1,4}}from|truncate|shutdown|exec(?:ute)?\b|declare\s{{1,4}}@|grant\s|"
        rf"insert\s{{1,4}}into|update\s{{1,4}}\w{{1,30}}\s{{1,4}}set|waitfor|select\s|alter\s|"
        rf"create\s{{1,3}}(?:user|table|or|function|alias)|set\s{{1,3}}@|prepare|begin|copy|"
        rf"use\s|if\s{{0,3}}\(|replace\s|print)[^\n]{{0,200}}?(?:--|#|/\*|$|;)"
        r"|[\d)]\s{0,3};\s{0,3}(?:drop\s{1,4}(?:table|database)|shutdown\b|"
        r"exec\s{1,3}(?:master|xp_|sp_)|declare\s{1,4}@|set\s{1,3}@|select\s{1,4}(?:sleep|"
        r"pg_sleep|benchmark))[^\n]{0,80}?(?:--|#|/\*|$|;))",
        "sql",
    ),
    rule(
        "quote_then_statement",
        0.6,
        "grant exec drop insert shutdown",
        rf"{_Q}\s{{0,3}}\){{0,9}}\s{{1,3}}(?:grant|exec(?:ute)?|drop|shutdown|"
        rf"insert)\s{{1,3}}[^\n]{{0,80}}?(?:--|;|\bto\b)",
        "sql",
    ),
    rule(
        "declared_and_run",
        0.8,
        "exec declare prepare",
        rf"declare\s{{1,3}}@\w{{1,12}}\s[^\n]{{0,200}}?exec|exec(?:ute)?\s{{1,3}}(?:immediate|"
        rf"master|xp_|sp_|\(@)|exec\s{{0,3}}\(\s{{0,3}}{_Q}\w{{1,9}}{_Q}\s{{0,3}}[+|]|"
        rf"prepare\s{{1,3}}\w{{1,12}}\s{{1,3}}from",
        "sql",
    ),
    rule(
        "quote_then_comment",
        0.55,
        "-- # /* %00",
        # Not the quote that opens an argument: `find('#` of a text that is cut off there.
        rf"(?<!\w\(){_Q}\s{{0,3}}[);]{{0,4}}\s{{0,3}}(?:--(?:[\s\-]|$)|#(?:\s|$)|/\*(?:\s|$))",
        "sql",
    ),
    rule(
        "string_left_open",
        0.5,
        "' \"",
        rf"^[^\n]{{0,160}}(?:\bor|\band|\|\||&&|\blike|"
        rf"\)like)\s{{0,3}}[(\w\s.]{{0,24}}(?:[!=<>]{{1,3}}\s{{0,3}})?\(?{_Q}\s{{0,3}}$",
        "sql",
    ),
    rule(
        "function_left_open",
        0.5,
        "(",
        r"^\W{0,4}(?:sleep|benchmark|convert|pg_sleep|extractvalue|updatexml)\(\W{0,3}$",
    ),
    rule(
        "written_to_file",
        0.7,
        "into &&& outfile dumpfile @",
        r"\binto\s{1,3}(?:(?:out|dump)file\s{0,3}[\"'§/@]|@\w{1,9}\s{0,2},\s{0,2}@)",
        "sql",
    ),
    rule(
        "closing_then_comment",
        0.55,
        "-- # /* %00",
        r"(?:\d|\w\(\)|[\w)]\))\s{0,3}(?:--\s{0,3}(?:$|\s)|#$|/\*$)|(?:null|0x\w{2,20}|limit "
        r"\d{1,3}(?:,\d{1,3})?)\s{0,3}(?:--|#|/\*)",
    ),
    rule(
        "ordering_after_break",
        0.7,
        "order group having limit procedure",
        rf"(?:{_Q}|^-?\d{{1,9}}|\d\)|[\"']\))\s{{0,3}}\){{0,9}}\s{{0,3}}(?:(?:order|"
        rf"group)\s{{1,3}}by\s{{1,3}}(?:\d|\w{{1,30}}\s{{0,3}}(?:--|#))|having\s{{1,3}}['\"\d]|"
        rf"limit\s{{1,3}}\d{{1,6}}\s{{1,3}}(?:into|procedure|offset))",
        "sql",
    ),
    rule(
        "way_out_of_database",
        0.7,
        "xp_ sp_ utl_ dbms_ extractvalue updatexml outfile dumpfile load_file infile "
        "openrowset opendatasource sys_e pg_ lo_import current_setting program procedure "
        "@@version msdasql master inmemorycatalog ctxsys load_extension syscolumns "
        "sysobjects all_users randomblob",
        _DOOR,
        "sql",
    ),
    rule(
        "catalogue_read",
        0.5,
        "information_schema sqlite_master pg_catalog",
        r"(?:from\s{1,3}information_schema\.(?:tables|columns|"
        r"schemata)\s{1,3}where\s{1,3}table_(?:schema|name)\s{0,3}(?:=|regexp|"
        r"like)\s{0,3}(?:database|0x|char)|select[^\n]{0,80}from\s{1,3}(?:information_schema|"
        r"sqlite_master|mysql\.user)\b[^\n]{0,80}(?:--|limit \d|#|\)))",
        "sql",
    ),
    rule(
        "values_glued",
        0.6,
        "char chr concat group case",
        r"(?:concat(?:_ws)?|group_concat)\s{0,3}\(\s{0,3}(?:0x[0-9a-f]{2}|char\(|@@|version|"
        r"user\(|database|username|login|\w{1,20},(?:0x|char))|"
        r"\bch(?:a?r)\s{0,3}\(\s{0,3}\d{2,3}\s{0,3}\)\s{0,3}(?:\+|\|\||,\s{0,3}(?:\w{2,20}\(|"
        r"\w{2,20},char))|case\s{1,3}when\s{0,3}\(?[\d'\"]",
        "sql",
    ),
    rule(
        "values_then_delay",
        0.6,
        "null,null",
        r"(?:[)'\"]|^),?\s{0,2}null\s{0,2}(?:,\s{0,2}null\s{0,2}){0,60}\)",
        "sql",
    ),
    rule(
        "select_of_constants",
        0.5,
        "select &&& ( @@",
        rf"(?:^|[^\w\s]\s{{0,3}})\(?select\s{{1,3}}(?:sleep|pg_sleep|benchmark|"
        rf"(?:version|user|database|current_\w{{4,9}})\s{{0,2}}\(|load_file|@@\w|char\(|concat\(0x|"
        rf"{_FUNCTIONS}\s{{0,2}}\(\s{{0,2}}(?:0x|\(?\s{{0,2}}select|'~))",
        "sql",
    ),
)
