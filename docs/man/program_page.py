#!/usr/bin/env python3
"""Writes the man page of a program from what its --help says, so that the two never differ.

    program_page.py PROGRAM SECTION VERSION [EXTRA] > page

EXTRA is roff that ends the page: files, see also. The helps of all our programs have one form: description, usage,
Positionals, Options, Subcommands, then a footer of paragraphs, examples and `Exit status:`.
"""
import re, subprocess, sys


def help_of(program, *command):
    return subprocess.run([program, *command, "--help"], check=True, capture_output=True, text=True).stdout


def roff(text):
    """Text as roff shows it: no escapes, and no line that begins a request."""
    text = text.replace("\\", r"\e").replace("-", r"\-")
    return "\n".join(r"\&" + line if line[:1] in ".'" else line for line in text.split("\n"))


def parts_of(help_text):
    """A help's description; its sections' (term, description) pairs; its footer."""
    lines = help_text.rstrip("\n").split("\n")
    usage = next(at for at, line in enumerate(lines) if line.startswith("Usage: "))
    description = " ".join(lines[:usage])
    sections, footer, section = {}, [], None
    for line in lines[usage + 1:]:
        heading = re.fullmatch(r"(Positionals|Options|Subcommands):", line)
        if heading and not footer:
            section = sections.setdefault(heading[1], [])
        elif section is not None and not footer and line.startswith("  "):
            if line.startswith(" " * 20):  # the description alone
                term, text = section.pop()
                section.append((term, (text + " " + line.strip()).strip()))
            else:
                left = line[:30]  # a term too wide for it has its description on the lines that follow
                wide = len(line) > 29 and (line[29] != " " or left.count("[") != left.count("]"))
                section.append((line.strip(), "") if wide else (left.strip(), line[30:]))
        elif line.strip() or footer:
            footer.append(line)
    return description, sections, footer


def terms(pairs):
    out = []
    for term, text in pairs:
        out += [".TP", rf"\fB{roff(term)}\fR", roff(text or "")]
    return out


def body(footer):
    """The footer's paragraphs; indented lines stay as they are."""
    out, verbatim = [], False
    for line in footer + [""]:
        listed = re.fullmatch(r"  ([0-6]|[A-Z_]{5,})  +(.*)", line)
        if line.startswith("  ") and not listed:
            if not verbatim:
                out += [".nf", ".RS 2"]
                verbatim = True
            out.append(roff(line[2:]))
            continue
        if verbatim:
            out += [".RE", ".fi"]
            verbatim = False
        if listed:
            out += [".TP", rf".B {roff(listed[1])}", roff(listed[2])]
        elif not line.strip():
            out.append(".PP")
        elif re.fullmatch(r"(Exit status|Environment):", line):
            out.append(f'.SH "{line[:-1].upper()}"')
        elif line == "Examples:":
            out += [".PP", r"\fBExamples\fR", ".br"]
        else:
            out.append(roff(line))
    return [line for line, following in zip(out, [*out[1:], ".PP"]) if line != ".PP" or following[:3] not in (".PP", ".SH", ".TP")]


def page(program, section, version, extra):
    name = program.rsplit("/", 1)[-1]
    description, sections, footer = parts_of(help_of(program))
    summary = re.sub(rf"^{re.escape(name)}: ", "", description).rstrip(".")
    synopsis = f".B {roff(name)}\n[\\fIOPTIONS\\fR]" + (" \\fICOMMAND\\fR ..." if "Subcommands" in sections else "")
    out = [f'.TH {name.upper()} {section} "" "AI WAN {version}" "AI WAN"', ".SH NAME", rf"{roff(name)} \- {roff(summary)}",
           ".SH SYNOPSIS", synopsis, ".SH OPTIONS", *terms(sections["Options"])]
    if "Subcommands" in sections:
        out.append(".SH COMMANDS")
        for command, _ in sections["Subcommands"]:
            about, own, end = parts_of(help_of(program, command))
            arguments = "".join(f" \\fI{roff(term.split()[0])}\\fR" for term, _ in own.get("Positionals", []))
            out += [f'.SS "{command}{arguments} [OPTIONS]"', roff(about) + ".", *terms(own.get("Positionals", [])),
                    *terms(pair for pair in own["Options"] if pair[0] != "-h,--help"), *body(["", *end])]
    if footer:
        out += ([] if footer[0].endswith(":") else [".SH DESCRIPTION"]) + body(footer)
    return "\n".join([*out, extra.rstrip("\n")]) + "\n"


if __name__ == "__main__":
    extra_text = open(sys.argv[4], encoding="utf-8").read() if len(sys.argv) > 4 else ""
    sys.stdout.write(page(*sys.argv[1:4], extra_text))
