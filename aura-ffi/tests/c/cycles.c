/* Opens, asks and closes over and over, and looks at the memory: cycles CYCLES DIRECTORY. */
#include "events.h"

#include <unistd.h>

static long resident(void) {
  long pages = 0;
  FILE* file = fopen("/proc/self/statm", "r");
  CHECK(file != NULL && fscanf(file, "%*d %ld", &pages) == 1);
  fclose(file);
  return pages * sysconf(_SC_PAGESIZE);
}

static void cycle(int at, const char* directory) {
  AuraError* error = NULL;
  AuraEvents* events = NULL;
  AuraTable* table = NULL;
  struct ArrowArrayStream stream;
  make_stream(&stream, 100);
  MUST(aura_events_from_stream(&stream, NULL, NULL, &events, &error));
  MUST_FAIL(AURA_STATUS_INVALID_SPEC, "steps", aura_run(events, "{\"funnel\": {}}", NULL, &table, &error));
  if (at % 10 == 0) {
    MUST(aura_sql(events, "SELECT actor, event FROM events", NULL, &table, &error));
    MUST(aura_table_stream(table, &stream, &error));
    aura_table_free(table);
    CHECK(count_rows(&stream) == 100);
  }
  if (at % 100 == 0) {
    AuraStore* store = NULL;
    AuraBytes* report = NULL;
    MUST(aura_store_open(directory, true, "{\"background\": false}", &store, &error));
    make_stream(&stream, 100);
    MUST(aura_store_append(store, &stream, NULL, NULL, NULL, &report, &error));
    aura_bytes_free(report);
    aura_store_free(store);
  }
  aura_events_free(events);
}

int main(int count, char** arguments) {
  CHECK(count == 3);
  int cycles = atoi(arguments[1]);
  for (int i = 0; i < cycles / 4; i++) cycle(i, arguments[2]);
  long before = resident();
  for (int i = 0; i < cycles; i++) cycle(i, arguments[2]);
  long grown = resident() - before;
  CHECK(alive == 0);
  printf("%d cycles: grown by %.1f MiB of %.1f\n", cycles, (double)grown / 1048576.0, (double)before / 1048576.0);
  /* Allocators keep some; a leak of one table a cycle would be more than this. */
  CHECK(grown < (16L << 20));
  return 0;
}
