#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/sample.h"
#include <stdio.h>
#include <string.h>

enum { FILE_LIMIT = 1 << 30, MESSAGES_MOST = 1024 };

static sl_status read_ids(sl_prompt_row *p, const sl_json *ids, size_t vocab)
{
    const sl_json *value;
    size_t i;

    SL_TRY(sl_take(&p->ids, json_array_size(ids) + 1, sizeof *p->ids));
    json_array_foreach(ids, i, value)
    {
        const json_int_t id = json_is_integer(value) ? json_integer_value(value) : -1;

        if (id < 0 || (size_t)id >= vocab)
            return SL_FAIL(SL_EFORMAT,
                           "field \"prompt_ids\": want token ids in [0, %zu), found %lld", vocab,
                           (long long)id);
        p->ids[p->count++] = (int32_t)id;
    }
    return SL_OK;
}

static sl_status read_messages(sl_message *message, size_t *count, const sl_json *list)
{
    const sl_json *value;
    size_t i;

    *count = json_array_size(list);
    if (!*count || *count > MESSAGES_MOST)
        return SL_FAIL(SL_EFORMAT, "want 1 to %d messages, found %zu", MESSAGES_MOST, *count);
    json_array_foreach(list, i, value)
    {
        SL_TRY(sl_json_text(&message[i].role, value, "role"));
        SL_TRY(sl_json_text(&message[i].content, value, "content"));
    }
    return SL_OK;
}

static sl_status render(sl_prompt_row *p, const sl_prompt_settings *set, const sl_json *list)
{
    sl_message *message = NULL;
    size_t count;
    sl_status st = SL_OK;

    SL_TRY(sl_take(&message, MESSAGES_MOST, sizeof *message));
    SL_TRY_OUT(read_messages(message, &count, list));
    st = sl_text_render((void *)set->encoder, &p->text, message, count, 1);
out:
    sl_free(message);
    return st;
}

static sl_status render_plain(sl_prompt_row *p, const sl_prompt_settings *set, const char *prompt)
{
    const sl_message message = { "user", prompt };

    if (set->is_raw || !sl_text_encoder_has_chat(set->encoder))
        return sl_strdup(&p->text, prompt);
    return sl_text_render((void *)set->encoder, &p->text, &message, 1, 1);
}

static sl_status read_row(sl_prompt_row *p, const sl_prompt_settings *set)
{
    const sl_json *ids = json_object_get(p->row, "prompt_ids");
    const sl_json *prompt = json_object_get(p->row, "prompt");
    const sl_json *messages = json_object_get(p->row, "messages");

    if (json_is_array(ids))
        return read_ids(p, ids, set->vocab);
    if (!prompt && !messages)
        return SL_FAIL(SL_EFORMAT, "want \"prompt\", \"messages\" or \"prompt_ids\", found none");
    if (!set->encoder)
        return sl_err_hint(SL_FAIL(SL_EARG, "want a tokenizer for a prompt of words, found none"),
                           "--tokenizer PATH");
    if (json_is_string(prompt))
        SL_TRY(render_plain(p, set, json_string_value(prompt)));
    else
        SL_TRY(render(p, set, json_is_array(prompt) ? prompt : messages));
    return sl_text_encode((void *)set->encoder, &p->ids, &p->count, p->text, 1);
}

static sl_status add_row(sl_prompt_rows *rows, const sl_prompt_settings *set, sl_json *tree,
                         size_t line)
{
    sl_prompt_row *p;
    sl_status st = sl_grow(&rows->row, &rows->capacity, rows->count + 1, sizeof *rows->row);

    if (st != SL_OK) {
        sl_json_close(&tree);
        return st;
    }
    p = &rows->row[rows->count++];
    *p = (sl_prompt_row){ .row = tree, .line = line };
    SL_TRY(read_row(p, set));
    if (!p->count)
        return SL_FAIL(SL_EFORMAT, "want a prompt of one token or more, found none");
    rows->longest = p->count > rows->longest ? p->count : rows->longest;
    return SL_OK;
}

static sl_status read_lines(sl_prompt_rows *out, const sl_prompt_settings *set, const char *text,
                            size_t bytes)
{
    sl_span rest = { text, bytes }, line;
    size_t number = 0;

    while (sl_text_line(&line, &rest)) {
        sl_json *tree = NULL;
        char where[1200];

        number++;
        if (!line.bytes)
            continue;
        (void)snprintf(where, sizeof where, "%.1100s:%zu", set->path, number);
        SL_TRY(sl_json_parse(&tree, line.at, line.bytes, where));
        SL_TRY(sl_err_where(add_row(out, set, tree, number), "%s", where));
    }
    if (!out->count)
        return sl_err_where(SL_FAIL(SL_EFORMAT, "want a prompt, found none"), "%s", set->path);
    return SL_OK;
}

sl_status sl_prompt_rows_read(sl_prompt_rows *out, const sl_prompt_settings *settings)
{
    char *text = NULL;
    size_t bytes;
    sl_status st;

    *out = (sl_prompt_rows){ 0 };
    SL_TRY(sl_file_read(&text, &bytes, settings->path, FILE_LIMIT));
    st = read_lines(out, settings, text, bytes);
    sl_free(text);
    if (st != SL_OK)
        sl_prompt_rows_close(out);
    return st;
}

void sl_prompt_rows_close(sl_prompt_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        sl_json_close(&rows->row[i].row);
        sl_free(rows->row[i].text);
        sl_free(rows->row[i].ids);
    }
    sl_free(rows->row);
    *rows = (sl_prompt_rows){ 0 };
}
