/* The only compiler extensions of the project. */
#ifndef SL_BASE_ATTR_H
#define SL_BASE_ATTR_H

#define SL_MUSTUSE __attribute__((warn_unused_result))
#define SL_PRINTF(text, first) __attribute__((format(printf, text, first)))

#endif
