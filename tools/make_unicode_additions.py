#!/usr/bin/env python3
"""Writes src/tokenizer/unicode_additions.inc: characters newer than the system's Unicode tables.

The reference tokenizers know Unicode 16, Debian 12's PCRE2 and utf8proc know 14 and 15. The table
holds every code point that Python's unicodedata (of a Python 3.11: Unicode 14) calls unassigned and
the reference's regular expressions do not. The reference's Punctuation step and its normal forms have
older tables of their own (the latter of Unicode 9): the code points where that shows are listed too.

Needs the `tokenizers` package. Usage: make_unicode_additions.py > src/tokenizer/unicode_additions.inc
"""
import unicodedata

from tokenizers import Regex, normalizers, pre_tokenizers

CATEGORIES = "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cf".split()
POINTS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]


def matched(splitter):
    found = set()
    for start in range(0, len(POINTS), 50000):
        text = "".join(map(chr, POINTS[start : start + 50000]))
        for word, _ in splitter.pre_tokenize_str(text):
            found.update(map(ord, word))
    return found


def ranges(points):
    out = []
    for point in sorted(points):
        if out and out[-1][1] == point - 1:
            out[-1][1] = point
        else:
            out.append([point, point])
    return out


def changed_by(normalizer, form, point):
    """Whether the reference normalizes a character, alone and among marks, as Unicode does."""
    texts = [chr(point)]
    if unicodedata.combining(chr(point)):
        texts += ["a" + chr(point) + "\u0334", "a\u0301" + chr(point)]
    return any(normalizer.normalize_str(t) != unicodedata.normalize(form, t) for t in texts)


def unknown_to_normalizers():
    known = [(normalizers.NFC(), "NFC"), (normalizers.NFD(), "NFD"), (normalizers.NFKC(), "NFKC"), (normalizers.NFKD(), "NFKD")]
    return {p for p in POINTS if any(changed_by(n, form, p) for n, form in known)}


def marks_that_stay():
    strip = normalizers.StripAccents()
    return {p for p in POINTS if unicodedata.category(chr(p))[0] == "M" and strip.normalize_str(chr(p))}


def main():
    print("// Written by tools/make_unicode_additions.py; the reason is there.")
    print(f"// Base: Unicode {unicodedata.unidata_version}.")
    rows, punctuation = [], set()
    for category in CATEGORIES:
        regex = Regex(r"\p{%s}" % category)
        points = matched(pre_tokenizers.Split(regex, behavior="removed", invert=True))
        if category.startswith("P"):
            punctuation |= points
        new = [p for p in points if unicodedata.category(chr(p)) == "Cn"]
        rows += [(first, last, category) for first, last in ranges(new)]
    print("constexpr AddedRange kAdded[] = {")
    for first, last, category in sorted(rows):
        print(f"    {{0x{first:X}, 0x{last:X}, UTF8PROC_CATEGORY_{category.upper()}}},")
    print("};")
    kept = matched(pre_tokenizers.Punctuation(behavior="removed"))
    split_at = set(POINTS) - kept - set(range(128))
    for name, points in (("kNotPunctuation", punctuation & kept), ("kStillPunctuation", split_at - punctuation),
                         ("kNotNormalized", unknown_to_normalizers()), ("kNotAccents", marks_that_stay())):
        print(f"constexpr PointRange {name}[] = {{")
        for first, last in ranges(points):
            print(f"    {{0x{first:X}, 0x{last:X}}},")
        print("};")


if __name__ == "__main__":
    main()
