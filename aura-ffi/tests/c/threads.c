/* Calls from many threads to one handle. */
#include "events.h"

#include <pthread.h>

#define THREADS 8

static AuraEvents* events = NULL;
static int calls = 0;

static void* work(void* unused) {
  (void)unused;
  AuraError* error = NULL;
  AuraTable* table = NULL;
  for (int i = 0; i < calls; i++) {
    MUST(aura_run(events, "{\"funnel\": {\"steps\": [\"view\", \"buy\"]}}", NULL, &table, &error));
    CHECK(aura_table_row_count(table) == 2);
    struct ArrowArrayStream stream;
    MUST(aura_table_stream(table, &stream, &error));
    aura_table_free(table);
    CHECK(count_rows(&stream) == 2);
    MUST_FAIL(AURA_STATUS_INVALID_SPEC, "nothing", aura_sql(events, "SELECT nothing FROM events", NULL, &table, &error));
  }
  return NULL;
}

int main(int count, char** arguments) {
  CHECK(count == 2);
  calls = atoi(arguments[1]);
  AuraError* error = NULL;
  struct ArrowArrayStream stream;
  make_stream(&stream, 300);
  MUST(aura_events_from_stream(&stream, NULL, "{\"threads\": 2}", &events, &error));
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) CHECK(pthread_create(&threads[i], NULL, work, NULL) == 0);
  for (int i = 0; i < THREADS; i++) CHECK(pthread_join(threads[i], NULL) == 0);
  aura_events_free(events);
  CHECK(alive == 0);
  puts("threads: everything passed");
  return 0;
}
