/* html - a page's head and foot, and text escaped. */
#include "html.h"

static const char style[] =
    "body{font:10pt/1.35 'Noto Sans',Helvetica,Arial,sans-serif;color:#111;"
    "margin:2em auto;max-width:72em;padding:0 1em}"
    "h1{font-size:1.5em;margin:0 0 .2em}"
    "h2{font-size:1.15em;margin:1.4em 0 .3em;break-after:avoid}"
    "h3{font-size:1em;margin:1em 0 .2em;break-after:avoid}"
    ".line{color:#444;margin:0 0 1em}"
    ".handling{font-weight:bold;text-align:center}"
    ".foot{color:#444;font-size:.85em;text-align:center}"
    "table{border-collapse:collapse;width:100%;margin:.3em 0 1em}"
    "th,td{border:1px solid #bbb;padding:.2em .4em;text-align:start;"
    "vertical-align:top}"
    "th{background:#eee}thead{display:table-header-group}"
    "tr{break-inside:avoid}td.number{text-align:end}"
    ".warn{font-weight:bold}@page{margin:18mm 14mm}"
    "@media print{body{margin:0;max-width:none;padding:0}"
    ".handling{position:fixed;top:-12mm;left:0;right:0}"
    ".foot{position:fixed;bottom:-12mm;left:0;right:0}}";

static void escape (struct buf *out, const char *text) {
    for (; *text; text++)
        if (*text == '&')
            buf_add_text (out, "&amp;");
        else if (*text == '<')
            buf_add_text (out, "&lt;");
        else if (*text == '>')
            buf_add_text (out, "&gt;");
        else if (*text == '"')
            buf_add_text (out, "&quot;");
        else if (*text == '\'')
            buf_add_text (out, "&#39;");
        else if ((unsigned char) *text >= ' ' || *text == '\n' || *text == '\t')
            buf_add (out, text, *text != 0x7f);
}

void html_text (struct buf *out, const char *text) {
    if (!*text)
        return;
    buf_add_text (out, "<bdi>");
    escape (out, text);
    buf_add_text (out, "</bdi>");
}

void html_element (struct buf *out, const char *tag, const char *text) {
    buf_add_format (out, "<%s>", tag);
    html_text (out, text);
    buf_add_format (out, "</%s>\n", tag);
}

static void division (struct buf *out, const char *class, const char *text) {
    if (!*text)
        return;
    buf_add_format (out, "<div class=\"%s\">", class);
    html_text (out, text);
    buf_add_text (out, "</div>\n");
}

void html_begin (struct buf *out, const struct html_head *head) {
    buf_add_text (out, "<!DOCTYPE html>\n<html lang=\"");
    escape (out, head->lang);
    buf_add_text (out,
                  "\">\n<head>\n<meta charset=\"utf-8\">\n"
                  "<meta http-equiv=\"Content-Security-Policy\" "
                  "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
                  "<title>");
    escape (out, head->title);
    buf_add_format (out, "</title>\n<style>%s</style>\n</head>\n<body>\n",
                    style);
    division (out, "handling", head->handling);
    division (out, "foot", head->foot);
    html_element (out, "h1", head->title);
    division (out, "line", head->line);
}

void html_end (struct buf *out) {
    buf_add_text (out, "</body>\n</html>\n");
}
