#include "golden_file.h"
#include "harness/harness.h"
#include <hdf5.h>
#include <stdlib.h>

static hid_t golden; /* the file that is open */

void t_golden_open(const char *path)
{
    golden = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    assert_true(golden >= 0);
}

void t_golden_close(void)
{
    H5Fclose(golden);
}

static size_t length_of(const char *name)
{
    const hid_t set = H5Dopen2(golden, name, H5P_DEFAULT);
    const hid_t space = H5Dget_space(set);
    const hssize_t n = H5Sget_simple_extent_npoints(space);

    assert_true(set >= 0 && n > 0);
    H5Sclose(space);
    H5Dclose(set);
    return (size_t)n;
}

static void *read_as(const char *name, hid_t type, size_t size, size_t *count)
{
    const hid_t set = H5Dopen2(golden, name, H5P_DEFAULT);
    void *data = NULL;

    *count = length_of(name);
    data = malloc(*count * size);
    assert_non_null(data);
    assert_true(H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0);
    H5Dclose(set);
    return data;
}

float *t_golden_floats(const char *name, size_t *count)
{
    return read_as(name, H5T_NATIVE_FLOAT, sizeof(float), count);
}

int32_t *t_golden_ids(const char *name, size_t *count)
{
    return read_as(name, H5T_NATIVE_INT32, sizeof(int32_t), count);
}

double t_golden_scalar(const char *name)
{
    size_t n = 0;
    double *x = read_as(name, H5T_NATIVE_DOUBLE, sizeof *x, &n), value = x[0];

    assert_int_equal(n, 1);
    free(x);
    return value;
}

int t_golden_has(const char *name)
{
    return H5Lexists(golden, name, H5P_DEFAULT) > 0;
}
