/* The column tables of docs/run-file.md, made from the schema. usage: schema_doc prints them;
 * schema_doc FILE compares them with what stands between the two markers in FILE. */
#include "base/alloc.h"
#include "base/file.h"
#include "run/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DOC_MAX = 1 << 20 };
static const char begin_mark[] = "<!-- tables made from src/run/schema.c: begin -->\n";
static const char end_mark[] = "<!-- tables made from src/run/schema.c: end -->\n";

static void print_column(FILE *out, const sl_column *c)
{
    const int is_wide = c->width != SL_WIDTH_ONE;

    fprintf(out, "| `%s` | %s%s%s%s | %s | %s", c->name, sl_type_name(c->type), is_wide ? "[" : "",
            is_wide ? sl_width_name(c->width) : "", is_wide ? "]" : "", c->unit, c->meaning);
    for (size_t i = 0; i < sl_column_values(c); i++)
        fprintf(out, "%s%s", i ? ", " : ": ", c->names[i]);
    fprintf(out, " |\n");
}

static void print_table(FILE *out, sl_table table)
{
    const sl_table_info *info = sl_table_get(table);
    size_t count;
    const sl_column *c = sl_table_columns(table, &count);

    fprintf(out, "\n### `%s`\n\nOne row per %s. Level %d, %zu bytes%s%s.\n\n", info->name,
            info->per, info->level, sl_table_fixed_bytes(table),
            sl_table_wide_count(table) ? " without its wide columns" : "",
            info->is_in_digest ? "" : ", not in the digest");
    fprintf(out, "| column | type | unit | meaning |\n|---|---|---|---|\n");
    for (size_t i = 0; i < count; i++)
        print_column(out, &c[i]);
}

static void print_all(FILE *out)
{
    for (int t = 0; t < SL_TABLE_COUNT; t++)
        print_table(out, (sl_table)t);
    fprintf(out, "\n");
}

/* What stands between the markers equals the tables. */
static int is_equal(const char *doc, const char *tables)
{
    const char *from = strstr(doc, begin_mark);
    const char *to = from ? strstr(from, end_mark) : NULL;

    if (!to)
        return 0;
    from += sizeof begin_mark - 1;
    return (size_t)(to - from) == strlen(tables) && !memcmp(from, tables, (size_t)(to - from));
}

static int compare(const char *path)
{
    char *doc = NULL, *tables = NULL;
    size_t doc_bytes, tables_bytes;
    FILE *out = open_memstream(&tables, &tables_bytes);
    int same;

    if (!out || sl_file_read(&doc, &doc_bytes, path, DOC_MAX) != SL_OK) {
        fprintf(stderr, "%s: %s\n", sl_err_place(), sl_err_message());
        return 1;
    }
    print_all(out);
    fclose(out);
    same = is_equal(doc, tables);
    if (!same)
        fprintf(stderr,
                "%s: the tables differ from src/run/schema.c; make them again with "
                "schema_doc\n",
                path);
    sl_free(doc);
    free(tables);
    return !same;
}

int main(int argc, char **argv)
{
    if (argc == 2)
        return compare(argv[1]);
    print_all(stdout);
    return 0;
}
