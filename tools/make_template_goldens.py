#!/usr/bin/env python3
"""Writes tests/golden/templates/cases.json: small templates of ours and what they render to.

The texts come from Transformers' renderer (jinja2), so this needs a Python with transformers. Run it
again after a change of the cases below; the tests need only the file.
"""

import json
import os
import pathlib
import sys
import time

os.environ["TZ"] = "UTC"
time.tzset()

import parity_templates  # noqa: E402  (after the time zone is set)

MESSAGES = [
    {"role": "system", "content": " Be brief. "},
    {"role": "user", "content": "Grüße & <b>你好</b> 🙂"},
    {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "f", "arguments": {"x": 1, "y": [True, None, 2.5]}}}]},
    {"role": "tool", "content": "42"},
]
VARIABLES = {
    "messages": MESSAGES,
    "text": "The quick brown Fox",
    "uni": "áÉß𝄞ñ",
    "lines": "one\ntwo\n\n  three\r\nfour",
    "empty": "",
    "n": 7,
    "f": 2.5,
    "yes": True,
    "no": False,
    "nil": None,
    "list": [3, 1, 2],
    "words": ["pear", "Apple", "fig", "apple"],
    "map": {"b": 1, "a": [1, {"c": "d"}], "items": "own"},
    "people": [
        {"name": "Ann", "age": 31, "tags": ["x"], "at": {"city": "Rom"}},
        {"name": "bob", "age": 25, "tags": [], "at": {"city": "Ulm"}},
        {"name": "Cy", "age": 31, "at": {"city": "rom"}},
    ],
    "bos_token": "<s>",
}

EXPRESSIONS = r"""
1 + 2 * 3 - 4 / 2 ; 7 // 2 ; -7 // 2 ; 7 % 3 ; -7 % 3 ; 7 % -3 ; 2 ** 10 ; 2 ** -1 ; 2 ** 3 ** 2 ; -2 ** 2
7.5 // 2 ; -7.5 // 2 ; 7.5 % 2 ; -7.5 % 2 ; 1e16 ; 1e15 ; 123456789.125 ; 1e-4 ; 1e-5 ; 1.0 ; 0.1 + 0.2 ; 1e300 * 1e10 ; -0.0
1_000 + 0x1F + 0b101 + 0o17 ; 1_0.5_0 ; 5e-1
true + true ; true and 0 ; 0 or "x" ; none or [] or "z" ; not none ; not 1 ; 1 and 2 and 3
"a" + "b" ~ 1 ~ none ~ true ; "ab" * 3 ; 3 * "ab" ; [1] * 2 + [2] ; (1, 2) + (3,) ; "a" "b" 'c'
1 < 2 < 3 ; 1 < 3 < 2 ; 1 == 1.0 ; true == 1 ; "a" < "b" ; [1, 2] < [1, 3] ; "a" != "b" ; (1, 2) >= (1, 1) ; none == none
1 in [1, 2] ; 4 not in [1, 2] ; "ell" in "hello" ; "a" in map ; "z" not in map ; 1 in (1,) ; "" in "" ; n in range(10)
text[0] ; text[-1] ; text[4:9] ; text[:3] ; text[-3:] ; text[::2] ; text[::-1] ; text[10:2:-2] ; text[100:] ; text[-100:3]
uni[3] ; uni[-1] ; uni[1:4] ; uni[::-1] ; uni|length ; uni|upper ; uni|lower ; uni.title() ; uni|capitalize
list[1] ; list[-1] ; list[1:] ; list[::-1] ; list[5] is defined ; (1, 2, 3)[1:] ; list[:-1] ; list[-2:][0]
map.b ; map["b"] ; map.a[1].c ; map["a"][1]["c"] ; map.missing is defined ; map["items"] ; map.get("b") ; map.get("q") ; map.get("q", 5)
"yes" if yes else "no" ; "yes" if no ; ("x" if nil) is defined ; 1 if no else 2 if no else 3
[1, "a", 2.0, none, true, [], {}, (1,), ()] ; {"a": 1, 2: "b", none: 'it''s'} ; ["it's", 'say "hi"', "both ' and \""]
["\n\t\\", "é\u200b", "\x07"] ; "\u00e9\x41\101" ; 'a\qb' ; "tab\there"
{"a": 1}.items() ; {"a": 1}.keys() ; {"a": 1}.values() ; range(3) ; range(1, 9, 3) ; range(3)|list ; range(5, 0, -2)|list
text.upper() ; text.lower() ; text.title() ; text.swapcase() ; "hELLO wORLD".capitalize() ; "they're bill's".title() ; text.casefold()
"  x y ".strip() ; "  x ".lstrip() ~ "|" ; "|" ~ "  x ".rstrip() ; "xxaxx".strip("x") ; "abcba".lstrip("ab") ; "abcba".rstrip("ab") ; "\u3000x\u2003".strip()
"a,b,,c".split(",") ; "a,b,c".split(",", 1) ; " a  b c ".split() ; " a  b c ".split(none, 1) ; "a,b,c".rsplit(",", 1) ; " a b c ".rsplit(none, 1) ; "a--b".split("--")[-1] ; "".split() ; "".split(",")
lines.splitlines() ; lines.splitlines(true) ; "a.b.c".partition(".") ; "a.b.c".rpartition(".") ; "abc".partition("x") ; "abc".rpartition("x")
text.startswith("The") ; text.startswith(("x", "T")) ; text.endswith("Fox") ; text.endswith(("a", "b")) ; text.startswith("quick", 4) ; "abc".startswith("")
text.find("quick") ; text.find("zz") ; text.rfind("o") ; text.count("o") ; text.index("b") ; uni.find("ñ") ; "aaa".count("a", 1) ; "aaa".find("a", 1, 2) ; "abc".count("")
text.replace("quick", "slow") ; "aaa".replace("a", "b", 2) ; "abc".replace("", "-") ; "-".join(["a", "b"]) ; ", ".join("abc")
"abc".center(7) ~ "|" ; "abc".center(8, "*") ; "abcd".center(7, "*") ; "7".zfill(3) ; "-7".zfill(4) ; "x".ljust(3) ~ "|" ; "x".rjust(3, ".") ; "a\tb".expandtabs(4)
"abc".isalpha() ; "12".isdigit() ; "1a".isalnum() ; " ".isspace() ; "AB".isupper() ; "ab1".islower() ; "".isalpha() ; "²".isdigit() ; "½".isnumeric() ; "Ab Cd".istitle() ; "a_1".isidentifier() ; "é".isascii()
"abc".removeprefix("a") ; "abc".removesuffix("c") ; "abc".removeprefix("x")
"{} and {}".format(1, "b") ; "{1}{0}".format("a", "b") ; "{x:>5}|{y:<4}|{z:^5}".format(x=1, y="ab", z="c") ; "{:05.2f} {:,} {:x} {:+d} {:%}".format(3.14159, 1234567, 255, 5, 0.25) ; "{0[a]} {0.b}".format({"a": 1, "b": 2}) ; "{{}}".format() ; "{!r}".format("a") ; "{:{}}".format("x", 4) ~ "|"
"%s and %d" % ("a", 3) ; "%5.1f|%-5s|%05d|%x" % (2.25, "ab", 42, 255) ; "%(a)s" % {"a": 1} ; "100%%" % () ; "%s" % none ; "%r" % "x" ; "%s" % [1] ; "%e" % 12345.678 ; "%g" % 0.0001 ; "%+d" % 3 ; "%s|" % missing ; "x" % missing ; "x" % [] ; "%c" % 65 ; "%s %s"|format("a", "b")
list|sort ; list|sort(reverse=true) ; words|sort ; words|sort(case_sensitive=true) ; people|sort(attribute="age,name")|map(attribute="name")|list ; people|sort(attribute="at.city")|map(attribute="name")|join(",")
list|first ; list|last ; []|first is defined ; "abc"|first ; "abc"|last ; list|length ; map|length ; list|count ; ""|length
list|join(", ") ; list|join ; people|join("+", attribute="name") ; [1, none, true]|join("-") ; list|sum ; people|sum(attribute="age") ; list|sum(start=10) ; [1.5, 2]|sum
list|min ; list|max ; words|min ; words|max ; people|max(attribute="age") == people[0] ; []|min is defined ; list|unique|list ; words|unique|list ; people|unique(attribute="age")|map(attribute="name")|list
list|map("string")|list ; words|map("upper")|list ; people|map(attribute="name")|list ; people|map(attribute="tags", default="-")|list ; people|map(attribute="at.city")|list ; words|map("replace", "p", "b")|join ; [[1, 2], [3]]|map("first")|list ; nil|map("upper")|list
[0, 1, "", "a", none]|select|list ; [0, 1, 2]|reject|list ; range(6)|select("odd")|list ; range(6)|reject("odd")|list ; range(6)|select("divisibleby", 3)|list ; list|select("gt", 1)|list ; list|select("in", [1, 2])|list
people|selectattr("age", "equalto", 31)|map(attribute="name")|list ; people|rejectattr("age", "equalto", 31)|map(attribute="name")|list ; people|selectattr("tags")|map(attribute="name")|list ; people|selectattr("tags", "defined")|list|length ; people|selectattr("at.city", "==", "Rom")|list|length
list|reverse|list ; "abc"|reverse ; list|list ; "ab"|list ; map|list ; range(7)|batch(3)|list ; range(7)|batch(3, "x")|list ; range(7)|slice(3)|list ; range(7)|slice(3, "x")|list
map|dictsort ; {"b": 1, "A": 2}|dictsort ; {"b": 1, "A": 2}|dictsort(true) ; {"b": 1, "a": 2}|dictsort(by="value") ; {"b": 1, "a": 2}|dictsort(reverse=true) ; map|items|list ; nothing|items|list
people|groupby("age")|map("first")|list ; people|groupby("at.city")|map("list")|map("last")|map("length")|list ; (people|groupby("age"))[0].grouper ; (people|groupby("age"))[1].list|length
"  x "|trim ; "xxaxx"|trim("x") ; "hello world"|title ; "foo-bar (baz)"|title ; "HELLO"|capitalize ; "Hello"|upper ; "Hello"|lower ; 5|upper ; none|upper
"a<b>&'\""|e ; "a<b>"|escape|escape ; "<b>"|safe ~ "<i>" ; ("<b>"|safe) + "<i>" ; "<i>" + ("<b>"|safe) ; "<b>"|forceescape ; "<b>"|safe|upper ; ["<"|safe, "<"] ; ("<%s>"|safe) % "<"
lines|indent ; lines|indent(2, true) ; lines|indent("> ") ; lines|indent(2, first=true, blank=true) ; "a\n"|indent
3.14159|round(2) ; 2.5|round ; 3.5|round ; 2.675|round(2) ; 1234|round(-2) ; 2.1|round(0, "ceil") ; 2.9|round(method="floor") ; 42.55|round(1, "floor") ; 7|round ; -2.5|round
"42"|int ; "42.9"|int ; "x"|int ; "x"|int(5) ; "0x1f"|int(0, 16) ; " 12 "|int ; 3.99|int ; -3.99|int ; none|int(3) ; "1_000"|int ; true|int ; "1e3"|int
"1.5"|float ; "x"|float ; "x"|float(2.5) ; 3|float ; "1e3"|float ; "inf"|float ; "-0"|float ; " 1_0.5 "|float ; -5|abs ; 5.5|abs ; true|abs
missing|default("d") ; nil|default("d") ; nil|default("d", true) ; ""|d("e", boolean=true) ; missing|default ; missing.x is defined if missing is defined else "-" ; 0|default(1, true)
text|replace("o", "0") ; "aaa"|replace("a", "b", 2) ; 123|replace(2, "x") ; text|wordcount ; "don't stop"|wordcount ; text|truncate(12) ; text|truncate(12, true) ; text|truncate(10, true, "…", 0) ; text|center(30) ~ "|" ; "a b&c/d"|urlencode ; {"a b": "c&d"}|urlencode
1000|filesizeformat ; 1500000|filesizeformat ; 1500000|filesizeformat(true) ; 1|filesizeformat ; 999|filesizeformat
map|attr("get") is callable ; map|attr("b") is defined ; text|string ; 5|string + "a" ; [1]|string ; 2.0|string
messages|tojson ; map|tojson(indent=2) ; map|tojson(indent=4)|length ; uni|tojson ; uni|tojson(ensure_ascii=true) ; {"b": 1, "a": 2}|tojson(sort_keys=true) ; [1, 2]|tojson(separators=(",", ":")) ; "</x>&'\"\n\t\x01\x7f"|tojson ; [1.0, 1e20, 0.1, none, true]|tojson ; {1: 2, none: 3, true: 4, 1.5: 6}|tojson ; []|tojson(indent=2) ; {}|tojson(indent=2) ; [[], {}, [1]]|tojson(indent=1) ; (1, 2)|tojson ; map|tojson(indent="--")
n is defined ; missing is defined ; missing is undefined ; nil is none ; nil is not none ; n is number ; f is float ; n is integer ; yes is integer ; yes is number ; yes is boolean ; text is string ; map is mapping ; list is iterable ; n is iterable ; list is sequence ; map is sequence ; text is sequence ; missing is sequence ; missing is iterable
yes is true ; yes is false ; no is false ; n is true ; 1 is true ; n is odd ; n is even ; 9 is divisibleby 3 ; 9 is divisibleby(4) ; n is eq 7 ; n is equalto(7) ; n is ne 7 ; n is gt 3 ; n is ge(7) ; n is lt 3 ; n is le 7 ; n is lessthan 9 ; n is greaterthan 9 ; n is == 7 if false else 1
n is in [7, 8] ; n is not in [7] ; "a" is in "abc" ; nil is sameas none ; yes is sameas true ; "ab" is lower ; "AB" is upper ; "Ab" is lower ; range is callable ; n is callable ; text.upper is callable ; "upper" is filter ; "nosuch" is filter ; "odd" is test ; "x"|safe is escaped ; "x" is escaped
namespace(a=1).a ; namespace({"b": 2}).b ; dict(a=1, b=2) ; dict([("a", 1)]) ; dict({"x": 1}, y=2) ; namespace(a=[1]) ; namespace().x is defined
map.items ; map.pop is defined ; list.append is defined ; text.__class__ is defined ; map.__len__ is defined ; list.index(1) ; list.count(3) ; map.copy() ; missing ; [missing]
strftime_now("%Y-%m-%d") ; strftime_now("%d %b %Y, %H:%M:%S %A %j %%") ; strftime_now("%z%Z|%f|%B")
people|map(attribute="at")|map(attribute="city")|join("/") ; (people|selectattr("name", "in", ["bob"])|first).age ; messages[1:]|map(attribute="role")|join ; messages|selectattr("tool_calls", "defined")|map(attribute="tool_calls")|first ; messages[::-1]|map(attribute="role")|list
[1, 2, 3].index(2) ; (1, 2).count(1) ; "abc"[1].upper() ; "a-b".split("-")[0]|upper|lower ; (1, 2) == (1, 2) ; [1] == (1,) ; {"a": 1} == {"a": 1.0} ; 1.0 in [1] ; "1" == 1
n|string|length ; n ~ "" ; -n ; +n ; -f ; +yes ; not yes == no ; (n, f)[1] ; [n][0] ; {"k": n}.k ; {"k": n}["k"] ; 5|string|int + 1 ; -5|abs ; 1 - -1
""" + "\n"

TEMPLATES = {
    "trim blocks": "a\n{% if yes %}\nb\n{% endif %}\nc\n",
    "lstrip blocks": "a\n   {% if yes %}  \n  b\n   {% endif %}\nc   {% if no %}{% endif %}\n",
    "lstrip after tag": "{% if yes %}   {% if yes %} x {% endif %}{% endif %}",
    "minus signs": "a  \n {%- if yes -%}  \n b \n {%- endif -%} \n c {{- n -}}  d",
    "plus signs": "  {%+ if yes +%}\n x\n  {%+ endif %}\n{{ n }}\n\n",
    "variables keep newline": "{{ n }}\n{{ n }}\n",
    "minus before minus": "{{-1}}{{ -1 }}{{- -1 }}",
    "comments": "a {# x #} b {#- y -#} c\n   {# z #}\nd{# {% if #}\n",
    "comment plus": "a\n  {#+ x +#}\nb",
    "raw": "{% raw %}{{ x }} {% if %}{# no #}{% endraw %}\nb {%- raw -%}  {{ y }}  {%- endraw -%}  c",
    "carriage returns": "a\r\n{% if yes %}\r\nb\r{% endif %}\r\nc\r\n",
    "final newlines": "a\n\n",
    "if chain": "{% for x in [0, 1, 2, 3] %}{% if x == 0 %}a{% elif x == 1 %}b{% elif x == 2 %}c{% else %}d{% endif %}{% endfor %}",
    "if tuple": "{% if 1, 2 %}t{% endif %}{% if () %}f{% else %}g{% endif %}",
    "for": "{% for m in messages %}{{ loop.index }}/{{ loop.length }} {{ m.role }}{{ ', ' if not loop.last }}{% endfor %}",
    "for else": "{% for x in [] %}x{% else %}none{% endfor %}{% for x in nothing %}{% else %}undefined{% endfor %}",
    "for else after break": "{% for x in [1] %}{% break %}{% else %}E{% endfor %}|{% for x in [1, 2] %}{% if x == 2 %}{% break %}{% endif %}{% else %}E{% endfor %}|{% for x in [1] %}{% continue %}{% else %}E{% endfor %}",
    "for filter": "{% for x in range(10) if x is odd %}{{ loop.index }}:{{ x }}{{ '!' if loop.last }} {% endfor %}",
    "for filter length": "{% for x in range(10) if x > 6 %}{{ x }} of {{ loop.length }} r{{ loop.revindex }},{{ loop.revindex0 }} {% endfor %}",
    "for filter sees state": "{% set ns = namespace(stop=false) %}{% for x in range(9) if not ns.stop %}{{ x }}{% if x == 3 %}{% set ns.stop = true %}{% endif %}{% endfor %}",
    "for unpacking": "{% for k, v in map.items() %}{{ k }}={{ v }};{% endfor %}{% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}",
    "for over dict and text": "{% for k in map %}{{ k }},{% endfor %}{% for c in 'aé𝄞' %}[{{ c }}]{% endfor %}",
    "for tuple": "{% for x in 1, 2, 3 %}{{ x }}{% endfor %}",
    "loop variables": "{% for x in 'abc' %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.depth }}{{ loop.depth0 }} {{ loop.previtem }}<{{ x }}>{{ loop.nextitem }} {{ loop.cycle('o', 'e') }}\n{% endfor %}",
    "loop changed": "{% for x in [1, 1, 2, 2, 1] %}{{ x if loop.changed(x) else '.' }}{% endfor %}",
    "nested loops": "{% for a in [1, 2] %}{% set outer = loop %}{% for b in [3, 4] %}{{ outer.index }}{{ loop.index }}{{ a }}{{ b }} {% endfor %}{% endfor %}",
    "recursive loop": "{% for x in [{'n': 'a', 'c': [{'n': 'b', 'c': []}]}, {'n': 'd', 'c': []}] recursive %}{{ loop.depth }}{{ x.n }}{% if x.c %}({{ loop(x.c) }}){% endif %}{% endfor %}",
    "break and continue": "{% for x in range(9) %}{% if x == 1 %}{% continue %}{% endif %}{% if x == 4 %}{% break %}{% endif %}{{ x }}{% endfor %}",
    "break in nested": "{% for a in [1, 2] %}{% for b in [1, 2, 3] %}{% if b == 2 %}{% break %}{% endif %}{{ a }}{{ b }} {% endfor %}-{% endfor %}",
    "loop scope": "{% set x = 0 %}{% for i in [1, 2] %}{{ x }}{% set x = i %}{{ x }} {% endfor %}{{ x }}",
    "loop keeps names inside": "{% for i in [1] %}{% set y = i %}{% endfor %}{{ y is defined }}",
    "if scope": "{% if yes %}{% set z = 5 %}{% endif %}{{ z }}",
    "namespace": "{% set ns = namespace(found=false, n=0) %}{% for i in range(4) %}{% set ns.n = ns.n + i %}{% if i == 2 %}{% set ns.found = true %}{% endif %}{% endfor %}{{ ns.found }} {{ ns.n }} {{ ns['n'] }}",
    "namespace tuple": "{% set ns = namespace() %}{% set ns.a, ns.b = 1, [2] %}{{ ns.a }}{{ ns.b }}{% set ns.c %}text{% endset %}{{ ns.c }}",
    "set": "{% set a = 1 %}{% set b, c = 2, 3 %}{% set d = 4, 5 %}{{ a }}{{ b }}{{ c }}{{ d }}{% set (e, f) = 'xy' %}{{ e }}{{ f }}",
    "set block": "{% set x %}a{{ n }}b{% endset %}[{{ x }}]{% set y | upper | replace('A', '-') %}abc{% endset %}[{{ y }}]",
    "set context variable": "{% set bos_token = bos_token + '!' %}{{ bos_token }}",
    "filter block": "{% filter upper %}abc {{ text }}{% endfilter %}{% filter replace('a', 'b')|upper %}banana{% endfilter %}",
    "with": "{% with a = 1, b = n %}{{ a }}{{ b }}{% set c = 2 %}{{ c }}{% endwith %}{{ a is defined }}{{ c is defined }}{% with %}x{% endwith %}",
    "macro": "{% macro f(a, b=2, c='x') %}[{{ a }}{{ b }}{{ c }}]{% endmacro %}{{ f(1) }}{{ f(1, 3) }}{{ f(1, c='y') }}{{ f(b=5, a=4) }}{{ f() }}",
    "macro defaults": "{% macro f(a, b=a ~ '!') %}{{ a }}{{ b }}{% endmacro %}{{ f('x') }}{{ f('x', 'y') }}",
    "macro varargs": "{% macro f(a) %}{{ a }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ f(1, 2, 3, x=4) }}{{ f(1) }}",
    "macro star": "{% macro f(a, b, c=0) %}{{ a }}{{ b }}{{ c }}{% endmacro %}{{ f(*[1, 2]) }}{{ f(1, **{'b': 3, 'c': 4}) }}{{ f(*(1, 2), c=9) }}",
    "macro sees names": "{% set g = 'G' %}{% macro f() %}{{ g }}{{ late is defined }}{{ bos_token }}{% endmacro %}{{ f() }}{% set late = 1 %}{{ f() }}",
    "macro recursion": "{% macro f(n) %}{{ n }}{% if n > 0 %}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(5) }}",
    "macro attributes": "{% macro f(a, b) %}{{ varargs }}{% endmacro %}{{ f.name }} {{ f.arguments }} {{ f.catch_varargs }} {{ f.catch_kwargs }} {{ f.caller }}",
    "macro text": "{% macro f() %}<x>{% endmacro %}{{ f() ~ '&' }}{{ f()|length }}{{ f }}",
    "call block": "{% macro box(t) %}<{{ t }}>{{ caller() }}</{{ t }}>{% endmacro %}{% call box('a') %}in {{ n }}{% endcall %}",
    "call block arguments": "{% macro each(l) %}{% for x in l %}{{ caller(x, loop.index) }}{% endfor %}{% endmacro %}{% call(x, i) each([5, 6]) %}{{ i }}:{{ x }} {% endcall %}",
    "caller undefined": "{% macro f() %}{{ caller is defined }}{% endmacro %}{{ f() }}",
    "generation": "{% for m in messages %}{% generation %}\n{{ m.role }}{% set v = 1 %}\n{% endgeneration %}\n{{ v is defined }}{% endfor %}",
    "block": "a{% block x %}b{{ n }}{% endblock x %}c",
    "print": "{% print n, 'a' %}",
    "joiner and cycler": "{% set j = joiner('; ') %}{% set c = cycler('a', 'b') %}{% for x in range(3) %}{{ j() }}{{ c.next() }}{{ c.current }}{% endfor %}{{ c.reset() }}{{ c.next() }}",
    "generators run once": "{% set g = list|map('string') %}{{ g|join }}-{{ g|join }}-{{ 'true' if g else 'false' }}",
    "generator first": "{% set g = list|select %}{{ g|first }}{{ g|list }}",
    "generator item": "{{ (list|map('string'))[0] is defined }}",
    "reversed list twice": "{% set r = list|reverse %}{{ r|list }}{{ r|list }}",
    "dict attribute before item": "{{ map.items is callable }}{{ map['items'] }}{{ {'get': 1}.get is callable }}",
    "groups": "{% for g in people|groupby('age') %}{{ g.grouper }}:{% for p in g.list %}{{ p.name }} {% endfor %}{% endfor %}{% for k, v in people|groupby('age') %}{{ k }}{{ v|length }}{% endfor %}",
    "braces in braces": "{{ {'a': {'b': 1}} }}{{ {'a': {}}}}",
    "colon after tag": "{% if yes: %}x{% endif %}{% for x in [1]: %}{{ x }}{% endfor %}",
    "multi-line tag": "{{ [\n 1,\n 2,\n] }}{% if yes\n and n %}x{% endif %}",
    "test with filter": "{{ 'a' is string and 'b' is string }}{{ n is number and not no }}{{ (n is even) or yes }}{{ not n is even }}",
    "attribute by number": "{{ list.0 }}{{ people.1.name }}",
    "undefined in filters": "{{ nothing|join }}{{ nothing|list }}{{ nothing|length }}{{ nothing|string }}{{ nothing|upper }}{{ nothing|trim }}x",
    "undefined else": "{{ nothing ~ 'x' }}{{ nothing == nothing2 }}{{ nothing == none }}{{ 1 in nothing }}{{ nothing is none }}{% if nothing %}a{% endif %}",
    "typical chat": "{%- if messages[0]['role'] == 'system' -%}\n    {%- set system = messages[0]['content']|trim %}\n    {%- set loop_messages = messages[1:] %}\n{%- else %}\n    {%- set loop_messages = messages %}\n{%- endif -%}\n{{ bos_token }}{{ system }}\n{%- for message in loop_messages %}\n    {%- if message.tool_calls is defined and message.tool_calls %}\n        {{- '<call>' + message.tool_calls[0].function|tojson + '</call>' }}\n    {%- else %}\n        {{- '<|' + message['role'] + '|>\\n' + message['content'] + '\\n' }}\n    {%- endif %}\n{%- endfor %}\n{%- if add_generation_prompt is defined %}x{% endif %}",
}

REFUSED = {
    "call needs caller": "{% macro f() %}x{% endmacro %}{% call f() %}y{% endcall %}",
    "raise": "{{ raise_exception('no ' ~ n) }}",
    "attribute of undefined": "{{ nothing.x }}",
    "item of undefined": "{{ nothing['x'] }}",
    "undefined plus": "{{ nothing + 1 }}",
    "plus undefined": "{{ 'a' + nothing }}",
    "text plus number": "{{ 'a' + 1 }}",
    "text plus none": "{{ 'a' + none }}",
    "list plus tuple": "{{ [1] + (1,) }}",
    "compare types": "{{ 1 < 'a' }}",
    "compare none": "{{ none < 1 }}",
    "compare dicts": "{{ {} < {} }}",
    "iterate number": "{% for x in 5 %}{% endfor %}",
    "iterate none": "{% for x in none %}{% endfor %}",
    "length of number": "{{ 5|length }}",
    "length of generator": "{{ (list|map('string'))|length }}",
    "last of generator": "{{ (list|map('string'))|last }}",
    "json of generator": "{{ (list|map('string'))|tojson }}",
    "json of undefined": "{{ nothing|tojson }}",
    "json of undefined inside": "{{ [nothing]|tojson }}",
    "json of items": "{{ map.items()|tojson }}",
    "division by zero": "{{ 1 / 0 }}",
    "modulo by zero": "{{ 1 % 0 }}",
    "float modulo by zero": "{{ 1.5 % 0 }}",
    "unknown filter": "{{ n|nosuch }}",
    "unknown test": "{{ n is nosuch }}",
    "unknown function": "{{ nosuch() }}",
    "unknown tag": "{% nosuch %}",
    "do is no tag": "{% do list.append(1) %}",
    "call of text": "{{ text() }}",
    "append": "{{ list.append(1) }}",
    "pop": "{{ map.pop('b') }}",
    "update": "{{ map.update({}) }}",
    "dunder": "{{ text.__class__.__mro__ }}",
    "set item": "{% set map['b'] = 1 %}",
    "set attribute": "{% set map.b = 1 %}",
    "namespace underscore": "{% set ns = namespace() %}{% set ns._x = 1 %}",
    "namespace underscore argument": "{{ namespace(_x=1) }}",
    "unhashable key": "{{ {[]: 1} }}",
    "unhashable member": "{{ [] in {} }}",
    "number in text": "{{ 1 in 'a1' }}",
    "unpack too few": "{% set a, b = [1] %}",
    "unpack too many": "{% for a, b in [[1, 2, 3]] %}{% endfor %}",
    "macro surplus": "{% macro f(a) %}{% endmacro %}{{ f(1, 2) }}",
    "macro unknown keyword": "{% macro f(a) %}{% endmacro %}{{ f(b=2) }}",
    "slice step zero": "{{ list[::0] }}",
    "slice by text": "{{ list['a':] }}",
    "slice of dict": "{{ map[1:] }}",
    "index of missing": "{{ 'abc'.index('x') }}",
    "empty separator": "{{ 'abc'.split('') }}",
    "join of numbers": "{{ ','.join([1]) }}",
    "format missing": "{{ '{}'.format() }}",
    "percent missing": "{{ '%s %s' % ('a',) }}",
    "percent surplus": "{{ '%s' % ('a', 'b') }}",
    "percent type": "{{ '%d' % 'a' }}",
    "huge range": "{{ range(1000000)|length }}",
    "range of float": "{{ range(1.5) }}",
    "range step zero": "{{ range(1, 5, 0) }}",
    "break outside": "{% break %}",
    "open if": "{% if yes %}x",
    "open tag": "{% if yes",
    "open variable": "{{ n ",
    "open comment": "{# n ",
    "open raw": "{% raw %} x",
    "open text": "{{ 'abc }}",
    "open bracket": "{{ [1, 2 }}",
    "wrong bracket": "{{ (1] }}",
    "empty variable": "{{ }}",
    "surplus end": "{% endif %}",
    "two operators": "{{ 1 + * 2 }}",
    "default order": "{% macro f(a=1, b) %}{% endmacro %}",
    "assign to constant": "{% set true = 1 %}",
    "assign to loop": "{% for x in [1] %}{% set loop = 1 %}{% endfor %}",
    "loop as target": "{% for loop in [1] %}{% endfor %}",
    "keyword twice": "{{ dict(a=1, a=2) }}",
    "positional after keyword": "{{ dict(a=1, 2) }}",
    "bad character": "{{ n ? 1 }}",
    "not recursive": "{% for x in [[1]] %}{{ loop(x) }}{% endfor %}",
    "include": "{% include 'x' %}",
    "indent of number": "{{ 5|indent }}",
    "sum of texts": "{{ ['a']|sum }}",
    "sort of mixed": "{{ [1, 'a']|sort }}",
    "abs of text": "{{ 'a'|abs }}",
    "round of text": "{{ 'a'|round }}",
    "first of number": "{{ 5|first }}",
    "int of undefined": "{{ nothing|int }}",
    "dictsort of list": "{{ list|dictsort }}",
    "items of list": "{{ list|items|list }}",
    "map without filter": "{{ list|map|list }}",
    "map with unknown filter": "{{ list|map('nosuch')|list }}",
    "select with unknown test": "{{ list|select('nosuch')|list }}",
    "filter surplus argument": "{{ text|upper(1) }}",
    "replace without argument": "{{ text|replace('a') }}",
    "odd text": "{{ 'a' is odd }}",
    "negative power of zero": "{{ 0 ** -1 }}",
}


def expression_cases():
    """(name, template) for every expression above; the separators are ' ; '."""
    for line_number, line in enumerate(EXPRESSIONS.strip().splitlines(), 1):
        for number, expression in enumerate(line.split(" ; "), 1):
            yield f"expression {line_number}.{number}", "{{ " + expression.strip() + " }}"


def main():
    reference = parity_templates.Reference()
    cases = []
    for name, template in [*expression_cases(), *TEMPLATES.items(), *REFUSED.items()]:
        text, why = reference.render(template, VARIABLES)
        # An address in a text differs from run to run, and means nothing to us.
        if text is not None and " at 0x" in text:
            continue
        case = {"name": name, "template": template}
        if text is None:
            case["error"] = why
        else:
            case["text"] = text
        if (text is None) != (name in REFUSED) and not name.startswith("expression"):
            print(f"{name}: {text!r} {why}", file=sys.stderr)
        if name.startswith("expression") and text is None:
            print(f"{name}: {template}: {why}", file=sys.stderr)
        cases.append(case)
    folder = pathlib.Path(__file__).parent.parent / "tests" / "golden" / "templates"
    folder.mkdir(parents=True, exist_ok=True)
    data = {"time": parity_templates.FIXED_TIME, "variables": VARIABLES, "cases": cases}
    (folder / "cases.json").write_text(json.dumps(data, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(f"{len(cases)} cases")


if __name__ == "__main__":
    main()
