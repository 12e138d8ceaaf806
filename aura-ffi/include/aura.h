/*
 * AURA: the analytics that a program embeds. The C interface.
 *
 * Written by cbindgen; do not edit (make ffi-header).
 *
 * Results. A function that can fail returns an AuraStatus, 0 when all went well, and takes as its last argument a place for an
 * error, which may be NULL. When it fails, the place has an error object that the caller frees; when all went well, NULL. The
 * object is of no thread: there is no "last error" to be lost. A place for an answer has NULL when the call failed; it may be
 * uninitialised before.
 *
 * Pointers. What is not said to be optional must not be NULL: a NULL is found, and an AURA_STATUS_INVALID_SPEC, nothing worse. Every
 * other pointer must be what it is said to be: a handle that lives, a text in UTF-8 that ends with NUL, a place of the right
 * size. Texts and bytes are copied in the call, and need not live longer.
 *
 * Ownership. A handle that a function gave is freed once, with the function of its type, by any thread, in any order: what one
 * handle needs of another it keeps by itself. A free accepts NULL.
 *
 * Threads. Every function may be called from any thread, and every handle be used by several at once; only the free of a
 * handle must come after the last call that was begun with it. A call blocks its thread until it is done; the work is done on
 * threads of the library. After a fork, the child may not use AURA if the parent has (it is told so, by an AURA_STATUS_CONFLICT).
 *
 * Panics of the library end at its border and become an AURA_STATUS_INTERNAL; their message goes to standard error as well. Functions
 * of the caller that AURA calls may not throw or jump out.
 *
 * JSON. Specs and options are the same in all languages; aura_schemas writes their JSON Schemas. Where NULL is allowed it means
 * the defaults.
 */


#ifndef AURA_H
#define AURA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The Arrow C data and stream interfaces, as https://arrow.apache.org/docs/format/CDataInterface.html prints them.
 */
#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

struct ArrowSchema {
  const char* format;
  const char* name;
  const char* metadata;
  int64_t flags;
  int64_t n_children;
  struct ArrowSchema** children;
  struct ArrowSchema* dictionary;
  void (*release)(struct ArrowSchema*);
  void* private_data;
};

struct ArrowArray {
  int64_t length;
  int64_t null_count;
  int64_t offset;
  int64_t n_buffers;
  int64_t n_children;
  const void** buffers;
  struct ArrowArray** children;
  struct ArrowArray* dictionary;
  void (*release)(struct ArrowArray*);
  void* private_data;
};

#endif  /* ARROW_C_DATA_INTERFACE */

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE

struct ArrowArrayStream {
  int (*get_schema)(struct ArrowArrayStream*, struct ArrowSchema* out);
  int (*get_next)(struct ArrowArrayStream*, struct ArrowArray* out);
  const char* (*get_last_error)(struct ArrowArrayStream*);
  void (*release)(struct ArrowArrayStream*);
  void* private_data;
};

#endif  /* ARROW_C_STREAM_INTERFACE */


/**
 * The version of this interface. It grows when a program that was compiled with an older header would go wrong; what is only
 * added leaves it as it is.
 */
#define AURA_ABI_VERSION 1

/**
 * What a function returns: 0, or the kind of the error, which says what to do. The numbers never change, and none is used
 * again; a later version may add some.
 */
enum AuraStatus
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * All went well.
   */
  AURA_STATUS_OK = 0,
  /**
   * The call is wrong: fix the spec, the option, the SQL text or the pointer.
   */
  AURA_STATUS_INVALID_SPEC = 1,
  /**
   * The data are wrong: fix the input named in the message.
   */
  AURA_STATUS_INVALID_DATA = 2,
  /**
   * The thing named does not exist.
   */
  AURA_STATUS_NOT_FOUND = 3,
  /**
   * Somebody else changed the same thing, or the state does not allow this call.
   */
  AURA_STATUS_CONFLICT = 4,
  /**
   * The caller may not do this.
   */
  AURA_STATUS_DENIED = 5,
  /**
   * A passing fault: the same call may succeed later.
   */
  AURA_STATUS_UNAVAILABLE = 6,
  /**
   * A limit of disk, memory or size was reached: free or raise it.
   */
  AURA_STATUS_RESOURCE_EXHAUSTED = 7,
  /**
   * The caller cancelled the operation; nothing of it was kept.
   */
  AURA_STATUS_CANCELLED = 8,
  /**
   * A fault in AURA itself: report it.
   */
  AURA_STATUS_INTERNAL = 9,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum AuraStatus AuraStatus;
#else
typedef int32_t AuraStatus;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * A text or bytes that a call answered with: JSON, HTML, Parquet. A byte of zero follows the last, so that a text is one of C.
 */
typedef struct AuraBytes AuraBytes;

/**
 * Stops the calls that it was given to, from another thread. It stays cancelled: make a new one for later calls.
 */
typedef struct AuraCancel AuraCancel;

/**
 * A data contract: which events and properties are expected, and what is done with the others.
 */
typedef struct AuraContract AuraContract;

/**
 * Events: a table with the roles actor, event and time, and every question to it.
 */
typedef struct AuraEvents AuraEvents;

/**
 * What went wrong in a call: made by the call, owned by its caller, and of no thread.
 */
typedef struct AuraError AuraError;

/**
 * Definitions of metrics.
 */
typedef struct AuraRegistry AuraRegistry;

/**
 * A source of events. It is read once.
 */
typedef struct AuraSource AuraSource;

/**
 * A durable home of events.
 */
typedef struct AuraStore AuraStore;

/**
 * The result of every question: a table with notes.
 */
typedef struct AuraTable AuraTable;

/**
 * Gives bytes: writes at most `capacity` of them to `into` and returns how many, 0 at the end, a negative number when it failed.
 */
typedef int64_t (*AuraReadFunction)(void *user,
                                    uint8_t *into,
                                    size_t capacity);

/**
 * Is called once, when nothing is read any more.
 */
typedef void (*AuraDoneFunction)(void *user);

/**
 * How far an ingest is. Numbers only grow.
 */
typedef struct {
  /**
   * Bytes of the sources read so far (compressed bytes of compressed sources).
   */
  uint64_t bytes_read;
  /**
   * Bytes of all sources; 0 where it is not known.
   */
  uint64_t bytes_total;
  /**
   * Rows read so far, rejected ones included.
   */
  uint64_t rows_read;
  /**
   * Rows rejected so far.
   */
  uint64_t rejected;
} AuraIngestState;

/**
 * Is told how far an ingest is; other than 0 cancels it.
 */
typedef int32_t (*AuraProgressFunction)(void *user,
                                        const AuraIngestState *state);

/**
 * What a question read.
 */
typedef struct {
  /**
   * Data files of the tables that were asked.
   */
  uint64_t files_total;
  /**
   * Files that were read.
   */
  uint64_t files_read;
  /**
   * Bytes read from files.
   */
  uint64_t bytes_read;
} AuraScanStats;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Returns the version of the library that is loaded, for example `0.1.0`.
 *
 * Ownership: the text belongs to the library and stays.
 */
const char *aura_version(void);

/**
 * Returns the version of the interface of the library that is loaded.
 *
 * Ownership: nothing is owned.
 */
uint32_t aura_abi_version(void);

/**
 * Checks that the library that is loaded fits the header that the program was compiled with:
 * `aura_check_abi(AURA_ABI_VERSION, &error)`. It is a `CONFLICT` when not.
 *
 * Ownership: `*error` goes to the caller, who frees it.
 */
AuraStatus aura_check_abi(uint32_t abi_version,
                          AuraError **error);

/**
 * Writes the JSON Schemas of specs and options: an object of them by name.
 *
 * Ownership: `*json` and `*error` go to the caller, who frees them.
 */
AuraStatus aura_schemas(AuraBytes **json,
                        AuraError **error);

/**
 * Returns the first byte; as a text of C it ends with NUL. NULL for NULL.
 *
 * Ownership: `bytes` stays with the caller; what is pointed to is part of it and goes with it.
 */
const char *aura_bytes_data(const AuraBytes *bytes);

/**
 * Returns the number of bytes, without the zero behind them; 0 for NULL.
 *
 * Ownership: `bytes` stays with the caller.
 */
size_t aura_bytes_length(const AuraBytes *bytes);

/**
 * Lets go of bytes.
 *
 * Ownership: takes `bytes`; NULL is accepted.
 */
void aura_bytes_free(AuraBytes *bytes);

/**
 * Makes what stops calls from another thread: give it to them, and call `aura_cancel_now`.
 *
 * Ownership: the result goes to the caller, who frees it with `aura_cancel_free`. NULL only when memory is out.
 */
AuraCancel *aura_cancel_new(void);

/**
 * Stops the calls that it was given to, and those that it is given to later: they return `AURA_STATUS_CANCELLED`.
 *
 * Ownership: `cancel` stays with the caller; NULL is accepted.
 */
void aura_cancel_now(const AuraCancel *cancel);

/**
 * Returns whether `aura_cancel_now` was called.
 *
 * Ownership: `cancel` stays with the caller; NULL is never cancelled.
 */
bool aura_cancel_is_cancelled(const AuraCancel *cancel);

/**
 * Lets go of it. Calls that run with it go on.
 *
 * Ownership: takes `cancel`; NULL is accepted.
 */
void aura_cancel_free(AuraCancel *cancel);

/**
 * Reads a data contract from YAML or JSON.
 *
 * Ownership: `*result` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_contract_parse(const char *contract,
                               AuraContract **result,
                               AuraError **error);

/**
 * Reads a data contract from a file of YAML or JSON.
 *
 * Ownership: `*result` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_contract_load(const char *path,
                              AuraContract **result,
                              AuraError **error);

/**
 * Returns a first contract, from what a table of events (`actor`, `event`, `time` and properties) holds.
 *
 * Ownership: `*result` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_contract_infer(const char *name,
                               const AuraTable *table,
                               AuraContract **result,
                               AuraError **error);

/**
 * Returns the version; 0 for NULL.
 *
 * Ownership: `contract` stays with the caller.
 */
uint32_t aura_contract_version(const AuraContract *contract);

/**
 * Writes the name.
 *
 * Ownership: `*bytes` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_contract_name(const AuraContract *contract,
                              AuraBytes **bytes,
                              AuraError **error);

/**
 * Writes the contract as YAML.
 *
 * Ownership: `*bytes` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_contract_yaml(const AuraContract *contract,
                              AuraBytes **bytes,
                              AuraError **error);

/**
 * Writes the contract as JSON.
 *
 * Ownership: `*bytes` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_contract_json(const AuraContract *contract,
                              AuraBytes **bytes,
                              AuraError **error);

/**
 * Writes what changed from this contract to a newer one: a JSON list of objects with `path`, `compatibility` and `why`.
 *
 * Ownership: `*bytes` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_contract_compare(const AuraContract *contract,
                                 const AuraContract *newer,
                                 AuraBytes **bytes,
                                 AuraError **error);

/**
 * Lets go of a contract. Calls that run with it go on.
 *
 * Ownership: takes `contract`; NULL is accepted.
 */
void aura_contract_free(AuraContract *contract);

/**
 * Reads a file, or all files that match a glob: Parquet, CSV, NDJSON, JSON or Arrow IPC, plain, gzip or zstd. Parquet is read when a
 * question needs it, all else now. `roles` says which columns are the actor, the event and the time, `engine` bounds what a question
 * takes: both JSON, NULL for the defaults.
 *
 * Ownership: `*events` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_events_from_files(const char *pattern,
                                  const char *roles,
                                  const char *engine,
                                  const AuraCancel *cancel,
                                  AuraEvents **events,
                                  AuraError **error);

/**
 * Reads the content of such a file; `name` is used in messages.
 *
 * Ownership: `data` is copied. `*events` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_events_from_bytes(const char *name,
                                  const uint8_t *data,
                                  size_t length,
                                  const char *roles,
                                  const char *engine,
                                  const AuraCancel *cancel,
                                  AuraEvents **events,
                                  AuraError **error);

/**
 * Takes a table as bytes of Arrow IPC, of the streaming or the file format, as `aura_events_from_stream` takes one: its columns are those
 * of the events.
 *
 * Ownership: `data` is copied. `*events` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_events_from_ipc(const uint8_t *data,
                                size_t length,
                                const char *roles,
                                const char *engine,
                                AuraEvents **events,
                                AuraError **error);

/**
 * Takes the tables of an Arrow C stream, without copying them. The stream is read to its end, now.
 *
 * Ownership: `stream` is taken over and marked as released, also when the call fails; `*events` and `*error` go to the caller,
 * who frees them; all else stays with the caller. The buffers are released, by any thread, when nothing uses them any more.
 */
AuraStatus aura_events_from_stream(struct ArrowArrayStream *stream,
                                   const char *roles,
                                   const char *engine,
                                   AuraEvents **events,
                                   AuraError **error);

/**
 * Takes one table, an Arrow array of structs with its schema, without copying it.
 *
 * Ownership: `array` and `schema` are taken over and marked as released, also when the call fails; `*events` and `*error` go to
 * the caller, who frees them; all else stays with the caller. The buffers are released, by any thread, when nothing uses them any more.
 */
AuraStatus aura_events_from_array(struct ArrowArray *array,
                                  struct ArrowSchema *schema,
                                  const char *roles,
                                  const char *engine,
                                  AuraEvents **events,
                                  AuraError **error);

/**
 * Writes the schema of the table `events`, as SQL sees it.
 *
 * Ownership: `*schema` goes to the caller, who calls its `release`; what was in it is overwritten. `*error` goes to the caller, who
 * frees it; all else stays with the caller.
 */
AuraStatus aura_events_schema(const AuraEvents *events,
                              struct ArrowSchema *schema,
                              AuraError **error);

/**
 * Answers a query in SQL over the table `events`.
 *
 * Ownership: `*table` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_sql(const AuraEvents *events,
                    const char *query,
                    const AuraCancel *cancel,
                    AuraTable **table,
                    AuraError **error);

/**
 * Answers an analysis of behaviour in its JSON form, for example `{"funnel": {"steps": ["view", "buy"], "within": "7d"}}`.
 *
 * Ownership: `*table` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_run(const AuraEvents *events,
                    const char *spec,
                    const AuraCancel *cancel,
                    AuraTable **table,
                    AuraError **error);

/**
 * Answers a JSON list of analyses, at most 100, in one pass over the events. `count` is how many the list has, and `tables` a place for
 * as many.
 *
 * Ownership: The `count` handles in `tables` and `*error` go to the caller, who frees each; when the call fails all are NULL. All else
 * stays with the caller.
 */
AuraStatus aura_run_all(const AuraEvents *events,
                        const char *specs,
                        const AuraCancel *cancel,
                        AuraTable **tables,
                        size_t count,
                        AuraError **error);

/**
 * Answers a question about metrics in its JSON form, for example `{"metrics": ["active_actors"], "grain": "week"}`.
 *
 * Ownership: `*table` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_metrics(const AuraEvents *events,
                        const AuraRegistry *registry,
                        const char *query,
                        const AuraCancel *cancel,
                        AuraTable **table,
                        AuraError **error);

/**
 * Tells how a question about metrics is answered, in words.
 *
 * Ownership: `*explanation` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_explain_metrics(const AuraEvents *events,
                                const AuraRegistry *registry,
                                const char *query,
                                const AuraCancel *cancel,
                                AuraBytes **explanation,
                                AuraError **error);

/**
 * Says what changed in the metrics, whether it matters, why, and what to do: findings as JSON. `spec` is JSON, NULL for the defaults.
 *
 * Ownership: `*findings` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_insights(const AuraEvents *events,
                         const AuraRegistry *registry,
                         const char *spec,
                         const AuraCancel *cancel,
                         AuraBytes **findings,
                         AuraError **error);

/**
 * Makes a report as JSON, for `aura_report_html` and `aura_report_markdown`. `spec` is JSON, NULL for what fits the events.
 *
 * Ownership: `*report` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_report(const AuraEvents *events,
                       const AuraRegistry *registry,
                       const char *spec,
                       const AuraCancel *cancel,
                       AuraBytes **report,
                       AuraError **error);

/**
 * Lets go of events. Calls that run with them go on.
 *
 * Ownership: takes `events`; NULL is accepted.
 */
void aura_events_free(AuraEvents *events);

/**
 * Returns the kind of an error, which is what the function returned; `AURA_STATUS_OK` for NULL.
 *
 * Ownership: `error` stays with the caller.
 */
AuraStatus aura_error_status(const AuraError *error);

/**
 * Returns the name of the kind, the same in all languages, for example `INVALID_SPEC`; an empty text for NULL.
 *
 * Ownership: `error` stays with the caller; the text is part of it and goes with it.
 */
const char *aura_error_code(const AuraError *error);

/**
 * Returns what is wrong, what was found and what to do, in UTF-8; an empty text for NULL.
 *
 * Ownership: `error` stays with the caller; the text is part of it and goes with it.
 */
const char *aura_error_message(const AuraError *error);

/**
 * Returns how many causes an error has.
 *
 * Ownership: `error` stays with the caller.
 */
size_t aura_error_cause_count(const AuraError *error);

/**
 * Returns a cause, in words: the one at 0 is behind the error, the next behind that. NULL where there is none.
 *
 * Ownership: `error` stays with the caller; the text is part of it and goes with it.
 */
const char *aura_error_cause(const AuraError *error,
                             size_t at);

/**
 * Lets go of an error.
 *
 * Ownership: takes `error`; NULL is accepted.
 */
void aura_error_free(AuraError *error);

/**
 * Reads definitions of metrics from YAML or JSON. `parameters` is a JSON object with the values of their parameters, NULL for none.
 *
 * Ownership: `*result` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_registry_parse(const char *definitions,
                               const char *parameters,
                               AuraRegistry **result,
                               AuraError **error);

/**
 * Reads definitions of metrics from a file of YAML or JSON.
 *
 * Ownership: `*result` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_registry_load(const char *path,
                              const char *parameters,
                              AuraRegistry **result,
                              AuraError **error);

/**
 * Returns the metrics that come with AURA.
 *
 * Ownership: `*result` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_registry_builtin(const char *parameters,
                                 AuraRegistry **result,
                                 AuraError **error);

/**
 * Returns a registry with the definitions of a text beside it, which may use its own.
 *
 * Ownership: `*result` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_registry_extend(const AuraRegistry *registry,
                                const char *definitions,
                                const char *parameters,
                                AuraRegistry **result,
                                AuraError **error);

/**
 * Returns two registries as one.
 *
 * Ownership: `*result` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_registry_merge(const AuraRegistry *registry,
                               const AuraRegistry *other,
                               AuraRegistry **result,
                               AuraError **error);

/**
 * Returns the version that the definitions state; 0 for NULL.
 *
 * Ownership: `registry` stays with the caller.
 */
uint32_t aura_registry_version(const AuraRegistry *registry);

/**
 * Writes the names of the metrics: a JSON list.
 *
 * Ownership: `*bytes` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_registry_names(const AuraRegistry *registry,
                               AuraBytes **bytes,
                               AuraError **error);

/**
 * Writes the definitions as YAML.
 *
 * Ownership: `*bytes` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_registry_yaml(const AuraRegistry *registry,
                              AuraBytes **bytes,
                              AuraError **error);

/**
 * Writes the definitions as JSON.
 *
 * Ownership: `*bytes` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_registry_json(const AuraRegistry *registry,
                              AuraBytes **bytes,
                              AuraError **error);

/**
 * Writes a page in Markdown about all metrics.
 *
 * Ownership: `*bytes` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_registry_reference(const AuraRegistry *registry,
                                   const char *title,
                                   AuraBytes **bytes,
                                   AuraError **error);

/**
 * Writes what changed from this registry to a newer one: a JSON list of objects with `path`, `compatibility` and `why`.
 *
 * Ownership: `*bytes` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_registry_compare(const AuraRegistry *registry,
                                 const AuraRegistry *newer,
                                 AuraBytes **bytes,
                                 AuraError **error);

/**
 * Writes a question about metrics as SQL of another engine. `query` and `source` (the table) are JSON; `dialect` is `duckdb`, `postgresql`,
 * `snowflake`, `databricks` or `bigquery`.
 *
 * Ownership: `*bytes` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_registry_sql(const AuraRegistry *registry,
                             const char *query,
                             const char *source,
                             const char *dialect,
                             AuraBytes **bytes,
                             AuraError **error);

/**
 * Lets go of a registry. Calls that run with it go on.
 *
 * Ownership: takes `registry`; NULL is accepted.
 */
void aura_registry_free(AuraRegistry *registry);

/**
 * Renders a report (JSON) as one file of HTML. `options` is JSON, NULL for the defaults: theme, templates, limits.
 *
 * Ownership: `*bytes` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_report_html(const char *report,
                            const char *options,
                            AuraBytes **bytes,
                            AuraError **error);

/**
 * Renders a report (JSON) as Markdown. `options` is JSON, NULL for the defaults: templates, limits.
 *
 * Ownership: `*bytes` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_report_markdown(const char *report,
                                const char *options,
                                AuraBytes **bytes,
                                AuraError **error);

/**
 * Draws a chart (JSON, as the figures of reports have it) as SVG, in the language `en` or `ru`.
 *
 * Ownership: `*bytes` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_chart_svg(const char *chart,
                          const char *language,
                          AuraBytes **bytes,
                          AuraError **error);

/**
 * Describes a chart (JSON) for Vega-Lite 5, as JSON, in the language `en` or `ru`.
 *
 * Ownership: `*bytes` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_chart_vega_lite(const char *chart,
                                const char *language,
                                AuraBytes **bytes,
                                AuraError **error);

/**
 * Reads rules of insights from YAML or JSON and writes them as JSON, the form in which a spec takes them; for NULL, those that come
 * with AURA.
 *
 * Ownership: `*bytes` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_rules_json(const char *rules,
                           AuraBytes **bytes,
                           AuraError **error);

/**
 * Names a file, or all files that match a glob.
 *
 * Ownership: `*source` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_source_path(const char *path,
                            AuraSource **source,
                            AuraError **error);

/**
 * Takes the whole content of a file; `name` is used in messages.
 *
 * Ownership: `data` is copied. `*source` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_source_bytes(const char *name,
                             const uint8_t *data,
                             size_t length,
                             AuraSource **source,
                             AuraError **error);

/**
 * Takes an Arrow C stream, which is read by the ingest.
 *
 * Ownership: `stream` is taken over and marked as released, also when the call fails; threads of the library call it, one at a
 * time, and release it. `*source` and `*error` go to the caller, who frees them; `name` stays with the caller.
 */
AuraStatus aura_source_stream(const char *name,
                              struct ArrowArrayStream *stream,
                              AuraSource **source,
                              AuraError **error);

/**
 * Names a git repository, whose history is read. `options` is JSON, NULL for the defaults.
 *
 * Ownership: `*source` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_source_git(const char *path,
                           const char *options,
                           AuraSource **source,
                           AuraError **error);

/**
 * Takes bytes as a function of the caller gives them: it writes at most `capacity` bytes to `into` and returns how many, 0 at the end,
 * or a negative number when it failed. `done`, unless it is NULL, is called once, when nothing will be read any more. Both are called by
 * threads of the library, one at a time, and neither may throw, jump out, or call AURA with the store that reads.
 *
 * Ownership: `user` is handed to both functions and must live until `done` was called; that is so also when this call fails, which
 * calls `done` itself. `*source` and `*error` go to the caller, who frees them; `name` stays with the caller.
 */
AuraStatus aura_source_reader(const char *name,
                              AuraReadFunction read,
                              AuraDoneFunction done,
                              void *user,
                              AuraSource **source,
                              AuraError **error);

/**
 * Lets go of a source. An ingest that reads it goes on.
 *
 * Ownership: takes `source`; NULL is accepted.
 */
void aura_source_free(AuraSource *source);

/**
 * Opens the store in a directory, and makes it if there is none and `create` is true. `settings` is JSON, NULL for the defaults.
 *
 * Ownership: `*store` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_store_open(const char *path,
                           bool create,
                           const char *settings,
                           AuraStore **store,
                           AuraError **error);

/**
 * Makes a store in memory, which is never written. `settings` is JSON, NULL for the defaults.
 *
 * Ownership: `*store` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_store_open_memory(const char *settings,
                                  AuraStore **store,
                                  AuraError **error);

/**
 * Reads a source into the store: all of it, or nothing when it fails. `options` is JSON, NULL for the defaults: `roles`, `format`, `preset`,
 * `limits`. `contract` may be NULL. `progress`, unless it is NULL, is called now and then by the calling thread; when it returns
 * other than 0 the ingest is cancelled. It may not throw or jump out.
 *
 * Ownership: `*report` (JSON) and `*error` go to the caller, who frees them. `source` stays with the caller, who frees it, but it
 * can be read once only. `user` is handed to `progress`, and not used after the call. All else stays with the caller.
 */
AuraStatus aura_store_ingest(const AuraStore *store,
                             const AuraSource *source,
                             const char *options,
                             const AuraContract *contract,
                             AuraProgressFunction progress,
                             void *user,
                             const AuraCancel *cancel,
                             AuraBytes **report,
                             AuraError **error);

/**
 * Appends a small batch. It is on the disk when this returns. `options` (JSON) and `contract` may be NULL.
 *
 * Ownership: `stream` is taken over and marked as released, also when the call fails; `*report` (JSON) and `*error` go to the
 * caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_store_append(const AuraStore *store,
                             struct ArrowArrayStream *stream,
                             const char *options,
                             const AuraContract *contract,
                             const AuraCancel *cancel,
                             AuraBytes **report,
                             AuraError **error);

/**
 * Returns the events as they are now; later writes do not change them.
 *
 * Ownership: `*events` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_store_events(const AuraStore *store,
                             const AuraCancel *cancel,
                             AuraEvents **events,
                             AuraError **error);

/**
 * Returns the events of a snapshot of the past; `at` is JSON: `{"version": 3}`, or `{"time": 1767225600000000}` (UTC microseconds).
 *
 * Ownership: `*events` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_store_snapshot(const AuraStore *store,
                               const char *at,
                               const AuraCancel *cancel,
                               AuraEvents **events,
                               AuraError **error);

/**
 * Returns the rejected rows.
 *
 * Ownership: `*table` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_store_quarantine(const AuraStore *store,
                                 const AuraCancel *cancel,
                                 AuraTable **table,
                                 AuraError **error);

/**
 * Closes a store, and waits for its threads. Events that were taken from it stay usable; further calls to it are a `CONFLICT`.
 *
 * Ownership: `store` stays with the caller, who frees it; NULL is accepted.
 */
void aura_store_close(const AuraStore *store);

/**
 * Returns whether a store was closed; true for NULL.
 *
 * Ownership: `store` stays with the caller.
 */
bool aura_store_is_closed(const AuraStore *store);

/**
 * Closes a store when no call runs with it, and lets go of it.
 *
 * Ownership: takes `store`; NULL is accepted.
 */
void aura_store_free(AuraStore *store);

/**
 * Writes the settings as JSON.
 *
 * Ownership: `*settings` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_store_settings(const AuraStore *store,
                               AuraBytes **settings,
                               AuraError **error);

/**
 * Writes the snapshots: a JSON list of objects with `id` and `time_us`.
 *
 * Ownership: `*snapshots` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_store_snapshots(const AuraStore *store,
                                const AuraCancel *cancel,
                                AuraBytes **snapshots,
                                AuraError **error);

/**
 * Writes what the store holds, as JSON.
 *
 * Ownership: `*stats` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_store_stats(const AuraStore *store,
                            const AuraCancel *cancel,
                            AuraBytes **stats,
                            AuraError **error);

/**
 * Moves staged events to files, and writes their number.
 *
 * Ownership: `*error` goes to the caller, who frees it; all else stays with the caller.
 */
AuraStatus aura_store_flush(const AuraStore *store,
                            const AuraCancel *cancel,
                            uint64_t *count,
                            AuraError **error);

/**
 * Rewrites small files into large ones, sorted; the report is JSON.
 *
 * Ownership: `*report` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_store_compact(const AuraStore *store,
                              const AuraCancel *cancel,
                              AuraBytes **report,
                              AuraError **error);

/**
 * Drops events older than a moment (UTC microseconds); the report is JSON.
 *
 * Ownership: `*report` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_store_expire(const AuraStore *store,
                             int64_t older_than_us,
                             const AuraCancel *cancel,
                             AuraBytes **report,
                             AuraError **error);

/**
 * Drops snapshots older than a moment (UTC microseconds), and writes their number.
 *
 * Ownership: `*error` goes to the caller, who frees it; all else stays with the caller.
 */
AuraStatus aura_store_expire_snapshots(const AuraStore *store,
                                       int64_t older_than_us,
                                       const AuraCancel *cancel,
                                       uint64_t *count,
                                       AuraError **error);

/**
 * Erases all events of an actor; the report is JSON.
 *
 * Ownership: `*report` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_store_erase(const AuraStore *store,
                            const char *actor,
                            const AuraCancel *cancel,
                            AuraBytes **report,
                            AuraError **error);

/**
 * Returns the number of rows; 0 for NULL.
 *
 * Ownership: `table` stays with the caller.
 */
uint64_t aura_table_row_count(const AuraTable *table);

/**
 * Returns the number of columns; 0 for NULL.
 *
 * Ownership: `table` stays with the caller.
 */
size_t aura_table_column_count(const AuraTable *table);

/**
 * Returns how much was read to answer; zeros for NULL.
 *
 * Ownership: `table` stays with the caller.
 */
AuraScanStats aura_table_scan(const AuraTable *table);

/**
 * Writes the schema.
 *
 * Ownership: `*schema` goes to the caller, who calls its `release`; what was in it is overwritten. `*error` goes to the caller, who
 * frees it; `table` stays with the caller.
 */
AuraStatus aura_table_schema(const AuraTable *table,
                             struct ArrowSchema *schema,
                             AuraError **error);

/**
 * Writes a stream of the rows. They are shared with the table and not copied; the stream may outlive it, and there may be many of one
 * table.
 *
 * Ownership: `*stream` goes to the caller, who calls its `release`; what was in it is overwritten. `*error` goes to the caller, who
 * frees it; `table` stays with the caller.
 */
AuraStatus aura_table_stream(const AuraTable *table,
                             struct ArrowArrayStream *stream,
                             AuraError **error);

/**
 * Writes what a careful analyst would add: a JSON list of texts.
 *
 * Ownership: `*bytes` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_table_notes(const AuraTable *table,
                            AuraBytes **bytes,
                            AuraError **error);

/**
 * Writes the table in the streaming format of Arrow IPC. One without rows keeps its columns.
 *
 * Ownership: `*bytes` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_table_ipc(const AuraTable *table,
                          AuraBytes **bytes,
                          AuraError **error);

/**
 * Writes the table in a format of other tools: `csv` (formulas are guarded), `json`, `ndjson`, `parquet`, `arrow_ipc` (the file format), `xlsx`.
 *
 * Ownership: `*bytes` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_table_export(const AuraTable *table,
                             const char *format,
                             AuraBytes **bytes,
                             AuraError **error);

/**
 * Writes the table as CSV. `options` is JSON, NULL for the defaults: `delimiter` and `guard_formulas`.
 *
 * Ownership: `*bytes` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_table_csv(const AuraTable *table,
                          const char *options,
                          AuraBytes **bytes,
                          AuraError **error);

/**
 * Draws the first rows with lines, as text.
 *
 * Ownership: `*bytes` and `*error` go to the caller, who frees them; all else stays with the caller.
 */
AuraStatus aura_table_text(const AuraTable *table,
                           uint64_t rows,
                           AuraBytes **bytes,
                           AuraError **error);

/**
 * Lets go of a table. Streams of it go on.
 *
 * Ownership: takes `table`; NULL is accepted.
 */
void aura_table_free(AuraTable *table);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* AURA_H */
