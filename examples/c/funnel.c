/* Reads a file of events, prints a funnel, and writes a report.
 *
 *   cc funnel.c $(pkg-config --cflags --libs aura) -o funnel
 *   ./funnel events.ndjson
 */
#include <aura.h>
#include <stdio.h>

/* Says what went wrong, and returns the number of its kind. */
static int failed(AuraError* error) {
  int status = (int)aura_error_status(error);
  fprintf(stderr, "%s: %s\n", aura_error_code(error), aura_error_message(error));
  aura_error_free(error);
  return status;
}

static int print_funnel(const AuraEvents* events) {
  const char* spec = "{\"funnel\": {\"steps\": [\"product_view\", \"add_to_cart\", \"purchase\"], \"within\": \"7d\"}}";
  AuraError* error = NULL;
  AuraTable* table = NULL;
  if (aura_run(events, spec, NULL, &table, &error) != AURA_STATUS_OK) return failed(error);

  AuraBytes* text = NULL;
  AuraStatus status = aura_table_text(table, 20, &text, &error);
  aura_table_free(table);
  if (status != AURA_STATUS_OK) return failed(error);
  puts(aura_bytes_data(text));
  aura_bytes_free(text);
  return 0;
}

static int write_report(const AuraEvents* events, const char* path) {
  AuraError* error = NULL;
  AuraRegistry* registry = NULL;
  AuraBytes* report = NULL;
  AuraBytes* html = NULL;
  AuraStatus status = aura_registry_builtin(NULL, &registry, &error);
  if (status == AURA_STATUS_OK) status = aura_report(events, registry, NULL, NULL, &report, &error);
  if (status == AURA_STATUS_OK) status = aura_report_html(aura_bytes_data(report), NULL, &html, &error);
  /* What was not made is NULL, and every free accepts that. */
  aura_registry_free(registry);
  aura_bytes_free(report);
  if (status != AURA_STATUS_OK) return failed(error);

  FILE* file = fopen(path, "wb");
  int written = file != NULL && fwrite(aura_bytes_data(html), 1, aura_bytes_length(html), file) == aura_bytes_length(html);
  if (file != NULL && fclose(file) != 0) written = 0;
  aura_bytes_free(html);
  if (!written) {
    perror(path);
    return 1;
  }
  printf("%s\n", path);
  return 0;
}

int main(int count, char** arguments) {
  if (count != 2) {
    fprintf(stderr, "usage: %s FILE\n", arguments[0]);
    return 2;
  }
  AuraError* error = NULL;
  if (aura_check_abi(AURA_ABI_VERSION, &error) != AURA_STATUS_OK) return failed(error);

  AuraEvents* events = NULL;
  if (aura_events_from_files(arguments[1], NULL, NULL, NULL, &events, &error) != AURA_STATUS_OK) return failed(error);
  int code = print_funnel(events);
  if (code == 0) code = write_report(events, "report.html");
  aura_events_free(events);
  return code;
}
