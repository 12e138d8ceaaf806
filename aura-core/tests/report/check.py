#!/usr/bin/env python3
"""Reads what reports are rendered to with programs of others. usage: check.py COMMAND FILE...

html FILE...      each is HTML without a parse error (html5lib, strict), its drawings are XML, ids are unique, headings go down
                  one step at a time, tables and drawings have names, and nothing is run or fetched
markdown FILE...  each has no HTML, link or image but the known tags when read as the Markdown of GitHub (markdown-it)
vega FILE         a list of specifications that fit the schema of Vega-Lite 5 (altair)
pdf FILE          prints the number of pages, the title, the outline and the text (PDFium); asserts that it is tagged where it has text
xlsx FILE         prints the cells of the first sheet as JSON (openpyxl)
"""
import json
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path


def html(path):
    import html5lib

    text = Path(path).read_text(encoding="utf-8")
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    root = parser.parse(text)
    ids, level = [], 0
    for element in root.iter():
        if not isinstance(element.tag, str):
            continue
        tag = element.tag.rpartition("}")[2]
        assert tag not in ("script", "iframe", "object", "embed", "img", "link", "base", "form"), tag
        for name, value in element.attrib.items():
            name = name if isinstance(name, str) else name[-1]
            assert not name.startswith("on"), (tag, name)
            assert name not in ("src", "srcset", "action", "formaction", "style"), (tag, name)
            if name == "href":
                assert value.startswith("#"), (tag, value)
            if name == "id":
                ids.append(value)
        if tag in ("h1", "h2", "h3", "h4"):
            assert int(tag[1]) <= level + 1, f"{tag} after h{level}"
            level = int(tag[1])
        if tag == "table":
            assert element.find("caption") is not None
    assert len(ids) == len(set(ids)), [name for name in ids if ids.count(name) > 1]
    for element in root.iter():
        named = element.attrib.get("aria-labelledby") if isinstance(element.tag, str) else None
        for name in (named or "").split():
            assert name in ids, name
    assert "url(" not in text and "@import" not in text and "http://" not in text.replace("http://www.w3.org/2000/svg", "")
    drawings = 0
    for part in text.split("<svg")[1:]:
        drawing, _, _ = part.partition("</svg>")
        svg = ElementTree.fromstring(f"<svg{drawing}</svg>")
        assert svg.attrib["role"] == "img"
        assert svg[0].tag.endswith("title") and svg[1].tag.endswith("desc")
        drawings += 1
    return drawings


def markdown(path):
    import markdown_it

    reader = markdown_it.MarkdownIt("gfm-like")
    raw = 0

    def look(tokens):
        nonlocal raw
        for token in tokens:
            if token.type in ("html_block", "html_inline"):
                known = {"<details>", "</details>", "<summary>", "</summary>", ""}
                content = token.content.strip()
                inside = content.removeprefix("<details><summary>").removesuffix("</summary>")
                assert content in known or "<" not in inside, content
                raw += 1
            assert token.type not in ("link_open", "image"), token
            look(token.children or [])

    look(reader.parse(Path(path).read_text(encoding="utf-8")))
    return raw


def vega(path):
    import importlib.resources

    import altair.vegalite.v5.schema as schema
    import jsonschema

    text = (importlib.resources.files(schema) / "vega-lite-schema.json").read_text(encoding="utf-8")
    validator = jsonschema.Draft7Validator(json.loads(text))
    specs = json.loads(Path(path).read_text(encoding="utf-8"))
    for spec in specs:
        validator.validate(spec)
    return len(specs)


def xlsx(path):
    import openpyxl

    sheet = openpyxl.load_workbook(path).active
    cells = [[(cell.data_type, str(cell.value)) if cell.value is not None else None for cell in row] for row in sheet.rows]
    print(json.dumps(cells))


def pdf(path):
    import pypdfium2

    document = pypdfium2.PdfDocument(path)
    print(f"pages: {len(document)}")
    print(f"title: {document.get_metadata_dict()['Title']}")
    assert document.is_tagged()
    for entry in document.get_toc():
        print(f"outline: {'  ' * entry.level}{entry.get_title()}")
    for page in document:
        text = page.get_textpage().get_text_bounded()
        print(text.replace("\r\n", "\n").replace("\u200b", "").replace("\ufffe", "-"))


def main():
    command, *files = sys.argv[1:]
    assert files, __doc__
    for path in files:
        found = {"html": html, "markdown": markdown, "vega": vega, "pdf": pdf, "xlsx": xlsx}[command](path)
        if found is not None:
            print(f"{path}: {found}")


main()
