/* The gradient noise scale (docs/math.md C2, arXiv 1812.06162), which the trainer records and the
 * analyzer smooths. Bodies stand here: it is two lines. */
#ifndef SL_BASE_NOISE_H
#define SL_BASE_NOISE_H

#include <math.h>

typedef struct sl_noise_scale {
    double squared_gradient, noise, simple; /* G2, S, S/G2; simple NaN where G2 <= 0 */
} sl_noise_scale;

static inline double sl_noise_ratio(double noise, double squared_gradient)
{
    return squared_gradient > 0.0 ? noise / squared_gradient : NAN;
}

/* From the mean squared norm of mean gradients over b and the squared norm over B > b. */
static inline sl_noise_scale sl_noise_scale_of(double small_sq, double big_sq, double b, double B)
{
    const double g2 = (B * big_sq - b * small_sq) / (B - b);
    const double s = (small_sq - big_sq) / (1.0 / b - 1.0 / B);

    return (sl_noise_scale){ g2, s, sl_noise_ratio(s, g2) };
}

#endif
