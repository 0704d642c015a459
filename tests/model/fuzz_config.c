/* config.json of any bytes: refused, or a descriptor whose copy is equal and whose memory can be
 * planned; a small one makes a model that computes two tokens. */
#include "base/json.h"
#include "harness/fuzz.h"
#include "model/model.h"
#include <math.h>

enum { SMALL = 1 << 16, ROWS = 2 };

const t_fuzz_target t_fuzz = { .name = "fuzz config",
                               .spice = "{}[]\",:0123456789eE.-+ \\utfnrulasn\xff",
                               .changes = 6000 };

static const sl_backend *backend(void)
{
    static const sl_backend *ref;

    if (!ref)
        t_expect(sl_backend_open(&ref, "ref", 1) == SL_OK, "a backend");
    return ref;
}

static void compute(const sl_model *model)
{
    static const int32_t token[ROWS] = { 0, 0 }, position[ROWS] = { 0, 1 };
    static const sl_segment segment = { .parent = -1, .count = ROWS };
    static const sl_target target[1] = { { .row = 0, .token = 0 } };
    static const uint32_t first[2] = { 0, 1 };
    const sl_packed batch = { .token = token,
                              .position = position,
                              .segment = &segment,
                              .target = target,
                              .seq_first = first,
                              .T = ROWS,
                              .S = 1,
                              .B = 1,
                              .N = 1 };
    const sl_packed_limits limits = { .T = ROWS, .S = 1, .B = 1, .N = 1, .positions = ROWS };
    sl_work *work = NULL;
    float logp = 0.0f;

    t_expect(sl_work_open(&work, sl_model_config(model), backend(), &limits, 0) == SL_OK, "memory");
    t_expect(sl_model_forward(model, work, &batch) == SL_OK, "a forward pass");
    t_expect(sl_model_logp(&logp, NULL, NULL, model, work, &batch) == SL_OK, "log-probabilities");
    sl_work_close(&work);
}

static void check(const sl_config *c)
{
    const sl_packed_limits limits = { .T = 512, .S = 8, .B = 8, .N = 512, .positions = 512 };
    const size_t parameters = sl_config_parameters(c);
    sl_config copy;
    sl_model *model = NULL;

    t_expect(parameters > 0, "parameters");
    t_expect(sl_work_bytes(c, &limits, 1) > 0, "a plan");
    t_expect(sl_config_copy(&copy, c) == SL_OK && json_equal(copy.tree, c->tree), "an equal copy");
    if (parameters > SMALL || c->is_scorer) {
        sl_config_close(&copy);
        return;
    }
    t_expect(sl_model_create(&model, &copy, backend(), &(sl_init){ .seed = 1 }, 0) == SL_OK,
             "a model");
    compute(model);
    sl_model_close(&model);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sl_json *tree = NULL;
    sl_config c;

    if (sl_json_parse(&tree, (const char *)data, size, "fuzz") == SL_OK &&
        sl_config_parse(&c, tree, "fuzz") == SL_OK) {
        check(&c);
        sl_config_close(&c);
        t_fuzz_count(1);
    } else {
        t_fuzz_count(0);
    }
    return 0;
}
