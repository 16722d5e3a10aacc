#!/usr/bin/env python3
"""Writes the man page of a file format from its page in docs/formats, so that the two never differ.

    format_page.py PAGE.md NAME SECTION VERSION > page

It knows what those pages use: headings, paragraphs, fenced examples, tables, and `code` in a line.
"""
import re, sys
from program_page import roff


def inline(text):
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)  # a link's text
    return re.sub(r"\*\*([^*]+)\*\*|`([^`]+)`", lambda found: rf"\fB{found[1] or found[2]}\fR", roff(text))


def page(source, name, section, version):
    title, *lines = source.rstrip("\n").split("\n")
    summary = re.sub(r"\s*\([^)]*\)$", "", title.removeprefix("# ")).replace("`", "")
    out = [f'.TH {name.upper()} {section} "" "AI WAN {version}" "AI WAN"', ".SH NAME", rf"{roff(name)} \- {roff(summary)} of AI WAN",
           ".SH DESCRIPTION"]
    while not lines[0].strip():
        del lines[0]
    verbatim = table = False
    for line in lines:
        if line.startswith("```"):
            verbatim = not verbatim
            out += [".PP", ".nf", ".RS 2"] if verbatim else [".RE", ".fi"]
        elif verbatim:
            out.append(roff(line))
        elif line.startswith("|"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if set("".join(cells)) <= set("-: "):
                table = True
            elif table:
                out += [".TP", inline(cells[0]), "; ".join(inline(cell) for cell in cells[1:] if cell)]
        elif line.startswith("#"):
            out.append(f'.SH "{line.lstrip("# ").upper()}"')
        elif not line.strip():
            out.append(".PP")
            table = False
        elif line.startswith("- "):
            out += [r".IP \(bu 2", inline(line[2:])]
        else:
            out.append(inline(line.strip()))
    kept = [line for line, following in zip(out, [*out[1:], ".PP"]) if line != ".PP" or following[:3] not in (".PP", ".SH", ".TP", ".IP")]
    return "\n".join(kept) + "\n.SH \"SEE ALSO\"\n.BR aiwand (8),\n.BR aiwanctl (1),\n.BR aiwan\\-dataplane (8)\n"


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        sys.stdout.write(page(file.read(), *sys.argv[2:5]))
