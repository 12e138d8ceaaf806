/* One of everything, to be run plain, under valgrind, and with AddressSanitizer: everything is freed at the end. */
#include "events.h"

AuraStatus aura_test_panic(AuraError** error);

static int told = 0;

static int32_t progress(void* user, const AuraIngestState* state) {
  CHECK(user == &told);
  CHECK(state->rejected == 0);
  told++;
  return 0;
}

static const char* rest = "{\"actor\":\"z\",\"event\":\"view\",\"time\":\"2026-01-01T00:00:00Z\"}\n";

static int64_t read_rest(void* user, uint8_t* into, size_t capacity) {
  (void)user;
  size_t length = strlen(rest) < capacity ? strlen(rest) : capacity;
  memcpy(into, rest, length);
  rest += length;
  return (int64_t)length;
}

static void done_reading(void* user) { ++*(int*)user; }

static void questions(const AuraEvents* events) {
  AuraError* error = NULL;
  AuraTable* table = NULL;
  MUST(aura_sql(events, "SELECT actor, count(*) AS n FROM events GROUP BY actor", NULL, &table, &error));
  CHECK(aura_table_row_count(table) == 10 && aura_table_column_count(table) == 2);
  struct ArrowArrayStream stream;
  MUST(aura_table_stream(table, &stream, &error));
  AuraBytes* bytes = NULL;
  MUST(aura_table_export(table, "csv", &bytes, &error));
  CHECK(strncmp(aura_bytes_data(bytes), "actor,n\r\n", 9) == 0);
  CHECK(strlen(aura_bytes_data(bytes)) == aura_bytes_length(bytes));
  aura_bytes_free(bytes);
  MUST(aura_table_export(table, "parquet", &bytes, &error));
  aura_bytes_free(bytes);
  struct ArrowSchema schema;
  MUST(aura_table_schema(table, &schema, &error));
  CHECK(schema.n_children == 2);
  schema.release(&schema);
  aura_table_free(table);
  CHECK(count_rows(&stream) == 10);

  MUST(aura_run(events, "{\"funnel\": {\"steps\": [\"view\", \"buy\"]}}", NULL, &table, &error));
  CHECK(aura_table_row_count(table) == 2);
  aura_table_free(table);

  AuraTable* tables[2];
  MUST(aura_run_all(events, "[{\"sessions\": {\"gap\": \"30m\"}}, {\"retention\": {\"period\": \"day\"}}]", NULL, tables, 2, &error));
  aura_table_free(tables[0]);
  aura_table_free(tables[1]);

  AuraRegistry* registry = NULL;
  MUST(aura_registry_builtin(NULL, &registry, &error));
  MUST(aura_metrics(events, registry, "{\"metrics\": [\"active_actors\"]}", NULL, &table, &error));
  aura_table_free(table);
  MUST(aura_report(events, registry, NULL, NULL, &bytes, &error));
  AuraBytes* html = NULL;
  MUST(aura_report_html(aura_bytes_data(bytes), NULL, &html, &error));
  CHECK(strstr(aura_bytes_data(html), "<h1>") != NULL);
  aura_bytes_free(html);
  aura_bytes_free(bytes);
  aura_registry_free(registry);
}

static void mistakes(const AuraEvents* events) {
  AuraError* error = NULL;
  AuraTable* table = (AuraTable*)1;
  MUST_FAIL(AURA_STATUS_INVALID_SPEC, "nothing", aura_sql(events, "SELECT nothing FROM events", NULL, &table, &error));
  CHECK(table == NULL);
  MUST_FAIL(AURA_STATUS_INVALID_SPEC, "NULL", aura_sql(NULL, "SELECT 1", NULL, &table, &error));
  MUST_FAIL(AURA_STATUS_INVALID_SPEC, "NULL", aura_sql(events, NULL, NULL, &table, &error));
  MUST_FAIL(AURA_STATUS_INVALID_SPEC, "NULL", aura_sql(events, "SELECT 1", NULL, NULL, &error));
  MUST_FAIL(AURA_STATUS_INVALID_SPEC, "step", aura_run(events, "{\"funnel\": {\"step\": []}}", NULL, &table, &error));
  MUST_FAIL(AURA_STATUS_INTERNAL, "on purpose", aura_test_panic(&error));
  CHECK(aura_test_panic(NULL) == AURA_STATUS_INTERNAL);
  CHECK(aura_sql(events, "SELECT nothing", NULL, &table, NULL) == AURA_STATUS_INVALID_SPEC);

  AuraCancel* cancel = aura_cancel_new();
  aura_cancel_now(cancel);
  CHECK(aura_cancel_is_cancelled(cancel));
  MUST_FAIL(AURA_STATUS_CANCELLED, "cancelled",
            aura_sql(events, "SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 10000) b", cancel, &table, &error));
  aura_cancel_free(cancel);

  AuraEvents* none = NULL;
  struct ArrowArrayStream stream;
  make_stream(&stream, 10);
  MUST_FAIL(AURA_STATUS_INVALID_SPEC, "who", aura_events_from_stream(&stream, "{\"who\": 1}", NULL, &none, &error));
  CHECK(stream.release == NULL);
  MUST_FAIL(AURA_STATUS_INVALID_DATA, "released", aura_events_from_stream(&stream, NULL, NULL, &none, &error));
  MUST_FAIL(AURA_STATUS_INVALID_SPEC, "NULL", aura_events_from_stream(NULL, NULL, NULL, &none, &error));
  make_stream(&stream, 10);
  MUST_FAIL(AURA_STATUS_INVALID_SPEC, "NULL", aura_events_from_stream(&stream, NULL, NULL, NULL, &error));
  CHECK(stream.release == NULL);

  struct ArrowArray array;
  struct ArrowSchema schema;
  make_array(&array, &schema, 10);
  array.release(&array);
  MUST_FAIL(AURA_STATUS_INVALID_DATA, "released", aura_events_from_array(&array, &schema, NULL, NULL, &none, &error));
  CHECK(schema.release == NULL);
  make_array(&array, &schema, 10);
  schema.release(&schema);
  MUST_FAIL(AURA_STATUS_INVALID_DATA, "released", aura_events_from_array(&array, &schema, NULL, NULL, &none, &error));
  CHECK(array.release == NULL && none == NULL);
}

static void store(const char* directory) {
  AuraError* error = NULL;
  AuraStore* store = NULL;
  MUST(aura_store_open(directory, true, "{\"background\": false}", &store, &error));
  struct ArrowArrayStream stream;
  AuraSource* source = NULL;
  AuraBytes* report = NULL;
  make_stream(&stream, 30);
  MUST(aura_source_stream("events", &stream, &source, &error));
  MUST(aura_store_ingest(store, source, NULL, NULL, progress, &told, NULL, &report, &error));
  CHECK(told > 0 && strstr(aura_bytes_data(report), "\"accepted\":30") != NULL);
  aura_bytes_free(report);
  MUST_FAIL(AURA_STATUS_CONFLICT, "already", aura_store_ingest(store, source, NULL, NULL, NULL, NULL, NULL, &report, &error));
  aura_source_free(source);

  make_stream(&stream, 10);
  MUST(aura_source_stream("never read", &stream, &source, &error));
  aura_source_free(source);

  int done = 0;
  MUST(aura_source_reader("rest", read_rest, done_reading, &done, &source, &error));
  MUST(aura_store_ingest(store, source, NULL, NULL, NULL, NULL, NULL, &report, &error));
  aura_bytes_free(report);
  aura_source_free(source);
  CHECK(done == 1);
  MUST_FAIL(AURA_STATUS_INVALID_SPEC, "`read` is NULL", aura_source_reader("rest", NULL, done_reading, &done, &source, &error));
  CHECK(done == 2);

  make_stream(&stream, 20);
  MUST(aura_store_append(store, &stream, NULL, NULL, NULL, &report, &error));
  aura_bytes_free(report);
  uint64_t flushed = 0;
  MUST(aura_store_flush(store, NULL, &flushed, &error));
  MUST(aura_store_compact(store, NULL, &report, &error));
  aura_bytes_free(report);
  MUST(aura_store_erase(store, "u1", NULL, &report, &error));
  aura_bytes_free(report);
  MUST(aura_store_stats(store, NULL, &report, &error));
  aura_bytes_free(report);
  AuraEvents* events = NULL;
  MUST(aura_store_events(store, NULL, &events, &error));
  aura_store_close(store);
  MUST_FAIL(AURA_STATUS_CONFLICT, "closed", aura_store_stats(store, NULL, &report, &error));
  aura_store_free(store);
  AuraTable* table = NULL;
  MUST(aura_sql(events, "SELECT DISTINCT actor FROM events", NULL, &table, &error));
  CHECK(aura_table_row_count(table) == 10);
  aura_table_free(table);
  aura_events_free(events);
}

int main(int count, char** arguments) {
  CHECK(count == 2);
  AuraError* error = NULL;
  MUST(aura_check_abi(AURA_ABI_VERSION, &error));
  MUST_FAIL(AURA_STATUS_CONFLICT, "version 99", aura_check_abi(99, &error));

  struct ArrowArrayStream stream;
  AuraEvents* events = NULL;
  make_stream(&stream, 30);
  MUST(aura_events_from_stream(&stream, NULL, "{\"threads\": 2}", &events, &error));
  CHECK(stream.release == NULL);
  questions(events);
  mistakes(events);
  aura_events_free(events);

  struct ArrowArray array;
  struct ArrowSchema schema;
  make_array(&array, &schema, 30);
  MUST(aura_events_from_array(&array, &schema, NULL, NULL, &events, &error));
  CHECK(array.release == NULL && schema.release == NULL);
  AuraTable* table = NULL;
  MUST(aura_sql(events, "SELECT * FROM events", NULL, &table, &error));
  aura_events_free(events);
  MUST(aura_table_stream(table, &stream, &error));
  aura_table_free(table);
  CHECK(alive > 0); /* the rows are those of the array, not a copy */
  CHECK(count_rows(&stream) == 30);

  store(arguments[1]);
  CHECK(alive == 0);
  puts("life: everything passed");
  return 0;
}
