from __future__ import annotations

import io
import re
import sys
import zipfile
import zlib

import docx
import pypdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.entries import Entry
from knowledge.errors import ImportFileError
from knowledge.importing import pdf, webpage, word
from knowledge.importing.documents import DOCUMENTS
from knowledge.importing.files import read_faq
from knowledge.importing.report import ImportReport
from tests.knowledge.fakes import examples
from tests.knowledge.importing.pdfs import pdf_of

Document = type(docx.Document())


def saved(document: Document) -> bytes:
    content = io.BytesIO()
    document.save(content)
    return content.getvalue()


def with_body(body: str, before: str = "") -> bytes:
    """Return a Word file with this XML as its body."""
    content = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(saved(docx.Document()))) as source, zipfile.ZipFile(content, "w", 8) as target:
        for member in source.namelist():
            text = source.read(member)
            if member == "word/document.xml":
                main = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
                text = f'{before}<w:document xmlns:w="{main}"><w:body>{body}</w:body></w:document>'.encode()
            target.writestr(member, text)
    return content.getvalue()


def paragraph(*texts: str) -> bytes:
    document = docx.Document()
    for text in texts:
        document.add_paragraph(text)
    return saved(document)


def read(content: bytes | str, name: str) -> ImportReport:
    return read_faq(content.encode() if isinstance(content, str) else content, name)


def entries(content: bytes | str, name: str) -> list[Entry]:
    report = read(content, name)
    assert report.errors == []
    assert all(entry.status == "draft" for entry in report.entries)
    return report.entries


def pairs(content: bytes | str, name: str) -> list[tuple[str, str]]:
    return [(entry.question, entry.answer) for entry in entries(content, name)]


def page(body: str) -> str:
    return f"<html><head><title>Shop</title></head><body>{body}</body></html>"


# Web pages


def test_the_headings_of_a_page_become_drafts() -> None:
    body = "<h1>Help</h1><h2>Returns</h2><h3>How?</h3><p>By post.</p><h3>When?</h3><ul><li>Now</li><li>Later</li></ul>"
    first, second = entries(page(body), "help.html")
    assert (first.question, first.answer, first.tags, first.status) == ("How?", "By post.", ("Returns",), "draft")
    assert second.answer == "- Now\n- Later"


@pytest.mark.parametrize(
    "body",
    [
        "<details><summary>怎么退货？</summary><p>七天。</p></details><details><summary>怎么付款？</summary>微信。</details>",
        "<details><summary><h3>怎么退货？</h3></summary>七天。</details>"
        "<details><summary><h3>怎么付款？</h3></summary><p>微信。</p></details>",
        "<dl><dt>怎么退货？</dt><dd>七天。</dd><dt>怎么付款？</dt><dd>微信。</dd></dl>",
        "<h3><button aria-expanded='false'>怎么退货？</button></h3><div hidden>七天。</div>"
        "<h3><button aria-expanded='false'>怎么付款？</button></h3><div style='display:none'>微信。</div>",
        "<button aria-expanded='false' aria-controls='a'>怎么退货？</button><div id='a' aria-hidden='true'>七天。</div>"
        "<button aria-expanded='false' aria-controls='b'>怎么付款？</button><div id='b' hidden>微信。</div>",
        "<div class='faq'><h4>怎么退货？<a href='#r'>¶</a></h4><p>七天。</p></div><h4>怎么付款？</h4><p>微信。</p>",
    ],
)
def test_what_unfolds_is_an_answer(body: str) -> None:
    expected = [("怎么退货？", "七天。"), ("怎么付款？", "微信。")]
    assert pairs(page(f"<h1>常见问题</h1>{body}"), "faq.htm") == expected
    assert pairs(page(f"<main><h1>常见问题</h1>{body}</main>"), "faq.htm") == expected


def test_menus_and_footers_are_left_out() -> None:
    body = (
        "<nav><a href='/'>Home</a></nav><header>Shop</header><main><h2>How?</h2><p>By post.</p></main>"
        "<aside>Buy!</aside><footer>Imprint</footer><script>alert(1)</script>"
    )
    assert pairs(page(body), "a.html") == [("How?", "By post.")]


def test_only_whole_links_are_kept() -> None:
    links = (
        "<a href='https://a.example/x'>one</a> <a href='/two'>two</a> <a href='javascript:alert(1)'>three</a> "
        "<a href='http://[bad'>four</a>"
    )
    [(_, answer)] = pairs(page(f"<main><h2>How?</h2><p>{links}</p></main>"), "a.html")
    assert answer == "[one](https://a.example/x) two three four"
    base = "<base href='https://shop.example/help/'>"
    [(_, answer)] = pairs(page(f"{base}<main><h2>How?</h2><p>{links}</p></main>"), "a.html")
    assert answer == "[one](https://a.example/x) [two](https://shop.example/two) three four"


def test_a_table_stays_a_table() -> None:
    table = "<table><tr><th>Country</th><th>Fee</th></tr><tr><td>DE</td><td>3</td></tr></table>"
    [(_, answer)] = pairs(page(f"<main><h2>Fees?</h2>{table}</main>"), "a.html")
    assert re.sub(" +", "", answer) == "|Country|Fee|\n|---|---|\n|DE|3|"


def test_a_page_without_headings_becomes_passages() -> None:
    text = "".join(f"<p>Point {number} is this. {'It goes on like this. ' * 10}</p>" for number in range(6))
    found = entries(page(f"<main>{text}</main>"), "a.html")
    assert len(found) > 1
    assert found[0].question == "Point 0 is this"
    assert all(200 < len(entry.answer) <= 620 for entry in found)


@pytest.mark.parametrize(
    "declared", ['<meta charset="gbk">', '<meta http-equiv=x content="text/html; charset=gb2312">']
)
def test_a_page_of_another_charset_is_read(declared: str) -> None:
    content = page(f"{declared}<h1>怎么退货？</h1><p>七天。</p>").encode("gbk")
    assert pairs(content, "a.html") == [("怎么退货？", "七天。")]
    assert pairs(page('<meta charset="windows-1252"><h1>Où ?</h1><p>Là.</p>').encode("cp1252"), "a.html") == [
        ("Où ?", "Là.")
    ]


def test_markup_that_is_no_page_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for content in ("", "only words", "<html></html>"):
        with pytest.raises(ImportFileError, match=r"a\.html"):
            read(content, "a.html")
    monkeypatch.setattr(webpage, "MAX_TEXT", 5_000)
    with pytest.raises(ImportFileError, match="characters"):
        read(page("word " * 2_000), "a.html")
    assert entries(page(f"<script>{'x' * 6_000}</script><main><h2>How?</h2><p>So.</p></main>"), "a.html")
    monkeypatch.setattr(webpage, "MAX_ELEMENTS", 100)
    with pytest.raises(ImportFileError, match="elements"):
        read(page("<b>x</b>" * 100), "a.html")
    monkeypatch.setattr(webpage, "MAX_BYTES", 100)
    with pytest.raises(ImportFileError, match="larger than"):
        read(page("<b>x</b>" * 100), "a.html")


# Word


def test_the_headings_of_a_word_file_become_drafts() -> None:
    document = docx.Document()
    document.add_heading("产品手册", 0)
    document.add_heading("一、售后", 1)
    document.add_heading("1.1 怎么退货？", 2)
    document.add_paragraph("七天内。")
    document.add_paragraph("填表", style="List Bullet")
    document.add_paragraph("寄回", style="List Bullet")
    table = document.add_table(2, 2)
    for cell, text in zip(table._cells, ("国家", "运费", "德国", "3|4 欧"), strict=True):
        cell.text = text
    document.add_paragraph("完。")
    document.add_heading("二、其他", 1)
    document.add_heading("怎么换货？", 2)
    document.add_paragraph("联系客服。")
    first, second = entries(saved(document), "手册.docx")
    assert (first.question, first.tags) == ("怎么退货？", ("售后",))
    assert first.answer == "七天内。\n\n- 填表\n- 寄回\n\n| 国家 | 运费 |\n|---|---|\n| 德国 | 3/4 欧 |\n\n完。"
    assert (second.question, second.answer) == ("怎么换货？", "联系客服。")


def test_a_chinese_style_and_one_made_of_a_heading_are_headings() -> None:
    document = docx.Document()
    for name, base in (("标题 7", None), ("我的样式", "Heading 7")):
        style = document.styles.add_style(name, 1)
        style.base_style = document.styles[base] if base else None
        document.add_paragraph(f"{name}？", style=name)
        document.add_paragraph("答。")
    assert pairs(saved(document), "a.docx") == [("标题 7？", "答。"), ("我的样式？", "答。")]


def test_a_style_that_is_its_own_ancestor_is_no_endless_loop() -> None:
    document = docx.Document()
    style = document.styles.add_style("Own", 1)
    style.base_style = style
    document.add_paragraph("Some words that stand for themselves.", style="Own")
    assert len(entries(saved(document), "a.docx")) == 1


def test_a_table_of_questions_and_answers_is_an_faq() -> None:
    document = docx.Document()
    document.add_heading("付款", 1)
    document.add_paragraph("我们支持微信。")
    table = document.add_table(3, 2)
    for cell, text in zip(
        table._cells, ("问题", "答案", "可以分期吗？", "可以。", "可以用支票吗", "不可以。"), strict=True
    ):
        cell.text = text
    assert pairs(saved(document), "a.docx") == [
        ("付款", "我们支持微信。"), ("可以分期吗？", "可以。"), ("可以用支票吗", "不可以。"),
    ]  # fmt: skip


def test_lines_that_read_like_questions_are_headings_where_there_are_no_others() -> None:
    content = paragraph(
        "常见问题", "一、售后", "1. 怎么退货？", "七天内。", "保持完好。", "2、怎么换货？", "联系客服。", "二、付款",
        "Q：可以分期吗", "A：可以。", "问：怎么开发票？", "答：在订单页。",
    )  # fmt: skip
    assert [(entry.question, entry.answer, entry.tags) for entry in entries(content, "a.docx")] == [
        ("怎么退货？", "七天内。\n\n保持完好。", ("售后",)),
        ("怎么换货？", "联系客服。", ("售后",)),
        ("可以分期吗", "可以。", ("付款",)),
        ("怎么开发票？", "在订单页。", ("付款",)),
    ]


def test_bold_lines_are_headings_where_there_are_no_others() -> None:
    document = docx.Document()
    for question in ("退货政策", "换货政策"):
        document.add_paragraph().add_run(question).bold = True
        document.add_paragraph("七天。")
    assert pairs(saved(document), "a.docx") == [("退货政策", "七天。"), ("换货政策", "七天。")]


def test_insertions_are_in_and_deletions_are_out() -> None:
    content = with_body(
        "<w:p><w:r><w:t>You have </w:t></w:r><w:del><w:r><w:delText>five</w:delText></w:r></w:del>"
        "<w:ins><w:r><w:t>seven</w:t></w:r></w:ins><w:r><w:t> days to return it.</w:t></w:r></w:p>"
    )
    assert pairs(content, "a.docx") == [("You have seven days to return it", "You have seven days to return it.")]


def test_links_keep_their_address() -> None:
    document = docx.Document()
    document.add_paragraph("See ")
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink"
    identifier = document.part.relate_to("https://shop.example/", kind, is_external=True)
    space = "http://schemas.openxmlformats.org"
    document.element.body[0].append(
        docx.oxml.parse_xml(
            f'<w:hyperlink xmlns:w="{space}/wordprocessingml/2006/main" '
            f'xmlns:r="{space}/officeDocument/2006/relationships" r:id="{identifier}"><w:r><w:t>our shop</w:t></w:r>'
            "</w:hyperlink>"
        )
    )
    assert pairs(saved(document), "a.docx") == [("See our shop", "See [our shop](https://shop.example/)")]


def test_a_hostile_word_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    deep = "<w:tbl><w:tr><w:tc>" * 2_000 + "</w:tc></w:tr></w:tbl>" * 2_000
    lol = "".join(f'<!ENTITY a{number} "{f"&a{number - 1};" * 10}">' for number in range(1, 9))
    laughs = f'<!DOCTYPE x [<!ENTITY a0 "lol">{lol}]>'
    for content in (
        b"", b"PK\x03\x04", b"not a zip", bytes.fromhex("d0cf11e0a1b11ae1"), saved(docx.Document())[:5_000],
        saved(docx.Document()), with_body(deep), with_body("<w:p><w:r><w:t>&a8;</w:t></w:r></w:p>", laughs),
    ):  # fmt: skip
        with pytest.raises(ImportFileError, match=r"a\.docx"):
            read(content, "a.docx")
    monkeypatch.setattr(word, "MAX_BLOCKS", 10)
    with pytest.raises(ImportFileError, match="paragraphs"):
        read(with_body("<w:p/>" * 11), "a.docx")
    monkeypatch.setattr(word, "MAX_TEXT", 10)
    with pytest.raises(ImportFileError, match="characters"):
        read(paragraph("more than ten"), "a.docx")
    monkeypatch.setattr(word, "MAX_XML", 10_000)
    with pytest.raises(ImportFileError, match="unpack"):
        read(with_body("<w:p/>" * 2_000), "a.docx")


def test_no_other_file_is_read_into_a_word_file() -> None:
    entity = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    content = with_body("<w:p><w:r><w:t>All that there is to read: &a;</w:t></w:r></w:p>", entity)
    try:
        found = read(content, "a.docx").entries
    except ImportFileError:
        return
    assert "root" not in found[0].answer


def test_columns_that_are_said_to_be_millions_cost_nothing() -> None:
    width = '<w:tcPr><w:gridSpan w:val="999999999"/></w:tcPr>'
    cell = f"<w:tc>{width}<w:p><w:r><w:t>some words in a cell</w:t></w:r></w:p></w:tc>"
    assert len(entries(with_body(f"<w:tbl><w:tr>{cell}</w:tr></w:tbl>"), "a.docx")) == 1


# PDF


def test_lines_in_larger_type_are_headings_and_broken_lines_are_joined() -> None:
    content = pdf_of(
        [
            ("产品手册", 20), ("一、售后服务", 14), "本店支持七天无理由退货，请您在收到商品后保持商品完好，并在订",
            "单页面提交申请，我们会在两个工作日内处理。", "• 填表", "• 寄回", ("怎么换货？", 14), "联系客服。",
        ]
    )  # fmt: skip
    assert pairs(content, "a.pdf") == [
        (
            "售后服务",
            "本店支持七天无理由退货，请您在收到商品后保持商品完好，并在订单页面提交申请，我们会在两个工作日内处理。"
            "\n\n- 填表\n- 寄回",
        ),
        ("怎么换货？", "联系客服。"),
    ]


def test_english_lines_are_joined_across_pages_without_what_every_page_repeats() -> None:
    content = pdf_of(
        [
            "Shop manual", "Q: How do I return it if it does not fit me at all?",
            "You have seven days to send it back after the parcel was deliv-",
            "ered, and the postage is paid by us if the fault was ours. Please", "keep the box.", "1",
        ],
        [
            "Shop manual", "Q: Do you ship abroad?",
            "A: To forty countries, with a duty that depends on each of the", "2",
        ],
        ["Shop manual", "countries and which we do not pay.", "3"],
    )  # fmt: skip
    assert pairs(content, "a.pdf") == [
        (
            "How do I return it if it does not fit me at all?",
            "You have seven days to send it back after the parcel was delivered, and the postage is paid by us if the "
            "fault was ours. Please keep the box.",
        ),
        (
            "Do you ship abroad?",
            "To forty countries, with a duty that depends on each of the countries and which we do not pay.",
        ),
    ]  # fmt: skip


def test_a_table_of_contents_is_left_out() -> None:
    content = pdf_of(
        ["1.1 退货政策 ........ 3", "1.2 换货政策 …… 4"], ["1.1 退货政策", "七天可退。", "1.2 换货政策", "七天可换。"]
    )
    assert pairs(content, "a.pdf") == [("退货政策", "七天可退。"), ("换货政策", "七天可换。")]


def test_a_pdf_without_headings_becomes_passages() -> None:
    line = "本店的商品由专人检查后发出，请您在收到之后当面验货，如有破损请拒收。"
    found = entries(pdf_of([line] * 30), "a.pdf")
    assert "".join(entry.answer for entry in found).replace("\n", "") == line * 30
    assert all(len(entry.answer) <= 620 for entry in found)
    assert found[0].question == line.rstrip("。")


def test_a_scanned_pdf_says_what_to_do() -> None:
    with pytest.raises(ImportFileError, match="OCR"):
        read(pdf_of([], []), "a.pdf")


def test_an_encrypted_pdf_is_refused_and_one_that_opens_without_a_password_is_read() -> None:
    for password, algorithm in (("x", "RC4-128"), ("", "RC4-128")):
        writer = pypdf.PdfWriter(io.BytesIO(pdf_of(["怎么退货？", "七天。"])))
        writer.encrypt(password, "owner", algorithm=algorithm)
        content = io.BytesIO()
        writer.write(content)
        if password:
            with pytest.raises(ImportFileError, match="encrypted"):
                read(content.getvalue(), "a.pdf")
        else:
            assert pairs(content.getvalue(), "a.pdf") == [("怎么退货？", "七天。")]


def test_a_hostile_pdf_is_refused(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    good = pdf_of(["some words"])
    packed = zlib.compress(b"a" * (80 << 20))
    bomb = re.sub(
        rb"(7 0 obj\n).*?(?=endobj)",
        lambda match: (
            match[1] + b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream\n" % (len(packed), packed)
        ),
        good,
        flags=re.DOTALL,
    )
    looped = good.replace(b"/Kids [6 0 R]", b"/Kids [2 0 R]")
    for content in (b"", b"%PDF-1.7", b"%PDF-1.7 words", good[:300], bomb, looped):
        with pytest.raises(ImportFileError, match=r"a\.pdf"):
            read(content, "a.pdf")
    assert caplog.text == ""
    monkeypatch.setattr(pdf, "MAX_SECONDS", 0.0)
    with pytest.raises(ImportFileError, match="too long"):
        read(good, "a.pdf")
    monkeypatch.setattr(pdf, "MAX_TEXT", 5)
    monkeypatch.setattr(pdf, "MAX_SECONDS", 60.0)
    with pytest.raises(ImportFileError, match="characters"):
        read(good, "a.pdf")
    monkeypatch.setattr(pdf, "MAX_PAGES", 0)
    with pytest.raises(ImportFileError, match="pages"):
        read(good, "a.pdf")


# All of them


def test_the_same_heading_twice_makes_two_entries() -> None:
    body = "<main><h2>A</h2><h3>Fees</h3><p>1</p><h2>B</h2><h3>Fees</h3><p>2</p><h3>Fees</h3><p>3</p></main>"
    assert pairs(page(body), "a.html") == [("Fees", "1"), ("B – Fees", "2"), ("Fees (2)", "3")]


def test_a_long_section_is_cut_and_a_table_keeps_its_head() -> None:
    rows = "".join(
        f"<tr><td>Country {number} of the world</td><td>{number} EUR in all cases</td></tr>" for number in range(60)
    )
    table = f"<table><tr><th>Country</th><th>Fee</th></tr>{rows}</table>"
    body = f"<main><h2>Fees</h2>{table}<h2>Time?</h2><p>A day.</p></main>"
    found = entries(page(body), "a.html")
    assert [found[0].question, found[-1].question] == ["Fees", "Time?"]
    assert len(found) > 4
    assert all(entry.answer.startswith("| Country | Fee |") for entry in found[:-1])
    assert sum(entry.answer.count(" of the world") for entry in found) == 60


def test_a_heading_without_an_answer_is_reported() -> None:
    report = read(page("<main><h2>How?</h2><p>So.</p><h2>When?</h2></main>"), "a.html")
    assert [str(error.reason) for error in report.errors] == ["the answer is empty"]
    assert len(report.entries) == 1


@pytest.mark.parametrize(("name", "module"), [("a.docx", "docx"), ("a.pdf", "pypdf"), ("a.html", "trafilatura")])
def test_a_missing_library_is_named(name: str, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    content = {"a.docx": paragraph("words"), "a.pdf": pdf_of(["words"]), "a.html": page("<h1>Q?</h1>A").encode()}[name]
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportFileError, match=r"frontdesk-bot\[documents\]"):
        read(content, name)


SAMPLES = {
    ".docx": paragraph("怎么退货？", "七天。"),
    ".pdf": pdf_of(["怎么退货？", "七天。"]),
    ".html": page("<h1>怎么退货？</h1><p>七天。</p>").encode(),
    ".htm": b"<p>",
}


@examples
@given(st.sampled_from(DOCUMENTS), st.integers(0, 40_000), st.binary(max_size=20))
def test_any_damage_is_an_import_file_error_or_none(suffix: str, place: int, damage: bytes) -> None:
    content = bytearray(SAMPLES[suffix])
    place %= len(content)
    content[place : place + len(damage)] = damage
    try:
        report = read_faq(bytes(content), "faq" + suffix)
    except ImportFileError:
        return
    assert all(entry.status == "draft" for entry in report.entries)
