"""Rules for scripts in markup (cross-site scripting)."""

from chat_app.screening.rules import rule

_RUN = (
    r"(?:(?:alert|confirm|prompt|eval|settimeout|setinterval|function|fetch|import|atob|"
    r"print|"
    r"write|msgbox|expression|unescape|fromcharcode|execscript|open|log)\s{0,3}[(`]"
    r"|document\s{0,3}\.\s{0,3}(?:cookie|domain|location|write)|location\s{0,3}[=.]|"
    r"javascript\s{0,3}:"
    r"|constructor|\\[xu][0-9a-f]{2}|\balert\b|\b(?:top|self|window|parent|this)\s{0,3}\[|"
    r"\.cookie|=>)"
)
_RUN_HINTS = (
    "alert confirm prompt eval( settimeout setinterval function( fetch( import( atob( "
    "document location javascript constructor \\x \\u0 top[ self[ window[ this[ parent[ "
    ".cookie => print( write( unescape( execscript open( fromcharcode eval` msgbox"
)
# Handlers that run without anyone touching the element.
_SELF_FIRING = (
    r"on(?:error|load\w{0,9}|focus(?:in)?|toggle|start|begin|end|repeat|pageshow|"
    r"hashchange|"
    r"animation\w{3,9}|transition\w{3,6}|beforeunload|unload|resize|scroll\w{0,3}|"
    r"readystatechange|"
    r"canplay\w{0,7}|playing|play|message|popstate|finish|bounce|beforeprint|"
    r"webkit\w{3,40}|"
    r"content\w{3,40}|beforescriptexecute|afterscriptexecute|propertychange|activate|"
    r"storage|"
    r"pointer\w{3,16}|loadeddata|durationchange|timeupdate|progress|show|invalid)"
)
_BLANK = r"[\s/\x00-\x1f\"'`;>]"

RULES = (
    # A handler whose value runs something: <img src=x onerror=alert(1)>
    rule(
        "handler_runs_script",
        0.75,
        "=",
        rf"(?:{_BLANK}|\\x[0-9a-f]{{2}}|^)on[a-z]{{3,42}}+[\s\x00-\x1f]{{0,4}}+="
        rf"(?=[^<>\n]{{0,60}}?{_RUN})(?![\s\"']{{0,3}}(?:return )?\w{{2,30}}\(\))",
    ),
    # No quotes round it, in a tag cut short: nobody writes pages by hand like that.
    rule(
        "bare_self_firing_handler",
        0.7,
        "=",
        rf"<\w[^<>\n]{{0,60}}[\s/\"'`\x00-\x1f]{_SELF_FIRING}[\s\x00-\x1f]{{0,4}}=[\s\x00-\x1f]"
        rf"{{0,4}}[^\s\"'{{]",
    ),
    rule("handler_after_slash", 0.7, "=", r"<[a-z!?][^<>\s]{0,60}/on[a-z]{3,40}\s{0,4}="),
    rule(
        "handler_on_drawing",
        0.6,
        "< &&& =",
        r"<(?:svg|math|marquee|details|keygen|isindex|x|video|"
        r"audio)\b[^<>]{0,80}[\s/]on[a-z]{3,40}\s{0,4}=",
    ),
    rule(
        "breakout_handler",
        0.8,
        "=",
        rf"[\"'`][\s/>]{{1,4}}(?:autofocus\s{{1,3}}|"
        rf"\w{{1,12}}=\S{{0,20}}\s)?on[a-z]{{3,40}}\s{{0,4}}=\s{{0,4}}[\"'`]?[^<>\n]{{0,40}}?(?"
        rf":{_RUN})(?![^<\n]{{0,60}}>)",
    ),
    rule(
        "script_element_runs",
        0.6,
        "<script",
        r"<script[^<>]{0,80}>[^<]{0,120}?(?:(?:alert|confirm|prompt|eval|atob|"
        r"unescape)\s{0,3}[(`#]"
        r"|document\s{0,3}\.\s{0,3}(?:cookie|domain|location)|fromcharcode|location\s{0,3}="
        r"|localstorage|onerror\s{0,3}=|['\"]https?:|['\"`]//\w|\\[xu][0-9a-f]{2}|throw |"
        r"parent\.|opener|constructor)",
    ),
    rule(
        "script_element_misshapen",
        0.75,
        "<script",
        r"<script(?:[/\x00-\x08\x0b\x0e-\x1f`\"'+<>#]{0,3}[/\x00-\x08\x0b\x0e-\x1f`\"'+<#\\=]|"
        r"[^<>]{0,60}<|\s{1,4}[\"'=`]|\s{1,4}\w{1,12}\s{0,3}=\s{0,3}[\"'`]{0,2}>)",
    ),
    rule(
        "script_source_bare",
        0.75,
        "<script",
        r"<script\s[^<>]{0,60}?(?:src|href)\s{0,3}=\s{0,3}(?:[a-z/\\]|[\"']?(?:data:|//\d|"
        r"[a-z]{3,8}:/?[^/\s]|/?\\))",
    ),
    rule(
        "script_after_breakout",
        0.7,
        "<script <svg <img <iframe",
        r"(?:[\"'`]\s{0,3}[)}\];]{0,4}\s{0,3}/?>|-->|</(?:title|style|script|textarea|"
        r"noscript|xmp|a)\s{0,3}>|\]\]>|%>)\s{0,4}<{1,2}(?:script|svg|img|iframe|body|details|"
        # One field after another is any form; what runs has a handler.
        r"input(?=[^<>]{0,200}?(?:on[a-z]{3,42}|formaction)\s{0,4}=))\b"
        r"(?![^<>]{0,80}(?:src|href)=\"(?:https?:)?/)(?![^<>]{0,60}>\s{0,4}</?(?:div|"
        r"span|p|a|li|td))",
    ),
    rule(
        "script_element_only",
        0.5,
        "</script",
        r"^[^<\w]{0,4}</script|<script>[^<>\n]{1,80}<\\?/script",
    ),
    rule(
        "script_in_odd_case",
        0.6,
        "<",
        r"<(?=[A-Za-z]{0,9}[A-Z])(?=[A-Za-z]{0,9}[a-z])(?:[sS][cC][rR][iI][pP][tT]|"
        r"[iI][mM][gG]|[sS][vV][gG]|[iI][fF][rR][aA][mM][eE]|"
        r"[bB][oO][dD][yY])\b(?!>)[^<>]{0,20}[\s/>=](?<!Img )(?<!Script )(?<!Body )",
        "cased",
    ),
    rule(
        "script_shouted",
        0.55,
        "<SCRIPT <IMG <IFRAME <META <BGSOUND <EMBED <OBJECT <LINK <BASE <LAYER <XML <FRAME "
        "<STYLE <BR <BODY <DIV <TABLE <A",
        r"<(?:SCRIPT|I(?:MG|FRAME|NPUT)|META|BGSOUND|EMBED|OBJECT|LINK|BASE|I?LAYER|XML|"
        r"FRAME(?:SET)?|STYLE|BR|BODY|DIV|TABLE|A)[\s/][^<]{0,80}(?:script|data:|http|//|"
        r"expression|alert|&)",
        "cased",
    ),
    rule(
        "link_to_number_host",
        0.5,
        "href",
        r"href\s{0,3}=\s{0,3}[\"']?(?:h\s{0,3}tt\s{0,3}ps?:)?//(?:\d{8,10}|0x[0-9a-f]{2}\.|"
        r"0\d{3}\.|\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}/?[\"'])",
    ),
    # A URL that is a program, in an attribute or standing at the start of an address.
    rule(
        "script_url",
        0.8,
        "javascript vbscript livescript java vb live &&& :",
        rf"(?:java|vb|live)\s{{0,3}}script\s{{0,3}}:(?!\s{{0,2}}(?:void|history|;|[\"']))"
        rf"(?:[^\s\w]{{1,60}}|[\s\w]{{0,3}})?[^<>\n]{{0,60}}?(?:{_RUN}|\\u?0|/\*|//|"
        rf"\w{{0,20}}\.title)",
    ),
    rule(
        "script_url_in_attribute",
        0.5,
        "javascript vbscript java vb &&& :",
        r"(?:src|href|action|data|lowsrc|dynsrc|background|formaction|content|url|code|to|"
        r"from|values|poster|folder|style|value)\s{0,3}[=(]\s{0,3}[\"'`]?\s{0,8}(?:java|"
        r"vb)script\s{0,3}:(?!\s{0,3}(?:void|history|;|[\"'#]|fn\b))",
    ),
    rule(
        "script_url_split",
        0.8,
        "j ja jav java javas &&& :",
        r"j[\s\\\x00-\x1f]{0,9}a[\s\\\x00-\x1f]{0,9}v[\s\\\x00-\x1f]{0,9}a[\s\\\x00-\x1f]{0,9}"
        r"s[\s\\\x00-\x1f]{0,9}c[\s\\\x00-\x1f]{0,9}r[\s\\\x00-\x1f]{0,9}i[\s\\\x00-\x1f]{0,9}"
        r"p[\s\\\x00-\x1f]{0,9}t[\s\\\x00-\x1f]{0,9}:(?<!javascript:)(?<!java script:)",
    ),
    rule(
        "document_url",
        0.75,
        "data:",
        r"data\s{0,3}:\s{0,3}(?:text/(?:html|xml|xsl|javascript)|image/svg|"
        r"application/(?:x?html|xml|javascript|x-)|,)[^<>\s]{0,60}(?:base64|<|script|alert|\))",
    ),
    rule(
        "style_runs_script",
        0.8,
        "expression -moz-binding behavi @import url( @font-face",
        r"expr\S{1,20}ession\s{0,3}\(|\bexpression\s{0,3}\(\s{0,3}(?:java|alert|write|confirm|"
        r"open|eval|document|window)|-moz-binding|behaviou?r\s{0,3}:\s{0,3}url|"
        r"@import\s{0,3}[\"']?\s{0,3}(?:url\()?[\"']?(?:data|javascript|//|https?://\d)|"
        r"url\s{0,3}\(\s{0,3}[\"']?\s{0,8}javascript|@font-face[^<>]{0,60}url\([\"']?//",
    ),
    rule(
        "refresh_to_program",
        0.7,
        "http-equiv",
        r"http-equiv\s{0,3}=\s{0,3}[\"']?refresh[\"']?\s{0,3}(?:>|$)|"
        r"http-equiv\s{0,3}=\s{0,3}[\"']?(?:refresh|link|set-cookie|"
        r"content-type)[^<>]{0,60}(?:javascript|data:|http://|<script|utf-7|=<)",
    ),
    rule(
        "embedding_bare",
        0.6,
        "<iframe <embed <object <frame <base <applet <layer <bgsound <isindex <x <link <meta "
        "<math <input <image <svg <video <xml <form <button <event",
        r"<(?:iframe|embed|object|frame(?:set)?|base|applet|i?layer|bgsound|isindex|image|"
        r"math|video|xml|event-source)\b[^<>]{0,80}?(?:src|href|data|code(?:base)?|srcdoc|"
        r"classid|movie|value)\s{0,3}=\s{0,3}"
        r"(?:[^\"'\s>/.]|[\"']\s{0,3}(?:javascript|vbscript|data:|//|clsid|mhtml|&|<)|//|"
        r"[\"']?https?://[^\"'>\s]{1,60}(?:evil|attack|\.(?:swf|xml|xsl|svg|htc)))",
    ),
    rule(
        "embedding_document",
        0.6,
        "srcdoc <xss <isindex <?xml-stylesheet <!entity <xsl: xlink:href <!--[if <comment",
        r"srcdoc\s{0,3}=|<(?:xss|isindex)\b|<\?xml-stylesheet|<!entity|<xsl:\w|"
        r"xlink:href\s{0,3}=\s{0,3}[\"']?\s{0,3}(?:javascript|data|//|#)|"
        r"<!--\[if[^<>]{0,20}\]>\s{0,3}<(?:script|img)",
    ),
    rule(
        "formaction_runs",
        0.75,
        "formaction",
        r"formaction\s{0,3}=\s{0,3}[\"']?\s{0,3}(?:java|data|//|https?://(?:evil|attack))",
    ),
    rule(
        "animated_attribute", 0.7, "attributename", r"<(?:set|animate)\b[^<>]{0,120}attributename"
    ),
    rule(
        "string_breakout",
        0.7,
        "alert( confirm( prompt( alert` eval(",
        r"[\"'`}\\](?:[;+\-*/^|&%,)\]}\s]{1,6})(?:top\.|window\.|self\.)?(?:alert|confirm|"
        r"prompt|eval)\s{0,3}[(`][^)`\n]{0,40}[)`]\s{0,3}(?:[;+\-*/^|&%,\[{(]{0,4}\s{0,2}[\"'`"
        r"]|//|<!--|;//)|[\"'`]\s{0,3}(?:\?|in\b|instanceof)\s{0,3}(?:alert|confirm|prompt)\(",
    ),
    rule(
        "function_by_reference",
        0.65,
        "alert eval prompt confirm",
        r"[=,(\[.{]\s{0,3}(?:alert|eval|prompt|"
        r"confirm)\s{0,3}[,;)\]}]\s{0,3}\w{0,12}\s{0,3}[\[(=;`\d]|\.(?:every|map|some|foreach|"
        r"filter|find|sort|call|apply)\s{0,3}(?:\(|`\s{0,3}\$\{)\s{0,3}(?:alert|eval|prompt|"
        r"confirm)\s{0,3}[)}]|"
        r"\[(?:\s|/\*\w{0,9}\*/){0,4}[\"'](?:alert|eval|cookie|prompt|confirm)[\"'](?:\s|"
        r"/\*\w{0,9}\*/){0,4}\]|\beval\((?:eval|\w\+\w)|/ale/\.source",
    ),
    rule(
        "element_out_of_use",
        0.5,
        "<embed <object <applet <frameset <layer <ilayer <bgsound <isindex vmlframe <xml: "
        "<?import <comment <xi: dataformatas",
        r"<:?(?:embed|object|applet|frameset|i?layer|bgsound|isindex|vmlframe|xml:namespace|"
        r"\?import)\b[^<>]{0,80}=|<xi:include|dataformatas\s{0,2}=",
    ),
    rule(
        "style_escaped",
        0.55,
        "style=",
        r"style\s{0,3}=\s{0,3}[\"'][^\"']{0,80}(?:(?:\\[0-9a-f]{1,6}\s?){2}|"
        r"binding\s{0,3}:\s{0,3}url|\x01)|</style>//",
    ),
    rule(
        "closes_everything",
        0.6,
        "--> ]]> </",
        r"[\"'`]{2}-->\]\]>|--></(?:script|noscript|title|style)|</title></style>|"
        r"</noscript></title>|(?:</(?:title|style|textarea|script|template|noembed|noscript|"
        r"xmp)>[^\w<]{0,6}){3}",
    ),
    rule("attribute_alone", 0.5, "=", r"^[\"'<\s]{0,4}on[a-z]{5,42}\s{0,3}="),
    rule(
        "server_side_include",
        0.7,
        "<!--#",
        r"<!--#\s{0,3}(?:exec|include|echo|printenv|set|config|fsize|flastmod)\b",
    ),
    rule(
        "program_in_pieces",
        0.7,
        "fromcharcode constructor \\u00 \\x unescape( atob( eval( "
        "[+ top[ self[ window[ this[ frames[",
        r"fromcharcode\s{0,3}\(\s{0,3}\d{2,3}\s{0,3},|"
        r"\.constructor\s{0,3}[\[(.]\s{0,3}\S{0,14}[\"'`(]|"
        r"\[\s{0,3}[\"']constructor[\"']\s{0,3}\]|"
        r"eval\s{0,3}\(\s{0,3}(?:atob|unescape|string|location|name|\+|\\|url|window\.name|"
        r"decodeuri)|(?:top|self|window|this|parent|"
        r"frames)\s{0,3}\[\s{0,3}[\"'/`(]\w{0,8}[\"'/`]?\s{0,3}(?:\+|\]\s{0,3}[(`]|\.source)|"
        r"\[\]\s{0,3}\[|\(!\[\]\s{0,3}\+|\[\s{0,3}object\.keys|(?:self|window|top)\[object",
    ),
    rule(
        "cookie_sent_away",
        0.75,
        "document.cookie document[ localstorage",
        r"(?:fetch|src|location|open|sendbeacon|href|xhr|image|worker|write|"
        r"href)\b[^\n]{0,60}[=(][^\n]{0,60}(?:\+|\{|,)\s{0,3}(?:document\.cookie|localstorage|"
        r"document\[)",
    ),
    rule(
        "dialog_of_a_test",
        0.5,
        "alert( confirm( prompt( alert` confirm` prompt`",
        r"(?:alert|confirm|prompt)\s{0,3}[(`]\s{0,3}(?:[\"'/`]{0,2}\s{0,2}(?:xss|\d{1,6}|"
        r"hacked|pwned|test)\s{0,2}[\"'/`!]{0,3}|document\.(?:cookie|domain|location)|"
        r"location|this|origin|string\.from)\s{0,3}[)`]",
    ),
    rule(
        "page_rewritten",
        0.5,
        "document.",
        r"document\s{0,3}\.\s{0,3}(?:write(?:ln)?|"
        r"body\.\w{5,20})\s{0,3}\(\s{0,3}[\"'`]\s{0,3}<(?:img|script|svg|iframe)",
    ),
)
