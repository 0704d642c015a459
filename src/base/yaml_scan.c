/* Reads the events of libyaml once, for what libcyaml does not tell: the line of each key and
 * value, doubled keys, second documents. Refuses what a recipe has no use for (anchors, aliases,
 * tags, lists), so that no input can grow. */
#include "base/yaml_int.h"
#include <stdio.h>
#include <string.h>
#include <yaml.h>

enum { NAME_BYTES = 128 };

/* Invariant: event is the current one and owned; is_open while the parser is. */
typedef struct scan {
    yaml_parser_t parser;
    yaml_event_t event;
    const sl_yaml_source *source;
    const sl_yaml_table *table;
    size_t *line; /* (count) */
} scan;

static size_t line_of(const scan *s)
{
    return s->event.start_mark.line + 1;
}

static sl_status at_line(const scan *s, sl_status st, size_t line)
{
    if (!s->source->has_lines)
        return sl_err_where(st, "%s", s->source->name);
    return sl_err_where(st, "%s:%zu", s->source->name, line);
}

/* The line of the parser's problem. Bytes that are no text fail before libyaml counts lines. */
static size_t problem_line(const scan *s)
{
    const yaml_parser_t *p = &s->parser;
    size_t line = 1;

    if (p->error != YAML_READER_ERROR)
        return p->problem_mark.line + 1;
    for (size_t i = 0; i < p->problem_offset && i < s->source->bytes; i++)
        line += s->source->text[i] == '\n';
    return line;
}

static sl_status syntax_error(const scan *s)
{
    const yaml_parser_t *p = &s->parser;

    if (p->error == YAML_MEMORY_ERROR)
        return SL_FAIL(SL_ENOMEM, "want memory to read YAML, found none");
    return at_line(s,
                   SL_FAIL(s->source->code, "want YAML, found: %s%s%s", p->problem,
                           p->context ? " " : "", p->context ? p->context : ""),
                   problem_line(s));
}

/* What decorates the current event, NULL for nothing. */
static const char *decoration(const scan *s)
{
    const yaml_event_t *e = &s->event;

    if (e->type == YAML_ALIAS_EVENT)
        return "an alias";
    if (e->type == YAML_SCALAR_EVENT)
        return e->data.scalar.anchor ? "an anchor" : e->data.scalar.tag ? "a tag" : NULL;
    if (e->type == YAML_MAPPING_START_EVENT)
        return e->data.mapping_start.anchor ? "an anchor"
               : e->data.mapping_start.tag  ? "a tag"
                                            : NULL;
    if (e->type == YAML_SEQUENCE_START_EVENT)
        return "a list";
    return NULL;
}

static sl_status next(scan *s)
{
    const char *extra;

    yaml_event_delete(&s->event);
    if (!yaml_parser_parse(&s->parser, &s->event))
        return syntax_error(s);
    extra = decoration(s);
    if (extra)
        return at_line(s,
                       SL_FAIL(s->source->code, "want sections and plain values, found %s", extra),
                       line_of(s));
    return SL_OK;
}

/* out (NAME_BYTES) = the key that the current event is, cut to fit: a longer one is unknown. */
static sl_status key_name(char out[NAME_BYTES], const scan *s)
{
    if (s->event.type != YAML_SCALAR_EVENT)
        return at_line(s, SL_FAIL(s->source->code, "want a key, found a mapping"), line_of(s));
    snprintf(out, NAME_BYTES, "%s", (const char *)s->event.data.scalar.value);
    return SL_OK;
}

static size_t find_key(const sl_yaml_table *table, const char *section, const char *name)
{
    size_t i = 0;

    while (i < table->count &&
           (strcmp(table->row[i].section, section) || strcmp(table->row[i].name, name)))
        i++;
    return i;
}

static sl_status check_value(scan *s, size_t row, size_t line)
{
    const char *text = (const char *)s->event.data.scalar.value;
    const sl_status code = s->source->code;

    if (s->line[row])
        return SL_FAIL(code, "want a key once, found it again after line %zu", s->line[row]);
    s->line[row] = line;
    if (s->event.type != YAML_SCALAR_EVENT)
        return SL_FAIL(code, "want a value, found a mapping");
    if (strlen(text) != s->event.data.scalar.length)
        return SL_FAIL(code, "want text, found a zero byte in it");
    return sl_yaml_check(&s->table->row[row], text, code);
}

/* One key of a section ("": top level) whose name was the last event; ends on its value. */
static sl_status scan_key(scan *s, const char *section, const char *name, size_t line)
{
    const size_t row = find_key(s->table, section, name);
    sl_status st;

    if (row == s->table->count)
        st = sl_yaml_unknown(s->table, section, name, s->source->code);
    else
        st = check_value(s, row, line);
    st = sl_err_where(st, "key \"%s%s%s\"", section, section[0] ? "." : "", name);
    return at_line(s, st, line);
}

static sl_status scan_section(scan *s, const char *section)
{
    char name[NAME_BYTES];

    SL_TRY(next(s));
    while (s->event.type != YAML_MAPPING_END_EVENT) {
        const size_t line = line_of(s);

        SL_TRY(key_name(name, s));
        SL_TRY(next(s));
        SL_TRY(scan_key(s, section, name, line));
        SL_TRY(next(s));
    }
    return SL_OK;
}

/* The last line that gave a key of a section, 0: none so far. */
static size_t section_line(const scan *s, const char *section)
{
    size_t line = 0;

    for (size_t i = 0; i < s->table->count; i++)
        if (!strcmp(s->table->row[i].section, section) && s->line[i] > line)
            line = s->line[i];
    return line;
}

static int has_section(const sl_yaml_table *table, const char *section)
{
    for (size_t i = 0; i < table->count; i++)
        if (!strcmp(table->row[i].section, section))
            return 1;
    return 0;
}

/* The current event can be the value of this section: a mapping, and the first one. */
static sl_status check_section(const scan *s, const char *section)
{
    const sl_status code = s->source->code;
    const size_t earlier = section_line(s, section);

    if (!has_section(s->table, section))
        return sl_yaml_unknown(s->table, section, NULL, code);
    if (s->event.type != YAML_MAPPING_START_EVENT)
        return SL_FAIL(code, "want keys of this section, found \"%.64s\"",
                       (const char *)s->event.data.scalar.value);
    if (earlier)
        return SL_FAIL(code, "want a section once, found it again after line %zu", earlier);
    return SL_OK;
}

/* A section (a mapping) or a key of the top level; its name was the last event. */
static sl_status scan_entry(scan *s, const char *name, size_t line)
{
    const int is_mapping = s->event.type == YAML_MAPPING_START_EVENT;
    const int is_key = find_key(s->table, "", name) < s->table->count;

    if (is_key || !name[0] || (!is_mapping && !has_section(s->table, name)))
        return scan_key(s, "", name, line);
    SL_TRY(at_line(s, sl_err_where(check_section(s, name), "section \"%s\"", name), line));
    return scan_section(s, name);
}

static sl_status scan_top(scan *s)
{
    char name[NAME_BYTES];

    SL_TRY(next(s));
    while (s->event.type != YAML_MAPPING_END_EVENT) {
        const size_t line = line_of(s);

        SL_TRY(key_name(name, s));
        SL_TRY(next(s));
        SL_TRY(scan_entry(s, name, line));
        SL_TRY(next(s));
    }
    return SL_OK;
}

static sl_status scan_stream(scan *s)
{
    SL_TRY(next(s)); /* the stream's start */
    SL_TRY(next(s));
    if (s->event.type == YAML_STREAM_END_EVENT)
        return SL_OK;
    SL_TRY(next(s));
    if (s->event.type == YAML_MAPPING_START_EVENT)
        SL_TRY(scan_top(s));
    else if (s->event.data.scalar.length)
        return at_line(s,
                       SL_FAIL(s->source->code, "want sections and keys, found \"%.64s\"",
                               (const char *)s->event.data.scalar.value),
                       line_of(s));
    SL_TRY(next(s)); /* the document's end */
    SL_TRY(next(s));
    if (s->event.type != YAML_STREAM_END_EVENT)
        return at_line(s, SL_FAIL(s->source->code, "want one document, found a second"),
                       line_of(s));
    return SL_OK;
}

sl_status sl_yaml_scan(size_t *line, const sl_yaml_source *source, const sl_yaml_table *table)
{
    scan s = { .source = source, .table = table, .line = line };
    sl_status st;

    memset(line, 0, table->count * sizeof *line);
    if (!yaml_parser_initialize(&s.parser))
        return SL_FAIL(SL_ENOMEM, "want memory to read YAML, found none");
    yaml_parser_set_input_string(&s.parser, (const unsigned char *)source->text, source->bytes);
    st = scan_stream(&s);
    yaml_event_delete(&s.event);
    yaml_parser_delete(&s.parser);
    return st;
}
