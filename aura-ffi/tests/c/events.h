/* A table of events, as a program in C that has no Arrow library makes one. */
#ifndef EVENTS_H
#define EVENTS_H

#include <aura.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                              \
  do {                                                                                \
    if (!(condition)) {                                                               \
      fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);         \
      exit(1);                                                                        \
    }                                                                                 \
  } while (0)

/* A call that must go well; it uses a variable `error`. */
#define MUST(call)                                                                    \
  do {                                                                                \
    AuraStatus status_ = (call);                                                      \
    if (status_ != AURA_STATUS_OK) {                                                  \
      fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, aura_error_code(error),  \
              aura_error_message(error));                                             \
      exit(1);                                                                        \
    }                                                                                 \
    CHECK(error == NULL);                                                             \
  } while (0)

/* A call that must fail in this way; it uses a variable `error`. */
#define MUST_FAIL(expected, part, call)                                               \
  do {                                                                                \
    CHECK((call) == (expected));                                                      \
    CHECK(error != NULL && aura_error_status(error) == (expected));                   \
    if (strstr(aura_error_message(error), part) == NULL) {                            \
      fprintf(stderr, "%s:%d: message: %s\n", __FILE__, __LINE__,                     \
              aura_error_message(error));                                             \
      exit(1);                                                                        \
    }                                                                                 \
    aura_error_free(error);                                                           \
    error = NULL;                                                                     \
  } while (0)

#ifdef __cplusplus
extern "C" {
#endif

/* How many streams and arrays were made and not yet released. */
extern int alive;

/* A stream of one table with `rows` events: the actors u0..u9 in turn view, view, buy, one event a second. */
void make_stream(struct ArrowArrayStream* out, int64_t rows);

/* The same as one array with its schema. */
void make_array(struct ArrowArray* array, struct ArrowSchema* schema, int64_t rows);

/* Reads a stream to its end, releases it, and returns its rows. */
int64_t count_rows(struct ArrowArrayStream* stream);

#ifdef __cplusplus
}
#endif

#endif
