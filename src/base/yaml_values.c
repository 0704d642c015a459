/* Values through libcyaml. A section is a mapping that begins where the struct begins, so that the
 * offsets of its keys stay those of the table. */
#include "base/alloc.h"
#include "base/yaml_int.h"
#include <cyaml/cyaml.h>
#include <string.h>

/* Built for one load; the arrays are owned. */
typedef struct schema {
    cyaml_schema_field_t *top;    /* (count + 1) sections and keys of the top level */
    cyaml_schema_field_t *fields; /* (2 * count) keys section by section, each with an end */
    cyaml_strval_t *choices;      /* of all keys, one after another */
    cyaml_schema_value_t root;
} schema;

static const struct {
    cyaml_type_e type;
    cyaml_flag_e flags;
    size_t bytes; /* 0: the row's size */
} types[] = {
    [SL_KEY_I64] = { CYAML_INT, CYAML_FLAG_OPTIONAL, sizeof(int64_t) },
    [SL_KEY_F64] = { CYAML_FLOAT, CYAML_FLAG_OPTIONAL, sizeof(double) },
    [SL_KEY_BOOL] = { CYAML_BOOL, CYAML_FLAG_OPTIONAL, sizeof(int) },
    [SL_KEY_TEXT] = { CYAML_STRING, CYAML_FLAG_OPTIONAL, 0 },
    [SL_KEY_CHOICE] = { CYAML_ENUM, CYAML_FLAG_OPTIONAL, sizeof(int) },
};

size_t sl_yaml_field_bytes(const sl_key *key)
{
    return types[key->type].bytes ? types[key->type].bytes : key->size;
}

static uint32_t choice_count(const sl_key *key)
{
    uint32_t n = 0;

    if (key->type == SL_KEY_CHOICE)
        while (key->choices[n])
            n++;
    return n;
}

/* The row of libcyaml for a key; moves *choices on by the key's choices. */
static cyaml_schema_field_t field_of(const sl_key *key, cyaml_strval_t **choices)
{
    cyaml_schema_field_t field = {
        .key = key->name,
        .data_offset = (uint32_t)key->offset,
        .value = { .type = types[key->type].type,
                   .flags = types[key->type].flags,
                   .data_size = (uint32_t)sl_yaml_field_bytes(key) },
    };

    if (key->type == SL_KEY_TEXT)
        field.value.string.max = (uint32_t)key->size - 1;
    if (key->type == SL_KEY_CHOICE) {
        field.value.enumeration.strings = *choices;
        field.value.enumeration.count = choice_count(key);
        for (uint32_t i = 0; i < field.value.enumeration.count; i++)
            *(*choices)++ = (cyaml_strval_t){ key->choices[i], i };
    }
    return field;
}

static void fill(schema *s, const sl_yaml_table *table, uint32_t struct_bytes)
{
    cyaml_schema_field_t *top = s->top, *field = s->fields;
    cyaml_strval_t *choices = s->choices;

    for (size_t i = 0; i < table->count; i++) {
        const char *section = table->row[i].section;

        if (!section[0])
            *top++ = field_of(&table->row[i], &choices);
        else if (sl_yaml_opens_section(table, i)) {
            *top++ = (cyaml_schema_field_t){
                .key = section,
                .value = { .type = CYAML_MAPPING,
                           .flags = CYAML_FLAG_OPTIONAL,
                           .data_size = struct_bytes,
                           .mapping = { .fields = field } },
            };
            for (size_t j = i; j < table->count; j++)
                if (!strcmp(table->row[j].section, section))
                    *field++ = field_of(&table->row[j], &choices);
            field++; /* the end: memory comes zeroed */
        }
    }
    s->root = (cyaml_schema_value_t){ .type = CYAML_MAPPING,
                                      .flags = CYAML_FLAG_POINTER,
                                      .data_size = struct_bytes,
                                      .mapping = { .fields = s->top } };
}

static sl_status schema_open(schema *s, const sl_yaml_table *table)
{
    size_t struct_bytes = 0, choices = 0;

    for (size_t i = 0; i < table->count; i++) {
        const size_t end = table->row[i].offset + sl_yaml_field_bytes(&table->row[i]);

        struct_bytes = end > struct_bytes ? end : struct_bytes;
        choices += choice_count(&table->row[i]);
    }
    SL_TRY(sl_take(&s->top, table->count + 1, sizeof *s->top));
    SL_TRY(sl_take(&s->fields, 2 * table->count, sizeof *s->fields));
    SL_TRY(sl_take(&s->choices, choices, sizeof *s->choices));
    fill(s, table, (uint32_t)struct_bytes);
    return SL_OK;
}

static void *cyaml_memory(void *unused, void *p, size_t bytes)
{
    (void)unused;
    if (bytes)
        return sl_alloc_get()->resize(p, bytes);
    sl_free(p);
    return NULL;
}

static sl_status load(void *out, const schema *s, const size_t *line, const sl_yaml_source *source,
                      const sl_yaml_table *table)
{
    const cyaml_config_t config = { .mem_fn = cyaml_memory, .flags = CYAML_CFG_NO_ALIAS };
    unsigned char *loaded = NULL;
    const cyaml_err_t err = cyaml_load_data((const uint8_t *)source->text, source->bytes, &config,
                                            &s->root, (cyaml_data_t **)&loaded, NULL);

    if (err == CYAML_ERR_OOM)
        return SL_FAIL(SL_ENOMEM, "want memory to read YAML, found none");
    if (err != CYAML_OK)
        return sl_err_where(
            SL_FAIL(source->code, "want values of the known keys, found: %s", cyaml_strerror(err)),
            "%s", source->name);
    for (size_t i = 0; i < table->count; i++)
        if (line[i])
            memcpy((unsigned char *)out + table->row[i].offset, loaded + table->row[i].offset,
                   sl_yaml_field_bytes(&table->row[i]));
    cyaml_free(&config, &s->root, loaded, 0);
    return SL_OK;
}

sl_status sl_yaml_values(void *out, const size_t *line, const sl_yaml_source *source,
                         const sl_yaml_table *table)
{
    schema s = { 0 };
    sl_status st = schema_open(&s, table);

    if (st == SL_OK)
        st = load(out, &s, line, source, table);
    sl_free(s.top);
    sl_free(s.fields);
    sl_free(s.choices);
    return st;
}
