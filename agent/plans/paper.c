/* paper - the frame of a page. A table around everything repeats its head and
 * foot on each printed page, in every browser; margin boxes of @page, which not
 * all know, add the page's number alone. */
#include "paper.h"

static const char style[] =
    "@page{size:A4;margin:14mm 15mm 16mm;"
    "@bottom-right{content:counter(page) \" / \" counter(pages);"
    "font:8pt sans-serif;color:#555}}"
    "html{font:10.5pt/1.4 \"Liberation Sans\",Arial,\"Noto Sans\","
    "sans-serif;color:#111;background:#fff}"
    "body{margin:0 auto;max-width:52rem;padding:0 1rem}"
    "h1{font-size:1.6em;line-height:1.2;margin:.6em 0 .2em}"
    "h2{font-size:1.2em;margin:1.5em 0 .4em;border-bottom:1px solid #999}"
    "h3{font-size:1.05em;margin:0 0 .3em}"
    "h1,h2,h3{break-after:avoid}"
    "p{margin:.3em 0}"
    "ul{margin:0;padding:0 1.2em}"
    ".text{white-space:pre-line}"
    ".quiet,.lang,.code{color:#555;font-size:.85em}"
    ".lang{border:1px solid #aaa;border-radius:2px;padding:0 .25em;"
    "margin:0 .3em}"
    ".audience{background:#eee;border-left:3px solid #555;padding:0 .4em;"
    "font-size:.85em;print-color-adjust:exact}"
    ".json{white-space:pre-wrap;overflow-wrap:anywhere;"
    "font:.85em/1.3 monospace}"
    ".part{break-inside:avoid-page;margin:0 0 .9em}"
    "table.page{width:100%;border-collapse:collapse}"
    "table.page>*>tr>td{padding:0}"
    ".bar{display:flex;gap:1em;align-items:baseline;font-size:.85em;"
    "padding:.3em 0}"
    ".head{border-bottom:1px solid #111;margin-bottom:.5em}"
    ".foot{border-top:1px solid #999;color:#555}"
    ".grow{flex:1;overflow:hidden;text-overflow:ellipsis;"
    "white-space:nowrap}"
    ".foot .grow{white-space:normal}h2+p{break-after:avoid}"
    ".handling{background:#000;color:#fff;padding:0 .4em;font-weight:bold;"
    "white-space:nowrap;print-color-adjust:exact;"
    "-webkit-print-color-adjust:exact}"
    ".tlp-red{color:#ff2b2b}.tlp-amber{color:#ffc000}"
    ".tlp-green{color:#33ff00}"
    "table.facts{border-collapse:collapse;width:100%}"
    "table.facts th{text-align:start;vertical-align:top;font-weight:normal;"
    "color:#555;width:8.5em;padding:.1em .8em .1em 0}"
    "table.facts td{vertical-align:top;padding:.1em 0}"
    "table.list{border-collapse:collapse;width:100%;font-size:.95em}"
    "table.list th{width:auto}"
    "table.list th,table.list td{border:1px solid #bbb;text-align:start;"
    "vertical-align:top;padding:.15em .4em}"
    "table.list td.number{text-align:end}.warn{font-weight:bold}"
    ".day{white-space:nowrap}tr{break-inside:avoid-page}"
    "table.page>*>tr{break-inside:auto}";

static const char *known (const char *text) {
    return text ? text : "";
}

void paper_text (struct buf *out, const char *text) {
    for (; *text; text++) {
        unsigned char letter = (unsigned char) *text;
        switch (letter) {
        case '&':
            buf_add_text (out, "&amp;");
            break;
        case '<':
            buf_add_text (out, "&lt;");
            break;
        case '>':
            buf_add_text (out, "&gt;");
            break;
        case '"':
            buf_add_text (out, "&quot;");
            break;
        case '\'':
            buf_add_text (out, "&#39;");
            break;
        default:
            if ((letter < 32 && letter != '\n' && letter != '\t')
                || letter == 127)
                buf_add_text (out, "\xef\xbf\xbd");
            else
                buf_add_u8 (out, letter);
        }
    }
}

void paper_element (struct buf *out, const char *name, const char *class,
                    const char *lang, const char *text) {
    buf_add_format (out, "<%s", name);
    if (class)
        buf_add_format (out, " class=\"%s\"", class);
    buf_add_text (out, " dir=\"auto\"");
    if (lang && *lang) {
        buf_add_text (out, " lang=\"");
        paper_text (out, lang);
        buf_add_u8 (out, '"');
    }
    buf_add_u8 (out, '>');
    paper_text (out, text);
    buf_add_format (out, "</%s>", name);
}

/* FIRST's colours of TLP 2.0, on black; white for all others. */
static const char *handling_class (const char *handling) {
    return !strcmp (handling, "TLP:RED")         ? "handling tlp-red"
           : !strncmp (handling, "TLP:AMBER", 9) ? "handling tlp-amber"
           : !strcmp (handling, "TLP:GREEN")     ? "handling tlp-green"
                                                 : "handling";
}

static void bar (struct buf *out, const char *class, const char *first,
                 const char *second, const char *handling) {
    buf_add_format (out, "<div class=\"bar %s\">", class);
    paper_element (out, "span", "grow", NULL, first);
    paper_element (out, "span", NULL, NULL, second);
    if (*handling)
        paper_element (out, "span", handling_class (handling), NULL, handling);
    buf_add_text (out, "</div>");
}

void paper_begin (struct buf *out, const struct paper *page) {
    buf_add_text (out, "<!DOCTYPE html>\n<html lang=\"");
    paper_text (out, known (page->lang));
    buf_add_text (
        out,
        "\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
        "'none'; style-src 'unsafe-inline'\">\n"
        "<meta name=\"viewport\" content=\"width=device-width\">\n"
        "<meta name=\"referrer\" content=\"no-referrer\">\n<title>");
    paper_text (out, known (page->title));
    buf_add_text (out, "</title>\n<style>");
    buf_add_text (out, style);
    buf_add_text (out, "</style>\n</head>\n<body>\n"
                       "<table class=\"page\"><thead><tr><td>");
    bar (out, "head", known (page->title), known (page->line),
         known (page->handling));
    buf_add_text (out, "</td></tr></thead>\n<tfoot><tr><td>");
    bar (out, "foot", known (page->foot), known (page->line),
         known (page->handling));
    buf_add_text (out, "</td></tr></tfoot>\n<tbody><tr><td>\n");
}

void paper_end (struct buf *out) {
    buf_add_text (out, "</td></tr></tbody></table>\n</body>\n</html>\n");
}
