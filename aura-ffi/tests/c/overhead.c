/* What a call costs beside the core's own time: overhead [BAR_US].
 *
 * The way to the core and back is that of a spec that the core refuses as soon as it has read it, and of a table that is there and
 * leaves as a stream. Minima of many rounds are printed; above the bar the program fails. */
#define _POSIX_C_SOURCE 200809L
#include "events.h"

#include <time.h>

#define ROUNDS 50
#define CALLS 200

static double now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

int main(int count, char** arguments) {
  double bar = count > 1 ? atof(arguments[1]) : 0;
  AuraError* error = NULL;
  AuraEvents* events = NULL;
  AuraTable* table = NULL;
  struct ArrowArrayStream stream;
  make_stream(&stream, 10);
  MUST(aura_events_from_stream(&stream, NULL, NULL, &events, &error));

  double refused = 1e9, answered = 1e9, taken = 1e9;
  for (int round = 0; round < ROUNDS; round++) {
    double began = now_us();
    for (int i = 0; i < CALLS; i++) {
      CHECK(aura_run(events, "{\"funnel\": {\"steps\": [\"a\", \"b\"], \"within\": \"no length\"}}", NULL, &table, &error) ==
            AURA_STATUS_INVALID_SPEC);
      aura_error_free(error);
      error = NULL;
    }
    double each = (now_us() - began) / CALLS;
    refused = each < refused ? each : refused;

    began = now_us();
    MUST(aura_sql(events, "SELECT 1 AS one", NULL, &table, &error));
    each = now_us() - began;
    answered = each < answered ? each : answered;

    began = now_us();
    for (int i = 0; i < CALLS; i++) {
      MUST(aura_table_stream(table, &stream, &error));
      CHECK(count_rows(&stream) == 1);
    }
    each = (now_us() - began) / CALLS;
    taken = each < taken ? each : taken;
    aura_table_free(table);
  }
  aura_events_free(events);
  printf("a refused call: %.1f us; a table of one row as a stream, read to its end: %.1f us; both: %.1f us\n", refused, taken,
         refused + taken);
  printf("SELECT 1, with the core's own time: %.0f us\n", answered);
  if (bar > 0 && refused + taken > bar) {
    fprintf(stderr, "above the bar of %.0f us\n", bar);
    return 1;
  }
  return 0;
}
