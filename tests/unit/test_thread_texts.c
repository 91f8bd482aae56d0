/* Texts of a message: what people wrote, and nothing else. */
#include "threads/texts.h"

#include "plan_fixture.h"

#include <jansson.h>
#include <setjmp.h>

#include <cmocka.h>

static void take (void *arg, const char *lang, const char *text) {
    buf_add_format (arg, "%s:%s ", lang, text);
}

static void test_texts (void **state) {
    (void) state;
    static const struct {
        const char *body, *want;
    } rows[] = {
        { "[]", "" },
        { "{}", "" },
        { "{'title':1,'text':['x'],'paragraphs':{'a':1},'agenda':[1,null]}",
          "" },
        { "{'does':'comment','text':'Why?','thread':'A-x'}", ":Why? " },
        { "{'title':{'en':'T','fr':'U','de':3},'rule':'all','type':'joint',"
          "'invited':['AFRIPOL'],'about':[{'ref':'A-x#a'}],"
          "'undertakings':[{'id':'u','who':'A','what':'It','by':'2026-01-01'}]"
          "}",
          "en:T fr:U :It " },
        { "{'title':'C','binding':'en','paragraphs':[{'id':'p','text':{'en':"
          "'One'}},{'id':'q','text':'Two'}],'decisions':[{'id':'d','text':"
          "'Three','owner':'A'}]}",
          ":C en:One :Two :Three " },
        { "{'place':'Here','zone':'Etc/UTC','agenda':[{'id':'a','title':'B',"
          "'text':'D','entity':'E'}],'series':'s'}",
          ":Here :B :D " },
        { "{'says':'endorse','reservation':'But','signature':'x'}", ":But " },
        { "{'put':'P','text':'Q','paragraph':'p','version':'00'}", ":Q :P " },
        { "{'reason':'R','function':'Desk'}", ":R :Desk " },
        { "{'conditions':'S','contact':'V','offered_to':['A']}", ":S :V " },
        { "{'present':[{'entity':'A','text':'W'}]}", ":W " },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *json = mem_copy_text (rows[i].body);
        for (char *at = json; *at; at++)
            *at = *at == '\'' ? '"' : *at;
        json_t *body = json_loads (json, 0, NULL);
        struct buf got = { 0 };
        assert_non_null (body);
        thread_texts (body, take, &got);
        char *text = buf_take_text (&got);
        assert_string_equal (text, rows[i].want);
        free (text);
        json_decref (body);
        free (json);
    }
    struct buf none = { 0 };
    thread_texts (NULL, take, &none);
    assert_int_equal (none.size, 0);
}

int main (void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test (test_texts) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
