/* The prompt of a comparing language model. */
#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"
#include "judge/judge_int.h"
#include <string.h>

enum { TEMPLATE_MOST = 64 << 10, MARKS = 3 };

static const char *const marks[MARKS] = { "{prompt}", "{a}", "{b}" };

/* In the manner of AlpacaEval's pairwise prompts: one letter as the answer, so that its probability
 * can be read from the first token. */
static const char built_in[] =
    "You compare two answers to the same instruction. Decide which one a careful person would "
    "prefer: which is more correct, follows the instruction better and helps more. Do not prefer "
    "an answer for its length or for where it stands.\n"
    "\n"
    "# Instruction\n"
    "{prompt}\n"
    "\n"
    "# Answer A\n"
    "{a}\n"
    "\n"
    "# Answer B\n"
    "{b}\n"
    "\n"
    "# Which answer is better?\n"
    "Reply with one letter, A or B, and nothing else.";

static sl_status check(const char *text, size_t bytes)
{
    if (!sl_text_is_utf8(text, bytes) || strlen(text) != bytes)
        return SL_FAIL(SL_EFORMAT, "want UTF-8, found other bytes");
    for (size_t m = 0; m < MARKS; m++)
        if (!strstr(text, marks[m]))
            return SL_FAIL(SL_EFORMAT, "want {prompt}, {a} and {b}, found no %s", marks[m]);
    return SL_OK;
}

sl_status sl_template_load(char **text, const char *path)
{
    size_t bytes = 0;

    if (!path)
        return sl_strdup(text, built_in);
    SL_TRY(sl_file_read(text, &bytes, path, TEMPLATE_MOST));
    return sl_err_where(check(*text, bytes), "%s", path);
}

/* The mark at the beginning of text, MARKS when there is none. */
static size_t mark_at(const char *text)
{
    size_t m = 0;

    while (m < MARKS && strncmp(text, marks[m], strlen(marks[m])) != 0)
        m++;
    return m;
}

/* Writes to out unless it is NULL; the bytes of the result in either case. */
static size_t fill(char *out, const char *text, const char *const value[MARKS])
{
    size_t used = 0;

    while (*text) {
        const size_t m = *text == '{' ? mark_at(text) : MARKS;
        const char *from = m < MARKS ? value[m] : text;
        const size_t bytes = m < MARKS ? strlen(from) : 1;

        if (out)
            memcpy(out + used, from, bytes);
        used += bytes;
        text += m < MARKS ? strlen(marks[m]) : 1;
    }
    return used;
}

sl_status sl_template_fill(char **out, const char *text, const char *prompt, const char *first,
                           const char *second)
{
    const char *const value[MARKS] = { prompt, first, second };

    SL_TRY(sl_take(out, fill(NULL, text, value) + 1, 1));
    fill(*out, text, value);
    return SL_OK;
}
