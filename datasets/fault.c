/* The table of faults, and their count with the first places. */
#include "datasets/audit.h"
#include "datasets/file_int.h"
#include <stdio.h>

const char *const sl_severity_names[] = { "error", "warning", "note" };

static const sl_fault_kind kinds[SL_FAULTS] = {
    [SL_FAULT_NOT_UTF8] = { "not-utf8", SL_SEVERITY_ERROR,
                            "bytes that are no UTF-8: the row cannot be read", 0 },
    [SL_FAULT_UNREADABLE] = { "unreadable", SL_SEVERITY_ERROR,
                              "the row has no known format or a wrong value", 0 },
    [SL_FAULT_NO_PAIR] = { "no-pair", SL_SEVERITY_ERROR,
                           "the row has no pair of answers, and the method wants one", 0 },
    [SL_FAULT_PREFIX_MISMATCH] = { "prefix-mismatch", SL_SEVERITY_ERROR,
                                   "a token lies across prompt and answer: the mask is off by it",
                                   SL_ALLOW_MISMATCH },
    [SL_FAULT_DOUBLE_BOS] = { "double-bos", SL_SEVERITY_ERROR,
                              "the prompt begins with two beginnings of a sequence",
                              SL_ALLOW_DOUBLE_BOS },
    [SL_FAULT_EOS_MISSING] = { "eos-missing", SL_SEVERITY_ERROR,
                               "an answer that was not cut does not end in an end of turn of the "
                               "model: it learns not to stop",
                               SL_ALLOW_EOS_MISSING },
    [SL_FAULT_PROBE_OVERLAP] = { "probe-overlap", SL_SEVERITY_ERROR,
                                 "the prompt is one of those that are held out for measurement",
                                 0 },
    [SL_FAULT_EMPTY] = { "empty", SL_SEVERITY_WARNING,
                         "a prompt or an answer without words: the row is dropped", 0 },
    [SL_FAULT_TIE] = { "tie", SL_SEVERITY_WARNING, "no answer is preferred: the row is dropped",
                       0 },
    [SL_FAULT_TOO_LONG] = { "too-long", SL_SEVERITY_WARNING,
                            "over data.max_prompt or data.max_answer: the pair is dropped", 0 },
    [SL_FAULT_CUT_PROMPT] = { "cut-prompt", SL_SEVERITY_WARNING,
                              "over data.max_prompt: the beginning of the prompt is cut off", 0 },
    [SL_FAULT_CUT_CHOSEN] = { "cut-chosen", SL_SEVERITY_WARNING,
                              "over data.max_answer: the end is cut off, its end of turn too", 0 },
    [SL_FAULT_CUT_REJECTED] = { "cut-rejected", SL_SEVERITY_WARNING,
                                "over data.max_answer: the end is cut off, its end of turn too",
                                0 },
    [SL_FAULT_CONTRADICTION] = { "contradiction", SL_SEVERITY_WARNING,
                                 "the same pair stands in another row with its sides swapped", 0 },
    [SL_FAULT_DUPLICATE] = { "duplicate", SL_SEVERITY_WARNING,
                             "the same pair stands in an earlier row", 0 },
    [SL_FAULT_SAME_ANSWERS] = { "same-answers", SL_SEVERITY_WARNING,
                                "both answers are the same: nothing to learn", 0 },
    [SL_FAULT_SCORE_ORDER] = { "score-order", SL_SEVERITY_WARNING,
                               "the chosen answer's score is below the rejected one's", 0 },
    [SL_FAULT_LENGTH_BIAS] = { "length-bias", SL_SEVERITY_WARNING,
                               "the chosen answer is the longer one, in more than 60 % of pairs: "
                               "length alone predicts the label",
                               0 },
    [SL_FAULT_SPECIAL_IN_TEXT] = { "special-in-text", SL_SEVERITY_WARNING,
                                   "special tokens are written in the words of the row", 0 },
    [SL_FAULT_BOS_IN_TEXT] = { "bos-in-text", SL_SEVERITY_NOTE,
                               "the prompt is written with the beginning that the tokenizer adds: "
                               "one is kept",
                               0 },
    [SL_FAULT_BLANK_ANSWER] = { "blank-answer", SL_SEVERITY_WARNING,
                                "an answer of white space alone", 0 },
    [SL_FAULT_LEADING_BLANK] = { "leading-blank", SL_SEVERITY_NOTE,
                                 "white space before an answer: a hint of its source", 0 },
    [SL_FAULT_LONGEST] = { "longest", SL_SEVERITY_NOTE,
                           "the rows with most tokens in prompt and longer answer", 0 },
};

const sl_fault_kind *sl_fault_kind_of(sl_fault fault)
{
    return &kinds[fault];
}

sl_severity sl_fault_severity(sl_fault fault, unsigned allows)
{
    return kinds[fault].allow & allows ? SL_SEVERITY_WARNING : kinds[fault].severity;
}

void sl_file_count(file_state *f, sl_fault fault, uint64_t line, const char *field,
                   const char *what)
{
    sl_fault_tally *t = &f->tally[fault];
    sl_fault_place *place = &t->place[t->place_count];

    t->count++;
    if (t->place_count == SL_FAULT_PLACES)
        return;
    t->place_count++;
    *place = (sl_fault_place){ .line = line, .field = field };
    snprintf(place->what, sizeof place->what, "%s", what ? what : "");
}
