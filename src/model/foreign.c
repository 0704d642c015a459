#include "model/foreign.h"
#include <dirent.h>
#include <string.h>

typedef struct known {
    const char *name, *hint;
} known;

sl_status sl_foreign_keys(const sl_json *config)
{
    static const known keys[] = {
        { "quantization_config", "want weights as stored in training" },
        { "num_local_experts", "want one MLP a block" },
        { "num_experts", "want one MLP a block" },
        { "n_routed_experts", "want one MLP a block" },
    };

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (sl_json_has(config, keys[i].name))
            return SL_FAIL(SL_EUNSUPPORTED, "%s, found %s", keys[i].hint, keys[i].name);
    return SL_OK;
}

static int ends_in(const char *name, const char *end)
{
    const size_t n = strlen(name), m = strlen(end);

    return n >= m && !strcmp(name + n - m, end);
}

static int has_file(const char *folder, const char *end)
{
    DIR *d = opendir(folder);
    int found = 0;

    if (!d)
        return 0;
    for (struct dirent *e; !found && (e = readdir(d)) != NULL;)
        found = ends_in(e->d_name, end);
    closedir(d);
    return found;
}

const char *sl_foreign_files(const char *folder)
{
    static const known files[] = {
        { "adapter_config.json", "this is an adapter: merge it into its base model first (peft: "
                                 "merge_and_unload, then save_pretrained)" },
        { ".gguf", "GGUF is not read: take the checkpoint it was made from" },
        { ".bin", "pickles are never read: load it in transformers and save_pretrained, which "
                  "writes safetensors" },
        { ".pth", "pickles are never read: load it in transformers and save_pretrained, which "
                  "writes safetensors" },
    };

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        if (has_file(folder, files[i].name))
            return files[i].hint;
    return NULL;
}
