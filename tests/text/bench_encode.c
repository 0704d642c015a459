/* How fast texts become ids: one pass over all texts for every line on stdin, whose seconds and
 * number of ids go to stdout, so that another program can be timed in turns with this one
 * (bench_tokenizers.py). Alone: five passes and their median. Two threads are never used.
 * usage: bench_encode TOKENIZER.json PAIRS.jsonl[.gz] ROWS [turns] */
#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "base/sort.h"
#include "text/tokenizer.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FILE_BYTES = 1 << 28, PASSES = 5 };

typedef struct texts {
    char **at; /* (count) */
    size_t count, capacity, bytes;
} texts;

static sl_status add_row(texts *all, const char *line, size_t bytes)
{
    static const char *const keys[] = { "prompt", "chosen", "rejected" };
    sl_json *row = NULL;
    sl_status st = SL_OK;

    SL_TRY(sl_json_parse(&row, line, bytes, "row"));
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const char *text;

        SL_TRY_OUT(sl_json_text(&text, row, keys[i]));
        SL_TRY_OUT(sl_grow(&all->at, &all->capacity, all->count + 1, sizeof *all->at));
        SL_TRY_OUT(sl_strdup(&all->at[all->count], text));
        all->bytes += strlen(text);
        all->count++;
    }
out:
    sl_json_close(&row);
    return st;
}

static sl_status read_texts(texts *all, const char *path, long rows)
{
    char *file = NULL;
    sl_span rest = { NULL, 0 }, line;
    sl_status st = SL_OK;

    SL_TRY(sl_file_read(&file, &rest.bytes, path, FILE_BYTES));
    rest.at = file;
    for (; rows > 0 && sl_text_line(&line, &rest); rows--)
        SL_TRY_OUT(add_row(all, line.at, line.bytes));
out:
    sl_free(file);
    return st;
}

/* *seconds of one pass, *count of the ids. */
static sl_status pass(double *seconds, size_t *count, const sl_tokenizer *t, const texts *all)
{
    struct timespec begin, end;
    sl_ids ids = { 0 };
    sl_status st = SL_OK;

    *count = 0;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (size_t i = 0; i < all->count; i++) {
        ids.count = 0;
        SL_TRY_OUT(sl_tokenizer_encode(&ids, t, all->at[i], strlen(all->at[i]),
                                       SL_ENCODE_SPECIAL_IN_TEXT));
        *count += ids.count;
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    *seconds = (double)(end.tv_sec - begin.tv_sec) + 1e-9 * (double)(end.tv_nsec - begin.tv_nsec);
out:
    sl_ids_close(&ids);
    return st;
}

static sl_status run_turns(const sl_tokenizer *t, const texts *all)
{
    char line[16];
    double seconds;
    size_t count;

    while (fgets(line, sizeof line, stdin)) {
        SL_TRY(pass(&seconds, &count, t, all));
        printf("%.9f %zu\n", seconds, count);
        fflush(stdout);
    }
    return SL_OK;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static sl_status run_alone(const sl_tokenizer *t, const texts *all)
{
    double seconds[PASSES];
    size_t count = 0;

    for (size_t i = 0; i < PASSES; i++)
        SL_TRY(pass(&seconds[i], &count, t, all));
    sl_sort(seconds, PASSES, sizeof *seconds, compare);
    printf("%zu texts, %zu bytes, %zu ids: median %.2f MB/s\n", all->count, all->bytes, count,
           1e-6 * (double)all->bytes / seconds[PASSES / 2]);
    return SL_OK;
}

int main(int argc, char **argv)
{
    texts all = { 0 };
    sl_tokenizer *t = NULL;
    sl_status st = SL_OK;

    if (argc < 4) {
        fputs("usage: bench_encode TOKENIZER.json PAIRS.jsonl[.gz] ROWS [turns]\n", stderr);
        return 2;
    }
    SL_TRY_OUT(sl_tokenizer_open(&t, argv[1]));
    SL_TRY_OUT(read_texts(&all, argv[2], strtol(argv[3], NULL, 10)));
    SL_TRY_OUT(argc > 4 ? run_turns(t, &all) : run_alone(t, &all));
out:
    if (st != SL_OK)
        fprintf(stderr, "%s: %s\n", sl_err_place(), sl_err_message());
    while (all.count > 0)
        sl_free(all.at[--all.count]);
    sl_free(all.at);
    sl_tokenizer_close(&t);
    return st != SL_OK;
}
